//! The kernels' PTX, as the real compiler makes it, executed thread by thread: what they compute, what they execute,
//! and that no access races or leaves its memory. Without a GPU; nothing here says how fast a kernel is.
#![cfg(all(target_os = "linux", feature = "cuda"))]
#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, or says that it was skipped"
)]

use std::path::Path;

use flopgauge::backend::cuda::nvrtc::Nvrtc;
use flopgauge::backend::cuda::rows::{COPY, Form, GemmEngine, ROWS, Row, Source, TARGETS, Target};
use flopgauge::workload::Layout;
use flopgauge_simulator::launch::{Count, Frame, Module, load, run};
use flopgauge_simulator::memory::Global;

mod defects;
mod host;
mod issue;
mod mutations;
mod products;

/// The newest compiler that `harness/tests/nvrtc` installed; none is a failure where `FLOPGAUGE_REQUIRE_NVRTC` is set.
fn compiler() -> Option<Nvrtc> {
    let at = "target/python-cuda/lib";
    let wheels = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(at)).into_iter().flatten();
    let paths = wheels
        .flatten()
        .map(|python| python.path().join("site-packages/nvidia/cu13/lib/libnvrtc.so.13"))
        .find(|path| path.exists());
    assert!(paths.is_some() || std::env::var_os("FLOPGAUGE_REQUIRE_NVRTC").is_none(), "no NVRTC below {at}");
    if paths.is_none() {
        eprintln!("skipped: no NVRTC; harness/tests/nvrtc installs it");
    }
    paths.map(|path| Nvrtc::open(&path).unwrap())
}

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

fn module(nvrtc: &Nvrtc, source: &Source, options: &[String]) -> Module {
    module_of(nvrtc, source.text, source.file, options)
}

fn module_of(nvrtc: &Nvrtc, text: &str, file: &str, options: &[String]) -> Module {
    let ptx = nvrtc.compile(text, file, options).unwrap_or_else(|error| panic!("{file}: {error}")).ptx;
    load(&ptx).unwrap_or_else(|error| panic!("{file} {options:?}: {error}"))
}

/// What the host does with a row, which a deliberate defect may change.
#[derive(Clone, Copy)]
struct Host {
    /// Blocks, threads, bytes of shared memory; and the parameters.
    launch: fn(&mut [u32; 3], &mut [u8]),
    /// Operations of one trip or product, as counted.
    account: fn(u128) -> u128,
}

impl Host {
    const RIGHT: Self = Self { launch: |_, _| {}, account: |operations| operations };
}

/// A simulated device's memory and one kernel.
struct Machine {
    module: Module,
    global: Global,
    host: Host,
}

impl Machine {
    fn new(module: Module) -> Self {
        Self { module, global: Global::new(0x7f00_0000_0000, 1 << 30), host: Host::RIGHT }
    }

    fn uploaded(&mut self, bytes: &[u8]) -> u64 {
        let address = self.global.allocate(bytes.len() as u64).unwrap();
        self.global.host_write(address, bytes.len()).unwrap().copy_from_slice(bytes);
        address
    }

    /// Runs the one kernel on `blocks` blocks; its parameters are pointers, then words.
    fn launch(&mut self, mut extents: [u32; 3], parameters: &[u8], seed: u64) -> Result<Count, String> {
        let mut parameters = parameters.to_vec();
        (self.host.launch)(&mut extents, &mut parameters);
        let [blocks, threads, dynamic] = extents;
        let [kernel] = self.module.kernels.as_slice() else { panic!("one kernel a source") };
        assert_eq!(kernel.parameter_bytes as usize, parameters.len(), "{}'s parameters", kernel.name);
        let frame = Frame {
            kernel,
            grid: [blocks, 1, 1],
            threads: [threads, 1, 1],
            dynamic,
            parameters: &parameters,
            seed,
            patience: 100_000_000,
            dynamic_offset: 0,
        };
        run(&frame, &mut self.global).map_err(|fault| fault.to_string())
    }
}

#[test]
fn the_copy_kernel_moves_every_quad_once_whatever_their_number() {
    let Some(nvrtc) = compiler() else { return };
    for name in ["sm_80", "sm_120a"] {
        let mut machine = Machine::new(module(&nvrtc, &COPY.source, &COPY.options(target(name))));
        // Fewer than threads, whole unrolled steps of two blocks, and a remainder.
        for quads in [1_u64, 511, 4096, 4096 + 1025] {
            let bytes: Vec<u8> = (0..quads * 16).map(|i| (i * i / 7 % 251) as u8).collect();
            let from = machine.uploaded(&bytes);
            let to = machine.global.allocate(bytes.len() as u64).unwrap();
            let parameters: Vec<u8> = [to, from, quads].iter().flat_map(|word| word.to_le_bytes()).collect();
            machine.launch([2, COPY.threads, 0], &parameters, quads).unwrap();
            assert_eq!(machine.global.host_read(to, bytes.len()).unwrap(), bytes, "{quads} quads on {name}");
        }
    }
}

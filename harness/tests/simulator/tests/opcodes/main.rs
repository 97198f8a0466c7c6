//! Each instruction against results worked out by hand from the PTX specification.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flopgauge_simulator::launch::{Count, Fault, Frame, load, run};
use flopgauge_simulator::memory::Global;
use flopgauge_simulator::tensor_map::TensorMap;

mod arithmetic;
mod coverage;
mod edges;
mod mbarrier;
mod memory;
mod tensor;
mod warp;
mod warpgroup;

const HEAD: &str = ".version 9.0\n.target sm_90a\n.address_size 64\n";
const DECLARED: &str =
    ".reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<40>; .reg .b64 %d<20>; .reg .f32 %f<9>;";

/// What a body is given.
#[derive(Default)]
struct Given<'a> {
    threads: u32,
    /// At most eight, in %d1 to %d8, and their low halves in %r1 to %r8.
    inputs: &'a [u64],
    seed: u64,
    /// Bytes whose address is in %d12.
    data: &'a [u8],
    /// Map of these bytes, whose generic address is in %d13.
    map: Option<TensorMap>,
    dynamic: u32,
}

/// Runs a body in one block. It finds its output's address, 8 bytes a thread, in %d0, and its thread's number in %r0.
fn run_with(body: &str, given: Given<'_>) -> Result<(Vec<u64>, Count), Box<Fault>> {
    let threads = given.threads;
    let mut text = format!("{HEAD}.extern .shared .align 1024 .b8 dynamic[];\n");
    text += ".entry k(.param .u64 out, .param .u64 in, .param .u64 data, .param .align 64 .b8 map[128]) {";
    text += DECLARED;
    text += "\nld.param.u64 %d10, [in]; ld.param.u64 %d0, [out]; ld.param.u64 %d12, [data]; mov.u32 %r0, %tid.x; ";
    text +=
        "mov.b64 %d13, map; cvta.param.u64 %d13, %d13; mul.wide.u32 %d11, %r0, 8; add.s64 %d0, %d0, %d11;\n";
    for i in 0..8 {
        text += &format!("ld.global.b64 %d{0}, [%d10+{1}]; cvt.u32.u64 %r{0}, %d{0};\n", i + 1, 8 * i);
    }
    text += &format!("{body}\nret; }}");
    let module = load(&text).unwrap();
    let mut global = Global::new(0x1000_0000, 1 << 20);
    let out = global.allocate(u64::from(threads) * 8).unwrap();
    let input = global.allocate(64).unwrap();
    for i in 0..8 {
        global.store(input + 8 * i, 8, given.inputs.get(i as usize).copied().unwrap_or(0)).unwrap();
    }
    let data = global.allocate(given.data.len() as u64).unwrap();
    global.host_write(data, given.data.len()).unwrap().copy_from_slice(given.data);
    let mut parameters: Vec<u8> = [out, input, data].iter().flat_map(|p| p.to_le_bytes()).collect();
    parameters.resize(192, 0);
    if let Some(map) = given.map {
        parameters[64..].copy_from_slice(&TensorMap { address: data, ..map }.encode().unwrap());
    }
    let kernel = &module.kernels[0];
    let frame = Frame {
        kernel,
        grid: [1; 3],
        threads: [threads, 1, 1],
        dynamic: given.dynamic,
        parameters: &parameters,
        seed: given.seed,
        patience: 1_000_000,
        dynamic_offset: 0,
    };
    let count = run(&frame, &mut global)?;
    let bytes = global.host_read(out, threads as usize * 8).unwrap();
    Ok((bytes.chunks(8).map(|c| u64::from_le_bytes(c.try_into().unwrap())).collect(), count))
}

fn block(body: &str, threads: u32, inputs: &[u64], seed: u64) -> Result<(Vec<u64>, Count), Box<Fault>> {
    run_with(body, Given { threads, inputs, seed, ..Given::default() })
}

/// Result of one instruction that writes to %r9 from %r1, %r2 and %r3.
fn word(instruction: &str, inputs: &[u32]) -> u32 {
    let inputs: Vec<u64> = inputs.iter().map(|i| u64::from(*i)).collect();
    let body = format!("{instruction}\ncvt.u64.u32 %d9, %r9; st.global.b64 [%d0], %d9;");
    block(&body, 1, &inputs, 0).unwrap().0[0] as u32
}

/// Result of one instruction that writes to %d9 from %d1, %d2 and %d3.
fn long(instruction: &str, inputs: &[u64]) -> u64 {
    block(&format!("{instruction}\nst.global.b64 [%d0], %d9;"), 1, inputs, 0).unwrap().0[0]
}

fn fault(body: &str, threads: u32) -> Fault {
    *block(body, threads, &[], 0).unwrap_err()
}

//! The compilers and the disassembler, as `harness/tests/nvrtc` puts them there; their output is kept by hash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use crate::backend::cuda::nvrtc::{Compiled, Nvrtc};
use crate::backend::cuda::rows::Source;

/// Compilers at once: NVRTC and the disassembler take one core each.
const THREADS: usize = 2;

/// One compiler and the disassembler.
pub(super) struct Tools {
    pub nvrtc: Nvrtc,
    nvdisasm: PathBuf,
    kept: PathBuf,
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target")
}

/// Files below a folder whose name is one of `names`.
fn files(folder: &Path, names: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            files(&path, names, found);
        } else if names.iter().any(|name| path.ends_with(name)) {
            found.push(path);
        }
    }
}

impl Tools {
    /// Every compiler that is there, newest first. None is a failure where `FLOPGAUGE_REQUIRE_NVRTC` is set.
    pub(super) fn find() -> Vec<Self> {
        let (mut compilers, mut disassemblers) = (Vec::new(), Vec::new());
        files(&target().join("python-cuda"), &["libnvrtc.so.13", "libnvrtc.so.12"], &mut compilers);
        files(&target().join("python-cuda"), &["nvdisasm"], &mut disassemblers);
        let kept = target().join("cuda-static");
        fs::create_dir_all(&kept).unwrap();
        let required = std::env::var_os("FLOPGAUGE_REQUIRE_NVRTC").is_some();
        let both = compilers.len() == 2 && !disassemblers.is_empty();
        assert!(
            both || !required,
            "harness/tests/nvrtc installs two compilers: {compilers:?} {disassemblers:?}"
        );
        let Some(nvdisasm) = disassemblers.first() else {
            eprintln!("skipped: no NVRTC; harness/tests/nvrtc installs it");
            return Vec::new();
        };
        let open = |path: &PathBuf| Nvrtc::open(path).unwrap();
        let mut tools: Vec<_> = compilers
            .iter()
            .map(|path| Self { nvrtc: open(path), nvdisasm: nvdisasm.clone(), kept: kept.clone() })
            .collect();
        tools.sort_by_key(|tools| std::cmp::Reverse(tools.nvrtc.version()));
        tools
    }

    /// Machine code and its disassembly.
    pub(super) fn build(&self, source: &Source, options: &[String]) -> (Compiled, String) {
        self.try_build(source, options).unwrap()
    }

    /// The same where the compiler may refuse.
    pub(super) fn try_build(
        &self,
        source: &Source,
        options: &[String],
    ) -> Result<(Compiled, String), String> {
        let key = format!("{}\n{}\n{}", self.nvrtc.version(), options.join("\n"), source.text);
        let key: String = Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let at = |suffix: &str| self.kept.join(format!("{key}.{suffix}"));
        let text = |suffix: &str| fs::read_to_string(at(suffix));
        // The disassembly is written last: where it is, everything is.
        if let (Ok(sass), Ok(cubin), Ok(ptx), Ok(log)) =
            (text("sass"), fs::read(at("cubin")), text("ptx"), text("log"))
        {
            return Ok((Compiled { cubin, ptx, log }, sass));
        }
        let compiled =
            self.nvrtc.compile(source.text, source.file, options).map_err(|error| error.to_string())?;
        fs::write(at("cubin"), &compiled.cubin).unwrap();
        fs::write(at("ptx"), &compiled.ptx).unwrap();
        fs::write(at("log"), &compiled.log).unwrap();
        let output = Command::new(&self.nvdisasm).arg("-c").arg(at("cubin")).output().unwrap();
        assert!(output.status.success(), "{}: {}", source.file, String::from_utf8_lossy(&output.stderr));
        let sass = String::from_utf8(output.stdout).unwrap();
        let unfinished = at(&format!("{:?}", std::thread::current().id()));
        fs::write(&unfinished, &sass).unwrap();
        fs::rename(&unfinished, at("sass")).unwrap();
        Ok((compiled, sass))
    }

    /// `work` on each job by a few threads; results in the jobs' order.
    pub(super) fn in_parallel<J: Sync, R: Send>(&self, jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
        let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while let Some((at, job)) =
                        Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, jobs.get(at)?)))
                    {
                        let result = work(job);
                        results.lock().unwrap().push((at, result));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap();
        results.sort_by_key(|(at, _)| *at);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

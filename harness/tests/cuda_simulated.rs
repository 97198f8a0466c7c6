//! The binary, unchanged, on simulated devices: the CUDA backend's own calls, NVRTC's PTX, and values that are verified.
//! The libraries are doubles for tests (`harness/tests/simulator`); nothing here says how fast anything is.
#![cfg(all(target_os = "linux", feature = "cuda"))]
#![expect(clippy::print_stderr, reason = "says that a test was skipped")]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Folder of the newest NVRTC that `harness/tests/nvrtc` installed; none is a failure where
/// `FLOPGAUGE_REQUIRE_NVRTC` is set.
pub fn nvrtc() -> Option<PathBuf> {
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python-cuda/lib");
    let pythons = std::fs::read_dir(&at).into_iter().flatten().flatten();
    let found = pythons
        .map(|python| python.path().join("site-packages/nvidia/cu13/lib"))
        .find(|folder| folder.join("libnvrtc.so.13").exists());
    let wanted = std::env::var_os("FLOPGAUGE_REQUIRE_NVRTC").is_some();
    assert!(found.is_some() || !wanted, "no NVRTC below {}", at.display());
    if found.is_none() {
        eprintln!("skipped: no NVRTC; harness/tests/nvrtc installs it");
    }
    found
}

/// A device of the file of devices, without faults. One product of one tile takes it longer than any window of a
/// run, so that a case is few launches.
pub fn device(number: u32, capability: &str) -> String {
    format!(
        "[[device]]\nname = 'Simulated {capability}'\nuuid = '51a51a51-0000-4000-8000-00000000000{number}'\n\
         capability = '{capability}'\nmultiprocessors = 1\nclock-mhz = 1000\nmemory-clock-mhz = 1000\n\
         memory-mib = 256\ncache-kib = 64\noperations-per-s = 1e6\ninstructions-per-s = 1e6\n\
         blocks-per-multiprocessor = 1\n"
    )
}

/// The case of most tests.
pub const ONE_TILE: [&str; 6] = ["--precision", "bf16", "--method", "gemm", "--shape", "64,64,64"];

/// A machine with simulated devices.
pub struct Simulated {
    /// Its files.
    pub folder: TempDir,
    nvrtc: PathBuf,
}

impl Simulated {
    /// A machine with the devices of this text; `None` without NVRTC.
    pub fn new(devices: &str) -> Option<Self> {
        Self::with(devices, &["libcuda.so", "libnvidia-ml.so.1"])
    }

    /// The same, with these libraries.
    pub fn with(devices: &str, libraries: &[&str]) -> Option<Self> {
        let nvrtc = nvrtc()?;
        let folder = tempfile::tempdir().unwrap();
        // Built with the tests, for it is one of their dependencies; it lies where they do.
        let tests = std::env::current_exe().unwrap();
        let double = tests.with_file_name("libflopgauge_simulated_driver.so");
        assert!(double.exists(), "{} was not built", double.display());
        for part in ["lib", "counts"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        for library in libraries {
            symlink(&double, folder.path().join("lib").join(library)).unwrap();
        }
        std::fs::write(folder.path().join("devices.toml"), devices).unwrap();
        Some(Self { folder, nvrtc })
    }

    /// A command of the binary on this machine.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flopgauge"));
        let at = |part: &str| self.folder.path().join(part);
        command
            .args(arguments)
            .env("LD_LIBRARY_PATH", at("lib"))
            .env("FLOPGAUGE_CUDA_PATH", &self.nvrtc)
            .env("FLOPGAUGE_SIMULATED_DEVICES", at("devices.toml"))
            .env("FLOPGAUGE_SIMULATED_COUNTS", at("counts"))
            // Shared by the tests: equal sources are compiled once.
            .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("simulated-cache"))
            .env_remove("CUDA_VISIBLE_DEVICES")
            .current_dir(self.folder.path());
        command
    }

    /// Lets a command find NVRTC through the loader: the variable would be taken for cuBLASLt's place too.
    pub fn by_the_loader(&self, command: &mut Command) {
        let folders = format!("{}:{}", self.folder.path().join("lib").display(), self.nvrtc.display());
        command.env_remove("FLOPGAUGE_CUDA_PATH").env("LD_LIBRARY_PATH", folders);
    }

    /// Measures into `folder/record`, quickly.
    pub fn measure(&self, arguments: &[&str]) -> Output {
        let always = ["measure", "--quick", "--no-progress", "--time-limit", "120", "--out", "record"];
        self.command(&always).args(arguments).output().unwrap()
    }

    /// Measures one product of one tile on the first device.
    pub fn measure_one_tile(&self) -> Output {
        self.measure(&[&["--device", "cuda:0"][..], &ONE_TILE].concat())
    }

    /// The outcomes of the record.
    pub fn record(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("record/measurements.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What the double executed, a launch each.
    pub fn launches(&self) -> Vec<Value> {
        let files = std::fs::read_dir(self.folder.path().join("counts")).unwrap();
        let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        texts.flat_map(|t| t.lines().map(|l| serde_json::from_str(l).unwrap()).collect::<Vec<_>>()).collect()
    }
}

/// What a process said, for a message of a test.
pub fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Rates that the record has, with their implementations; every figure must be verified and labelled.
pub fn rates(record: &[Value]) -> Vec<(String, String, f64)> {
    let mut found = Vec::new();
    for row in record {
        assert_eq!(row["device"]["kind"], "simulated");
        let result = &row["result"];
        if result["outcome"] != "measured" {
            continue;
        }
        let checks = result["checks"].as_array().unwrap();
        assert!(!checks.is_empty() && checks.iter().all(|check| check["passed"] == true), "{result}");
        let name = result["implementation"]["name"].as_str().unwrap().to_owned();
        let operations: f64 = result["ops_per_iteration"].as_str().unwrap().parse().unwrap();
        let samples = &result["samples"];
        let numbers = |key: &str| samples[key].as_array().unwrap().iter().map(|n| n.as_f64().unwrap());
        let rate = operations * numbers("iterations").sum::<f64>() / numbers("elapsed_s").sum::<f64>();
        let method = result["implementation"]["method"].as_str().unwrap().to_owned();
        found.push((method, name, rate));
    }
    found
}

#[test]
fn the_double_of_cublaslt_is_one_candidate_more_and_its_products_are_verified() {
    let libraries = ["libcuda.so", "libnvidia-ml.so.1", "libcublasLt.so.13"];
    let Some(machine) = Simulated::with(&device(0, "8.9"), &libraries) else { return };
    let of =
        ["measure", "--quick", "--no-progress", "--out", "record", "--device", "cuda:0", "--method", "gemm"];
    let mut command = machine.command(&of);
    machine.by_the_loader(&mut command);
    for precision in ["fp64", "bf16", "int8", "fp8e4m3"] {
        command.args(["--precision", precision]);
    }
    let output = command.args(["--shape", "64,48,80"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let record = machine.record();
    assert_eq!(rates(&record).len(), 4, "{}", said(&output));
    for row in &record {
        let candidates = row["result"]["candidates"].as_array().unwrap();
        let library =
            candidates.iter().find(|c| c["implementation"].as_str().unwrap().starts_with("cublaslt-"));
        let library = library.unwrap_or(&Value::Null);
        assert!(library.is_object() && library["rejected"].is_null(), "{row}\n{}", said(&output));
    }
    let products = machine.launches().into_iter().filter(|launch| launch["kernel"] == "cublasLtMatmul");
    assert!(products.count() > 4);
}

#[test]
fn a_ragged_product_in_both_layouts_is_right_and_every_figure_is_labelled() {
    let Some(machine) = Simulated::new(&device(0, "8.0")) else { return };
    for layout in ["nn", "tn"] {
        let output = machine.measure(&[
            "--device",
            "cuda:0",
            "--precision",
            "fp32,bf16,int8",
            "--method",
            "gemm",
            "--shape",
            "64,48,80",
            "--layout",
            layout,
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(rates(&machine.record()).len(), 3, "{}", said(&output));
        assert!(said(&output).contains("SIMULATED: no figure here says anything of hardware"));
        std::fs::remove_dir_all(machine.folder.path().join("record")).unwrap();
    }
}

#[test]
fn the_one_command_for_a_machine_with_a_gpu_is_green_on_a_simulated_one() {
    let libraries = ["libcuda.so", "libnvidia-ml.so.1", "libcublasLt.so.13"];
    let Some(machine) = Simulated::with(&device(0, "8.0"), &libraries) else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/on-device.sh");
    let like = machine.command(&[]);
    let mut command = Command::new("bash");
    command
        .arg(script)
        .arg("run")
        .current_dir(machine.folder.path())
        .envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    machine.by_the_loader(&mut command);
    command
        .env("FLOPGAUGE", env!("CARGO_BIN_EXE_flopgauge"))
        .env("ON_DEVICE_SMALL", "1")
        .env("ON_DEVICE_PRECISION", "fp64,fp32,tf32,bf16,int8,int4");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = said(&output);
    assert!(text.contains("VERDICT: PASS, 31 rows measured, 0 wrong"), "{text}");
    assert!(text.contains("NOT HARDWARE: simulated") && !text.contains("ended with"), "{text}");
    // The table says what it was made of: as many rows as outcomes, and a rate of the plain loop beside a product.
    let rows = text.lines().filter(|line| line.contains("  cuda:0  simulated  "));
    let (right, without): (Vec<_>, Vec<_>) = rows.partition(|row| row.ends_with("  ok"));
    assert_eq!((right.len(), without.len()), (31, 3), "{text}");
    assert!(without.iter().all(|row| row.contains("int4") && row.ends_with("unsupported")), "{text}");
    let beside = right.iter().filter(|row| row.starts_with("gemm ") && row.contains("  1.000  "));
    assert_eq!(beside.count(), 5, "{text}");
    let peers = std::fs::read_to_string(machine.folder.path().join("run/peers.jsonl")).unwrap();
    assert!(peers.contains("\"peer\": \"cublaslt-plain\"") && peers.contains("rate_op_per_s"), "{peers}");
}

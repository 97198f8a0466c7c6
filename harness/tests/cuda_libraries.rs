//! The CUDA backend where a library is absent, lacks a function, or is of the wrong version: the reason, never a panic.
//!
//! The libraries are stubs in C that each test builds; they compute nothing and stand in for a driver's presence only.
#![cfg(all(target_os = "linux", feature = "cuda"))]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::commands::flopgauge;

/// Functions that the stub answers with more than success.
const ANSWERS: &str = r#"
#include <stddef.h>
#include <string.h>
static char place[64];
int cuDriverGetVersion(int *version) { *version = VERSION; return 0; }
int cuDeviceGetCount(int *count) { *count = DEVICES; return 0; }
int cuDeviceGet(int *device, int index) { *device = index; return 0; }
int cuDeviceGetName(char *name, int length, int device) { strncpy(name, "A stub", length); return 0; }
int cuDeviceGetUuid_v2(char *uuid, int device) { memset(uuid, 7, 16); return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = 1u << 30; return 0; }
int cuDeviceGetAttribute(int *value, int which, int device) {
  *value = which == 75 ? 8 : which == 16 ? 4 : which == 38 ? 1 << 20 : 0;
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = place; return 0; }
int cuCtxGetCurrent(void **context) { *context = place; return 0; }
int cuStreamCreate(void **stream, unsigned flags) { *stream = place; return 0; }
int cuEventCreate(void **event, unsigned flags) { *event = place; return 0; }
int cuGetErrorName(int code, const char **text) { *text = "stub"; return 0; }
int cuGetErrorString(int code, const char **text) { *text = "stub"; return 0; }
"#;

/// Every function that the backend looks up, by its own list.
fn symbols() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/backend/cuda/driver.rs");
    let text = std::fs::read_to_string(source).unwrap();
    let list = text.split_once("const SYMBOLS").unwrap().1.split_once("];").unwrap().0;
    let names: Vec<String> =
        list.split('"').filter(|word| word.starts_with("cu")).map(str::to_owned).collect();
    assert!(names.len() > 40, "{names:?}");
    names
}

fn build(source: &str, library: &Path) {
    let file = library.with_extension("c");
    std::fs::write(&file, source).unwrap();
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-w", "-o"]).arg(library).arg(&file).status().unwrap();
    assert!(built.success());
}

/// A driver of this version with these devices, without one function.
fn driver(folder: &Path, version: u32, devices: u32, without: Option<&str>) {
    let mut source = format!("#define VERSION {version}\n#define DEVICES {devices}\n");
    let keep = |line: &&str| without.is_none_or(|name| !line.contains(&format!("int {name}(")));
    ANSWERS.lines().filter(keep).for_each(|line| writeln!(source, "{line}").unwrap());
    for name in symbols().iter().map(String::as_str).chain(["cuEventElapsedTime_v2"]) {
        if !ANSWERS.contains(&format!("int {name}(")) && without != Some(name) {
            writeln!(source, "int {name}() {{ return 0; }}").unwrap();
        }
    }
    build(&source, &folder.join("libcuda.so"));
}

/// An NVRTC of this version that compiles nothing.
fn nvrtc(folder: &Path, major: u32) {
    let mut source = format!("int nvrtcVersion(int *a, int *b) {{ *a = {major}; *b = 0; return 0; }}\n");
    source += "int nvrtcGetNumSupportedArchs(int *n) { *n = 1; return 0; }\n";
    source += "int nvrtcGetSupportedArchs(int *list) { *list = 80; return 0; }\n";
    for name in ["CreateProgram", "CompileProgram", "DestroyProgram", "GetProgramLogSize", "GetProgramLog"] {
        writeln!(source, "int nvrtc{name}() {{ return 6; }}").unwrap();
    }
    for name in ["GetPTXSize", "GetPTX", "GetCUBINSize", "GetCUBIN"] {
        writeln!(source, "int nvrtc{name}() {{ return 6; }}").unwrap();
    }
    build(&source, &folder.join(format!("libnvrtc.so.{major}")));
}

/// The program with this folder's libraries, and no others of NVIDIA's that a user may have named.
fn with(folder: &Path) -> assert_cmd::Command {
    let mut command = flopgauge();
    command.env("LD_LIBRARY_PATH", folder).env("HOME", folder).env("XDG_CACHE_HOME", folder);
    command.env("FLOPGAUGE_CUDA_PATH", folder);
    for name in ["CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "CUDA_VISIBLE_DEVICES"] {
        command.env_remove(name);
    }
    command
}

fn devices(folder: &Path, code: i32) -> String {
    let run = with(folder).args(["devices", "--backend", "cuda"]).assert().code(code);
    let output = run.get_output();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Reason of the one outcome of measuring fp32's issue rate, which must not be a figure.
fn reason(folder: &Path) -> String {
    let out = folder.join("record");
    let mut command = with(folder);
    command.args([
        "measure",
        "--device",
        "cuda:0",
        "--quick",
        "--precision",
        "fp32",
        "--method",
        "issue",
        "--out",
    ]);
    let run = command.arg(&out).assert().code(3);
    assert!(!String::from_utf8_lossy(&run.get_output().stderr).contains("panicked"));
    let text = std::fs::read_to_string(out.join("measurements.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(line["result"]["outcome"], "unsupported", "{line}");
    line["result"]["reason"].as_str().unwrap().to_owned()
}

#[test]
fn a_driver_that_lacks_any_one_function_is_refused_by_its_name() {
    // Each build takes a tenth of a second: some that are looked up early, late, and by cudarc alone.
    for name in ["cuDriverGetVersion", "cuInit", "cuDeviceGetUuid_v2", "cuMemAllocAsync", "cuGraphUpload"] {
        let folder = tempfile::tempdir().unwrap();
        driver(folder.path(), 13_000, 1, Some(name));
        let text = devices(folder.path(), 4);
        assert!(text.contains(&format!("lacks the function {name}")), "{name}: {text}");
        with(folder.path()).args(["measure", "--device", "cuda:0"]).assert().code(4);
    }
}

#[test]
fn a_driver_that_is_too_old_is_told_its_version_before_anything_else_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    driver(folder.path(), 11_040, 1, Some("cuGraphUpload"));
    assert!(devices(folder.path(), 4).contains("supports CUDA 11.4"));
}

#[test]
fn a_driver_without_devices_is_no_device_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    driver(folder.path(), 13_000, 0, None);
    let run =
        with(folder.path()).env("CUDA_VISIBLE_DEVICES", "7").args(["devices", "--backend", "cuda"]).assert();
    let text = String::from_utf8_lossy(&run.code(4).get_output().stdout).into_owned();
    assert!(text.contains("shows no device; CUDA_VISIBLE_DEVICES is '7'"), "{text}");
}

#[test]
fn a_device_without_nvml_is_listed_with_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    driver(folder.path(), 13_000, 1, None);
    let text = devices(folder.path(), 0);
    for part in ["cuda:0  A stub", "07070707-0707-0707-0707-070707070707", "architecture  8.0", "no NVML"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn without_a_compiler_the_reason_names_it_and_the_cpu_is_still_measured() {
    let folder = tempfile::tempdir().unwrap();
    driver(folder.path(), 13_000, 1, None);
    assert!(reason(folder.path()).contains("no NVRTC (libnvrtc.so.13) was found"));
    let out = folder.path().join("both");
    let mut command = with(folder.path());
    command.args(["measure", "--device", "cuda:0", "--device", "cpu:0", "--quick", "--precision", "fp32"]);
    // How clean the CPU was decides the exit code; here only that it was measured matters.
    let _ = command.args(["--method", "issue", "--threads", "1", "--out"]).arg(&out).assert();
    let text = std::fs::read_to_string(out.join("measurements.jsonl")).unwrap();
    assert!(text.contains(r#""outcome":"measured""#) && text.contains("no NVRTC"), "{text}");
}

#[test]
fn a_compiler_newer_than_the_driver_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    driver(folder.path(), 12_040, 1, None);
    nvrtc(folder.path(), 13);
    assert!(reason(folder.path()).contains("NVRTC 13.0 is newer than the driver's CUDA 12"));
}

#[test]
fn a_format_without_units_has_its_reason_and_a_missing_cublaslt_is_named() {
    let folder = tempfile::tempdir().unwrap();
    driver(folder.path(), 13_000, 1, None);
    nvrtc(folder.path(), 13);
    let out = folder.path().join("record");
    let mut command = with(folder.path());
    command.args(["measure", "--device", "cuda:0", "--quick", "--precision", "fp8e4m3", "--out"]);
    command.arg(&out).assert().code(3);
    let text = std::fs::read_to_string(out.join("measurements.jsonl")).unwrap();
    assert!(text.contains("fp8 begins with compute capability 8.9"), "{text}");
    assert!(text.contains("no cuBLASLt (libcublasLt.so.13) was found"), "{text}");
}

/// A cuBLASLt without one function, which starts nothing.
fn cublaslt(folder: &Path, without: &str) {
    let names = ["GetVersion", "Create", "Destroy", "Matmul", "MatmulAlgoGetHeuristic"];
    let objects = ["MatmulDesc", "MatrixLayout", "MatmulPreference"];
    let calls = objects
        .iter()
        .flat_map(|object| ["Create", "Destroy", "SetAttribute"].map(|call| format!("{object}{call}")));
    let mut source = String::new();
    for name in names.map(str::to_owned).into_iter().chain(calls).filter(|name| name != without) {
        let result = if name == "GetVersion" { 130_100 } else { 1 };
        writeln!(source, "long cublasLt{name}() {{ return {result}; }}").unwrap();
    }
    build(&source, &folder.join("libcublasLt.so.13"));
}

#[test]
fn a_cublaslt_that_lacks_a_function_or_does_not_start_is_named_and_the_kernels_are_still_there() {
    for (without, reason) in [
        ("MatmulAlgoGetHeuristic", "cuBLASLt lacks the function cublasLtMatmulAlgoGetHeuristic"),
        ("", "cuBLASLt 13.1.0 does not start: CUBLAS_STATUS_NOT_INITIALIZED"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        driver(folder.path(), 13_000, 1, None);
        nvrtc(folder.path(), 13);
        cublaslt(folder.path(), without);
        let out = folder.path().join("record");
        let mut command = with(folder.path());
        command.args(["measure", "--device", "cuda:0", "--quick", "--precision", "fp8e4m3,bf16"]);
        command.args(["--shape", "64,64,64", "--out"]);
        let run = command.arg(&out).assert();
        assert!(!String::from_utf8_lossy(&run.get_output().stderr).contains("panicked"));
        let text = std::fs::read_to_string(out.join("measurements.jsonl")).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |precision: &str, method: &str| {
            let here = |line: &&serde_json::Value| {
                line["request"]["precision"] == precision && line["request"]["work"]["method"] == method
            };
            lines.iter().find(here).unwrap()["result"].clone()
        };
        // Ampere has no fp8, and the library is not there to say so.
        let fp8 = of("fp8e4m3", "gemm");
        assert_eq!(fp8["outcome"], "unsupported", "{fp8}");
        let notes = lines[0]["device"]["notes"].to_string();
        assert!(notes.contains(reason), "{without}: {notes}");
        // The compiler is a stub too, and says so for itself.
        let bf16 = of("bf16", "gemm")["reason"].to_string();
        assert!(bf16.contains("NVRTC") && !bf16.contains("cuBLASLt"), "{bf16}");
    }
}

#[test]
fn what_no_gpu_has_run_yet_is_in_the_readme_word_for_word() {
    let open: Vec<&str> = flopgauge::backend::CUDA_OPEN_POINTS.lines().collect();
    assert!(open.iter().all(|line| line.contains(": ")), "{open:?}");
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section =
        readme.split_once("\n## Until a GPU has run it\n").unwrap().1.split_once("\n## ").unwrap().0;
    let cuda = section.split_once("wgpu: ").map_or(section, |(cuda, _)| cuda);
    let listed: Vec<&str> = cuda.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    assert_eq!(listed, open, "README.md and harness/backend/cuda/open.txt do not agree");
}

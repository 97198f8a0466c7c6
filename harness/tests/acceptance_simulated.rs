//! `flopgauge accept` on simulated CUDA devices, for what a scripted one does not have: MIG, other processes' memory, no
//! NVML. A spec that accepts simulated devices is what a test alone has.
#![cfg(all(target_os = "linux", feature = "cuda"))]

use crate::cuda_simulated::{Simulated, device, said};
use flopgauge::accept::{CheckResult, NodeFile, Verdict};

const SPEC: &str = r#"format = "flopgauge.acceptance/1"
[node]
kinds = ["simulated"]
[[require]]
device = "Simulated *"
precision = "int8"
method = "issue"
min_op_per_s = 1e5
"#;

const LIBRARIES: [&str; 2] = ["libcuda.so", "libnvidia-ml.so.1"];

/// The verdict on a node with this device; `None` without NVRTC.
fn judged(device: &str, libraries: &[&str], limits: &str) -> Option<(Option<i32>, NodeFile, String)> {
    let machine = Simulated::with(device, libraries)?;
    std::fs::write(machine.folder.path().join("spec.toml"), format!("{SPEC}{limits}")).unwrap();
    let arguments = ["accept", "--tier", "smoke", "--spec", "spec.toml", "--node", "n1", "--out", "out"];
    let limit = ["--time-limit", "300", "--backend", "cuda"];
    let output = machine.command(&[&arguments[..], &limit].concat()).output().unwrap();
    let text = std::fs::read_to_string(machine.folder.path().join("out/n1.json")).unwrap();
    Some((output.status.code(), serde_json::from_str(&text).unwrap(), said(&output)))
}

fn check(file: &NodeFile, name: &str) -> Option<CheckResult> {
    let mut checks = file.devices.iter().flat_map(|device| &device.checks);
    checks.find(|check| check.check == name).cloned()
}

#[test]
fn a_whole_device_passes_and_says_that_it_is_simulated() {
    let limits = "[limits]\nmax_temperature_c = 85\nmax_foreign_memory_bytes = 0\n";
    let Some((code, file, said)) = judged(&device(0, "8.0"), &LIBRARIES, limits) else { return };
    assert_eq!((code, file.verdict), (Some(0), Verdict::Pass), "{said}");
    assert!(file.simulated && file.reason.as_str().contains("simulated"), "{said}");
    assert!(check(&file, "partition").is_none());
    for name in ["temperature", "throttle", "foreign_load"] {
        assert_eq!(check(&file, name).unwrap().verdict, Verdict::Pass, "{name}: {said}");
    }
}

#[test]
fn an_instance_of_mig_is_never_a_pass() {
    let part = device(0, "8.0") + "mig = true\n";
    let Some((code, file, said)) = judged(&part, &LIBRARIES, "") else { return };
    assert_eq!((code, file.verdict), (Some(3), Verdict::Inconclusive), "{said}");
    assert_eq!(check(&file, "partition").unwrap().verdict, Verdict::Inconclusive, "{said}");
}

#[test]
fn memory_that_another_process_holds_is_never_a_pass() {
    let shared = device(0, "8.0") + "[device.sensors]\nforeign-processes = [1048576]\n";
    for limits in ["", "[limits]\nmax_foreign_memory_bytes = 1048575\n"] {
        let Some((code, file, said)) = judged(&shared, &LIBRARIES, limits) else { return };
        assert_eq!((code, file.verdict), (Some(3), Verdict::Inconclusive), "{said}");
        assert_eq!(check(&file, "foreign_load").unwrap().verdict, Verdict::Inconclusive, "{said}");
    }
    let accepted = "[limits]\nmax_foreign_memory_bytes = 1048576\n";
    let Some((code, _, said)) = judged(&shared, &LIBRARIES, accepted) else { return };
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_device_without_telemetry_is_never_a_pass_where_the_spec_asks_for_it() {
    for limits in ["", "[limits]\nallow_throttle = true\nmax_temperature_c = 85\n"] {
        let Some((code, file, said)) = judged(&device(0, "8.0"), &["libcuda.so"], limits) else { return };
        assert_eq!((code, file.verdict), (Some(3), Verdict::Inconclusive), "{said}");
    }
    let Some((code, _, said)) =
        judged(&device(0, "8.0"), &["libcuda.so"], "[limits]\nallow_throttle = true\n")
    else {
        return;
    };
    assert_eq!(code, Some(0), "{said}");
}

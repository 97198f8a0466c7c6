//! `flopgauge accept` on simulated CUDA devices, for what a scripted one does not have: MIG, and NVML's list of
//! processes. A spec that accepts simulated devices is what a test alone has.
#![cfg(all(target_os = "linux", feature = "cuda"))]

use crate::cuda_simulated::{Simulated, device, said};
use flopgauge::accept::{CheckResult, NodeFile, Verdict};

/// Of what a device of this capability can do, or what it cannot.
fn spec(what: &str) -> String {
    format!(
        "format = \"flopgauge.acceptance/1\"\n[node]\nkinds = [\"simulated\"]\n[[require]]\n\
         device = \"Simulated *\"\nmin_op_per_s = 1e5\n{what}\n"
    )
}

const ISSUE: &str = "precision = \"int8\"\nmethod = \"issue\"";

/// A format that compute capability 8.0 lacks: the device is opened and nothing is run.
const ABSENT: &str = "precision = \"fp4\"\nmethod = \"issue\"";

/// The verdict on a node with this device; `None` without NVRTC.
fn judged(device: &str, what: &str) -> Option<(Option<i32>, NodeFile, String)> {
    let machine = Simulated::new(device)?;
    std::fs::write(machine.folder.path().join("spec.toml"), spec(what)).unwrap();
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
fn a_device_alone_passes_and_says_that_it_is_simulated() {
    let Some((code, file, said)) = judged(&device(0, "8.0"), ISSUE) else { return };
    assert_eq!((code, file.verdict), (Some(0), Verdict::Pass), "{said}");
    assert!(file.simulated && file.reason.as_str().contains("simulated"), "{said}");
}

#[test]
fn a_device_that_another_process_uses_is_never_a_pass() {
    let shared = device(0, "8.0") + "[device.sensors]\nforeign-processes = [1048576]\n";
    let Some((code, file, said)) = judged(&shared, ISSUE) else { return };
    assert_eq!((code, file.verdict), (Some(3), Verdict::Inconclusive), "{said}");
    assert_eq!(check(&file, "foreign_load").unwrap().verdict, Verdict::Inconclusive, "{said}");
}

#[test]
fn an_instance_of_mig_is_told_from_a_whole_device_and_is_never_a_pass() {
    for (mig, part) in [("", None), ("mig = true\n", Some(Verdict::Inconclusive))] {
        let Some((code, file, said)) = judged(&(device(0, "8.0") + mig), ABSENT) else { return };
        assert_eq!((code, file.verdict), (Some(3), Verdict::Inconclusive), "{said}");
        assert_eq!(check(&file, "partition").map(|check| check.verdict), part, "{said}");
    }
}

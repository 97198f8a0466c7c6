//! What may be done with a record of a simulated device: nothing that judges hardware, and nothing without a label.
#![cfg(all(target_os = "linux", feature = "cuda"))]

use crate::cuda_simulated::{Simulated, device, said};
use crate::filings::{Folder, HALL};

const LABEL: &str = "SIMULATED";

/// A machine with `record`, of one product that is steady and verified.
fn measured() -> Option<Simulated> {
    let device = device(0, "8.0").replace("operations-per-s = 1e6", "operations-per-s = 2e8");
    let machine = Simulated::new(&device)?;
    let case = ["--precision", "bf16", "--method", "gemm", "--shape", "64,64,32"];
    let output = machine.measure(&[&["--device", "cuda:0"][..], &case].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    Some(machine)
}

/// Runs a command in the machine's folder: its exit code, and all that it said.
fn run(machine: &Simulated, arguments: &[&str]) -> (Option<i32>, String) {
    let output = machine.command(arguments).output().unwrap();
    (output.status.code(), said(&output))
}

fn put(machine: &Simulated, name: &str, text: &str) {
    std::fs::write(machine.folder.path().join(name), text).unwrap();
}

const TRAINING: &str = "format = \"flopgauge.training/1\"\n[[usage]]\ndevice = \"Simulated 8.0\"\ndevice_hours = 1\n\
                        utilisation = \"profile\"\n";
const CLUSTER: &str = "format = \"flopgauge.cluster/1\"\nname = \"c\"\n[[machine]]\nname = \"a\"\ncount = 2\n\
                       accelerators = [{ device = \"Simulated 8.0\", count = 4 }]\n[[switch]]\nname = \"s\"\n\
                       [[link]]\nfrom = \"a\"\nto = \"s\"\nrate_gbit_s = \"400\"\n";

#[test]
fn no_profile_is_made_of_it_and_no_calculator_takes_it_for_one() {
    let Some(machine) = measured() else { return };
    let (code, text) = run(&machine, &["profile", "record", "-o", "profile.toml"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(
        text.contains("not-hardware: the device is simulated; only hardware can be calibrated"),
        "{text}"
    );
    assert!(
        text.contains("nothing could be calibrated") && !machine.folder.path().join("profile.toml").exists()
    );
    put(&machine, "run.toml", TRAINING);
    put(&machine, "cluster.toml", CLUSTER);
    let filings = Folder::new();
    let filer = filings.filer(HALL);
    // A profile as it would be, had one been made of the simulated device.
    put(&machine, "forged.json", include_str!("scripts/simulated-profile.json"));
    let calculators: [&[&str]; 3] = [
        &["training", "run.toml"],
        &["cluster", "cluster.toml"],
        &["filing", "packet", filer.to_str().unwrap(), "--quarter", "2026Q1", "--out", "packet"],
    ];
    for calculator in calculators {
        for (profile, words) in [
            ("record/measurements.jsonl", "expected format = \"flopgauge.profile/1\""),
            ("record/environment.json", "format"),
            ("forged.json", "Simulated 8.0 is simulated; only hardware can be calibrated"),
        ] {
            let (code, text) = run(&machine, &[calculator, &["--profile", profile]].concat());
            assert_eq!(code, Some(2), "{calculator:?} {profile}: {text}");
            assert!(text.contains(words), "{calculator:?} {profile}: {text}");
        }
        assert!(!machine.folder.path().join("packet").exists());
    }
}

#[test]
fn a_node_of_simulated_devices_is_not_accepted_and_makes_no_baseline() {
    let Some(machine) = Simulated::new(&device(0, "8.0")) else { return };
    let (code, text) = run(&machine, &["accept", "--tier", "smoke", "--node", "n1", "--out", "nodes"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("INCONCLUSIVE"), "{text}");
    let (code, text) = run(&machine, &["baseline", "nodes", "--out", "baseline.json"]);
    assert_ne!(code, Some(0), "{text}");
    assert!(!machine.folder.path().join("baseline.json").exists(), "{text}");
}

#[test]
fn every_report_and_comparison_of_it_is_labelled() {
    let Some(machine) = measured() else { return };
    for format in ["html", "markdown"] {
        let (code, text) = run(&machine, &["report", "record", "--format", format, "-o", "-"]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains(LABEL), "{format}");
    }
    let (_, text) = run(&machine, &["report", "record", "--format", "csv", "-o", "-"]);
    assert!(text.contains("cuda,simulated,bf16"), "{text}");
    let (_, text) = run(&machine, &["report", "record", "--format", "svg", "-o", "charts/"]);
    let charts = std::fs::read_dir(machine.folder.path().join("charts")).unwrap();
    let charts: Vec<String> =
        charts.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(!charts.is_empty() && charts.iter().all(|chart| chart.contains(LABEL)), "{text}");
    for format in ["terminal", "markdown", "html", "json"] {
        let (code, text) = run(&machine, &["compare", "record", "record", "--format", format]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains(LABEL) && text.contains("says nothing of hardware"), "{format}: {text}");
    }
}

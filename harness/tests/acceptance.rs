//! `flopgauge accept` through the real binary on scripted devices.

use std::path::Path;

use proptest::prelude::*;

use crate::commands::flopgauge;
use flopgauge::accept::{Circumstances, NodeFile, Seen, Spec, Tier, Verdict, judge};
use flopgauge::record::Record;

pub(crate) const SPEC: &str = include_str!("slurm/spec.toml");
pub(crate) const GOOD: &str = include_str!("slurm/good.toml");

/// Runs it as the node `n1` of a job; exit code, stdout and stderr.
pub(crate) fn accept(folder: &Path, spec: &str, script: &str, more: &[&str]) -> (i32, String, String) {
    std::fs::write(folder.join("spec.toml"), spec).unwrap();
    std::fs::write(folder.join("device.toml"), script).unwrap();
    let mut command = flopgauge();
    command.env("FLOPGAUGE_SCRIPT", folder.join("device.toml")).env("SLURM_JOB_ID", "7");
    command.args(["accept", "--node", "n1", "--spec"]).arg(folder.join("spec.toml"));
    if !more.contains(&"--tier") {
        command.args(["--tier", "smoke"]);
    }
    let run = command.args(more).arg("--out").arg(folder.join("out")).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

pub(crate) fn node(folder: &Path) -> NodeFile {
    serde_json::from_str(&std::fs::read_to_string(folder.join("out/n1.json")).unwrap()).unwrap()
}

/// Exit code, with the file and the last line saying the same.
pub(crate) fn verdict(spec: &str, script: &str) -> (i32, NodeFile) {
    judged(spec, script, &[])
}

/// The same with more options.
pub(crate) fn judged(spec: &str, script: &str, more: &[&str]) -> (i32, NodeFile) {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = accept(folder.path(), spec, script, more);
    assert!(folder.path().join("out/n1.started.json").exists(), "{stderr}");
    let file = node(folder.path());
    let last = stdout.lines().last().unwrap();
    assert!(last.starts_with(&format!("VERDICT node=n1 {} reason=\"", file.verdict)), "{last}");
    (code, file)
}

#[test]
fn a_good_device_passes_and_a_simulated_one_says_so() {
    let (code, file) = verdict(SPEC, GOOD);
    assert_eq!((code, file.verdict), (0, Verdict::Pass));
    assert!(file.simulated && file.reason.as_str().starts_with("flopgauge: simulated: "), "{}", file.reason);
    assert_eq!(file.run.job.as_deref(), Some("7"));
}

#[test]
fn what_was_measured_and_is_wrong_fails() {
    let slow = GOOD.replace("0.9e12", "0.6e12");
    let lost = format!("{GOOD}\n[[implementation.fault]]\nat_s = 0.0\nkind = \"lost\"\n");
    let two = SPEC.replace("devices = 1", "devices = 2");
    let cool = format!("{SPEC}\n[limits]\nmax_temperature_c = 50\n");
    for (spec, script) in [(SPEC, &*slow), (SPEC, &lost), (&two, GOOD), (&cool, GOOD)] {
        let (code, file) = verdict(spec, script);
        assert_eq!((code, file.verdict), (1, Verdict::Fail), "{} {spec}{script}", file.reason);
    }
}

#[test]
fn what_is_not_known_is_inconclusive() {
    let stranger = GOOD.replace("Scripted accelerator", "Scripted stranger");
    let start = GOOD.find("[[peaks]]").unwrap();
    let end = GOOD.find("[[implementation]]").unwrap();
    let no_peak = format!("{}{}", &GOOD[..start], &GOOD[end..]);
    let blind = GOOD.replace("temperature_c = 61.0\n", "");
    let limit = format!("{SPEC}\n[limits]\nmax_temperature_c = 85\n");
    let hot = GOOD.replace("throttle = 0", "throttle = 64");
    let mute = GOOD.replace("throttle = 0\n", "");
    let hardware = SPEC.replace("simulated", "hardware");
    let other = SPEC.replace("fp32", "fp16");
    let spread = format!("{SPEC}max_spread_across_devices = 0.1\n");
    let part = stranger.replace("Scripted stranger", "Scripted MIG accelerator");
    let parts = SPEC.replace("Scripted accelerator", "*");
    let cases = [
        (SPEC, &*stranger),
        (SPEC, &no_peak),
        (&limit, &blind),
        (SPEC, &hot),
        (SPEC, &mute),
        (&hardware, GOOD),
        (&other, GOOD),
        (&spread, GOOD),
        (&parts, &part),
    ];
    for (spec, script) in cases {
        let (code, file) = verdict(spec, script);
        assert_eq!((code, file.verdict), (3, Verdict::Inconclusive), "{} {spec}{script}", file.reason);
    }
}

#[test]
fn a_wrong_spec_is_named_by_line_and_key_and_nothing_is_written() {
    for (spec, at) in [
        (SPEC.replace("min_fraction", "min_fracton"), "spec.toml:11"),
        (format!("{SPEC}max_trend = 1.1\n"), "spec.toml:12:13: max_trend: above 0 and below 1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, _, stderr) = accept(folder.path(), &spec, GOOD, &[]);
        assert!(code == 2 && stderr.contains(at), "{code} {stderr}");
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn a_device_that_hangs_leaves_a_node_file_at_the_time_limit() {
    let folder = tempfile::tempdir().unwrap();
    let hang = format!("{GOOD}\n[[implementation.fault]]\nat_s = 0.0\nkind = \"hang\"\n");
    let (code, _, stderr) = accept(folder.path(), SPEC, &hang, &["--time-limit", "1"]);
    assert_eq!(code, 3, "{stderr}");
    let file = node(folder.path());
    assert_eq!(file.verdict, Verdict::Inconclusive);
    assert_eq!(file.cut_short.as_deref(), Some("the time limit is reached"));
}

/// A device with a passing measurement, from the program itself.
fn passing() -> (Spec, Seen) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let spec = format!("{SPEC}\n[limits]\nmax_temperature_c = 85\n");
    std::fs::write(at("s"), spec).unwrap();
    std::fs::write(at("d"), GOOD).unwrap();
    let mut command = flopgauge();
    command.env("FLOPGAUGE_SCRIPT", at("d")).args(["measure", "--device", "scripted:0", "--quick"]);
    command.arg("--out").arg(at("r")).assert().code(0);
    let measurements = Record::read(&at("r")).unwrap().measurements;
    let device = measurements[0].device.clone();
    (Spec::read(&at("s")).unwrap(), Seen { device, measurements, trouble: None })
}

#[test]
fn missing_information_never_passes() {
    let (spec, whole) = passing();
    let verdict = |seen: &[Seen], around| judge(&spec, Tier::Full, seen, &around).verdict;
    assert_eq!(verdict(std::slice::from_ref(&whole), Circumstances::default()), Verdict::Pass);
    proptest!(ProptestConfig::with_cases(64), |(gaps in 1_u8..64)| {
        let (mut seen, mut around) = (whole.clone(), Circumstances::default());
        let has = |bit: u8| gaps & (1 << bit) != 0;
        for measurement in &mut seen.measurements {
            if let flopgauge::measure::Outcome::Measured(measured) = &mut measurement.result {
                if has(0) {
                    measured.checks.clear();
                }
                if has(1) {
                    measured.samples.conditions.fill(None);
                    measured.windows.clear();
                }
            }
            if has(2) {
                measurement.device.peaks.clear();
            }
        }
        if has(2) {
            seen.device.peaks.clear();
        }
        if has(3) {
            seen.measurements.clear();
        }
        if has(4) {
            around.cut_short = Some("interrupted".to_owned());
        }
        let all = if has(5) { Vec::new() } else { vec![seen] };
        prop_assert_ne!(verdict(&all, around), Verdict::Pass);
    });
}

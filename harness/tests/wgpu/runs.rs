//! The real binary on a software Vulkan driver.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use flopgauge::backend::Timer;
use flopgauge::device::{DeviceKind, Finding, Severity};
use flopgauge::measure::{Measured, Outcome};
use flopgauge::record::Record;

use super::software;

fn flopgauge(cache: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("flopgauge").unwrap();
    command.env("FLOPGAUGE_CACHE", cache).env_remove("FLOPGAUGE_WGPU_FAULT").args(arguments);
    command
}

/// A quick run of the software device with a fault, in a folder of its own.
struct Run {
    ran: Output,
    folder: tempfile::TempDir,
}

impl Run {
    fn of(fault: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ran = Self::again(folder.path(), fault, more);
        Self { ran, folder }
    }

    fn again(folder: &Path, fault: &str, more: &[&str]) -> Output {
        let mut command = flopgauge(&folder.join("cache"), &["measure", "--quick", "--no-progress", "--out"]);
        let out = folder.join("record");
        // A software driver shares the cores with every other test.
        command.arg(out).args(["--device", "wgpu:0", "--stall-limit", "240"]);
        command.args(more).env("FLOPGAUGE_WGPU_FAULT", fault);
        command.output().unwrap()
    }

    fn code(&self, code: i32) {
        let said = String::from_utf8_lossy(&self.ran.stderr);
        assert_eq!(self.ran.status.code(), Some(code), "{said}{}", String::from_utf8_lossy(&self.ran.stdout));
    }

    fn outcomes(&self) -> Vec<Outcome> {
        outcomes(&self.folder.path().join("record"))
    }
}

fn outcomes(record: &Path) -> Vec<Outcome> {
    let record = Record::read(record).unwrap();
    assert!(record.measurements.iter().all(|m| m.device.kind == DeviceKind::Software));
    record.measurements.into_iter().map(|measurement| measurement.result).collect()
}

fn measured(outcome: &Outcome) -> &Measured {
    match outcome {
        Outcome::Measured(measured) => measured,
        other => panic!("{other:?}"),
    }
}

fn rules(measured: &Measured) -> Vec<&str> {
    measured.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn a_software_device_is_measured_and_verified_when_named_labelled_and_never_a_profile() {
    if software().is_none() {
        return;
    }
    let run = Run::of("", &["--precision", "fp64,fp32,fp16,int8", "--method", "issue"]);
    run.code(0);
    let table = String::from_utf8_lossy(&run.ran.stdout).into_owned();
    assert!(table.contains("[SOFTWARE: no figure here says anything of hardware]"), "{table}");
    let outcomes = run.outcomes();
    assert_eq!(outcomes.len(), 4);
    for outcome in &outcomes {
        let measured = measured(outcome);
        assert!(measured.is_verified() && measured.timer == Timer::DeviceEvents, "{measured:?}");
    }
    let (cache, profile) = (run.folder.path().join("cache"), run.folder.path().join("profile.json"));
    let record = run.folder.path().join("record");
    let refused = flopgauge(&cache, &["profile"]).arg(record).arg("-o").arg(&profile).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && !profile.exists(), "{said}");
    assert!(said.contains("software"), "{said}");
    // Nothing but its name brings it into a run.
    let all = flopgauge(&cache, &["measure", "--backend", "wgpu", "--device", "all", "--quick"]);
    let none = flopgauge(&cache, &["measure", "--backend", "wgpu", "--quick"]);
    for mut command in [all, none] {
        let refused = command.current_dir(run.folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(4), "{said}");
        assert!(!run.folder.path().join("results").exists());
    }
}

/// Measures fp32 products of these shapes: each within the tolerance, exact on integers and repeatable.
fn products_are_right(shapes: &[&str]) {
    if software().is_none() {
        return;
    }
    let named = ["--precision", "fp32", "--method", "gemm", "--implementation", "tiled-64x64x16-8x8"];
    let asked: Vec<&str> = shapes.iter().flat_map(|shape| ["--shape", shape]).collect();
    let run = Run::of("", &[named.as_slice(), &asked].concat());
    run.code(0);
    let outcomes = run.outcomes();
    assert_eq!(outcomes.len(), shapes.len());
    for outcome in &outcomes {
        let checks: Vec<_> = measured(outcome).checks.iter().map(|check| check.name.as_str()).collect();
        for wanted in ["by Freivalds' check in binary64", "on small integers, residual zero", "bit for bit"] {
            assert!(checks.iter().any(|check| check.contains(wanted)), "{wanted}: {checks:?}");
        }
    }
}

#[test]
fn products_are_within_tolerance_and_exact_on_integers_up_to_1024_and_ragged() {
    products_are_right(&["256,256,256", "512,512,512", "1000,777,513", "1024,1024,1024"]);
}

#[test]
fn a_product_of_2048_is_within_tolerance_and_exact_on_integers() {
    products_are_right(&["2048,2048,2048"]);
}

#[test]
fn the_tiling_that_was_chosen_is_named_kept_and_taken_again() {
    if software().is_none() {
        return;
    }
    let case = ["--precision", "int8", "--method", "gemm", "--shape", "200,200,200"];
    let first = Run::of("", &case);
    first.code(0);
    let all = measured(&first.outcomes()[0]).clone();
    assert!(all.candidates.len() == 3 && !rules(&all).contains(&"choice-kept"), "{:?}", all.candidates);
    let kept = std::fs::read_dir(first.folder.path().join("cache").join("choices")).unwrap().count();
    assert_eq!(kept, 1);
    for (more, candidates) in [([].as_slice(), 1), (["--no-cache"].as_slice(), 3)] {
        let record = first.folder.path().join("record");
        std::fs::remove_dir_all(&record).unwrap();
        let ran = Run::again(first.folder.path(), "", &[case.as_slice(), more].concat());
        assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
        let again = outcomes(&record);
        let again = measured(&again[0]);
        assert_eq!(again.candidates.len(), candidates);
        assert_eq!(rules(again).contains(&"choice-kept"), candidates == 1);
        assert!(candidates > 1 || again.case.implementation == all.case.implementation);
    }
}

#[test]
fn faults_of_a_device_fail_their_case_with_exit_code_1_and_leave_a_record() {
    if software().is_none() {
        return;
    }
    for (fault, words) in [("lost", "lost"), ("invalid-shader", "spoiled"), ("short-loops", "after")] {
        let run = Run::of(fault, &["--precision", "fp32", "--method", "issue"]);
        run.code(1);
        let outcomes = run.outcomes();
        let failed =
            |outcome: &Outcome| matches!(outcome, Outcome::Failed { error } if error.contains(words));
        assert!(outcomes.len() == 1 && failed(&outcomes[0]), "{fault}: {outcomes:?}");
    }
}

#[test]
fn a_device_lost_on_the_way_keeps_what_was_measured_and_fails_the_rest() {
    if software().is_none() {
        return;
    }
    let run = Run::of("lost-in-product", &["--precision", "fp32,int8", "--shape", "64,64,64"]);
    run.code(1);
    let outcomes = run.outcomes();
    let names: Vec<_> = outcomes.iter().map(Outcome::name).collect();
    assert_eq!(names, ["measured", "failed", "failed", "failed"], "{outcomes:?}");
    assert!(measured(&outcomes[0]).is_verified());
    assert!(outcomes[1..].iter().all(|outcome| outcome.reason().unwrap().contains("lost")), "{outcomes:?}");
}

#[test]
fn an_adapter_without_timestamps_is_timed_by_the_host_and_says_so() {
    if software().is_none() {
        return;
    }
    let run = Run::of("no-timestamps", &["--precision", "fp32", "--method", "issue"]);
    run.code(0);
    let outcomes = run.outcomes();
    let measured = measured(&outcomes[0]);
    assert!(measured.timer == Timer::HostClock && rules(measured).contains(&"host-clock"), "{measured:?}");
}

#[test]
fn a_product_in_many_panels_and_many_dispatches_is_right() {
    if software().is_none() {
        return;
    }
    for (precision, implementation) in [("fp32", "direct-32x32-4x4"), ("int8", "dot4-32x64x32-4x4")] {
        let named = ["--precision", precision, "--method", "gemm", "--implementation", implementation];
        let run = Run::of("small", &[named.as_slice(), &["--shape", "301,403,205"]].concat());
        run.code(0);
        assert!(measured(&run.outcomes()[0]).is_verified(), "{:?}", run.outcomes());
    }
}

#[test]
fn that_operands_do_not_rotate_is_said_in_the_record_on_the_terminal_and_in_a_report() {
    if software().is_none() {
        return;
    }
    let named = ["--precision", "fp32", "--method", "gemm", "--implementation", "direct-16x64-16x4"];
    let run = Run::of("", &[named.as_slice(), &["--shape", "64,64,64"]].concat());
    run.code(0);
    const NOTE: &str = "every product reads the same operands";
    let finding = |finding: &Finding| finding.rule == "cache-warm" && finding.message.starts_with(NOTE);
    assert!(measured(&run.outcomes()[0]).findings.iter().any(finding));
    assert!(String::from_utf8_lossy(&run.ran.stdout).contains(NOTE), "{:?}", run.ran);
    for format in ["html", "markdown", "csv"] {
        let mut command = flopgauge(run.folder.path(), &["report", "--format", format, "--out", "-"]);
        let report = command.arg(run.folder.path().join("record")).output().unwrap();
        assert!(String::from_utf8_lossy(&report.stdout).contains(NOTE), "{format}");
    }
}

#[test]
fn timestamps_that_differ_from_the_hosts_clock_are_a_finding() {
    if software().is_none() {
        return;
    }
    let run = Run::of("fast-timestamps", &["--precision", "fp32", "--method", "issue"]);
    let outcomes = run.outcomes();
    let found = measured(&outcomes[0]).findings.iter().find(|finding| finding.rule == "timers-disagree");
    let severity = found.map(|finding| finding.severity);
    assert_eq!(severity, Some(Severity::Error), "more time than passed: {outcomes:?}");
}

#[test]
fn a_sum_of_more_trips_than_a_loop_may_have_is_skipped() {
    if software().is_none() {
        return;
    }
    let named = ["--precision", "fp16", "--method", "gemm", "--implementation", "direct-8x64-8x4"];
    let run = Run::of("", &[named.as_slice(), &["--shape", "8,8,262144"]].concat());
    let outcomes = run.outcomes();
    assert!(
        outcomes.iter().any(|o| o.reason().is_some_and(|why| why.contains("65535 trips"))),
        "{outcomes:?}"
    );
}

#[test]
fn a_driver_that_ends_loops_early_is_refused_with_the_trips_that_it_made() {
    if software().is_none() {
        return;
    }
    let run = Run::of("miscounted-loops", &["--precision", "fp32"]);
    run.code(4);
    let said = String::from_utf8_lossy(&run.ran.stderr);
    assert!(said.contains("65535 of 100000 trips"), "{said}");
    assert!(!run.folder.path().join("record").exists(), "a refused device leaves no record");
}

#[test]
fn a_shape_that_no_binding_holds_is_skipped_with_the_reason_and_no_adapter_leaves_the_cpu() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = flopgauge(folder.path(), &["devices"]);
    let listed = command.env("VK_DRIVER_FILES", "/nowhere.json").output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(text.contains("wgpu: absent: no adapter") && text.contains("cpu:0"), "{text}");
    let mut command =
        flopgauge(folder.path(), &["measure", "--quick", "--method", "issue", "--precision", "fp32"]);
    let command =
        command.env("VK_DRIVER_FILES", "/nowhere.json").args(["--backend", "cpu", "--backend", "wgpu"]);
    let ran = command.arg("--out").arg(folder.path().join("cpu")).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let record = Record::read(&folder.path().join("cpu")).unwrap();
    assert!(record.measurements.iter().all(|m| m.device.backend == "cpu") && !record.measurements.is_empty());
    if software().is_none() {
        return;
    }
    let run = Run::of("", &["--precision", "fp32", "--shape", "1,1,40000000"]);
    assert_ne!(run.ran.status.code(), Some(0));
    let outcomes = run.outcomes();
    assert!(outcomes.iter().any(|o| o.reason().is_some_and(|why| why.contains("binding"))), "{outcomes:?}");
}

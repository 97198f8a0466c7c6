//! Lines that give no figure, each with its rule.

use flopgauge::backend::Interference;
use flopgauge::device::{ClockBasis, DeviceKind, Finding, Severity};
use flopgauge::measure::Outcome;
use flopgauge::profile::Rule;
use flopgauge::record::Measurement;
use flopgauge::units::{ExactOpRate, Ops};
use flopgauge::workload::{Distribution, Work};

use super::bench::{Bench, faster, measured, tera};

#[test]
fn what_cannot_be_calibrated_is_refused_line_by_line() {
    let bench = Bench::new();
    bench.refuses("not-hardware", "the device is simulated", |m| m.device.kind = DeviceKind::Simulated);
    bench.refuses("not-verified", "no value was checked", |m| measured(m).checks.clear());
    bench.refuses("not-steady", "still moving: clock", |m| measured(m).moving.push("clock".to_owned()));
    bench.refuses("disturbed", "0 of ", |m| {
        let between = Interference { involuntary_switches: 3, ..Interference::default() };
        measured(m).samples.interference.iter_mut().for_each(|entry| *entry = Some(between));
    });
    bench.refuses("not-measured", "failed: the device is lost", |m| {
        m.result = Outcome::Failed { error: "the device is lost".to_owned() };
    });
    bench.refuses("other-method-version", "method version 0", |m| m.method_version = "0".to_owned());
    bench.refuses("error-finding", "ECC", |m| {
        let finding = Finding::new(Severity::Error, "ecc", "ECC errors while sampling".to_owned(), None);
        measured(m).findings.push(finding);
    });
    bench.refuses("few-samples", "fewer than 30", |m| {
        let samples = &mut measured(m).samples;
        samples.start_s.truncate(29);
        samples.iterations.truncate(29);
        samples.elapsed_s.truncate(29);
        samples.interference.truncate(29);
        samples.conditions.truncate(29);
    });
    bench
        .refuses("contradiction", "implementation", |m| measured(m).case.implementation = "other".to_owned());
}

#[test]
fn software_and_failed_checks_are_refused_too() {
    let bench = Bench::new();
    bench.refuses("not-hardware", "the device is software", |m| m.device.kind = DeviceKind::Software);
    bench.refuses("not-verified", "wrong: ", |m| measured(m).checks[0].passed = false);
}

#[test]
fn a_simulated_record_of_the_real_binary_is_refused() {
    let bench = Bench::new();
    let (code, profiles, told) = bench.profile(&[&bench.path("scripted")], &[]);
    assert_eq!((code, profiles), (3, None), "{told}");
    assert_eq!(told.matches("not-hardware: the device is simulated").count(), 2, "{told}");
}

#[test]
fn a_rate_above_the_boost_peak_is_a_finding_and_no_figure() {
    let bench = Bench::new();
    let boost = |rate: u128| {
        move |m: &mut Measurement| {
            let mut peak = m.device.peaks[0].clone();
            peak.clock_basis = ClockBasis::MaximumBoost;
            peak.rate_op_per_s = ExactOpRate::new(rate);
            m.device.peaks.push(peak);
        }
    };
    bench.refuses("above-peak", "of the theoretical peak at maximum boost clock", boost(890_000_000_000));
    let record = bench.record("between", 1, boost(950_000_000_000));
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert_eq!(code, 0, "the product at 0.9e12 is possible: {told}");
    assert!(
        told.contains("measurements.jsonl:1: Made-up 1, fp32 issue by alpha-issue: above-peak: "),
        "{told}"
    );
    let row = profiles.unwrap().profiles.remove(0).precisions.remove(0);
    assert!(row.issue.is_none() && row.issue_op_per_s.is_none() && row.sustained.is_some());
    assert_eq!(row.notes, ["issue: no case was accepted"]);
}

#[test]
fn a_rate_that_the_catalogue_knows_to_be_impossible_is_refused_whatever_the_record_says() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |m| {
        m.device.model = "NVIDIA H100 80GB HBM3".to_owned();
        m.device.peaks.clear();
        // 1000 TFLOP/s of fp32 in fp32, of which an H100 has 67.
        if m.request.work == Work::Issue {
            measured(m).ops_per_iteration = Ops::new(measured(m).ops_per_iteration.get() * 1000);
        }
    });
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains(":1: NVIDIA H100 80GB HBM3, fp32 issue by alpha-issue: above-peak: 1.000 PFLOP/s"),
        "{told}"
    );
    assert_eq!(profiles.unwrap().refused[0].rule, Rule::AbovePeak);
}

#[test]
fn a_product_that_is_counted_otherwise_than_2mnk_is_refused() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |m| {
        let ops = measured(m).ops_per_iteration.get();
        measured(m).ops_per_iteration = Ops::new(ops + 1);
    });
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert!(
        told.contains("contradiction: an iteration is counted as 524289 OP and 2mnk of 64x64x64 is 524288"),
        "{told}"
    );
    assert_eq!((code, profiles.unwrap().profiles[0].precisions[0].sustained.is_none()), (0, true));
}

#[test]
fn a_record_or_a_line_that_is_given_twice_counts_once() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    let copy = bench.record("copy", 1, |_| ());
    let (code, profiles, told) = bench.profile(&[&record, &record, &copy], &[]);
    assert_eq!(code, 0, "{told}");
    let profiles = profiles.unwrap();
    assert_eq!(profiles.records.len(), 2);
    assert_eq!(profiles.profiles[0].precisions[0].sustained.as_ref().unwrap().sources.len(), 1);
    assert!(
        told.contains(&format!("duplicate: the same line as {}/measurements.jsonl:1", record.display())),
        "{told}"
    );
}

#[test]
fn operands_of_another_distribution_are_left_out_unless_asked_for() {
    let bench = Bench::new();
    let mut lines = bench.lines(1, |_| ());
    let mut zeros = lines[1].clone();
    if let Work::Gemm { input, .. } = &mut zeros.request.work {
        *input = Distribution::Zeros;
    }
    measured(&mut zeros).case.work = zeros.request.work;
    faster(&mut zeros, 1.2);
    lines.push(zeros);
    let record = bench.write("a", &lines);
    let rate = |options: &[&str]| {
        let (code, profiles, told) = bench.profile(&[&record], options);
        assert_eq!(code, 0, "{told}");
        assert!(told.contains("other-input: the operands are "), "{told}");
        let profiles = profiles.unwrap();
        let above = profiles.profiles[0].precisions[0].notes.iter().any(|note| note.contains("above issue"));
        assert_eq!(above, profiles.input == Distribution::Zeros, "1.08 beside an issue rate of 1.0");
        (profiles.input, tera(profiles.profiles[0].precisions[0].sustained_op_per_s.unwrap().median.get()))
    };
    let (normal, zeros) = (rate(&[]), rate(&["--input", "zeros"]));
    assert!(normal.0 == Distribution::Normal && (normal.1 - 0.9).abs() < 0.002, "{normal:?}");
    assert!(zeros.0 == Distribution::Zeros && (zeros.1 - 1.08).abs() < 0.002, "{zeros:?}");
}

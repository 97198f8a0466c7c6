//! The whole time line on a scripted device: plateau, trend, throttle, faults and wrong values, without hardware.

use std::cell::{Cell, RefCell};

use super::plateau::Phase;
use super::{
    Basis, Control, Measured, Outcome, Pace, Progress, Request, Schedule, Selection, Stop, measure, plan,
};
use crate::backend::Backend;
use crate::backend::scripted::{Script, ScriptedBackend};
use crate::device::Severity;
use crate::precision::Accumulate;
use crate::units::Seconds;
use crate::workload::{Distribution, GemmShape, Layout, Method, Work};

const HEAD: &str = r#"
format = "flopgauge.script/1"
model = "Scripted 1"
kind = "simulated"
"#;

const ROW: &str = r#"
[[implementation]]
name = "alpha"
method = "gemm"
precision = "fp32"
accumulate = "fp32"
unit = "matrix"
sample_s = 0.01
"#;

fn flat(rate: &str) -> String {
    format!(
        "[[implementation.segment]]\nrate_op_per_s = {rate}\njitter = 0.001\nclock_hz = 1.8e9\npower_w = 700.0\n"
    )
}

fn fault(kind: &str, at_s: f64) -> String {
    format!("[[implementation.fault]]\nkind = \"{kind}\"\nat_s = {at_s:?}\nelement = 77\n")
}

#[derive(Default)]
struct World {
    stop_after: Cell<Option<u32>>,
    asked: Cell<u32>,
    phases: RefCell<Vec<Phase>>,
    rested: Cell<f64>,
}

impl Control for World {
    fn stop(&self) -> Option<Stop> {
        self.asked.set(self.asked.get() + 1);
        self.stop_after.get().filter(|after| self.asked.get() > *after).map(|_| Stop::Signal("SIGTERM"))
    }

    fn idle(&self, time: Seconds) {
        self.rested.set(self.rested.get() + time.get());
    }

    fn progress(&self, progress: Progress) {
        if let Progress::Phase { phase, .. } = progress {
            self.phases.borrow_mut().push(phase);
        }
    }
}

fn gemm() -> Request {
    let shape = GemmShape::new(64, 64, 64).unwrap();
    let work = Work::Gemm { shape, layout: Layout::Nn, input: Distribution::Normal, seed: 1 };
    Request { precision: crate::precision::Precision::Fp32, accumulate: None, work, implementation: None }
}

fn run_in(world: &World, script: &str, request: &Request, pace: Pace) -> Outcome {
    let script: Script = toml::from_str(&format!("{HEAD}{script}")).unwrap();
    let mut backend = ScriptedBackend::new(script, 0);
    measure(&mut backend, request, &Schedule::of(request.work.method(), pace), world)
}

fn run(script: &str) -> Outcome {
    run_in(&World::default(), script, &gemm(), Pace::Normal)
}

fn measured(script: &str) -> Measured {
    match run(script) {
        Outcome::Measured(measured) => *measured,
        other => panic!("{other:?}"),
    }
}

fn failed(script: &str) -> String {
    match run(script) {
        Outcome::Failed { error } => error,
        other => panic!("{other:?}"),
    }
}

fn warnings(measured: &Measured) -> Vec<&str> {
    let findings = measured.findings.iter().filter(|finding| finding.severity >= Severity::Warning);
    findings.map(|finding| finding.message.as_str()).collect()
}

#[test]
fn a_flat_device_is_steady_verified_and_measured_at_its_rate() {
    let measured = measured(&(ROW.to_owned() + &flat("1.0e12")));
    let headline = measured.headline().unwrap();
    assert!((headline.statistics.rate_op_per_s.median.get() / 1e12 - 1.0).abs() < 1e-3);
    assert!(measured.is_steady() && measured.is_verified(), "{measured:?}");
    assert_eq!(warnings(&measured), Vec::<&str>::new());
    assert!(
        (299..=302).contains(&measured.samples.len()),
        "3 s of 10 ms samples: {}",
        measured.samples.len()
    );
    assert!(measured.checks.len() >= 4, "{:?}", measured.checks);
}

#[test]
fn a_burst_after_idle_is_reported_beside_the_sustained_rate_and_never_instead() {
    let script = ROW.to_owned()
        + "[[implementation.segment]]\nuntil_s = 1.0\nrate_op_per_s = 1.3e12\n"
        + "[[implementation.segment]]\nuntil_s = 4.0\nrate_op_per_s = 1.1e12\n"
        + &flat("1.0e12");
    let world = World::default();
    let Outcome::Measured(measured) = run_in(&world, &script, &gemm(), Pace::Normal) else { panic!() };
    assert!((measured.burst().unwrap().get() / 1.3e12 - 1.0).abs() < 1e-3);
    assert!((measured.headline().unwrap().statistics.rate_op_per_s.median.get() / 1e12 - 1.0).abs() < 2e-3);
    assert!(measured.is_steady());
    assert!((world.rested.get() - 0.5).abs() < 1e-9, "the device rested before the burst");
    assert_eq!(world.phases.borrow().first(), Some(&Phase::Heat));
    assert_eq!(world.phases.borrow().last(), Some(&Phase::Sample));
}

#[test]
fn a_rate_that_keeps_falling_is_not_steady_and_says_what_moves() {
    let falling: String = (0..60)
        .map(|i| {
            let (until, rate) = (f64::from(i) * 0.5 + 0.5, 1e12 * (1.0 - 0.01 * f64::from(i)));
            format!("[[implementation.segment]]\nuntil_s = {until:?}\nrate_op_per_s = {rate:?}\n")
        })
        .collect();
    let measured = measured(&(ROW.to_owned() + &falling));
    assert!(!measured.is_steady());
    assert!(measured.moving[0].starts_with("throughput changes by -"), "{:?}", measured.moving);
    assert!(warnings(&measured)[0].starts_with("not steady: throughput changes by -"));
}

#[test]
fn throttling_while_sampling_is_a_warning_and_no_sample_is_thrown_away() {
    let script = ROW.to_owned() + &flat("1.0e12") + "throttle = 4\n";
    let measured = measured(&script);
    assert_eq!(warnings(&measured), ["the device reported throttling while it was sampled"]);
    assert_eq!(measured.samples.len(), measured.headline().unwrap().of);
    assert!(measured.samples.len() >= 299);
}

#[test]
fn samples_that_spread_beyond_noise_are_a_warning() {
    let script = ROW.to_owned() + &flat("1.0e12").replace("jitter = 0.001", "jitter = 0.08");
    let measured = measured(&script);
    assert!(
        warnings(&measured).iter().any(|w| w.starts_with("uneven: the samples spread by 1")),
        "{measured:?}"
    );
}

#[test]
fn a_disturbed_device_is_measured_on_its_clean_samples() {
    let measured = measured(&(ROW.to_owned() + &flat("1.0e12") + "disturbed = true\n"));
    let headline = measured.headline().unwrap();
    assert_eq!(headline.basis, Basis::Clean);
    assert!(headline.clean < headline.of);
    assert!((headline.statistics.rate_op_per_s.median.get() / 1e12 - 1.0).abs() < 2e-3);
}

#[test]
fn wrong_values_nan_unwritten_and_unrepeatable_elements_fail_the_case() {
    for (kind, words) in [
        ("nan", "NaN or was never written"),
        ("unwritten", "NaN or was never written"),
        ("wrong-value", "expected"),
    ] {
        let error = failed(&(ROW.to_owned() + &flat("1.0e12") + &fault(kind, 0.0)));
        assert!(error.contains("alpha: C[") && error.contains(words), "{kind}: {error}");
    }
    let late = failed(&(ROW.to_owned() + &flat("1.0e12") + &fault("not-repeatable", 5.0)));
    assert_eq!(late, "alpha: two runs on equal inputs gave different bits");
    let late = failed(&(ROW.to_owned() + &flat("1.0e12") + &fault("wrong-value", 5.0)));
    assert!(late.contains("A(Bx) - Cx"), "{late}");
}

#[test]
fn a_value_that_is_wrong_only_in_what_the_timed_runs_leave_fails_the_case() {
    for kind in ["wrong-value", "bit-flip"] {
        let script = ROW.to_owned() + &flat("1.0e12") + &fault(kind, 0.0) + "batched = true\n";
        assert_eq!(failed(&script), "alpha: two runs on equal inputs gave different bits", "{kind}");
    }
}

#[test]
fn each_bit_flipped_in_one_element_fails_the_case() {
    for bit in 0..32 {
        let script = ROW.to_owned() + &flat("1.0e12") + &fault("bit-flip", 0.0) + &format!("bit = {bit}\n");
        let error = failed(&script);
        assert!(error.contains("alpha"), "bit {bit}: {error}");
    }
}

#[test]
fn device_errors_end_the_case_with_the_device_named() {
    for (kind, words) in
        [("error", "scripted error"), ("lost", "the device is lost"), ("no-time", "no time passed")]
    {
        let error = failed(&(ROW.to_owned() + &flat("1.0e12") + &fault(kind, 3.0)));
        assert!(error.contains("scripted:0") && error.contains(words), "{error}");
    }
}

#[test]
fn the_fastest_implementation_whose_values_are_right_is_taken() {
    let beta = ROW.replace("alpha", "beta") + &flat("2.0e12");
    let gamma = ROW.replace("alpha", "gamma") + &flat("9.0e12") + &fault("wrong-value", 0.0);
    let measured = measured(&(ROW.to_owned() + &flat("1.0e12") + &beta + &gamma));
    assert_eq!(measured.case.implementation, "beta");
    let tried: Vec<_> = measured.candidates.iter().map(|c| c.implementation.as_str()).collect();
    assert_eq!(tried, ["alpha", "beta", "gamma"]);
    assert!(warnings(&measured)[0].starts_with("gamma was rejected: gamma: C["), "{:?}", measured.findings);
}

#[test]
fn a_case_that_no_row_answers_is_unsupported_and_an_interrupted_one_skipped() {
    let other = Request { precision: crate::precision::Precision::Fp8e4m3, ..gemm() };
    let outcome = run_in(&World::default(), &(ROW.to_owned() + &flat("1e12")), &other, Pace::Quick);
    let Outcome::Unsupported { reason } = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason, "scripted:0 has no gemm implementation for fp8e4m3");
    let world = World { stop_after: Cell::new(Some(100)), ..World::default() };
    let outcome = run_in(&world, &(ROW.to_owned() + &flat("1e12")), &gemm(), Pace::Normal);
    assert_eq!(outcome.reason(), Some("interrupted by SIGTERM before the case was done"));
}

#[test]
fn issue_rates_are_replayed_and_a_kernel_that_runs_a_step_too_many_fails() {
    let row = ROW.replace("gemm", "issue").replace("fp32", "fp64");
    let request = Request {
        precision: crate::precision::Precision::Fp64,
        accumulate: None,
        work: Work::Issue,
        implementation: None,
    };
    let right = run_in(&World::default(), &(row.clone() + &flat("1e12")), &request, Pace::Quick);
    let Outcome::Measured(measured) = right else { panic!("{right:?}") };
    assert_eq!(measured.case.work.method(), Method::Issue);
    assert!(measured.is_verified());
    let wrong =
        run_in(&World::default(), &(row + &flat("1e12") + &fault("wrong-value", 0.0)), &request, Pace::Quick);
    assert!(wrong.reason().unwrap().contains("accumulator 0"), "{wrong:?}");
}

#[test]
fn a_rate_above_the_peak_is_an_error_finding_and_is_not_clamped() {
    let peak = r#"
        [[peaks]]
        precision = "fp32"
        accumulate = "fp32"
        unit = "matrix"
        rate_op_per_s = "900000000000"
        clock_basis = "maximum-boost"
        provenance = { from = "declared", by = "a test" }
    "#;
    let measured = measured(&(peak.to_owned() + ROW + &flat("1.0e12")));
    let errors: Vec<_> = measured.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].message.starts_with("the rate is 111."), "{errors:?}");
    assert!((measured.headline().unwrap().statistics.rate_op_per_s.median.get() / 1e12 - 1.0).abs() < 1e-3);
}

#[test]
fn an_outcome_survives_json_and_an_unknown_key_in_it_is_refused() {
    let outcome = run(&(ROW.to_owned() + &flat("1.0e12")));
    let text = serde_json::to_string(&outcome).unwrap();
    assert!(serde_json::from_str::<Outcome>(&text).unwrap() == outcome, "the outcome changed on its way");
    assert!(serde_json::from_str::<Outcome>(&text.replacen("\"timer\"", "\"tiemr\"", 1)).is_err());
}

/// A peak at rated clock alone, as a datasheet gives it.
const RATED: &str = r#"
    [[peaks]]
    precision = "fp32"
    accumulate = "fp32"
    unit = "matrix"
    rate_op_per_s = "900000000000"
    clock_basis = "rated"
    provenance = { from = "declared", by = "a test" }
"#;

#[test]
fn a_rate_above_a_rated_peak_alone_is_a_warning_and_further_than_a_clock_goes_an_error() {
    for (rate, severity) in
        [("0.8e12", None), ("1.0e12", Some(Severity::Warning)), ("1.2e12", Some(Severity::Error))]
    {
        let measured = measured(&(RATED.to_owned() + ROW + &flat(rate)));
        let above = measured.findings.iter().find(|f| f.rule.starts_with("above-"));
        assert_eq!(above.map(|f| f.severity), severity, "{rate}: {above:?}");
    }
}

#[test]
fn sums_in_another_format_are_another_figure_and_never_answer_for_it() {
    let fast = ROW.replace("alpha", "narrow").replace("accumulate = \"fp32\"", "accumulate = \"fp16\"");
    let script: Script =
        toml::from_str(&format!("{HEAD}{ROW}{}{fast}{}", flat("1.0e12"), flat("2.0e12"))).unwrap();
    let mut backend = ScriptedBackend::new(script, 0);
    let shapes = vec![GemmShape::new(64, 64, 64).unwrap()];
    let selection = Selection { methods: vec![Method::Gemm], shapes, ..Selection::default() };
    let requests = plan(&selection, backend.implementations(), None).unwrap();
    let schedule = Schedule::of(Method::Gemm, Pace::Quick);
    let by = requests.iter().map(|request| {
        let Outcome::Measured(measured) = measure(&mut backend, request, &schedule, &World::default()) else {
            panic!()
        };
        (request.accumulate.unwrap(), measured.case.implementation, measured.candidates.len())
    });
    let by: Vec<_> = by.collect();
    assert_eq!(by, [(Accumulate::Fp32, "alpha".to_owned(), 1), (Accumulate::Fp16, "narrow".to_owned(), 1)]);
    let named = Selection { implementation: Some("narrow".to_owned()), ..selection };
    assert_eq!(plan(&named, backend.implementations(), None).unwrap().len(), 1);
}

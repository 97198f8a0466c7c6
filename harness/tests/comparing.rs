//! The statistics of `flopgauge compare` on the samples of a real run, and against an independent calculation.

use std::io::Write;
use std::process::{Command, Stdio};

use flopgauge::compare::{BLOCKS, Difference, difference, logs};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::filing_readers::skip;

const LEVEL: f64 = 0.99;

/// Clean samples of one long run, in order of time.
fn run() -> Vec<f64> {
    let text = include_str!("golden/long-run.csv");
    let rows = text.lines().filter_map(|line| line.strip_prefix("1,"));
    let times: Vec<f64> = rows.map(|row| row.parse().unwrap()).collect();
    assert_eq!(times.len(), 1968);
    times
}

fn between(a: &[f64], b: &[f64]) -> Difference {
    difference(&logs(a).unwrap(), &logs(b).unwrap(), LEVEL).unwrap()
}

fn differs(found: &Difference) -> bool {
    found.p < 1.0 - LEVEL
}

/// 100 splits of the run into neighbouring stretches of `length`, so that what drifts in the run is in them.
fn neighbours(times: &[f64], length: usize) -> Vec<(&[f64], &[f64])> {
    let starts = (0..100).map(|index| index * (times.len() - 2 * length) / 99);
    starts.map(|at| times[at..at + 2 * length].split_at(length)).collect()
}

/// 100 splits of the run into halves of chunks drawn at random, each half in order of time.
fn halves(times: &[f64], chunk: usize) -> Vec<(Vec<f64>, Vec<f64>)> {
    let split = |seed: u64| {
        let mut order: Vec<usize> = (0..times.len() / chunk).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let (first, second) = order.split_at_mut(times.len() / chunk / 2);
        let half = |chunks: &mut [usize]| {
            chunks.sort_unstable();
            chunks.iter().flat_map(|at| times[at * chunk..(at + 1) * chunk].to_vec()).collect::<Vec<_>>()
        };
        (half(first), half(second))
    };
    (0..100).map(split).collect()
}

#[test]
fn a_run_against_itself_is_no_difference_in_95_of_100_splits() {
    let times = run();
    for length in [50, 100, 200, 400, 600, 900] {
        let alarms = neighbours(&times, length).iter().filter(|(a, b)| differs(&between(a, b))).count();
        assert!(alarms <= 5, "{alarms} of 100 neighbours of {length} samples");
    }
    for chunk in [1, 10, 20, 50, 100] {
        let alarms = halves(&times, chunk).iter().filter(|(a, b)| differs(&between(a, b))).count();
        assert!(alarms <= 5, "{alarms} of 100 halves of chunks of {chunk} samples");
    }
}

#[test]
fn a_run_slower_by_one_per_cent_is_found_in_95_of_100_splits() {
    let times = run();
    let slower = |b: &[f64]| b.iter().map(|time| time * 1.01).collect::<Vec<_>>();
    let is_found = |a: &[f64], b: &[f64]| {
        let found = between(a, &slower(b));
        differs(&found) && found.ratio < 1.0
    };
    let found = halves(&times, 20).iter().filter(|(a, b)| is_found(a, b)).count();
    assert!(found >= 95, "{found}");
}

/// The same by `SciPy`.
fn independent(python: &str, a: &[f64], b: &[f64]) -> Value {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/harness/tests/welch.py");
    let mut command = Command::new(python);
    let mut child =
        command.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
    let asked = json!({ "a": a, "b": b, "blocks": BLOCKS, "level": LEVEL }).to_string();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn ratio_and_interval_agree_with_an_independent_calculation_on_stored_samples() {
    let python = std::env::var("FLOPGAUGE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python).args(["-c", "import scipy"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        return skip("FLOPGAUGE_REQUIRE_SCIPY", "Python's scipy");
    }
    let times = run();
    let slower: Vec<f64> = times[984..].iter().map(|time| time * 1.03).collect();
    for (a, b) in [
        (&times[..984], &times[984..]),
        (&times[..984], slower.as_slice()),
        (&times[..23], &times[301..1_270]),
    ] {
        let (ours, theirs) = (between(a, b), independent(&python, a, b));
        let pairs = [("ratio", ours.ratio), ("low", ours.low), ("high", ours.high), ("p", ours.p)];
        for (name, value) in pairs {
            let other = theirs[name].as_f64().unwrap();
            assert!((value / other - 1.0).abs() < 1e-9, "{name}: {value} and SciPy's {other}");
        }
    }
}

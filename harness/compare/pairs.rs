//! Pairs of equal identity, and what has none or must not be compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::welch::{Difference, difference, holm, logs};
use crate::device::DeviceKind;
use crate::measure::{Measured, Outcome};
use crate::record::{Measurement, Record};

/// Greatest Holm-adjusted probability that counts as a difference.
const SIGNIFICANT: f64 = 0.01;
const LEVEL: f64 = 0.99;
/// How a ratio and its interval are made, for the reader.
const METHOD: &str = "ratio of B to A: five consecutive blocks a run, Welch's t interval on the logarithms of their median \
    rates (Schmeiser 1982, Welch 1947), 99 %; significance after Holm 1979 at 1 % over all pairs; differences from run \
    to run are not in it";

/// The same for several records on each side.
const METHOD_OF_RUNS: &str = "ratio of B to A: geometric means over runs, each run one value, the mean logarithm of its five \
    block medians; Welch's t interval on the runs (Welch 1947), 99 %; significance after Holm 1979 at 1 % over all pairs; \
    differences from run to run are in it";

/// What a pair says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// B is faster.
    Faster,
    /// B is slower.
    Slower,
    /// No difference is shown.
    NoDifference,
}

/// Two cases of one identity.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Pair {
    /// What was measured, in words.
    pub case: String,
    /// Kind of the device, the same in both.
    pub kind: DeviceKind,
    /// What a reader must know of either run.
    pub notes: Vec<String>,
    /// Rate of B over rate of A.
    pub ratio: f64,
    /// Low end of its 99 % interval.
    pub low: f64,
    /// High end of its 99 % interval.
    pub high: f64,
    /// Low end of the interval that holds for all pairs at once, by Bonferroni.
    pub joint_low: f64,
    /// High end of that interval.
    pub joint_high: f64,
    /// Probability after Holm's correction.
    pub p_adjusted: f64,
    /// What it says.
    pub verdict: Verdict,
}

/// A case that is in no pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Unpaired {
    /// Which record: `A`, `B`, or `A and B` for two that must not be compared.
    pub of: &'static str,
    /// What was measured, in words.
    pub case: String,
    /// Why.
    pub reason: String,
}

/// Two records side by side, kind `comparison/1`.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Comparison {
    /// `flopgauge.comparison/1`.
    pub format: &'static str,
    /// How ratios are made.
    pub method: &'static str,
    /// Number of records of A and of B.
    pub records: [usize; 2],
    /// Pairs.
    pub pairs: Vec<Pair>,
    /// Cases in no pair.
    pub unpaired: Vec<Unpaired>,
    /// What differs around the runs: what, in A, in B.
    pub environment: Vec<(String, String, String)>,
}

impl Comparison {
    /// Kind and version.
    pub const KIND: &'static str = "comparison/1";
}

/// Why records cannot be held against each other at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// One side has several records and the other has one.
    #[error(
        "A has {a} and B has {b} records: one record tells nothing of the differences from run to run; give two or more \
         on both sides, or one on each"
    )]
    OneAgainstSeveral {
        /// Records of A.
        a: usize,
        /// Records of B.
        b: usize,
    },
    /// The same run is named twice.
    #[error("{one} and {other} are the same run, which counts once: leave one of them out")]
    SameRun {
        /// A record.
        one: String,
        /// Another.
        other: String,
    },
}

/// Compares B with A, one record each.
pub fn compare(a: &Record, b: &Record) -> Comparison {
    compared(&[("A".to_owned(), a)], &[("B".to_owned(), b)])
}

/// Compares several records of B with several of A: each run is one value, so that what differs from run to run is in
/// the interval.
///
/// Errors: [`CompareError`] for one record against several, and for a run that is named twice among several.
pub fn compare_runs(a: &[&Record], b: &[&Record]) -> Result<Comparison, CompareError> {
    if let ([a], [b]) = (a, b) {
        return Ok(compare(a, b));
    }
    if a.len() < 2 || b.len() < 2 {
        return Err(CompareError::OneAgainstSeveral { a: a.len(), b: b.len() });
    }
    let named = |side: &str, records: &[&'_ Record]| -> Vec<String> {
        (1..=records.len()).map(|number| format!("{side} {number}")).collect()
    };
    let a: Vec<(String, &Record)> = named("A", a).into_iter().zip(a.iter().copied()).collect();
    let b: Vec<(String, &Record)> = named("B", b).into_iter().zip(b.iter().copied()).collect();
    let all: Vec<&(String, &Record)> = a.iter().chain(&b).collect();
    for (at, (one, first)) in all.iter().enumerate() {
        if let Some((other, _)) = all.iter().skip(at + 1).find(|(_, second)| first == second) {
            return Err(CompareError::SameRun { one: one.clone(), other: other.clone() });
        }
    }
    Ok(compared(&a, &b))
}

/// Records of a side with their names.
type Side<'a> = [(String, &'a Record)];

fn compared(a: &Side<'_>, b: &Side<'_>) -> Comparison {
    let (mut found, mut unpaired) = (Vec::new(), Vec::new());
    let all: Vec<(&str, &Record)> =
        a.iter().chain(b).map(|(name, record)| (name.as_str(), *record)).collect();
    let mut taken: Vec<Vec<bool>> = all.iter().map(|(_, r)| vec![false; r.measurements.len()]).collect();
    for (at, (_, record)) in all.iter().enumerate() {
        for (place, first) in record.measurements.iter().enumerate() {
            if taken[at][place] {
                continue;
            }
            let (mut like, mut missing) = (Vec::new(), Vec::new());
            for ((name, record), taken) in all.iter().zip(&mut taken) {
                let places = record.measurements.iter().zip(taken.iter_mut());
                match places.into_iter().find(|(second, taken)| !**taken && same(first, second)) {
                    Some((second, taken)) => {
                        *taken = true;
                        like.push((*name, second));
                    }
                    None => missing.push(*name),
                }
            }
            if !missing.is_empty() {
                let has = if missing.len() > 1 { "have" } else { "has" };
                let reason = format!("{} {has} no case of this identity", missing.join(", "));
                unpaired.push(Unpaired {
                    of: if at < a.len() { "A" } else { "B" },
                    case: case(first),
                    reason,
                });
                continue;
            }
            match judged(&like, a.len()) {
                Ok(logs) => {
                    let (case, kind, notes) = (case(first), first.device.kind, notes(&like));
                    found.push(Found { case, kind, notes, logs });
                }
                Err(reason) => unpaired.push(Unpaired { of: "A and B", case: case(first), reason }),
            }
        }
    }
    Comparison {
        format: "flopgauge.comparison/1",
        method: if all.len() > 2 { METHOD_OF_RUNS } else { METHOD },
        records: [a.len(), b.len()],
        pairs: verdicts(&found),
        unpaired,
        environment: environment(a, b),
    }
}

type Both = (super::Logs, super::Logs);

/// A pair before it is judged.
struct Found {
    case: String,
    kind: DeviceKind,
    notes: Vec<String>,
    logs: Both,
}

fn verdicts(found: &[Found]) -> Vec<Pair> {
    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    let joint_level = 1.0 - (1.0 - LEVEL) / found.len().max(1) as f64;
    let mut rows: Vec<(&Found, Difference, Difference)> = Vec::new();
    for one in found {
        let (a, b) = &one.logs;
        if let Some((each, joint)) = difference(a, b, LEVEL).zip(difference(a, b, joint_level)) {
            rows.push((one, each, joint));
        }
    }
    let adjusted = holm(&rows.iter().map(|(_, each, _)| each.p).collect::<Vec<_>>());
    let pair = |((one, each, joint), p_adjusted): ((&Found, Difference, Difference), f64)| Pair {
        case: one.case.clone(),
        kind: one.kind,
        notes: one.notes.clone(),
        ratio: each.ratio,
        low: each.low,
        high: each.high,
        joint_low: joint.low,
        joint_high: joint.high,
        p_adjusted,
        verdict: match p_adjusted < SIGNIFICANT {
            true if each.ratio > 1.0 => Verdict::Faster,
            true => Verdict::Slower,
            false => Verdict::NoDifference,
        },
    };
    rows.into_iter().zip(adjusted).map(pair).collect()
}

/// Identity: device, implementation, formats and work; cases without a figure pair by what was planned.
fn same(a: &Measurement, b: &Measurement) -> bool {
    let by = |m: &Measurement| as_measured(m).map(|measured| measured.case.clone());
    let implementation = by(a).zip(by(b)).is_none_or(|(a, b)| a == b);
    a.device.uuid == b.device.uuid
        && a.request.work == b.request.work
        && a.arithmetic() == b.arithmetic()
        && implementation
}

const fn as_measured(measurement: &Measurement) -> Option<&Measured> {
    match &measurement.result {
        Outcome::Measured(measured) => Some(measured),
        _ => None,
    }
}

/// The samples of the first `of_a` and of the others, or why they must not be compared.
fn judged(like: &[(&str, &Measurement)], of_a: usize) -> Result<Both, String> {
    let Some((first_name, first)) = like.first() else { return Err("there is no record".to_owned()) };
    for (name, other) in like {
        if first.device.kind != other.device.kind {
            return Err(format!("{first_name} is {} and {name} is {}", first.device.kind, other.device.kind));
        }
        if first.method_version != other.method_version {
            let versions = [&first.method_version, &other.method_version];
            return Err(format!("measured by method versions {} and {}", versions[0], versions[1]));
        }
    }
    let figures = like.iter().map(|(name, measurement)| Ok((*name, figure(name, measurement)?)));
    let figures = figures.collect::<Result<Vec<_>, String>>()?;
    for (name, measured) in &figures {
        if !measured.is_verified() {
            return Err(format!("{name} is NOT VERIFIED"));
        }
        if measured.has_error() {
            return Err(format!("{name} is NOT CREDIBLE"));
        }
    }
    if figures.iter().any(|(_, measured)| measured.checks != figures[0].1.checks) {
        return Err("they were verified in different ways".to_owned());
    }
    let blocks = figures.iter().map(|(name, measured)| {
        let times = measured.counted_times().ok_or_else(|| format!("{name} is disturbed by other work"))?;
        logs(&times).ok_or_else(|| format!("{name} has {} samples that count, too few", times.len()))
    });
    let mut blocks = blocks.collect::<Result<Vec<_>, String>>()?;
    let of_b = blocks.split_off(of_a);
    Ok((super::Logs::of_side(blocks), super::Logs::of_side(of_b)))
}

/// What does not stop a comparison, and must stand beside it.
fn notes(like: &[(&str, &Measurement)]) -> Vec<String> {
    let mut notes = Vec::new();
    let unreal = like.iter().map(|(_, m)| m.device.kind).find(|kind| *kind != DeviceKind::Hardware);
    notes.extend(unreal.map(|kind| format!("{}: says nothing of hardware", kind.name().to_uppercase())));
    for (name, measurement) in like {
        let moving = as_measured(measurement).filter(|measured| !measured.is_steady());
        notes.extend(moving.map(|measured| format!("{name} is NOT STEADY: {}", measured.moving.join("; "))));
    }
    notes
}

fn figure<'a>(name: &str, measurement: &'a Measurement) -> Result<&'a Measured, String> {
    as_measured(measurement).ok_or_else(|| format!("{name} is {}", measurement.result.name()))
}

fn case(measurement: &Measurement) -> String {
    let by = as_measured(measurement).map(|m| format!(" by {}", m.implementation.name)).unwrap_or_default();
    let arithmetic = measurement.arithmetic();
    let what = match measurement.request.work {
        crate::workload::Work::Issue => format!("{arithmetic} issue"),
        crate::workload::Work::Copy { buffer_bytes } => format!("copy of {buffer_bytes}"),
        crate::workload::Work::Gemm { shape, input, .. } => {
            format!("{arithmetic} gemm {shape} {input}")
        }
    };
    format!("{} {what}{by}", measurement.device.id)
}

/// What differs between any two records, with the values of each side.
fn environment(a: &Side<'_>, b: &Side<'_>) -> Vec<(String, String, String)> {
    let values = |side: &Side<'_>, name: &str| {
        let mut values: Vec<String> = Vec::new();
        for (_, record) in side {
            let value = facts(record).remove(name).unwrap_or_else(|| "absent".to_owned());
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    };
    let all = a.iter().chain(b).flat_map(|(_, record)| facts(record).into_keys());
    let names: BTreeSet<String> = all.collect();
    let both = names.into_iter().map(|name| {
        let (of_a, of_b) = (values(a, &name), values(b, &name));
        (name, of_a, of_b)
    });
    let differ = both.filter(|(_, a, b)| a.len() > 1 || a != b);
    differ.map(|(name, a, b)| (name, a.join(" or "), b.join(" or "))).collect()
}

fn facts(record: &Record) -> BTreeMap<String, String> {
    let around = &record.environment;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let mut facts = vec![
        ("version of flopgauge".to_owned(), around.version.clone()),
        ("commit".to_owned(), text(&around.commit)),
        ("host".to_owned(), text(&around.host.name)),
        ("system".to_owned(), text(&around.host.os)),
        ("kernel".to_owned(), text(&around.host.kernel)),
        ("processor".to_owned(), text(&around.host.cpu)),
    ];
    facts.extend(around.backends.iter().map(|(name, said)| (format!("backend {name}"), said.clone())));
    for measurement in &record.measurements {
        let device = &measurement.device;
        facts.push((format!("driver of {}", device.id), text(&device.driver)));
        facts.push((format!("facts of {}", device.id), device.notes.join("; ")));
        if let Some(measured) = as_measured(measurement) {
            let name = format!("{} {}", measurement.arithmetic(), measurement.request.work.method());
            facts.push((format!("kernel of {name}"), measured.implementation.detail.clone()));
            let clock = measured.clock().map_or("unknown".to_owned(), |clock| clock.to_string());
            facts.push((format!("clock in {name}"), clock));
        }
    }
    facts.into_iter().collect()
}

//! Pairs of equal identity, and what has none or must not be compared.

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

/// Compares B with A.
pub fn compare(a: &Record, b: &Record) -> Comparison {
    let (mut found, mut unpaired) = (Vec::new(), Vec::new());
    let mut taken = vec![false; b.measurements.len()];
    for first in &a.measurements {
        let place =
            b.measurements.iter().zip(&taken).position(|(second, taken)| !taken && same(first, second));
        let Some((place, second)) = place.and_then(|at| Some((at, b.measurements.get(at)?))) else {
            unpaired.push(Unpaired {
                of: "A",
                case: case(first),
                reason: "B has no case of this identity".to_owned(),
            });
            continue;
        };
        if let Some(place) = taken.get_mut(place) {
            *place = true;
        }
        match judged(first, second) {
            Ok(logs) => {
                let (case, kind, notes) = (case(first), first.device.kind, notes(first, second));
                found.push(Found { case, kind, notes, logs });
            }
            Err(reason) => unpaired.push(Unpaired { of: "A and B", case: case(first), reason }),
        }
    }
    for (second, _) in b.measurements.iter().zip(&taken).filter(|(_, taken)| !**taken) {
        unpaired.push(Unpaired {
            of: "B",
            case: case(second),
            reason: "A has no case of this identity".to_owned(),
        });
    }
    let (format, pairs) = ("flopgauge.comparison/1", verdicts(&found));
    Comparison { format, method: METHOD, pairs, unpaired, environment: environment(a, b) }
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

/// The samples of both, or why they must not be compared.
fn judged(a: &Measurement, b: &Measurement) -> Result<Both, String> {
    if a.device.kind != b.device.kind {
        return Err(format!("A is {} and B is {}", a.device.kind, b.device.kind));
    }
    if a.method_version != b.method_version {
        return Err(format!("measured by method versions {} and {}", a.method_version, b.method_version));
    }
    let (first, second) = (figure("A", a)?, figure("B", b)?);
    for (name, measured) in [("A", first), ("B", second)] {
        if !measured.is_verified() {
            return Err(format!("{name} is NOT VERIFIED"));
        }
        if measured.has_error() {
            return Err(format!("{name} is NOT CREDIBLE"));
        }
    }
    if first.checks != second.checks {
        return Err("they were verified in different ways".to_owned());
    }
    let blocks = |name: &str, measured: &Measured| {
        let times = measured.counted_times().ok_or_else(|| format!("{name} is disturbed by other work"))?;
        logs(&times).ok_or_else(|| format!("{name} has {} samples that count, too few", times.len()))
    };
    Ok((blocks("A", first)?, blocks("B", second)?))
}

/// What does not stop a comparison, and must stand beside it.
fn notes(a: &Measurement, b: &Measurement) -> Vec<String> {
    let mut notes = Vec::new();
    if a.device.kind != DeviceKind::Hardware {
        notes.push(format!("{}: says nothing of hardware", a.device.kind.name().to_uppercase()));
    }
    for (name, measured) in [("A", as_measured(a)), ("B", as_measured(b))] {
        let moving = measured.filter(|measured| !measured.is_steady());
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

fn environment(a: &Record, b: &Record) -> Vec<(String, String, String)> {
    let facts = |record: &Record| {
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
        facts.into_iter().collect::<std::collections::BTreeMap<_, _>>()
    };
    let (first, second) = (facts(a), facts(b));
    let absent = || "absent".to_owned();
    let names: std::collections::BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let both = names.into_iter().map(|name| {
        let of = |facts: &std::collections::BTreeMap<String, String>| {
            facts.get(name).cloned().unwrap_or_else(absent)
        };
        (name.clone(), of(&first), of(&second))
    });
    both.filter(|(_, a, b)| a != b).collect()
}

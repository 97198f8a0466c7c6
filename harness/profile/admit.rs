//! Which lines of a record may become a figure, and by which rule the others are refused.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Source;
use crate::device::catalogue::{Catalogue, Query};
use crate::device::theoretical::judge;
use crate::device::{DeviceKind, Severity};
use crate::measure::{Headline, METHOD_VERSION, Measured, Outcome, Schedule, efficiency};
use crate::record::{MEASUREMENTS, Measurement};
use crate::workload::{Distribution, Work};

/// Why a line gives no figure, in the order in which the rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Only real devices can be calibrated.
    NotHardware,
    /// A copy moves bytes: it says nothing of what the units compute.
    NotCompute,
    /// There is no figure.
    NotMeasured,
    /// The same line was read before.
    Duplicate,
    /// Another version of the method.
    OtherMethodVersion,
    /// The operands are of another distribution than the profile is for.
    OtherInput,
    /// What was planned, run and counted do not agree.
    Contradiction,
    /// Values were not checked, or wrong.
    NotVerified,
    /// The rate is above the peak at the highest clock.
    AbovePeak,
    /// The measurement itself found an error.
    ErrorFinding,
    /// Something still moved when sampling began.
    NotSteady,
    /// Fewer samples than the method asks for.
    FewSamples,
    /// Other work on the same cores is in the figure.
    Disturbed,
}

impl Rule {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotHardware => "not-hardware",
            Self::NotCompute => "not-compute",
            Self::NotMeasured => "not-measured",
            Self::Duplicate => "duplicate",
            Self::OtherMethodVersion => "other-method-version",
            Self::OtherInput => "other-input",
            Self::Contradiction => "contradiction",
            Self::NotVerified => "not-verified",
            Self::AbovePeak => "above-peak",
            Self::ErrorFinding => "error-finding",
            Self::NotSteady => "not-steady",
            Self::FewSamples => "few-samples",
            Self::Disturbed => "disturbed",
        }
    }
}

/// A line that gives no figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The record.
    pub record: String,
    /// Line of its `measurements.jsonl`, from 1.
    pub line: usize,
    /// Model of the device.
    pub model: String,
    /// Backend that reached it.
    pub backend: String,
    /// Device, for good.
    pub uuid: Uuid,
    /// What was measured, in words.
    pub case: String,
    /// The rule.
    pub rule: Rule,
    /// What the rule found.
    pub reason: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { record, line, model, case, reason, .. } = self;
        write!(f, "{record}/{MEASUREMENTS}:{line}: {model}, {case}: {}: {reason}", self.rule.name())
    }
}

/// A line that every rule accepts.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    pub record: &'a str,
    pub number: usize,
    pub sha256: &'a str,
    pub measurement: &'a Measurement,
    pub measured: &'a Measured,
    pub headline: Headline,
}

/// Every line of the records, accepted or refused.
pub(super) fn admit<'a>(
    sources: &'a [Source],
    input: Distribution,
    catalogue: &Catalogue,
) -> (Vec<Line<'a>>, Vec<Refusal>) {
    let (mut lines, mut refused): (Vec<Line<'a>>, _) = (Vec::new(), Vec::new());
    let mut seen: Vec<(&str, String)> = Vec::new();
    for source in sources {
        let record = source.hashes.path.as_str();
        let pairs = source.record.measurements.iter().zip(&source.hashes.lines).enumerate();
        for (index, (measurement, sha256)) in pairs {
            let number = index + 1;
            let before = seen.iter().find(|(hash, _)| hash == sha256).map(|(_, place)| place.clone());
            seen.push((sha256, format!("{record}/{MEASUREMENTS}:{number}")));
            match judged(measurement, before, input, catalogue) {
                Ok((measured, headline)) => {
                    lines.push(Line { record, number, sha256, measurement, measured, headline });
                }
                Err((rule, reason)) => refused.push(Refusal {
                    record: record.to_owned(),
                    line: number,
                    model: measurement.device.model.clone(),
                    backend: measurement.device.backend.clone(),
                    uuid: measurement.device.uuid,
                    case: case_text(measurement),
                    rule,
                    reason,
                }),
            }
        }
    }
    (lines, refused)
}

type Judged<T> = Result<T, (Rule, String)>;

fn judged<'a>(
    measurement: &'a Measurement,
    before: Option<String>,
    input: Distribution,
    catalogue: &Catalogue,
) -> Judged<(&'a Measured, Headline)> {
    let kind = measurement.device.kind;
    if kind != DeviceKind::Hardware {
        return Err((Rule::NotHardware, format!("the device is {kind}; only hardware can be calibrated")));
    }
    if let Work::Copy { .. } = measurement.request.work {
        return Err((Rule::NotCompute, "a copy moves bytes; profiles are of operations".to_owned()));
    }
    let Outcome::Measured(measured) = &measurement.result else {
        let reason = measurement.result.reason().unwrap_or_default();
        return Err((Rule::NotMeasured, format!("{}: {reason}", measurement.result.name())));
    };
    if let Some(place) = before {
        return Err((Rule::Duplicate, format!("the same line as {place}; it counts once")));
    }
    if measurement.method_version != METHOD_VERSION {
        let found = &measurement.method_version;
        let reason =
            format!("measured by method version {found}, this flopgauge calibrates {METHOD_VERSION}");
        return Err((Rule::OtherMethodVersion, reason));
    }
    if let Work::Gemm { input: found, .. } = measurement.request.work
        && found != input
    {
        let reason = format!("the operands are {found} and the profile is for {input}; see --input");
        return Err((Rule::OtherInput, reason));
    }
    agrees(measurement, measured).map_err(|reason| (Rule::Contradiction, reason))?;
    verified(measured)?;
    let Some(headline) = measured.headline() else {
        return Err((Rule::FewSamples, "no sample gives a rate".to_owned()));
    };
    possible(measurement, measured, &headline, catalogue)?;
    settled(measured, &headline)?;
    Ok((measured, headline))
}

/// Whether what was planned, run and counted is one thing.
fn agrees(measurement: &Measurement, measured: &Measured) -> Result<(), String> {
    let (request, case, row) = (&measurement.request, &measured.case, &measured.implementation);
    if case.work != request.work || case.precision != request.precision {
        return Err("the case that was run is not the one that was planned".to_owned());
    }
    let of_row = (&row.name, row.precision, row.accumulate, row.method);
    if of_row != (&case.implementation, case.precision, case.accumulate, case.work.method()) {
        return Err(format!("the case is not one of implementation {}", row.name));
    }
    match case.work {
        Work::Gemm { shape, .. } if measured.ops_per_iteration != shape.ops() => Err(format!(
            "an iteration is counted as {} and 2mnk of {shape} is {}",
            measured.ops_per_iteration,
            shape.ops()
        )),
        _ => Ok(()),
    }
}

fn verified(measured: &Measured) -> Judged<()> {
    if measured.is_verified() {
        return Ok(());
    }
    let failed = measured.checks.iter().find(|check| !check.passed);
    let reason = failed.map_or("no value was checked".to_owned(), |check| format!("wrong: {}", check.name));
    Err((Rule::NotVerified, reason))
}

/// Whether the device can do that at all: by the peaks in the record, and by the catalogue of today.
fn possible(
    measurement: &Measurement,
    measured: &Measured,
    headline: &Headline,
    catalogue: &Catalogue,
) -> Judged<()> {
    let device = &measurement.device;
    let (_, found) = efficiency(device, measured);
    let errors = found.iter().chain(&measured.findings).filter(|finding| finding.severity == Severity::Error);
    if let Some(error) = errors.into_iter().next() {
        let rule = if error.rule == "above-peak" { Rule::AbovePeak } else { Rule::ErrorFinding };
        return Err((rule, error.message.clone()));
    }
    let query = Query { name: &device.model, pci_id: device.pci_id.as_deref() };
    let Some(entry) = catalogue.find(&query).entry().filter(|_| measured.implementation.native) else {
        return Ok(());
    };
    // A slice of a part is held against that slice; a device with more units is another part and has no entry.
    let entry = match device.units.filter(|units| entry.units.is_some_and(|known| known != *units)) {
        Some(units) => entry.with_units(units).ok(),
        None => Some(entry.clone()),
    };
    let Some(entry) = entry else { return Ok(()) };
    let rate = headline.statistics.rate_op_per_s.median;
    let (precision, accumulate) = (measured.case.precision, Some(measured.case.accumulate));
    let finding = judge(rate, &entry, precision, accumulate);
    // Up to 2 % past the ceiling is a warning on a measurement; a calibrated figure has no such leave.
    if finding.severity >= Severity::Warning {
        return Err((Rule::AbovePeak, finding.message));
    }
    Ok(())
}

fn settled(measured: &Measured, headline: &Headline) -> Judged<()> {
    if !measured.is_steady() {
        return Err((Rule::NotSteady, format!("still moving: {}", measured.moving.join(", "))));
    }
    if measured.samples.len() < Schedule::SAMPLES {
        let reason = format!("{} samples, fewer than {}", measured.samples.len(), Schedule::SAMPLES);
        return Err((Rule::FewSamples, reason));
    }
    if headline.is_disturbed() {
        let (clean, of) = (headline.clean, headline.of);
        return Err((Rule::Disturbed, format!("{clean} of {of} samples were clean of other work")));
    }
    Ok(())
}

fn case_text(measurement: &Measurement) -> String {
    let what = match measurement.request.work {
        Work::Copy { buffer_bytes } => return format!("copy of {buffer_bytes}"),
        Work::Issue => "issue".to_owned(),
        Work::Gemm { shape, input, .. } => format!("gemm {shape} {input}"),
    };
    let by = match &measurement.result {
        Outcome::Measured(measured) => format!(" by {}", measured.implementation.name),
        _ => String::new(),
    };
    format!("{} {what}{by}", measurement.request.precision)
}

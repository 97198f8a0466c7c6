//! What one device's measurements say of one case that the spec wants.

use super::{CheckResult, Floor, KnownGood, Quantity, Verdict, Wanted, counted, device_checks, trend};
use crate::device::{ClockBasis, Device, Severity};
use crate::measure::{Headline, METHOD_VERSION, Measured, Outcome, efficiency};
use crate::record::Measurement;
use crate::units::{OpRate, Ratio};
use crate::workload::Method;

/// Warnings that leave a figure as it is; throttling has a check of its own.
const HARMLESS: [&str; 4] = ["few-samples", "not-steady", "throttled", "uneven"];

/// Warnings of these that one number describes the samples badly.
const BLURRED: [&str; 3] = ["few-samples", "not-steady", "uneven"];

/// Warnings that the device itself is broken, however fast it was.
const BROKEN: [&str; 2] = ["ecc", "remapped-rows"];

/// Warning that other processes use the device.
pub(super) const FOREIGN: &str = "foreign-processes";

/// Name of a case's check: `gemm_bf16`.
pub fn name(wanted: &Wanted<'_>) -> String {
    let method = match wanted.requirement.method {
        Method::Gemm => "gemm",
        Method::Issue => "issue",
        Method::Copy => "copy",
    };
    format!("{method}_{}", wanted.precision)
}

/// The outcomes of a case.
fn outcomes<'a>(wanted: &Wanted<'_>, measurements: &'a [Measurement]) -> impl Iterator<Item = &'a Outcome> {
    let (precision, method) = (wanted.precision, wanted.requirement.method);
    let fits = move |m: &&Measurement| m.request.precision == precision && m.request.work.method() == method;
    measurements.iter().filter(fits).map(|m| &m.result)
}

/// The check of a case's trend: the worst of its measurements counts, and among equals the one that falls most.
/// `None` where none is asked for.
pub fn trend(wanted: &Wanted<'_>, measurements: &[Measurement]) -> Option<CheckResult> {
    let limit = wanted.requirement.max_trend?;
    let name = format!("trend_{}", name(wanted));
    let results = outcomes(wanted, measurements).map(|outcome| match outcome {
        Outcome::Measured(measured) => trend::check(&name, measured, limit),
        _ => CheckResult::plain(&name, Verdict::Inconclusive, "there is a run without a rate"),
    });
    let steeper = |check: &CheckResult| (check.verdict, check.value.map(|value| value.number()));
    let worst = results.reduce(|kept, next| if steeper(&next) > steeper(&kept) { next } else { kept });
    Some(worst.unwrap_or_else(|| CheckResult::plain(&name, Verdict::Inconclusive, "it was not measured")))
}

/// The check of a case: the worst of its measurements counts, and among equals the slowest.
pub fn check(wanted: &Wanted<'_>, device: &Device, measurements: &[Measurement]) -> CheckResult {
    let name = name(wanted);
    let results = outcomes(wanted, measurements).map(|outcome| one(&name, wanted, device, outcome));
    results.reduce(worse).unwrap_or_else(|| {
        let reason = format!("{} was not measured", wanted.precision);
        CheckResult::plain(&name, Verdict::Inconclusive, &reason)
    })
}

fn worse(kept: CheckResult, next: CheckResult) -> CheckResult {
    let slower = || match (&kept.value, &next.value) {
        (Some(kept), Some(next)) => next.number() < kept.number(),
        _ => false,
    };
    if next.verdict > kept.verdict || (next.verdict == kept.verdict && slower()) { next } else { kept }
}

fn one(name: &str, wanted: &Wanted<'_>, device: &Device, outcome: &Outcome) -> CheckResult {
    let (verdict, reason) = match outcome {
        Outcome::Measured(measured) => return rate(name, wanted, device, measured),
        Outcome::Failed { error } => (Verdict::Fail, format!("the device failed: {error}")),
        Outcome::Skipped { reason } => (Verdict::Inconclusive, format!("not run: {reason}")),
        Outcome::Unsupported { reason } => (Verdict::Inconclusive, format!("cannot be run: {reason}")),
    };
    CheckResult::plain(name, verdict, &reason)
}

fn rate(name: &str, wanted: &Wanted<'_>, device: &Device, measured: &Measured) -> CheckResult {
    let plain = |verdict, reason: &str| CheckResult::plain(name, verdict, reason);
    if measured.checks.is_empty() {
        return plain(Verdict::Inconclusive, "its values were not checked");
    }
    if let Some(check) = measured.checks.iter().find(|check| !check.passed) {
        return plain(Verdict::Fail, &format!("wrong values: {}", check.name));
    }
    if let Some(broken) = measured.findings.iter().find(|f| BROKEN.contains(&f.rule.as_str())) {
        return plain(Verdict::Fail, &broken.message);
    }
    let Some(headline) = measured.headline() else {
        return plain(Verdict::Inconclusive, "there are no samples");
    };
    let found = headline.statistics.rate_op_per_s.median;
    let value = Quantity::rate(found, wanted.precision);
    let (limit, from) = match least(wanted, device, measured) {
        Ok(limit) => limit,
        Err(reason) => return CheckResult { value: Some(value), ..plain(Verdict::Inconclusive, &reason) },
    };
    let share = found.over(limit).map_or(0.0, |ratio| 100.0 * ratio.get());
    let (verdict, reason) = match doubt(wanted, device, measured, &headline) {
        Some(doubt) => (Verdict::Inconclusive, doubt),
        None if astride(measured, &headline, limit) => (
            Verdict::Inconclusive,
            format!("{share:.1} % of the least rate, and its samples lie on both sides"),
        ),
        None if found >= limit => (Verdict::Pass, format!("{share:.1} % of the least rate")),
        None => (Verdict::Fail, format!("{share:.1} % of the least rate")),
    };
    plain(verdict, &reason).with(value, Quantity::rate(limit, wanted.precision), &from)
}

/// Why a rate says nothing of the device, fast or slow.
///
/// A warning that is not known to be harmless counts: one that is added later must not let anything pass.
fn doubt(wanted: &Wanted<'_>, device: &Device, measured: &Measured, headline: &Headline) -> Option<String> {
    if let Some(reason) = incredible(device, measured) {
        return Some(reason);
    }
    if headline.is_disturbed() {
        return Some("measured with other work on the same cores".to_owned());
    }
    let mask = device_checks::harmful(measured);
    if mask != 0 && !wanted.limits.allow_throttle {
        return Some(format!("slowed down meanwhile by heat, hardware or brake (mask {mask:#x})"));
    }
    if let Some(reason) = device_checks::crowded(wanted.limits, measured) {
        return Some(reason);
    }
    // Who sets a limit to what others hold accepts them below it; that they are below it is a check of its own.
    let accepted = |rule: &str| rule == FOREIGN && wanted.limits.max_foreign_memory_bytes.is_some();
    let doubtful = |severity: Severity, rule: &str| match severity {
        _ if accepted(rule) => false,
        Severity::Error => true,
        Severity::Warning => !HARMLESS.contains(&rule),
        Severity::Note | Severity::Fine => false,
    };
    let finding = measured.findings.iter().find(|f| doubtful(f.severity, &f.rule))?;
    Some(finding.message.clone())
}

/// Whether the samples of a figure that is uneven, not steady or of few samples lie on both sides of a limit, by their
/// 5th and 95th percentile: then the median decides nothing.
fn astride(measured: &Measured, headline: &Headline, limit: OpRate) -> bool {
    let blurred = measured.findings.iter().any(|finding| BLURRED.contains(&finding.rule.as_str()));
    let statistics = &headline.statistics;
    blurred && statistics.p5_op_per_s < limit && limit <= statistics.p95_op_per_s
}

/// Why a rate cannot be: it is above what the device can do, as far as that is known.
fn incredible(device: &Device, measured: &Measured) -> Option<String> {
    let (efficiency, findings) = efficiency(device, measured);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Some("not credible: above the theoretical peak at the highest clock".to_owned());
    }
    let efficiency =
        efficiency.filter(|found| found.basis == ClockBasis::Rated && found.ratio.get() > 1.0)?;
    let row = &measured.implementation;
    let bounded = device.peaks.iter().any(|peak| {
        let same = (peak.precision, peak.accumulate, peak.unit) == (row.precision, row.accumulate, row.unit);
        same && peak.clock_basis == ClockBasis::MaximumBoost
    });
    (!bounded && efficiency.at_observed_clock.is_none())
        .then(|| "above the rated peak, and nothing tells how far above it can be".to_owned())
}

/// The least rate and where it comes from, or why there is none.
fn least(wanted: &Wanted<'_>, device: &Device, measured: &Measured) -> Result<(OpRate, String), String> {
    let share = match &wanted.requirement.floor {
        Floor::MinOpPerS(rate) => return Ok((*rate, "min_op_per_s".to_owned())),
        Floor::Baseline { file, max_below } => {
            let known = wanted.known_good.ok_or("nobody has read the baseline")?;
            return below_baseline(known, &file.to_string_lossy(), *max_below, device, measured);
        }
        Floor::MinFractionOfTheoretical(share) => share.get(),
    };
    let Some(peak) = efficiency(device, measured).0 else {
        return Err(format!("no theoretical {} peak is known of {}", wanted.precision, device.model));
    };
    // A peak at the observed clock falls with a device that slows down, and would excuse it.
    if peak.basis == ClockBasis::Observed {
        return Err("only a peak at the observed clock is known; give min_op_per_s".to_owned());
    }
    let (unit, theoretical) = (measured.implementation.unit, peak.theoretical.get());
    // The slower units of a device may be well while the faster ones, which nobody measured, are not.
    let faster = device.peaks.iter().any(|other| {
        let other_unit = other.precision == wanted.precision && other.unit != unit;
        other_unit && other.rate_op_per_s.to_f64() > theoretical
    });
    if faster {
        return Err(format!("measured on {} units; the device has faster ones", unit.name()));
    }
    let least = OpRate::new(share * theoretical).map_err(|e| e.to_string())?;
    Ok((least, format!("{share} of the {} peak of {theoretical:e}", peak.basis.name())))
}

/// The least rate by a baseline: of the same model on the same backend, by the same method with the same formats.
fn below_baseline(
    known: &KnownGood,
    file: &str,
    max_below: Ratio,
    device: &Device,
    measured: &Measured,
) -> Result<(OpRate, String), String> {
    let (by, here) = (&known.baseline.method_version, METHOD_VERSION);
    if by != here {
        return Err(format!("the baseline is by version {by} of the method, and this is {here}"));
    }
    let (method, case) = (measured.case.work.method(), &measured.case);
    let key = (method, case.precision, case.accumulate);
    let rate = known.baseline.rate((&device.model, &device.backend), key).ok_or_else(|| {
        format!(
            "no {method} {} with {} sums of {} in the baseline",
            case.precision, case.accumulate, device.model
        )
    })?;
    let (share, median) = (1.0 - max_below.get(), rate.median_op_per_s.get());
    let least = OpRate::new(share * median).map_err(|error| error.to_string())?;
    let sha256 = known.sha256.get(..12).unwrap_or_default();
    let from =
        format!("{share} of the median {median:e} of {}, {file} {sha256}", counted(rate.devices, "device"));
    Ok((least, from))
}

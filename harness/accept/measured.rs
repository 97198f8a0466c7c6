//! What one device's measurements say of one case that the spec wants.

use super::{CheckResult, Floor, Quantity, Verdict, Wanted};
use crate::device::{ClockBasis, Device};
use crate::measure::{Basis, Measured, Outcome, efficiency};
use crate::record::Measurement;
use crate::units::OpRate;
use crate::workload::Method;

/// Name of a case's check: `gemm_bf16`.
pub fn name(wanted: &Wanted<'_>) -> String {
    let method = match wanted.requirement.method {
        Method::Gemm => "gemm",
        Method::Issue => "issue",
        Method::Copy => "copy",
    };
    format!("{method}_{}", wanted.precision)
}

/// Measurements of a case, of one device.
pub fn of<'a>(wanted: &Wanted<'_>, measurements: &'a [Measurement]) -> Vec<&'a Measurement> {
    let fits = |m: &&Measurement| {
        m.request.precision == wanted.precision && m.request.work.method() == wanted.requirement.method
    };
    measurements.iter().filter(fits).collect()
}

/// The check of a case: the worst of its measurements counts, and among equals the slowest.
pub fn check(wanted: &Wanted<'_>, device: &Device, measurements: &[Measurement]) -> CheckResult {
    let name = name(wanted);
    let results = of(wanted, measurements).into_iter().map(|m| one(&name, wanted, device, &m.result));
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
    if !measured.is_verified() {
        return plain(Verdict::Fail, "the values were not verified, or were wrong");
    }
    let Some(headline) = measured.headline() else {
        return plain(Verdict::Inconclusive, "there are no samples");
    };
    let found = headline.statistics.rate_op_per_s.median;
    let value = Quantity::rate(found, wanted.precision);
    let with_value = |check: CheckResult| CheckResult { value: Some(value), ..check };
    let (limit, from) = match least(wanted, device, measured) {
        Ok(limit) => limit,
        Err(reason) => return with_value(plain(Verdict::Inconclusive, &reason)),
    };
    let share = found.over(limit).map_or(0.0, |ratio| 100.0 * ratio.get());
    let impossible = efficiency(device, measured).1.into_iter().chain(measured.findings.iter().cloned());
    let impossible = impossible.into_iter().find(|f| f.severity == crate::device::Severity::Error);
    let (verdict, reason) = if let Some(finding) = impossible {
        (Verdict::Inconclusive, finding.message)
    } else if found >= limit && headline.basis != Basis::CpuTime {
        (Verdict::Pass, format!("{share:.1} % of the least rate"))
    } else if headline.is_disturbed() {
        (Verdict::Inconclusive, format!("{share:.1} % of the least rate, with other work on the same cores"))
    } else {
        (Verdict::Fail, format!("{share:.1} % of the least rate"))
    };
    plain(verdict, &reason).with(value, Quantity::rate(limit, wanted.precision), &from)
}

/// The least rate and where it comes from, or why there is none.
fn least(wanted: &Wanted<'_>, device: &Device, measured: &Measured) -> Result<(OpRate, String), String> {
    match &wanted.requirement.floor {
        Floor::MinOpPerS(rate) => Ok((*rate, "min_op_per_s".to_owned())),
        Floor::Baseline { .. } => Err("baselines are not judged".to_owned()),
        Floor::MinFractionOfTheoretical(share) => {
            let Some(peak) = efficiency(device, measured).0 else {
                return Err(format!("no theoretical {} peak is known of {}", wanted.precision, device.model));
            };
            // A peak at the observed clock falls with a device that slows down, and would excuse it.
            if peak.basis == ClockBasis::Observed {
                return Err("only a peak at the observed clock is known; give min_op_per_s".to_owned());
            }
            let least = OpRate::new(share.get() * peak.theoretical.get()).map_err(|e| e.to_string())?;
            let (share, peak, basis) = (share.get(), peak.theoretical.get(), peak.basis.name());
            Ok((least, format!("{share} of the {basis} peak of {peak:e}")))
        }
    }
}

//! The checks of one device: whether it may be judged, its rates, its temperature, its throttle reasons.

use super::{CheckResult, Quantity, Seen, Spec, Tier, Verdict, measured};
use crate::backend::Conditions;
use crate::measure::Outcome;
use crate::record::Measurement;
use crate::units::Celsius;

/// Throttle reasons of NVML that a healthy device never gives: hardware slowdown (0x8), heat by software (0x20) and by
/// hardware (0x40), power brake (0x80). The cap on power (0x4) is how a device at its limit runs.
const HARMFUL: u64 = 0x8 | 0x20 | 0x40 | 0x80;

/// All checks of a device; never empty.
pub(super) fn checks(spec: &Spec, tier: Tier, seen: &Seen) -> Vec<CheckResult> {
    let device = &seen.device;
    let unknown = |check, reason: &str| CheckResult::plain(check, Verdict::Inconclusive, reason);
    let mut checks = Vec::new();
    if !spec.node.kinds.contains(&device.kind) {
        checks.push(unknown("kind", &format!("a {} device, which the spec does not accept", device.kind)));
    }
    if is_partition(seen) {
        checks.push(unknown("partition", "MIG is on: a part of a device is not judged as a whole"));
    }
    if let Some(trouble) = &seen.trouble {
        checks.push(unknown("opened", trouble));
    }
    let wanted = spec.wanted(device, tier);
    if wanted.is_empty() {
        checks.push(unknown("covered", &format!("no requirement of the spec is for {}", device.model)));
    }
    let mut names: Vec<String> = Vec::new();
    for wanted in &wanted {
        let check = measured::check(wanted, device, &seen.measurements);
        // Two requirements of one case, as a general and a sharper one, are two checks.
        let before = names.iter().filter(|name| **name == check.check).count();
        names.push(check.check.clone());
        let name = if before == 0 { check.check } else { format!("{}_{}", check.check, before + 1) };
        checks.push(CheckResult { check: name, ..check });
    }
    checks.extend(spec.limits.max_temperature_c.map(|limit| temperature(limit, &seen.measurements)));
    if !spec.limits.allow_throttle {
        checks.extend(throttle(&seen.measurements));
    }
    checks
}

fn is_partition(seen: &Seen) -> bool {
    let model = seen.device.model.split_whitespace().any(|word| word == "MIG");
    model || seen.device.notes.iter().any(|note| note == "MIG on")
}

/// Conditions that were read at any time.
pub(super) fn conditions(measurements: &[Measurement]) -> impl Iterator<Item = &Conditions> {
    measurements.iter().flat_map(|m| of(&m.result))
}

fn of(outcome: &Outcome) -> Vec<&Conditions> {
    let Outcome::Measured(measured) = outcome else { return Vec::new() };
    let windows = measured.windows.iter().map(|window| &window.conditions);
    windows.chain(measured.samples.conditions.iter().flatten()).collect()
}

/// A case without a reading leaves the temperature unknown, unless another was too hot.
fn temperature(limit: Celsius, measurements: &[Measurement]) -> CheckResult {
    let read = |m: &Measurement| of(&m.result).iter().any(|c| c.temperature_c.is_some());
    let ran = |m: &&Measurement| matches!(m.result, Outcome::Measured(_));
    let whole = measurements.iter().any(|m| ran(&m)) && measurements.iter().filter(ran).all(read);
    let readings = conditions(measurements).filter_map(|c| c.temperature_c);
    let hottest = readings.reduce(|most, now| if now > most { now } else { most });
    let (verdict, reason) = match hottest {
        Some(hottest) if hottest > limit => (Verdict::Fail, "hotter than the limit"),
        Some(_) if whole => (Verdict::Pass, "never hotter than the limit"),
        _ => (Verdict::Inconclusive, "the temperature was not read in every case"),
    };
    let check = CheckResult::plain("temperature", verdict, reason);
    let (value, limit) = (hottest.map(Quantity::Temperature), Some(Quantity::Temperature(limit)));
    CheckResult { value, limit, limit_from: Some("max_temperature_c".to_owned()), ..check }
}

/// `None` where the device tells nothing of it.
fn throttle(measurements: &[Measurement]) -> Option<CheckResult> {
    let all = conditions(measurements).filter_map(|c| c.throttle).reduce(|all, mask| all | mask)?;
    let (verdict, reason) = match all & HARMFUL {
        0 => (Verdict::Pass, format!("no heat, slowdown or brake (mask {all:#x})")),
        harmful => {
            (Verdict::Fail, format!("slowed down by heat, hardware or power brake (mask {harmful:#x})"))
        }
    };
    Some(CheckResult::plain("throttle", verdict, &reason))
}

//! The checks of one device: whether it may be judged, its rates, its temperature, its throttle reasons.

use super::{CheckResult, Limits, Quantity, Seen, Spec, Tier, Verdict, counted, measured};
use crate::backend::Conditions;
use crate::device::Device;
use crate::device::catalogue::{Catalogue, Query};
use crate::measure::{Measured, Outcome};
use crate::record::Measurement;
use crate::units::Celsius;

/// Throttle reasons of NVML that a healthy device may give: rest (0x1), clocks that somebody set (0x2), synchronised
/// boards (0x10), a display (0x100), and the cap on power (0x4), which is how a device at its limit runs. What is left
/// is hardware slowdown (0x8), heat (0x20, 0x40), the power brake (0x80), and what a later driver may add.
const HARMLESS: u64 = 0x1 | 0x2 | 0x4 | 0x10 | 0x100;

/// All checks of a device; never empty.
pub(super) fn checks(spec: &Spec, tier: Tier, seen: &Seen) -> Vec<CheckResult> {
    let device = &seen.device;
    let mut checks = eligibility(spec, seen);
    let wanted = spec.wanted(device, tier);
    if wanted.is_empty() {
        let reason = format!("no requirement of the spec is for {}", device.model);
        checks.push(CheckResult::plain("covered", Verdict::Inconclusive, &reason));
    }
    for wanted in &wanted {
        put(&mut checks, measured::check(wanted, device, &seen.measurements));
        if let Some(trend) = measured::trend(wanted, &seen.measurements).filter(|_| tier == Tier::Full) {
            put(&mut checks, trend);
        }
    }
    checks.push(values(&seen.measurements));
    checks.extend(spec.limits.max_temperature_c.map(|limit| temperature(limit, &seen.measurements)));
    if !spec.limits.allow_throttle {
        checks.push(throttle(&seen.measurements));
    }
    checks.extend(foreign(&spec.limits, &seen.measurements));
    checks
}

/// Two requirements of one case, as a general and a sharper one, are two checks.
fn put(checks: &mut Vec<CheckResult>, check: CheckResult) {
    let before = checks.iter().filter(|known| known.is_named(&check.check)).count();
    let name = if before == 0 { check.check } else { format!("{}_{}", check.check, before + 1) };
    checks.push(CheckResult { check: name, ..check });
}

/// What keeps a device from being judged at all; nothing where nothing does.
fn eligibility(spec: &Spec, seen: &Seen) -> Vec<CheckResult> {
    let device = &seen.device;
    let mut checks = Vec::new();
    let mut unknown =
        |check, reason: &str| checks.push(CheckResult::plain(check, Verdict::Inconclusive, reason));
    if !spec.node.kinds.contains(&device.kind) {
        unknown("kind", &format!("a {} device, which the spec does not accept", device.kind));
    }
    if is_partition(device) {
        unknown("partition", "MIG is on: a part of a device is not judged as a whole");
    }
    if let Some((there, known)) = units(device) {
        unknown("units", &format!("{there} of the {known} units of its model: a part, or some are lost"));
    }
    if seen.measurements.iter().any(|m| m.device.uuid != device.uuid) {
        unknown("identity", "another device answered to its name while it was measured");
    }
    if let Some(trouble) = &seen.trouble {
        unknown("process", trouble);
    }
    checks
}

fn is_partition(device: &Device) -> bool {
    let model = device.model.split_whitespace().any(|word| word == "MIG");
    model || device.notes.iter().any(|note| note == "MIG on")
}

/// Units that the device tells and those of its model, where it has fewer; its peaks are scaled down to them, which
/// would excuse the loss.
fn units(device: &Device) -> Option<(u32, u32)> {
    let there = device.units?;
    let query = Query { name: &device.model, pci_id: device.pci_id.as_deref() };
    let known = Catalogue::builtin().ok()?.find(&query).entry()?.units?;
    (there < known).then_some((there, known))
}

/// Conditions that were read at any time of a case.
pub(super) fn conditions(measured: &Measured) -> impl Iterator<Item = &Conditions> {
    let windows = measured.windows.iter().map(|window| &window.conditions);
    windows.chain(measured.samples.conditions.iter().flatten())
}

/// The cases that were measured.
fn ran(measurements: &[Measurement]) -> impl Iterator<Item = &Measured> {
    measurements.iter().filter_map(|m| match &m.result {
        Outcome::Measured(measured) => Some(&**measured),
        _ => None,
    })
}

/// Throttle reasons of a case that a healthy device does not give.
pub(super) fn harmful(measured: &Measured) -> u64 {
    conditions(measured).filter_map(|c| c.throttle).fold(0, |all, mask| all | mask) & !HARMLESS
}

/// Why others on the device keep a case from speaking for it; `None` where none are seen, or few enough.
pub(super) fn crowded(limits: &Limits, measured: &Measured) -> Option<String> {
    if let Some(limit) = limits.max_foreign_memory_bytes {
        let most = conditions(measured).filter_map(|c| c.foreign_memory_bytes).max();
        return most
            .filter(|most| *most > limit)
            .map(|most| format!("other processes held {most} meanwhile"));
    }
    let most = conditions(measured).filter_map(|c| c.foreign_processes).max();
    most.filter(|most| *most > 0)
        .map(|most| format!("used meanwhile by {most} other process{}", if most == 1 { "" } else { "es" }))
}

/// All readings of a sensor, and whether each case that was measured has one from while it was sampled: a window may
/// only repeat what was read before it.
fn readings<T>(measurements: &[Measurement], sensor: impl Fn(&Conditions) -> Option<T>) -> (Vec<T>, bool) {
    let ran: Vec<&Measured> = ran(measurements).collect();
    let sampled = |m: &&Measured| m.samples.conditions.iter().flatten().any(|c| sensor(c).is_some());
    let whole = !ran.is_empty() && ran.iter().all(sampled);
    (ran.into_iter().flat_map(conditions).filter_map(&sensor).collect(), whole)
}

/// A case without a reading leaves the temperature unknown, unless another was too hot.
fn temperature(limit: Celsius, measurements: &[Measurement]) -> CheckResult {
    let (readings, whole) = readings(measurements, |c| c.temperature_c);
    let hottest = readings.into_iter().reduce(|most, now| if now > most { now } else { most });
    let (verdict, reason) = match hottest {
        Some(hottest) if hottest > limit => (Verdict::Fail, "hotter than the limit"),
        Some(_) if whole => (Verdict::Pass, "never hotter than the limit"),
        _ => (Verdict::Inconclusive, "the temperature was not read in every case"),
    };
    let check = CheckResult::plain("temperature", verdict, reason);
    let (value, limit) = (hottest.map(Quantity::Temperature), Some(Quantity::Temperature(limit)));
    CheckResult { value, limit, limit_from: Some("max_temperature_c".to_owned()), ..check }
}

/// A device that slowed down shows what its cooling, its power or a setting allows, and not what it is; one that tells
/// nothing of it may have.
fn throttle(measurements: &[Measurement]) -> CheckResult {
    let (readings, whole) = readings(measurements, |c| c.throttle);
    let mask = readings.into_iter().fold(0, |all, mask| all | mask);
    let (verdict, reason) = match mask & !HARMLESS {
        0 if whole => (Verdict::Pass, format!("no heat, slowdown or brake (mask {mask:#x})")),
        0 => (
            Verdict::Inconclusive,
            "not told in every case; allow_throttle = true does without it".to_owned(),
        ),
        other => (Verdict::Inconclusive, format!("slowed down by heat, hardware or brake (mask {other:#x})")),
    };
    CheckResult::plain("throttle", verdict, &reason)
}

/// Foreign load is nobody's fault and hides what the device is: never more than inconclusive.
///
/// Without a limit nothing has to be told; what is told, and what is found otherwise, counts.
fn foreign(limits: &Limits, measurements: &[Measurement]) -> Option<CheckResult> {
    let unknown = |reason: &str| CheckResult::plain("foreign_load", Verdict::Inconclusive, reason);
    let crowded = ran(measurements).find_map(|measured| crowded(limits, measured));
    let Some(limit) = limits.max_foreign_memory_bytes else {
        let (readings, whole) = readings(measurements, |c| c.foreign_processes);
        let found =
            ran(measurements).flat_map(|m| &m.findings).find(|finding| finding.rule == measured::FOREIGN);
        let reason = crowded.or_else(|| found.map(|finding| finding.message.clone()));
        let none = || CheckResult::plain("foreign_load", Verdict::Pass, "no other process on the device");
        let seen = reason.map(|reason| unknown(&reason));
        return seen.or_else(|| (whole && !readings.is_empty()).then(none));
    };
    let (readings, whole) = readings(measurements, |c| c.foreign_memory_bytes);
    let most = readings.into_iter().max();
    let check = match crowded {
        Some(reason) => unknown(&reason),
        None if whole => CheckResult::plain("foreign_load", Verdict::Pass, "never more than the limit"),
        None => unknown("what others hold of its memory was not told in every case"),
    };
    let (value, limit) = (most.map(Quantity::Memory), Some(Quantity::Memory(limit)));
    Some(CheckResult { value, limit, limit_from: Some("max_foreign_memory_bytes".to_owned()), ..check })
}

/// Silent corruption: values of every case that ran were checked, and were right.
fn values(measurements: &[Measurement]) -> CheckResult {
    let of_all = |verdict, reason: &str| CheckResult::plain("values", verdict, reason);
    let wrong = ran(measurements).flat_map(|measured| &measured.checks).find(|check| !check.passed);
    if let Some(check) = wrong {
        return of_all(Verdict::Fail, &format!("wrong: {}", check.name));
    }
    match ran(measurements).map(|measured| measured.checks.len()).min() {
        None => of_all(Verdict::Inconclusive, "nothing was computed to the end"),
        Some(0) => of_all(Verdict::Inconclusive, "there is a case of which no value was checked"),
        Some(fewest) => {
            let cases = counted(ran(measurements).count(), "case");
            let ways = counted(fewest, "way");
            of_all(Verdict::Pass, &format!("right in {cases}, each checked in {ways} or more"))
        }
    }
}

//! The verdict on a node, from the spec and from what was measured; what is not known never passes.

use super::device_checks::checks;
use super::{
    CheckResult, Figure, NodeDevice, Quantity, REASON_PREFIX, Reason, Spec, Tier, Verdict, counted, measured,
};
use crate::device::{Device, DeviceKind};
use crate::measure::Outcome;
use crate::record::Measurement;
use crate::units::Ratio;

/// One device with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The device, as it was found or opened.
    pub device: Device,
    /// All its outcomes.
    pub measurements: Vec<Measurement>,
    /// Why it could not be measured at all; `None` where it could.
    pub trouble: Option<String>,
}

/// What else the verdict on a node rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Whether the user chose among the node's devices, so that their number says nothing of the node.
    pub chosen: bool,
    /// Why it ended before all was measured.
    pub cut_short: Option<String>,
    /// Why devices that are there were left out, or none were found.
    pub left_out: Vec<String>,
}

/// The judged part of a node file.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Checks of the node as a whole.
    pub checks: Vec<CheckResult>,
    /// Its devices.
    pub devices: Vec<NodeDevice>,
    /// What the spec asks and was not checked: in this tier, or of devices that are not here.
    pub not_checked: Vec<String>,
}

/// Judges a node.
pub fn judge(spec: &Spec, tier: Tier, seen: &[Seen], around: &Circumstances) -> Judged {
    let devices: Vec<NodeDevice> = seen.iter().map(|seen| device(spec, tier, seen)).collect();
    let cut = around
        .cut_short
        .iter()
        .map(|why| CheckResult::plain("complete", Verdict::Inconclusive, &format!("cut short: {why}")));
    let mut node: Vec<CheckResult> = cut.chain([count(spec, seen, around)]).collect();
    node.extend(spreads(spec, tier, seen));
    let all = node.iter().chain(devices.iter().flat_map(|device| &device.checks));
    let verdict = Verdict::worst(all.map(|check| check.verdict));
    let reason = Reason::new(&why(verdict, &node, &devices));
    Judged { verdict, reason, checks: node, devices, not_checked: not_checked(spec, tier, seen) }
}

fn device(spec: &Spec, tier: Tier, seen: &Seen) -> NodeDevice {
    let device = &seen.device;
    let checks = checks(spec, tier, seen);
    let verdict = Verdict::worst(checks.iter().map(|check| check.verdict));
    let figures = seen.measurements.iter().filter_map(|m| match &m.result {
        Outcome::Measured(measured) => Figure::of(measured),
        _ => None,
    });
    NodeDevice {
        id: device.id.clone(),
        uuid: device.uuid,
        model: device.model.clone(),
        backend: device.backend.clone(),
        kind: device.kind,
        verdict,
        reason: Reason::new(&summary(verdict, &checks)),
        facts: NodeDevice::facts(device),
        figures: figures.collect(),
        checks,
    }
}

fn summary(verdict: Verdict, checks: &[CheckResult]) -> String {
    match checks.iter().find(|check| check.verdict == verdict) {
        Some(check) if verdict != Verdict::Pass => format!("{}: {}", check.check, check.reason),
        _ => format!("{} passed", counted(checks.len(), "check")),
    }
}

/// One line that a scheduler can show; it names its author first, so that a site undoes only what came from here, and
/// then the check, since some show twenty characters.
fn why(verdict: Verdict, node: &[CheckResult], devices: &[NodeDevice]) -> String {
    let worst = devices.iter().map(|device| device.kind).max().unwrap_or(DeviceKind::Hardware);
    let label = if worst == DeviceKind::Hardware { String::new() } else { format!("{worst}: ") };
    let said = if verdict == Verdict::Pass {
        let checks = node.len() + devices.iter().map(|device| device.checks.len()).sum::<usize>();
        format!("{} of {} passed", counted(checks, "check"), counted(devices.len(), "device"))
    } else {
        let bad = |device: &&NodeDevice| device.verdict == verdict;
        let more = match devices.iter().filter(bad).count() {
            0 | 1 => String::new(),
            count => format!(" and {} more of {}", count - 1, devices.len()),
        };
        let first = devices.iter().find(bad);
        let check =
            first.and_then(|first| Some((first, first.checks.iter().find(|c| c.verdict == verdict)?)));
        match check {
            Some((first, check)) => format!("{} {}{more}: {}", check.check, first.id, check.reason),
            None => summary(verdict, node),
        }
    };
    format!("{REASON_PREFIX} {label}{said}")
}

/// Devices that there are, of the kinds that may pass.
fn count(spec: &Spec, seen: &[Seen], around: &Circumstances) -> CheckResult {
    let found = seen.iter().filter(|seen| spec.node.kinds.contains(&seen.device.kind)).count();
    let (verdict, reason) = if found >= spec.node.devices {
        (Verdict::Pass, counted(found, "device"))
    } else if seen.is_empty() {
        let why = around.left_out.first().map_or(String::new(), |why| format!(": {why}"));
        (Verdict::Inconclusive, format!("no device to judge{why}"))
    } else if found == 0 {
        (
            Verdict::Inconclusive,
            format!("of {} none is of a kind that the spec accepts", counted(seen.len(), "device")),
        )
    } else if around.chosen {
        (
            Verdict::Inconclusive,
            format!("{} chosen, and the spec asks for {}", counted(found, "device"), spec.node.devices),
        )
    } else {
        (Verdict::Fail, format!("{}, and the spec asks for {}", counted(found, "device"), spec.node.devices))
    };
    let number = |count: usize| Quantity::Count(u64::try_from(count).unwrap_or(u64::MAX));
    let from = "devices of the spec";
    CheckResult::plain("devices", verdict, &reason).with(number(found), number(spec.node.devices), from)
}

/// One check for each model, requirement and case of which a spread is asked for.
fn spreads(spec: &Spec, tier: Tier, seen: &[Seen]) -> Vec<CheckResult> {
    let mut models: Vec<&str> = seen.iter().map(|seen| seen.device.model.as_str()).collect();
    models.sort_unstable();
    models.dedup();
    let mut checks = Vec::new();
    for model in models {
        let same: Vec<&Seen> = seen.iter().filter(|seen| seen.device.model == model).collect();
        let Some(first) = same.first() else { continue };
        for wanted in spec.wanted(&first.device, tier) {
            if let Some(limit) = wanted.requirement.max_spread_across_devices {
                let rates = same.iter().map(|seen| {
                    measured::check(&wanted, &seen.device, &seen.measurements).value.map(|v| v.number())
                });
                let name = format!("spread_{}", measured::name(&wanted));
                checks.push(spread(&name, model, rates.collect(), limit));
            }
        }
    }
    checks
}

fn spread(name: &str, model: &str, rates: Option<Vec<f64>>, limit: Ratio) -> CheckResult {
    let unknown =
        |reason: &str| CheckResult::plain(name, Verdict::Inconclusive, &format!("{model}: {reason}"));
    let Some(mut rates) = rates else { return unknown("not every device has a rate") };
    rates.sort_by(f64::total_cmp);
    let (Some(slowest), Some(fastest), true) = (rates.first(), rates.last(), rates.len() > 1) else {
        return unknown("a spread takes two devices");
    };
    let half = rates.len() / 2;
    let upper = rates.get(half).copied().unwrap_or(*fastest);
    let lower = rates.get(half - usize::from(rates.len().is_multiple_of(2))).copied().unwrap_or(*slowest);
    let Ok(value) = Ratio::new((fastest - slowest) / (0.5 * (lower + upper))) else {
        return unknown("the spread is no number");
    };
    let verdict = if value <= limit { Verdict::Pass } else { Verdict::Fail };
    let reason = format!("{model}: devices differ by {:.1} %", 100.0 * value.get());
    let quantities = (Quantity::Share(value), Quantity::Share(limit));
    CheckResult::plain(name, verdict, &reason).with(quantities.0, quantities.1, "max_spread_across_devices")
}

/// What a longer look would check too, and what is asked of devices that are not here.
fn not_checked(spec: &Spec, tier: Tier, seen: &[Seen]) -> Vec<String> {
    let mut left: Vec<String> = Vec::new();
    for Seen { device, .. } in seen {
        let looked: Vec<String> = spec.wanted(device, tier).iter().map(measured::name).collect();
        let full = spec.wanted(device, Tier::Full);
        let trends = spec.wanted(device, tier).into_iter().filter(|_| tier != Tier::Full);
        let trends = trends.filter(|wanted| wanted.requirement.max_trend.is_some());
        let trends = trends.map(|wanted| format!("trend_{}", measured::name(&wanted)));
        let later = full.iter().map(measured::name).filter(|name| !looked.contains(name)).chain(trends);
        left.extend(later.map(|name| format!("{name}: in the full tier alone")));
    }
    let absent = spec.requirements.iter().map(|need| &need.device);
    let absent = absent.filter(|pattern| !seen.iter().any(|seen| pattern.matches(&seen.device.model)));
    left.extend(
        absent.map(|pattern| format!("what is asked of '{}': no such device is here", pattern.text())),
    );
    left.sort();
    left.dedup();
    left
}

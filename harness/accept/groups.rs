//! Devices of one model in one case, over all nodes: their spread, and those that lie outside.

use std::collections::{BTreeMap, BTreeSet};

use super::outliers::{LEAST_SHARE_OF_DURATION, LEAST_SHARE_OF_RATE, LEAST_VALUES, Middle};
use super::{
    CheckResult, FleetDevice, FleetNode, Group, Outlier, Quantity, Side, Straggler, Tier, Verdict, counted,
};
use crate::device::DeviceKind;
use crate::precision::{Accumulate, Precision};
use crate::units::{OpRate, Seconds};
use crate::workload::Method;

/// What the name of the fleet's own check begins with.
pub(super) const OUTLIER: &str = "outlier_";

/// What devices must have in common to be held against each other.
pub(super) type Key = (String, String, DeviceKind, (Method, Precision, Accumulate));

/// A device in a group: place of its node, place in the node, and its rate.
#[derive(Debug, Clone, Copy)]
struct Member {
    node: usize,
    device: usize,
    rate: OpRate,
    floor: Option<OpRate>,
}

/// Groups of the nodes' devices with their outliers; a slow one becomes a failed check of its device and node.
///
/// Looked for among devices that passed all their own checks, since a device that is known to be bad tells nothing of
/// the others. Where none passed, as on a model without any reference, among those that are inconclusive; then an
/// outlier is a finding alone.
pub(super) fn judge_outliers(nodes: &mut [FleetNode]) -> (Vec<Group>, Vec<Outlier>) {
    let (mut groups, mut outliers) = (Vec::new(), Vec::new());
    for (key, members) in gather(nodes) {
        let with = |verdict: Verdict| -> Vec<Member> {
            let fits =
                |member: &&Member| device(nodes, member).is_some_and(|device| device.verdict == verdict);
            members.iter().filter(fits).copied().collect()
        };
        let passed = with(Verdict::Pass);
        let (of, members) = match passed.is_empty() {
            false => (Verdict::Pass, passed),
            true => (Verdict::Inconclusive, with(Verdict::Inconclusive)),
        };
        let rates: Vec<f64> = members.iter().map(|member| member.rate.get()).collect();
        let Some(middle) = Middle::of(&rates) else { continue };
        let Some(group) = group(&key, of, &members, &middle) else { continue };
        if group.not_judged.is_none() {
            for member in &members {
                if let Some(outlier) = outlier(nodes, &key, &group, member, &middle) {
                    outliers.push((*member, outlier, group.low_limit_op_per_s));
                }
            }
        }
        groups.push(group);
    }
    // Only now: a device that is slow in one case stays in the groups of the others.
    for (member, outlier, limit) in &outliers {
        if outlier.fails {
            fail(nodes, member, outlier, *limit);
        }
    }
    (groups, outliers.into_iter().map(|(_, outlier, _)| outlier).collect())
}

fn device<'a>(nodes: &'a [FleetNode], member: &Member) -> Option<&'a FleetDevice> {
    nodes.get(member.node)?.devices.get(member.device)
}

fn gather(nodes: &[FleetNode]) -> BTreeMap<Key, Vec<Member>> {
    let mut groups: BTreeMap<Key, Vec<Member>> = BTreeMap::new();
    for (place, node) in nodes.iter().enumerate() {
        for (within, device) in node.devices.iter().enumerate() {
            for rate in &device.rates {
                let key = (device.model.clone(), device.backend.clone(), device.kind, rate.case());
                let member = Member {
                    node: place,
                    device: within,
                    rate: rate.rate_op_per_s,
                    floor: rate.floor_op_per_s,
                };
                groups.entry(key).or_default().push(member);
            }
        }
    }
    groups
}

fn group(key: &Key, of: Verdict, members: &[Member], middle: &Middle) -> Option<Group> {
    let (model, backend, kind, (method, precision, accumulate)) = key;
    let rate = |value: f64| OpRate::new(value.max(0.0)).ok();
    let ends = members.iter().map(|member| member.rate.get());
    let enough = members.len() >= LEAST_VALUES;
    let reach = middle.reach(LEAST_SHARE_OF_RATE);
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let few =
        || format!("{}; of fewer than {LEAST_VALUES} nothing is said", counted(members.len(), "device"));
    Some(Group {
        model: model.clone(),
        backend: backend.clone(),
        kind: *kind,
        method: *method,
        precision: *precision,
        accumulate: *accumulate,
        of,
        nodes: count(members.iter().map(|member| member.node).collect::<BTreeSet<_>>().len()),
        devices: count(members.len()),
        minimum_op_per_s: rate(ends.clone().reduce(f64::min)?)?,
        median_op_per_s: rate(middle.median)?,
        maximum_op_per_s: rate(ends.reduce(f64::max)?)?,
        median_deviation_op_per_s: rate(middle.deviation)?,
        score_limit: middle.limit().filter(|_| enough),
        floor_op_per_s: members.iter().filter_map(|m| m.floor).reduce(|a, b| if a < b { b } else { a }),
        low_limit_op_per_s: rate(middle.median - reach).filter(|_| enough),
        high_limit_op_per_s: rate(middle.median + reach).filter(|_| enough),
        not_judged: (!enough).then(few),
    })
}

fn outlier(
    nodes: &[FleetNode],
    key: &Key,
    group: &Group,
    member: &Member,
    middle: &Middle,
) -> Option<Outlier> {
    let side = middle.side(member.rate.get(), LEAST_SHARE_OF_RATE)?;
    let device = device(nodes, member)?;
    let (method, precision, accumulate) = key.3;
    Some(Outlier {
        node: nodes.get(member.node)?.node.clone(),
        device: device.id.clone(),
        uuid: device.uuid,
        model: key.0.clone(),
        method,
        precision,
        accumulate,
        side,
        fails: side == Side::Slow && group.of == Verdict::Pass,
        rate_op_per_s: member.rate,
        median_op_per_s: group.median_op_per_s,
        of_median: member.rate.over(group.median_op_per_s)?,
        score: middle.score(member.rate.get()),
        score_limit: middle.limit()?,
    })
}

/// The check that a slow device fails, put to it and to its node.
fn fail(nodes: &mut [FleetNode], member: &Member, outlier: &Outlier, limit: Option<OpRate>) {
    let Some(node) = nodes.get_mut(member.node) else { return };
    let Some(device) = node.devices.get_mut(member.device) else { return };
    let case = format!("{}_{}_{}", outlier.method, outlier.precision, outlier.accumulate.name());
    let share = 100.0 * outlier.of_median.get();
    // With the longest names and its limit it is still whole in a reason.
    let score = match outlier.score {
        Some(score) => format!("score {:.1}, limit {:.1}", score.get(), outlier.score_limit.get()),
        None => "most are equal".to_owned(),
    };
    let reason = format!("{share:.1} % of the fleet's median, {score}");
    let rate = |rate| Quantity::rate(rate, outlier.precision);
    let plain = CheckResult::plain(&format!("{OUTLIER}{case}"), Verdict::Fail, &reason);
    let from = Some("outlier_rule".to_owned());
    let value = Some(rate(outlier.rate_op_per_s));
    device.verdict = Verdict::Fail;
    device.checks.push(CheckResult { value, limit: limit.map(rate), limit_from: from, ..plain });
    // What its own file says against it comes first.
    if node.verdict != Verdict::Fail {
        node.verdict = Verdict::Fail;
        let text = format!("{} {OUTLIER}{case} {}: {reason}", super::REASON_PREFIX, device.id);
        node.reason = super::Reason::new(&text);
    }
}

/// Nodes that took longer than the others with the same models of devices in the same tier.
pub(super) fn stragglers(nodes: &[FleetNode]) -> Vec<Straggler> {
    type Alike<'a> = (Tier, Vec<&'a str>);
    let mut alike: BTreeMap<Alike<'_>, Vec<(&str, Seconds)>> = BTreeMap::new();
    for node in nodes {
        if let (Some(tier), Some(duration)) = (node.tier, node.duration_s) {
            let mut models: Vec<&str> = node.devices.iter().map(|device| device.model.as_str()).collect();
            models.sort_unstable();
            alike.entry((tier, models)).or_default().push((&node.node, duration));
        }
    }
    let mut found = Vec::new();
    for members in alike.values().filter(|members| members.len() >= LEAST_VALUES) {
        let durations: Vec<f64> = members.iter().map(|(_, duration)| duration.get()).collect();
        let Some(middle) = Middle::of(&durations) else { continue };
        let Ok(median_s) = Seconds::new(middle.median) else { continue };
        for (node, duration_s) in members {
            // Longer lies on the side of greater values.
            if middle.side(duration_s.get(), LEAST_SHARE_OF_DURATION) == Some(Side::Fast) {
                let Some(score_limit) = middle.limit() else { continue };
                let (node, score) = ((*node).to_owned(), middle.score(duration_s.get()));
                found.push(Straggler { node, duration_s: *duration_s, median_s, score, score_limit });
            }
        }
    }
    found
}

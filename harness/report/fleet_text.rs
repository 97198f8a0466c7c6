//! A fleet for a person at a terminal: what did not pass, what differs, and how many.

use super::table::table;
use crate::accept::{Drift, FactValue, Fleet, FleetNode, Outlier, Side, Straggler, Verdict, counted};

/// Most lines of one kind; the files have them all.
const MOST: usize = 20;

/// Nodes that did not pass, then findings, then counts.
pub fn fleet_text(fleet: &Fleet, width: Option<u16>) -> String {
    let bad: Vec<&FleetNode> = fleet.nodes.iter().filter(|node| node.verdict != Verdict::Pass).collect();
    let mut text = String::new();
    if !bad.is_empty() {
        let mut rows = table(&["node", "verdict", "report", "reason"], 0..0, width);
        for node in bad.iter().take(MOST) {
            rows.add_row([&node.node, node.verdict.name(), node.state.name(), node.reason.as_str()]);
        }
        text += &format!("{rows}\n{}", more(bad.len(), "nodes"));
    }
    text += &findings("outlier", fleet.outliers.iter().map(outlier));
    text += &findings("drift", fleet.drift.iter().map(drift));
    text += &findings("straggler", fleet.stragglers.iter().map(straggler));
    text += &findings("note", fleet.notes.iter().cloned());
    if fleet.ignored.count > 0 {
        let names = fleet.ignored.examples.join(", ");
        text += &format!("ignored: {}: {names}\n", counted(fleet.ignored.count, "other file"));
    }
    text + &counts(fleet)
}

fn findings(what: &str, lines: impl ExactSizeIterator<Item = String>) -> String {
    let count = lines.len();
    let shown: String = lines.take(MOST).map(|line| format!("{what}: {line}\n")).collect();
    shown + &more(count, &format!("{what}s"))
}

fn more(count: usize, what: &str) -> String {
    match count.checked_sub(MOST) {
        Some(left) if left > 0 => format!("and {left} more {what}, in fleet.json\n"),
        _ => String::new(),
    }
}

fn outlier(outlier: &Outlier) -> String {
    let Outlier { node, device, model, method, precision, .. } = outlier;
    let rate = outlier.rate_op_per_s.display(precision.is_integer());
    let share = 100.0 * outlier.of_median.get();
    let end = match (outlier.side, outlier.fails) {
        (Side::Slow, true) => "FAIL",
        (Side::Slow, false) => "slow, a finding alone: no device of its model passed",
        (Side::Fast, _) => "fast, a finding alone",
    };
    format!("{node} {device} {method} {precision}: {rate}, {share:.1} % of the median of {model}; {end}")
}

fn drift(drift: &Drift) -> String {
    let of = drift.model.as_ref().map_or(String::new(), |model| format!("{model} "));
    let usual = match &drift.usual {
        Some(usual) => format!("usually {} ({})", value(usual), counted(usual.count, "node")),
        None => "no value is the usual one".to_owned(),
    };
    let others = drift.others.iter().take(MOST).map(|other| format!("{} on {}", value(other), other.nodes));
    let left = drift.others.len().saturating_sub(MOST);
    let end = if left == 0 { String::new() } else { format!(" and {left} more values") };
    format!("{of}{}: {usual}; {}{end}", drift.fact, others.collect::<Vec<_>>().join(", "))
}

fn value(value: &FactValue) -> &str {
    value.value.as_deref().unwrap_or("not told")
}

fn straggler(straggler: &Straggler) -> String {
    let (took, median) = (straggler.duration_s.get(), straggler.median_s.get());
    format!("{} took {took:.1} s, the median of its like is {median:.1} s", straggler.node)
}

fn counts(fleet: &Fleet) -> String {
    let counts = &fleet.counts;
    let states = [
        (counts.missing, "missing"),
        (counts.unfinished, "unfinished"),
        (counts.stale, "stale"),
        (counts.unreadable, "unreadable"),
        (counts.duplicate, "duplicate"),
    ];
    let states: Vec<String> = states
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let states = if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
    let more =
        if counts.unexpected == 0 { String::new() } else { format!("; {} unexpected", counts.unexpected) };
    format!(
        "{} expected: {} PASS, {} FAIL, {} INCONCLUSIVE{states}{more}\n",
        counted(counts.expected, "node"),
        counts.pass,
        counts.fail,
        counts.inconclusive
    )
}

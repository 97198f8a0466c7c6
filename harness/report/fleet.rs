//! A fleet in a report.

use super::chart;
use super::material::Named;
use super::topic::{Titled, Topic, found};
use crate::accept::{Drift, FactValue, Fleet, Group, Outlier, Straggler, Verdict, counted};
use crate::device::Severity;
use crate::precision::Arithmetic;
use crate::units::Ratio;

/// The section of fleet `number`, from 1.
pub(super) fn topic(number: usize, named: &Named<Fleet>) -> Topic {
    let fleet = &named.value;
    let title = match &fleet.job {
        Some(job) => format!("Fleet of job {job}"),
        None => "Fleet".to_owned(),
    };
    let simulated = if fleet.simulated { " [SIMULATED]" } else { "" };
    Topic {
        id: format!("nodes-{number}"),
        kind: "Fleet",
        title: format!("{title}: {}{simulated}", fleet.verdict),
        lead: fleet.reason.to_string(),
        facts: facts(fleet),
        tables: tables(fleet),
        charts: vec![chart::fleet(number, fleet)],
        findings: findings(fleet, &title),
    }
}

fn facts(fleet: &Fleet) -> Vec<(String, String)> {
    let counts = &fleet.counts;
    let rule = &fleet.outlier_rule;
    let facts = [
        ("collected", fleet.collected.to_string()),
        (
            "nodes",
            format!(
                "{} expected: {} pass, {} fail, {} inconclusive",
                counts.expected, counts.pass, counts.fail, counts.inconclusive
            ),
        ),
        (
            "reports",
            format!(
                "{} reported, {} missing, {} unfinished, {} of another run, {} unreadable, {} duplicate, {} unexpected",
                counts.reported,
                counts.missing,
                counts.unfinished,
                counts.stale,
                counts.unreadable,
                counts.duplicate,
                counts.unexpected
            ),
        ),
        ("nodes that do not pass", or_none(&fleet.failing_nodes)),
        (
            "an outlier lies",
            format!(
                "further from the median of its group than {} of it and than the group's limit in modified z-scores: \
                 {} or, by the number of devices, as much more as makes any of a like group lie outside with a chance of {}",
                rule.least_share_of_rate,
                rule.least_score_limit.get(),
                rule.chance
            ),
        ),
        ("files ignored", fleet.ignored.count.to_string()),
    ];
    facts.map(|(name, value)| (name.to_owned(), value)).into()
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { text.to_owned() }
}

fn findings(fleet: &Fleet, title: &str) -> Vec<(Severity, super::material::Found)> {
    let mut all = Vec::new();
    for (verdict, severity) in [(Verdict::Fail, Severity::Error), (Verdict::Inconclusive, Severity::Warning)]
    {
        let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
        for node in fleet.nodes.iter().filter(|node| node.verdict == verdict) {
            let reason = format!("{verdict}: {}", node.reason);
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, nodes)) => nodes.push(node.node.clone()),
                None => reasons.push((reason, vec![node.node.clone()])),
            }
        }
        reasons.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
        let more: usize = reasons.iter().skip(REASONS).map(|(_, nodes)| nodes.len()).sum();
        let told = reasons.into_iter().take(REASONS);
        all.extend(told.map(|(reason, nodes)| found(severity, title, &reason, shortened(nodes))));
        if more > 0 {
            let text =
                format!("{verdict}: for other reasons {}, in the table of nodes", counted(more, "more node"));
            all.push(found(severity, title, &text, Vec::new()));
        }
    }
    all.extend(fleet.notes.iter().map(|note| found(Severity::Note, title, note, Vec::new())));
    all
}

/// Reasons that are told among the findings.
const REASONS: usize = 12;
/// Nodes that are named for one of them.
const NODES: usize = 12;

fn shortened(mut nodes: Vec<String>) -> Vec<String> {
    let more = nodes.len().saturating_sub(NODES);
    nodes.truncate(NODES);
    nodes.extend((more > 0).then(|| format!("and {more} more")));
    nodes
}

fn tables(fleet: &Fleet) -> Vec<Titled> {
    let bad = fleet.nodes.iter().filter(|node| node.verdict != Verdict::Pass);
    let row = |node: &crate::accept::FleetNode| {
        vec![
            node.node.clone(),
            node.state.name().to_owned(),
            node.verdict.name().to_owned(),
            node.reason.to_string(),
            node.duration_s.map_or_else(|| "not known".to_owned(), |time| time.to_string()),
        ]
    };
    let nodes = Titled::of(
        "Nodes that do not pass",
        &["node", "report", "verdict", "reason", "duration"],
        bad.map(row).collect(),
        "the table of the chart has every node",
    );
    let mut tables = vec![nodes, groups(fleet), outliers(fleet)];
    let model = |drift: &Drift| drift.model.clone().unwrap_or_else(|| "node".to_owned());
    let drift = |drift: &Drift| {
        vec![
            model(drift),
            drift.fact.clone(),
            drift.usual.as_ref().map_or_else(|| "no value is usual".to_owned(), fact),
            drift.others.iter().map(fact).collect::<Vec<_>>().join("; "),
        ]
    };
    let header = ["of", "fact", "usual value", "other values"];
    tables.push(table("What should be equal and is not", &header, &fleet.drift, drift));
    let straggler = |s: &Straggler| {
        let score = score(s.score, s.score_limit);
        vec![s.node.clone(), s.duration_s.to_string(), s.median_s.to_string(), score]
    };
    let header = ["node", "duration", "median", "modified z-score"];
    tables.push(table("Stragglers", &header, &fleet.stragglers, straggler));
    tables.retain(|table| !table.data.rows.is_empty());
    tables
}

/// One row for each of `of`.
fn table<T>(title: &str, header: &[&str], of: &[T], row: impl Fn(&T) -> Vec<String>) -> Titled {
    Titled::of(title, header, of.iter().map(row).collect(), "fleet.json has them")
}

fn fact(fact: &FactValue) -> String {
    let value = fact.value.as_deref().unwrap_or("not told");
    format!("{value} ({}: {})", counted(fact.count, "node"), short(&fact.nodes))
}

/// A host list may name thousands of nodes one by one.
fn short(text: &str) -> String {
    const LETTERS: usize = 120;
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LETTERS).collect();
    format!("{kept}…")
}

fn groups(fleet: &Fleet) -> Titled {
    let row = |group: &Group| {
        let rate = |rate: crate::units::OpRate| rate.display(group.precision.is_integer());
        let limit = |limit: Option<crate::units::OpRate>| limit.map_or_else(|| "none".to_owned(), rate);
        vec![
            chart::fleet_case(group, true),
            group.kind.name().to_owned(),
            format!("{} in {}, {}", group.devices, counted(group.nodes, "node"), group.of),
            limit(group.floor_op_per_s),
            group.score_limit.map_or_else(|| "none".to_owned(), |limit| format!("{:.1}", limit.get())),
            limit(group.low_limit_op_per_s),
            rate(group.minimum_op_per_s),
            rate(group.median_op_per_s),
            rate(group.maximum_op_per_s),
            limit(group.high_limit_op_per_s),
            group.not_judged.clone().unwrap_or_default(),
        ]
    };
    let header = [
        "case and model",
        "kind",
        "devices",
        "floor",
        "limit of the score",
        "low limit",
        "minimum",
        "median",
        "maximum",
        "high limit",
        "why no limit",
    ];
    table("Rates of equal devices", &header, &fleet.groups, row)
}

/// A score with the limit that it passed.
fn score(score: Option<Ratio>, limit: Ratio) -> String {
    score.map_or_else(|| "-".to_owned(), |score| format!("{:.1} (limit {:.1})", score.get(), limit.get()))
}

fn outliers(fleet: &Fleet) -> Titled {
    let row = |o: &Outlier| {
        let arithmetic = Arithmetic { precision: o.precision, accumulate: o.accumulate };
        vec![
            o.node.clone(),
            o.device.clone(),
            o.model.clone(),
            format!("{arithmetic} {}", o.method),
            o.rate_op_per_s.display(o.precision.is_integer()),
            o.of_median.to_string(),
            score(o.score, o.score_limit),
            if o.fails { "yes" } else { "no" }.to_owned(),
        ]
    };
    let header = [
        "node",
        "device",
        "model",
        "case",
        "rate",
        "of the median",
        "modified z-score",
        "the node fails for it",
    ];
    table("Devices outside the others", &header, &fleet.outliers, row)
}

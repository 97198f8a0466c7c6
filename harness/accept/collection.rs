//! The verdict over all nodes of a run; a node without a report that counts is never a pass.

use std::path::Path;

use jiff::Timestamp;

use super::reports::{Reports, Sought, reports};
use super::summary::Report;
use super::{
    AcceptError, Counts, Fleet, FleetNode, NodeState, OutlierRule, REASON_PREFIX, Reason, Verdict, counted,
    drift, groups, hosts, table,
};

/// A fleet with its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// The fleet.
    pub fleet: Fleet,
    /// `fleet.csv`.
    pub table: Vec<u8>,
}

/// Judges the nodes of a run by what they left in a directory.
///
/// Errors: [`AcceptError::File`] where the directory itself cannot be read; a file in it that cannot be read is a
/// state of its node.
pub fn collect(directory: &Path, sought: &Sought, collected: Timestamp) -> Result<Collection, AcceptError> {
    Ok(judge(reports(directory, sought)?, sought, collected))
}

fn judge(found: Reports, sought: &Sought, collected: Timestamp) -> Collection {
    let facts = |report: &Report| report.node.state == NodeState::Reported;
    let told = found.nodes.iter().filter(|report| facts(report));
    let drift = drift::drift(told.map(|report| (report.node.node.as_str(), &report.facts)));
    let (mut nodes, rows): (Vec<FleetNode>, Vec<Vec<u8>>) =
        found.nodes.into_iter().map(|report| (report.node, report.rows)).unzip();
    doubt_simulated(&mut nodes);
    let (groups, outliers) = groups::judge_outliers(&mut nodes);
    let verdict = Verdict::worst(nodes.iter().map(|node| node.verdict));
    let is_expected = |node: &&FleetNode| node.state != NodeState::Unexpected;
    let names = |passing: bool| -> Vec<String> {
        let fits = |node: &&FleetNode| (node.verdict == Verdict::Pass) == passing;
        nodes.iter().filter(is_expected).filter(fits).map(|node| node.node.clone()).collect()
    };
    let simulated = nodes.iter().any(|node| node.simulated == Some(true));
    let mut fleet = Fleet {
        format: format!("flopgauge.{}", Fleet::KIND),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("FLOPGAUGE_COMMIT").map(str::to_owned),
        collected,
        job: sought.job.clone(),
        restart: sought.restart,
        simulated,
        verdict,
        reason: Reason::default(),
        expected_nodes: hosts::fold(&sought.expected),
        passing_nodes: hosts::fold(&names(true)),
        failing_nodes: hosts::fold(&names(false)),
        counts: counts(&nodes),
        ignored: found.ignored,
        outlier_rule: OutlierRule::standard(),
        stragglers: groups::stragglers(&nodes),
        groups,
        outliers,
        drift,
        notes: Vec::new(),
        nodes,
    };
    fleet.reason = Reason::new(&format!("{REASON_PREFIX} {}", why(&fleet)));
    fleet.notes = notes(&fleet, &found.other_runs.into_iter().collect::<Vec<_>>());
    let table = table::table(&fleet, rows.iter().map(Vec::as_slice));
    Collection { fleet, table }
}

/// A node whose devices are none among nodes of hardware was judged by mistake or by somebody's trick.
fn doubt_simulated(nodes: &mut [FleetNode]) {
    if !nodes.iter().any(|node| node.simulated == Some(false)) {
        return;
    }
    for node in nodes.iter_mut().filter(|node| node.simulated == Some(true)) {
        if node.verdict == Verdict::Pass {
            node.verdict = Verdict::Inconclusive;
            node.reason =
                Reason::new(&format!("{REASON_PREFIX} kind: no hardware, among nodes that are hardware"));
        }
    }
}

fn counts(nodes: &[FleetNode]) -> Counts {
    let mut counts = Counts::default();
    for node in nodes {
        let state = match node.state {
            NodeState::Unexpected => {
                counts.unexpected += 1;
                continue;
            }
            NodeState::Reported => &mut counts.reported,
            NodeState::Missing => &mut counts.missing,
            NodeState::Unfinished => &mut counts.unfinished,
            NodeState::Stale => &mut counts.stale,
            NodeState::Unreadable => &mut counts.unreadable,
            NodeState::Duplicate => &mut counts.duplicate,
        };
        *state += 1;
        counts.expected += 1;
        match node.verdict {
            Verdict::Pass => counts.pass += 1,
            Verdict::Fail => counts.fail += 1,
            Verdict::Inconclusive => counts.inconclusive += 1,
        }
    }
    counts
}

fn why(fleet: &Fleet) -> String {
    let counts = &fleet.counts;
    let label = if fleet.simulated { "no hardware: " } else { "" };
    if counts.expected == 0 {
        return format!("{label}no node is expected, so none can pass");
    }
    if fleet.verdict == Verdict::Pass {
        let pass = if counts.pass == 1 { "passes" } else { "pass" };
        return format!("{label}{} of {} {pass}", counts.pass, counted(counts.expected, "node"));
    }
    let first = fleet.nodes.iter().find(|node| node.verdict == fleet.verdict);
    let first = first.map_or(String::new(), |node| {
        let reason = node.reason.as_str().trim_start_matches(REASON_PREFIX).trim();
        format!("; {}: {reason}", node.node)
    });
    let parts =
        [(counts.fail, "FAIL"), (counts.inconclusive, "INCONCLUSIVE"), (counts.unexpected, "unexpected")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    format!("{label}{} of {}{first}", parts.join(", "), counted(counts.expected, "node"))
}

/// What else a reader must know.
fn notes(fleet: &Fleet, other_runs: &[(String, u64)]) -> Vec<String> {
    let mut notes = Vec::new();
    if fleet.simulated {
        notes.push("devices are software or simulated: the verdict says nothing of machines".to_owned());
    }
    if fleet.job.is_none() {
        let what = "no job id binds these files to one run; a file of an earlier one cannot be told apart";
        notes.push(format!("{what}: start accept with RUN_ID set, and give --job"));
    }
    for (run, count) in other_runs.iter().take(5) {
        let are = if *count == 1 { "is" } else { "are" };
        notes.push(format!("{} {are} of {run} and not counted", counted(*count, "node file")));
    }
    if let Some(more) = other_runs.len().checked_sub(6) {
        notes.push(format!("node files of {} other runs are not counted either", more + 1));
    }
    let few: Vec<String> = fleet
        .groups
        .iter()
        .filter_map(|group| {
            let why = group.not_judged.as_ref()?;
            Some(format!("outliers of {} {} {}: {why}", group.model, group.method, group.precision))
        })
        .collect();
    notes.extend(few);
    notes
}

//! A cluster in a report.

use super::chart;
use super::material::Named;
use super::topic::{Titled, Topic, determinations, found, steps, verdicts};
use crate::device::Severity;
use crate::threshold::{ClusterDetermination, ReadingAnswer};

/// The section of cluster `number`, from 1.
pub(super) fn topic(number: usize, named: &Named<ClusterDetermination>) -> Topic {
    let cluster = &named.value;
    let mut facts = vec![
        ("day whose law is shown".to_owned(), cluster.as_of.clone()),
        ("machines".to_owned(), cluster.machines.to_string()),
    ];
    if let Some(groups) = &cluster.groups {
        facts.push(("a link joins above".to_owned(), groups.limit_bit_per_s.to_string()));
    }
    if let Some(largest) = &cluster.readings.injection.largest {
        for (what, names) in [("sites", &largest.sites), ("parties", &largest.parties)] {
            if !names.is_empty() {
                facts.push((format!("{what} of the largest set"), names.join("; ")));
            }
        }
    }
    let mut findings = verdicts(&cluster.name, &cluster.determinations);
    let warnings = cluster.warnings.iter();
    findings.extend(warnings.map(|text| found(Severity::Warning, &cluster.name, text, Vec::new())));
    let mut tables = vec![determinations(&cluster.determinations), readings(cluster)];
    if !cluster.headroom.is_empty() {
        tables.push(headroom(cluster));
    }
    if !cluster.what_if.is_empty() {
        tables.push(what_if(cluster));
    }
    tables.push(steps(&cluster.determinations));
    Topic {
        id: format!("cluster-{number}"),
        kind: "Cluster",
        title: format!("Cluster: {}", cluster.name),
        lead: "Sets of machines that fast links connect, and what each rule says of the greatest. Rates are theoretical \
            dense peaks: R16 of 16-bit formats, R8 of 8-bit ones, Rmax of the fastest format."
            .to_owned(),
        facts,
        tables,
        charts: vec![chart::sets(number, cluster), chart::topology(number, cluster)],
        findings,
    }
}

fn readings(cluster: &ClusterDetermination) -> Titled {
    let row = |(name, reading): (&str, &ReadingAnswer)| {
        let largest = reading.largest.as_ref();
        let none = || "none".to_owned();
        vec![
            name.to_owned(),
            reading.verdict.name().to_owned(),
            reading.components.to_string(),
            largest.map_or_else(none, |l| l.machines.to_string()),
            largest.map_or_else(none, |l| l.accelerators.to_string()),
            largest.map_or_else(none, |l| l.r16_op_per_s.to_string()),
            largest.map_or_else(none, |l| l.r8_op_per_s.to_string()),
            largest.map_or_else(none, |l| l.rmax_op_per_s.to_string()),
            largest
                .and_then(|l| l.measured_op_per_s)
                .map_or_else(|| "not measured".to_owned(), |rate| rate.display(true)),
        ]
    };
    let header =
        ["reading", "verdict alone", "sets", "machines", "accelerators", "R16", "R8", "Rmax", "measured"];
    let rows = cluster.readings.named().into_iter().map(row).collect();
    let mut table = Titled::of("The greatest set under each reading of the networks", &header, rows, "");
    table.note = "Of the first rule above. The path reading is for information only.".to_owned();
    table
}

fn headroom(cluster: &ClusterDetermination) -> Titled {
    let mut rows = Vec::new();
    for rule in &cluster.headroom {
        for entry in &rule.devices {
            let said = match (entry.devices_that_fit, entry.devices_too_many) {
                (_, Some(over)) => format!("{over} too many"),
                (Some(fit), None) => format!("{fit} more fit"),
                (None, None) => "at the limit".to_owned(),
            };
            let what = format!("{} of {} at {}", entry.reading, entry.device, entry.device_op_per_s);
            rows.push(vec![rule.rule.clone(), what, said]);
        }
        for (name, cut) in [("Rmax", &rule.cut_rmax), ("R16", &rule.cut_r16)] {
            let Some(cut) = cut else { continue };
            let between: Vec<_> =
                cut.between.iter().map(|(from, to, links)| format!("{links} of {from} - {to}")).collect();
            let bound = if cut.upper_bound { "at most " } else { "" };
            let what = format!("{name}: links that must go");
            rows.push(vec![rule.rule.clone(), what, format!("{bound}{}: {}", cut.links, between.join(", "))]);
        }
    }
    Titled::of("Headroom of the largest set", &["rule", "of what", "how far"], rows, "the file has them")
}

fn what_if(cluster: &ClusterDetermination) -> Titled {
    let rows = cluster.what_if.iter().flat_map(|asked| {
        asked.determinations.iter().map(|changed| {
            let high = changed.high.as_deref().map_or_else(|| "unbounded".to_owned(), super::round::round);
            let value = format!("{} to {high}", super::round::round(&changed.low));
            vec![asked.change.clone(), changed.rule.clone(), changed.verdict.name().to_owned(), value]
        })
    });
    let header = ["change", "rule", "verdict then", "value then"];
    Titled::of("After a change", &header, rows.collect(), "the file has them")
}

//! Parts of what `flopgauge cluster` prints.

use crate::threshold::{ClusterDetermination, WhatIf};

/// Distances to the limits.
pub(super) fn headroom(answer: &ClusterDetermination) -> String {
    let mut text = String::new();
    for rule in &answer.headroom {
        text.push_str(&format!("\nheadroom of the largest set, {}:\n", rule.rule));
        for entry in &rule.devices {
            let said = match (entry.devices_that_fit, entry.devices_too_many) {
                (_, Some(over)) => format!("{over} too many"),
                (Some(fit), None) => format!("{fit} more fit; one more than that passes the limit"),
                (None, None) => "at the limit".to_owned(),
            };
            text.push_str(&format!(
                "  {} of {} at {}: {said}\n",
                entry.reading, entry.device, entry.device_op_per_s
            ));
        }
        for (name, cut) in [("Rmax", &rule.cut_rmax), ("R16", &rule.cut_r16)] {
            let Some(cut) = cut else { continue };
            let bound = if cut.upper_bound { "at most " } else { "" };
            let between: Vec<_> =
                cut.between.iter().map(|(from, to, links)| format!("{links} of {from} - {to}")).collect();
            text.push_str(&format!("  {name}: {bound}{} links must go: {}\n", cut.links, between.join(", ")));
        }
    }
    text
}

/// The answer after a change.
pub(super) fn what_if(answer: &WhatIf) -> String {
    let mut text = format!("\nwhat if: {}\n", answer.change);
    for changed in &answer.determinations {
        let high = changed.high.as_deref().unwrap_or("unbounded");
        text.push_str(&format!(
            "  {}: {} ({} to {high})\n",
            changed.rule,
            changed.verdict.name(),
            changed.low
        ));
    }
    text
}

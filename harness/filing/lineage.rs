//! A packet beside the one before it: what changed, and a draft of the correction where a reported figure moved.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::FilingError;
use super::day::Day;
use super::judged::sha256;
use super::packet::{Packet, PacketActivity, PacketCorrection};
use super::quarter::Quarter;
use super::windows::Phase;
use crate::files::{TEXT_LIMIT, parse_json, read_text};

/// The packet before this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its quarter.
    pub quarter: Quarter,
    /// Day on which it was prepared.
    pub prepared_at: Day,
    /// SHA-256 of its packet.json.
    pub sha256: String,
    /// SHA-256 of the one before it.
    pub before_sha256: Option<String>,
}

/// Something that is different from the packet before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The activity.
    pub activity: String,
    /// The field; `activity` when it is new or gone.
    pub field: String,
    /// What it was; null when it is new.
    pub before: Option<String>,
    /// What it is; null when it is gone.
    pub after: Option<String>,
    /// Whether it was reported of something done or under way, so that the earlier filing needs a correction.
    pub corrects: bool,
}

/// A packet that was read, with its hash.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPacket {
    /// The packet.
    pub packet: Packet,
    /// How the next one refers to it.
    pub reference: Previous,
    /// File that it was read from.
    pub path: String,
}

/// The packet at `path`: a packet.json, or a directory that holds one.
///
/// Errors: [`FilingError::File`] with file, line and key.
pub fn read_packet(path: &Path) -> Result<ReadPacket, FilingError> {
    let path = if path.is_dir() { path.join("packet.json") } else { path.to_owned() };
    let name = path.display().to_string();
    let text = read_text(&path, TEXT_LIMIT)?;
    let packet: Packet = parse_json(&name, &text, Packet::KIND)?;
    let reference = Previous {
        quarter: packet.filing.quarter,
        prepared_at: packet.filing.prepared_at,
        sha256: sha256(text.as_bytes()),
        before_sha256: packet.previous.as_ref().map(|before| before.sha256.clone()),
    };
    Ok(ReadPacket { packet, reference, path: name })
}

/// What `now` says differently from `before`.
pub fn changes(before: &Packet, now: &Packet) -> Vec<Change> {
    let mut found = Vec::new();
    for old in &before.activity {
        match now.find(&old.name, old.start) {
            Some(new) => found.extend(fields(old, new)),
            None => found.push(gone(old, before, now)),
        }
    }
    for new in &now.activity {
        if before.find(&new.name, new.start).is_none() {
            found.push(Change {
                activity: new.name.clone(),
                field: "activity".to_owned(),
                before: None,
                after: Some(new.why.clone()),
                corrects: false,
            });
        }
    }
    found
}

/// What is over leaves the notices by itself; what was under way, or is denied now, does not.
fn gone(old: &PacketActivity, before: &Packet, now: &Packet) -> Change {
    let over = old.end.is_some_and(|end| end.0 < now.filing.past.first);
    let denied = now.not_reported.iter().any(|line| line.starts_with(&format!("{}:", old.name)));
    let corrects = match old.phase {
        Phase::Planned => false,
        Phase::Ongoing => !over || denied,
        Phase::Done => before.filing.quarter == now.filing.quarter || denied,
    };
    Change {
        activity: old.name.clone(),
        field: "activity".to_owned(),
        before: Some(old.why.clone()),
        after: None,
        corrects,
    }
}

fn fields(old: &PacketActivity, new: &PacketActivity) -> Vec<Change> {
    let (before, after) = (facts(old), facts(new));
    let pairs = before.into_iter().zip(after).filter(|((_, old), (_, new))| old != new);
    let changed = pairs.map(|((field, before), (_, after))| Change {
        activity: new.name.clone(),
        corrects: corrects(old, field),
        field: field.to_owned(),
        before: Some(before),
        after: Some(after),
    });
    changed.collect()
}

/// A phase moves on, and the end of what is under way is an expectation; every other field was stated as a fact.
fn corrects(old: &PacketActivity, field: &str) -> bool {
    match old.phase {
        Phase::Planned => false,
        Phase::Ongoing => !matches!(field, "phase" | "end"),
        Phase::Done => field != "phase",
    }
}

/// The stated facts of an activity, by field; what is absent is "not stated".
fn facts(activity: &PacketActivity) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "not stated".to_owned());
    let mut facts = vec![
        ("phase", activity.phase.name().to_owned()),
        ("start", activity.start.to_string()),
        ("end", activity.end.map_or_else(|| "not stated".to_owned(), |end| end.to_string())),
        ("verdict", activity.verdict.name().to_owned()),
    ];
    if let Some(run) = &activity.training_run {
        let ops = &run.ops;
        facts.extend([
            ("model", format!("{} {}", run.model.name, run.model.version.as_deref().unwrap_or(""))),
            ("dual_use_foundation_model", run.dual_use_foundation_model.name().to_owned()),
            ("ops", format!("{} ({} to {})", ops.two_figures, ops.low.get(), ops.high.get())),
            ("cumulative_ops", run.lineage.cumulative_ops.best.get().to_string()),
            ("site", text(&run.site)),
        ]);
    }
    if let Some(cluster) = &activity.cluster {
        facts.extend([
            ("event_date", cluster.event_date.to_string()),
            ("location", cluster.location.join("; ")),
            ("machines_in_component", cluster.machines_in_component.to_string()),
            ("r16_op_per_s", cluster.r16_op_per_s.get().to_string()),
            ("rmax_op_per_s", cluster.rmax_op_per_s.get().to_string()),
            ("parties", [&cluster.owner, &cluster.operator, &cluster.tenant].map(text).join("; ")),
        ]);
    }
    facts
}

/// Drafts of the corrections that `changes` call for.
pub fn drafts(changes: &[Change], refers_to: Quarter, today: Day) -> Vec<PacketCorrection> {
    let draft = |change: &Change| PacketCorrection {
        refers_to,
        activity: Some(change.activity.clone()),
        what_changed: format!(
            "{}: reported as {}, now {}",
            change.field,
            change.before.as_deref().unwrap_or("absent"),
            change.after.as_deref().unwrap_or("withdrawn")
        ),
        when_discovered: today,
        reason: "TO BE FILLED IN: how the difference came about".to_owned(),
        draft: true,
    };
    changes.iter().filter(|change| change.corrects).map(draft).collect()
}

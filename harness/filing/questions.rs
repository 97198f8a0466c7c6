//! The topics of questions as a checklist to fill in, kind `filing-questions/1`; what is known stands there already.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::FilingError;
use super::filer::Limb;
use super::packet::{Packet, PacketActivity};
use super::quarter::Quarter;
use super::rule::{Evidence, FilingRule, Topic};
use crate::files::{FileError, TEXT_LIMIT, parse_toml, read_text};

/// A checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// `flopgauge.filing-questions/1`.
    pub format: String,
    /// The quarter.
    pub quarter: Quarter,
    /// Where the rule stands.
    pub legal_status_notice: String,
    /// How long there is to answer.
    pub period: String,
    /// Topics.
    pub topic: Vec<Question>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its name.
    pub id: String,
    /// What may be asked.
    pub asked: String,
    /// How well that is known.
    pub evidence: Evidence,
    /// The instrument of another legislator that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterpart_of: Option<String>,
    /// What flopgauge can answer; written anew each time.
    pub known: Vec<String>,
    /// What the filer answers; kept when the file is written again.
    pub answer: String,
    /// Whether the filer is done with it.
    pub done: bool,
}

impl Questions {
    /// Kind and version.
    pub const KIND: &'static str = "filing-questions/1";

    /// The checklist of `packet`, with the answers of `before` kept.
    pub fn of(rule: &FilingRule, packet: &Packet, before: Option<&Self>) -> Self {
        let kept = |topic: &Topic| before.and_then(|before| before.topic.iter().find(|q| q.id == topic.id));
        let question = |topic: &Topic| Question {
            id: topic.id.clone(),
            asked: asked(topic),
            evidence: topic.basis.evidence,
            counterpart_of: topic.counterpart_of.clone(),
            known: known(&topic.id, packet),
            answer: kept(topic).map_or_else(String::new, |question| question.answer.clone()),
            done: kept(topic).is_some_and(|question| question.done),
        };
        Self {
            format: format!("flopgauge.{}", Self::KIND),
            quarter: packet.filing.quarter,
            legal_status_notice: packet.filing.legal_status_notice.clone(),
            period: format!(
                "{} calendar days after questions are received, {} days for clarifications",
                rule.answers.days, rule.clarifications.days
            ),
            topic: rule.topic.iter().map(question).collect(),
        }
    }

    /// The checklist that stands at `path` already, for the same quarter.
    ///
    /// Errors: [`FilingError`] when it is wrong, or of another quarter; its answers must not be lost.
    pub fn read(path: &Path, quarter: Quarter) -> Result<Option<Self>, FilingError> {
        if !path.exists() {
            return Ok(None);
        }
        let name = path.display().to_string();
        let text = read_text(path, TEXT_LIMIT)?;
        let found: Self = parse_toml(&name, &text, Self::KIND)?;
        if found.quarter != quarter {
            let at = text.find("quarter").unwrap_or(0);
            let message = format!("quarter {} is not {quarter}; give another --out", found.quarter);
            return Err(FileError::content_at(&name, &text, at, message).into());
        }
        Ok(Some(found))
    }

    /// The file.
    ///
    /// Errors: [`FilingError::Defect`] when it cannot be written as TOML, which cannot be.
    pub fn text(&self) -> Result<String, FilingError> {
        let body = toml::to_string(self).map_err(|error| FilingError::Defect(error.to_string()))?;
        Ok(format!(
            "# Questions that may follow the notice. Fill in `answer` and set `done`; both are kept when the packet is \
             made again,\n# `known` is written anew. Questions may not be limited to these topics. \
             A help for preparation, not legal advice.\n{body}"
        ))
    }
}

fn asked(topic: &Topic) -> String {
    let note = topic.basis.note.as_deref().unwrap_or_default();
    match &topic.basis.quotation {
        Some(words) => format!("\"{words}\" ({note})"),
        None => note.to_owned(),
    }
}

/// What the packet says of a topic; empty where only the filer can answer.
fn known(id: &str, packet: &Packet) -> Vec<String> {
    let of = |limb: Limb| packet.activity.iter().filter(move |activity| activity.limb == limb);
    match id {
        "activities-and-protections" => of(Limb::TrainingRun).filter_map(training).collect(),
        "clusters" => of(Limb::Cluster).filter_map(cluster).collect(),
        _ => Vec::new(),
    }
}

fn training(activity: &PacketActivity) -> Option<String> {
    let run = activity.training_run.as_ref()?;
    Some(format!(
        "{}: {}, model {}, {} operations ({} to {}), dual-use foundation model: {}",
        activity.name,
        activity.why,
        run.model.name,
        run.ops.two_figures,
        run.ops.low.get(),
        run.ops.high.get(),
        run.dual_use_foundation_model.name()
    ))
}

fn cluster(activity: &PacketActivity) -> Option<String> {
    let held = activity.cluster.as_ref()?;
    let location = if held.location.is_empty() { "not stated".to_owned() } else { held.location.join("; ") };
    Some(format!(
        "{}: {}; location {location}; {} machines; {} OP/s at 16 bits, {} at 8 bits, {} at the highest dense rate",
        activity.name,
        activity.why,
        held.machines_in_component,
        held.r16_op_per_s.get(),
        held.r8_op_per_s.get(),
        held.rmax_op_per_s.get()
    ))
}

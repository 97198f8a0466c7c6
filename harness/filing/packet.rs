//! The packet of a quarter, kind `filing-packet/1`: every field of a notification, and what supports it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::annex::Calibration;
use super::dates::Window;
use super::day::Day;
use super::dual_use::{Answer, DualUse};
use super::figures::{ClusterFigures, Operations, TrainingFigures};
use super::filer::{ClusterEvent, Limb, Submitter};
use super::judged::InputFile;
use super::lineage::{Change, Previous};
use super::quarter::Quarter;
use super::rule::{Evidence, SourceDocument};
use super::standing::Standing;
use super::windows::{Cause, Phase};
use crate::threshold::{Determination, Verdict};
use crate::units::ExactOpRate;

/// What kind of filing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilingKind {
    /// Applicable activities are notified.
    Notification,
    /// There are none.
    AffirmationNoActivity,
    /// An earlier filing is corrected, and nothing else is due.
    Correction,
}

/// The filing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// What kind it is.
    pub kind: FilingKind,
    /// The quarter.
    pub quarter: Quarter,
    /// Due date of the quarter's notice.
    pub due_date: Day,
    /// Day on which the packet was prepared.
    pub prepared_at: Day,
    /// Days that the notice looks back on.
    pub past: Window,
    /// Id of the instrument.
    pub rule_profile: String,
    /// Where it stands, in one sentence.
    pub legal_status_notice: String,
    /// The same in full.
    pub standing: Standing,
    /// How a notice travels, and how well that is known.
    pub channel: String,
}

/// One activity of the notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketActivity {
    /// Name.
    pub name: String,
    /// What kind it is.
    pub limb: Limb,
    /// Where it stands on the due date.
    pub phase: Phase,
    /// Why it belongs in this notice.
    pub cause: Cause,
    /// The same in words.
    pub why: String,
    /// First day.
    pub start: Day,
    /// Last day; null while it goes on.
    pub end: Option<Day>,
    /// First quarter whose notice names it.
    pub first_reported_quarter: Quarter,
    /// Whether it is above the limit.
    pub verdict: Verdict,
    /// What the rule says, with steps and sources.
    pub determinations: Vec<Determination>,
    /// A training run's own fields.
    pub training_run: Option<TrainingRun>,
    /// A cluster's own fields.
    pub cluster: Option<ClusterHeld>,
}

/// Fields of a training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingRun {
    /// Name and version of the model.
    pub model: Model,
    /// Whether it is a dual-use foundation model.
    pub dual_use_foundation_model: Answer,
    /// The questionnaire behind it; null when none was filled in.
    pub dual_use: Option<DualUse>,
    /// Operations that the limit is compared with.
    pub ops: Operations,
    /// Runs that share weights.
    pub lineage: RunLineage,
    /// Where.
    pub site: Option<String>,
    /// Name of the cluster.
    pub cluster: Option<String>,
    /// How the operations were found, and from what.
    pub method: TrainingFigures,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Name.
    pub name: String,
    /// Version.
    pub version: Option<String>,
}

/// Runs that share weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunLineage {
    /// The run whose weights it starts from.
    pub parent_run: Option<String>,
    /// Operations of all together.
    pub cumulative_ops: Operations,
}

/// Fields of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterHeld {
    /// Name.
    pub name: String,
    /// How it comes.
    pub event: ClusterEvent,
    /// Last day of that.
    pub event_date: Day,
    /// Where; a field of the executive order, not confirmed for the proposal.
    pub location: Vec<String>,
    /// Owner.
    pub owner: Option<String>,
    /// Operator.
    pub operator: Option<String>,
    /// Tenant; whether it or the owner possesses the cluster is unsettled.
    pub tenant: Option<String>,
    /// Machines in the largest connected set.
    pub machines_in_component: u64,
    /// Greatest 16-bit dense sum under any reading of the network.
    pub r16_op_per_s: ExactOpRate,
    /// Greatest 8-bit dense sum.
    pub r8_op_per_s: ExactOpRate,
    /// Greatest sum at the highest dense rates: the total computing power.
    pub rmax_op_per_s: ExactOpRate,
    /// Readings, devices, links, and how each is known.
    pub method: ClusterFigures,
}

/// What is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookAhead {
    /// First day that is looked ahead to.
    pub window_start: Day,
    /// Last day.
    pub window_end: Day,
    /// Names of planned activities.
    pub planned: Vec<String>,
    /// Says expressly that there are none.
    pub none: bool,
}

/// An affirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Affirmation {
    /// The last quarter with an activity.
    pub last_activity_quarter: Quarter,
    /// Which it is.
    pub number: i16,
    /// Of how many.
    pub of: i16,
    /// What is affirmed.
    pub statement: String,
}

/// A correction of an earlier filing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketCorrection {
    /// The filing that it corrects.
    pub refers_to: Quarter,
    /// The activity.
    pub activity: Option<String>,
    /// What changed.
    pub what_changed: String,
    /// When that was found; for a draft, the day of the packet.
    pub when_discovered: Day,
    /// How it came; to be filled in for a draft.
    pub reason: String,
    /// Whether flopgauge drafted it from a figure that moved.
    pub draft: bool,
}

/// Who vouches; not confirmed as a requirement of the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Name.
    pub name: Option<String>,
    /// Title or function.
    pub title: Option<String>,
    /// Day; filled in by hand.
    pub date: Option<Day>,
}

/// What supports the figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Annex {
    /// Version of flopgauge.
    pub tool_version: String,
    /// Commit that it was built from.
    pub tool_commit: Option<String>,
    /// Version of the measuring method.
    pub method_version: String,
    /// Measurements.
    pub calibration: Vec<Calibration>,
    /// Files that the figures rest on.
    pub inputs: Vec<InputFile>,
}

/// A statement of the rule as the packet relies on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// What it is about.
    pub about: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// Key of its source.
    pub source: Option<String>,
    /// Words of the source.
    pub quotation: Option<String>,
    /// What a reader must know.
    pub note: Option<String>,
}

/// A choice where the text is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenReading {
    /// The point.
    pub key: String,
    /// What was chosen.
    pub chosen: String,
    /// What could be chosen.
    pub options: Vec<String>,
    /// How well the point is known.
    pub evidence: Evidence,
    /// Why it is open.
    pub note: Option<String>,
}

/// A packet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packet {
    /// `flopgauge.filing-packet/1`.
    pub format: String,
    /// The filing.
    pub filing: Head,
    /// Who files.
    pub submitter: Submitter,
    /// Activities; empty in an affirmation.
    pub activity: Vec<PacketActivity>,
    /// What is planned.
    pub look_ahead: LookAhead,
    /// For an affirmation.
    pub affirmation: Option<Affirmation>,
    /// Corrections of earlier filings.
    pub correction: Vec<PacketCorrection>,
    /// The packet before this one.
    pub previous: Option<Previous>,
    /// What is different from it.
    pub changes: Vec<Change>,
    /// Activities that are not above the limit, or were left out, with the reason.
    pub not_reported: Vec<String>,
    /// Line that marks the filing; null when confidentiality is not claimed.
    pub confidentiality: Option<String>,
    /// Who vouches.
    pub attestation: Signature,
    /// What supports the figures.
    pub annex: Annex,
    /// Choices where the text is open.
    pub readings: Vec<ChosenReading>,
    /// What the rule says, as the packet relies on it.
    pub statements: Vec<Statement>,
    /// Documents.
    pub sources: Vec<SourceDocument>,
}

impl Packet {
    /// Kind and version.
    pub const KIND: &'static str = "filing-packet/1";

    /// The activity of this name, the latest where there are several.
    pub fn find(&self, name: &str, start: Day) -> Option<&PacketActivity> {
        let named = |activity: &&PacketActivity| activity.name == name;
        let same_start = self.activity.iter().filter(named).find(|activity| activity.start == start);
        same_start.or_else(|| self.activity.iter().rev().find(named))
    }
}

/// A date as packets carry it.
pub(super) const fn day(date: Date) -> Day {
    Day(date)
}

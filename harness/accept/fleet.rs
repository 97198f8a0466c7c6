//! The file of a fleet, kind `fleet/1`: the verdict over all nodes of one run, from the files that they left.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AcceptError, CheckResult, Reason, Tier, Verdict};
use crate::device::DeviceKind;
use crate::files::{TEXT_LIMIT, parse_json, read_text};
use crate::precision::{Accumulate, Precision};
use crate::units::{OpRate, Ratio, Seconds};
use crate::workload::Method;

/// Verdict over the nodes of one run, with what it rests on. All host lists are in the syntax of Slurm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// `flopgauge.fleet/1`.
    pub format: String,
    /// Version of flopgauge that collected.
    pub version: String,
    /// Commit that it was built from; `null` outside a checkout.
    pub commit: Option<String>,
    /// When it was collected.
    #[schemars(with = "String")]
    pub collected: Timestamp,
    /// Engine's job id that the files had to name; `null` where none is known, so that nothing binds them together.
    pub job: Option<String>,
    /// Restart count that they had to name.
    pub restart: u64,
    /// Whether any judged device is no hardware; such a verdict says nothing of machines.
    pub simulated: bool,
    /// The verdict: the worst of all nodes.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Nodes that were to report.
    pub expected_nodes: String,
    /// Nodes that pass.
    pub passing_nodes: String,
    /// Expected nodes that do not pass, for whatever reason.
    pub failing_nodes: String,
    /// How many nodes are in which state.
    pub counts: Counts,
    /// Files of the directory that nothing was taken from.
    pub ignored: IgnoredFiles,
    /// When a device or a duration lies outside.
    pub outlier_rule: OutlierRule,
    /// Rates of the devices of one model in one case, over all nodes.
    pub groups: Vec<Group>,
    /// Devices whose rate lies outside those of their group.
    pub outliers: Vec<Outlier>,
    /// What should be equal on all nodes and is not.
    pub drift: Vec<Drift>,
    /// Nodes that took longer than the others with as much to do.
    pub stragglers: Vec<Straggler>,
    /// What else a reader must know.
    pub notes: Vec<String>,
    /// Every node: the expected ones, then those that nobody expected; in natural order.
    pub nodes: Vec<FleetNode>,
}

impl Fleet {
    /// Kind and version.
    pub const KIND: &'static str = "fleet/1";

    /// Reads a fleet file.
    ///
    /// Errors: [`AcceptError::File`] with line and key.
    pub fn read(path: &Path) -> Result<Self, AcceptError> {
        let text = read_text(path, TEXT_LIMIT)?;
        Ok(parse_json(&path.display().to_string(), &text, Self::KIND)?)
    }
}

/// How many nodes are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Nodes that were to report.
    pub expected: u64,
    /// Of these: PASS.
    pub pass: u64,
    /// Of these: FAIL.
    pub fail: u64,
    /// Of these: INCONCLUSIVE, whether they reported so or did not report.
    pub inconclusive: u64,
    /// Of these: a file of this run that can be read.
    pub reported: u64,
    /// Of these: no file.
    pub missing: u64,
    /// Of these: begun, and never ended.
    pub unfinished: u64,
    /// Of these: a file of another run alone.
    pub stale: u64,
    /// Of these: a file that cannot be read.
    pub unreadable: u64,
    /// Of these: more than one file that says it is theirs.
    pub duplicate: u64,
    /// Nodes that reported for this run and were not expected.
    pub unexpected: u64,
}

/// What became of a node's report; only a reported node can pass.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// A file of this run that can be read.
    Reported,
    /// No file.
    Missing,
    /// Begun, and never ended: it died, or still runs.
    Unfinished,
    /// A file of another run alone.
    Stale,
    /// A file that cannot be read, or contradicts itself.
    Unreadable,
    /// More than one file that says it is this node's.
    Duplicate,
    /// It reported for this run, and nobody expected it.
    Unexpected,
}

impl NodeState {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Missing => "missing",
            Self::Unfinished => "unfinished",
            Self::Stale => "stale",
            Self::Unreadable => "unreadable",
            Self::Duplicate => "duplicate",
            Self::Unexpected => "unexpected",
        }
    }
}

/// Files that nothing was taken from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnoredFiles {
    /// How many.
    pub count: u64,
    /// The first of them by name.
    pub examples: Vec<String>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetNode {
    /// Its name.
    pub node: String,
    /// What became of its report.
    pub state: NodeState,
    /// Verdict on it; never better than what its file says.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Verdict of its own file; `null` without one of this run.
    pub own_verdict: Option<Verdict>,
    /// How much it was asked.
    pub tier: Option<Tier>,
    /// From begin to verdict, by its own clock.
    pub duration_s: Option<Seconds>,
    /// Whether any of its devices is no hardware; `null` without a file of this run.
    pub simulated: Option<bool>,
    /// Its devices.
    pub devices: Vec<FleetDevice>,
    /// Checks of the node as a whole that did not pass.
    pub checks: Vec<CheckResult>,
}

/// One device of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetDevice {
    /// Short name within the node.
    pub id: String,
    /// Name for good.
    pub uuid: Uuid,
    /// Model.
    pub model: String,
    /// Backend that reached it.
    pub backend: String,
    /// Whether it is real.
    pub kind: DeviceKind,
    /// Verdict on it, with the fleet's own check for outliers.
    pub verdict: Verdict,
    /// Its checks that did not pass, those of the fleet included.
    pub checks: Vec<CheckResult>,
    /// What it reached.
    pub rates: Vec<DeviceRate>,
}

/// What a device reached in one case; where it was measured more than once, the slowest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceRate {
    /// How the rate is obtained.
    pub method: Method,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// The rate.
    pub rate_op_per_s: OpRate,
    /// Greatest rate that the node's spec asked for with this method and format of operands; `null` where it asked for
    /// none.
    pub floor_op_per_s: Option<OpRate>,
}

impl DeviceRate {
    /// What was computed, and how.
    pub const fn case(&self) -> (Method, Precision, Accumulate) {
        (self.method, self.precision, self.accumulate)
    }
}

/// When a value lies outside: further from the median than a least share of it, and than a limit in modified z-scores
/// that grows as their number asks for; each group has its own.
///
/// Source: B. Iglewicz and D. C. Hoaglin, How to Detect and Handle Outliers, ASQC, 1993: 0.6745 (x - median) / MAD.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutlierRule {
    /// Least of the limits in modified z-scores, for whatever number of values.
    pub least_score_limit: Ratio,
    /// Chance with which any value of a group may lie outside where all are alike: normally distributed.
    pub chance: Ratio,
    /// A rate nearer to the median than this share of it is inside, however alike the others are.
    pub least_share_of_rate: Ratio,
    /// The same for durations.
    pub least_share_of_duration: Ratio,
    /// Of fewer values nothing is said.
    pub least_values: u64,
}

/// Rates of the devices of one model in one case, over all nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Model.
    pub model: String,
    /// Backend that reached the devices.
    pub backend: String,
    /// Whether they are real.
    pub kind: DeviceKind,
    /// How the rate is obtained.
    pub method: Method,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Verdict of the devices that the figures below are of: PASS, or INCONCLUSIVE where none passed.
    pub of: Verdict,
    /// Nodes that they are in.
    pub nodes: u64,
    /// How many devices.
    pub devices: u64,
    /// Slowest.
    pub minimum_op_per_s: OpRate,
    /// Median.
    pub median_op_per_s: OpRate,
    /// Fastest.
    pub maximum_op_per_s: OpRate,
    /// Median of the distances from the median.
    pub median_deviation_op_per_s: OpRate,
    /// Greatest modified z-score that is inside among so many; `null` where nothing is said of outliers.
    pub score_limit: Option<Ratio>,
    /// Greatest of the floors of these devices; `null` where no spec asked for a rate.
    pub floor_op_per_s: Option<OpRate>,
    /// A device below is an outlier; `null` where nothing is said of outliers.
    pub low_limit_op_per_s: Option<OpRate>,
    /// A device above is an outlier; `null` where nothing is said of outliers.
    pub high_limit_op_per_s: Option<OpRate>,
    /// Why nothing is said of outliers; `null` where something is.
    pub not_judged: Option<String>,
}

/// Which side of the others.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Slower; a FAIL where the node would pass.
    Slow,
    /// Faster; a finding alone.
    Fast,
}

/// A device whose rate lies outside those of its group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outlier {
    /// Its node.
    pub node: String,
    /// Short name within the node.
    pub device: String,
    /// Name for good.
    pub uuid: Uuid,
    /// Model.
    pub model: String,
    /// How the rate is obtained.
    pub method: Method,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Which side.
    pub side: Side,
    /// Whether the node fails for it.
    pub fails: bool,
    /// Its rate.
    pub rate_op_per_s: OpRate,
    /// Median of its group.
    pub median_op_per_s: OpRate,
    /// Its rate over the median.
    pub of_median: Ratio,
    /// Distance from the median in modified z-scores; `null` where more than half of the group is equal.
    pub score: Option<Ratio>,
    /// Greatest score that is inside among so many.
    pub score_limit: Ratio,
}

/// Something that should be equal on all nodes and is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Model of the devices that it is of; `null` for the node itself.
    pub model: Option<String>,
    /// What, as in `driver`.
    pub fact: String,
    /// The value that more nodes have than any other; `null` where no value has.
    pub usual: Option<FactValue>,
    /// The other values, the more common first.
    pub others: Vec<FactValue>,
}

/// A value, and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactValue {
    /// The value; `null` where it is not told.
    pub value: Option<String>,
    /// How many nodes.
    pub count: u64,
    /// Which.
    pub nodes: String,
}

/// A node that took longer than the others with as much to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Straggler {
    /// The node.
    pub node: String,
    /// How long it took.
    pub duration_s: Seconds,
    /// Median of the nodes with the same models of devices in the same tier.
    pub median_s: Seconds,
    /// Distance from the median in modified z-scores; `null` where more than half of them are equal.
    pub score: Option<Ratio>,
    /// Greatest score that is inside among so many.
    pub score_limit: Ratio,
}

//! The file of a baseline, kind `baseline/1`: what devices of nodes that are known to be good reach.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AcceptError, FactValue, Side, SpecUsed, Tier, counted};
use crate::files::{FileError, TEXT_LIMIT, parse_json, read_text};
use crate::precision::{Accumulate, Precision};
use crate::units::{OpRate, Ratio};
use crate::workload::Method;

/// Rates of known good devices, with where they come from. Its keys and rows are written in alphabetical order, and
/// the same node files give the same bytes, so that two baselines can be compared line by line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// `flopgauge.baseline/1`.
    pub format: String,
    /// Version of flopgauge that made it.
    pub version: String,
    /// Commit that it was built from; `null` outside a checkout.
    pub commit: Option<String>,
    /// Version of the measuring method behind every rate.
    pub method_version: String,
    /// Nodes, in the syntax of host lists.
    pub nodes: String,
    /// How many nodes.
    pub node_count: u64,
    /// How many devices, those that were taken out included.
    pub device_count: u64,
    /// Least number of devices that a rate had to come from.
    pub least_devices: u64,
    /// Least of the limits in modified z-scores, for whatever number of devices.
    pub least_score_limit: Ratio,
    /// A rate nearer to the median than this share of it was kept, however alike the others are.
    pub least_share_of_rate: Ratio,
    /// Node files that it was made from.
    pub sources: Vec<BaselineSource>,
    /// What the devices' drivers tell of them.
    pub facts: Vec<BaselineFact>,
    /// The rates.
    pub rates: Vec<BaselineRate>,
}

/// A node file that a baseline was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineSource {
    /// Its name, without the directory.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// The node.
    pub node: String,
    /// Engine's job id; `null` where it was of none.
    pub job: Option<String>,
    /// How often the job was started again.
    pub restart: u64,
    /// Version of flopgauge that measured.
    pub version: String,
    /// Commit of that version.
    pub commit: Option<String>,
    /// How much was asked.
    pub tier: Tier,
    /// By which spec the node passed.
    pub spec: SpecUsed,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When its verdict was made.
    #[schemars(with = "String")]
    pub ended: Timestamp,
}

/// What the drivers tell of the devices of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineFact {
    /// Model.
    pub model: String,
    /// What, as in `driver`.
    pub fact: String,
    /// Its values, the more common first.
    pub values: Vec<FactValue>,
}

/// What devices of one model reach in one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineRate {
    /// Model, as the driver or the processor spells it.
    pub model: String,
    /// Backend that reached the devices.
    pub backend: String,
    /// How the rate is obtained.
    pub method: Method,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Devices that the figures below are of.
    pub devices: u64,
    /// Nodes that they are in.
    pub nodes: u64,
    /// Slowest that was kept.
    pub minimum_op_per_s: OpRate,
    /// Median.
    pub median_op_per_s: OpRate,
    /// Fastest that was kept.
    pub maximum_op_per_s: OpRate,
    /// Median of the distances from the median.
    pub median_deviation_op_per_s: OpRate,
    /// Greatest modified z-score that was kept among so many.
    pub score_limit: Ratio,
    /// Devices that were taken out as outliers, in the order in which they were.
    pub removed: Vec<Removed>,
}

/// A device that was taken out of a rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    /// Its node.
    pub node: String,
    /// Short name within the node.
    pub device: String,
    /// Name for good.
    pub uuid: Uuid,
    /// In which round, from 1.
    pub round: u64,
    /// Which side of the others.
    pub side: Side,
    /// Its rate.
    pub rate_op_per_s: OpRate,
    /// Median of its round.
    pub median_op_per_s: OpRate,
    /// Distance from the median in modified z-scores; `null` where more than half of the group is equal.
    pub score: Option<Ratio>,
    /// Greatest score that was kept in its round.
    pub score_limit: Ratio,
    /// Why, in words.
    pub reason: String,
}

impl Baseline {
    /// Kind and version.
    pub const KIND: &'static str = "baseline/1";

    /// Reads a baseline.
    ///
    /// Errors: [`AcceptError::File`] with line and key, also for rates that contradict themselves or occur twice.
    pub fn read(path: &Path) -> Result<Self, AcceptError> {
        let text = read_text(path, TEXT_LIMIT)?;
        Self::parse(&path.display().to_string(), &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, AcceptError> {
        let baseline: Self = parse_json(name, text, Self::KIND)?;
        match baseline.contradiction() {
            Some(message) => Err(FileError::content_at(name, text, 0, message).into()),
            None => Ok(baseline),
        }
    }

    /// The rate of a case on devices of a model; `None` where the baseline does not have it.
    pub fn rate(
        &self,
        (model, backend): (&str, &str),
        (method, precision, accumulate): (Method, Precision, Accumulate),
    ) -> Option<&BaselineRate> {
        self.rates.iter().find(|rate| {
            rate.model == model
                && rate.backend == backend
                && (rate.method, rate.precision, rate.accumulate) == (method, precision, accumulate)
        })
    }

    /// What cannot be, in words.
    fn contradiction(&self) -> Option<String> {
        for (place, rate) in self.rates.iter().enumerate() {
            let case = format!("rates[{place}] ({}, {} {})", rate.model, rate.method, rate.precision);
            let key = (rate.method, rate.precision, rate.accumulate);
            let first = self.rate((&rate.model, &rate.backend), key);
            if first.is_some_and(|first| !std::ptr::eq(first, rate)) {
                return Some(format!("{case}: the same case is there twice"));
            }
            let ordered = rate.minimum_op_per_s <= rate.median_op_per_s
                && rate.median_op_per_s <= rate.maximum_op_per_s;
            if !ordered || rate.median_op_per_s.get() <= 0.0 {
                return Some(format!("{case}: minimum, median and maximum are in order and above 0"));
            }
            if rate.devices < self.least_devices || rate.devices == 0 {
                return Some(format!(
                    "{case}: {}, fewer than least_devices",
                    counted(rate.devices, "device")
                ));
            }
        }
        self.rates.is_empty().then(|| "rates: there is none".to_owned())
    }
}

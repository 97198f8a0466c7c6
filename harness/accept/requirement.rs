//! What one requirement of a spec asks, and of which devices.

use std::path::PathBuf;

use globset::{GlobBuilder, GlobMatcher};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::{KnownGood, Limits};
use crate::precision::Precision;
use crate::units::{OpRate, Ratio};
use crate::workload::Method;

/// What devices of a model must reach in one number format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "RequirementText")]
pub struct Requirement {
    /// Which devices.
    pub device: DevicePattern,
    /// Number format; where `null`, those of which a theoretical peak is known.
    pub precision: Option<Precision>,
    /// How the rate is obtained.
    pub method: Method,
    /// Least rate.
    pub floor: Floor,
    /// Most that devices of one model in the node may differ, from slowest to fastest over their median.
    pub max_spread_across_devices: Option<Ratio>,
    /// Most that the rate may fall while it is sampled, relative to its mean; judged in the full tier.
    pub max_trend: Option<Ratio>,
}

/// Where a least rate comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Floor {
    /// Share of the theoretical peak.
    MinFractionOfTheoretical(Ratio),
    /// A rate.
    MinOpPerS(OpRate),
    /// A file of rates of known good devices, and how far below their median is still good.
    Baseline {
        /// The file; relative to the spec.
        file: PathBuf,
        /// Most below the median, relative to it.
        max_below: Ratio,
    },
}

/// Most below a baseline's median where the spec does not say; published suites use as much.
const BELOW_BASELINE: f64 = 0.05;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequirementText {
    device: DevicePattern,
    precision: Option<Precision>,
    #[serde(default, deserialize_with = "computing")]
    method: Option<Method>,
    #[serde(default, deserialize_with = "fraction")]
    min_fraction_of_theoretical: Option<Ratio>,
    #[serde(default, deserialize_with = "least")]
    min_op_per_s: Option<OpRate>,
    baseline: Option<PathBuf>,
    #[serde(default, deserialize_with = "part")]
    max_below_baseline: Option<Ratio>,
    #[serde(default, deserialize_with = "part")]
    max_spread_across_devices: Option<Ratio>,
    #[serde(default, deserialize_with = "part")]
    max_trend: Option<Ratio>,
}

/// A value that is refused with its own line, where it breaks the rule.
fn checked<'de, T, D>(from: D, holds: fn(&T) -> bool, rule: &str) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let value = T::deserialize(from)?;
    if holds(&value) { Ok(Some(value)) } else { Err(D::Error::custom(rule)) }
}

fn computing<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Method>, D::Error> {
    checked(from, |method| *method != Method::Copy, "a copy computes nothing; gemm or issue")
}

fn fraction<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Ratio>, D::Error> {
    checked(from, |share: &Ratio| share.get() > 0.0 && share.get() <= 1.0, "above 0 and at most 1")
}

fn part<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Ratio>, D::Error> {
    checked(from, |share: &Ratio| share.get() > 0.0 && share.get() < 1.0, "above 0 and below 1, as in 0.05")
}

fn least<'de, D: Deserializer<'de>>(from: D) -> Result<Option<OpRate>, D::Error> {
    checked(from, |rate: &OpRate| rate.get() > 0.0, "above 0, as in 700e12")
}

impl TryFrom<RequirementText> for Requirement {
    type Error = String;

    fn try_from(text: RequirementText) -> Result<Self, String> {
        let floor = match (text.min_fraction_of_theoretical, text.min_op_per_s, text.baseline) {
            (Some(share), None, None) => Floor::MinFractionOfTheoretical(share),
            (None, Some(rate), None) => Floor::MinOpPerS(rate),
            (None, None, Some(file)) => {
                let max_below = text.max_below_baseline.or_else(|| Ratio::new(BELOW_BASELINE).ok());
                Floor::Baseline { file, max_below: max_below.unwrap_or_default() }
            }
            _ => {
                let one = "give exactly one of min_fraction_of_theoretical, min_op_per_s, baseline";
                return Err(one.to_owned());
            }
        };
        if text.max_below_baseline.is_some() && !matches!(floor, Floor::Baseline { .. }) {
            return Err("max_below_baseline needs a baseline".to_owned());
        }
        Ok(Self {
            device: text.device,
            precision: text.precision,
            method: text.method.unwrap_or(Method::Gemm),
            floor,
            max_spread_across_devices: text.max_spread_across_devices,
            max_trend: text.max_trend,
        })
    }
}

/// Name or glob of device models, without regard to case.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct DevicePattern {
    text: String,
    matcher: GlobMatcher,
}

impl DevicePattern {
    /// Whether a model is meant.
    pub fn matches(&self, model: &str) -> bool {
        self.matcher.is_match(model) || self.text == model
    }

    /// As the spec has it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names something, where `*` means whatever there is.
    pub fn is_a_name(&self) -> bool {
        self.text.chars().any(char::is_alphanumeric)
    }
}

impl PartialEq for DevicePattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for DevicePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("device is a model name, a glob or *".to_owned());
        }
        let glob = GlobBuilder::new(&text).case_insensitive(true).build();
        let matcher = glob.map_err(|error| format!("device: {error}"))?.compile_matcher();
        Ok(Self { text, matcher })
    }
}

impl From<DevicePattern> for String {
    fn from(pattern: DevicePattern) -> Self {
        pattern.text
    }
}

/// One case that a requirement wants of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted<'a> {
    /// Number format.
    pub precision: Precision,
    /// Who wants it.
    pub requirement: &'a Requirement,
    /// Its baseline; `None` where it has none, or nobody read it.
    pub known_good: Option<&'a KnownGood>,
    /// What must not happen meanwhile.
    pub limits: &'a Limits,
}

//! The tables of a training file, kind `training/1`, as TOML has them.

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::Three;
use super::run::{PhaseKind, Recompute};
use crate::cluster::{DeviceTable, Number, optional_date};
use crate::precision::Precision;

/// A training run as its file states it.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// `flopgauge.training/1`.
    #[serde(rename = "format")]
    pub(super) _format: String,
    /// What is trained.
    #[schemars(with = "Option<ModelTable>")]
    pub(super) model: Option<Spanned<ModelTable>>,
    /// Parts of the training.
    #[serde(default)]
    pub(super) phase: Vec<PhaseTable>,
    /// Devices at work.
    #[serde(default)]
    #[schemars(with = "Vec<UsageTable>")]
    pub(super) usage: Vec<Spanned<UsageTable>>,
    /// Devices whose peaks are declared here.
    #[serde(default)]
    pub(super) device: Vec<DeviceTable>,
    /// Somebody's figure for the whole.
    #[schemars(with = "Option<PublishedTable>")]
    pub(super) published: Option<Spanned<PublishedTable>>,
    /// Training files of the models that this one starts from, relative to this file.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) lineage: Vec<Spanned<String>>,
    /// The model of somebody else that this run modifies.
    #[schemars(with = "Option<OriginalTable>")]
    pub(super) original: Option<Spanned<OriginalTable>>,
    /// Cost of the compute, in US dollars.
    pub(super) compute_cost_usd: Option<Number>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelTable {
    #[serde(default)]
    pub(super) name: String,
    /// All parameters, or their range.
    #[schemars(with = "OneOrTwo")]
    pub(super) parameters: Spanned<OneOrTwo>,
    /// Parameters that one token passes through, or their range.
    #[schemars(with = "Option<OneOrTwo>")]
    pub(super) active_parameters: Option<Spanned<OneOrTwo>>,
    /// Of the active parameters, the input embedding table.
    #[schemars(with = "Option<Number>")]
    pub(super) embedding_parameters: Option<Spanned<Number>>,
    pub(super) layers: Option<Number>,
    pub(super) d_model: Option<Number>,
    pub(super) sequence_length: Option<Number>,
    /// Whether attention is causal, which halves its operations.
    #[serde(default)]
    pub(super) causal: bool,
    /// Whether it is a language model; unstated utilisation depends on it.
    #[serde(default = "yes")]
    pub(super) language: bool,
    /// Whether the training data are primarily biological sequences.
    #[serde(default)]
    pub(super) primarily_biological: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseTable {
    #[schemars(with = "PhaseKind")]
    pub(super) kind: Spanned<PhaseKind>,
    /// Tokens of one epoch, or their range.
    #[schemars(with = "OneOrTwo")]
    pub(super) tokens: Spanned<OneOrTwo>,
    pub(super) epochs: Option<Number>,
    /// Tokens generated for reinforcement learning; as many as are trained on where it is not stated.
    pub(super) rollout_tokens: Option<Number>,
    /// Tokens of segments whose weights did not survive.
    pub(super) failed_tokens: Option<Number>,
    #[serde(default)]
    pub(super) recompute: Recompute,
    /// Whether generated data are publicly accessible.
    #[serde(default)]
    pub(super) publicly_accessible: bool,
    pub(super) precision: Option<Precision>,
    #[serde(default, deserialize_with = "optional_date")]
    #[schemars(with = "Option<String>")]
    pub(super) start: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    #[schemars(with = "Option<String>")]
    pub(super) end: Option<Date>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UsageTable {
    #[schemars(with = "String")]
    pub(super) device: Spanned<String>,
    #[schemars(with = "Option<Number>")]
    pub(super) device_hours: Option<Spanned<Number>>,
    pub(super) precision: Option<Precision>,
    #[schemars(with = "Option<Utilisation>")]
    pub(super) utilisation: Option<Spanned<Utilisation>>,
}

/// A fraction of the dense peak.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub(super) enum Utilisation {
    /// From low to high.
    Between([Number; 2]),
    /// `"profile"`, or one value.
    Text(String),
    /// One value.
    Value(Number),
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishedTable {
    pub(super) low: Option<Number>,
    pub(super) best: Number,
    pub(super) high: Option<Number>,
    pub(super) source: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OriginalTable {
    /// Its operations, or their range.
    pub(super) operations: Option<OneOrTwo>,
    /// Whether it is a model with systemic risk, where its operations are unknown.
    pub(super) systemic_risk: Option<bool>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub(super) enum OneOrTwo {
    Two([Number; 2]),
    One(Number),
}

impl OneOrTwo {
    /// The value, or the range with its middle.
    ///
    /// Errors: a range whose low end is above its high end.
    pub(super) fn three(&self) -> Result<Three, &'static str> {
        match self {
            Self::One(number) => Ok(Three::exactly(&number.0)),
            Self::Two([low, high]) if low.0 <= high.0 => Ok(Three::between(&low.0, &high.0)),
            Self::Two(_) => Err("the low end is above the high end"),
        }
    }
}

//! A training run as its file states it, with devices and exports resolved.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Three;
use crate::precision::Precision;
use crate::units::Decimal;

/// What a phase does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseKind {
    /// Training from random weights, in one or several parts.
    Pretraining,
    /// Training on chosen examples.
    FineTuning,
    /// Training on rewarded samples of the model itself.
    ReinforcementLearning,
    /// Generation of training data by the model; nothing is trained.
    SyntheticData,
}

impl PhaseKind {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pretraining => "pretraining",
            Self::FineTuning => "fine-tuning",
            Self::ReinforcementLearning => "reinforcement-learning",
            Self::SyntheticData => "synthetic-data",
        }
    }
}

/// Which activations are computed again in the backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Recompute {
    /// None.
    #[default]
    None,
    /// Those of attention.
    Selective,
    /// All.
    Full,
}

/// What is trained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Whether a token passes through fewer than all parameters.
    pub sparse: bool,
    /// All parameters.
    pub parameters: Three,
    /// Parameters that one token passes through, router and shared experts included.
    pub active_parameters: Three,
    /// The same without the input embedding table.
    pub without_embedding: Three,
    /// Layers, width and sequence length, multiplied; `None` when one is not stated.
    pub attention_size: Option<Decimal>,
    /// Whether attention is causal, which halves it.
    pub causal: bool,
    /// Whether it is a language model, for utilisation that is not stated.
    pub language: bool,
    /// Whether the data are primarily biological sequences.
    pub biological: bool,
}

/// A part of the training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// What it does.
    pub kind: PhaseKind,
    /// Tokens processed, epochs included.
    pub tokens: Three,
    /// Tokens generated for it, in reinforcement learning.
    pub rollout_tokens: Three,
    /// Tokens of segments whose weights did not survive.
    pub failed_tokens: Three,
    /// What is computed again.
    pub recompute: Recompute,
    /// Whether generated data are publicly accessible.
    pub publicly_accessible: bool,
    /// Number format of the multiplications, where it is stated.
    pub precision: Option<Precision>,
    /// First day.
    pub start: Option<Date>,
    /// Last day.
    pub end: Option<Date>,
}

/// Devices at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Device.
    pub device: String,
    /// Number format.
    pub precision: Precision,
    /// Device seconds of work that survives.
    pub seconds: Decimal,
    /// Device seconds of failed segments.
    pub failed_seconds: Decimal,
    /// Rate of one device: by its utilisation, and at most. Unit: operations per second.
    pub rate: Three,
    /// The causes of the rates, for a reader who checks by hand.
    pub basis: String,
    /// First and last day, where an export tells.
    pub dates: Option<(Date, Date)>,
}

/// Somebody's figure for the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The figure.
    pub operations: Three,
    /// Whose.
    pub source: String,
}

/// The model that a modification starts from, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modified {
    /// Its operations.
    Known {
        /// Low end.
        low: Decimal,
        /// High end.
        high: Decimal,
    },
    /// Only whether it is a model with systemic risk.
    Unknown {
        /// Whether it is.
        systemic_risk: bool,
    },
}

/// A training run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// File that it was read from.
    pub source: String,
    /// What is trained; `None` when the file does not say.
    pub model: Option<Model>,
    /// Its parts.
    pub phases: Vec<Phase>,
    /// What it ran on.
    pub usage: Vec<Usage>,
    /// Somebody's figure.
    pub published: Option<Published>,
    /// Runs whose weights it starts from.
    pub lineage: Vec<Self>,
    /// The model that it modifies.
    pub original: Option<Modified>,
    /// Cost of the compute. Unit: US dollars.
    pub compute_cost_usd: Option<Decimal>,
    /// What the reader should know of how the file was read.
    pub notes: Vec<String>,
}

impl Run {
    /// Name in outputs: the model's, else the file's.
    pub fn name(&self) -> &str {
        self.model
            .as_ref()
            .map(|model| model.name.as_str())
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.source)
    }
}

//! Which operations a rule counts; each rule's file says so.

use serde::Deserialize;

/// How one sort of operation enters a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// In the whole range.
    Counted,
    /// In its high end only.
    High,
    /// Not at all.
    Excluded,
}

/// What a limit is compared with when weights pass through several runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// The text says "run" and does not define it: from the largest single run to the sum of the lineage.
    EachAndSum,
    /// The sum of the lineage.
    Sum,
    /// This file's runs only, without those of the models it starts from.
    This,
}

/// Switches of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counting {
    /// Runs that share weights.
    pub runs: Runs,
    /// Forward passes that generate samples during reinforcement learning.
    pub rollouts: Treatment,
    /// Generation of one's own synthetic data.
    pub synthetic_data: Treatment,
    /// Activations computed a second time.
    pub recomputation: Treatment,
    /// Products of queries, keys and values.
    pub attention: Treatment,
    /// Steps whose weights did not survive.
    pub failed_segments: Treatment,
    /// Operations on integers.
    pub integer_operations: Treatment,
    /// The table of input embeddings, which is looked up and not multiplied.
    pub input_embedding: Treatment,
}

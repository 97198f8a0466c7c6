//! What a rule says of a number: dated rules as data, and the determination that each gives.
//!
//! A rule is one TOML file in `rules/`, with its sources, its status over time and scenarios at each limit.
//! Nothing here computes a quantity; the rooms above do, and everything compared is exact.

mod cluster;
mod cluster_answer;
mod determination;
mod judge;
mod loader;
mod rule;
mod training;
mod training_answer;

pub use cluster::{ClusterJudgement, JudgeError, judge_cluster};
pub use cluster_answer::{
    Changed, ClusterDetermination, LargestAnswer, ReadingAnswer, Readings, RuleHeadroom, WhatIf, headrooms,
};
pub use determination::Determination;
pub use judge::{Values, Verdict, judge_limit, judge_test};
pub use loader::{RuleError, all_rules, load_rule};
pub use rule::{
    AppliesTo, Comparison, Limit, Margin, Mark, Quantity, Range, Rule, Scenario, Source, State, Status,
    Subject, Test,
};
pub use training::{TrainingError, TrainingJudgement, judge_training};
pub use training_answer::{ContributionAnswer, Headline, LineageAnswer, RunAnswer, TrainingDetermination};

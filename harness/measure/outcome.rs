//! What became of a planned case: exactly one outcome each, and nothing prints 0.00 for what did not run.

use serde::{Deserialize, Serialize};

use super::plateau::{Phase, Window};
use super::{Headline, Samples};
use crate::backend::{Implementation, Timer, WorkingSet};
use crate::device::{Finding, Severity};
use crate::units::{Hertz, OpRate, Ops, Watts};
use crate::workload::Case;

/// What became of a planned case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", tag = "outcome", deny_unknown_fields)]
pub enum Outcome {
    /// It was measured and every check of its values passed.
    Measured(Box<Measured>),
    /// The device has no such unit, or the backend no such form.
    Unsupported {
        /// Why.
        reason: String,
    },
    /// It was not run, or not to its end.
    Skipped {
        /// Why.
        reason: String,
    },
    /// The device failed, or gave wrong values.
    Failed {
        /// What happened.
        error: String,
    },
}

impl Outcome {
    /// Name as files spell it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Measured(_) => "measured",
            Self::Unsupported { .. } => "unsupported",
            Self::Skipped { .. } => "skipped",
            Self::Failed { .. } => "failed",
        }
    }

    /// Why there is no figure; `None` where there is one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Measured(_) => None,
            Self::Unsupported { reason } | Self::Skipped { reason } => Some(reason),
            Self::Failed { error } => Some(error),
        }
    }
}

/// A measured case: raw samples and what is needed to read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// What was run.
    pub case: Case,
    /// The implementation's row.
    pub implementation: Implementation,
    /// Operations of one iteration.
    pub ops_per_iteration: Ops,
    /// Clock that timed the samples.
    pub timer: Timer,
    /// Memory that consecutive iterations went through, and the cache that could hold it.
    pub working_set: Option<WorkingSet>,
    /// Implementations that were tried, the chosen one among them.
    pub candidates: Vec<Candidate>,
    /// The time line before and during sampling.
    pub windows: Vec<Window>,
    /// Raw samples.
    pub samples: Samples,
    /// What still moved when sampling began; empty in a steady state.
    pub moving: Vec<String>,
    /// Checks of the values, each of which passed.
    pub checks: Vec<Check>,
    /// What a reader must know beside the figures.
    pub findings: Vec<Finding>,
}

impl Measured {
    /// The one number.
    pub fn headline(&self) -> Option<Headline> {
        Headline::of(&self.samples, self.ops_per_iteration)
    }

    /// Rate in the first window after idle.
    pub fn burst(&self) -> Option<OpRate> {
        let window = self.windows.iter().find(|window| window.phase == Phase::Burst)?;
        let ops = self.ops_per_iteration.checked_times(u128::from(window.iterations))?;
        OpRate::of(ops, window.elapsed_s).ok()
    }

    /// Median of the clocks that were read while sampling.
    pub fn clock(&self) -> Option<Hertz> {
        let clocks: Vec<f64> = self.samples.clocks().iter().map(|clock| clock.get()).collect();
        Hertz::new(super::statistics::median(&clocks)?).ok()
    }

    /// Median of the powers that were read while sampling.
    pub fn power(&self) -> Option<Watts> {
        let powers = self.samples.conditions.iter().filter_map(|c| Some(c.as_ref()?.power_w?.get()));
        Watts::new(super::statistics::median(&powers.collect::<Vec<_>>())?).ok()
    }

    /// Whether throughput, clock and power were flat when sampling began.
    pub const fn is_steady(&self) -> bool {
        self.moving.is_empty()
    }

    /// Whether a finding says that the figure cannot be right.
    pub fn has_error(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether values were checked, and right.
    pub fn is_verified(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.passed)
    }
}

/// One implementation that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Its name.
    pub implementation: String,
    /// Rate of its trial; `null` when it was the only one, or rejected.
    pub trial_op_per_s: Option<OpRate>,
    /// Why it was rejected.
    pub rejected: Option<String>,
}

/// One check of values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What was checked, in which way.
    pub name: String,
    /// Whether it was right.
    pub passed: bool,
}

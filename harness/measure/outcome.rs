//! What became of a planned case: exactly one outcome each, and nothing prints 0.00 for what did not run.

use serde::{Deserialize, Serialize};

use super::plateau::{Phase, Window};
use super::{Bandwidth, Headline, Samples};
use crate::backend::{Implementation, Timer, WorkingSet};
use crate::device::{Finding, Severity};
use crate::units::{ByteRate, Bytes, Hertz, OpRate, Ops, Watts};
use crate::workload::{Case, Work};

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
    /// Operations of one iteration; zero for a copy.
    pub ops_per_iteration: Ops,
    /// Bytes that one iteration of a copy reads plus those that it writes; absent for what computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_iteration: Option<Bytes>,
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
    /// The one number of what computes; `None` for a copy, which has no rate of operations.
    pub fn headline(&self) -> Option<Headline> {
        if self.is_copy() {
            return None;
        }
        Headline::of(&self.samples, self.ops_per_iteration)
    }

    /// The one number of a copy; `None` for what computes.
    pub fn bandwidth(&self) -> Option<Bandwidth> {
        Bandwidth::of(&self.samples, self.bytes_per_iteration.filter(|_| self.is_copy())?)
    }

    /// Whether it moved bytes and computed nothing.
    pub const fn is_copy(&self) -> bool {
        matches!(self.case.work, Work::Copy { .. })
    }

    /// Rate of operations in the first window after idle; `None` for a copy.
    pub fn burst(&self) -> Option<OpRate> {
        let window = self.windows.iter().find(|window| window.phase == Phase::Burst)?;
        if self.is_copy() {
            return None;
        }
        let ops = self.ops_per_iteration.checked_times(u128::from(window.iterations))?;
        OpRate::of(ops, window.elapsed_s).ok()
    }

    /// Rate of a copy in the first window after idle; `None` for what computes.
    pub fn burst_bandwidth(&self) -> Option<ByteRate> {
        let window = self.windows.iter().find(|window| window.phase == Phase::Burst)?;
        let bytes = self.bytes_per_iteration.filter(|_| self.is_copy())?;
        ByteRate::of(bytes, window.iterations, window.elapsed_s).ok()
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
    /// Rate of its trial; `null` when it was the only one, rejected, or a copy.
    pub trial_op_per_s: Option<OpRate>,
    /// Rate of its trial, of a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_byte_per_s: Option<ByteRate>,
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

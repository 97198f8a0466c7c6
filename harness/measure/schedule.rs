//! How long each part of a case takes.

use serde::{Deserialize, Serialize};

use crate::units::Seconds;
use crate::workload::Method;

/// How much patience the user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// A look: a second of heat.
    Quick,
    /// Ten seconds of heat.
    #[default]
    Normal,
    /// Thirty seconds of heat and a long sample.
    Thorough,
}

/// Device times of the parts of a case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Rest before the burst.
    pub idle: Seconds,
    /// First window after idle.
    pub burst: Seconds,
    /// Heating.
    pub heat: Seconds,
    /// One window.
    pub window: Seconds,
    /// Longest wait for the plateau after heating.
    pub plateau: Seconds,
    /// Least sampling.
    pub sample: Seconds,
    /// Most sampling, past which fewer than [`Schedule::SAMPLES`] have to do.
    pub sample_most: Seconds,
    /// Trial of one candidate implementation.
    pub trial: Seconds,
}

impl Schedule {
    /// Least number of samples.
    pub const SAMPLES: usize = 30;
    /// Most samples that are kept; more only fill the record.
    pub const SAMPLES_MOST: usize = 2000;

    /// Device time of a case with one implementation at most.
    pub fn longest(&self) -> Seconds {
        let parts = [self.idle, self.burst, self.heat, self.plateau, self.sample_most, self.trial];
        parts.into_iter().fold(Seconds::default(), |sum, part| sum + part)
    }

    /// The schedule for a method at a pace.
    ///
    /// A register-resident loop settles in microseconds where a product heats caches, boards and rooms, so its
    /// phases are about a tenth as long.
    pub fn of(method: Method, pace: Pace) -> Self {
        let (idle, burst, heat, window, plateau, sample, sample_most, trial) = match (method, pace) {
            (Method::Issue, Pace::Quick) => (0.0, 0.02, 0.1, 0.02, 0.1, 0.15, 0.4, 0.02),
            (Method::Issue, Pace::Normal) => (0.1, 0.05, 1.0, 0.05, 1.0, 1.0, 3.0, 0.05),
            (Method::Issue, Pace::Thorough) => (1.0, 0.1, 3.0, 0.1, 6.0, 1.0, 10.0, 0.1),
            // A memory controller settles at once; only the package's heat takes its time.
            (Method::Copy, Pace::Quick) => (0.0, 0.1, 0.4, 0.1, 0.3, 0.3, 4.0, 0.1),
            (Method::Copy, Pace::Normal) => (0.1, 0.2, 2.0, 0.2, 2.0, 2.0, 10.0, 0.2),
            (Method::Copy, Pace::Thorough) => (1.0, 0.5, 10.0, 0.5, 20.0, 10.0, 60.0, 0.5),
            (Method::Gemm, Pace::Quick) => (0.0, 0.1, 0.9, 0.1, 0.1, 0.3, 0.5, 0.02),
            (Method::Gemm, Pace::Normal) => (0.5, 0.5, 10.0, 0.5, 3.0, 3.0, 10.0, 0.3),
            (Method::Gemm, Pace::Thorough) => (5.0, 1.0, 30.0, 1.0, 60.0, 10.0, 60.0, 1.0),
        };
        let seconds = |value: f64| Seconds::new(value).unwrap_or_default();
        Self {
            idle: seconds(idle),
            burst: seconds(burst),
            heat: seconds(heat),
            window: seconds(window),
            plateau: seconds(plateau),
            sample: seconds(sample),
            sample_most: seconds(sample_most),
            trial: seconds(trial),
        }
    }
}

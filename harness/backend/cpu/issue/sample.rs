//! Timed samples of an issue kernel on the calling thread, each between two readings of the clock under its load.

use super::accumulators::Accumulators;
use super::calibrate::iterations_for;
use super::loaded_clock::LoadedClock;
use super::row::IssueKernel;
use crate::backend::cpu::clock::ClockReading;
use crate::backend::cpu::error::CpuError;
use crate::backend::cpu::interference::{Interference, Probe};
use crate::units::{Hertz, OpRate, Ops, Ratio};
use std::time::Duration;

/// Length of a sample: short enough to fit between two interruptions of a shared core, long enough that two clock
/// reads of 30 ns are below 0.05 %.
pub const SAMPLE: Duration = Duration::from_micros(150);

/// One timed sample.
#[derive(Debug, Clone, Copy)]
pub struct IssueSample {
    /// Operations executed.
    pub ops: Ops,
    /// Wall time.
    pub elapsed: Duration,
    /// Clock under load, just before.
    pub clock_before: ClockReading,
    /// Clock under load, just after.
    pub clock_after: ClockReading,
    /// What disturbed the timed interval.
    pub interference: Interference,
}

impl IssueSample {
    /// Operations over wall time.
    ///
    /// **Errors**: `ZeroDuration` where the clock did not advance.
    pub fn rate(&self) -> Result<OpRate, CpuError> {
        OpRate::of(self.ops, self.elapsed.into())
            .map_err(|_| CpuError::ZeroDuration { what: "an issue sample" })
    }

    /// Mean clock around the sample.
    #[must_use]
    pub fn clock(&self) -> Hertz {
        let (before, after) = (self.clock_before.clock, self.clock_after.clock);
        Hertz::new(f64::midpoint(before.get(), after.get())).unwrap_or(before)
    }

    /// Operations per core cycle, by the mean clock.
    ///
    /// **Errors**: as [`Self::rate`].
    pub fn ops_per_cycle(&self) -> Result<Ratio, CpuError> {
        Ratio::new(self.rate()?.get() / self.clock().get())
            .map_err(|_| CpuError::ZeroDuration { what: "a clock reading" })
    }

    /// Whether the sample and both clock readings were undisturbed.
    ///
    /// Two readings that differ by 1 % mean a clock in motion or an interruption in one of them.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let drift = self.clock_before.clock.get() / self.clock_after.clock.get() - 1.0;
        self.interference.is_clean() && drift.abs() < 0.01
    }
}

/// Takes samples of one kernel; its accumulators go on from sample to sample.
#[derive(Debug, Clone)]
pub struct Sampler {
    kernel: IssueKernel,
    iterations: u64,
    accumulators: Accumulators,
    clock: LoadedClock,
}

impl Sampler {
    #[cfg(test)]
    /// Prepares samples of about `length`.
    ///
    /// **Errors**: those of [`LoadedClock::of`].
    pub fn new(kernel: &IssueKernel, length: Duration) -> Result<Self, CpuError> {
        Self::with_clock(kernel, LoadedClock::of(kernel)?, length)
    }

    /// The same with the clock of a kernel of the same instructions, for chain counts other than the shipped one.
    ///
    /// **Errors**: those of [`IssueKernel::run`].
    pub fn with_clock(kernel: &IssueKernel, clock: LoadedClock, length: Duration) -> Result<Self, CpuError> {
        let (iterations, accumulators) = (iterations_for(kernel, length)?, kernel.start());
        Ok(Self { kernel: *kernel, iterations, accumulators, clock })
    }

    /// The kernel.
    #[must_use]
    pub const fn kernel(&self) -> &IssueKernel {
        &self.kernel
    }

    #[cfg(test)]
    /// Trips of one sample.
    #[must_use]
    pub const fn iterations(&self) -> u64 {
        self.iterations
    }

    /// Takes one sample.
    ///
    /// **Errors**: those of [`IssueKernel::run`] and of the clock.
    pub fn sample(&mut self) -> Result<IssueSample, CpuError> {
        let clock_before = self.clock.read()?;
        let probe = Probe::start();
        self.kernel.run(self.iterations, &mut self.accumulators)?;
        let observed = probe.finish();
        let clock_after = self.clock.read()?;
        Ok(IssueSample {
            ops: self.kernel.ops(self.iterations),
            elapsed: observed.elapsed(),
            clock_before,
            clock_after,
            interference: observed.interference,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{kernels, replay};
    use super::*;

    #[test]
    fn a_sample_counts_what_it_ran_and_leaves_what_the_replay_says() {
        let row = kernels().iter().find(|row| row.available()).unwrap();
        let mut sampler = Sampler::new(row, Duration::from_micros(1)).unwrap();
        let sample = sampler.sample().unwrap();
        assert_eq!(sample.ops.get(), u128::from(sampler.iterations()) * row.ops_per_iteration().get());
        let expected = replay(row, sampler.iterations());
        assert_eq!(expected.first_difference(&sampler.accumulators), None);
    }
}

//! Register-resident multiply-accumulates: what a kernel computes, replayed on scalars.
//!
//! A kernel returns its accumulators. When they equal the replay, the counted steps were executed.

/// One step of one accumulator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// acc = fma(acc, multiplier, addend), rounded once to binary64.
    FusedF64 {
        /// Factor.
        multiplier: f64,
        /// Summand.
        addend: f64,
    },
    /// acc = fma(acc, multiplier, addend), rounded once to binary32.
    FusedF32 {
        /// Factor.
        multiplier: f32,
        /// Summand.
        addend: f32,
    },
    /// acc = acc + increment, exact in the format of the sums.
    Increment {
        /// Sum of the products of one step.
        increment: f64,
    },
}

/// A sequence of equal steps on one accumulator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recurrence {
    /// Value before the first step.
    pub start: f64,
    /// The step.
    pub step: Step,
}

impl Recurrence {
    /// The accumulator after `steps` steps.
    pub fn replay(&self, steps: u64) -> f64 {
        #[expect(clippy::cast_possible_truncation, reason = "the start is a binary32 number")]
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 steps; a check replays far fewer")]
        match self.step {
            Step::FusedF64 { multiplier, addend } => {
                (0..steps).fold(self.start, |acc, _| acc.mul_add(multiplier, addend))
            }
            Step::FusedF32 { multiplier, addend } => {
                f64::from((0..steps).fold(self.start as f32, |acc, _| acc.mul_add(multiplier, addend)))
            }
            Step::Increment { increment } => self.start + increment * steps as f64,
        }
    }
}

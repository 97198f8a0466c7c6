//! Raw samples of a case, column by column, as the record keeps them.

use serde::{Deserialize, Serialize};

use crate::backend::{Batch, Conditions, Interference};
use crate::units::{Hertz, Ops, Seconds};

/// Samples; equal places of all columns belong together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// Device time before the sample.
    pub start_s: Vec<Seconds>,
    /// Iterations of the sample.
    pub iterations: Vec<u64>,
    /// Time of the sample.
    pub elapsed_s: Vec<Seconds>,
    /// What came between; `null` where the device is not shared with the host's scheduler.
    pub interference: Vec<Option<Interference>>,
    /// State of the device at the sample, `null` between two readings.
    pub conditions: Vec<Option<Conditions>>,
}

impl Samples {
    /// Number of samples.
    pub const fn len(&self) -> usize {
        self.elapsed_s.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.elapsed_s.is_empty()
    }

    /// Whether all columns are of one length, as in a record that nobody cut.
    pub const fn is_whole(&self) -> bool {
        let length = self.len();
        self.start_s.len() == length
            && self.iterations.len() == length
            && self.interference.len() == length
            && self.conditions.len() == length
    }

    /// Adds a batch that began at `start`.
    pub fn push(&mut self, start: Seconds, iterations: u64, batch: &Batch) {
        self.start_s.push(start);
        self.iterations.push(iterations);
        self.elapsed_s.push(batch.elapsed);
        self.interference.push(batch.interference);
        self.conditions.push(batch.conditions);
    }

    /// For each sample, whether nothing came between.
    pub fn clean(&self) -> Vec<bool> {
        let pairs = self.interference.iter().zip(&self.elapsed_s);
        pairs.map(|(between, elapsed)| between.is_none_or(|i| i.is_clean(*elapsed))).collect()
    }

    /// Time of one operation in each sample, by the timer.
    pub fn seconds_per_op(&self, ops_per_iteration: Ops) -> Vec<f64> {
        self.seconds_per_piece(ops_per_iteration.to_f64())
    }

    /// Time of one piece of work in each sample, by the timer; an iteration is `pieces` of them.
    pub(super) fn seconds_per_piece(&self, pieces: f64) -> Vec<f64> {
        let times = self.elapsed_s.iter().zip(&self.iterations);
        times.map(|(elapsed, iterations)| per_piece(*elapsed, *iterations, pieces)).collect()
    }

    /// The same by the time that the thread really computed; `None` unless every sample has it, and has more of it
    /// than a thread that only waits while others compute for it.
    pub(super) fn cpu_seconds_per_piece(&self, pieces: f64) -> Option<Vec<f64>> {
        let samples = self.interference.iter().zip(&self.iterations).zip(&self.elapsed_s);
        let corrected = samples.map(|((between, iterations), elapsed)| {
            let cpu = between.as_ref()?.cpu_s.filter(|cpu| cpu.get() >= LEAST_COMPUTING * elapsed.get())?;
            Some(per_piece(cpu, *iterations, pieces))
        });
        corrected.collect()
    }

    /// Clocks that were read.
    pub fn clocks(&self) -> Vec<Hertz> {
        self.conditions.iter().filter_map(|c| c.as_ref()?.clock_hz).collect()
    }

    /// Whether a throttle reason was set at any reading.
    pub fn throttled(&self) -> bool {
        self.conditions.iter().flatten().any(|c| c.throttle.is_some_and(|mask| mask != 0))
    }
}

/// Least share of a sample that a computing thread computes, even beside many others. A caller whose product ran on
/// another thread showed 0.1 %, and a rate 800 times too high.
const LEAST_COMPUTING: f64 = 0.02;

fn per_piece(time: Seconds, iterations: u64, pieces: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a ratio of measured times")]
    let count = iterations as f64;
    time.get() / (count * pieces)
}

//! Runs batches of one loaded case, and asks between them whether to go on.

use super::plateau::{Phase, Window};
use super::{Control, Progress, Samples, Stop};
use crate::backend::{BackendError, Batch, Conditions, LoadError, Loaded, Output, Timer, WorkingSet};
use crate::units::{Bytes, Ops, Seconds};

/// Why a case ends without a figure.
#[derive(Debug, thiserror::Error)]
pub(super) enum Halt {
    #[error("{0}")]
    Unsupported(String),
    #[error("{0} before the case was done")]
    Stop(Stop),
    #[error("{0}")]
    Skipped(String),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error("{implementation}: {error}")]
    Wrong { implementation: String, error: super::verify::Wrong },
    #[error("every implementation was rejected: {0}")]
    Rejected(String),
}

impl From<LoadError> for Halt {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unsupported { reason } => Self::Unsupported(reason),
            LoadError::Memory { .. } => Self::Skipped(error.to_string()),
            LoadError::Backend(error) => Self::Backend(error),
        }
    }
}

/// One loaded case on its time line.
pub(super) struct Runner<'a> {
    loaded: Box<dyn Loaded + 'a>,
    control: &'a dyn Control,
    /// Device time so far.
    at: Seconds,
    /// Iterations of a batch.
    iterations: u64,
    timer: Option<Timer>,
    last: Conditions,
}

impl<'a> Runner<'a> {
    pub fn new(loaded: Box<dyn Loaded + 'a>, control: &'a dyn Control) -> Self {
        let last = Conditions::default();
        Self { loaded, control, at: Seconds::default(), iterations: 1, timer: None, last }
    }

    pub fn ops_per_iteration(&self) -> Ops {
        self.loaded.ops_per_iteration()
    }

    pub fn bytes_per_iteration(&self) -> Option<Bytes> {
        self.loaded.bytes_per_iteration()
    }

    pub fn fill(&mut self, seed: u64) -> Result<(), Halt> {
        Ok(self.loaded.fill(seed)?)
    }

    pub fn working_set(&self) -> Option<WorkingSet> {
        self.loaded.working_set()
    }

    pub const fn timer(&self) -> Option<Timer> {
        self.timer
    }

    pub fn output(&mut self) -> Result<Output, Halt> {
        Ok(self.loaded.output()?)
    }

    /// One batch of a given number of iterations.
    pub fn batch(&mut self, iterations: u64) -> Result<Batch, Halt> {
        if let Some(stop) = self.control.stop() {
            return Err(Halt::Stop(stop));
        }
        let batch = self.loaded.run(iterations)?;
        self.at = self.at + batch.elapsed;
        self.timer = Some(batch.timer);
        self.last = batch.conditions.unwrap_or(self.last);
        Ok(batch)
    }

    /// Finds how many iterations take about `target`.
    pub fn size(&mut self, target: Seconds) -> Result<(), Halt> {
        self.iterations = 1;
        for _ in 0..40 {
            let elapsed = self.shortest()?;
            let factor = target.get() / elapsed.get().max(1e-9);
            // Within a fifth is near enough; a first guess from a too short batch is not trusted further than tenfold.
            if factor < 1.2 {
                break;
            }
            self.iterations = scaled(self.iterations, factor.min(10.0));
        }
        Ok(())
    }

    /// Time of a batch that as little as possible came between: the shortest of a few, for short ones.
    ///
    /// Beside a spinning process one run in ten is cut in two; a size found from such a one is too small, and samples
    /// of 30 us where 150 us were meant read 2.5 % low.
    fn shortest(&mut self) -> Result<Seconds, Halt> {
        const TRIES: u32 = 6;
        const SHORT: f64 = 1e-3;
        let mut shortest = self.batch(self.iterations)?.elapsed;
        for _ in 1..TRIES {
            if shortest.get() > SHORT {
                break;
            }
            let elapsed = self.batch(self.iterations)?.elapsed;
            shortest = if elapsed < shortest { elapsed } else { shortest };
        }
        Ok(shortest)
    }

    /// Runs one window of about `length`.
    pub fn window(&mut self, phase: Phase, length: Seconds) -> Result<Window, Halt> {
        let start_s = self.at;
        let mut window = Window {
            phase,
            start_s,
            elapsed_s: Seconds::default(),
            iterations: 0,
            clean_iterations: 0,
            clean_elapsed_s: Seconds::default(),
            conditions: self.last,
        };
        while window.elapsed_s < length {
            let batch = self.batch(self.iterations)?;
            window.iterations += self.iterations;
            window.elapsed_s = window.elapsed_s + batch.elapsed;
            if batch.interference.is_none_or(|between| between.is_clean(batch.elapsed)) {
                window.clean_iterations += self.iterations;
                window.clean_elapsed_s = window.clean_elapsed_s + batch.elapsed;
            }
        }
        window.conditions = self.last;
        Ok(window)
    }

    /// Runs windows for at least `length`, or until `done` says so.
    pub fn windows(
        &mut self,
        (phase, length, window): (Phase, Seconds, Seconds),
        windows: &mut Vec<Window>,
        done: impl Fn(&[Window]) -> bool,
    ) -> Result<(), Halt> {
        let start = self.at;
        loop {
            let done_s = Seconds::new(self.at.get() - start.get()).unwrap_or_default();
            self.control.progress(Progress::Phase { phase, done_s, expected_s: length });
            if done_s >= length || done(windows) {
                return Ok(());
            }
            windows.push(self.window(phase, window)?);
        }
    }

    /// Takes samples: at least `least` that nothing came between, over at least `(shortest, _)`, and not longer than
    /// `(_, longest)`.
    pub fn samples(
        &mut self,
        least: usize,
        most: usize,
        (shortest, longest): (Seconds, Seconds),
    ) -> Result<Samples, Halt> {
        let start = self.at;
        let mut samples = Samples::default();
        let mut clean = 0;
        loop {
            let done_s = Seconds::new(self.at.get() - start.get()).unwrap_or_default();
            if samples.len().is_multiple_of(64) || done_s.get() > 0.1 {
                self.control.progress(Progress::Phase { phase: Phase::Sample, done_s, expected_s: shortest });
            }
            let enough = clean >= least && done_s >= shortest;
            if enough || done_s >= longest || samples.len() >= most {
                return Ok(samples);
            }
            let at = self.at;
            let batch = self.batch(self.iterations)?;
            samples.push(at, self.iterations, &batch);
            clean += usize::from(batch.interference.is_none_or(|between| between.is_clean(batch.elapsed)));
        }
    }
}

fn scaled(iterations: u64, factor: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of iterations near enough to a target time"
    )]
    let grown = (iterations as f64 * factor).ceil() as u64;
    grown.max(iterations + 1)
}

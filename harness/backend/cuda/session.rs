//! The runs of one loaded case: timed, with both clocks compared and what a reader must know beside the figure.

use super::gpu::Gpu;
use crate::backend::clocks::Clocks;
use crate::backend::{BackendError, Batch};
use crate::device::Finding;

/// Runs of one case.
pub(super) struct Session<'a> {
    pub gpu: &'a Gpu,
    clocks: Clocks,
    notes: Vec<Finding>,
}

impl<'a> Session<'a> {
    /// No run yet.
    pub fn new(gpu: &'a Gpu, notes: Vec<Finding>) -> Self {
        Self { gpu, clocks: Clocks::default(), notes }
    }

    /// One thing more that a reader must know.
    pub fn note(&mut self, finding: Finding) {
        self.notes.push(finding);
    }

    /// Times what `launch` puts into the stream.
    pub fn run(
        &mut self,
        iterations: u64,
        launch: impl FnOnce() -> Result<(), BackendError>,
    ) -> Result<Batch, BackendError> {
        self.gpu.timed(&mut self.clocks, iterations, launch)
    }

    /// Notes, and whether the clocks agree.
    pub fn findings(&self) -> Vec<Finding> {
        self.notes.iter().cloned().chain(self.clocks.finding()).collect()
    }
}

//! A copy between two buffers as a loaded case.

use wgpu::{Buffer, BufferUsages};

use super::compiled::Compiled;
use super::gpu::Gpu;
use super::telemetry::Watch;
use super::timed::{Launch, SUBMISSION, Timed};
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output};
use crate::device::Finding;
use crate::units::{Bytes, Ops, Seconds};
use crate::workload::{BufferSize, copy_pattern, copy_poison};

/// Invocations of a row of the grid.
const ROW: u64 = 65_535 / 2 * 256;

/// A copy, ready to run.
pub(super) struct CopyCase<'a> {
    gpu: &'a Gpu,
    compiled: Compiled,
    source: Buffer,
    destination: Buffer,
    launch: Launch,
    timed: Timed,
    watch: &'a Watch,
    buffer: BufferSize,
    times: u64,
}

impl<'a> CopyCase<'a> {
    pub fn load(
        gpu: &'a Gpu,
        buffer: BufferSize,
        compiled: Compiled,
        watch: &'a Watch,
    ) -> Result<Self, LoadError> {
        let (bytes, most) = (buffer.get(), gpu.limits.max_storage_buffer_binding_size);
        if bytes > most {
            return Err(LoadError::Memory {
                needed: buffer.to_string(),
                available: format!("{} a binding", Bytes::new(most)),
            });
        }
        let (source, destination) = (gpu.storage(bytes)?, gpu.storage(bytes)?);
        let vectors = bytes / 16;
        let row = vectors.min(ROW).next_multiple_of(256);
        let word = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
        let extent = [word(vectors), word(row), [0; 4], [0; 4]].concat();
        let extent = gpu.upload(&extent, BufferUsages::UNIFORM)?;
        let group = compiled.bind(gpu, &[&extent, &source, &destination])?;
        let groups = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let launch = Launch { group, grid: (groups(row / 256), groups(vectors.div_ceil(row))) };
        let timed = Timed::new(gpu)?;
        let mut case = Self { gpu, compiled, source, destination, launch, timed, watch, buffer, times: 1 };
        case.fill(0)?;
        case.run(1)?;
        let elapsed = case.run(1)?.elapsed.get();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small count, rounded down"
        )]
        let times = (SUBMISSION / elapsed) as u64;
        case.times = times.clamp(1, 4096);
        Ok(case)
    }
}

impl Loaded for CopyCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        Ops::ZERO
    }

    fn bytes_per_iteration(&self) -> Option<Bytes> {
        Some(self.buffer.traffic())
    }

    fn fill(&mut self, seed: u64) -> Result<(), BackendError> {
        let pattern = copy_pattern(self.buffer, seed);
        let poison = copy_poison(&pattern);
        let written = self.gpu.scoped(|| {
            self.gpu.queue.write_buffer(&self.source, 0, &pattern);
            self.gpu.queue.write_buffer(&self.destination, 0, &poison);
        });
        written.map_err(|error| self.gpu.failed(error.to_string()))
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let mut elapsed = Seconds::default();
        let mut left = iterations;
        while left > 0 {
            let now = left.min(self.times);
            let launches = std::iter::repeat_n(&self.launch, usize::try_from(now).unwrap_or(1));
            elapsed = elapsed + self.timed.run(self.gpu, &self.compiled.pipeline, launches)?;
            left -= now;
        }
        Ok(self.timed.batch(elapsed, self.watch.read()))
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        Ok(Output::Copied(self.gpu.download(&self.destination)?))
    }

    fn findings(&self) -> Vec<Finding> {
        self.timed.findings()
    }
}

//! A copy between two buffers as a loaded case.

use cudarc::driver::{CudaSlice, LaunchConfig, PushKernelArg};

use super::gpu::Gpu;
use super::kernel::Kernel;
use super::rows::COPY;
use super::session::Session;
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output, WorkingSet};
use crate::device::Finding;
use crate::units::{Bytes, Ops};
use crate::workload::{BufferSize, copy_pattern, copy_poison};

/// Bytes that one thread moves at a time.
const QUAD: u64 = 16;

/// A copy, ready to run.
pub(super) struct CopyCase<'a> {
    session: Session<'a>,
    kernel: Kernel,
    source: CudaSlice<u8>,
    destination: CudaSlice<u8>,
    buffer: BufferSize,
    blocks: u32,
    cache: u64,
}

impl<'a> CopyCase<'a> {
    /// Takes the memory, fills it and runs once.
    pub fn load(
        gpu: &'a Gpu,
        kernel: Kernel,
        buffer: BufferSize,
        (multiprocessors, cache): (u32, u64),
    ) -> Result<Self, LoadError> {
        let fit = kernel
            .function
            .occupancy_max_active_blocks_per_multiprocessor(COPY.threads, 0, None)
            .map_err(|error| gpu.load_error("asking for the occupancy", 0, error))?;
        let needed = buffer.get() / QUAD / u64::from(COPY.threads);
        let blocks = (multiprocessors * fit).min(u32::try_from(needed).unwrap_or(u32::MAX)).max(1);
        let (source, destination) = (gpu.filled(buffer.get(), 0)?, gpu.filled(buffer.get(), 0xff)?);
        let session = Session::new(gpu, vec![kernel.note()]);
        let mut case = Self { session, kernel, source, destination, buffer, blocks, cache };
        case.run(1)?;
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

    fn working_set(&self) -> Option<WorkingSet> {
        let cache_bytes = Bytes::new(self.cache);
        (self.cache > 0).then(|| WorkingSet { bytes: self.buffer.traffic(), cache_bytes })
    }

    fn fill(&mut self, seed: u64) -> Result<(), BackendError> {
        let pattern = copy_pattern(self.buffer, seed);
        let poison = copy_poison(&pattern);
        let gpu = self.session.gpu;
        gpu.write(&pattern, &mut self.source)?;
        gpu.write(&poison, &mut self.destination)
    }

    #[expect(unsafe_code, reason = "launches a kernel")]
    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let Self { session, kernel, source, destination, .. } = self;
        let gpu = session.gpu;
        let quads = self.buffer.get() / QUAD;
        let config = LaunchConfig {
            grid_dim: (self.blocks, 1, 1),
            block_dim: (COPY.threads, 1, 1),
            shared_mem_bytes: 0,
        };
        session.run(iterations, || {
            for _ in 0..iterations {
                let mut builder = gpu.stream.launch_builder(&kernel.function);
                builder.arg(&mut *destination).arg(&*source).arg(&quads);
                // SAFETY: the arguments are the kernel's, and both buffers have that many quads.
                let launched = unsafe { builder.launch(config) };
                launched.map_err(|error| gpu.error("launching", error))?;
            }
            Ok(())
        })
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        Ok(Output::Copied(self.session.gpu.downloaded(&self.destination)?))
    }

    fn findings(&self) -> Vec<Finding> {
        self.session.findings()
    }
}

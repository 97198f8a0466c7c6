//! An issue-rate kernel as a loaded case: one launch on every multiprocessor, its accumulators held against a replay.

use cudarc::driver::{CudaSlice, LaunchConfig, PushKernelArg};

use super::gpu::Gpu;
use super::kernel::Kernel;
use super::product_case::allow_shared;
use super::rows::Row;
use super::session::Session;
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output};
use crate::device::Finding;
use crate::units::Ops;

/// Trips of one launch at most: well below the 2^31 of the kernels' counter, and seconds on any device.
const TRIPS: u64 = 1 << 26;

/// An issue-rate kernel, ready to run.
pub(super) struct IssueCase<'a> {
    session: Session<'a>,
    row: &'static Row,
    kernel: Kernel,
    operands: CudaSlice<u8>,
    accumulators: CudaSlice<u8>,
    blocks: u32,
    steps: u64,
}

impl<'a> IssueCase<'a> {
    /// Fills as many blocks as the device holds at once, and runs once.
    pub(super) fn load(
        gpu: &'a Gpu,
        row: &'static Row,
        kernel: Kernel,
        multiprocessors: u32,
    ) -> Result<Self, LoadError> {
        allow_shared(gpu, &kernel.function, row.shared_bytes())?;
        let shared = usize::try_from(row.shared_bytes()).unwrap_or(0);
        let fit = kernel
            .function
            .occupancy_max_active_blocks_per_multiprocessor(row.threads(), shared, None)
            .map_err(|error| gpu.load_error("asking for the occupancy", 0, error))?;
        if fit == 0 {
            let reason = format!("{} does not fit a multiprocessor of this device", row.name);
            return Err(LoadError::Unsupported { reason });
        }
        let blocks = multiprocessors * fit.min(row.blocks_per_multiprocessor());
        let accumulators = gpu.filled(row.output_bytes_per_block() * u64::from(blocks), 0xff)?;
        let operands = gpu.uploaded(&row.operands())?;
        let session = Session::new(gpu, vec![kernel.note()]);
        let mut case = Self { session, row, kernel, operands, accumulators, blocks, steps: 0 };
        case.run(1)?;
        Ok(case)
    }
}

impl Loaded for IssueCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        self.row.ops_per_iteration(self.blocks)
    }

    #[expect(unsafe_code, reason = "launches a kernel")]
    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let config = LaunchConfig {
            grid_dim: (self.blocks, 1, 1),
            block_dim: (self.row.threads(), 1, 1),
            shared_mem_bytes: self.row.shared_bytes(),
        };
        let Self { session, kernel, operands, accumulators, steps, .. } = self;
        let gpu = session.gpu;
        let mut left = iterations;
        session.run(iterations, || {
            while left > 0 {
                let trips = left.min(TRIPS);
                let count = u32::try_from(trips).unwrap_or(u32::MAX);
                let mut builder = gpu.stream.launch_builder(&kernel.function);
                builder.arg(&mut *accumulators).arg(&*operands).arg(&count);
                // SAFETY: the arguments are those of `Parameters::Issue`, and the output has the bytes that the row says.
                let launched = unsafe { builder.launch(config) };
                launched.map_err(|error| gpu.error("launching", error))?;
                (left, *steps) = (left - trips, trips);
            }
            Ok(())
        })
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        let values = self.row.accumulators(&self.session.gpu.downloaded(&self.accumulators)?);
        let one = self.row.expected(self.steps);
        let blocks = usize::try_from(self.blocks).unwrap_or(0);
        let expected = std::iter::repeat_n(one, blocks).flatten().collect();
        Ok(Output::Accumulators { values, expected, steps: self.steps })
    }

    fn findings(&self) -> Vec<Finding> {
        self.session.findings()
    }
}

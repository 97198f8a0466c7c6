//! An issue-rate kernel as a loaded case: one launch on every multiprocessor, its accumulators held against a replay.

use cudarc::driver::{CudaFunction, CudaSlice, LaunchConfig, PushKernelArg};

use super::gpu::Gpu;
use super::product_case::allow_shared;
use super::rows::Row;
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output};
use crate::units::Ops;

/// Trips of one launch at most: well below the 2^31 of the kernels' counter, and seconds on any device.
const TRIPS: u64 = 1 << 26;

/// An issue-rate kernel, ready to run.
pub(super) struct IssueCase<'a> {
    gpu: &'a Gpu,
    row: &'static Row,
    function: CudaFunction,
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
        function: CudaFunction,
        multiprocessors: u32,
    ) -> Result<Self, LoadError> {
        allow_shared(gpu, &function, row.shared_bytes())?;
        let shared = usize::try_from(row.shared_bytes()).unwrap_or(0);
        let fit = function
            .occupancy_max_active_blocks_per_multiprocessor(row.threads(), shared, None)
            .map_err(|error| gpu.load_error("asking for the occupancy", 0, error))?;
        if fit == 0 {
            let reason = format!("{} does not fit a multiprocessor of this device", row.name);
            return Err(LoadError::Unsupported { reason });
        }
        let blocks = multiprocessors * fit.min(row.blocks_per_multiprocessor());
        let accumulators = gpu.filled(row.output_bytes_per_block() * u64::from(blocks), 0xff)?;
        let operands = gpu.uploaded(&row.operands())?;
        let mut case = Self { gpu, row, function, operands, accumulators, blocks, steps: 0 };
        case.launch(1)?;
        gpu.wait("the first launch")?;
        Ok(case)
    }

    #[expect(unsafe_code, reason = "launches a kernel")]
    fn launch(&mut self, trips: u64) -> Result<(), BackendError> {
        let config = LaunchConfig {
            grid_dim: (self.blocks, 1, 1),
            block_dim: (self.row.threads(), 1, 1),
            shared_mem_bytes: self.row.shared_bytes(),
        };
        let trips = u32::try_from(trips).unwrap_or(u32::MAX);
        let mut builder = self.gpu.stream.launch_builder(&self.function);
        builder.arg(&mut self.accumulators).arg(&self.operands).arg(&trips);
        // SAFETY: the arguments are those of `Parameters::Issue`, and the output has the bytes that the row says.
        let launched = unsafe { builder.launch(config) };
        launched.map(|_| ()).map_err(|error| self.gpu.error("launching", error))
    }
}

impl Loaded for IssueCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        self.row.ops_per_iteration(self.blocks)
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let gpu = self.gpu;
        let mut left = iterations;
        gpu.timed(iterations, || {
            while left > 0 {
                let trips = left.min(TRIPS);
                self.launch(trips)?;
                (left, self.steps) = (left - trips, trips);
            }
            Ok(())
        })
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        let values = self.row.accumulators(&self.gpu.downloaded(&self.accumulators)?);
        let one = self.row.expected(self.steps);
        let blocks = usize::try_from(self.blocks).unwrap_or(0);
        let expected = std::iter::repeat_n(one, blocks).flatten().collect();
        Ok(Output::Accumulators { values, expected, steps: self.steps })
    }
}

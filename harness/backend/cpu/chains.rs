//! Whether the shipped number of accumulator chains is the right one: every number, measured in turn on one core.

use std::time::Duration;

use super::error::CpuError;
use super::issue::{SAMPLE, kernels, sweep};
use super::pin::Pinned;
use super::topology::usable_cores;
use crate::precision::Precision;
use crate::units::Ratio;

/// Rates of one kernel by its number of chains.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainSweep {
    /// Name of the kernel.
    pub kernel: &'static str,
    /// Format of its operands.
    pub precision: Precision,
    /// Number of chains that is shipped.
    pub shipped: usize,
    /// Median operations per cycle for each number of chains, from 1 upwards; `None` where no sample was clean.
    pub op_per_cycle: Vec<Option<Ratio>>,
    /// Rate of the shipped number over that of the best one.
    pub shipped_over_best: Option<Ratio>,
}

/// Sweeps every native kernel that this machine can execute, on the first core.
///
/// **Errors**: those of the kernels and of the clock.
pub fn chain_sweeps(rounds: usize) -> Result<Vec<ChainSweep>, CpuError> {
    let _pinned = Pinned::to(usable_cores(Some(1))?.logical.first().copied());
    let length: Duration = SAMPLE;
    let rows = kernels().iter().filter(|kernel| kernel.native && kernel.available());
    let one = |kernel| {
        let found = sweep(kernel, rounds, length)?;
        Ok(ChainSweep {
            kernel: kernel.name,
            precision: kernel.precision,
            shipped: kernel.chains,
            op_per_cycle: found.points.iter().map(super::issue::SweepPoint::ops_per_cycle).collect(),
            shipped_over_best: found.shipped_over_best(),
        })
    };
    rows.map(one).collect()
}

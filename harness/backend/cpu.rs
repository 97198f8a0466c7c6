//! The CPU: issue-rate kernels, clock, topology and limits, sensors, and matrix products by the built-in engine and
//! by whatever library the machine has.

#[cfg(target_arch = "x86_64")]
mod amx;
mod barrier;
mod blas;
mod chains;
mod clock;
mod copy;
mod copy_case;
mod device;
mod error;
mod gemm;
mod gemm_case;
mod host_load;
mod identity;
mod interference;
mod isa;
mod issue;
mod issue_case;
mod library;
mod memory;
mod pin;
mod rows;
mod sensors;
mod team;
mod throughput;
mod topology;
mod usage;
mod watch;

pub use chains::{ChainSweep, chain_sweeps};
pub use device::CpuBackend;
pub use error::CpuError;

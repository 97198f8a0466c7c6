//! Where it runs: one folder per backend, and the two traits that they share. The only room with `unsafe`.

mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
mod error;
mod registry;
pub mod scripted;
mod traits;

pub use cpu::{ChainSweep, CpuError, chain_sweeps};
pub use error::{BackendError, LoadError};
pub use registry::{BACKENDS, OpenError, Probe, Search, open, probe};
pub use traits::{
    Backend, Batch, Conditions, Implementation, Interference, Loaded, OpenOptions, Output, Timer, WorkingSet,
};

//! Where it runs: one folder per backend, and the two traits that they share. The only room with `unsafe`.

mod cpu;
mod error;
mod registry;
pub mod scripted;
mod traits;
#[cfg(feature = "wgpu")]
pub mod wgpu;

/// Stands in where the feature is off.
#[cfg(not(feature = "wgpu"))]
mod wgpu {
    use super::Backend;
    use crate::device::Device;

    pub fn probe() -> Result<Vec<Device>, String> {
        Err("this build of flopgauge has no wgpu backend; its devices were not looked for".to_owned())
    }

    pub fn open(_: &str) -> Option<Result<Box<dyn Backend>, String>> {
        None
    }
}

pub use cpu::{ChainSweep, CpuError, chain_sweeps};
pub use error::{BackendError, LoadError};
pub use registry::{BACKENDS, OpenError, Probe, Search, open, probe};
pub use traits::{
    Backend, Batch, Conditions, Implementation, Interference, Loaded, OpenOptions, Output, Timer, WorkingSet,
};

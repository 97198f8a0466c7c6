//! Where it runs: one folder per backend, and the two traits that they share. The only room with `unsafe`.

#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod clocks;
mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
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

#[cfg(feature = "cuda")]
pub use cuda::OPEN_POINTS as CUDA_OPEN_POINTS;

/// Devices of the NVIDIA driver, or why there is none.
#[cfg(feature = "cuda")]
fn cuda_devices() -> Result<Vec<crate::device::Device>, String> {
    cuda::CudaBackend::probe()
}

/// Why there is none.
#[cfg(not(feature = "cuda"))]
fn cuda_devices() -> Result<Vec<crate::device::Device>, String> {
    Err("flopgauge was built without it; build with --features cuda".to_owned())
}

/// A device of the NVIDIA driver.
#[cfg(feature = "cuda")]
fn cuda_open(id: &str) -> Result<Box<dyn Backend>, String> {
    Ok(Box::new(cuda::CudaBackend::open(id)?))
}

/// Why there is none.
#[cfg(not(feature = "cuda"))]
fn cuda_open(_: &str) -> Result<Box<dyn Backend>, String> {
    cuda_devices().map(|_| String::new()).and_then(Err)
}

//! NVIDIA devices: the kernels and what each is counted as, the compiler that makes machine code of them, the driver
//! that runs them, and NVML's sensors. Every library is loaded at run time; a missing one is a reason, never a panic.

mod backend;
mod compile;
mod device;
mod driver;
mod gpu;
mod issue_case;
mod libraries;
pub mod nvrtc;
mod product_case;
pub mod rows;
#[cfg(test)]
mod static_check;
mod telemetry;

pub use backend::CudaBackend;
pub use telemetry::Telemetry;

/// What is unproved until a GPU has run it, one line each.
pub const OPEN_POINTS: &str = include_str!("cuda/open.txt");

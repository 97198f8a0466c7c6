//! NVIDIA devices: the kernels and what each is counted as, the compiler that makes machine code of them, the driver
//! that runs them, and NVML's sensors. Every library is loaded at run time; a missing one is a reason, never a panic.

mod backend;
mod compile;
mod copy_case;
mod cublaslt;
mod device;
mod driver;
mod gpu;
mod issue_case;
mod kernel;
mod libraries;
pub mod nvrtc;
mod operands;
mod own_product;
mod product_case;
mod rotation;
pub mod rows;
mod session;
#[cfg(test)]
mod static_check;
mod telemetry;
mod tensor_map;

pub use backend::CudaBackend;

/// What is unproved until a GPU has run it, one line each.
pub const OPEN_POINTS: &str = include_str!("cuda/open.txt");

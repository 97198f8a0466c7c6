//! Every GPU that Vulkan, Metal or DX12 reaches, by WGSL kernels. Metal and DX12 compile and were run by nobody yet.

mod adapters;
mod compiled;
mod copy_case;
mod counts;
mod device;
mod faults;
mod gpu;
mod issue_case;
mod loops;
mod panels;
mod product_case;
mod table;
mod telemetry;
mod template;
mod timed;
#[cfg(not(any(target_os = "macos", target_os = "ios")))]
mod vulkan;

pub use counts::{Count, counts};
pub use device::{open, probe};
pub use loops::LOOPS;
pub use table::{Kernel, Shader, kernels};
pub use template::{TemplateError, Variant, render};

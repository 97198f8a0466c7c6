//! Packed matrix products on the CPU: C[m, n] = A[m, k] B[k, n], row-major, C overwritten.
//!
//! The product's own engine, so that the built-in rate does not depend on what is installed.
//! Equal inputs give bit-identical results on any number of threads. No timing here.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_dot;
mod blocking;
mod driver;
mod edge;
mod engine;
mod kernel;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
#[cfg(target_arch = "x86_64")]
mod pack_avx512;
#[cfg(target_arch = "x86_64")]
mod pack_sse2;
mod portable;
mod scratch;
mod select;
#[cfg(test)]
mod tests;
mod vector;
mod widen;

pub use engine::{Gemm, Layout, Shape};
pub use select::{Isa, Kernel, Operand, Unit, kernels};

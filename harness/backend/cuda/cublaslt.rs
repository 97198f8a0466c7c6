//! NVIDIA's library for matrix products as an implementation beside the built-in kernels: its formats and their rules,
//! how row-major matrices are told to it, and which of its algorithms is measured.

mod format;
mod library;
mod mapping;
mod plan;
mod product;
mod scales;

pub(super) use format::{Format, absence, format, formats};
pub(super) use library::CublasLt;
pub(super) use product::load;

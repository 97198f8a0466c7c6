//! What is computed: shapes, operation counts, seeded inputs, references and tolerances. Pure; knows no device.

mod case;
mod copy;
mod elements;
mod gemm;
mod input;
mod reference;
pub mod small;
mod tolerance;
pub mod verify;

pub use case::{Case, Method, Work};
pub use copy::{BufferSize, BufferSizeError, COPY_FORMAT, copy_pattern, copy_poison};
pub use elements::Elements;
pub use gemm::{GemmShape, Layout, ShapeError};
pub use input::{Distribution, Operand, operand};
pub use reference::{Reference, reference};
pub use tolerance::{Tolerance, unit_roundoff};

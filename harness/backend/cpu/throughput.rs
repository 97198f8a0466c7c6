//! Operations per core cycle: a dated table (`cpu.toml`), and which of its rows this processor is.

mod lookup;
mod table;

pub use lookup::{Throughput, lookup};
pub use table::{Rate, built_in};

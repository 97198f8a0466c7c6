//! Doubles of the libraries that flopgauge loads on a machine with an NVIDIA device: the driver, NVML and cuBLASLt, in
//! one library that stands under three names. Kernels are executed by the interpreter of PTX. For tests alone: every
//! device is `simulated`, by the symbol `flopgauge_simulator`. The README of the simulator says what it cannot show.

mod configuration;
mod counter;
pub mod cublaslt;
pub mod driver;
mod limits;
mod machine;
pub mod nvml;
mod pointer;
mod product;
mod state;

/// A line on standard error.
pub(crate) fn say(what: &str) {
    use std::io::Write;
    // Nobody is told that standard error cannot be written.
    let _ = writeln!(std::io::stderr(), "simulated driver: {what}");
}

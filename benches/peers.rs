//! The CPU backend beside the C libraries of this machine, interleaved in one run, as ratios.
//!
//! `cargo bench --bench peers` prints the whole table; `-- issue` or `-- gemm` one part of it. Not a criterion bench:
//! what counts is the ratio of neighbours in time, for the machine drifts by more than they differ.
#![expect(clippy::print_stdout, reason = "the table is the result")]

#[path = "peers/gemm.rs"]
mod gemm;
#[path = "peers/issue.rs"]
mod issue;

use flopgauge::backend::{Backend, OpenOptions, Search, open};

/// Anything that ends the bench early.
type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let part = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let device = cpu(None)?;
    println!("{}, flopgauge {}", device.device().model, env!("CARGO_PKG_VERSION"));
    for note in &device.device().notes {
        println!("  {note}");
    }
    let cores = device.device().units.unwrap_or(1);
    drop(device);
    if part("issue") {
        issue::table(cores)?;
    }
    if part("gemm") {
        gemm::table(cores)?;
    }
    Ok(())
}

/// The CPU with a number of threads.
fn cpu(threads: Option<usize>) -> Result<Box<dyn Backend>, Failure> {
    Ok(open(&Search { options: OpenOptions { threads }, ..Search::default() }, "cpu:0")?)
}

/// The middle one of some values.
fn median(values: &[f64]) -> f64 {
    flopgauge::measure::statistics::median(values).unwrap_or(f64::NAN)
}

/// Geometric mean.
#[expect(clippy::cast_precision_loss, reason = "a handful of values")]
fn geometric_mean(values: &[f64]) -> f64 {
    (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp()
}

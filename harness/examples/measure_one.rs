//! Measures one product on the first core from a program of your own, and judges what came back.
//!
//! Run it with `cargo run --release --example measure_one`.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use flopgauge::backend::{OpenOptions, Search, open};
use flopgauge::measure::{Outcome, Pace, Request, Schedule, Unattended, measure};
use flopgauge::precision::Precision;
use flopgauge::workload::{Distribution, GemmShape, Layout, Work};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let search = Search { options: OpenOptions { threads: Some(1) }, ..Search::default() };
    let mut backend = open(&search, "cpu:0")?;
    let work = Work::Gemm {
        shape: GemmShape::new(512, 512, 512)?,
        layout: Layout::Nn,
        input: Distribution::Normal,
        seed: 1,
    };
    let request = Request { precision: Precision::Fp32, accumulate: None, work, implementation: None };
    let schedule = Schedule::of(request.work.method(), Pace::Quick);
    match measure(backend.as_mut(), &request, &schedule, &Unattended) {
        Outcome::Measured(measured) => {
            let headline = measured.headline().ok_or("no samples")?;
            let rate = headline.statistics.rate_op_per_s;
            println!("{} on {}", measured.implementation.name, backend.device().model);
            println!("{} to {}", rate.low.display(false), rate.high.display(false));
            println!("steady: {}, checks passed: {}", measured.is_steady(), measured.checks.len());
        }
        other => println!("{}: {}", other.name(), other.reason().unwrap_or_default()),
    }
    Ok(())
}

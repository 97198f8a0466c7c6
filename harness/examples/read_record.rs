//! Reads a record directory, strictly, and prints each rate with its interval.
//!
//! Run it with `cargo run --example read_record -- results/SOME-RECORD`.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::path::PathBuf;

use flopgauge::record::{Record, Row};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a record directory")?;
    let record = Record::read(&PathBuf::from(folder))?;
    println!("measured {} by flopgauge {}", record.environment.started, record.environment.version);
    for measurement in &record.measurements {
        let row = Row::of(measurement);
        match (row.rate_op_per_s, row.rate_low_op_per_s, row.rate_high_op_per_s) {
            (Some(median), Some(low), Some(high)) => println!(
                "{} {} {}: {} ({} to {})",
                row.device,
                row.precision,
                row.method,
                median.display(row.precision.is_integer()),
                low.display(row.precision.is_integer()),
                high.display(row.precision.is_integer())
            ),
            _ => println!("{} {} {}: {}", row.device, row.precision, row.method, row.outcome),
        }
    }
    Ok(())
}

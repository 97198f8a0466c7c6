//! Reads a record directory, strictly, and prints each rate with its interval.
//!
//! Run it with `cargo run --example read_record -- results/SOME-RECORD`.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::path::PathBuf;

use flopgauge::record::{CopyRow, Record, Row};
use flopgauge::units::OpRate;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a record directory")?;
    let record = Record::read(&PathBuf::from(folder))?;
    println!("measured {} by flopgauge {}", record.environment.started, record.environment.version);
    for measurement in &record.measurements {
        let row = Row::of(measurement);
        let format = row.precision.map(|precision| format!("{precision} ")).unwrap_or_default();
        let case = format!("{} {format}{}", row.device, row.method);
        if let Some(rate) = CopyRow::of(measurement).and_then(|copy| copy.rate_byte_per_s) {
            println!("{case}: {rate}");
            continue;
        }
        let shown = |rate: OpRate| rate.display(measurement.request.precision.is_integer());
        match (row.rate_op_per_s, row.rate_low_op_per_s, row.rate_high_op_per_s) {
            (Some(median), Some(low), Some(high)) => {
                println!("{case}: {} ({} to {})", shown(median), shown(low), shown(high));
            }
            _ => println!("{case}: {}", row.outcome),
        }
    }
    Ok(())
}

//! Copies of memory in the table of a run: bytes per second, apart from every rate of operations.

use super::table::{shown, table};
use crate::measure::{Measured, Outcome, bandwidth_share};
use crate::record::Measurement;
use crate::workload::Work;

/// Names of the columns.
pub(super) const HEADER: [&str; 6] = ["memory", "theoretical", "copied", "of it", "burst", "by; state"];

/// The copies among `measurements`, which are of one device; empty where there are none.
pub(super) fn copy_table(measurements: &[&Measurement], width: Option<u16>) -> String {
    let mut rows = table(&HEADER, 1..5, width);
    let cells = copy_rows(measurements);
    if cells.is_empty() {
        return String::new();
    }
    rows.add_rows(cells);
    shown(rows, width)
}

/// Their rows under [`HEADER`].
pub(super) fn copy_rows(measurements: &[&Measurement]) -> Vec<[String; 6]> {
    let one = |measurement: &&Measurement| {
        let Work::Copy { buffer_bytes } = measurement.request.work else { return None };
        Some(row(measurement, &format!("2 x {buffer_bytes}")))
    };
    measurements.iter().filter_map(one).collect()
}

fn row(measurement: &Measurement, buffers: &str) -> [String; 6] {
    let none = || "-".to_owned();
    let Outcome::Measured(measured) = &measurement.result else {
        let outcome = measurement.result.name().to_owned();
        return [buffers.to_owned(), none(), outcome, none(), none(), "no figure".to_owned()];
    };
    let (share, _) = bandwidth_share(&measurement.device, measured);
    let copied = measured.bandwidth().map(|bandwidth| {
        let rate = bandwidth.rate_byte_per_s;
        let half = (rate.high.get() - rate.low.get()) / 2.0 / rate.median.get() * 100.0;
        format!("{} ±{half:.1} %", rate.median)
    });
    [
        buffers.to_owned(),
        share.map_or("unknown".to_owned(), |share| share.theoretical.to_string()),
        copied.unwrap_or_else(|| "no sample".to_owned()),
        share.map_or_else(none, |share| share.ratio.to_string()),
        measured.burst_bandwidth().map_or_else(none, |rate| rate.to_string()),
        format!("{}; {}", measured.implementation.name, state(measured)),
    ]
}

fn state(measured: &Measured) -> String {
    let found = |rule: &str| measured.findings.iter().any(|finding| finding.rule == rule);
    let mut words = vec![if measured.is_verified() { "verified" } else { "NOT VERIFIED" }];
    let disturbed = measured.bandwidth().is_some_and(|bandwidth| bandwidth.is_disturbed());
    for (holds, word) in [
        (measured.has_error(), "NOT CREDIBLE"),
        (found("cache-measured"), "A CACHE, NOT MEMORY"),
        (found("cache-unknown"), "memory or cache"),
        (!measured.is_steady(), "NOT STEADY"),
        (found("uneven"), "UNEVEN"),
        (disturbed, "DISTURBED"),
    ] {
        if holds {
            words.push(word);
        }
    }
    words.join(", ")
}

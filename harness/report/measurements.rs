//! The table of a run: theoretical, issue and sustained side by side, and in words whatever is no figure.

use std::collections::BTreeSet;

use super::copies::copy_table;
use super::fit::fit;
use super::run_line::run_line;
use super::summary::peak_text;
use super::table::{shown, table};
use crate::device::{Device, DeviceKind, Severity};
use crate::measure::{Efficiency, Measured, Outcome, efficiency};
use crate::precision::Arithmetic;
use crate::record::Measurement;
use crate::units::OpRate;
use crate::workload::{Method, Work};

const HEADER: [&str; 8] =
    ["precision", "theoretical", "issue", "of peak", "sustained", "of peak", "burst", "by; state"];

/// The outcomes of a run as a table for a person, device by device.
pub fn measurement_table(measurements: &[Measurement], width: Option<u16>) -> String {
    let mut devices: Vec<&Device> = Vec::new();
    for measurement in measurements {
        if !devices.iter().any(|device| device.id == measurement.device.id) {
            devices.push(&measurement.device);
        }
    }
    let mut text = String::new();
    for device in devices {
        let of: Vec<&Measurement> = measurements.iter().filter(|m| m.device.id == device.id).collect();
        text += &one_device(device, &of, width);
    }
    fit(&text, width)
}

fn one_device(device: &Device, measurements: &[&Measurement], width: Option<u16>) -> String {
    let label = match device.kind {
        DeviceKind::Hardware => String::new(),
        other => format!("  [{}: no figure here says anything of hardware]", other.name().to_uppercase()),
    };
    let mut text = format!("{}  {}{label}\n", device.id, device.model);
    let mut rows = table(&HEADER, 1..7, width);
    let computes = |m: &&&Measurement| !matches!(m.request.work, Work::Copy { .. });
    let known: BTreeSet<Arithmetic> = measurements.iter().filter(computes).map(|m| m.arithmetic()).collect();
    for arithmetic in known {
        let of: Vec<_> =
            measurements.iter().filter(computes).filter(|m| m.arithmetic() == arithmetic).collect();
        let issue = of.iter().find(|m| m.request.work.method() == Method::Issue);
        let products: Vec<_> = of.iter().filter(|m| m.request.work.method() == Method::Gemm).collect();
        if products.is_empty()
            && let Some(issue) = issue
        {
            rows.add_row(row(device, arithmetic, Some(issue), None));
        }
        for product in products {
            rows.add_row(row(device, arithmetic, issue.copied().copied(), Some(product)));
        }
    }
    if !rows.is_empty() {
        text += &shown(rows, width);
    }
    text += &copy_table(measurements, width);
    text.extend(measurements.iter().filter_map(|m| run_line(&what_short(m), as_measured(m)?, width)));
    text + &findings(measurements)
}

fn row(
    device: &Device,
    arithmetic: Arithmetic,
    issue: Option<&Measurement>,
    product: Option<&Measurement>,
) -> [String; 8] {
    let shown = |rate: OpRate| rate.display(arithmetic.precision.is_integer());
    let figures = [issue, product].map(|m| m.and_then(as_measured));
    let [of_issue, of_product] = figures.map(|m| m.and_then(|m| efficiency(device, m).0));
    let [_, product_figures] = figures;
    let native = figures.iter().flatten().any(|m| m.implementation.native);
    [
        arithmetic.to_string(),
        match peak_text(
            [&of_issue, &of_product].map(|of| of.as_ref().map(|of| (of.theoretical, of.basis))),
            shown,
            "",
        ) {
            Some(text) => text,
            None if figures.iter().all(Option::is_none) => "-".to_owned(),
            None if native => "unknown".to_owned(),
            None => "none: emulated".to_owned(),
        },
        cell(issue, shown),
        of_issue.as_ref().map_or("-".to_owned(), share),
        cell(product, shown),
        of_product.as_ref().map_or("-".to_owned(), share),
        product_figures.and_then(Measured::burst).map_or("-".to_owned(), shown),
        [product.or(issue).map_or(String::new(), what), state(figures)].join("; "),
    ]
}

fn as_measured(measurement: &Measurement) -> Option<&Measured> {
    match &measurement.result {
        Outcome::Measured(measured) => Some(measured),
        _ => None,
    }
}

/// A rate with half the width of its interval, or in words what became of the case.
fn cell(measurement: Option<&Measurement>, shown: impl Fn(OpRate) -> String) -> String {
    let Some(measurement) = measurement else { return "not planned".to_owned() };
    let Some(headline) = as_measured(measurement).and_then(Measured::headline) else {
        return measurement.result.name().to_owned();
    };
    let rate = headline.statistics.rate_op_per_s;
    let half = (rate.high.get() - rate.low.get()) / 2.0 / rate.median.get() * 100.0;
    format!("{} ±{half:.1} %", shown(rate.median))
}

/// The share of the headline peak, and where that is at another clock, of the peak at the observed one.
fn share(efficiency: &Efficiency) -> String {
    match efficiency.at_observed_clock {
        Some(observed) if efficiency.basis != crate::device::ClockBasis::Observed => {
            format!("{} ({observed} at its clock)", efficiency.ratio)
        }
        _ => efficiency.ratio.to_string(),
    }
}

fn what(measurement: &Measurement) -> String {
    let row = as_measured(measurement).map(|measured| &measured.implementation);
    let name = row.map(|row| if row.native { row.name.clone() } else { format!("{} (emulated)", row.name) });
    let shape = match measurement.request.work {
        Work::Issue | Work::Copy { .. } => None,
        Work::Gemm { shape, input, .. } => Some(format!("{shape} {input}")),
    };
    [name, shape].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn state(figures: [Option<&Measured>; 2]) -> String {
    let measured: Vec<&Measured> = figures.into_iter().flatten().collect();
    if measured.is_empty() {
        return "no figure".to_owned();
    }
    let mut words = vec![if measured.iter().all(|m| m.is_verified()) { "verified" } else { "NOT VERIFIED" }];
    if measured.iter().any(|m| m.has_error()) {
        words.push("NOT CREDIBLE");
    }
    if measured.iter().any(|m| !m.is_steady()) {
        words.push("NOT STEADY");
    }
    if measured.iter().any(|m| m.findings.iter().any(|finding| finding.rule == "uneven")) {
        words.push("UNEVEN");
    }
    if measured.iter().any(|m| m.headline().is_some_and(|headline| headline.is_disturbed())) {
        words.push("DISTURBED");
    }
    words.join(", ")
}

/// What a reader must know, each once with the cases that it holds for.
fn findings(measurements: &[&Measurement]) -> String {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |line: String, case: &str| match lines.iter_mut().find(|(known, _)| *known == line) {
        Some((_, cases)) => cases.push(case.to_owned()),
        None => lines.push((line, vec![case.to_owned()])),
    };
    for measurement in measurements {
        let case = what_short(measurement);
        if let Some(reason) = measurement.result.reason() {
            add(format!("{}: {reason}", measurement.result.name()), &case);
        }
        for finding in as_measured(measurement).iter().flat_map(|measured| &measured.findings) {
            let severity = match finding.severity {
                Severity::Fine | Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Error => "ERROR",
            };
            add(format!("{severity}: {}", finding.message), &case);
        }
    }
    lines.iter().map(|(line, cases)| format!("  {}: {line}\n", cases.join(", "))).collect()
}

fn what_short(measurement: &Measurement) -> String {
    let arithmetic = measurement.arithmetic();
    match measurement.request.work {
        Work::Issue => format!("{arithmetic} issue"),
        Work::Gemm { shape, input, .. } => format!("{arithmetic} gemm {shape} {input}"),
        Work::Copy { .. } => "copy".to_owned(),
    }
}

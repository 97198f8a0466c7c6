//! Calibrated profiles as tables for a person.

use super::devices::provenance;
use super::table::{shown, table};
use crate::profile::{DeviceProfile, Figure, PrecisionProfile, Profiles};
use crate::units::{Estimate, OpRate, Ratio};
use crate::workload::Work;

const HEADER: [&str; 9] =
    ["precision", "sums", "unit", "theoretical", "issue", "sustained", "devices", "spread", "sustained by"];

/// Every profile with its figures, where they hold and what a reader must know.
pub fn profile_table(profiles: &Profiles, width: Option<u16>) -> String {
    profiles.profiles.iter().map(|profile| one(profile, width)).collect::<Vec<_>>().join("\n")
}

fn one(profile: &DeviceProfile, width: Option<u16>) -> String {
    let device = &profile.device;
    let count = profile.devices.len();
    let devices = if count == 1 { "1 device".to_owned() } else { format!("{count} devices") };
    let mut text = format!("{}  ({}, {devices})\n", device.model, device.backend);
    let mut rows = table(&HEADER, 3..8, width);
    for row in &profile.precisions {
        rows.add_row(cells(row));
    }
    text += &shown(rows, width);
    for row in &profile.precisions {
        if let Some(theoretical) = &row.theoretical {
            let (basis, from) = (theoretical.clock_basis.name(), provenance(&theoretical.provenance));
            text += &format!("  {}: theoretical at {basis} clock: {from}\n", row.precision);
        }
        for (name, figure) in [("issue", &row.issue), ("sustained", &row.sustained)] {
            text += &figure.as_ref().map_or_else(String::new, |figure| beside(row, name, figure));
        }
        for note in &row.notes {
            text += &format!("  {}: {note}\n", row.precision);
        }
    }
    text
}

fn cells(row: &PrecisionProfile) -> [String; 9] {
    let integer = row.precision.is_integer();
    let nothing = || "-".to_owned();
    let measured = |rate: Option<Estimate<OpRate>>| {
        let shown = |rate: Estimate<OpRate>| {
            let half = (rate.high.get() - rate.low.get()) / 2.0 / rate.median.get() * 100.0;
            format!("{} ±{half:.1} %", rate.median.display(integer))
        };
        rate.map_or_else(nothing, shown)
    };
    let theoretical = row.theoretical_op_per_s.and_then(|rate| OpRate::new(rate.to_f64()).ok());
    let absent = if row.native { "unknown" } else { "none: emulated" };
    let best = row.sustained.as_ref().or(row.issue.as_ref());
    [
        row.precision.to_string(),
        row.accumulate.to_string(),
        format!("{:?}", row.unit).to_lowercase(),
        theoretical.map_or_else(|| absent.to_owned(), |rate| rate.display(integer)),
        measured(row.issue_op_per_s),
        measured(row.sustained_op_per_s),
        best.map_or_else(nothing, |figure| figure.devices.to_string()),
        best.and_then(|figure| figure.spread_between_devices)
            .map_or_else(nothing, |spread: Ratio| spread.to_string()),
        row.sustained.as_ref().map_or_else(nothing, identity),
    ]
}

fn identity(figure: &Figure) -> String {
    let name = &figure.case.implementation;
    match figure.case.work {
        Work::Issue | Work::Copy { .. } => name.clone(),
        Work::Gemm { shape, input, .. } => format!("{name} {shape} {input}"),
    }
}

/// Conditions and findings of a figure.
fn beside(row: &PrecisionProfile, name: &str, figure: &Figure) -> String {
    let conditions = &figure.conditions;
    let clock = conditions.clock_hz.map(|clock| format!("clock {}", clock.median));
    let power = conditions.power_w.map(|power| format!("power {}", power.median));
    let throttled = (conditions.throttled == Some(true)).then(|| "throttled".to_owned());
    let state: Vec<String> = [clock, power, throttled].into_iter().flatten().collect();
    let mut text = if state.is_empty() {
        String::new()
    } else {
        format!("  {}: {name} at {}\n", row.precision, state.join(", "))
    };
    for finding in &figure.findings {
        text += &format!("  {}: {name}: {}: {}\n", row.precision, finding.severity, finding.message);
    }
    text
}

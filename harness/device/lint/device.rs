//! Does a table speak of one device in one voice, and of the device that its name means?

use super::table::DEVICE_COLUMNS;
use super::{Context, TableFinding, TableRow};
use crate::device::Severity;
use crate::device::catalogue::Entry;
use crate::device::rates::plain;

/// Architecture, units and clock against the catalogue's entry of the same name.
pub(super) fn identity(context: &Context<'_>) -> Vec<TableFinding> {
    let mut findings = Vec::new();
    for rows in context.devices() {
        let Some(row) = rows.first() else { continue };
        if let Some(entry) = context.entry(row) {
            findings.extend(against(row, entry));
        }
    }
    findings
}

fn against(row: &TableRow, entry: &Entry) -> Vec<TableFinding> {
    let mut findings = Vec::new();
    let mut differs = |severity, rule: &str, what: &str, found: &str, known: String| {
        let text = format!("{what} is {found}, that of {} is {known}", entry.name);
        findings.push(row.device_finding(severity, rule, text, Some(known)));
    };
    if let Some(known) = entry.architecture.as_ref().filter(|known| plain(known) != plain(&row.architecture))
    {
        differs(Severity::Error, "identity", "the architecture", &row.architecture, known.clone());
    }
    if let (Some(found), Some(known)) = (row.units, entry.units)
        && found != known
    {
        let part = [2, 4, 8].into_iter().find(|parts| found * parts == known);
        let (severity, rule, what) = match part {
            Some(parts) => {
                (Severity::Warning, "per-die", format!("one of {parts} dies or partitions: units"))
            }
            None => (Severity::Error, "identity", "the number of units".to_owned()),
        };
        differs(severity, rule, &what, &found.to_string(), known.to_string());
    }
    if let (Some(found), Some(known)) = (row.boost_hz, entry.boost_clock_hz) {
        let known_mhz = known / 1_000_000;
        let known_hz = f64::from(u32::try_from(known_mhz).unwrap_or(u32::MAX)) * 1e6;
        if (found / known_hz - 1.0).abs() > 0.01 {
            let found = format!("{:.0} MHz", found / 1e6);
            differs(Severity::Warning, "identity", "the highest clock", &found, format!("{known_mhz} MHz"));
        }
    }
    findings
}

/// One value per device in the columns of the device; one device per name, alias and PCI id.
pub(super) fn consistency(context: &Context<'_>) -> Vec<TableFinding> {
    let mut findings = Vec::new();
    let devices = context.devices();
    for rows in &devices {
        let Some((first, rest)) = rows.split_first() else { continue };
        for row in rest {
            for column in DEVICE_COLUMNS {
                let (found, known) = (row.device_text(column), first.device_text(column));
                if found != known {
                    let text = format!("{column} is '{found}' here and '{known}' in line {}", first.line);
                    findings.push(row.finding(
                        Severity::Error,
                        "device-fields",
                        text,
                        Some(known.to_owned()),
                    ));
                }
            }
        }
    }
    for (column, rule) in [("aliases", "shared-alias"), ("pci_device_id", "shared-pci-id")] {
        let mut seen: Vec<(String, &TableRow)> = Vec::new();
        for row in devices.iter().filter_map(|rows| rows.first()) {
            let own = (column == "aliases").then_some(row.device.as_str());
            for text in row.device_text(column).split(';').chain(own).map(str::trim).filter(|t| !t.is_empty())
            {
                let key = format!("{} {}", if own.is_some() { "" } else { &row.vendor }, text.to_lowercase());
                match seen.iter().find(|(other, first)| *other == key && first.device != row.device) {
                    Some((_, first)) => {
                        let text =
                            format!("'{text}' is also that of '{}' in line {}", first.device, first.line);
                        findings.push(row.device_finding(Severity::Error, rule, text, None));
                    }
                    None => seen.push((key, row)),
                }
            }
        }
    }
    findings
}

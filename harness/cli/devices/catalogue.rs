//! `flopgauge devices --catalogue [PATTERN]`.

use comfy_table::CellAlignment;
use serde::Serialize;

use super::super::{CliError, Exit, Output};
use super::evidence_mark;
use crate::device::catalogue::{Catalogue, Document, Entry, Row, SparsityStated};
use crate::device::format::{range_text, rate_text, table_name};
use crate::device::{ClockBasis, TheoreticalPeak, Unit};

/// The part of the catalogue that was asked for.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct CatalogueListing {
    /// `flopgauge.device-catalogue/1`.
    format: String,
    /// Devices, sorted by name, with every row and the peaks that follow.
    devices: Vec<Entry>,
}

/// Runs the listing.
pub fn run(pattern: Option<&str>, json: bool, output: &mut Output) -> Result<Exit, CliError> {
    let wanted = pattern.unwrap_or("").trim_matches('*').to_lowercase();
    let fits = |entry: &&Entry| {
        let architecture = entry.architecture.iter();
        let texts = [&entry.name, &entry.vendor].into_iter().chain(&entry.aliases).chain(&entry.pci_ids);
        texts.chain(architecture).any(|text| text.to_lowercase().contains(&wanted))
    };
    let found: Vec<&Entry> = Catalogue::builtin()?.entries().iter().filter(fits).collect();
    if json {
        let format = "flopgauge.device-catalogue/1".to_owned();
        output.json(&CatalogueListing { format, devices: found.iter().map(|e| (*e).clone()).collect() })?;
    } else if !found.is_empty() {
        output.text(&shown(&found))?;
    }
    if found.is_empty() {
        output.note(&format!("unknown: no device of the catalogue contains '{wanted}'"));
        return Ok(Exit::Inconclusive);
    }
    Ok(Exit::Done)
}

fn shown(entries: &[&Entry]) -> String {
    let mut sources: Vec<Document> = Vec::new();
    let mut text = String::new();
    for entry in entries {
        text.push_str(&heading(entry));
        let mut table = super::table();
        table.set_header([
            "Precision",
            "Units",
            "Sum",
            "Dense peak",
            "Clock",
            "At highest clock",
            "Evidence",
            "Note",
        ]);
        for row in &entry.rows {
            table.add_row(cells(entry, row, &mut sources));
        }
        for column in [3, 5] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        text.push_str(&format!("{table}\n"));
        if let Some(note) = &entry.note {
            text.push_str(&format!("note: {note}\n"));
        }
        text.push('\n');
    }
    for (place, source) in sources.iter().enumerate() {
        text.push_str(&format!("[{}] {} <{}>\n", place + 1, source.title, source.url));
    }
    text.push_str(
        "Evidence is of the peaks; units, clocks, memory, power and die area carry no mark of their own.\n",
    );
    text
}

fn heading(entry: &Entry) -> String {
    let mut facts = vec![entry.form_factor.clone()];
    facts.extend(entry.architecture.clone());
    if let (Some(units), Some(kind)) = (entry.units, &entry.unit_kind) {
        facts.push(format!("{units} {kind}"));
    }
    facts.extend(entry.boost_clock_hz.map(|hz| format!("highest clock {} MHz", hz / 1_000_000)));
    facts.extend(entry.tdp_w.as_ref().map(|watts| format!("{watts} W")));
    facts.extend(entry.bandwidth_gb_s.as_ref().map(|rate| format!("{rate} GB/s")));
    facts.extend(entry.die_area_mm2.as_ref().map(|area| format!("{area} mm2")));
    facts.extend(entry.pci_ids.iter().map(|id| format!("PCI {id}")));
    let aliases = if entry.aliases.is_empty() {
        String::new()
    } else {
        format!(" (also {})", entry.aliases.join(", "))
    };
    format!("{}{aliases}\n{}\n", entry.name, facts.join(", "))
}

fn cells(entry: &Entry, row: &Row, sources: &mut Vec<Document>) -> [String; 8] {
    let clock = match (row.rated_clock_hz, row.rated_clock_basis, entry.boost_clock_hz) {
        (Some(hz), Some(basis), _) => format!("{} MHz, {}", hz / 1_000_000, basis.name()),
        (_, _, Some(hz)) => format!("{} MHz, highest", hz / 1_000_000),
        _ => "unknown".to_owned(),
    };
    let highest = highest(entry, row);
    let highest = highest.map_or_else(|| "unknown".to_owned(), |p| rate_text(p.rate_op_per_s, p.precision));
    let source = row.source.as_ref().map(|source| {
        let place = sources.iter().position(|known| known == source).unwrap_or_else(|| {
            sources.push(source.clone());
            sources.len() - 1
        });
        format!(" [{}]", place + 1)
    });
    let sparsity = match row.sparsity {
        SparsityStated::None => None,
        SparsityStated::Halved => Some("published with sparsity only, halved".to_owned()),
        SparsityStated::Unknown => Some("dense or sparse is not stated: no peak".to_owned()),
    };
    let range = row.range_op_per_s.map(|range| range_text(range, row.precision));
    let notes: Vec<String> = [sparsity, range, row.deviation.clone()].into_iter().flatten().collect();
    [
        table_name(row.precision).to_owned(),
        if row.unit == Unit::Vector { "vector" } else { "matrix" }.to_owned(),
        row.accumulate.name().to_owned(),
        rate_text(row.rate_op_per_s, row.precision),
        clock,
        highest,
        format!("{}{}", evidence_mark(row.evidence.name()), source.unwrap_or_default()),
        notes.join("; "),
    ]
}

fn highest(entry: &Entry, row: &Row) -> Option<TheoreticalPeak> {
    entry.peaks().into_iter().find(|peak| {
        peak.clock_basis == ClockBasis::MaximumBoost
            && (peak.precision, peak.unit, peak.accumulate) == (row.precision, row.unit, row.accumulate)
    })
}

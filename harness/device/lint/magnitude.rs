//! Is a rate of the right size? Against the formula, the catalogue, what any such unit could do, and siblings.

use super::{Context, TableFinding, TableRow, shown};
use crate::device::theoretical::usual_class;
use crate::device::{Severity, Unit};
use crate::precision::Precision;

/// Agreement that rounding of datasheets leaves.
const ROUNDING: f64 = 0.01;
/// Agreement that another clock of the same part leaves.
const NEAR: f64 = 0.12;
/// A factor from which on only a slip of the prefix explains it.
const PREFIX: f64 = 90.0;

/// Rules that judge the size of a rate; a row that one of them names is not judged again by its siblings.
const SIZE_RULES: [&str; 9] = [
    "implied-rate",
    "sparse-as-dense",
    "half-figure",
    "node-figure",
    "order-of-magnitude",
    "copied-row",
    "no-such-unit",
    "implausible-rate",
    "above-maximum-clock",
];

/// What a rate is held against.
struct Reference {
    op_per_s: f64,
    from: String,
}

pub(super) fn check(context: &Context<'_>) -> Vec<TableFinding> {
    context.rows.iter().flat_map(|row| check_row(context, row)).collect()
}

fn check_row(context: &Context<'_>, row: &TableRow) -> Vec<TableFinding> {
    let mut findings = Vec::new();
    match reference(context, row) {
        Some(reference) => findings.extend(compare(context, row, &reference)),
        None => findings.extend(without_reference(context, row)),
    }
    if !findings.iter().any(|finding| finding.severity == Severity::Error) {
        findings.extend(above_maximum_clock(context, row));
    }
    findings
}

fn ops_per_clock(context: &Context<'_>, row: &TableRow) -> Option<f64> {
    let class = class(context, row);
    let found = context.rates.find(
        (&row.architecture, &class),
        row.format.precision,
        row.format.unit,
        Some(row.accumulate),
    )?;
    u32::try_from(found.ops_per_clock).ok().map(f64::from)
}

/// The class that a row names, else that of the catalogue's entry, else the usual one.
fn class(context: &Context<'_>, row: &TableRow) -> String {
    let groups = context.rates.of_architecture(&row.architecture);
    if groups.iter().any(|group| group.class.eq_ignore_ascii_case(&row.class)) {
        return row.class.clone();
    }
    let known = context.entry(row).and_then(|entry| entry.rate_class.clone());
    let known = known.filter(|class| groups.iter().any(|group| group.class == *class));
    let usual = || usual_class(context.rates, &row.architecture, &row.device);
    known.or_else(usual).unwrap_or_else(|| row.class.clone())
}

/// What a policy cap leaves is no product of clock and units.
fn capped(context: &Context<'_>, row: &TableRow) -> bool {
    row.note.starts_with("export-capped to") || context.known(row).is_some_and(|known| known.export_capped)
}

fn reference(context: &Context<'_>, row: &TableRow) -> Option<Reference> {
    let catalogue = || {
        let known = context.known(row)?;
        let op_per_s = known.rate_op_per_s.to_f64();
        Some(Reference { op_per_s, from: "the catalogue's figure".to_owned() })
    };
    if capped(context, row) {
        return catalogue();
    }
    let formula = || {
        let (units, clock, rate) = (row.units?, row.clock_hz()?, ops_per_clock(context, row)?);
        let from = format!("{units} units x {rate} operations per clock x {:.0} MHz", clock / 1e6);
        Some(Reference { op_per_s: f64::from(units) * rate * clock, from })
    };
    formula().or_else(catalogue)
}

fn compare(context: &Context<'_>, row: &TableRow, reference: &Reference) -> Option<TableFinding> {
    let ratio = row.peak_op_per_s / reference.op_per_s;
    if (ratio - 1.0).abs() <= ROUNDING {
        return None;
    }
    let found = shown(row.peak_op_per_s, row.format.precision);
    let expected = shown(reference.op_per_s, row.format.precision);
    let against = format!("{found} is {ratio:.3} times {} ({expected})", reference.from);
    if let Some(why) = context.explained(row) {
        return Some(row.finding(Severity::Note, "implied-rate", format!("{against}; {why}"), None));
    }
    let near = |factor: f64| (ratio / factor - 1.0).abs() <= NEAR;
    let (severity, rule, suspect) = if near(1.0) {
        let text = match copied_from(context, row) {
            Some(other) => format!("it equals the figure of {other}"),
            None => "rounded, another clock, or a neighbouring part".to_owned(),
        };
        (Severity::Warning, "implied-rate", text)
    } else if near(2.0) {
        let text = "a figure with 2:4 sparsity entered as dense, or another accumulator";
        (Severity::Error, "sparse-as-dense", text.to_owned())
    } else if near(0.5) {
        let text =
            "one die of two, half of a figure that was dense already, or GeForce and professional swapped";
        (Severity::Error, "half-figure", text.to_owned())
    } else if near(8.0) {
        (Severity::Error, "node-figure", "the sum of a node of eight".to_owned())
    } else if !(1.0 / PREFIX..=PREFIX).contains(&ratio) {
        let text = "giga, tera and peta confused; dense_peak_tera counts 10^12 operations per second";
        (Severity::Error, "order-of-magnitude", text.to_owned())
    } else if let Some(other) = copied_from(context, row) {
        (Severity::Error, "copied-row", format!("it equals the figure of {other}"))
    } else {
        (Severity::Error, "implied-rate", "no known rate of these units gives it".to_owned())
    };
    Some(row.finding(severity, rule, format!("{against}: {suspect}"), Some(expected)))
}

/// A device of another architecture or size whose figure this is.
fn copied_from(context: &Context<'_>, row: &TableRow) -> Option<String> {
    let own = context.entry(row).map(|entry| entry.name.as_str());
    let same = |value: f64| (value / row.peak_op_per_s - 1.0).abs() < 0.002;
    let in_table = context.rows.iter().find(|other| {
        other.device != row.device
            && other.format == row.format
            && other.accumulate == row.accumulate
            && same(other.peak_op_per_s)
    });
    let in_catalogue = || {
        context.catalogue.entries().iter().find(|entry| {
            Some(entry.name.as_str()) != own
                && entry.rows.iter().any(|known| {
                    known.precision == row.format.precision
                        && known.unit == row.format.unit
                        && known.accumulate == row.accumulate
                        && same(known.rate_op_per_s.to_f64())
                })
        })
    };
    in_table.map(|other| other.device.clone()).or_else(|| in_catalogue().map(|entry| entry.name.clone()))
}

/// Rates per clock that any unit of a maker could have: (vendor, formats, vector?, least, greatest).
type Window = (&'static str, &'static [Precision], f64, f64);

const WINDOWS: [Window; 10] = [
    ("NVIDIA", &[Precision::Fp64], 4.0, 256.0),
    ("NVIDIA", &[Precision::Fp32], 128.0, 256.0),
    ("NVIDIA", &[Precision::Tf32], 256.0, 4096.0),
    ("NVIDIA", &[Precision::Bf16, Precision::Fp16], 512.0, 8192.0),
    ("NVIDIA", &[Precision::Fp8e4m3, Precision::Int8], 512.0, 16384.0),
    ("NVIDIA", &[Precision::Fp4], 4096.0, 49152.0),
    ("AMD", &[Precision::Fp64, Precision::Fp32], 64.0, 256.0),
    ("AMD", &[Precision::Bf16, Precision::Fp16], 512.0, 4096.0),
    ("AMD", &[Precision::Fp8e4m3, Precision::Int8], 512.0, 8192.0),
    ("AMD", &[Precision::Fp6, Precision::Fp4], 16384.0, 16384.0),
];

fn without_reference(context: &Context<'_>, row: &TableRow) -> Option<TableFinding> {
    let groups = context.rates.of_architecture(&row.architecture);
    let complete = !groups.is_empty() && !groups.iter().any(|group| group.incomplete);
    let listed = groups.iter().flat_map(|g| &g.rates).any(|rate| rate.precision == row.format.precision);
    if complete && !listed {
        let text = format!("architecture {} has no units for {}", row.architecture, row.dtype);
        return Some(row.finding(Severity::Error, "no-such-unit", text, Some("no row".to_owned())));
    }
    let per_clock = row.peak_op_per_s / (f64::from(row.units?) * row.clock_hz()?);
    let fits = |window: &&Window| window.0 == row.vendor && window.1.contains(&row.format.precision);
    let (_, _, least, greatest) = WINDOWS.iter().find(fits)?;
    if (least * (1.0 - NEAR)..=greatest * (1.0 + NEAR)).contains(&per_clock) {
        return None;
    }
    let text = format!(
        "{per_clock:.3} operations per clock and unit; {} units of any generation give {least} to {greatest}",
        row.vendor
    );
    let scale = f64::from(row.units?) * row.clock_hz()?;
    let expected = format!(
        "{} to {}",
        shown(least * scale, row.format.precision),
        shown(greatest * scale, row.format.precision)
    );
    Some(row.finding(Severity::Error, "implausible-rate", text, Some(expected)))
}

fn above_maximum_clock(context: &Context<'_>, row: &TableRow) -> Option<TableFinding> {
    if capped(context, row) {
        return None;
    }
    let (units, boost, rate) = (row.units?, row.boost_hz?, ops_per_clock(context, row)?);
    let most = f64::from(units) * rate * boost;
    if row.peak_op_per_s <= most * (1.0 + ROUNDING) {
        return None;
    }
    let expected = shown(most, row.format.precision);
    let text = format!(
        "{} is above {expected}, the formula at the highest clock",
        shown(row.peak_op_per_s, row.format.precision)
    );
    Some(match context.explained(row) {
        Some(why) => row.finding(Severity::Note, "above-maximum-clock", format!("{text}; {why}"), None),
        None => {
            // A clock of its own above the highest clock cannot be; without one the figure may be rounded.
            let impossible = row.rated_hz.is_some_and(|rated| rated > boost * (1.0 + ROUNDING));
            let severity = if impossible { Severity::Error } else { Severity::Warning };
            row.finding(severity, "above-maximum-clock", text, Some(format!("at most {expected}")))
        }
    })
}

/// Devices of one architecture and class that disagree on operations per clock; rows found wrong already say so.
///
/// The lower median of all is right until shown otherwise: of two that disagree the higher is in doubt.
pub(super) fn siblings(context: &Context<'_>, found: &[TableFinding]) -> Vec<TableFinding> {
    let told =
        |row: &TableRow| found.iter().any(|f| f.line == row.line && SIZE_RULES.contains(&f.rule.as_str()));
    let rate = |row: &TableRow| Some(row.peak_op_per_s / (f64::from(row.units?) * row.clock_hz()?));
    let kin = |a: &TableRow, b: &TableRow| {
        (&a.vendor, &a.architecture, &a.class) == (&b.vendor, &b.architecture, &b.class)
            && a.format == b.format
            && a.accumulate == b.accumulate
            && !a.architecture.is_empty()
    };
    let mut findings = Vec::new();
    for row in context.rows.iter().filter(|row| !told(row) && !capped(context, row)) {
        let Some(own) = rate(row) else { continue };
        let family = context.rows.iter().filter(|other| kin(row, other) && !capped(context, other));
        let mut all: Vec<f64> = family.filter_map(rate).collect();
        all.sort_by(f64::total_cmp);
        let Some(median) = all.get(all.len().saturating_sub(1) / 2) else { continue };
        if (own / median - 1.0).abs() <= NEAR {
            continue;
        }
        let expected = shown(row.peak_op_per_s * median / own, row.format.precision);
        let unit = if row.format.unit == Unit::Vector { "vector" } else { "matrix" };
        let text = format!(
            "{own:.0} operations per clock and {unit} unit, where the {} parts of architecture {} have a median of \
             {median:.0}",
            all.len(),
            row.architecture
        );
        findings.push(row.finding(Severity::Warning, "siblings-disagree", text, Some(expected)));
    }
    findings
}

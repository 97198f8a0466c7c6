//! Does a figure say where it comes from?

use super::{Context, TableFinding, TableRow};
use crate::device::catalogue::SparsityStated;
use crate::device::{Evidence, Severity};

pub(super) fn check(context: &Context<'_>) -> Vec<TableFinding> {
    context.rows.iter().flat_map(check_row).collect()
}

fn check_row(row: &TableRow) -> Vec<TableFinding> {
    let mut findings = Vec::new();
    let mut add = |severity, rule: &str, text: &str, expected: Option<&str>| {
        findings.push(row.finding(severity, rule, text.to_owned(), expected.map(str::to_owned)));
    };
    match row.evidence {
        None => add(
            Severity::Warning,
            "missing-provenance",
            "no evidence is given",
            Some("evidence of read, derived or recalled, with title and address where read"),
        ),
        Some(Evidence::Read) if row.source_title.is_empty() || row.source_url.is_empty() => add(
            Severity::Warning,
            "missing-provenance",
            "the figure is said to be read, but title or address of the source is missing",
            Some("title and address of the source"),
        ),
        Some(Evidence::Recalled) => {
            add(Severity::Note, "recalled", "the figure is recalled, without a source", None);
        }
        Some(_) => {}
    }
    if row.sparsity == SparsityStated::Unknown {
        add(
            Severity::Warning,
            "sparsity-unknown",
            "whether the figure counts skipped operations is not stated: it gives no dense peak",
            None,
        );
    }
    let integer = row.format.precision.is_integer();
    if integer != (row.unit == "TOP/s") {
        let right = if integer { "TOP/s" } else { "TFLOP/s" };
        let text = format!("{} is counted in {right}, not in {}", row.dtype, row.unit);
        add(Severity::Warning, "unit", &text, Some(right));
    }
    findings
}

//! `flopgauge devices --check FILE.csv`.

use std::path::Path;

use serde::Serialize;

use super::super::{CliError, Exit, Output};
use crate::device::Severity;
use crate::device::lint::{TableFinding, check_file};

/// What was found in a table of peaks.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct CatalogueCheck {
    /// `flopgauge.catalogue-check/1`.
    format: String,
    /// The findings, in the order of the lines.
    findings: Vec<TableFinding>,
}

/// Runs the check.
pub fn run(path: &Path, json: bool, output: &mut Output) -> Result<Exit, CliError> {
    let findings = check_file(path)?;
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    if !json && !findings.is_empty() {
        output.text(&shown(&findings))?;
    }
    if !json {
        output.result(&format!("{errors} errors, {warnings} warnings, {notes} notes\n"))?;
    } else {
        output.json(&CatalogueCheck { format: "flopgauge.catalogue-check/1".to_owned(), findings })?;
    }
    Ok(if errors > 0 { Exit::Failed } else { Exit::Done })
}

fn shown(findings: &[TableFinding]) -> String {
    let mut table = super::table();
    table.set_header(["Line", "Device", "Precision", "Severity", "Rule", "Message", "Would fit"]);
    for finding in findings {
        table.add_row([
            finding.line.to_string(),
            finding.device.clone(),
            finding.precision.clone().unwrap_or_default(),
            finding.severity.name().to_owned(),
            finding.rule.clone(),
            finding.message.clone(),
            finding.expected.clone().unwrap_or_default(),
        ]);
    }
    format!("{table}\n")
}

//! The catalogue linter: what is wrong in a table of peaks, ours or anybody's, and what value would fit.
//!
//! A rate is held against units x operations per clock x clock, against the catalogue, and against its siblings.

mod device;
mod magnitude;
mod order;
mod provenance;
mod table;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Severity;
use super::catalogue::{Catalogue, CatalogueError, Entry, Row};
use super::rates::Rates;
use crate::files::FileError;
use crate::precision::Precision;
use crate::units::OpRate;

pub use table::{COLUMNS, TableRow, read_table};

/// One finding in a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableFinding {
    /// Line of the file, from 1.
    pub line: u64,
    /// Device as the table calls it.
    pub device: String,
    /// Number format as the table calls it; none where the finding is of the whole device.
    pub precision: Option<String>,
    /// The rule, in kebab case.
    pub rule: String,
    /// How heavy it is.
    pub severity: Severity,
    /// What was found and what to suspect.
    pub message: String,
    /// The value that would fit, with its unit, where one is known.
    pub expected: Option<String>,
}

/// Why a table cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum LintError {
    /// The file is no such table.
    #[error(transparent)]
    File(#[from] FileError),
    /// The catalogue that it is held against cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

/// What is found in the table in `path`, in the order of its lines.
///
/// Errors: [`LintError`] when the file is not a table of peaks: no header, a missing column, a value that is none.
pub fn check_file(path: &Path) -> Result<Vec<TableFinding>, LintError> {
    let rows = read_table(path)?;
    Ok(check(&rows)?)
}

/// What is found in a table that has been read.
///
/// Errors: [`CatalogueError`] when the built-in catalogue is defective.
pub fn check(rows: &[TableRow]) -> Result<Vec<TableFinding>, CatalogueError> {
    let context = Context { rows, catalogue: Catalogue::builtin()?, rates: Rates::builtin()? };
    let mut findings = magnitude::check(&context);
    findings.extend(device::identity(&context));
    findings.extend(device::consistency(&context));
    let order = order::check(&context, &findings);
    findings.extend(order);
    findings.extend(provenance::check(&context));
    let siblings = magnitude::siblings(&context, &findings);
    findings.extend(siblings);
    findings.sort();
    Ok(findings)
}

struct Context<'a> {
    rows: &'a [TableRow],
    catalogue: &'static Catalogue,
    rates: &'static Rates,
}

impl Context<'_> {
    fn entry(&self, row: &TableRow) -> Option<&'static Entry> {
        self.catalogue.named(&row.device).entry()
    }

    /// The catalogue's own row of the same device and number format.
    fn known(&self, row: &TableRow) -> Option<&'static Row> {
        self.entry(row)?.rows.iter().find(|known| {
            known.precision == row.format.precision
                && known.unit == row.format.unit
                && known.accumulate == row.accumulate
        })
    }

    /// Why the very same figure stands apart from the formula, where the catalogue says so.
    fn explained(&self, row: &TableRow) -> Option<&'static str> {
        let known = self.known(row)?;
        let same = (known.rate_op_per_s.to_f64() / row.peak_op_per_s - 1.0).abs() < 1e-6;
        known.deviation.as_deref().filter(|_| same)
    }

    /// Rows by device, in the order of their first lines.
    fn devices(&self) -> Vec<Vec<&TableRow>> {
        let mut devices: Vec<Vec<&TableRow>> = Vec::new();
        for row in self.rows {
            match devices.iter_mut().find(|rows| rows.first().is_some_and(|first| first.device == row.device))
            {
                Some(rows) => rows.push(row),
                None => devices.push(vec![row]),
            }
        }
        devices
    }
}

impl TableRow {
    fn finding(
        &self,
        severity: Severity,
        rule: &str,
        message: String,
        expected: Option<String>,
    ) -> TableFinding {
        let precision = Some(self.dtype.clone());
        TableFinding { precision, ..self.device_finding(severity, rule, message, expected) }
    }

    fn device_finding(
        &self,
        severity: Severity,
        rule: &str,
        message: String,
        expected: Option<String>,
    ) -> TableFinding {
        TableFinding {
            line: self.line,
            device: self.device.clone(),
            precision: None,
            rule: rule.to_owned(),
            severity,
            message,
            expected,
        }
    }
}

/// A rate with its unit, as `989.4 TFLOP/s`.
fn shown(op_per_s: f64, precision: Precision) -> String {
    OpRate::new(op_per_s).map_or_else(|_| op_per_s.to_string(), |rate| rate.display(precision.is_integer()))
}

#[cfg(test)]
mod tests;

//! `flopgauge devices --derive ARCH --units N --clock-mhz F`.

use comfy_table::CellAlignment;
use serde::Serialize;

use super::super::{CliError, Exit, Output};
use super::evidence_mark;
use crate::device::format::rate_text;
use crate::device::theoretical::{DeriveError, derive};
use crate::device::{Provenance, TheoreticalPeak, Unit};
use crate::units::Decimal;

/// A part as it is described on the command line.
pub struct Part<'a> {
    /// Architecture.
    pub architecture: &'a str,
    /// Compute units.
    pub units: u32,
    /// Clock.
    pub clock_mhz: &'a Decimal,
    /// Class of rates, where one is named.
    pub class: Option<&'a str>,
}

/// Peaks by formula.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct DerivedPeaks {
    /// `flopgauge.derived-peaks/1`.
    format: String,
    /// Architecture as given.
    architecture: String,
    /// Class as given.
    rate_class: Option<String>,
    /// Compute units.
    units: u32,
    /// Clock.
    clock_hz: u64,
    /// The peaks.
    peaks: Vec<TheoreticalPeak>,
}

/// Runs the derivation.
pub fn run(part: &Part<'_>, json: bool, output: &mut Output) -> Result<Exit, CliError> {
    let hertz = part.clock_mhz.times_power_of_ten(6).to_integer("hertz");
    let hertz = hertz.map_err(|error| CliError::Usage(format!("--clock-mhz: {error}")))?;
    let hertz =
        u64::try_from(hertz).map_err(|_| CliError::Usage("--clock-mhz is out of range".to_owned()))?;
    let peaks = match derive(part.architecture, part.units, hertz, part.class) {
        Ok(peaks) => peaks,
        // What no table knows is no mistake of the user's: nothing can be said.
        Err(error @ DeriveError::UnknownArchitecture { .. }) => {
            output.note(&error.to_string());
            return Ok(Exit::Inconclusive);
        }
        Err(error) => return Err(error.into()),
    };
    if !json {
        output.text(&shown(part, &peaks))?;
        return Ok(Exit::Done);
    }
    output.json(&DerivedPeaks {
        format: "flopgauge.derived-peaks/1".to_owned(),
        architecture: part.architecture.to_owned(),
        rate_class: part.class.map(str::to_owned),
        units: part.units,
        clock_hz: hertz,
        peaks,
    })?;
    Ok(Exit::Done)
}

fn shown(part: &Part<'_>, peaks: &[TheoreticalPeak]) -> String {
    let mut table = super::table();
    table.set_header(["Precision", "Units", "Sum", "Dense peak", "Per clock and unit", "Rate is", "Note"]);
    for peak in peaks {
        let op = if peak.precision.is_integer() { "OP" } else { "FLOP" };
        let Provenance::Derived { ops_per_clock, evidence, .. } = &peak.provenance else { continue };
        table.add_row([
            peak.precision.name().to_owned(),
            if peak.unit == Unit::Vector { "vector" } else { "matrix" }.to_owned(),
            peak.accumulate.name().to_owned(),
            rate_text(peak.rate_op_per_s, peak.precision),
            format!("{ops_per_clock} {op}"),
            evidence_mark(evidence.name()).to_owned(),
            peak.note.clone().unwrap_or_default(),
        ]);
    }
    for column in [3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let class = part.class.map_or_else(String::new, |class| format!(", class {class}"));
    format!(
        "{}{class}: {} units x operations per clock x {} MHz, computed\n{table}\n",
        part.architecture, part.units, part.clock_mhz
    )
}

//! `flopgauge devices`: what is there, what the catalogue says, what a formula gives, what a table gets wrong.

mod catalogue;
mod check;
mod derive;

use std::path::PathBuf;

use comfy_table::{ContentArrangement, Table, presets};

use super::choice::{SearchArgs, search};
use super::{CliError, Exit, Output};
use crate::backend::probe;
use crate::device::catalogue::Query;
use crate::report::{DeviceList, device_table};
use crate::units::Decimal;

pub use catalogue::CatalogueListing;
pub use check::CatalogueCheck;
pub use derive::DerivedPeaks;

/// List every device that each backend sees: its kind, units, clocks, driver and theoretical peaks.
///
/// Or browse the catalogue of peaks, derive peaks by formula, or check a table of peaks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge devices\n  \
    flopgauge devices --backend cpu --json | jq '.devices[].model'\n  flopgauge devices --catalogue H100\n  \
    flopgauge devices --derive sm_90 --units 132 --clock-mhz 1830\n  \
    flopgauge devices --derive 8.9 --units 76 --clock-mhz 2505 --rate-class geforce\n  \
    flopgauge devices --check table.csv")]
pub struct Args {
    #[command(flatten)]
    search: SearchArgs,
    /// Browse the catalogue: devices whose name, alias, maker, architecture or PCI id contains PATTERN.
    #[arg(long, value_name = "PATTERN", num_args = 0..=1, conflicts_with_all = ["derive", "check"])]
    catalogue: Option<Option<String>>,
    /// Peaks by formula of an architecture: 9.0 or sm_90, gfx942, Xe-HPC, Zen 4.
    #[arg(long, value_name = "ARCH", requires_all = ["units", "clock_mhz"], conflicts_with = "check")]
    derive: Option<String>,
    /// Compute units of the part: multiprocessors, compute units, cores.
    #[arg(long, value_name = "N", requires = "derive", value_parser = clap::value_parser!(u32).range(1..))]
    units: Option<u32>,
    /// Clock to multiply by.
    #[arg(long, value_name = "F", requires = "derive")]
    clock_mhz: Option<Decimal>,
    /// Class of rates where the architecture has several: pro, geforce, or a part's own.
    #[arg(long, value_name = "C", requires = "derive")]
    rate_class: Option<String>,
    /// Check a table of peaks, a CSV file with the columns of the catalogue; - is standard input.
    #[arg(long, value_name = "FILE.csv")]
    check: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    if let Some(pattern) = &args.catalogue {
        return catalogue::run(pattern.as_deref(), args.json, output);
    }
    if let (Some(architecture), Some(units), Some(clock)) = (&args.derive, args.units, &args.clock_mhz) {
        let part = derive::Part { architecture, units, clock_mhz: clock, class: args.rate_class.as_deref() };
        return derive::run(&part, args.json, output);
    }
    if let Some(path) = &args.check {
        return check::run(path, args.json, output);
    }
    list(args, output)
}

fn list(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let probes = probe(&search(&args.search)?)?;
    let found = probes.iter().any(|probe| probe.devices.as_ref().is_ok_and(|devices| !devices.is_empty()));
    // A backend that was asked for by name and is not there is an error; one of many is information.
    let asked_in_vain = !args.search.backend.is_empty() && probes.iter().any(|probe| probe.devices.is_err());
    if args.json {
        output.json(&DeviceList::of(probes))?;
    } else {
        output.text(&device_table(&probes, output.width()))?;
    }
    Ok(if !found || asked_in_vain { Exit::Absent } else { Exit::Done })
}

/// What a user calls a device: a PCI id where it looks like one, else a name.
pub fn query(text: &str) -> Query<'_> {
    let hexadecimal = |part: &str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = text.split_once(':').is_some_and(|(vendor, device)| hexadecimal(vendor) && hexadecimal(device));
    Query { name: text, pci_id: id.then_some(text) }
}

/// Evidence as a reader sees it: what nobody can look up stands out.
pub fn evidence_mark(evidence: &str) -> &str {
    match evidence {
        "recalled" => "RECALLED",
        "derived" => "computed",
        other => other,
    }
}

/// An empty table in the style of this program, as wide as the terminal where there is one.
pub fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

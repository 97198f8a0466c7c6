//! `flopgauge devices`: what is there, what the catalogue says, what a formula gives, what a table gets wrong.

mod catalogue;
mod check;
mod derive;

use std::path::PathBuf;

use comfy_table::{ContentArrangement, Table, presets};

use super::{CliError, Exit, Output};
use crate::backend::{BACKENDS, OpenOptions, Probe, Search, probe};
use crate::device::catalogue::Query;
use crate::device::{Device, DeviceKind};
use crate::report::{DeviceList, device_table};
use crate::units::Decimal;

pub use catalogue::CatalogueListing;
pub use check::CatalogueCheck;
pub use derive::DerivedPeaks;

/// Where devices are looked for.
#[derive(Debug, Clone, clap::Args)]
pub struct SearchArgs {
    /// Backend to ask: cpu; repeatable [default: all].
    #[arg(long, value_name = "NAME")]
    pub backend: Vec<String>,
    /// Threads of the CPU backend [default: every core that may be used].
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub threads: Option<usize>,
    /// Script of a simulated device, for tests; repeatable by the path separator.
    #[arg(long, env = "FLOPGAUGE_SCRIPT", hide = true, value_delimiter = ':')]
    pub script: Vec<PathBuf>,
}

/// List devices, browse the catalogue of peaks, derive peaks by formula, or check a table of peaks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge devices\n  flopgauge devices --catalogue H100\n  \
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
    /// Print as JSON.
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
    let probes = probe(&search(&args.search)?)?;
    let found = probes.iter().any(|probe| probe.devices.as_ref().is_ok_and(|devices| !devices.is_empty()));
    // A backend that was asked for by name and is not there is an error; one of many is information.
    let asked_in_vain = !args.search.backend.is_empty() && probes.iter().any(|probe| probe.devices.is_err());
    if args.json {
        output.json(&DeviceList::of(probes))?;
    } else {
        output.result(&device_table(&probes, output.width()))?;
    }
    Ok(if !found || asked_in_vain { Exit::Absent } else { Exit::Done })
}

/// The devices that a subcommand is to use.
pub struct Chosen {
    /// Where they were found.
    pub search: Search,
    /// The devices, in order.
    pub devices: Vec<Device>,
    /// What each backend said of itself, for the record.
    pub probes: Vec<(String, String)>,
}

/// Devices by id or UUID, `all`, or without any the hardware there is, the CPU only where there is no other.
pub fn choose(args: &SearchArgs, wanted: &[String], fallback: bool) -> Result<Chosen, CliError> {
    let search = search(args)?;
    let probes = probe(&search)?;
    let facts = probes.iter().map(|probe| (probe.backend.to_owned(), said(probe))).collect();
    let all: Vec<Device> = probes.iter().filter_map(|p| p.devices.as_ref().ok()).flatten().cloned().collect();
    let hardware = |device: &&Device| device.kind == DeviceKind::Hardware;
    let mut devices: Vec<Device> = Vec::new();
    if wanted.is_empty() && fallback {
        devices = all.iter().filter(hardware).filter(|device| device.backend != "cpu").cloned().collect();
        if devices.is_empty() {
            devices = all.iter().filter(hardware).cloned().collect();
        }
    }
    for name in wanted {
        let matches = |device: &&Device| device.id == *name || device.uuid.to_string() == *name;
        let named: Vec<Device> = if name == "all" {
            all.iter().filter(hardware).cloned().collect()
        } else {
            all.iter().filter(matches).cloned().collect()
        };
        if named.is_empty() {
            return Err(CliError::Absent(absent(name, &all, &probes)));
        }
        devices.extend(
            named
                .into_iter()
                .filter(|device| !devices.iter().any(|known| known.id == device.id))
                .collect::<Vec<_>>(),
        );
    }
    if devices.is_empty() {
        let reason = match all.as_slice() {
            [] => absent("any", &all, &probes),
            [first, ..] => format!(
                "there is no hardware device; {} ones are measured only when named, as in --device {}",
                first.kind, first.id
            ),
        };
        return Err(CliError::Absent(reason));
    }
    Ok(Chosen { search, devices, probes: facts })
}

fn search(args: &SearchArgs) -> Result<Search, CliError> {
    for name in &args.backend {
        let scripted = name == "scripted" && !args.script.is_empty();
        if !BACKENDS.contains(&name.as_str()) && !scripted {
            let known = BACKENDS.join(", ");
            return Err(CliError::Usage(format!("unknown backend '{name}'; one of {known}")));
        }
    }
    let options = OpenOptions { threads: args.threads };
    Ok(Search { backends: args.backend.clone(), scripts: args.script.clone(), options })
}

fn said(probe: &Probe) -> String {
    match &probe.devices {
        Ok(devices) => {
            let of = |device: &Device| match &device.driver {
                Some(driver) => format!("{} {} ({driver})", device.id, device.model),
                None => format!("{} {}", device.id, device.model),
            };
            devices.iter().map(of).collect::<Vec<_>>().join("; ")
        }
        Err(reason) => format!("absent: {reason}"),
    }
}

fn absent(name: &str, all: &[Device], probes: &[Probe]) -> String {
    let known: Vec<_> = all.iter().map(|device| device.id.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let reasons = probes
        .iter()
        .filter_map(|probe| Some(format!("{}: {}", probe.backend, probe.devices.as_ref().err()?)));
    let reasons: Vec<_> = reasons.collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!("; {}", reasons.join("; ")) };
    format!("device '{name}' is not there; there are {known}{reasons}")
}

fn threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| "a number of threads is a whole number from 1".to_owned())
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

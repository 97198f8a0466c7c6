//! Which devices a subcommand is to use.

use std::path::PathBuf;

use super::CliError;
use crate::backend::{BACKENDS, OpenOptions, Probe, Search, probe};
use crate::device::{Device, DeviceKind};

/// Where devices are looked for.
#[derive(Debug, Clone, clap::Args)]
pub struct SearchArgs {
    /// Backend to ask: cpu, cuda, wgpu; repeatable [default: all].
    #[arg(long, value_name = "NAME")]
    pub backend: Vec<String>,
    /// Threads of the CPU backend [default: every core that may be used].
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub threads: Option<usize>,
    /// Script of a simulated device, for tests; repeatable by the path separator.
    #[arg(long, env = "FLOPGAUGE_SCRIPT", hide = true, value_delimiter = ':')]
    pub script: Vec<PathBuf>,
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
            [] => format!("no device was found{}", reasons(&probes)),
            [first, ..] => format!(
                "there is no hardware device; {} ones are measured only when named, as in --device {}",
                first.kind, first.id
            ),
        };
        return Err(CliError::Absent(reason));
    }
    Ok(Chosen { search, devices, probes: facts })
}

/// Where the user wants devices to be looked for.
pub fn search(args: &SearchArgs) -> Result<Search, CliError> {
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
    format!("device '{name}' is not there; there are {known}{}", reasons(probes))
}

/// Why backends have no device, to end a sentence with.
fn reasons(probes: &[Probe]) -> String {
    let why = probes
        .iter()
        .filter_map(|probe| Some(format!("; {}: {}", probe.backend, probe.devices.as_ref().err()?)));
    why.collect()
}

fn threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| "a number of threads is a whole number from 1".to_owned())
}

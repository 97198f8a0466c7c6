//! `flopgauge baseline NODEFILES -o FILE`.

use std::path::{Path, PathBuf};

use super::{CliError, Exit, Output};
use crate::accept::{Baseline, counted};
use crate::files::write_atomically;

/// Make a baseline from nodes that are known to be good: what each model reaches in each case.
///
/// Devices whose rate lies outside (further from the median than 1 % and than the limit in modified z-scores that
/// collect has) are taken out, round after round until none does, and named in the file with the reason. Software and simulated devices, nodes
/// that did not pass, a device that is there twice and too few devices are refused. The same node files give the same
/// bytes, with sorted keys. A requirement of an acceptance spec uses it by baseline = "FILE".
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge baseline results/4711.0 -o h100.json\n  \
    flopgauge baseline results/4711.0/gpu*[0-9].json -o h100.json --least-devices 64\n  \
    flopgauge baseline results/4711.0 -o - | diff h100.json -\n\n\
    Exit codes: 0 done; 1 it could not be written; 2 the command line or a file is wrong, or a node is not known to be \
    good; nothing is written then.")]
pub struct Args {
    /// Node files, or directories of them, as flopgauge accept wrote them.
    #[arg(value_name = "NODEFILES|DIR", required = true)]
    paths: Vec<PathBuf>,
    /// File for the baseline, - for standard output.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Least number of devices that each rate must come from, outliers not counted.
    #[arg(long, value_name = "N", default_value_t = 5, allow_hyphen_values = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(5..))]
    least_devices: u64,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let baseline = Baseline::of(&args.paths, args.least_devices)?;
    let text = baseline.to_text().map_err(|error| CliError::Output(error.into()))?;
    for rate in &baseline.rates {
        for removed in &rate.removed {
            let case = format!("{} {} {}", rate.model, rate.method, rate.precision);
            let (node, device) = (&removed.node, &removed.device);
            output.note(&format!("taken out of {case}: {node} {device}, {}", removed.reason));
        }
    }
    if args.out == Path::new("-") {
        output.result(&text)?;
    } else {
        write_atomically(&args.out, text.as_bytes())?;
        let (nodes, devices) =
            (counted(baseline.node_count, "node"), counted(baseline.device_count, "device"));
        let rates = counted(baseline.rates.len(), "rate");
        output.note(&format!("{rates} of {devices} in {nodes}: {}", args.out.display()));
    }
    Ok(Exit::Done)
}

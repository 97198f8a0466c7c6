//! What `flopgauge collect` can be told, and what it takes from a job's environment.

use std::path::{Path, PathBuf};

use crate::accept::{RunIdentity, Sought, expand};
use crate::cli::{CliError, engine};
use crate::files::read_text;
use crate::units::Bytes;

/// Greatest list of nodes that is read; a million long names are below it.
const LIST_LIMIT: Bytes = Bytes::new(256 << 20);

/// Judge a fleet by the files that its nodes left: every expected node passes, or it is named.
///
/// A node with no file, a file of another job or restart, or one that cannot be read never passes. Devices that are
/// slow beside the others of their model fail too, even above their floor: further below the median than 1 % and than a
/// limit in modified z-scores (Iglewicz and Hoaglin), which is 3.5 or, by the number of devices, as much more as keeps
/// like devices from lying outside by chance in more than one of twenty groups. Of fewer than five devices nothing is
/// said. Drivers, firmware, clocks and versions that differ between nodes, devices that are too fast, and nodes that
/// took long are findings.
/// Nothing is drained; the last line is the verdict.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge collect results/4711.0 --expect 'gpu[01-64]' --job 4711\n  \
    flopgauge collect results/4711.0 --expect @results/4711.0/expected --job 4711 --restart 0 --json\n  \
    sinfo -hN -p gpu -o %N | flopgauge collect results --expect - --job 4711 --out verdict\n\n\
    Written to --out, each whole or not at all: fleet.json, fleet.csv, passing_nodes.txt and failing_nodes.txt (host \
    lists; an empty one is an empty file, which srun --exclude refuses).\n\n\
    Exit code 0: PASS; 1: FAIL; 2: the command line or a list is wrong; 3: INCONCLUSIVE, as for a missing node.")]
pub struct Args {
    /// Directory with the node files, one a node, as flopgauge accept wrote them; directories in it are not read.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Nodes that were to report, as in gpu[01-64],login1; @FILE for a file of such lists, - for standard input
    /// [default: SLURM_JOB_NODELIST, where the job is that of SLURM_JOB_ID].
    #[arg(long, value_name = "HOSTLIST|@FILE|-", allow_hyphen_values = true)]
    expect: Option<String>,
    /// Job that the files must be of [default: SLURM_JOB_ID, or RUN_ID; without any, files that are of no job].
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    job: Option<String>,
    /// Restart of the job that they must be of [default: SLURM_RESTART_COUNT of this job, or 0].
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    restart: Option<u64>,
    /// Directory for the verdict; made where it is not there [default: DIR].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON, kind fleet/1, in place of the text.
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// Where the verdict goes.
    pub fn out(&self) -> &Path {
        self.out.as_deref().unwrap_or(&self.directory)
    }

    /// Whose files are looked for; nobody's, where the list is there and empty.
    ///
    /// Errors: [`CliError::Usage`] without a list, and [`CliError::Accept`] or [`CliError::File`] for a wrong one.
    pub fn sought(&self) -> Result<Sought, CliError> {
        let here = engine::run_identity()?;
        let same = self.job.is_none() || self.job == here.job;
        let restart = self.restart.unwrap_or(if same { here.restart } else { 0 });
        let list = self.list(&here, same)?;
        let expected = if list.trim().is_empty() { Vec::new() } else { expand(&list)? };
        Ok(Sought { expected, job: self.job.clone().or(here.job), restart })
    }

    fn list(&self, here: &RunIdentity, same: bool) -> Result<String, CliError> {
        let Some(given) = &self.expect else {
            let from_slurm = std::env::var("SLURM_JOB_NODELIST").ok().filter(|_| same && here.job.is_some());
            let missing =
                "nobody says which nodes were to report; give --expect, as in --expect 'gpu[01-64]'";
            return from_slurm.ok_or_else(|| CliError::Usage(missing.to_owned()));
        };
        let path = match given.strip_prefix('@') {
            Some(path) => path,
            None if given == "-" => "-",
            None => return Ok(given.clone()),
        };
        Ok(read_text(Path::new(path), LIST_LIMIT)?)
    }
}

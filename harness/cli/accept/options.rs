//! What `flopgauge accept` can be told.

use std::path::{Path, PathBuf};

use crate::accept::{Spec, Tier, is_node_name};
use crate::cli::choice::SearchArgs;
use crate::cli::measure::positive;
use crate::cli::{CliError, engine};
use crate::record::Host;
use crate::units::Seconds;

/// Judge this node: every device is measured and held against a spec, and the verdict is left in a file.
///
/// The last line on stdout is the verdict. What could not be measured is INCONCLUSIVE, never PASS. The devices of one
/// backend are measured at the same time, each in a process of its own; a backend follows the other. The file that an earlier run left of this node in --out is deleted at the start,
/// whichever job it is of, so that it is never taken for this run's; a file that is no node file stays and is an error.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge accept --tier smoke --out results\n  \
    flopgauge accept --spec site.toml --tier full --time-limit 900 --out results\n  \
    srun --ntasks-per-node=1 flopgauge accept --out results --synchronised start.$SLURM_JOB_ID\n\n\
    Exit code 0: PASS; 1: FAIL; 2: the command line or the spec is wrong; 3: INCONCLUSIVE, or the verdict cannot be \
    written; 4: no such --device.")]
pub struct Args {
    #[command(flatten)]
    pub search: SearchArgs,
    /// Spec of what the node must show, or `default` for the built-in one.
    #[arg(long, value_name = "FILE|default", default_value = "default")]
    pub spec: PathBuf,
    /// How much of the node's time it may take: `smoke` is a short look at one format, `full` minutes of load.
    #[arg(long, value_enum, default_value_t = TierArg::Full)]
    tier: TierArg,
    /// Measure again and again for at most so long; the worst of each case counts. Without it each case is measured
    /// once, in the full tier in at most 600 s. The more time there is for each case, the longer it is heated and sampled.
    #[arg(long, value_name = "SECONDS", value_parser = positive, allow_hyphen_values = true)]
    pub duration: Option<Seconds>,
    /// End after this time, with what is known [default: 30 in the smoke tier, none in the full one].
    #[arg(long, value_name = "SECONDS", value_parser = positive, allow_hyphen_values = true)]
    time_limit: Option<Seconds>,
    /// Kill a device's process that says nothing for so long.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = positive, allow_hyphen_values = true)]
    pub stall_limit: Seconds,
    /// Device by id or UUID, or `all`; repeatable [default: all of the kinds that the spec accepts, and a CPU only
    /// where the spec names its model].
    #[arg(long, value_name = "ID|UUID|all")]
    pub device: Vec<String>,
    /// Name of the node [default: SLURMD_NODENAME, NODE_NAME, or the host's name].
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Directory of the node's files; many nodes may share one.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Begin at the same moment as all other nodes of the job, through files in this directory, which must be fresh for
    /// each job and restart. A step of power that can trip a facility's supply: ask those who run it first.
    #[arg(long, value_name = "DIR")]
    pub synchronised: Option<PathBuf>,
    /// This process among those that begin together [default: the rank that MPI, Slurm or Kubernetes tells].
    #[arg(long, value_name = "N", requires = "synchronised")]
    pub rank: Option<u64>,
    /// How many begin together [default: the size that MPI or Slurm tells].
    #[arg(long, value_name = "N", requires = "synchronised", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub ranks: Option<u64>,
    /// Rank 0 waits so long for the others; they wait twice as long for rank 0.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = positive, requires = "synchronised")]
    pub start_limit: Seconds,
    /// Exit as a plug-in of Nagios: 0 OK, 2 CRITICAL for FAIL, 3 UNKNOWN for all else; the first line says it.
    #[arg(long)]
    pub nagios: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum TierArg {
    /// Under thirty seconds.
    Smoke,
    /// Minutes of load.
    Full,
}

/// Time that a look may take where nobody says otherwise.
const SMOKE_LIMIT: f64 = 30.0;

/// Time under load in the full tier where nobody says otherwise.
const FULL_LOAD: f64 = 600.0;

impl Args {
    /// How much is asked.
    pub const fn tier(&self) -> Tier {
        match self.tier {
            TierArg::Smoke => Tier::Smoke,
            TierArg::Full => Tier::Full,
        }
    }

    /// When to end.
    pub fn limit(&self) -> Option<Seconds> {
        let default = || Seconds::new(SMOKE_LIMIT).ok().filter(|_| self.tier == TierArg::Smoke);
        self.time_limit.or_else(default)
    }

    /// Most time under load.
    pub fn load(&self) -> Option<Seconds> {
        let default = || Seconds::new(FULL_LOAD).ok().filter(|_| self.tier == TierArg::Full);
        self.duration.or_else(default)
    }

    /// The spec with its name, read before anything is measured.
    pub fn read_spec(&self) -> Result<(String, Spec), CliError> {
        if self.spec == Path::new("default") {
            return Ok(("default".to_owned(), Spec::builtin()?));
        }
        Ok((self.spec.display().to_string(), Spec::read(&self.spec)?))
    }

    /// The node's name, which becomes a file's.
    pub fn node_name(&self, host: &Host) -> Result<String, CliError> {
        if self.node.is_none() && engine::is_second_on_node()? {
            let two = "two tasks of this job are on one node and would write one file";
            return Err(CliError::Usage(format!("{two}; start one task a node, or give each its --node")));
        }
        let given = self.node.clone().or_else(engine::node_name);
        let Some(name) = given.or_else(|| host.name.clone()) else {
            return Err(CliError::Usage("this host has no name; give --node".to_owned()));
        };
        if !is_node_name(&name) {
            return Err(CliError::Usage(format!(
                "'{name}' is no node name; letters, digits, '.', '_' and '-', as in --node node01"
            )));
        }
        Ok(name)
    }
}

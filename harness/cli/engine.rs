//! What the engine that started this process tells of it: Slurm, MPI or Kubernetes, through the environment.

use super::CliError;
use crate::accept::RunIdentity;

/// Rank and number of ranks: MPI's first, since inside a batch job each of its processes has Slurm's rank 0.
const RANKS: [(&str, Option<&str>); 5] = [
    ("OMPI_COMM_WORLD_RANK", Some("OMPI_COMM_WORLD_SIZE")),
    ("PMIX_RANK", None),
    ("PMI_RANK", Some("PMI_SIZE")),
    ("SLURM_PROCID", Some("SLURM_NTASKS")),
    ("JOB_COMPLETION_INDEX", None),
];

/// Ranks within a node.
const LOCAL_RANKS: [&str; 2] = ["OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"];

/// Which job this process is of: Slurm's variables, else what a launcher sets.
///
/// Errors: [`CliError::Usage`] for a variable that is no number.
pub fn run_identity() -> Result<RunIdentity, CliError> {
    let job = variable("SLURM_JOB_ID").or_else(|| variable("RUN_ID"));
    let rank = rank_variables().map(|(name, _)| number(name)).transpose()?.flatten();
    Ok(RunIdentity { job, restart: number("SLURM_RESTART_COUNT")?.unwrap_or(0), rank })
}

/// How many processes the job has, by the engine whose rank this process has.
///
/// Errors: [`CliError::Usage`] for a variable that is no number.
pub fn ranks() -> Result<Option<u64>, CliError> {
    rank_variables().and_then(|(_, size)| size).map_or(Ok(None), number)
}

fn rank_variables() -> Option<(&'static str, Option<&'static str>)> {
    RANKS.into_iter().find(|(name, _)| variable(name).is_some())
}

/// The node's name, where the engine tells it.
pub fn node_name() -> Option<String> {
    variable("SLURMD_NODENAME").or_else(|| variable("NODE_NAME"))
}

/// Whether another process of the job is on this node.
///
/// Errors: [`CliError::Usage`] for a variable that is no number.
pub fn is_second_on_node() -> Result<bool, CliError> {
    let ranks: Result<Vec<_>, _> = LOCAL_RANKS.into_iter().map(number).collect();
    Ok(ranks?.into_iter().flatten().any(|rank| rank > 0))
}

fn number(name: &str) -> Result<Option<u64>, CliError> {
    let wrong = |text: &str| CliError::Usage(format!("{name} is '{text}'; a whole number is expected"));
    variable(name).map(|text| text.parse().map_err(|_| wrong(&text))).transpose()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

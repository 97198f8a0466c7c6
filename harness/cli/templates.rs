//! `flopgauge templates [NAME]`.

use super::{CliError, Exit, Output};
use crate::accept::Template;

/// Print a script that starts an acceptance: Slurm job, prolog, health check, mpirun, Kubernetes, ReFrame.
///
/// Without a name they are listed. Each is a file to copy and edit; its settings are at its head.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  flopgauge templates\n  flopgauge templates accept.sbatch > accept.sbatch"
)]
pub struct Args {
    /// Template, as listed.
    name: Option<String>,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let all = Template::all();
    let Some(name) = &args.name else {
        let row = |template: &Template| format!("{:18} {}\n", template.name, template.summary());
        output.result(&all.iter().map(row).collect::<String>())?;
        return Ok(Exit::Done);
    };
    let Some(template) = all.iter().find(|template| template.name == name) else {
        let names: Vec<_> = all.iter().map(|template| template.name).collect();
        return Err(CliError::Usage(format!("no template '{name}'; there are {}", names.join(", "))));
    };
    output.result(template.text)?;
    Ok(Exit::Done)
}

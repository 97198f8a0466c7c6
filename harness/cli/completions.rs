//! `flopgauge completions SHELL`.

use clap_complete::Shell;

use super::{CliError, Exit, Output, definition};

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  flopgauge completions bash > /etc/bash_completion.d/flopgauge")]
pub struct Args {
    /// Shell to complete for.
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut definition(), "flopgauge", &mut script);
    output.result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

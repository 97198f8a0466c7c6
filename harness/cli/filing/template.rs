//! `flopgauge filing template`.

use crate::cli::{CliError, Exit, Output};
use crate::filing::blank_dual_use;

/// Print a file to start from.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  flopgauge filing template filer > filer.toml")]
pub struct Args {
    /// Which.
    #[arg(value_enum)]
    kind: Template,
}

/// Files to start from.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Template {
    /// A filer file.
    Filer,
    /// The questionnaire of the dual-use foundation model test.
    DualUse,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    match args.kind {
        Template::Filer => output.result(include_str!("filer.toml"))?,
        Template::DualUse => output.result(&blank_dual_use())?,
    }
    Ok(Exit::Done)
}

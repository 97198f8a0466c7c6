//! What the user typed: one file per subcommand, one table of exit codes.

mod accept;
mod baseline;
mod chip;
mod choice;
mod cluster;
mod collect;
mod compare;
mod completions;
mod devices;
mod engine;
mod error;
mod filing;
mod host;
mod job;
mod judging;
mod man;
mod measure;
mod output;
mod profile;
mod report;
mod rules;
mod schema;
mod signals;
mod templates;
mod training;
mod worker;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use error::{CliError, Exit};
use output::Output;

/// Measure what an accelerator's dense matrix units really deliver, beside what its maker says they could.
#[derive(Debug, Parser)]
#[command(name = "flopgauge", version, max_term_width = 110, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 a case failed or a verdict is FAIL, 2 usage or a wrong input file, \
    3 inconclusive, 4 a device or backend is not there, 10/11 with --fail-on, 70 a defect in flopgauge."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Devices(devices::Args),
    Measure(Box<measure::Args>),
    Profile(profile::Args),
    Compare(compare::Args),
    Chip(chip::Args),
    Cluster(cluster::Args),
    Accept(accept::Args),
    Templates(templates::Args),
    Collect(collect::Args),
    Baseline(baseline::Args),
    Training(training::Args),
    Filing(filing::Args),
    Report(report::Args),
    Rules(rules::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
    Worker(worker::Args),
}

/// Runs the program on the process' arguments; the only place where an error becomes text and an exit code.
pub fn main() -> ExitCode {
    let done = std::panic::catch_unwind(|| {
        let cli = match Cli::try_parse() {
            Ok(cli) => cli,
            Err(error) => return usage(&error),
        };
        let mut output = Output::to_stdout();
        let exit = run(cli.command, &mut output).unwrap_or_else(|error| {
            output.error(&error);
            error.exit()
        });
        output.finish(exit)
    });
    ExitCode::from(done.unwrap_or(Exit::Defect).code())
}

fn run(command: Command, output: &mut Output) -> Result<Exit, CliError> {
    match command {
        Command::Devices(args) => devices::run(&args, output),
        Command::Measure(args) => measure::run(&args, output),
        Command::Compare(args) => compare::run(&args, output),
        Command::Profile(args) => profile::run(&args, output),
        Command::Chip(args) => chip::run(&args, output),
        Command::Cluster(args) => cluster::run(&args, output),
        Command::Accept(args) => accept::run(&args, output),
        Command::Templates(args) => templates::run(&args, output),
        Command::Collect(args) => collect::run(&args, output),
        Command::Baseline(args) => baseline::run(&args, output),
        Command::Training(args) => training::run(&args, output),
        Command::Filing(args) => filing::run(&args, output),
        Command::Report(args) => report::run(&args, output),
        Command::Rules(args) => rules::run(&args, output),
        Command::Schema(args) => schema::run(&args, output),
        Command::Completions(args) => completions::run(&args, output),
        Command::Man(args) => man::run(&args, output),
        Command::Worker(_) => worker::run(),
    }
}

/// The whole command line, for what is generated from it.
fn definition() -> clap::Command {
    Cli::command()
}

fn usage(error: &clap::Error) -> Exit {
    let help = !error.use_stderr();
    // A closed stdout or stderr is no reason to fail at showing a help text.
    let _ = error.print();
    if help { Exit::Done } else { Exit::Usage }
}

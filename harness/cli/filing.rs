//! `flopgauge filing`: dates, plan, packet, the dual-use questionnaire, and files to start from.

mod dates;
mod dual_use;
mod packet;
mod plan;
mod template;

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::judging::{catalogued, devices, today};
use super::{CliError, Exit, Output};
use crate::cluster::{ProfileFile, read_profile};
use crate::filing::{
    Day, Filer, FilingRule, Judged, Plan, Quarter, Readings, Schedule, Standing, instrument, judge_all,
    read_filer,
};

pub use dates::Dates;
pub use dual_use::DualUseResult;

/// Due dates, plan and packet of a quarterly filing, by a rule that was proposed and is not in force.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Examples:\n  flopgauge filing dates --quarter 2026Q1\n  \
    flopgauge filing template filer > filer.toml\n  \
    flopgauge filing plan filer.toml\n  \
    flopgauge filing packet filer.toml --quarter 2026Q1 --out 2026Q1\n\n\
    A help for preparation, not legal advice. The rule was proposed on September 11, 2024 and is not in force.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Dates(dates::Args),
    Plan(plan::Args),
    Packet(packet::Args),
    DualUse(dual_use::Args),
    Template(template::Args),
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    match &args.command {
        Command::Dates(args) => dates::run(args, output),
        Command::Plan(args) => plan::run(args, output),
        Command::Packet(args) => packet::run(args, output),
        Command::DualUse(args) => dual_use::run(args, output),
        Command::Template(args) => template::run(args, output),
    }
}

/// Options that every date depends on.
#[derive(Debug, clap::Args)]
struct Choices {
    /// Choice where the text is open, as look_ahead_end=excluded; repeatable. Without a value that is known, all are
    /// listed.
    #[arg(long = "reading", value_name = "KEY=VALUE")]
    readings: Vec<String>,
    /// Day on which it is asked, as 2026-11-24; today where it is left out.
    #[arg(long, value_name = "DATE", value_parser = day)]
    as_of: Option<Day>,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

impl Choices {
    fn day(&self) -> Date {
        self.as_of.map_or_else(today, |day| day.0)
    }

    fn readings(&self, stated: Readings) -> Result<Readings, CliError> {
        stated.with(&self.readings).map_err(CliError::Usage)
    }
}

/// A day of the command line.
fn day(text: &str) -> Result<Day, String> {
    Day::parse(text)
}

/// A filer with everything that a plan and a packet are made from.
struct Prepared {
    filer: Filer,
    judged: Vec<Judged>,
    rule: FilingRule,
    readings: Readings,
    plan: Plan,
}

impl Prepared {
    fn schedule(&self) -> Schedule<'_> {
        Schedule { rule: &self.rule, readings: self.readings }
    }
}

fn prepare(
    path: &Path,
    profiles: &[PathBuf],
    choices: &Choices,
    through: Option<Quarter>,
) -> Result<Prepared, CliError> {
    let filer = read_filer(path)?;
    let readings = choices.readings(filer.readings)?;
    let rule = FilingRule::bis_2024().map_err(crate::filing::FilingError::from)?;
    let instrument = instrument(&rule)?;
    let profiles: Vec<ProfileFile> =
        profiles.iter().map(|path| read_profile(path)).collect::<Result<_, _>>()?;
    let catalogued = catalogued()?;
    let as_of = choices.day();
    let judged = judge_all(&filer, &instrument, &devices(&profiles, &catalogued), as_of)?;
    let standing = Standing::on(&rule, &instrument, as_of);
    let schedule = Schedule { rule: &rule, readings };
    let plan = Plan::of(&filer, &judged, &schedule, standing, as_of, through)?;
    Ok(Prepared { plan, filer, judged, rule, readings })
}

/// The notices that every text output ends with.
fn notices(standing: &Standing) -> String {
    let lines = standing.notices.iter().take(2);
    lines.map(|line| format!("{line}\n")).collect()
}

//! `flopgauge compare A B`, or of several records on each side.

use std::path::PathBuf;

use super::{CliError, Exit, Output};
use crate::compare::compare_runs;
use crate::record::Record;
use crate::report::{comparison_html, comparison_markdown, comparison_table};

/// How a comparison is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table for a terminal.
    Terminal,
    /// JSON, kind comparison/1.
    Json,
    /// Markdown tables.
    Markdown,
    /// A page that fetches nothing.
    Html,
}

/// Compare two records: the rate of B over that of A with its interval, case by case of equal identity.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge compare results/before results/after\n  \
    flopgauge compare results/before results/after --fail-if-slower 3% --json\n  \
    flopgauge compare results/before results/after --format html > comparison.html\n  \
    flopgauge compare --a before1 before2 before3 --b after1 after2 after3\n\n\
    Exit codes: 0 done; with --fail-if-slower 1 where an interval for all pairs at once lies beyond the limit, 3 where \
    that cannot be told or a case was not compared; 2 an input is wrong; 3 no pair.")]
pub struct Args {
    /// Record directory, the one to compare with.
    #[arg(required_unless_present = "several_a", conflicts_with = "several_a")]
    a: Option<PathBuf>,
    /// Record directory, the one in question.
    #[arg(required_unless_present = "several_a", conflicts_with = "several_a")]
    b: Option<PathBuf>,
    /// Two or more record directories to compare with, in place of A: differences from run to run are then counted.
    #[arg(long = "a", value_name = "RECORD", num_args = 1.., requires = "several_b")]
    several_a: Vec<PathBuf>,
    /// Two or more record directories in question, in place of B.
    #[arg(long = "b", value_name = "RECORD", num_args = 1.., requires = "several_a")]
    several_b: Vec<PathBuf>,
    /// Fail where B is slower than A by more than this share, as in 3%.
    #[arg(long, value_name = "PERCENT", value_parser = percent, allow_hyphen_values = true)]
    fail_if_slower: Option<f64>,
    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    format: Format,
    /// Print JSON, kind comparison/1; the same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let (paths_a, paths_b) = (paths(&args.a, &args.several_a), paths(&args.b, &args.several_b));
    let read = |paths: &[PathBuf]| paths.iter().map(|path| Record::read(path)).collect::<Result<Vec<_>, _>>();
    let (a, b) = (read(&paths_a)?, read(&paths_b)?);
    let (a, b): (Vec<&Record>, Vec<&Record>) = (a.iter().collect(), b.iter().collect());
    let comparison = compare_runs(&a, &b).map_err(|error| CliError::Usage(error.to_string()))?;
    match if args.json { Format::Json } else { args.format } {
        Format::Json => output.json(&comparison)?,
        Format::Terminal => output.result(&comparison_table(&comparison, output.width()))?,
        Format::Markdown => output.result(&comparison_markdown(&comparison))?,
        Format::Html => {
            let page = comparison_html(&comparison, &names(&paths_a), &names(&paths_b));
            output.result(&page.map_err(|error| CliError::Defect(format!("comparison.html: {error:#}")))?)?;
        }
    }
    if comparison.pairs.is_empty() {
        return Ok(Exit::Inconclusive);
    }
    let Some(limit) = args.fail_if_slower.map(|share| 1.0 - share) else { return Ok(Exit::Done) };
    if comparison.pairs.iter().any(|pair| pair.joint_high < limit) {
        return Ok(Exit::Failed);
    }
    let told = comparison.pairs.iter().all(|pair| pair.joint_low >= limit) && comparison.unpaired.is_empty();
    Ok(if told { Exit::Done } else { Exit::Inconclusive })
}

/// The one of the short form, or the several of the long one.
fn paths(one: &Option<PathBuf>, several: &[PathBuf]) -> Vec<PathBuf> {
    one.iter().chain(several).cloned().collect()
}

fn names(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn percent(text: &str) -> Result<f64, String> {
    let wrong = || "write a share in per cent from 0 to 100, as in 3%".to_owned();
    let value: f64 = text.strip_suffix('%').ok_or_else(wrong)?.trim().parse().map_err(|_| wrong())?;
    if (0.0..100.0).contains(&value) { Ok(value / 100.0) } else { Err(wrong()) }
}

//! `flopgauge compare A B`.

use std::path::PathBuf;

use super::{CliError, Exit, Output};
use crate::compare::compare;
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
    flopgauge compare results/before results/after --format html > comparison.html\n\n\
    Exit codes: 0 done; with --fail-if-slower 1 where an interval for all pairs at once lies beyond the limit, 3 where \
    that cannot be told or a case was not compared; 2 an input is wrong; 3 no pair.")]
pub struct Args {
    /// Record directory, the one to compare with.
    a: PathBuf,
    /// Record directory, the one in question.
    b: PathBuf,
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
    let comparison = compare(&Record::read(&args.a)?, &Record::read(&args.b)?);
    match if args.json { Format::Json } else { args.format } {
        Format::Json => output.json(&comparison)?,
        Format::Terminal => output.result(&comparison_table(&comparison, output.width()))?,
        Format::Markdown => output.result(&comparison_markdown(&comparison))?,
        Format::Html => {
            let (a, b) = (args.a.display().to_string(), args.b.display().to_string());
            let page = comparison_html(&comparison, &a, &b);
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

fn percent(text: &str) -> Result<f64, String> {
    let wrong = || "write a share in per cent from 0 to 100, as in 3%".to_owned();
    let value: f64 = text.strip_suffix('%').ok_or_else(wrong)?.trim().parse().map_err(|_| wrong())?;
    if (0.0..100.0).contains(&value) { Ok(value / 100.0) } else { Err(wrong()) }
}

//! `flopgauge filing dual-use`.

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::{CliError, Exit, Output};
use crate::filing::{DualUse, read_dual_use};

/// The result of a filled-in questionnaire of the dual-use foundation model test, and what would settle an unknown.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  flopgauge filing template dual-use > model.toml\n  flopgauge filing dual-use model.toml"
)]
pub struct Args {
    /// Questionnaire in TOML, `-` for standard input.
    questionnaire: PathBuf,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

/// A result, kind `dual-use-result/1`.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct DualUseResult {
    format: &'static str,
    #[serde(flatten)]
    result: DualUse,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let result = read_dual_use(&args.questionnaire)?;
    if args.json {
        output.json(&DualUseResult { format: "flopgauge.dual-use-result/1", result })?;
    } else {
        output.text(&text(&result))?;
    }
    Ok(Exit::Done)
}

fn text(result: &DualUse) -> String {
    let mut text = format!("{}: dual-use foundation model: {}\n", result.model, result.result.name());
    for point in &result.points {
        text.push_str(&format!(
            "  {:<8} {:<8} {} ({})\n",
            point.point,
            point.answer.name(),
            point.question,
            point.reason
        ));
    }
    for settles in &result.would_settle {
        text.push_str(&format!("{settles}\n"));
    }
    text.push_str(
        "\nTechnical safeguards do not change the result. Definition of Executive Order 14110, section 3(k), revoked \
         January 20, 2025.\nA help for preparation, not legal advice.\n",
    );
    text
}

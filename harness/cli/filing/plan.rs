//! `flopgauge filing plan`.

use std::path::PathBuf;

use super::{Choices, notices, prepare};
use crate::cli::judging::table;
use crate::cli::{CliError, Exit, Output};
use crate::filing::{Plan, Quarter};

/// Every date that falls due for a filer, what belongs in which quarter's notice, and why.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge filing plan filer.toml\n  \
    flopgauge filing plan filer.toml --as-of 2026-04-01 --json | jq '.deadlines[] | [.due, .kind]'\n\n\
    A start for filer.toml: flopgauge filing template filer")]
pub struct Args {
    /// Filer file in TOML, `-` for standard input.
    filer: PathBuf,
    /// Plan at least through this quarter.
    #[arg(long, value_name = "QUARTER")]
    through: Option<Quarter>,
    /// Calibrated profile whose devices may be named; repeatable.
    #[arg(long = "profile", value_name = "FILE")]
    profiles: Vec<PathBuf>,
    #[command(flatten)]
    choices: Choices,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let prepared = prepare(&args.filer, &args.profiles, &args.choices, args.through)?;
    if args.choices.json {
        output.json(&prepared.plan)?;
    } else {
        output.text(&text(&prepared.plan, output.width()))?;
    }
    Ok(Exit::Done)
}

fn text(plan: &Plan, width: Option<u16>) -> String {
    let mut text = format!("{}, as of {}\n", plan.filer.legal_name, plan.as_of);
    if plan.deadlines.is_empty() {
        text.push_str("nothing falls due\n");
    } else {
        let mut rows = table(["Due", "In days", "What", "Day known", "Why"]);
        if let Some(width) = width {
            rows.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
            rows.set_width(width);
        }
        for deadline in &plan.deadlines {
            rows.add_row([
                deadline.due.map_or_else(|| "promptly".to_owned(), |due| due.to_string()),
                deadline.days_left.map_or_else(|| "-".to_owned(), |days| days.to_string()),
                deadline.what.clone(),
                deadline.evidence.name().to_owned(),
                deadline.reasons.join("\n"),
            ]);
        }
        text.push_str(&format!("{rows}\n"));
    }
    for activity in &plan.activities {
        text.push_str(&format!("{} ({}): {}\n", activity.activity, activity.limb.name(), activity.why));
    }
    if let Some(quarter) = plan.silent_from {
        text.push_str(&format!("nothing is due from {quarter} on, until there is a new activity\n"));
    }
    if let Some(continues) = &plan.continues {
        text.push_str(&format!("{continues}\n"));
    }
    text.push('\n');
    text.push_str(&notices(&plan.standing));
    text
}

//! `flopgauge training`.

use std::path::PathBuf;

use super::judging::{Judging, catalogued, devices, shown, table};
use super::{CliError, Exit, Output};
use crate::threshold::{TrainingDetermination, TrainingJudgement, judge_training};
use crate::training::{read_run, read_sacct};

/// Operations of a training run, by its architecture and by its hardware, and what the rules say of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge training harness/examples/run.toml\n  \
    flopgauge training run.toml --sacct jobs.txt --as-of 2026-11-24\n  \
    sacct -P -o JobID,Start,End,ElapsedRaw,AllocTRES,State -j 1234 | flopgauge training run.toml --sacct -")]
pub struct Args {
    /// Training file in TOML, `-` for standard input.
    run: PathBuf,
    /// Output of `sacct -P -o JobID,Start,End,ElapsedRaw,AllocTRES,State` in place of device_hours.
    #[arg(long, value_name = "FILE")]
    sacct: Option<PathBuf>,
    #[command(flatten)]
    judging: Judging,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let rules = args.judging.chosen()?;
    let profiles = args.judging.profiles()?;
    let catalogued = catalogued()?;
    let export = args.sacct.as_ref().map(|path| read_sacct(path)).transpose()?;
    let read = read_run(&args.run, &devices(&profiles, &catalogued), export.as_ref())?;
    let wrong = |error: &dyn std::fmt::Display| CliError::Usage(format!("{}: {error}", args.run.display()));
    let judged = judge_training(&rules, &read, args.judging.day()).map_err(|error| wrong(&error))?;
    if judged.is_empty() {
        return Err(CliError::Usage("no chosen rule has a test of training runs that applies".to_owned()));
    }
    let answer = TrainingDetermination::new(&read, &judged, args.judging.day().to_string())
        .map_err(|error| wrong(&error))?;
    if args.judging.json {
        output.json(&answer)?;
    } else {
        output.text(&text(&answer, &judged, args.judging.brief))?;
    }
    Ok(args.judging.exit(judged.iter().map(|judgement| &judgement.determination)))
}

fn text(answer: &TrainingDetermination, judged: &[TrainingJudgement], brief: bool) -> String {
    let mut text = format!(
        "{}: {} operations, by {}\n",
        answer.name,
        answer.headline.operations,
        answer.headline.method.name()
    );
    let mut rows = table(["Estimate", "Low", "Best", "High"]);
    for (name, three, reason) in [
        ("architecture", &answer.architecture, &answer.architecture_reason),
        ("hardware", &answer.hardware, &answer.hardware_reason),
    ] {
        let row = match three {
            Some(three) => {
                [three.low, three.best, three.high].map(|ops| super::judging::round(&ops.get().to_string()))
            }
            None => [reason.clone().unwrap_or_default(), "-".to_owned(), "-".to_owned()],
        };
        let [low, best, high] = row;
        rows.add_row([name.to_owned(), low, best, high]);
    }
    let lineage = [answer.lineage.low, answer.lineage.best, answer.lineage.high];
    let [low, best, high] = lineage.map(|ops| super::judging::round(&ops.get().to_string()));
    rows.add_row([format!("lineage of {}", answer.lineage.runs.len()), low, best, high]);
    text.push_str(&format!("{rows}\n"));
    if let Some(ratio) = answer.agreement {
        text.push_str(&format!("agreement of the two: a factor of {:.3}\n", ratio.get()));
    }
    for part in &answer.contributions {
        text.push_str(&format!("contribution: {} {} ({})\n", part.name, part.operations, part.effect.name()));
    }
    for warning in &answer.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    for (rule, day) in &answer.projected_crossing {
        if let Some(day) = day {
            text.push_str(&format!(
                "{rule}: the best estimate passes the limit on {day} at the present rate\n"
            ));
        }
    }
    text.push('\n');
    text.push_str(&shown(judged.iter().map(|judgement| &judgement.determination), brief));
    text
}

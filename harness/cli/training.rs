//! `flopgauge training`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::judging::{Judging, catalogued, devices, shown, table};
use super::{CliError, Exit, Output};
use crate::threshold::{Determination, TrainingJudgement, Verdict, judge_training};
use crate::training::{Effect, Route, Run, Three, WholeThree, read_run, read_sacct};
use crate::units::{Ops, Ratio, UnitError};

/// Greatest ratio of the two estimates that is usual.
///
/// Source: Epoch AI, Estimating training compute: they "differ by no more than a factor of 1.7".
const USUAL_RATIO: f64 = 1.7;

/// Operations of a training run, by its architecture and by its hardware, and what the rules say of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge training run.toml\n  \
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

/// Estimates and determinations, kind `training-determination/1`.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TrainingDetermination {
    format: &'static str,
    /// Day whose law is shown.
    as_of: String,
    /// Name of the model, or of the file.
    name: String,
    /// The estimate that leads.
    headline: Headline,
    /// From parameters and tokens; null when the file says too little.
    architecture: Option<WholeThree>,
    /// Why it is null.
    architecture_reason: Option<String>,
    /// From device hours; null when the file says too little.
    hardware: Option<WholeThree>,
    /// Why it is null.
    hardware_reason: Option<String>,
    /// The greater estimate over the smaller; null without both.
    agreement: Option<Ratio>,
    /// This run and those whose weights it starts from.
    lineage: LineageAnswer,
    /// What makes the range as wide and as high as it is.
    contributions: Vec<ContributionAnswer>,
    /// What each rule says.
    determinations: Vec<Determined>,
    /// First day on which the best estimate passes a rule's limit at the present rate; null when there is none.
    projected_crossing: BTreeMap<String, Option<String>>,
    /// What to look at twice.
    warnings: Vec<String>,
}

/// The estimate that leads.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Headline {
    method: &'static str,
    /// Two significant figures, as notifications give it.
    operations: String,
    low: Ops,
    high: Ops,
}

/// A sum over runs that share weights.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct LineageAnswer {
    runs: Vec<RunAnswer>,
    low: Ops,
    best: Ops,
    high: Ops,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct RunAnswer {
    name: String,
    low: Ops,
    best: Ops,
    high: Ops,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct ContributionAnswer {
    name: &'static str,
    /// Operations, rounded up.
    operations: Ops,
    /// Where it enters the range.
    effect: Effect,
}

/// A determination with the verdict that each method alone would give.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Determined {
    #[serde(flatten)]
    determination: Determination,
    verdict_by_method: BTreeMap<&'static str, Verdict>,
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
    let answer = answer(&read, &judged, args.judging.day().to_string()).map_err(|error| wrong(&error))?;
    if args.judging.json {
        output.json(&answer)?;
    } else {
        output.result(&text(&answer, &judged, args.judging.brief))?;
    }
    Ok(args.judging.exit(judged.iter().map(|judgement| &judgement.determination)))
}

fn answer(
    run: &Run,
    judged: &[TrainingJudgement],
    as_of: String,
) -> Result<TrainingDetermination, UnitError> {
    // The rule that counts least decides what the estimates show; BIS comes first among those that are built in.
    let first = judged.iter().find(|j| j.determination.rule == "BIS-2024-proposed").unwrap_or(&judged[0]);
    let assessment = &first.assessment;
    let whole =
        |route: &Result<Route, String>| route.as_ref().ok().map(|route| route.sum().whole()).transpose();
    let architecture = whole(&assessment.architecture)?;
    let hardware = whole(&assessment.hardware)?;
    let headline = assessment.headline.sum().whole()?;
    let agreement = architecture.zip(hardware).and_then(|(a, b)| ratio(a.best, b.best));
    let runs = assessment.lineage.runs.iter().map(|(name, three)| {
        let WholeThree { low, best, high } = three.whole()?;
        Ok(RunAnswer { name: name.clone(), low, best, high })
    });
    let sum = assessment.lineage.sum.whole()?;
    let contributions = assessment.headline.contributions.iter().map(|c| {
        Ok(ContributionAnswer {
            name: c.name,
            operations: Three::exactly(&c.operations).whole()?.high,
            effect: c.effect,
        })
    });
    let determined = |judgement: &TrainingJudgement| Determined {
        determination: judgement.determination.clone(),
        verdict_by_method: judgement.by_method.clone(),
    };
    let crossing =
        |j: &TrainingJudgement| (j.determination.rule.clone(), j.crossing.map(|day| day.to_string()));
    Ok(TrainingDetermination {
        format: "flopgauge.training-determination/1",
        as_of,
        name: run.name().to_owned(),
        headline: Headline {
            method: assessment.headline.method.name(),
            operations: two_figures(headline.best),
            low: headline.low,
            high: headline.high,
        },
        architecture,
        architecture_reason: assessment.architecture.as_ref().err().cloned(),
        hardware,
        hardware_reason: assessment.hardware.as_ref().err().cloned(),
        agreement,
        lineage: LineageAnswer {
            runs: runs.collect::<Result<_, UnitError>>()?,
            low: sum.low,
            best: sum.best,
            high: sum.high,
        },
        contributions: contributions.collect::<Result<_, UnitError>>()?,
        determinations: judged.iter().map(determined).collect(),
        projected_crossing: judged.iter().map(crossing).collect(),
        warnings: warnings(run, agreement),
    })
}

fn ratio(a: Ops, b: Ops) -> Option<Ratio> {
    let (small, great) = (a.min(b), a.max(b));
    if small == Ops::ZERO { None } else { Ratio::new(great.to_f64() / small.to_f64()).ok() }
}

fn warnings(run: &Run, agreement: Option<Ratio>) -> Vec<String> {
    let mut found = run.notes.clone();
    if let Some(ratio) = agreement.filter(|ratio| ratio.get() > USUAL_RATIO) {
        let ratio = ratio.get();
        found.push(format!(
            "the two estimates differ by a factor of {ratio:.2}; up to {USUAL_RATIO} is usual"
        ));
    }
    if run.model.as_ref().is_some_and(|model| model.sparse) {
        found.push(
            "mixture of experts: active parameters are counted, the total would be too high".to_owned(),
        );
    }
    found
}

/// `4.0e25`: two significant figures, half up.
fn two_figures(operations: Ops) -> String {
    let value = operations.get();
    if value < 10 {
        return value.to_string();
    }
    let power = value.ilog10();
    let unit = 10_u128.pow(power - 1);
    let figures = value / unit + u128::from(value % unit >= unit.div_ceil(2));
    let (figures, power) = if figures == 100 { (10, power + 1) } else { (figures, power) };
    format!("{}.{}e{power}", figures / 10, figures % 10)
}

fn text(answer: &TrainingDetermination, judged: &[TrainingJudgement], brief: bool) -> String {
    let mut text = format!(
        "{}: {} operations, by {}\n",
        answer.name, answer.headline.operations, answer.headline.method
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_figures_round_half_up() {
        for (value, text) in
            [(37_908_u128, "3.8e4"), (99_600, "1.0e5"), (85, "8.5e1"), (995, "1.0e3"), (7, "7")]
        {
            assert_eq!(two_figures(Ops::new(value)), text);
        }
    }
}

//! `flopgauge filing dates`.

use jiff::civil::Date;
use serde::Serialize;

use super::{Choices, day, notices};
use crate::cli::{CliError, Exit, Output};
use crate::filing::{
    Affirmations, Basis, Day, FilingError, FilingRule, Quarter, Readings, Schedule, Standing, Window,
    instrument,
};

/// When a quarter's notice, an answer, a clarification or the affirmations after a last activity fall due.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge filing dates --quarter 2026Q1\n  \
    flopgauge filing dates --questions-received 2026-04-20 --json\n  \
    flopgauge filing dates --last-activity 2027Q3\n  \
    flopgauge filing dates --quarter 2026Q1 --reading past_window=calendar-quarter")]
#[command(group = clap::ArgGroup::new("asked").required(true))]
pub struct Args {
    /// Quarter of a notice, as 2026Q1.
    #[arg(long, value_name = "QUARTER", group = "asked")]
    quarter: Option<Quarter>,
    /// Day on which questions were received.
    #[arg(long, value_name = "DATE", group = "asked", value_parser = day)]
    questions_received: Option<Day>,
    /// Day on which a clarification was asked for.
    #[arg(long, value_name = "DATE", group = "asked", value_parser = day)]
    clarification_received: Option<Day>,
    /// Last quarter with an activity: the affirmations that follow.
    #[arg(long, value_name = "QUARTER", group = "asked")]
    last_activity: Option<Quarter>,
    #[command(flatten)]
    choices: Choices,
}

/// A statement of the rule that a date rests on.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Stated {
    about: String,
    #[serde(flatten)]
    basis: Basis,
    /// Address of the source.
    url: Option<String>,
}

/// An affirmation.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct AffirmationDate {
    quarter: Quarter,
    number: i16,
    #[schemars(with = "String")]
    due: Date,
}

/// Dates, kind `filing-dates/1`; what was not asked for is left out.
#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
pub struct Dates {
    format: &'static str,
    /// The day on which it was asked.
    as_of: String,
    rule_profile: String,
    legal_status_notice: String,
    notices: Vec<String>,
    readings: Readings,
    /// The quarter of the notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    quarter: Option<Quarter>,
    /// The day on which questions or the request for clarification arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<Day>,
    /// The due date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    due: Option<Date>,
    /// The day that the six months count from: the due date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    window_start: Option<Date>,
    /// The last day of the six months.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    window_end: Option<Date>,
    /// Days that the notice looks back on, both ends included.
    #[serde(skip_serializing_if = "Option::is_none")]
    past_window: Option<Window>,
    /// Days that the notice looks ahead to, both ends included; they begin the day after the past window.
    #[serde(skip_serializing_if = "Option::is_none")]
    look_ahead: Option<Window>,
    /// The last quarter with an activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_activity: Option<Quarter>,
    /// Affirmations of no applicable activities.
    #[serde(skip_serializing_if = "Option::is_none")]
    affirmations: Option<Vec<AffirmationDate>>,
    /// First due date on which nothing is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    silent_from: Option<Date>,
    /// What the dates rest on.
    rests_on: Vec<Stated>,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let rule = FilingRule::bis_2024().map_err(FilingError::from)?;
    let standing = Standing::on(&rule, &instrument(&rule)?, args.choices.day());
    let readings = args.choices.readings(Readings::default())?;
    let schedule = Schedule { rule: &rule, readings };
    let mut dates = Dates {
        format: "flopgauge.filing-dates/1",
        as_of: args.choices.day().to_string(),
        rule_profile: standing.rule_profile.clone(),
        legal_status_notice: standing.legal_status_notice.clone(),
        notices: standing.notices.clone(),
        readings,
        ..Dates::default()
    };
    fill(&mut dates, args, &schedule);
    if args.choices.json {
        output.json(&dates)?;
    } else {
        output.text(&text(&dates, &standing))?;
    }
    Ok(Exit::Done)
}

fn fill(dates: &mut Dates, args: &Args, schedule: &Schedule<'_>) {
    let mut about: Vec<&str> = Vec::new();
    if let Some(quarter) = args.quarter {
        let due = schedule.due(quarter);
        dates.quarter = Some(quarter);
        dates.due = Some(due);
        dates.window_start = Some(due);
        dates.window_end = Some(schedule.window_end(due));
        dates.past_window = Some(schedule.past(quarter));
        dates.look_ahead = Some(schedule.look_ahead(quarter));
        about.extend([
            "due dates",
            "quarter labels",
            "look-ahead",
            "reading past_window",
            "reading look_ahead_end",
        ]);
    }
    if let Some(received) = args.questions_received {
        dates.received = Some(received);
        dates.due = Some(schedule.answer_due(received.0));
        about.push("answers");
    }
    if let Some(received) = args.clarification_received {
        dates.received = Some(received);
        dates.due = Some(schedule.clarification_due(received.0));
        about.extend(["clarifications", "reading clarification_days"]);
    }
    if let Some(last) = args.last_activity {
        let count = match schedule.readings.affirmations {
            Affirmations::SevenQuarters => schedule.rule.affirmations.quarters,
            Affirmations::None => 0,
        };
        let affirmation = |number| {
            let quarter = last.plus(number);
            AffirmationDate { quarter, number, due: schedule.due(quarter) }
        };
        dates.last_activity = Some(last);
        dates.affirmations = Some((1..=count).map(affirmation).collect());
        dates.silent_from = Some(schedule.due(last.plus(count + 1)));
        about.extend(["due dates", "affirmations"]);
    }
    let rule = schedule.rule;
    let stated = rule.bases().into_iter().filter(|(name, _)| about.contains(&name.as_str()));
    dates.rests_on = stated
        .map(|(about, basis)| {
            let source = basis.source.as_ref().and_then(|key| rule.source.iter().find(|s| s.key == *key));
            Stated { about, basis: basis.clone(), url: source.and_then(|source| source.url.clone()) }
        })
        .collect();
}

fn text(dates: &Dates, standing: &Standing) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| text.push_str(&format!("{name:<28}{value}\n"));
    if let Some(quarter) = dates.quarter {
        line("quarter", quarter.to_string());
    }
    if let Some(received) = dates.received {
        line("received", received.to_string());
    }
    if let Some(due) = dates.due {
        line("due", due.to_string());
    }
    if let (Some(start), Some(end)) = (dates.window_start, dates.window_end) {
        line("six months", format!("{start} to {end}"));
    }
    for (name, window) in [("looks back on", dates.past_window), ("looks ahead to", dates.look_ahead)] {
        if let Some(window) = window {
            line(name, format!("{} to {}", window.first, window.last));
        }
    }
    for affirmation in dates.affirmations.iter().flatten() {
        line(
            &format!("affirmation {}", affirmation.number),
            format!("{} ({})", affirmation.due, affirmation.quarter),
        );
    }
    if let Some(silent) = dates.silent_from {
        line("nothing due on", silent.to_string());
    }
    for stated in &dates.rests_on {
        let words = stated.basis.quotation.as_ref().map(|words| format!("\"{words}\""));
        let words = words.or_else(|| stated.basis.note.clone()).unwrap_or_default();
        let source = stated.basis.source.as_ref().map_or_else(String::new, |source| format!(" [{source}]"));
        line(&stated.about, format!("{}: {words}{source}", stated.basis.evidence.name()));
    }
    text.push('\n');
    text.push_str(&notices(standing));
    text
}

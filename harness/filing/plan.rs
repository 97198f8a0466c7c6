//! Every date that falls due, and what belongs in which quarter's notice, with the reason for each.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::FilingError;
use super::dates::{Schedule, Window};
use super::deadline::{Deadline, deadlines};
use super::filer::{Filer, Limb, Submitter};
use super::judged::Judged;
use super::layout::{Item, lay_out, span};
use super::quarter::Quarter;
use super::readings::Readings;
use super::standing::Standing;
use super::windows::{Cause, Phase, last_day};
use crate::threshold::Verdict;

/// An activity's place in a quarter's notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Name of the activity.
    pub activity: String,
    /// What kind it is.
    pub limb: Limb,
    /// Where it stands on the due date.
    pub phase: Phase,
    /// Why it belongs.
    pub cause: Cause,
    /// Whether it is above the limit: met or undetermined.
    pub verdict: Verdict,
    /// The reason in words.
    pub why: String,
    /// Place in the filer's file, from 0.
    #[serde(skip)]
    pub(super) row: usize,
}

/// What a quarter's notice is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuarterPlan {
    /// The quarter.
    pub quarter: Quarter,
    /// Due date of its notice.
    #[schemars(with = "String")]
    pub due: Date,
    /// Days that it looks back on.
    pub past: Window,
    /// Days that it looks ahead to.
    pub look_ahead: Window,
    /// Activities that belong in it; empty for an affirmation.
    pub entries: Vec<Entry>,
    /// For an affirmation, which of how many, and the last quarter with an activity.
    pub affirmation: Option<AffirmationPlan>,
}

/// An affirmation of no applicable activities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AffirmationPlan {
    /// The last quarter with an activity.
    pub last_activity_quarter: Quarter,
    /// Which it is, from 1.
    pub number: i16,
    /// Of how many.
    pub of: i16,
}

/// Whether an activity is reported at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityPlan {
    /// Name.
    pub activity: String,
    /// What kind it is.
    pub limb: Limb,
    /// First day.
    #[schemars(with = "String")]
    pub start: Date,
    /// Last day; null while it goes on.
    #[schemars(with = "Option<String>")]
    pub end: Option<Date>,
    /// Whether it is above the limit.
    pub verdict: Verdict,
    /// Whether it is reported.
    pub reported: bool,
    /// Why, or why not.
    pub why: String,
    /// First quarter whose notice names it.
    pub first_reported_quarter: Option<Quarter>,
}

/// A plan, kind `filing-plan/1`.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Plan {
    /// `flopgauge.filing-plan/1`.
    pub format: &'static str,
    /// The day on which it was made.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Where the rule stands, and what this is.
    pub standing: Standing,
    /// Who files.
    pub filer: Submitter,
    /// Choices where the text is open.
    pub readings: Readings,
    /// Every date that falls due, in order.
    pub deadlines: Vec<Deadline>,
    /// Quarters with a notice or an affirmation.
    pub quarters: Vec<QuarterPlan>,
    /// Activities, reported or not.
    pub activities: Vec<ActivityPlan>,
    /// First quarter in which nothing is due any more; null while an activity has no end.
    pub silent_from: Option<Quarter>,
    /// What goes on beyond the plan.
    pub continues: Option<String>,
}

impl Plan {
    /// The plan of `filer`, whose activities are `judged`, at least through the quarter `through`.
    ///
    /// Errors: [`FilingError`] when a correction refers to a quarter without a filing, or the plan is absurdly long.
    pub fn of(
        filer: &Filer,
        judged: &[Judged],
        schedule: &Schedule<'_>,
        standing: Standing,
        as_of: Date,
        through: Option<Quarter>,
    ) -> Result<Self, FilingError> {
        let items: Vec<_> = filer.activities.iter().zip(judged).map(|(a, j)| Item::of(a, j)).collect();
        let span = span(&items, as_of, through)?;
        let quarters = span.map_or_else(Vec::new, |(first, last)| lay_out(schedule, &items, first, last));
        check_corrections(filer, &quarters)?;
        let open: Vec<_> = items.iter().filter(|item| goes_on(item, schedule.readings)).collect();
        let continues = (!open.is_empty()).then(|| {
            let names: Vec<_> = open.iter().map(|item| item.name.as_str()).collect();
            format!(
                "no end is stated of {}: a notice falls due each quarter until there is one",
                names.join(", ")
            )
        });
        let last = quarters.last().map(|quarter| quarter.quarter.next());
        Ok(Self {
            format: "flopgauge.filing-plan/1",
            as_of,
            filer: filer.submitter.clone(),
            readings: schedule.readings,
            deadlines: deadlines(filer, schedule, &quarters, as_of),
            activities: items
                .iter()
                .enumerate()
                .map(|(row, item)| summary(schedule, &quarters, row, item))
                .collect(),
            silent_from: if open.is_empty() { last } else { None },
            continues,
            quarters,
            standing,
        })
    }

    /// What `quarter`'s notice is; `None` when nothing is due.
    pub fn quarter(&self, quarter: Quarter) -> Option<&QuarterPlan> {
        self.quarters.iter().find(|plan| plan.quarter == quarter)
    }
}

fn goes_on(item: &Item, readings: Readings) -> bool {
    let kept = readings.continued_possession == super::readings::ContinuedPossession::EachQuarter;
    item.is_reported(readings) && last_day(&item.times).is_none() && (kept || item.limb == Limb::TrainingRun)
}

fn summary(schedule: &Schedule<'_>, quarters: &[QuarterPlan], row: usize, item: &Item) -> ActivityPlan {
    let named = |plan: &&QuarterPlan| plan.entries.iter().any(|entry| entry.row == row);
    ActivityPlan {
        activity: item.name.clone(),
        limb: item.limb,
        start: item.times.start,
        end: item.times.end,
        verdict: item.verdict,
        reported: item.is_reported(schedule.readings),
        why: item.why_reported(schedule.readings),
        first_reported_quarter: quarters.iter().find(named).map(|plan| plan.quarter),
    }
}

fn check_corrections(filer: &Filer, quarters: &[QuarterPlan]) -> Result<(), FilingError> {
    for correction in &filer.corrections {
        if !quarters.iter().any(|plan| plan.quarter == correction.refers_to) {
            let message = format!("refers_to {}: nothing is due for that quarter", correction.refers_to);
            return Err(filer.wrong(correction.offset, message).into());
        }
    }
    Ok(())
}

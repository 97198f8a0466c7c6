//! Dates that fall due, with what each rests on.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::dates::Schedule;
use super::filer::{Filer, Receipt};
use super::plan::QuarterPlan;
use super::quarter::Quarter;
use super::rule::{Basis, Evidence};

/// What is due.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineKind {
    /// A quarterly notification.
    Notification,
    /// An affirmation of no applicable activities.
    AffirmationNoActivity,
    /// Answers to questions.
    Answer,
    /// A clarification.
    Clarification,
    /// A correction of an earlier filing.
    Correction,
}

impl DeadlineKind {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::AffirmationNoActivity => "affirmation_no_activity",
            Self::Answer => "answer",
            Self::Clarification => "clarification",
            Self::Correction => "correction",
        }
    }

    /// Name as people say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Notification => "quarterly notification",
            Self::AffirmationNoActivity => "affirmation of no applicable activities",
            Self::Answer => "answers to questions",
            Self::Clarification => "clarification",
            Self::Correction => "correction",
        }
    }
}

/// A statement of the rule that a date rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestsOn {
    /// The statement.
    pub statement: String,
    /// How well it is known.
    pub evidence: Evidence,
}

/// A date that falls due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// The day; null for a correction, whose period is unknown.
    #[schemars(with = "Option<String>")]
    pub due: Option<Date>,
    /// What is due.
    pub kind: DeadlineKind,
    /// The quarter that it is about.
    pub quarter: Option<Quarter>,
    /// The same in words.
    pub what: String,
    /// Why, one sentence for each activity.
    pub reasons: Vec<String>,
    /// The weakest evidence that the day rests on.
    pub evidence: Evidence,
    /// All that it rests on.
    pub rests_on: Vec<RestsOn>,
    /// Days from the day of the plan; negative when it is past.
    pub days_left: Option<i32>,
    #[serde(skip)]
    order: Option<Date>,
}

/// Every date that falls due, in order.
pub(super) fn deadlines(
    filer: &Filer,
    schedule: &Schedule<'_>,
    quarters: &[QuarterPlan],
    as_of: Date,
) -> Vec<Deadline> {
    let maker = Maker { schedule, as_of };
    let mut found: Vec<_> = quarters.iter().map(|plan| maker.quarterly(plan)).collect();
    found.extend(filer.received.iter().map(|letter| maker.answer(letter)));
    found.extend(filer.corrections.iter().map(|correction| {
        let activity = correction.activity.as_ref().map_or_else(String::new, |name| format!("{name}: "));
        let statements = [("corrections", &schedule.rule.corrections.basis)];
        let mut deadline = maker.deadline(None, DeadlineKind::Correction, &statements);
        deadline.order = Some(correction.discovered);
        deadline.quarter = Some(correction.refers_to);
        deadline.what = format!(
            "correction of {}, discovered {}: without delay, the period is unknown",
            correction.refers_to, correction.discovered
        );
        deadline.reasons = vec![format!("{activity}{}; {}", correction.what, correction.reason)];
        deadline
    }));
    found.sort_by_key(|deadline| (deadline.order, deadline.kind));
    found
}

struct Maker<'a> {
    schedule: &'a Schedule<'a>,
    as_of: Date,
}

impl Maker<'_> {
    fn deadline(&self, due: Option<Date>, kind: DeadlineKind, statements: &[(&str, &Basis)]) -> Deadline {
        let rests_on = statements.iter().map(|(statement, basis)| RestsOn {
            statement: (*statement).to_owned(),
            evidence: basis.evidence,
        });
        let rests_on: Vec<_> = rests_on.collect();
        Deadline {
            due,
            kind,
            quarter: None,
            what: String::new(),
            reasons: Vec::new(),
            evidence: rests_on.iter().map(|on| on.evidence).max().unwrap_or(Evidence::Decided),
            rests_on,
            days_left: due.and_then(|due| Some(self.as_of.until(due).ok()?.get_days())),
            order: due,
        }
    }

    fn quarterly(&self, plan: &QuarterPlan) -> Deadline {
        let rule = self.schedule.rule;
        let dates = [("due dates", &rule.due_dates.basis), ("quarter labels", &rule.quarter_labels.basis)];
        let mut deadline = match plan.affirmation {
            None => self.deadline(Some(plan.due), DeadlineKind::Notification, &dates),
            Some(affirmation) => {
                let statements = [dates[0], dates[1], ("affirmations", &rule.affirmations.basis)];
                let kind = DeadlineKind::AffirmationNoActivity;
                let mut deadline = self.deadline(Some(plan.due), kind, &statements);
                deadline.reasons.push(format!(
                    "affirmation {} of {}: the last quarter with an activity was {}",
                    affirmation.number, affirmation.of, affirmation.last_activity_quarter
                ));
                deadline
            }
        };
        deadline.quarter = Some(plan.quarter);
        deadline.what = format!("{} for {}", deadline.kind.words(), plan.quarter);
        deadline
            .reasons
            .extend(plan.entries.iter().map(|entry| format!("{}: {}", entry.activity, entry.why)));
        deadline
    }

    fn answer(&self, letter: &super::filer::Received) -> Deadline {
        let rule = self.schedule.rule;
        let mut deadline = match letter.kind {
            Receipt::Questions => {
                let due = self.schedule.answer_due(letter.on);
                self.deadline(Some(due), DeadlineKind::Answer, &[("answers", &rule.answers.basis)])
            }
            Receipt::Clarification => {
                let due = self.schedule.clarification_due(letter.on);
                let days = rule.reading.iter().find(|reading| reading.key == "clarification_days");
                let mut statements = vec![("clarifications", &rule.clarifications.basis)];
                statements.extend(days.map(|reading| ("which days count", &reading.basis)));
                self.deadline(Some(due), DeadlineKind::Clarification, &statements)
            }
        };
        let about = letter.about.as_ref().map_or_else(String::new, |about| format!(", {about}"));
        deadline.what = format!("{}{about}", deadline.kind.words());
        deadline.reasons.push(format!("received {}", letter.on));
        deadline
    }
}

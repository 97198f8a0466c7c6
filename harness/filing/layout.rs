//! Notices and affirmations, quarter by quarter: which quarters have one, and which activities are in it.

use jiff::civil::Date;

use super::FilingError;
use super::dates::Schedule;
use super::filer::{Activity, ClusterEvent, Limb, Times};
use super::judged::Judged;
use super::plan::{AffirmationPlan, Entry, QuarterPlan};
use super::quarter::Quarter;
use super::readings::{Affirmations, Readings, Undetermined};
use super::windows::{explain, last_day, place};
use crate::threshold::Verdict;

/// Quarters that a plan goes on for where an activity has no end.
const OPEN_QUARTERS: i16 = 8;
/// Longest plan; a longer one is a typing error in a date.
const LONGEST: i32 = 400;

/// An activity as windows and verdicts see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Name.
    pub name: String,
    /// What kind it is.
    pub limb: Limb,
    /// When.
    pub times: Times,
    /// How a cluster comes.
    pub event: Option<ClusterEvent>,
    /// Whether it is above the limit.
    pub verdict: Verdict,
    /// What an undetermined verdict depends on.
    pub causes: String,
}

impl Item {
    /// The item of an activity and what the calculators say of it.
    pub fn of(activity: &Activity, judged: &Judged) -> Self {
        Self {
            name: activity.name.clone(),
            limb: activity.limb,
            times: activity.times,
            event: activity.event,
            verdict: judged.verdict,
            causes: judged.causes(),
        }
    }

    pub(super) fn is_reported(&self, readings: Readings) -> bool {
        match self.verdict {
            Verdict::Met => true,
            Verdict::NotMet => false,
            Verdict::Undetermined => readings.undetermined == Undetermined::Report,
        }
    }

    pub(super) fn why_reported(&self, readings: Readings) -> String {
        match (self.verdict, readings.undetermined) {
            (Verdict::Met, _) => "above the limit".to_owned(),
            (Verdict::NotMet, _) => "not above the limit: nothing to report".to_owned(),
            (Verdict::Undetermined, Undetermined::Report) => {
                format!("may be above the limit, depends on {}: reported unless that is settled", self.causes)
            }
            (Verdict::Undetermined, Undetermined::LeaveOut) => {
                format!("may be above the limit, depends on {}: left out by the chosen reading", self.causes)
            }
        }
    }
}

/// First and last quarter that anything could be due in; `None` without an activity.
pub(super) fn span(
    items: &[Item],
    as_of: Date,
    through: Option<Quarter>,
) -> Result<Option<(Quarter, Quarter)>, FilingError> {
    let Some(earliest) = items.iter().map(|item| item.times.start).min() else { return Ok(None) };
    // A notice looks six months ahead, so an activity is first named at most three quarters before its own.
    let first = Quarter::of(earliest).plus(-3);
    let known = items.iter().flat_map(|item| {
        let times = &item.times;
        [Some(times.start), times.end, times.complete, times.cancelled].into_iter().flatten()
    });
    let last_known = Quarter::of(known.max().unwrap_or(earliest));
    let last = if items.iter().any(|item| last_day(&item.times).is_none()) {
        last_known.max(Quarter::of(as_of)).plus(OPEN_QUARTERS)
    } else {
        // One for a quarter whose due date lies in the next, seven affirmations, and the silence after them.
        last_known.plus(9)
    };
    let last = through.map_or(last, |through| through.max(last));
    if last.since(first) > LONGEST {
        return Err(FilingError::TooLong { first, last });
    }
    Ok(Some((first, last)))
}

/// Notices and affirmations from `first` to `last`; quarters in which nothing is due are left out.
pub fn lay_out(schedule: &Schedule<'_>, items: &[Item], first: Quarter, last: Quarter) -> Vec<QuarterPlan> {
    let of = schedule.rule.affirmations.quarters;
    let mut last_activity: Option<Quarter> = None;
    let mut plans = Vec::new();
    let mut quarter = first;
    while quarter <= last {
        let entries = entries(schedule, quarter, items);
        let mut affirmation = None;
        if !entries.is_empty() {
            last_activity = Some(quarter);
        } else if let Some(before) = last_activity
            && schedule.readings.affirmations == Affirmations::SevenQuarters
        {
            let number = i16::try_from(quarter.since(before)).unwrap_or(i16::MAX);
            affirmation =
                (number <= of).then_some(AffirmationPlan { last_activity_quarter: before, number, of });
        }
        if !entries.is_empty() || affirmation.is_some() {
            plans.push(QuarterPlan {
                quarter,
                due: schedule.due(quarter),
                past: schedule.past(quarter),
                look_ahead: schedule.look_ahead(quarter),
                entries,
                affirmation,
            });
        }
        quarter = quarter.next();
    }
    plans
}

fn entries(schedule: &Schedule<'_>, quarter: Quarter, items: &[Item]) -> Vec<Entry> {
    let mut found = Vec::new();
    for (row, item) in items.iter().enumerate().filter(|(_, item)| item.is_reported(schedule.readings)) {
        let Some(placed) = place(schedule, quarter, item.limb, &item.times) else { continue };
        let mut why = explain(schedule, quarter, &item.times, item.event, placed);
        if item.verdict == Verdict::Undetermined {
            why.push_str(&format!("; may be above the limit, depends on {}", item.causes));
        }
        found.push(Entry {
            activity: item.name.clone(),
            limb: item.limb,
            phase: placed.phase,
            cause: placed.cause,
            verdict: item.verdict,
            why,
            row,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::rule::FilingRule;
    use super::*;

    fn on(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn run(start: &str, end: &str) -> Item {
        let times = Times {
            start: on(start),
            end: Some(on(end)),
            complete: None,
            planned_since: None,
            cancelled: None,
        };
        Item {
            name: "run".to_owned(),
            limb: Limb::TrainingRun,
            times,
            event: None,
            verdict: Verdict::Met,
            causes: String::new(),
        }
    }

    /// Due dates with a mark: `N` for a notice, the number of an affirmation.
    fn due(items: &[Item]) -> Vec<(String, String)> {
        let rule = FilingRule::bis_2024().unwrap();
        let schedule = Schedule { rule: &rule, readings: Readings::default() };
        let Some((first, last)) = span(items, on("2026-11-24"), None).unwrap() else { return Vec::new() };
        let mark = |plan: &QuarterPlan| plan.affirmation.map_or("N".to_owned(), |a| a.number.to_string());
        lay_out(&schedule, items, first, last).iter().map(|plan| (plan.due.to_string(), mark(plan))).collect()
    }

    fn affirmed(items: &[Item]) -> Vec<String> {
        due(items).into_iter().filter(|(_, mark)| mark != "N").map(|(date, _)| date).collect()
    }

    #[test]
    fn seven_affirmations_follow_the_last_activity_and_then_silence() {
        let seven = [
            "2028-01-15",
            "2028-04-15",
            "2028-07-15",
            "2028-10-15",
            "2029-01-15",
            "2029-04-15",
            "2029-07-15",
        ];
        assert_eq!(affirmed(&[run("2027-03-01", "2027-09-10")]), seven);
    }

    #[test]
    fn a_new_activity_resets_the_count() {
        let mut new = run("2026-02-10", "2026-03-20");
        new.times.planned_since = Some(on("2026-02-10"));
        let items = [run("2025-01-20", "2025-03-01"), new];
        let due = due(&items);
        let place = due.iter().position(|(date, _)| date == "2026-04-15").unwrap();
        assert_eq!(due[place].1, "N");
        assert_eq!(due[place - 1], ("2026-01-15".to_owned(), "3".to_owned()));
        let after: Vec<_> = due[place + 1..].iter().map(|(_, mark)| mark.as_str()).collect();
        assert_eq!(due[place + 1].0, "2026-07-15");
        assert_eq!(after, ["1", "2", "3", "4", "5", "6", "7"]);
    }

    #[test]
    fn without_an_activity_nothing_is_ever_due() {
        assert!(due(&[]).is_empty());
        let small = Item { verdict: Verdict::NotMet, ..run("2026-01-01", "2026-02-01") };
        assert!(due(&[small]).is_empty());
    }

    #[test]
    fn a_plan_that_was_dropped_counts_as_the_last_activity() {
        let mut dropped = run("2026-09-01", "2026-12-01");
        dropped.times.cancelled = Some(on("2026-05-01"));
        let due = due(&[dropped]);
        let notices: Vec<_> =
            due.iter().filter(|(_, mark)| mark == "N").map(|(date, _)| date.as_str()).collect();
        assert_eq!(notices, ["2026-04-15"]);
        assert_eq!(due[1], ("2026-07-15".to_owned(), "1".to_owned()));
        assert_eq!(due.len(), 8);
    }

    #[test]
    fn a_plan_of_centuries_is_refused() {
        assert!(span(&[run("2026-01-01", "2926-01-01")], on("2026-11-24"), None).is_err());
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;
        use crate::filing::readings::{LookAheadEnd, PastWindow};

        proptest! {
            #[test]
            fn an_activity_is_in_every_notice_whose_windows_it_meets_and_at_most_seven_affirmations_follow(
                start in 0_i32..4000, length in 0_i32..900, calendar: bool, excluded: bool,
            ) {
                use jiff::ToSpan;
                let rule = FilingRule::bis_2024().unwrap();
                let readings = Readings {
                    past_window: if calendar { PastWindow::CalendarQuarter } else { PastWindow::default() },
                    look_ahead_end: if excluded { LookAheadEnd::Excluded } else { LookAheadEnd::default() },
                    ..Readings::default()
                };
                let schedule = Schedule { rule: &rule, readings };
                let begin = on("2024-01-01").saturating_add(start.days());
                let end = begin.saturating_add(length.days());
                let items = [run(&begin.to_string(), &end.to_string())];
                let (first, last) = span(&items, on("2026-11-24"), None).unwrap().unwrap();
                let plans = lay_out(&schedule, &items, first, last);
                let notices = plans.iter().filter(|plan| plan.affirmation.is_none()).count();
                prop_assert_eq!(plans.len() - notices, 7);
                // Notices come first and without a gap, and then the affirmations.
                for (index, pair) in plans.windows(2).enumerate() {
                    prop_assert_eq!(pair[1].quarter, pair[0].quarter.next(), "{}", index);
                    prop_assert!(pair[0].affirmation.is_none() || pair[1].affirmation.is_some());
                }
                prop_assert!(plans.iter().any(|plan| plan.past.contains(begin) && plan.affirmation.is_none()));
                // The quarter before the first notice would not have shown it.
                prop_assert!(entries(&schedule, plans[0].quarter.previous(), &items).is_empty());
            }
        }
    }
}

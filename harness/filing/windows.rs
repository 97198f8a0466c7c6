//! Which activities belong in which quarter's notice, in which phase and why.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::dates::{Schedule, Window};
use super::filer::{ClusterEvent, Limb, Times};
use super::quarter::Quarter;
use super::readings::ContinuedPossession;

/// Where an activity stands on a notice's due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It is over.
    Done,
    /// It is under way.
    Ongoing,
    /// It begins later.
    Planned,
}

impl Phase {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ongoing => "ongoing",
            Self::Planned => "planned",
        }
    }
}

/// Why an activity belongs in a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It ended in the days looked back on.
    Done,
    /// It is under way.
    Ongoing,
    /// It begins in the days looked ahead to.
    Planned,
    /// The cluster is being acquired, developed or coming into possession.
    BeingAcquired,
    /// That came to its end in the days looked back on.
    Acquired,
    /// The cluster is held.
    ContinuedPossession,
}

/// The place of an activity in a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Where it stands on the due date.
    pub phase: Phase,
    /// Why it belongs.
    pub cause: Cause,
}

/// The place of an activity in `quarter`'s notice; `None` when it does not belong there.
pub fn place(schedule: &Schedule<'_>, quarter: Quarter, limb: Limb, times: &Times) -> Option<Placed> {
    let due = schedule.due(quarter);
    if times.cancelled.is_some_and(|day| day <= due) {
        return None;
    }
    if times.start > due {
        let known = times.planned_since.is_none_or(|since| since <= due);
        let ahead = schedule.look_ahead(quarter).contains(times.start);
        return (known && ahead).then_some(Placed { phase: Phase::Planned, cause: Cause::Planned });
    }
    let past = schedule.past(quarter);
    // A calendar quarter ends before its notice is due; what happens in between must not wait for the next one.
    let looked_at = Window { first: past.first, last: due };
    let over = |day: Option<Date>| day.is_some_and(|day| day <= due);
    match limb {
        Limb::TrainingRun => {
            let (phase, cause) =
                if over(times.end) { (Phase::Done, Cause::Done) } else { (Phase::Ongoing, Cause::Ongoing) };
            looked_at.meets(times.start, times.end).then_some(Placed { phase, cause })
        }
        Limb::Cluster => {
            let complete = times.complete.unwrap_or(times.start);
            if looked_at.meets(times.start, Some(complete)) {
                let placed = if complete <= due {
                    Placed { phase: Phase::Done, cause: Cause::Acquired }
                } else {
                    Placed { phase: Phase::Ongoing, cause: Cause::BeingAcquired }
                };
                return Some(placed);
            }
            let held = schedule.readings.continued_possession == ContinuedPossession::EachQuarter
                && looked_at.meets(complete, times.end);
            let phase = if over(times.end) { Phase::Done } else { Phase::Ongoing };
            held.then_some(Placed { phase, cause: Cause::ContinuedPossession })
        }
    }
}

/// The reason in words.
pub fn explain(
    schedule: &Schedule<'_>,
    quarter: Quarter,
    times: &Times,
    event: Option<ClusterEvent>,
    placed: Placed,
) -> String {
    let (due, past, ahead) = (schedule.due(quarter), schedule.past(quarter), schedule.look_ahead(quarter));
    let start = times.start;
    let complete = times.complete.unwrap_or(start);
    let event = event.unwrap_or(ClusterEvent::ComeIntoPossession);
    let end = times.end.map_or_else(|| "no end stated".to_owned(), |end| format!("until {end}"));
    match placed.cause {
        Cause::Done => format!(
            "done: {start} to {}, within the days looked back on ({} to {due})",
            times.end.unwrap_or(due),
            past.first
        ),
        Cause::Ongoing => format!("under way on {due}: since {start}, {end}"),
        Cause::Planned => {
            format!(
                "planned: begins {start}, within the days looked ahead to ({} to {})",
                ahead.first, ahead.last
            )
        }
        Cause::BeingAcquired => format!("{} on {due}: since {start}, complete {complete}", event.doing()),
        Cause::Acquired => {
            format!(
                "{} on {complete}, within the days looked back on ({} to {due})",
                event.done(),
                past.first
            )
        }
        Cause::ContinuedPossession => format!("continued possession: held since {complete}, {end}"),
    }
}

/// The last quarters that `times` alone could matter to; `None` when it goes on.
pub fn last_day(times: &Times) -> Option<Date> {
    match times.cancelled {
        Some(day) => Some(day.max(times.start)),
        None => times.end,
    }
}

#[cfg(test)]
mod tests {
    use super::super::readings::{LookAheadEnd, PastWindow, Readings};
    use super::super::rule::FilingRule;
    use super::*;

    fn on(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn times(start: &str, end: Option<&str>) -> Times {
        Times { start: on(start), end: end.map(on), complete: None, planned_since: None, cancelled: None }
    }

    fn phase(readings: Readings, quarter: &str, limb: Limb, times: &Times) -> Option<(Phase, Cause)> {
        let rule = FilingRule::bis_2024().unwrap();
        let schedule = Schedule { rule: &rule, readings };
        place(&schedule, quarter.parse().unwrap(), limb, times).map(|placed| (placed.phase, placed.cause))
    }

    #[test]
    fn the_last_day_of_six_months_counts_unless_switched() {
        let run = |start: &str, readings| phase(readings, "2026Q1", Limb::TrainingRun, &times(start, None));
        assert_eq!(run("2026-10-15", Readings::default()), Some((Phase::Planned, Cause::Planned)));
        assert_eq!(run("2026-10-16", Readings::default()), None);
        let excluded = Readings { look_ahead_end: LookAheadEnd::Excluded, ..Readings::default() };
        assert_eq!(run("2026-10-14", excluded), Some((Phase::Planned, Cause::Planned)));
        assert_eq!(run("2026-10-15", excluded), None);
    }

    #[test]
    fn a_run_between_quarter_end_and_due_date_is_never_lost() {
        let run = times("2026-04-03", Some("2026-04-05"));
        for past_window in [PastWindow::SincePreviousDueDate, PastWindow::CalendarQuarter] {
            let readings = Readings { past_window, ..Readings::default() };
            let found = phase(readings, "2026Q1", Limb::TrainingRun, &run);
            assert_eq!(found, Some((Phase::Done, Cause::Done)), "{past_window:?}");
        }
    }

    #[test]
    fn possession_is_reported_each_quarter_unless_switched() {
        let hall = Times { complete: Some(on("2026-03-01")), ..times("2025-11-01", None) };
        let found =
            |readings, quarter| phase(readings, quarter, Limb::Cluster, &hall).map(|(_, cause)| cause);
        let each = Readings::default();
        assert_eq!(found(each, "2025Q3"), Some(Cause::Planned));
        assert_eq!(found(each, "2025Q4"), Some(Cause::BeingAcquired));
        assert_eq!(found(each, "2026Q1"), Some(Cause::Acquired));
        assert_eq!(found(each, "2026Q2"), Some(Cause::ContinuedPossession));
        let once = Readings { continued_possession: ContinuedPossession::EventOnly, ..each };
        assert_eq!(found(once, "2026Q1"), Some(Cause::Acquired));
        assert_eq!(found(once, "2026Q2"), None);
    }

    #[test]
    fn a_dropped_plan_is_in_the_notices_before_it_was_dropped() {
        let run = Times { cancelled: Some(on("2026-05-01")), ..times("2026-09-01", None) };
        assert!(phase(Readings::default(), "2026Q1", Limb::TrainingRun, &run).is_some());
        assert!(phase(Readings::default(), "2026Q2", Limb::TrainingRun, &run).is_none());
        let late = Times { planned_since: Some(on("2026-05-01")), ..times("2026-09-01", None) };
        assert!(phase(Readings::default(), "2026Q1", Limb::TrainingRun, &late).is_none());
    }
}

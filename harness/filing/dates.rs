//! Due dates, windows and periods, under the readings that were chosen. Every date is an argument or follows from one.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::Serialize;

use super::quarter::Quarter;
use super::readings::{ClarificationDays, LookAheadEnd, PastWindow, Readings};
use super::rule::FilingRule;

/// A run of days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First day.
    #[schemars(with = "String")]
    pub first: Date,
    /// Last day.
    #[schemars(with = "String")]
    pub last: Date,
}

impl Window {
    /// Whether `day` lies in it.
    pub fn contains(&self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }

    /// Whether a time from `start` to `end` (without an end where it goes on) shares a day with it.
    pub fn meets(&self, start: Date, end: Option<Date>) -> bool {
        start <= self.last && end.is_none_or(|end| end >= self.first)
    }
}

/// Calculates dates by one rule under one set of readings.
#[derive(Debug, Clone, Copy)]
pub struct Schedule<'a> {
    /// The rule.
    pub rule: &'a FilingRule,
    /// The readings.
    pub readings: Readings,
}

impl Schedule<'_> {
    /// The due date of `quarter`'s notice.
    ///
    /// Source: the rule file, `due_dates`.
    pub fn due(&self, quarter: Quarter) -> Date {
        self.rule.due(quarter)
    }

    /// The days that `quarter`'s notice looks back on.
    pub fn past(&self, quarter: Quarter) -> Window {
        match self.readings.past_window {
            PastWindow::SincePreviousDueDate => Window {
                first: self.due(quarter.previous()).saturating_add(1.day()),
                last: self.due(quarter),
            },
            PastWindow::CalendarQuarter => Window { first: quarter.first_day(), last: quarter.last_day() },
        }
    }

    /// The days that `quarter`'s notice looks ahead to; they begin the day after [`Self::past`] ends.
    ///
    /// Source: the rule file, `look_ahead`: six calendar months from the due date.
    pub fn look_ahead(&self, quarter: Quarter) -> Window {
        let first = self.past(quarter).last.saturating_add(1.day());
        Window { first, last: self.window_end(self.due(quarter)) }
    }

    /// The last day of the look-ahead of a notice that is due on `due`.
    pub fn window_end(&self, due: Date) -> Date {
        let end = due.saturating_add(self.rule.look_ahead.months.months());
        match self.readings.look_ahead_end {
            LookAheadEnd::Included => end,
            LookAheadEnd::Excluded => end.saturating_sub(1.day()),
        }
    }

    /// The day by which questions that were received on `received` are answered.
    ///
    /// Source: the rule file, `answers`: days, not a month; the day of receipt is day 0.
    pub fn answer_due(&self, received: Date) -> Date {
        received.saturating_add(self.rule.answers.days.days())
    }

    /// The day by which a clarification that was asked for on `received` is given.
    ///
    /// Source: the rule file, `clarifications`.
    pub fn clarification_due(&self, received: Date) -> Date {
        let days = self.rule.clarifications.days;
        match self.readings.clarification_days {
            ClarificationDays::Calendar => received.saturating_add(days.days()),
            ClarificationDays::Weekdays => {
                let weekday = |day: &Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
                let later = received.series(1.day()).skip(1).filter(weekday);
                later.take(usize::try_from(days).unwrap_or(0)).last().unwrap_or(received)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn on(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn the_vectors_of_the_rules_hold() {
        let rule = FilingRule::bis_2024().unwrap();
        let schedule = Schedule { rule: &rule, readings: Readings::default() };
        assert_eq!(schedule.due("2025Q4".parse().unwrap()), on("2026-01-15"));
        assert_eq!(schedule.window_end(on("2026-04-15")), on("2026-10-15"));
        assert_eq!(schedule.window_end(on("2026-10-15")), on("2027-04-15"));
        let ahead = |quarter: &str| schedule.look_ahead(quarter.parse().unwrap());
        assert!(ahead("2026Q1").contains(on("2026-10-15")));
        assert!(!ahead("2026Q1").contains(on("2026-10-16")));
        assert!(ahead("2026Q2").contains(on("2026-10-16")));
        assert_eq!(ahead("2026Q2").last, on("2027-01-15"));
        assert_eq!(schedule.answer_due(on("2026-04-20")), on("2026-05-20"));
        assert_eq!(schedule.clarification_due(on("2027-02-25")), on("2027-03-04"));
    }

    #[test]
    fn leap_days_and_year_ends_are_days_like_others() {
        let rule = FilingRule::bis_2024().unwrap();
        let schedule = Schedule { rule: &rule, readings: Readings::default() };
        assert_eq!(schedule.answer_due(on("2028-02-28")), on("2028-03-29"));
        assert_eq!(schedule.answer_due(on("2027-02-28")), on("2027-03-30"));
        assert_eq!(schedule.clarification_due(on("2028-02-29")), on("2028-03-07"));
        assert_eq!(schedule.answer_due(on("2026-12-31")), on("2027-01-30"));
        assert_eq!(schedule.window_end(on("2027-08-31")), on("2028-02-29"));
        assert_eq!(schedule.window_end(on("2026-08-31")), on("2027-02-28"));
    }

    #[test]
    fn weekdays_leave_out_the_weekend() {
        let rule = FilingRule::bis_2024().unwrap();
        let readings = Readings { clarification_days: ClarificationDays::Weekdays, ..Readings::default() };
        let schedule = Schedule { rule: &rule, readings };
        // A Thursday; seven weekdays later is the Monday of the week after next.
        assert_eq!(schedule.clarification_due(on("2027-02-25")), on("2027-03-08"));
        assert_eq!(schedule.clarification_due(on("2027-02-27")), on("2027-03-09"));
    }

    fn readings() -> impl Strategy<Value = Readings> {
        let past = prop_oneof![Just(PastWindow::SincePreviousDueDate), Just(PastWindow::CalendarQuarter)];
        let end = prop_oneof![Just(LookAheadEnd::Included), Just(LookAheadEnd::Excluded)];
        (past, end).prop_map(|(past_window, look_ahead_end)| Readings {
            past_window,
            look_ahead_end,
            ..Readings::default()
        })
    }

    proptest! {
        #[test]
        fn a_due_date_is_never_before_its_quarters_end(year in 2001_i16..2998, number in 1_i8..=4) {
            let rule = FilingRule::bis_2024().unwrap();
            let quarter = Quarter::new(year, number).unwrap();
            prop_assert!(rule.due(quarter) > quarter.last_day());
            prop_assert!(rule.due(quarter) < rule.due(quarter.next()));
        }

        #[test]
        fn windows_join_without_gap_or_overlap(
            year in 2001_i16..2998, number in 1_i8..=4, readings in readings(),
        ) {
            let rule = FilingRule::bis_2024().unwrap();
            let schedule = Schedule { rule: &rule, readings };
            let quarter = Quarter::new(year, number).unwrap();
            let (past, ahead) = (schedule.past(quarter), schedule.look_ahead(quarter));
            prop_assert!(past.first <= past.last && ahead.first <= ahead.last);
            prop_assert_eq!(past.last.tomorrow().unwrap(), schedule.past(quarter.next()).first);
            prop_assert_eq!(past.last.tomorrow().unwrap(), ahead.first);
            // What a notice adds to the look-ahead of the one before it begins where that one ended.
            let before = schedule.look_ahead(quarter.previous());
            prop_assert!(before.last < ahead.last && ahead.first <= before.last);
        }

        #[test]
        fn periods_count_days_whatever_the_month(offset in 0_i32..300_000) {
            let rule = FilingRule::bis_2024().unwrap();
            let received = date(2001, 1, 1).saturating_add(offset.days());
            for clarification_days in [ClarificationDays::Calendar, ClarificationDays::Weekdays] {
                let schedule = Schedule { rule: &rule, readings: Readings { clarification_days, ..Readings::default() } };
                let days = |due: Date| received.until(due).unwrap().get_days();
                prop_assert_eq!(days(schedule.answer_due(received)), 30);
                let clarified = days(schedule.clarification_due(received));
                prop_assert!((7..=11).contains(&clarified), "{clarified}");
            }
        }
    }
}

//! The day on which a total passes a limit if the present rate goes on.

use jiff::Span;
use jiff::civil::Date;

use crate::units::Decimal;

/// Operations done from the start of one day to the end of another, at an even rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
    /// Operations.
    pub operations: Decimal,
}

/// First day at whose end the total of `stretches` is above `limit`, the last of them going on for ever.
///
/// `before` is what older runs add. `None` when nothing runs, or not before the year 9999.
pub fn crossing(stretches: &[Stretch], before: &Decimal, limit: &Decimal) -> Option<Date> {
    let mut ordered: Vec<&Stretch> = stretches.iter().collect();
    ordered.sort_by_key(|stretch| (stretch.end, stretch.start));
    let mut done = before.clone();
    let last = ordered.last()?;
    for stretch in &ordered {
        let after = done.plus(&stretch.operations);
        if after > *limit || std::ptr::eq(*stretch, *last) {
            let days = days_needed(stretch, &done, limit)?;
            return stretch.start.checked_add(Span::new().try_days(days - 1).ok()?).ok();
        }
        done = after;
    }
    None
}

/// Least number of whole days `d` with `done + operations * d / length > limit`.
fn days_needed(stretch: &Stretch, done: &Decimal, limit: &Decimal) -> Option<i64> {
    let length = stretch.start.until(stretch.end).ok()?.get_days();
    let length = Decimal::from_integer(u128::try_from(i64::from(length) + 1).ok().filter(|days| *days > 0)?);
    let goal = limit.times(&length);
    let done = done.times(&length);
    let above = |days: i64| {
        let days = Decimal::from_integer(u128::try_from(days).unwrap_or(0));
        done.plus(&stretch.operations.times(&days)) > goal
    };
    // 8,000 years of days; a later date than 9999 is no date.
    let (mut low, mut high) = (1, 2_921_940);
    if !above(high) {
        return None;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if above(middle) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(start: &str, end: &str, operations: &str) -> Stretch {
        Stretch {
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
            operations: operations.parse().unwrap(),
        }
    }

    fn day(stretches: &[Stretch], limit: &str) -> Option<String> {
        crossing(stretches, &Decimal::from_integer(0), &limit.parse().unwrap()).map(|date| date.to_string())
    }

    #[test]
    fn the_present_rate_goes_on() {
        // 1e24 a day from 1 January: 1e26 is reached at the end of day 100 and passed on day 101.
        let run = [stretch("2026-01-01", "2026-01-10", "1e25")];
        assert_eq!(day(&run, "1e26").unwrap(), "2026-04-11");
        assert_eq!(day(&run, "99999999999999999999999999").unwrap(), "2026-04-10");
        assert_eq!(day(&run, "5e24").unwrap(), "2026-01-06");
    }

    #[test]
    fn an_earlier_stretch_counts_and_nothing_crosses_without_operations() {
        let runs = [stretch("2026-01-01", "2026-01-10", "1e25"), stretch("2026-02-01", "2026-02-10", "1e24")];
        assert_eq!(day(&runs, "1.05e25").unwrap(), "2026-02-06");
        assert_eq!(day(&[stretch("2026-01-01", "2026-01-10", "0")], "1e26"), None);
        assert_eq!(day(&[], "1e26"), None);
        assert_eq!(day(&[stretch("2026-01-01", "2026-01-10", "10")], "1e26"), None);
    }
}

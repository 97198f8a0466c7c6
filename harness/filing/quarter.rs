//! Calendar quarters, written `2026Q1`.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Years that a filing may be about; typing errors such as 20260 or 202 fall outside.
pub const YEARS: std::ops::RangeInclusive<i16> = 2000..=2999;

/// Why a text is no quarter, or a date not one that a filing may be about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuarterError {
    /// Wrong form, or a quarter that no year has.
    #[error("'{0}' is no quarter; write the year and Q1 to Q4, as in 2026Q1")]
    Form(String),
    /// A year that no filing is about.
    #[error("the year of {0} is outside 2000 to 2999")]
    Year(String),
}

/// A calendar quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quarter {
    year: i16,
    number: i8,
}

impl Quarter {
    /// Quarter `number` (1 to 4) of `year`.
    ///
    /// Errors: [`QuarterError`] for another number, or a year outside 2000 to 2999.
    pub fn new(year: i16, number: i8) -> Result<Self, QuarterError> {
        let quarter = Self { year, number };
        if !(1..=4).contains(&number) {
            return Err(QuarterError::Form(quarter.to_string()));
        }
        if !YEARS.contains(&year) {
            return Err(QuarterError::Year(quarter.to_string()));
        }
        Ok(quarter)
    }

    /// The quarter that `day` lies in.
    pub fn of(day: Date) -> Self {
        Self { year: day.year(), number: (day.month() - 1) / 3 + 1 }
    }

    /// The year.
    pub const fn year(self) -> i16 {
        self.year
    }

    /// 1 to 4.
    pub const fn number(self) -> i8 {
        self.number
    }

    /// Its first day.
    pub fn first_day(self) -> Date {
        date(self.year, (self.number - 1) * 3 + 1, 1)
    }

    /// Its last day.
    pub fn last_day(self) -> Date {
        self.next().first_day().saturating_sub(1.day())
    }

    /// The quarter after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// The quarter before this one.
    #[must_use]
    pub const fn previous(self) -> Self {
        self.plus(-1)
    }

    /// The quarter `count` quarters later; earlier when it is negative.
    #[must_use]
    pub const fn plus(self, count: i16) -> Self {
        let quarters = self.number as i16 - 1 + count;
        let number = match quarters.rem_euclid(4) {
            0 => 1,
            1 => 2,
            2 => 3,
            _ => 4,
        };
        Self { year: self.year + quarters.div_euclid(4), number }
    }

    /// Quarters from `earlier` to this one.
    pub fn since(self, earlier: Self) -> i32 {
        let place = |quarter: Self| i32::from(quarter.year) * 4 + i32::from(quarter.number);
        place(self) - place(earlier)
    }
}

/// `day`, when it is one that a filing may be about.
///
/// Errors: [`QuarterError::Year`].
pub fn plausible(day: Date) -> Result<Date, QuarterError> {
    if YEARS.contains(&day.year()) { Ok(day) } else { Err(QuarterError::Year(day.to_string())) }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}Q{}", self.year, self.number))
    }
}

impl FromStr for Quarter {
    type Err = QuarterError;

    fn from_str(text: &str) -> Result<Self, QuarterError> {
        let form = || QuarterError::Form(text.chars().take(40).collect());
        let (year, number) = text.split_once('Q').ok_or_else(form)?;
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(number, 1) {
            return Err(form());
        }
        let quarter = Self::new(year.parse().map_err(|_| form())?, number.parse().map_err(|_| form())?);
        quarter.map_err(|error| if matches!(error, QuarterError::Form(_)) { form() } else { error })
    }
}

impl Serialize for Quarter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quarter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Quarter {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quarter".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^2[0-9]{3}Q[1-4]$" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_quarter_is_refused() {
        for text in
            ["2026Q5", "2026Q0", "2026q1", "26Q1", "2026Q01", "2026-Q1", "Q1", "", "+026Q1", "2026Q１"]
        {
            assert!(matches!(text.parse::<Quarter>(), Err(QuarterError::Form(_))), "{text}");
        }
        assert!(matches!("1999Q4".parse::<Quarter>(), Err(QuarterError::Year(_))));
        assert!(plausible(date(3000, 1, 1)).is_err());
    }

    #[test]
    fn a_quarter_has_its_days() {
        let quarter: Quarter = "2024Q1".parse().unwrap();
        assert_eq!(quarter.last_day(), date(2024, 3, 31));
        assert_eq!(quarter.previous().to_string(), "2023Q4");
        assert_eq!(Quarter::of(date(2024, 12, 31)).to_string(), "2024Q4");
        assert_eq!("2027Q3".parse::<Quarter>().unwrap().plus(7).to_string(), "2029Q2");
    }

    pub fn quarter() -> impl Strategy<Value = Quarter> {
        (2001_i16..2999, 1_i8..=4).prop_map(|(year, number)| Quarter::new(year, number).unwrap())
    }

    proptest! {
        #[test]
        fn quarters_follow_without_gap(quarter in quarter(), count in -8_i16..8) {
            prop_assert_eq!(quarter.last_day().tomorrow().unwrap(), quarter.next().first_day());
            prop_assert_eq!(quarter.plus(count).since(quarter), i32::from(count));
            prop_assert_eq!(Quarter::of(quarter.last_day()), quarter);
            prop_assert_eq!(quarter.to_string().parse::<Quarter>(), Ok(quarter));
        }

        #[test]
        fn any_text_gives_an_answer(text in ".{0,12}") {
            let _ = text.parse::<Quarter>();
        }
    }
}

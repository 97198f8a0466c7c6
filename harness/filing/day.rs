//! Days of hand-written files: a TOML date or the same in quotes, in years that a filing may be about.

use std::fmt;

use jiff::civil::Date;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::quarter::plausible;

/// A day, without a time and without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub Date);

impl Day {
    /// The day that `text` names.
    ///
    /// Errors: a sentence for a time, an offset, a day that does not exist, or a year that no filing is about.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = || format!("'{text}' is no date; write it as 2026-11-24");
        let plain = text.len() == 10 && text.is_ascii();
        let day = text.parse::<Date>().ok().filter(|_| plain).ok_or_else(form)?;
        plausible(day).map(Self).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a date such as 2026-11-24")]
        enum Written {
            Native(toml::value::Datetime),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Native(value) => value.to_string(),
            Written::Text(text) => text,
        };
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl schemars::JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        day: Day,
    }

    #[test]
    fn a_day_is_read_bare_or_in_quotes_and_nothing_else_is() {
        for right in ["2024-02-29", "\"2024-02-29\""] {
            let sample: Sample = toml::from_str(&format!("day = {right}")).unwrap();
            assert_eq!(sample.day.to_string(), "2024-02-29");
        }
        let wrong =
            ["\"2026-02-29\"", "2026-01-01T00:00:00", "\"2026-1-1\"", "20260101", "1999-12-31", "true"];
        for wrong in wrong {
            assert!(toml::from_str::<Sample>(&format!("day = {wrong}")).is_err(), "{wrong}");
        }
    }
}

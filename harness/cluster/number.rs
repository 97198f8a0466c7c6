//! Numbers and dates of hand-written TOML files, read exactly.

use jiff::civil::Date;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use toml::de::{DeTable, DeValue};

use crate::files::FileError;
use crate::units::{Decimal, UnitError};

/// Most significant digits of a float that survive `f64` whatever they are.
const FLOAT_DIGITS: usize = 15;

/// An exact decimal number, written as a string or as a TOML number.
///
/// A float keeps its digits since [`refuse_long_floats`] has refused those that `f64` would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(pub Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Number;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a non-negative decimal number, bare or in quotes")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
                // The shortest text that reads back as this value; it has the digits that were typed.
                self.visit_str(&format!("{value:e}"))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl schemars::JsonSchema for Number {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "number"],
            "minimum": 0,
            "description": "exact non-negative decimal number; in quotes when it has more than 15 digits",
        })
    }
}

impl Number {
    /// The value as a whole number of `unit`.
    ///
    /// Errors: [`UnitError`] for a fraction or past `u128`.
    pub fn whole(&self, unit: &'static str) -> Result<u128, UnitError> {
        self.0.to_integer(unit)
    }
}

/// Refuses floats with more digits than `f64` keeps; they would be changed before anybody could compare them.
///
/// Errors: [`FileError::Content`] at the number.
pub fn refuse_long_floats(name: &str, text: &str) -> Result<(), FileError> {
    // Wrong syntax is told by the strict reader, with its own words.
    let Ok(table) = DeTable::parse(text) else { return Ok(()) };
    let mut left: Vec<_> = table.get_ref().values().collect();
    while let Some(value) = left.pop() {
        match value.get_ref() {
            DeValue::Float(float) if significant(float.as_str()) > FLOAT_DIGITS => {
                let message =
                    format!("{} has more digits than a float keeps; write it in quotes", float.as_str());
                return Err(FileError::content_at(name, text, value.span().start, message));
            }
            DeValue::Array(items) => left.extend(items.iter()),
            DeValue::Table(items) => left.extend(items.values()),
            _ => {}
        }
    }
    Ok(())
}

fn significant(text: &str) -> usize {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').len()
}

/// A TOML date, or the same in quotes.
///
/// Errors: the deserializer's, for a time, an offset or a day that does not exist.
pub fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Native(toml::value::Datetime),
        Text(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Native(value) => value.to_string(),
        Written::Text(text) => text,
    };
    let plain = text.len() == 10;
    let parsed = text.parse::<Date>().ok().filter(|_| plain);
    parsed.ok_or_else(|| D::Error::custom(format!("'{text}' is no date; write it as 2026-11-24")))
}

/// The same for a key that may be absent; use with `#[serde(default)]`.
pub fn optional_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    date(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        rate: Number,
    }

    #[test]
    fn a_number_is_exact_however_it_is_written() {
        for (written, exact) in [
            ("\"300.000000001\"", "300.000000001"),
            ("300.000000001", "300.000000001"),
            ("400", "400"),
            ("1e26", "1e26"),
            ("15.6e12", "15600000000000"),
            ("13.64", "13.64"),
        ] {
            let sample: Sample = toml::from_str(&format!("rate = {written}")).unwrap();
            assert_eq!(sample.rate.0, exact.parse().unwrap(), "{written}");
        }
        for wrong in ["-1", "\"-1\"", "nan", "inf", "true", "\"4 Gbit/s\""] {
            assert!(toml::from_str::<Sample>(&format!("rate = {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_float_that_would_lose_digits_is_refused_with_its_place() {
        let text = "a = 1.5\n[[b]]\nrate = 300.0000000000000001\n";
        let error = refuse_long_floats("x.toml", text).unwrap_err().to_string();
        assert!(error.starts_with("x.toml:3:8: 300.0000000000000001 has more digits"), "{error}");
        assert!(refuse_long_floats("x.toml", "a = 300.000000001\nb = 1e26").is_ok());
    }
}

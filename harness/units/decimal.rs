//! Exact decimal numbers from text, for everything that a statute, a datasheet or a user writes down.

use std::fmt;
use std::str::FromStr;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive, Zero};

use super::UnitError;

/// Largest absolute decimal exponent that is accepted, so that `1e999999999` cannot eat the memory of the machine.
const EXPONENT_LIMIT: i64 = 120;
/// Longest text that is accepted, for the same reason.
const LENGTH_LIMIT: usize = 200;

/// An exact, non-negative decimal number.
///
/// Errors: [`UnitError`] when the text is no decimal number, negative, or absurdly long or large.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(BigDecimal);

impl Decimal {
    /// The whole number `value`.
    pub fn from_integer(value: u128) -> Self {
        Self(BigDecimal::from(value))
    }

    /// The exact product; decimals are closed under it.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self(&self.0 * &other.0)
    }

    /// This number with its decimal point moved by `power` places to the right.
    #[must_use]
    pub fn times_power_of_ten(&self, power: u32) -> Self {
        let (digits, scale) = self.0.as_bigint_and_exponent();
        Self(BigDecimal::new(digits, scale - i64::from(power)))
    }

    /// The exact tenth.
    #[must_use]
    pub fn tenth(&self) -> Self {
        let (digits, scale) = self.0.as_bigint_and_exponent();
        Self(BigDecimal::new(digits, scale + 1))
    }

    /// The exact sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self(&self.0 + &other.0)
    }

    /// The exact difference; `None` where it is below zero.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Option<Self> {
        (self >= other).then(|| Self(&self.0 - &other.0))
    }

    /// The value as a whole number, when it is one.
    ///
    /// Errors: [`UnitError::NotWhole`] for a fraction, [`UnitError::OutOfRange`] past `u128`.
    pub fn to_integer(&self, unit: &'static str) -> Result<u128, UnitError> {
        if !self.0.is_integer() {
            return Err(UnitError::NotWhole { text: self.to_string(), unit });
        }
        self.floor(unit)
    }

    /// The greatest whole number that is not above this one; the low end of an interval rounds this way.
    ///
    /// Errors: [`UnitError::OutOfRange`] past `u128`.
    pub fn floor(&self, unit: &'static str) -> Result<u128, UnitError> {
        self.rounded(RoundingMode::Floor, unit)
    }

    /// The least whole number that is not below this one; the high end of an interval rounds this way.
    ///
    /// Errors: [`UnitError::OutOfRange`] past `u128`.
    pub fn ceil(&self, unit: &'static str) -> Result<u128, UnitError> {
        self.rounded(RoundingMode::Ceiling, unit)
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// The nearest `f64`, for display and for ratios only, never for a comparison with a limit.
    pub fn to_f64(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::INFINITY)
    }

    fn rounded(&self, mode: RoundingMode, unit: &'static str) -> Result<u128, UnitError> {
        let whole = self.0.with_scale_round(0, mode);
        let (digits, _) = whole.into_bigint_and_exponent();
        u128::try_from(&digits).map_err(|_| self.out_of_range(unit))
    }

    fn out_of_range(&self, unit: &'static str) -> UnitError {
        UnitError::OutOfRange { text: self.to_string(), unit, greatest: u128::MAX.to_string() }
    }
}

impl FromStr for Decimal {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let refused = || UnitError::NotDecimal { text: text.chars().take(60).collect() };
        let shape = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
        if text.is_empty() || text.len() > LENGTH_LIMIT || !text.chars().all(shape) {
            return Err(refused());
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.ends_with(|c: char| c.is_ascii_digit()) {
            return Err(refused());
        }
        let value = BigDecimal::from_str(text).map_err(|_| refused())?;
        let (_, scale) = value.as_bigint_and_exponent();
        if scale.abs() > EXPONENT_LIMIT {
            return Err(UnitError::OutOfRange {
                text: text.chars().take(60).collect(),
                unit: "a decimal number",
                greatest: format!("1e{EXPONENT_LIMIT}"),
            });
        }
        Ok(Self(value.normalized()))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, scale) = self.0.normalized().into_bigint_and_exponent();
        if scale <= 0 {
            let zeros = usize::try_from(-scale).unwrap_or(0);
            let zeros = if digits == BigInt::zero() { 0 } else { zeros };
            write!(f, "{digits}{}", "0".repeat(zeros))
        } else {
            write!(f, "{}", self.0.normalized().to_plain_string())
        }
    }
}

impl serde::Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn powers_of_ten_are_exact_where_f64_is_not() {
        for (text, power) in [("1e23", 23), ("1e25", 25), ("1e26", 26), ("1.0e20", 20)] {
            let exact: Decimal = text.parse().unwrap();
            assert_eq!(exact.to_integer("operations").unwrap(), 10_u128.pow(power));
        }
    }

    #[test]
    fn a_tenth_is_exact() {
        let five: Decimal = "5".parse().unwrap();
        assert_eq!(five.tenth(), "0.5".parse().unwrap());
    }

    #[test]
    fn a_fraction_rounds_outwards_and_is_never_silently_cut() {
        let half: Decimal = "1000000000000000000000.5".parse().unwrap();
        assert_eq!(half.floor("x").unwrap() + 1, half.ceil("x").unwrap());
        assert!(matches!(half.to_integer("x"), Err(UnitError::NotWhole { .. })));
    }

    #[test]
    fn texts_that_are_no_decimal_numbers_are_refused() {
        for text in
            ["", " 1", "1 ", "-1", "+1", "NaN", "inf", "1e", ".5", "5.", "1e5.5", "0x10", "1_000", "١", "1,5"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text:?} was accepted");
        }
        assert!(matches!("1e999999999".parse::<Decimal>(), Err(UnitError::OutOfRange { .. })));
        assert!("9".repeat(5000).parse::<Decimal>().is_err());
    }

    proptest! {
        #[test]
        fn whole_numbers_survive_text(value: u128) {
            let parsed: Decimal = value.to_string().parse().unwrap();
            prop_assert_eq!(parsed.to_integer("x").unwrap(), value);
            prop_assert_eq!(parsed.to_string(), value.to_string());
        }

        #[test]
        fn the_product_of_whole_numbers_is_theirs(a: u64, b: u64) {
            let product = Decimal::from_integer(a.into()).times(&Decimal::from_integer(b.into()));
            prop_assert_eq!(product.to_integer("x").unwrap(), u128::from(a) * u128::from(b));
        }

        #[test]
        fn the_difference_undoes_the_sum_and_is_never_below_zero(a: u64, b: u64) {
            let [a, b] = [a, b].map(|value| Decimal::from_integer(value.into()));
            prop_assert_eq!(a.plus(&b).minus(&b), Some(a.clone()));
            prop_assert_eq!(a.minus(&b).is_some(), a >= b);
        }

        #[test]
        fn any_text_gives_an_answer_and_no_panic(text in ".{0,40}") {
            let _ = text.parse::<Decimal>();
        }
    }
}

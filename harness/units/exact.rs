//! Exact integer quantities: everything that a rule compares with a limit.

use std::fmt;
use std::str::FromStr;

use super::{Decimal, UnitError, display};

macro_rules! exact_quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(u128);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            #[doc = concat!("`value` ", $unit, ".")]
            pub const fn new(value: u128) -> Self {
                Self(value)
            }

            #[doc = concat!("The value in ", $unit, ".")]
            pub const fn get(self) -> u128 {
                self.0
            }

            /// The sum, or `None` past `u128`.
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// This quantity `count` times, or `None` past `u128`.
            pub fn checked_times(self, count: u128) -> Option<Self> {
                self.0.checked_mul(count).map(Self)
            }

            /// The nearest `f64`, for display and ratios only, never for a comparison with a limit.
            #[expect(clippy::cast_precision_loss, reason = "documented: for display and ratios only")]
            pub fn to_f64(self) -> f64 {
                self.0 as f64
            }
        }

        impl TryFrom<&Decimal> for $name {
            type Error = UnitError;

            fn try_from(value: &Decimal) -> Result<Self, UnitError> {
                value.to_integer($unit).map(Self)
            }
        }

        impl FromStr for $name {
            type Err = UnitError;

            fn from_str(text: &str) -> Result<Self, UnitError> {
                Self::try_from(&text.parse::<Decimal>()?)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": "^[0-9]+$",
                    "description": concat!("exact whole number of ", $unit, ", as a decimal string"),
                })
            }
        }
    };
}

exact_quantity!(
    /// A total of operations; a multiply-accumulate is two.
    ///
    /// Unit: operations. JSON carries it as a decimal string, since 1e23, 1e25 and 1e26 are not exact in `f64`.
    ///
    /// A total and a rate do not mix:
    /// ```compile_fail
    /// use flopgauge::units::{ExactOpRate, Ops};
    /// let _ = Ops::new(1) == ExactOpRate::new(1);
    /// ```
    Ops, "operations"
);

exact_quantity!(
    /// An exact rate, as a datasheet, a formula or a declaration gives it.
    ///
    /// Unit: operations per second. A measured rate is an [`super::OpRate`] and does not turn into this one:
    /// ```compile_fail
    /// use flopgauge::units::{ExactOpRate, OpRate};
    /// let declared: ExactOpRate = OpRate::from_tera(989.4).unwrap();
    /// ```
    ExactOpRate, "operations per second"
);

exact_quantity!(
    /// An exact rate of a link, in one direction.
    ///
    /// Unit: bits per second.
    BitRate, "bits per second"
);

impl fmt::Display for Ops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} OP", display::power_of_ten(self.0)))
    }
}

impl fmt::Display for ExactOpRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}OP/s", display::si_exact(self.0)))
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}bit/s", display::si_exact(self.0)))
    }
}

impl BitRate {
    /// A link rate from its exact number of Gbit/s, as INTERFACE files write it.
    ///
    /// Errors: [`UnitError`] when it is not a whole number of bits per second.
    pub fn from_gigabit(value: &Decimal) -> Result<Self, UnitError> {
        Self::try_from(&value.times_power_of_ten(9))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_bit_per_second_above_300_gbit_is_seen() {
        let at = BitRate::from_gigabit(&"300".parse().unwrap()).unwrap();
        let above = BitRate::from_gigabit(&"300.000000001".parse().unwrap()).unwrap();
        assert_eq!(above.get() - at.get(), 1);
        assert!(BitRate::from_gigabit(&"300.0000000001".parse().unwrap()).is_err());
    }

    #[test]
    fn an_operation_above_ten_to_the_26_is_seen() {
        let limit: Ops = "1e26".parse().unwrap();
        let above: Ops = "100000000000000000000000001".parse().unwrap();
        assert!(above > limit);
        assert_eq!(serde_json::to_string(&above).unwrap(), "\"100000000000000000000000001\"");
        assert!(serde_json::from_str::<Ops>("1e26").is_err(), "a JSON number is not exact");
    }

    proptest! {
        #[test]
        fn json_round_trips(value: u128) {
            let text = serde_json::to_string(&Ops::new(value)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ops>(&text).unwrap(), Ops::new(value));
        }

        #[test]
        fn sums_and_multiples_agree(value in 0..u128::MAX / 8, count in 1..8_u128) {
            let total = (0..count).try_fold(Ops::ZERO, |sum, _| sum.checked_add(Ops::new(value)));
            prop_assert_eq!(total, Ops::new(value).checked_times(count));
        }
    }
}

//! Measured quantities: finite, non-negative `f64` in base SI units.

use std::fmt;

use super::{Ops, UnitError, display};

macro_rules! measured_quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, serde::Serialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(f64);

        impl $name {
            #[doc = concat!("`value` ", $unit, ".")]
            ///
            /// Errors: [`UnitError::NotFinite`] for NaN, an infinity or a negative number.
            pub fn new(value: f64) -> Result<Self, UnitError> {
                if value.is_finite() && value >= 0.0 {
                    Ok(Self(value))
                } else {
                    Err(UnitError::NotFinite { value: value.to_string(), unit: $unit })
                }
            }

            #[doc = concat!("The value in ", $unit, ".")]
            pub const fn get(self) -> f64 {
                self.0
            }

            /// This quantity over another of its kind, or `None` over zero.
            pub fn over(self, other: Self) -> Option<Ratio> {
                Ratio::new(self.0 / other.0).ok()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

measured_quantity!(
    /// A measured rate of operations.
    ///
    /// Unit: operations per second, base SI. A rate is no total:
    /// ```compile_fail
    /// use flopgauge::units::{Ops, OpRate};
    /// let total: Ops = OpRate::from_tera(1.0).unwrap();
    /// ```
    /// nor a time:
    /// ```compile_fail
    /// use flopgauge::units::{OpRate, Seconds};
    /// let _ = OpRate::from_tera(1.0).unwrap() < Seconds::new(1.0).unwrap();
    /// ```
    OpRate, "operations per second"
);
measured_quantity!(
    /// A measured rate of memory traffic, bytes read plus bytes written.
    ///
    /// Unit: bytes per second. It is no rate of operations:
    /// ```compile_fail
    /// use flopgauge::units::{ByteRate, OpRate};
    /// let _ = ByteRate::new(1.0).unwrap() < OpRate::new(1.0).unwrap();
    /// ```
    ByteRate, "bytes per second"
);
measured_quantity!(
    /// A length of time.
    ///
    /// Unit: seconds.
    Seconds, "seconds"
);
measured_quantity!(
    /// A clock frequency.
    ///
    /// Unit: hertz.
    Hertz, "hertz"
);
measured_quantity!(
    /// Electrical power.
    ///
    /// Unit: watts.
    Watts, "watts"
);
measured_quantity!(
    /// A part of a whole, or one quantity over another.
    ///
    /// Unit: none.
    Ratio, "(ratio)"
);

/// A temperature; the one measured quantity that can be negative.
///
/// Unit: degrees Celsius.
#[derive(
    Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Celsius(f64);

impl Celsius {
    /// `value` degrees Celsius.
    ///
    /// Errors: [`UnitError::NotFinite`] when it is not finite or below absolute zero.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        if value.is_finite() && value >= -273.15 {
            Ok(Self(value))
        } else {
            Err(UnitError::NotFinite { value: value.to_string(), unit: "degrees Celsius" })
        }
    }

    /// The value in degrees Celsius.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// An amount of memory.
///
/// Unit: bytes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(u64);

impl Bytes {
    /// `value` bytes.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The value in bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl OpRate {
    /// `value` times 10^12 operations per second.
    ///
    /// Errors: [`UnitError::NotFinite`] for NaN, an infinity or a negative number.
    pub fn from_tera(value: f64) -> Result<Self, UnitError> {
        Self::new(value * 1e12)
    }

    /// Rate at which `ops` operations were completed in `elapsed`.
    ///
    /// Errors: [`UnitError::NotFinite`] when no time passed.
    pub fn of(ops: Ops, elapsed: Seconds) -> Result<Self, UnitError> {
        Self::new(ops.to_f64() / elapsed.0)
    }

    /// The rate as `791.0 TFLOP/s`, or `TOP/s` for an integer format.
    pub fn display(self, integer: bool) -> String {
        format!("{}{}", display::si(self.0), if integer { "OP/s" } else { "FLOP/s" })
    }
}

impl ByteRate {
    /// Rate at which `times` times `bytes` were moved in `elapsed`.
    ///
    /// Errors: [`UnitError::NotFinite`] when no time passed.
    pub fn of(bytes: Bytes, times: u64, elapsed: Seconds) -> Result<Self, UnitError> {
        #[expect(clippy::cast_precision_loss, reason = "a measured rate")]
        let moved = bytes.get() as f64 * times as f64;
        Self::new(moved / elapsed.0)
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}B/s", display::si(self.0)))
    }
}

impl From<std::time::Duration> for Seconds {
    fn from(value: std::time::Duration) -> Self {
        Self(value.as_secs_f64())
    }
}

impl std::ops::Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}s", display::si_small(self.0)))
    }
}

impl fmt::Display for Hertz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}Hz", display::si(self.0)))
    }
}

impl fmt::Display for Watts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} W", display::four_digits(self.0)))
    }
}

impl fmt::Display for Celsius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.0} °C", self.0))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.1} %", self.0 * 100.0))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u32); 5] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];
        let (unit, shift) = UNITS.into_iter().find(|(_, shift)| self.0 >> shift > 0).unwrap_or(("B", 0));
        #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
        let scaled = self.0 as f64 / (1_u64 << shift) as f64;
        let text = if shift == 0 { self.0.to_string() } else { display::four_digits(scaled) };
        f.pad(&format!("{text} {unit}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nan_infinite_and_negative_values_cannot_be_made() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            assert!(OpRate::new(value).is_err());
            assert!(Seconds::new(value).is_err());
        }
        assert!(serde_json::from_str::<OpRate>("-1.0").is_err());
        assert!(OpRate::of(Ops::new(1), Seconds::default()).is_err(), "no time, no rate");
    }

    #[test]
    fn rates_are_powers_of_ten_and_memory_is_powers_of_two() {
        assert_eq!(OpRate::from_tera(791.0).unwrap().display(false), "791.0 TFLOP/s");
        assert_eq!(OpRate::from_tera(1.5).unwrap().display(true), "1.500 TOP/s");
        assert_eq!(ByteRate::new(3.35e12).unwrap().to_string(), "3.350 TB/s");
        assert_eq!(Bytes::new(80 << 30).to_string(), "80.00 GiB");
        assert_eq!(Seconds::new(0.0123).unwrap().to_string(), "12.30 ms");
        assert_eq!(Ratio::new(0.985).unwrap().to_string(), "98.5 %");
    }

    proptest! {
        #[test]
        fn rate_times_time_is_the_count(ops in 1_u64.., elapsed in 1e-9..1e6_f64) {
            let rate = OpRate::of(Ops::new(ops.into()), Seconds::new(elapsed).unwrap()).unwrap();
            let back = rate.get() * elapsed;
            prop_assert!((back / Ops::new(ops.into()).to_f64() - 1.0).abs() < 1e-12);
        }
    }
}

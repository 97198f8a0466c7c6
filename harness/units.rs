//! Quantities: what a number is of, so that no rate or total travels as a bare number.
//!
//! Exact integers ([`Ops`], [`ExactOpRate`], [`BitRate`]) for whatever meets a legal limit; finite, non-negative
//! `f64` quantities ([`OpRate`], [`Seconds`], …) for what was measured. Nothing here knows a device.

mod decimal;
mod display;
mod exact;
mod interval;
mod measured;

pub use decimal::Decimal;
pub use display::{four_digits, si, si_exact, two_figures};
pub use exact::{BitRate, ExactOpRate, Ops};
pub use interval::{Estimate, Interval};
pub use measured::{ByteRate, Bytes, Celsius, Hertz, OpRate, Ratio, Seconds, Watts};

/// Why a text or a number is not the quantity that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The value is NaN, infinite or below zero.
    #[error("{value} is not a finite, non-negative number of {unit}")]
    NotFinite {
        /// The value as printed.
        value: String,
        /// The unit that was asked for.
        unit: &'static str,
    },
    /// The text is not a decimal number.
    #[error(
        "'{text}' is not a decimal number; write digits with an optional point and exponent, as in 989.4e12"
    )]
    NotDecimal {
        /// The text as given.
        text: String,
    },
    /// The number has a fraction where only whole units exist.
    #[error("'{text}' is not a whole number of {unit}")]
    NotWhole {
        /// The text as given.
        text: String,
        /// The unit that was asked for.
        unit: &'static str,
    },
    /// The number does not fit.
    #[error("'{text}' is out of range for {unit}; the greatest is {greatest}")]
    OutOfRange {
        /// The text as given.
        text: String,
        /// The unit that was asked for.
        unit: &'static str,
        /// The greatest value that fits.
        greatest: String,
    },
    /// An interval whose low end is above its high end.
    #[error("the interval's low end {low} is above its high end {high}")]
    Reversed {
        /// Low end as printed.
        low: String,
        /// High end as printed.
        high: String,
    },
}

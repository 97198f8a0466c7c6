//! Names of number formats as tables write them, and what they mean: `fp64_tensor` is fp64 on the matrix units.
//!
//! Tables say `fp8` for both 8-bit encodings, which run at one rate; here it stands as [`Precision::Fp8e4m3`] and
//! is spread over both when it becomes a peak.

use crate::precision::{Accumulate, Precision};
use crate::units::{ExactOpRate, Interval, si_exact};

use super::Unit;

/// What a table's name of a number format means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Format of the operands.
    pub precision: Precision,
    /// Units that perform it.
    pub unit: Unit,
    /// Whether it holds for block-scaled or packed instructions only.
    pub variant: bool,
}

/// The precision that a table calls `name`; `fp8` is both encodings.
pub fn precision_named(name: &str) -> Option<Precision> {
    if name == "fp8" { Some(Precision::Fp8e4m3) } else { name.parse().ok() }
}

/// The name that tables use for `precision`.
pub const fn table_name(precision: Precision) -> &'static str {
    match precision {
        Precision::Fp8e4m3 | Precision::Fp8e5m2 => "fp8",
        other => other.name(),
    }
}

/// The encodings that a table's row of `precision` covers.
pub fn encodings(precision: Precision) -> Vec<Precision> {
    match precision {
        Precision::Fp8e4m3 => vec![Precision::Fp8e4m3, Precision::Fp8e5m2],
        other => vec![other],
    }
}

/// An exact rate with the unit of its format: `989.4 TFLOP/s`, `1.979 POP/s`.
pub fn rate_text(rate: ExactOpRate, precision: Precision) -> String {
    format!("{}{}", si_exact(rate.get()), if precision.is_integer() { "OP/s" } else { "FLOP/s" })
}

/// What conflicting sources give.
pub fn range_text(range: Interval<ExactOpRate>, precision: Precision) -> String {
    format!("sources give {} to {}", rate_text(range.low(), precision), rate_text(range.high(), precision))
}

impl Format {
    /// The meaning of `dtype` in a row of a device of `vendor`; `None` for a name that no table has.
    pub fn of(vendor: &str, dtype: &str) -> Option<Self> {
        let (name, suffix) = dtype.split_once('_').unwrap_or((dtype, ""));
        let (name, scaled) = if name == "mxfp8" { ("fp8", true) } else { (name, false) };
        let precision = precision_named(name)?;
        let wide = matches!(precision, Precision::Fp64 | Precision::Fp32);
        let unit = match suffix {
            "vector" | "packed" => Unit::Vector,
            "tensor" | "matrix" => Unit::Matrix,
            "" if vendor == "Apple" || vendor == "NVIDIA" && wide => Unit::Vector,
            "" => Unit::Matrix,
            _ => return None,
        };
        Some(Self { precision, unit, variant: scaled || suffix == "packed" })
    }

    /// What the sums are kept in where a table leaves it out: vector units and wide formats sum in their own.
    pub const fn own_accumulate(precision: Precision) -> Option<Accumulate> {
        match precision {
            Precision::Fp64 => Some(Accumulate::Fp64),
            Precision::Fp32 => Some(Accumulate::Fp32),
            Precision::Fp16 => Some(Accumulate::Fp16),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_names_the_units_and_its_absence_depends_on_the_maker() {
        let unit = |vendor, dtype| Format::of(vendor, dtype).unwrap().unit;
        assert_eq!(unit("NVIDIA", "fp64"), Unit::Vector);
        assert_eq!(unit("NVIDIA", "fp64_tensor"), Unit::Matrix);
        assert_eq!(unit("NVIDIA", "bf16"), Unit::Matrix);
        assert_eq!(unit("AMD", "fp32_vector"), Unit::Vector);
        assert_eq!(unit("AMD", "fp16_matrix"), Unit::Matrix);
        assert_eq!(unit("AWS", "fp32"), Unit::Matrix);
        assert_eq!(unit("Apple", "fp16"), Unit::Vector);
        assert!(Format::of("NVIDIA", "fp9").is_none() && Format::of("NVIDIA", "fp64_cuda").is_none());
    }

    #[test]
    fn fp8_is_both_encodings_and_scaled_or_packed_rows_are_told_apart() {
        assert_eq!(encodings(precision_named("fp8").unwrap()).len(), 2);
        assert_eq!(table_name(Precision::Fp8e5m2), "fp8");
        assert!(Format::of("NVIDIA", "mxfp8").unwrap().variant);
        assert!(Format::of("AMD", "fp32_packed").unwrap().variant);
    }
}

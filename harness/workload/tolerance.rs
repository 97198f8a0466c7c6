//! How far a right result may be from the reference, and no further.

use crate::precision::{Accumulate, Precision};

/// Unit roundoff of the format that products are summed in; `None` for integers, which are exact.
pub const fn unit_roundoff(accumulate: Accumulate) -> Option<f64> {
    match accumulate {
        Accumulate::Fp64 => Some(f64::EPSILON / 2.0),
        Accumulate::Fp32 => Some(1.0 / 16_777_216.0),
        Accumulate::Fp16 => Some(1.0 / 2048.0),
        Accumulate::Bf16 => Some(1.0 / 256.0),
        Accumulate::Int32 => None,
    }
}

/// Bound on the difference from the reference: factor x roundoff x the scale of the sum.
///
/// The factor is 8 sqrt(k). Clean products of zero-mean data were seen up to 20 roundoffs of the scale in an element
/// at k = 83 (fp32, five libraries alike) and up to 90 in a row at k = 1024 (fp64, where the check itself rounds
/// too), so that 2 sqrt(k), 18 and 64 there, gives false alarms. What it lets pass, the check on integers sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    roundoff: f64,
    factor: f64,
}

impl Tolerance {
    /// Bound for sums of `k` products in `accumulate`.
    pub fn of(accumulate: Accumulate, k: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a square root of an extent below 2^31")]
        let factor = 8.0 * (k as f64).sqrt();
        Self { roundoff: unit_roundoff(accumulate).unwrap_or(0.0), factor }
    }

    /// The same for what units make of short operands: those of 8 bits and fewer add their products to sums of about
    /// fourteen bits on Hopper, whatever the format of the result is called. The check on integers, whose sums fit, sees
    /// what this lets pass.
    ///
    /// **Source**: DeepSeek-V3 technical report, 2024, section 3.3.2, for Hopper; not verified on a device here.
    pub fn of_units(precision: Precision, accumulate: Accumulate, k: u64) -> Self {
        const SHORT: f64 = 1.0 / 16_384.0;
        let of = Self::of(accumulate, k);
        let short = !precision.is_integer() && precision.bits() <= 8;
        Self { roundoff: if short { of.roundoff.max(SHORT) } else { of.roundoff }, ..of }
    }

    /// Whether nothing but the exact result is right.
    pub fn is_exact(&self) -> bool {
        self.roundoff <= 0.0
    }

    /// Greatest difference that is allowed where the squared products sum to the square of `scale`.
    pub fn bound(&self, scale: f64) -> f64 {
        self.factor * self.roundoff * scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_must_be_exact() {
        let tolerance = Tolerance::of(Accumulate::Int32, 4096);
        assert!(tolerance.is_exact() && tolerance.bound(1e9) <= 0.0);
        assert!(!Tolerance::of(Accumulate::Fp32, 1).is_exact());
    }

    #[test]
    fn short_operands_have_short_sums_and_integers_stay_exact() {
        let of = |precision, accumulate| Tolerance::of_units(precision, accumulate, 64);
        assert_eq!(of(Precision::Bf16, Accumulate::Fp32), Tolerance::of(Accumulate::Fp32, 64));
        assert_eq!(of(Precision::Fp8e4m3, Accumulate::Fp16), Tolerance::of(Accumulate::Fp16, 64));
        assert!((of(Precision::Fp8e4m3, Accumulate::Fp32).bound(1.0) - 64.0 / 16_384.0).abs() < 1e-12);
        assert!(of(Precision::Int4, Accumulate::Int32).is_exact());
    }

    #[test]
    fn the_bound_grows_with_the_square_root_of_k() {
        let bound = |k| Tolerance::of(Accumulate::Fp32, k).bound(1.0);
        assert!((bound(4096) / bound(1024) - 2.0).abs() < 1e-12);
        assert!((bound(4096) - 512.0 / 16_777_216.0).abs() < 1e-15);
    }
}

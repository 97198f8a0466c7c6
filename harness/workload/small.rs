//! Formats of fewer than sixteen bits and 4-bit integers: one code a byte, in its low bits.
//!
//! **Source**: OCP 8-bit floating point specification 1.0; OCP microscaling formats specification 1.0.

use crate::precision::Precision;

/// Bits of exponent and mantissa, and the greatest finite code without its sign.
const fn form(precision: Precision) -> Option<(i32, i32, u8)> {
    match precision {
        // The greatest mantissa of the greatest exponent is NaN; there is no infinity.
        Precision::Fp8e4m3 => Some((4, 3, 0x7e)),
        Precision::Fp8e5m2 => Some((5, 2, 0x7b)),
        // E3M2 and E2M1 have finite numbers only.
        Precision::Fp6 => Some((3, 2, 0x1f)),
        Precision::Fp4 => Some((2, 1, 0x07)),
        _ => None,
    }
}

/// The code nearest to a value, ties to even; past the greatest finite number that number. `None` for other formats
/// and for NaN.
pub fn encode(precision: Precision, value: f64) -> Option<u8> {
    if value.is_nan() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range after clamping")]
    if precision == Precision::Int4 {
        return Some(value.round_ties_even().clamp(-8.0, 7.0) as i8 as u8 & 0xf);
    }
    let (exponent_bits, mantissa_bits, greatest) = form(precision)?;
    let bias = (1 << (exponent_bits - 1)) - 1;
    let magnitude = value.abs().min(decode(precision, greatest)?);
    let power = i32::try_from(magnitude.to_bits() >> 52).ok()? - 1023;
    let least = 1 - bias;
    let power = power.max(least);
    let quanta = (magnitude / 2_f64.powi(power - mantissa_bits)).round_ties_even();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most two to the mantissa's width"
    )]
    let quanta = quanta as u8;
    // A normal number's quanta count its leading one, which is one more in the exponent.
    let code = u8::try_from((power - least) << mantissa_bits).ok()? + quanta;
    let sign = u8::from(value.is_sign_negative()) << (exponent_bits + mantissa_bits);
    Some(sign | code.min(greatest))
}

/// Value of a code; `None` for other formats.
pub fn decode(precision: Precision, code: u8) -> Option<f64> {
    if precision == Precision::Int4 {
        let low = code & 0xf;
        return Some(f64::from(low) - if low > 7 { 16.0 } else { 0.0 });
    }
    let (exponent_bits, mantissa_bits, greatest) = form(precision)?;
    let bias = (1 << (exponent_bits - 1)) - 1;
    let magnitude = code & ((1 << (exponent_bits + mantissa_bits)) - 1);
    let exponent = i32::from(magnitude >> mantissa_bits);
    let fraction = f64::from(magnitude & ((1 << mantissa_bits) - 1)) / f64::from(1 << mantissa_bits);
    let value = match (exponent, magnitude > greatest) {
        (_, true) if precision == Precision::Fp8e5m2 && magnitude == greatest + 1 => f64::INFINITY,
        (_, true) => f64::NAN,
        (0, _) => fraction * 2_f64.powi(1 - bias),
        _ => (1.0 + fraction) * 2_f64.powi(exponent - bias),
    };
    Some(if code >> (exponent_bits + mantissa_bits) & 1 == 1 { -value } else { value })
}

#[cfg(test)]
mod tests {
    use float8::{F8E4M3, F8E5M2};

    use super::*;

    const FORMATS: [(Precision, u8); 5] = [
        (Precision::Fp8e4m3, 255),
        (Precision::Fp8e5m2, 255),
        (Precision::Fp6, 63),
        (Precision::Fp4, 15),
        (Precision::Int4, 15),
    ];

    #[test]
    fn every_finite_code_comes_back() {
        for (precision, last) in FORMATS {
            for code in 0..=last {
                let value = decode(precision, code).unwrap();
                if value.is_finite() {
                    assert_eq!(encode(precision, value), Some(code), "{precision} {code:#x} is {value}");
                }
            }
        }
    }

    #[test]
    fn a_value_becomes_the_nearest_code_and_of_two_the_even_one() {
        for (precision, last) in FORMATS {
            let mut values: Vec<(f64, u8)> = (0..=last)
                .map(|code| (decode(precision, code).unwrap(), code))
                .filter(|(value, _)| value.is_finite())
                .collect();
            values.sort_by(|a, b| a.0.total_cmp(&b.0));
            for pair in values.windows(2) {
                let [(low, low_code), (high, high_code)] = pair else { unreachable!() };
                let middle = f64::midpoint(*low, *high);
                let even = if low_code % 2 == 0 { low_code } else { high_code };
                let tie = decode(precision, encode(precision, middle).unwrap()).unwrap();
                assert!((tie - decode(precision, *even).unwrap()).abs() <= 0.0, "{precision} {middle}");
                for (share, nearest) in [(0.49, low), (0.51, high)] {
                    let near =
                        decode(precision, encode(precision, low + (high - low) * share).unwrap()).unwrap();
                    assert!((near - nearest).abs() <= 0.0, "{precision} {low} {high} {share}: {near}");
                }
            }
        }
    }

    #[test]
    fn eight_bits_are_those_of_the_crate_float8() {
        for code in 0..=255_u8 {
            let e4m3 = f64::from(F8E4M3::from_bits(code).to_f32());
            let e5m2 = f64::from(F8E5M2::from_bits(code).to_f32());
            for (precision, theirs) in [(Precision::Fp8e4m3, e4m3), (Precision::Fp8e5m2, e5m2)] {
                let ours = decode(precision, code).unwrap();
                assert!(
                    ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan(),
                    "{precision} {code:#x}"
                );
            }
        }
    }

    #[test]
    fn what_is_too_large_saturates_and_a_nan_is_no_operand() {
        for (precision, greatest) in [
            (Precision::Fp8e4m3, 448.0),
            (Precision::Fp8e5m2, 57344.0),
            (Precision::Fp6, 28.0),
            (Precision::Fp4, 6.0),
        ] {
            for value in [greatest * 1.01, 1e30, f64::INFINITY] {
                assert_eq!(
                    decode(precision, encode(precision, value).unwrap()),
                    Some(greatest),
                    "{precision}"
                );
                assert_eq!(
                    decode(precision, encode(precision, -value).unwrap()),
                    Some(-greatest),
                    "{precision}"
                );
            }
            assert_eq!(encode(precision, f64::NAN), None);
        }
        assert_eq!(encode(Precision::Fp16, 1.0), None, "it has sixteen bits");
    }
}

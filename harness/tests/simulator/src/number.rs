//! Number formats and rounding, bit by bit: PTX ISA 5.2 (fundamental and alternate types), 9.7.3 to 9.7.5 and
//! 9.7.9 `cvt`. Nothing here relies on the rounding of the host beyond IEEE 754 binary64 to nearest.

/// Rounding modifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// `.rn`: nearest, ties to even.
    Nearest,
    /// `.rna`: nearest, ties away from zero.
    Away,
    /// `.rz`.
    Zero,
    /// `.rm`: towards minus infinity.
    Minus,
    /// `.rp`: towards plus infinity.
    Plus,
}

/// What a format does with its largest exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// Infinities and NaN as in IEEE 754.
    Ieee,
    /// One NaN, no infinities (e4m3).
    NanOnly,
    /// Neither (fp6, fp4).
    None,
}

/// A binary floating-point format of at most 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Bits of the exponent.
    pub exponent: u32,
    /// Bits of the fraction.
    pub fraction: u32,
    /// Largest exponent's meaning.
    pub special: Special,
}

/// binary16.
pub const F16: Format = Format { exponent: 5, fraction: 10, special: Special::Ieee };
/// bfloat16.
pub const BF16: Format = Format { exponent: 8, fraction: 7, special: Special::Ieee };
/// TensorFloat-32; the fraction stands in the upper bits of 23.
pub const TF32: Format = Format { exponent: 8, fraction: 10, special: Special::Ieee };
/// binary32.
pub const F32: Format = Format { exponent: 8, fraction: 23, special: Special::Ieee };
/// OCP FP8 E4M3.
pub const E4M3: Format = Format { exponent: 4, fraction: 3, special: Special::NanOnly };
/// OCP FP8 E5M2.
pub const E5M2: Format = Format { exponent: 5, fraction: 2, special: Special::Ieee };
/// OCP FP6 E3M2.
pub const E3M2: Format = Format { exponent: 3, fraction: 2, special: Special::None };
/// OCP FP6 E2M3.
pub const E2M3: Format = Format { exponent: 2, fraction: 3, special: Special::None };
/// OCP FP4 E2M1.
pub const E2M1: Format = Format { exponent: 2, fraction: 1, special: Special::None };

impl Format {
    const fn bias(self) -> i32 {
        (1 << (self.exponent - 1)) - 1
    }

    /// Bits of the greatest finite magnitude.
    #[inline]
    pub const fn greatest(self) -> u32 {
        let all = (1u32 << (self.exponent + self.fraction)) - 1;
        match self.special {
            Special::None => all,
            Special::NanOnly => all - 1,
            Special::Ieee => (((1 << self.exponent) - 1) << self.fraction) - 1,
        }
    }

    /// The canonical NaN, where there is one.
    pub const fn nan(self) -> Option<u32> {
        match self.special {
            Special::None => None,
            _ => Some((1 << (self.exponent + self.fraction)) - 1),
        }
    }

    /// Value of an encoding; exact.
    #[inline]
    pub fn decode(self, bits: u32) -> f64 {
        let sign = if bits >> (self.exponent + self.fraction) & 1 == 1 { -1.0 } else { 1.0 };
        let magnitude = bits & ((1 << (self.exponent + self.fraction)) - 1);
        let (e, f) = (magnitude >> self.fraction, magnitude & ((1 << self.fraction) - 1));
        let top = e == (1 << self.exponent) - 1;
        match self.special {
            Special::Ieee if top && f == 0 => return sign * f64::INFINITY,
            Special::Ieee if top => return f64::NAN,
            Special::NanOnly if Some(magnitude) == self.nan() => return f64::NAN,
            _ => {}
        }
        // As the bits of a binary64 it is less by the difference of the biases; a power of two makes that good exactly.
        sign * f64::from_bits(u64::from(magnitude) << (52 - self.fraction)) * power_of_two(1023 - self.bias())
    }

    /// Encoding of a value, rounded once. Overflow gives infinity by the rounding's rules, or the greatest finite
    /// magnitude where `saturate` is set or the format has no infinity to give (then e4m3 gives NaN unless saturated).
    #[inline]
    pub fn encode(self, value: f64, rounding: Rounding, saturate: bool) -> u32 {
        let sign = u32::from(value.is_sign_negative()) << (self.exponent + self.fraction);
        if value.is_nan() {
            return self.nan().unwrap_or(self.greatest());
        }
        if value == 0.0 {
            return sign;
        }
        if value.is_infinite() {
            return sign | if saturate { self.greatest() } else { self.infinity() };
        }
        let magnitude = value.abs();
        let bits = magnitude.to_bits();
        // Exponent of the leading bit; a subnormal f64 is below every format's least magnitude.
        let exponent = (bits >> 52) as i32 - 1023;
        let least = 1 - self.bias();
        let unit = exponent.max(least) - self.fraction as i32;
        let fraction = (bits & ((1 << 52) - 1)) | if bits >> 52 == 0 { 0 } else { 1 << 52 };
        let shift = unit - (exponent.max(-1022) - 52);
        let (whole, round) = split(fraction, shift, rounding, value.is_sign_negative());
        let whole = whole + u64::from(round);
        // An exponent field of 0 for subnormals, of 1 where rounding made the least normal number of one.
        let field = if exponent < least { 0 } else { (exponent - least) as u64 };
        let encoded = (field << self.fraction) + whole;
        if encoded > u64::from(self.greatest()) {
            let towards_zero = match rounding {
                Rounding::Zero => true,
                Rounding::Minus => sign == 0,
                Rounding::Plus => sign != 0,
                Rounding::Nearest | Rounding::Away => false,
            };
            return sign | if saturate || towards_zero { self.greatest() } else { self.infinity() };
        }
        sign | encoded as u32
    }

    fn infinity(self) -> u32 {
        match self.special {
            Special::Ieee => self.greatest() + 1,
            Special::NanOnly => self.greatest() + 1,
            Special::None => self.greatest(),
        }
    }

    /// The nearest value of the format.
    pub fn round(self, value: f64) -> f64 {
        self.decode(self.encode(value, Rounding::Nearest, false))
    }
}

/// Whole units in a fraction after a right shift, and whether the rest rounds up.
#[inline]
fn split(fraction: u64, shift: i32, rounding: Rounding, negative: bool) -> (u64, bool) {
    if shift <= 0 {
        return (fraction << -shift, false);
    }
    if let (Rounding::Nearest, 1..=53) = (rounding, shift) {
        let (whole, rest, half) = (fraction >> shift, fraction & ((1 << shift) - 1), 1 << (shift - 1));
        return (whole, rest > half || (rest == half && whole & 1 == 1));
    }
    let (whole, rest, half) = if shift >= 64 {
        (0, u128::from(fraction), 1u128 << (shift.min(120) - 1))
    } else {
        (fraction >> shift, u128::from(fraction & ((1 << shift) - 1)), 1u128 << (shift - 1))
    };
    let up = match rounding {
        Rounding::Nearest => rest > half || (rest == half && whole & 1 == 1),
        Rounding::Away => rest >= half,
        Rounding::Zero => false,
        Rounding::Minus => negative && rest != 0,
        Rounding::Plus => !negative && rest != 0,
    };
    (whole, up)
}

/// 2 to a power; exact where binary64 has it.
#[inline]
pub fn power_of_two(exponent: i32) -> f64 {
    if exponent < -1022 {
        f64::from_bits(1) * power_of_two(exponent + 1074)
    } else {
        f64::from_bits(((exponent.min(1024) + 1023) as u64) << 52)
    }
}

/// Sum, rounded to odd, so that a later rounding to at most 51 bits is right in every mode.
#[inline]
pub fn add_to_odd(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if !sum.is_finite() {
        return sum;
    }
    let virtual_b = sum - a;
    let error = (a - (sum - virtual_b)) + (b - virtual_b);
    if error == 0.0 || sum.to_bits() & 1 == 1 {
        return sum;
    }
    // The exact sum lies between `sum` and its neighbour in the error's direction; that neighbour is odd.
    let away = (error > 0.0) == (sum > 0.0);
    f64::from_bits(if away { sum.to_bits() + 1 } else { sum.to_bits() - 1 })
}

/// a * b + c for formats of at most 24 significant bits, rounded to odd in binary64.
#[inline]
pub fn fused(a: f64, b: f64, c: f64) -> f64 {
    add_to_odd(a * b, c)
}

/// Value of a scale factor in `ue8m0`; 0xff is NaN.
pub fn ue8m0(bits: u8) -> f64 {
    if bits == 0xff { f64::NAN } else { power_of_two(i32::from(bits) - 127) }
}

/// Nearest tf32 below in magnitude: matrix units ignore the low 13 bits of their operands.
pub fn tf32_operand(bits: u32) -> f64 {
    f64::from(f32::from_bits(bits & !0x1fff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_of_a_small_format_survives_the_round_trip() {
        for format in [F16, BF16, E4M3, E5M2, E3M2, E2M3, E2M1] {
            for bits in 0..1u32 << (1 + format.exponent + format.fraction) {
                let value = format.decode(bits);
                if !value.is_nan() {
                    assert_eq!(format.encode(value, Rounding::Nearest, false), bits, "{format:?} {bits:#x}");
                }
            }
        }
    }

    #[test]
    fn values_of_the_ocp_tables() {
        assert_eq!(E4M3.decode(0x7e), 448.0);
        assert_eq!(E4M3.decode(0x01), 1.0 / 512.0);
        assert!(E4M3.decode(0x7f).is_nan() && E4M3.decode(0xff).is_nan());
        assert_eq!(E5M2.decode(0x7b), 57344.0);
        assert_eq!(E5M2.decode(0x7c), f64::INFINITY);
        assert_eq!(E3M2.decode(0x1f), 28.0);
        assert_eq!(E2M3.decode(0x1f), 7.5);
        assert_eq!(
            (0..8).map(|b| E2M1.decode(b)).collect::<Vec<_>>(),
            [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
        );
        assert_eq!((ue8m0(127), ue8m0(0)), (1.0, power_of_two(-127)));
    }

    #[test]
    fn halfway_cases_round_by_their_modifier() {
        // 1 + 2^-11 is halfway between 1 (0x3c00) and the next binary16 (0x3c01).
        let tie = 1.0 + power_of_two(-11);
        for (rounding, positive, negative) in [
            (Rounding::Nearest, 0x3c00, 0xbc00),
            (Rounding::Away, 0x3c01, 0xbc01),
            (Rounding::Zero, 0x3c00, 0xbc00),
            (Rounding::Minus, 0x3c00, 0xbc01),
            (Rounding::Plus, 0x3c01, 0xbc00),
        ] {
            assert_eq!(F16.encode(tie, rounding, false), positive, "{rounding:?}");
            assert_eq!(F16.encode(-tie, rounding, false), negative, "{rounding:?}");
        }
        assert_eq!(F16.encode(1.0 + 3.0 * power_of_two(-11), Rounding::Nearest, false), 0x3c02);
    }

    #[test]
    fn overflow_saturates_or_becomes_infinite() {
        assert_eq!(F16.encode(65520.0, Rounding::Nearest, false), 0x7c00);
        assert_eq!(F16.encode(65519.0, Rounding::Nearest, false), 0x7bff);
        assert_eq!(F16.encode(1e9, Rounding::Zero, false), 0x7bff);
        assert_eq!(F16.encode(1e9, Rounding::Nearest, true), 0x7bff);
        assert_eq!(F16.encode(-1e9, Rounding::Plus, false), 0xfbff);
        assert_eq!(E4M3.encode(1e9, Rounding::Nearest, true), 0x7e);
        assert_eq!(E4M3.encode(1e9, Rounding::Nearest, false), 0x7f);
        assert_eq!(E2M1.encode(-100.0, Rounding::Nearest, true), 0xf);
    }

    #[test]
    fn subnormals_are_kept_and_the_least_one_has_its_halfway_point() {
        let least = power_of_two(-24);
        assert_eq!(F16.encode(least, Rounding::Nearest, false), 1);
        assert_eq!(F16.encode(least / 2.0, Rounding::Nearest, false), 0);
        assert_eq!(F16.encode(least * 0.51, Rounding::Nearest, false), 1);
        assert_eq!(F16.encode(f64::from_bits(1), Rounding::Plus, false), 1);
        assert_eq!(F32.encode(f64::from(f32::from_bits(1)), Rounding::Nearest, false), 1);
        // Rounds up across the border of the subnormals.
        assert_eq!(
            F16.encode(power_of_two(-14) * (1.0 - power_of_two(-12)), Rounding::Nearest, false),
            0x400
        );
    }

    #[test]
    fn one_rounding_where_two_would_err() {
        // 1 + 2^-11 + 2^-60: binary64 drops the last term and a second rounding would see a tie.
        let sum = add_to_odd(1.0 + power_of_two(-11), power_of_two(-60));
        assert_eq!(F16.encode(sum, Rounding::Nearest, false), 0x3c01);
        let sum = add_to_odd(1.0 + power_of_two(-11), -power_of_two(-60));
        assert_eq!(F16.encode(sum, Rounding::Nearest, false), 0x3c00);
    }
}

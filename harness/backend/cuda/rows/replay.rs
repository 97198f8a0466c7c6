//! Chains of multiply-adds in scalar arithmetic: what a chain must hold after a number of steps.

/// A value after `steps` steps. A step depends on the value alone, so that a repeated value tells all later ones.
pub(super) fn after(start: u64, steps: u64, step: impl Fn(u64) -> u64) -> u64 {
    let (mut value, mut left, mut mark, mut span, mut since) = (start, steps, start, 1_u64, 0_u64);
    while left > 0 {
        value = step(value);
        left -= 1;
        since += 1;
        if value == mark {
            // A cycle of `since` steps: whole turns change nothing.
            left %= since;
        } else if since == span {
            (mark, span, since) = (value, span * 2, 0);
        }
    }
    value
}

/// `value x factor + term` in binary64.
pub(super) fn binary64(value: u64, factor: f64, term: f64) -> u64 {
    f64::from_bits(value).mul_add(factor, term).to_bits()
}

/// `value x factor + term` in binary32.
pub(super) fn binary32(value: u64, factor: f32, term: f32) -> u64 {
    let value = f32::from_bits(u32::try_from(value).unwrap_or(0));
    u64::from(value.mul_add(factor, term).to_bits())
}

/// `value^2 + term` rounded once to `digits` significant bits, no step below 2^`least`; values as binary64 bits.
///
/// The square of up to 11 bits and the sum are exact in binary64 for values of magnitude 2^-24 to 2.
pub(super) fn square(value: u64, term: f64, digits: i32, least: i32) -> u64 {
    let value = f64::from_bits(value);
    let exact = value.mul_add(value, term);
    if exact == 0.0 {
        return 0;
    }
    let exponent = i32::try_from(exact.abs().to_bits() >> 52).unwrap_or(0) - 1023;
    let quantum = 2_f64.powi((exponent - digits + 1).max(least));
    ((exact / quantum).round_ties_even() * quantum).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_whole_turns_changes_nothing() {
        let step = |value: u64| (value * value + 7) % 1009;
        for steps in [0, 1, 2, 50, 999, 12_345] {
            let mut plain = 3;
            for _ in 0..steps {
                plain = step(plain);
            }
            assert_eq!(after(3, steps, step), plain, "{steps}");
        }
    }

    #[test]
    fn rounding_agrees_with_binary16() {
        for bits in (0..0x4000_u16).chain(0x8000..0xbc00) {
            let value = f64::from(half::f16::from_bits(bits));
            let term = f64::from(half::f16::from_f32(-1.8));
            let found = f64::from_bits(square(value.to_bits(), term, 11, -24));
            let exact = value.mul_add(value, term);
            let nearest = half::f16::from_f64(found);
            assert!((nearest.to_f64() - found).abs() <= 0.0, "{bits:#x} is no binary16 number");
            for other in [nearest.to_bits().wrapping_add(1), nearest.to_bits().wrapping_sub(1)] {
                let other = f64::from(half::f16::from_bits(other));
                assert!((other - exact).abs() >= (found - exact).abs(), "{bits:#x}: {other} is nearer");
            }
        }
    }
}

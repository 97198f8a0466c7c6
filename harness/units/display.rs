//! How quantities are written: rates with an SI prefix, totals in powers of ten, as statutes write them.

use super::Ops;

const PREFIXES: [(&str, u32); 11] = [
    ("Q", 30),
    ("R", 27),
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("", 0),
];

/// `value` with four significant digits, without an exponent (`791.0`, `1.234`, `0.5000`).
pub fn four_digits(value: f64) -> String {
    let magnitude = if value.abs() < 1e-3 { 0.0 } else { value.abs().log10().floor() };
    let places = |magnitude: f64| (3.0 - magnitude).clamp(0.0, 6.0);
    let rounded = |places: f64| format!("{value:.*}", decimals(places));
    let first = rounded(places(magnitude));
    // 999.96 has three digits before the point until it is rounded, and four after.
    let gained = first.parse::<f64>().is_ok_and(|v| v.abs().log10().floor() > magnitude && v.abs() >= 1.0);
    if gained { rounded(places(magnitude + 1.0)) } else { first }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=6 by the caller")]
fn decimals(places: f64) -> usize {
    places.clamp(0.0, 6.0) as usize
}

/// `value` scaled to an SI prefix, with a space before it: `791.0 T`, ready for the unit to follow.
pub fn si(value: f64) -> String {
    let scaled = |power: u32| value / 10_f64.powi(i32::try_from(power).unwrap_or(0));
    for (prefix, power) in PREFIXES {
        // A value that rounds up to 1000 of the smaller prefix belongs to this one.
        if scaled(power).abs() >= 0.999_95 || power == 0 {
            return format!("{} {prefix}", four_digits(scaled(power)));
        }
    }
    format!("{} ", four_digits(value))
}

/// `value` below one scaled to a small SI prefix (`12.30 m`), above one as it is (`1.500 `).
pub(super) fn si_small(value: f64) -> String {
    let prefixes = [("", 0), ("m", 3), ("µ", 6), ("n", 9)];
    for (prefix, power) in prefixes {
        let scaled = value * 10_f64.powi(power);
        if scaled >= 0.999_95 || power == 9 {
            return format!("{} {prefix}", four_digits(scaled));
        }
    }
    format!("{} ", four_digits(value))
}

/// An exact integer scaled to an SI prefix; every digit is kept: `989.4 T`, `300.000000001 G`.
pub fn si_exact(value: u128) -> String {
    let (prefix, power) = PREFIXES
        .into_iter()
        .find(|(_, power)| 10_u128.checked_pow(*power).is_some_and(|unit| value >= unit))
        .unwrap_or(("", 0));
    format!("{} {prefix}", decimal_text(value, power))
}

/// An exact integer in powers of ten; every digit is kept: `4.03e25`, `1e26`.
pub(super) fn power_of_ten(value: u128) -> String {
    if value < 1_000_000 {
        return value.to_string();
    }
    let power = value.ilog10();
    format!("{}e{power}", decimal_text(value, power))
}

fn decimal_text(value: u128, power: u32) -> String {
    let unit = 10_u128.checked_pow(power).unwrap_or(1);
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = format!("{rest:0width$}", width = usize::try_from(power).unwrap_or(0));
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// `4.0e25`: two significant figures, half up.
pub fn two_figures(operations: Ops) -> String {
    let value = operations.get();
    if value < 10 {
        return value.to_string();
    }
    let power = value.ilog10();
    let unit = 10_u128.pow(power - 1);
    let figures = value / unit + u128::from(value % unit >= unit.div_ceil(2));
    let (figures, power) = if figures == 100 { (10, power + 1) } else { (figures, power) };
    format!("{}.{}e{power}", figures / 10, figures % 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_figures_round_half_up() {
        for (value, text) in [
            (37_908_u128, "3.8e4"),
            (99_600, "1.0e5"),
            (104_999, "1.0e5"),
            (995, "1.0e3"),
            (85, "8.5e1"),
            (7, "7"),
            (u128::MAX, "3.4e38"),
        ] {
            assert_eq!(two_figures(Ops::new(value)), text);
        }
    }

    #[test]
    fn rates_have_four_digits_and_a_prefix() {
        assert_eq!(si(791.0e12), "791.0 T");
        assert_eq!(si(103.67e9), "103.7 G");
        assert_eq!(si(999.96e9), "1.000 T");
        assert_eq!(si(0.0), "0.000 ");
        assert_eq!(si(12.0), "12.00 ");
        assert_eq!(si(1.0e33), "1000 Q");
    }

    #[test]
    fn totals_are_powers_of_ten_with_every_digit() {
        assert_eq!(power_of_ten(40_300_000_000_000_000_000_000_000), "4.03e25");
        assert_eq!(power_of_ten(10_u128.pow(26)), "1e26");
        assert_eq!(power_of_ten(10_u128.pow(26) + 1), "1.00000000000000000000000001e26");
        assert_eq!(si_exact(989_400_000_000_000), "989.4 T");
        assert_eq!(si_exact(0), "0 ");
    }

    proptest! {
        #[test]
        fn four_digits_are_within_half_a_unit_of_the_last(value in 1e-2..1e9_f64) {
            let text = four_digits(value);
            let back: f64 = text.parse().unwrap();
            prop_assert!((back - value).abs() <= 0.51e-3 * value, "{value} printed as {text}");
        }

        #[test]
        fn exact_display_loses_nothing(value: u128) {
            let text = power_of_ten(value);
            let back: crate::units::Decimal = text.parse().unwrap();
            prop_assert_eq!(back.to_integer("x").unwrap(), value);
        }
    }
}

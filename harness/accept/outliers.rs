//! When a value lies outside many: the modified z-score, which a few bad values among many good ones cannot hide.

use super::{OutlierRule, Side};
use crate::measure::statistics::median;
use crate::units::Ratio;

/// Modified z-score beyond which a value is an outlier.
///
/// Source: B. Iglewicz and D. C. Hoaglin, How to Detect and Handle Outliers, ASQC, 1993, section 3.3.
pub const SCORE_LIMIT: f64 = 3.5;

/// Median absolute deviation of a normal distribution over its standard deviation.
const NORMAL: f64 = 0.6745;

/// A rate nearer to the median than this share is no outlier: where all others are equal to the last digit, as on
/// simulated devices or a locked clock, any difference has a great score and none of it matters.
pub const LEAST_SHARE_OF_RATE: f64 = 0.01;

/// The same for durations, which also hold the start of a process and the file system.
pub const LEAST_SHARE_OF_DURATION: f64 = 0.1;

/// Of fewer values nothing is said: the median of four is moved by two bad ones.
pub const LEAST_VALUES: usize = 5;

impl OutlierRule {
    /// The rule that is applied.
    pub fn standard() -> Self {
        let ratio = |value| Ratio::new(value).unwrap_or_default();
        Self {
            score_limit: ratio(SCORE_LIMIT),
            least_share_of_rate: ratio(LEAST_SHARE_OF_RATE),
            least_share_of_duration: ratio(LEAST_SHARE_OF_DURATION),
            least_values: u64::try_from(LEAST_VALUES).unwrap_or(u64::MAX),
        }
    }
}

/// The middle of some values, and how far from it they lie.
///
/// Unit: that of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Middle {
    /// Median.
    pub median: f64,
    /// Median of the distances from it; 0 where more than half of the values are equal.
    pub deviation: f64,
}

impl Middle {
    /// The middle of values; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let middle = median(values)?;
        let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        Some(Self { median: middle, deviation: median(&distances)? })
    }

    /// How far from the median a value may lie.
    pub fn reach(&self, least_share: f64) -> f64 {
        (SCORE_LIMIT * self.deviation / NORMAL).max(least_share * self.median)
    }

    /// Which side a value lies on; `None` for one that lies inside.
    pub fn side(&self, value: f64, least_share: f64) -> Option<Side> {
        let reach = self.reach(least_share);
        match value - self.median {
            distance if distance < -reach => Some(Side::Slow),
            distance if distance > reach => Some(Side::Fast),
            _ => None,
        }
    }

    /// Distance of a value in modified z-scores; `None` where more than half of the values are equal.
    pub fn score(&self, value: f64) -> Option<Ratio> {
        Ratio::new(NORMAL * (value - self.median).abs() / self.deviation).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sides(values: &[f64]) -> Vec<Option<Side>> {
        let middle = Middle::of(values).unwrap();
        values.iter().map(|value| middle.side(*value, LEAST_SHARE_OF_RATE)).collect()
    }

    #[test]
    fn one_bad_value_among_noisy_ones_is_found_and_its_score_is_that_of_the_book() {
        let values = [100.0, 101.0, 99.0, 100.5, 99.5, 80.0, 102.0];
        assert_eq!(sides(&values)[5], Some(Side::Slow));
        assert_eq!(sides(&values).iter().flatten().count(), 1);
        // Median 100, deviations 0, 1, 1, 0.5, 0.5, 20, 2: their median is 1.
        let score = Middle::of(&values).unwrap().score(80.0).unwrap();
        assert!((score.get() - 0.6745 * 20.0).abs() < 1e-12);
    }

    #[test]
    fn among_equal_values_only_a_difference_that_matters_is_one() {
        let mut values = [100.0; 9];
        values[3] = 99.5;
        assert!(sides(&values).iter().all(Option::is_none));
        values[3] = 98.0;
        assert_eq!(sides(&values)[3], Some(Side::Slow));
        assert_eq!(Middle::of(&values).unwrap().score(98.0), None);
    }

    #[test]
    fn a_third_of_bad_values_does_not_hide_them() {
        let mut values: Vec<f64> = (0..60).map(|i| 100.0 + 0.05 * f64::from(i % 20)).collect();
        values.iter_mut().step_by(3).for_each(|value| *value *= 0.9);
        assert_eq!(sides(&values).iter().filter(|side| **side == Some(Side::Slow)).count(), 20);
    }

    proptest! {
        #[test]
        fn the_order_of_the_values_changes_nothing(
            (values, shuffled) in prop::collection::vec(1.0_f64..1e15, 5..60)
                .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle()))
        ) {
            let (a, b) = (Middle::of(&values).unwrap(), Middle::of(&shuffled).unwrap());
            prop_assert_eq!(a, b);
        }

        #[test]
        fn a_unit_changes_nothing(values in prop::collection::vec(1.0_f64..100.0, 5..40)) {
            let scaled: Vec<f64> = values.iter().map(|value| value * 1024.0).collect();
            prop_assert_eq!(sides(&values), sides(&scaled));
        }

        #[test]
        fn never_is_more_than_half_outside(values in prop::collection::vec(1.0_f64..1e6, 5..60)) {
            let outside = sides(&values).iter().flatten().count();
            prop_assert!(outside * 2 <= values.len());
        }
    }
}

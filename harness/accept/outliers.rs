//! When a value lies outside many: the modified z-score, which a few bad values among many good ones cannot hide, held
//! against a limit that the number of values sets.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{OutlierRule, Side};
use crate::measure::statistics::median;
use crate::units::Ratio;

/// Modified z-score that a value must pass to be an outlier, however many there are.
///
/// Source: B. Iglewicz and D. C. Hoaglin, How to Detect and Handle Outliers, ASQC, 1993, section 3.3.
pub const SCORE_LIMIT: f64 = 3.5;

/// Chance with which any of a group of like devices may lie outside: a healthy fleet should be able to pass.
pub const CHANCE: f64 = 0.05;

/// What a median absolute deviation is worth beside a standard deviation of as many normal values.
///
/// Source: P. J. Rousseeuw and C. Croux, Alternatives to the Median Absolute Deviation, JASA 88, 1993: 37 %.
const EFFICIENCY: f64 = 0.37;

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
            least_score_limit: ratio(SCORE_LIMIT),
            chance: ratio(CHANCE),
            least_share_of_rate: ratio(LEAST_SHARE_OF_RATE),
            least_share_of_duration: ratio(LEAST_SHARE_OF_DURATION),
            least_values: u64::try_from(LEAST_VALUES).unwrap_or(u64::MAX),
        }
    }
}

/// Greatest modified z-score that is inside among `count` values: that of the book, or the greater one that any of as
/// many normal values passes with a chance of [`CHANCE`].
///
/// The score divides by a deviation that was itself found from the values, so that it follows Student's distribution and
/// not the normal one: of five like devices one passes 3.5 in every fifth fleet. The degrees of freedom are what the
/// median absolute deviation is worth; the chance is shared among the values and both sides (Bonferroni).
pub fn score_limit(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a number of devices")]
    let count = count as f64;
    let student = StudentsT::new(0.0, 1.0, EFFICIENCY * (count - 1.0));
    let limit = student.map_or(SCORE_LIMIT, |student| -student.inverse_cdf(0.5 * CHANCE / count));
    limit.max(SCORE_LIMIT)
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
    /// Greatest modified z-score that is inside among so many values.
    pub score_limit: f64,
}

impl Middle {
    /// The middle of values; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let middle = median(values)?;
        let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        let score_limit = score_limit(values.len());
        Some(Self { median: middle, deviation: median(&distances)?, score_limit })
    }

    /// The limit as a quantity; `None` where it is none.
    pub fn limit(&self) -> Option<Ratio> {
        Ratio::new(self.score_limit).ok()
    }

    /// How far from the median a value may lie.
    pub fn reach(&self, least_share: f64) -> f64 {
        (self.score_limit * self.deviation / NORMAL).max(least_share * self.median)
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
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, Normal};

    use super::*;

    const LIMITS: [(usize, f64); 6] = [
        (5, 18.4154322),
        (8, 8.27688038),
        (64, 3.8599169),
        (1000, 4.10399221),
        (10000, 4.57153243),
        (80000, 4.98441513),
    ];

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

    /// Rates of like devices: normally distributed by a share of their mean.
    fn fleet(random: &mut ChaCha8Rng, count: usize, spread: f64) -> Vec<f64> {
        let rates = Normal::new(1e12, spread * 1e12).unwrap();
        (0..count).map(|_| rates.sample(random)).collect()
    }

    #[test]
    fn the_limit_is_the_quantile_that_scipy_gives_and_never_below_that_of_the_book() {
        // max(3.5, scipy.stats.t.isf(0.025 / n, 0.37 * (n - 1)))
        for (count, limit) in LIMITS {
            assert!((score_limit(count) / limit - 1.0).abs() < 1e-6, "{count}: {}", score_limit(count));
        }
        let all: Vec<f64> = (5..2_000).chain((2_000..1_000_000).step_by(9_973)).map(score_limit).collect();
        assert!(all.iter().all(|limit| limit.is_finite() && *limit >= SCORE_LIMIT));
    }

    #[test]
    fn ten_thousand_like_devices_have_no_slow_one_and_one_that_is_slow_is_found() {
        for spread in [0.001, 0.005, 0.01] {
            let mut rates = fleet(&mut ChaCha8Rng::seed_from_u64(14), 10_000, spread);
            assert_eq!(sides(&rates).iter().flatten().count(), 0, "{spread}");
            rates[4_711] = 0.95 * Middle::of(&rates).unwrap().median;
            let found = sides(&rates);
            assert_eq!((found[4_711], found.iter().flatten().count()), (Some(Side::Slow), 1), "{spread}");
        }
    }

    #[test]
    fn a_fleet_of_any_size_has_an_outlier_by_chance_as_rarely_as_it_says() {
        let mut random = ChaCha8Rng::seed_from_u64(12);
        for (count, fleets) in [(5, 2_000), (8, 2_000), (16, 2_000), (64, 1_000), (500, 400), (4_000, 200)] {
            let any = |_: &u32| sides(&fleet(&mut random, count, 0.02)).iter().any(Option::is_some);
            let marked = (0..fleets).filter(any).count();
            let (fleets, marked) = (f64::from(fleets), f64::from(u32::try_from(marked).unwrap()));
            // Three standard deviations of a binomial at the chance.
            let most = fleets * CHANCE + 3.0 * (fleets * CHANCE * (1.0 - CHANCE)).sqrt();
            assert!(marked <= most, "{count} devices: {marked} of {fleets} fleets");
        }
    }

    #[test]
    fn eight_devices_are_enough_to_find_one_that_is_slow_by_more_than_they_differ() {
        let mut random = ChaCha8Rng::seed_from_u64(13);
        let found = |_: &u32| {
            let mut rates = fleet(&mut random, 8, 0.003);
            rates[3] = 0.9e12;
            sides(&rates)[3] == Some(Side::Slow)
        };
        assert!((0..200).filter(found).count() >= 190);
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

//! Statistics of stored samples: computed on time, then mapped to rates with the interval's ends swapped.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use statrs::statistics::{Data, OrderStatistics};

use crate::units::{ByteRate, Estimate, OpRate, Ratio, Seconds};

/// Resamples behind an interval; more change its ends by less than a tenth of its width.
const RESAMPLES: usize = 1000;
/// Seed of the resampling, fixed so that the same samples always give the same interval.
const SEED: u64 = 0x0066_6c6f_7067_6175;

/// Summary of the samples of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateStatistics {
    /// Number of samples behind it.
    pub samples: usize,
    /// Median with its 95 % bootstrap interval.
    pub rate_op_per_s: Estimate<OpRate>,
    /// Slowest sample.
    pub minimum_op_per_s: OpRate,
    /// Fastest sample; never the headline.
    pub maximum_op_per_s: OpRate,
    /// Rate that 95 % of the samples exceed.
    pub p5_op_per_s: OpRate,
    /// Rate that 5 % of the samples exceed.
    pub p95_op_per_s: OpRate,
    /// Width from the 5th to the 95th percentile over the median.
    pub spread: Ratio,
}

/// Statistics of samples, each the time of one operation; `None` without samples.
pub fn rate_statistics(seconds_per_op: &[f64]) -> Option<RateStatistics> {
    let times = summary(seconds_per_op)?;
    let rate = |time: f64| OpRate::new(1.0 / time).ok();
    Some(RateStatistics {
        samples: seconds_per_op.len(),
        rate_op_per_s: Estimate {
            low: rate(times.interval.1)?,
            median: rate(times.median)?,
            high: rate(times.interval.0)?,
        },
        minimum_op_per_s: rate(times.maximum)?,
        maximum_op_per_s: rate(times.minimum)?,
        p5_op_per_s: rate(times.p95)?,
        p95_op_per_s: rate(times.p5)?,
        spread: Ratio::new((times.p95 - times.p5) / times.median).ok()?,
    })
}

/// Median rate of samples, each the time of one byte, with its interval, and their spread; `None` without samples.
pub fn byte_rate_statistics(seconds_per_byte: &[f64]) -> Option<(Estimate<ByteRate>, Ratio)> {
    let times = summary(seconds_per_byte)?;
    let rate = |time: f64| ByteRate::new(1.0 / time).ok();
    let estimate =
        Estimate { low: rate(times.interval.1)?, median: rate(times.median)?, high: rate(times.interval.0)? };
    Some((estimate, Ratio::new((times.p95 - times.p5) / times.median).ok()?))
}

struct Times {
    minimum: f64,
    p5: f64,
    median: f64,
    p95: f64,
    maximum: f64,
    interval: (f64, f64),
}

fn summary(samples: &[f64]) -> Option<Times> {
    if samples.is_empty() || samples.iter().any(|value| !value.is_finite() || *value <= 0.0) {
        return None;
    }
    let mut sorted = Data::new(samples.to_vec());
    let (p5, median, p95) = (sorted.percentile(5), sorted.median(), sorted.percentile(95));
    let ends = samples.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(*v), high.max(*v)));
    Some(Times { minimum: ends.0, p5, median, p95, maximum: ends.1, interval: bootstrap_median(samples) })
}

/// 95 % interval of the median by the percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap,
/// 1993, chapter 13).
fn bootstrap_median(samples: &[f64]) -> (f64, f64) {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let medians = (0..RESAMPLES).map(|_| {
        let drawn = (0..samples.len()).filter_map(|_| samples.get(random.random_range(0..samples.len())));
        Data::new(drawn.copied().collect::<Vec<_>>()).median()
    });
    let mut medians = Data::new(medians.collect::<Vec<_>>());
    (medians.quantile(0.025), medians.quantile(0.975))
}

/// Median of `values`; `None` without any.
pub fn median(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| Data::new(values.to_vec()).median())
}

/// Change over the whole window that a straight line through the values shows, relative to their mean.
///
/// Unit: none; 0.01 is one per cent more at the end than at the start. `None` for fewer than three values.
pub fn trend(at: &[Seconds], values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
    let count = values.len() as f64;
    if values.len() < 3 || values.len() != at.len() {
        return None;
    }
    let mean_x = at.iter().map(|x| x.get()).sum::<f64>() / count;
    let mean_y = values.iter().sum::<f64>() / count;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (x, y) in at.iter().zip(values) {
        xy += (x.get() - mean_x) * (y - mean_y);
        xx += (x.get() - mean_x).powi(2);
    }
    let length = at.last()?.get() - at.first()?.get();
    let change = xy / xx * length / mean_y;
    change.is_finite().then_some(change)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_headline_is_the_median_and_the_interval_is_on_the_right_sides() {
        let times: Vec<f64> = (1..=99).map(|i| 1e-12 * (1.0 + f64::from(i) / 1000.0)).collect();
        let statistics = rate_statistics(&times).unwrap();
        let rate = statistics.rate_op_per_s;
        assert!(rate.low < rate.median && rate.median < rate.high);
        assert!((rate.median.get() - 1e12 / 1.05).abs() < 1e6);
        assert!(statistics.minimum_op_per_s <= statistics.p5_op_per_s);
        assert!(statistics.p95_op_per_s <= statistics.maximum_op_per_s);
    }

    #[test]
    fn no_samples_or_impossible_ones_give_no_statistics() {
        for samples in [&[] as &[f64], &[0.0], &[f64::NAN], &[1.0, f64::INFINITY], &[-1.0]] {
            assert!(rate_statistics(samples).is_none());
        }
    }

    #[test]
    fn the_interval_covers_the_true_median_about_as_often_as_it_says() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let covered = (0..200)
            .filter(|_| {
                let samples: Vec<f64> = (0..40).map(|_| random.random_range(0.9..1.1)).collect();
                let (low, high) = bootstrap_median(&samples);
                low <= 1.0 && 1.0 <= high
            })
            .count();
        assert!((176..=200).contains(&covered), "{covered} of 200");
    }

    #[test]
    fn a_line_that_rises_by_a_tenth_has_a_trend_of_a_tenth() {
        let at: Vec<_> = (0..11).map(|i| Seconds::new(f64::from(i)).unwrap()).collect();
        let values: Vec<_> = (0..11).map(|i| 0.95 + f64::from(i) / 100.0).collect();
        assert!((trend(&at, &values).unwrap() - 0.1).abs() < 1e-12);
        assert!(trend(&at[..2], &values[..2]).is_none());
        assert!(trend(&[at[0]; 3], &values[..3]).is_none(), "no length, no trend");
    }

    proptest! {
        #[test]
        fn scaling_every_time_scales_every_rate(scale in 1e-3..1e3_f64, times in prop::collection::vec(1e-13..1e-9_f64, 1..40)) {
            let scaled: Vec<f64> = times.iter().map(|t| t * scale).collect();
            let (a, b) = (rate_statistics(&times).unwrap(), rate_statistics(&scaled).unwrap());
            let ratio = a.rate_op_per_s.median.get() / b.rate_op_per_s.median.get();
            prop_assert!((ratio / scale - 1.0).abs() < 1e-9);
        }
    }
}

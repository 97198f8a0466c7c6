//! How much a rate falls while it is sampled.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{CheckResult, Quantity, Verdict, counted};
use crate::measure::statistics::median;
use crate::measure::{Measured, Schedule};
use crate::units::{Ratio, Seconds};

/// Stretches that the samples are cut into; neighbouring samples are alike, stretches nearly independent.
const STRETCHES: usize = 10;

/// Least time of samples that shows a trend, in seconds; what falls with heat takes longer than a look.
const LEAST_TIME: f64 = 1.0;

/// Fall of a rate over the time of its samples, relative to its mean; negative where it rises.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fall {
    best: f64,
    low: f64,
    high: f64,
    /// From the start of the first sample to the end of the last.
    over: f64,
}

/// The check of a measured case. The fall is that of a straight line over the sampled time, with a 95 % interval: above
/// the limit with all of the interval it fails, below with all of it and from a steady start it passes.
pub(super) fn check(name: &str, measured: &Measured, limit: Ratio) -> CheckResult {
    let plain = |verdict, reason: &str| CheckResult::plain(name, verdict, reason);
    let fall = match fall(measured) {
        Ok(fall) => fall,
        Err(reason) => return plain(Verdict::Inconclusive, &reason),
    };
    let percent = |share: f64| 100.0 * share;
    let said = format!(
        "falls {:.2} % ({:.2} to {:.2}) in {:.1} s",
        percent(fall.best),
        percent(fall.low),
        percent(fall.high),
        fall.over
    );
    let (verdict, reason) = if fall.low > limit.get() {
        (Verdict::Fail, said)
    } else if fall.high > limit.get() {
        (Verdict::Inconclusive, format!("{said}: the limit is within that"))
    } else if measured.is_steady() {
        (Verdict::Pass, said)
    } else {
        (Verdict::Inconclusive, format!("{said}, not from a steady start"))
    };
    // A rise is no fall.
    let value = Ratio::new(fall.best.max(0.0)).unwrap_or_default();
    plain(verdict, &reason).with(Quantity::Share(value), Quantity::Share(limit), "max_trend")
}

fn fall(measured: &Measured) -> Result<Fall, String> {
    let samples = &measured.samples;
    if measured.headline().is_none_or(|headline| headline.is_disturbed()) || !samples.is_whole() {
        return Err("no samples free of other work to see a trend in".to_owned());
    }
    let times = samples
        .start_s
        .iter()
        .zip(&samples.elapsed_s)
        .zip(samples.seconds_per_op(measured.ops_per_iteration));
    let clean = times.zip(samples.clean()).filter(|(_, clean)| *clean);
    let found: Vec<(Seconds, Seconds, f64)> =
        clean.map(|(((start, elapsed), per_op), _)| (*start, *elapsed, 1.0 / per_op)).collect();
    if found.len() < Schedule::SAMPLES {
        return Err(format!(
            "{}, fewer than the {} of a trend",
            counted(found.len(), "sample"),
            Schedule::SAMPLES
        ));
    }
    let fall = line(&found).ok_or_else(|| "the samples' times give no trend".to_owned())?;
    if fall.over < LEAST_TIME {
        return Err(format!("sampled for {:.2} s, shorter than the {LEAST_TIME} s of a trend", fall.over));
    }
    Ok(fall)
}

/// Least squares through the median rates of [`STRETCHES`] equal numbers of samples, over the mean of their middles.
///
/// The interval is Student's for the slope, from what the medians leave beside the line; `samples` are start, length
/// and rate of each.
fn line(samples: &[(Seconds, Seconds, f64)]) -> Option<Fall> {
    let end = |index: usize| index * samples.len() / STRETCHES;
    let stretches = (0..STRETCHES).map(|index| point(samples.get(end(index)..end(index + 1))?));
    let points: Vec<(f64, f64)> = stretches.collect::<Option<_>>()?;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let count = STRETCHES as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let xx: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let xy: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let slope = xy / xx;
    let beside: f64 = points.iter().map(|(x, y)| (y - mean_y - slope * (x - mean_x)).powi(2)).sum();
    let freedom = count - 2.0;
    let error = (beside / freedom / xx).sqrt();
    let (first, last) = (samples.first()?, samples.last()?);
    let over = last.0.get() + last.1.get() - first.0.get();
    let quantile = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.975);
    let share = |slope: f64| -slope * over / mean_y;
    let wide = quantile * error;
    let fall = Fall { best: share(slope), low: share(slope + wide), high: share(slope - wide), over };
    [fall.best, fall.low, fall.high].iter().all(|value| value.is_finite()).then_some(fall)
}

/// Mean of the samples' middles, and the median of their rates.
fn point(samples: &[(Seconds, Seconds, f64)]) -> Option<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
    let count = samples.len() as f64;
    let middle =
        samples.iter().map(|(start, length, _)| start.get() + 0.5 * length.get()).sum::<f64>() / count;
    let rates: Vec<f64> = samples.iter().map(|(_, _, rate)| *rate).collect();
    Some((middle, median(&rates)?))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn samples(count: u32, rate: impl Fn(f64) -> f64) -> Vec<(Seconds, Seconds, f64)> {
        let seconds = |value| Seconds::new(value).unwrap();
        let one = |i: u32| (seconds(0.1 * f64::from(i)), seconds(0.1), rate(f64::from(i) / f64::from(count)));
        (0..count).map(one).collect()
    }

    #[test]
    fn a_rate_that_falls_by_a_twentieth_falls_by_a_twentieth() {
        let found = line(&samples(100, |at| 1e12 * (1.025 - 0.05 * at))).unwrap();
        assert!((found.best - 0.05).abs() < 1e-3, "{found:?}");
        assert!(found.low <= found.best && found.best <= found.high && found.high - found.low < 1e-6);
        assert!((found.over - 10.0).abs() < 1e-9);
        let rising = line(&samples(100, |at| 1e12 * (1.0 + 0.05 * at))).unwrap();
        assert!(rising.high < 0.0, "{rising:?}");
    }

    #[test]
    fn the_interval_covers_the_true_fall_about_as_often_as_it_says() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let covered = (0..400)
            .filter(|_| {
                let mut noisy = samples(60, |at| 1e12 * (1.01 - 0.02 * at));
                noisy.iter_mut().for_each(|(_, _, rate)| *rate *= random.random_range(0.98..1.02));
                let found = line(&noisy).unwrap();
                found.low <= 0.02 && 0.02 <= found.high
            })
            .count();
        // Binomial for 400 at 95 %: 380 with a deviation of 4.4.
        assert!((362..=396).contains(&covered), "{covered} of 400");
    }

    #[test]
    fn samples_of_one_moment_have_no_trend() {
        let at = samples(30, |_| 1e12)[3];
        assert_eq!(line(&vec![at; 30]), None);
    }
}

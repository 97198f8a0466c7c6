//! Ratio of two rates from samples that depend on each other within a run.
//!
//! The samples of a run are cut into consecutive blocks; the logarithms of the block medians are nearly independent,
//! and their means are compared by Welch's test, whose interval becomes one of the ratio.
//!
//! Few and long blocks, and an interval of 99 %: rates wander within a run over hundreds of samples. Of 100 pairs of
//! neighbouring stretches of 400 samples of one real run, ten blocks called 24 different at 5 %, and five blocks 6; five
//! blocks at 1 % called none.
//!
//! **Source**: Schmeiser, Batch size effects in the analysis of simulation output, Operations Research 30, 1982 (who
//! advises 10 to 30 blocks where what is left between them can be neglected); Welch, Biometrika 34, 1947; Holm,
//! Scandinavian Journal of Statistics 6, 1979.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::measure::statistics::median;

/// Blocks of a run.
pub const BLOCKS: usize = 5;
/// Fewest samples of a block.
const LEAST: usize = 4;

/// Logarithms of the rates of consecutive blocks of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Logs(Vec<f64>);

impl Logs {
    /// What a side is compared by: the blocks of its one run, or of several runs the mean of each.
    pub fn of_side(mut runs: Vec<Self>) -> Self {
        match runs.len() {
            1 => runs.remove(0),
            _ => Self(runs.iter().map(|run| moments(&run.0).0).collect()),
        }
    }
}

/// Blocks of `times`, each the time of one piece of work, in the order of the run; `None` for fewer than
/// four a block.
pub fn logs(times: &[f64]) -> Option<Logs> {
    if times.len() < LEAST * BLOCKS {
        return None;
    }
    let block = |index: usize| times.get(index * times.len() / BLOCKS..(index + 1) * times.len() / BLOCKS);
    let values: Option<Vec<f64>> = (0..BLOCKS).map(|index| Some(-median(block(index)?)?.ln())).collect();
    values.filter(|values| values.iter().all(|value| value.is_finite())).map(Logs)
}

/// The rate of B over that of A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The ratio.
    pub ratio: f64,
    /// Low end of its interval.
    pub low: f64,
    /// High end of its interval.
    pub high: f64,
    /// Probability of so large a difference between equal rates, two-sided.
    pub p: f64,
}

/// The ratio of B to A with its interval at `level`, 0.99 for 99 %.
pub fn difference(a: &Logs, b: &Logs, level: f64) -> Option<Difference> {
    let ((mean_a, error_a), (mean_b, error_b)) = (moments(&a.0), moments(&b.0));
    let (mean, error) = (mean_b - mean_a, (error_a + error_b).sqrt());
    if error <= 0.0 {
        let same = mean.abs() <= 0.0;
        let ratio = mean.exp();
        return Some(Difference { ratio, low: ratio, high: ratio, p: if same { 1.0 } else { 0.0 } });
    }
    #[expect(clippy::cast_precision_loss, reason = "five blocks, or some runs")]
    let (n_a, n_b) = (a.0.len() as f64 - 1.0, b.0.len() as f64 - 1.0);
    let freedom = (error_a + error_b).powi(2) / (error_a.powi(2) / n_a + error_b.powi(2) / n_b);
    let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let reach = student.inverse_cdf(0.5 + level / 2.0) * error;
    let p = 2.0 * student.cdf(-(mean / error).abs());
    Some(Difference { ratio: mean.exp(), low: (mean - reach).exp(), high: (mean + reach).exp(), p })
}

/// Mean, and variance of the mean.
fn moments(values: &[f64]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "five blocks, or some runs")]
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0) / count)
}

/// Holm's adjusted probabilities, in the order of `p`.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = p.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (mut adjusted, mut greatest) = (vec![1.0; p.len()], 0.0_f64);
    for (rank, (index, p)) in order.into_iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
        let left = (adjusted.len() - rank) as f64;
        greatest = greatest.max((p * left).min(1.0));
        if let Some(place) = adjusted.get_mut(index) {
            *place = greatest;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_agrees_with_a_hand_worked_example() {
        let found = holm(&[0.01, 0.04, 0.03, 0.005]);
        let expected = [0.03, 0.06, 0.06, 0.02];
        assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-12), "{found:?}");
    }

    #[test]
    fn equal_runs_are_no_difference_and_too_few_samples_are_none() {
        let times: Vec<f64> = (0..100).map(|i| 1.0 + f64::from(i % 7) / 100.0).collect();
        let one = logs(&times).unwrap();
        let same = difference(&one, &one, 0.99).unwrap();
        assert!((same.ratio - 1.0).abs() < 1e-12 && same.p > 0.99);
        assert!(logs(&times[..19]).is_none());
    }
}

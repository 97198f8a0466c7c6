//! The run of a case as a line of bars: how its rate went from the first window after idle until sampling.

use crate::measure::Measured;
use crate::units::{ByteRate, OpRate};

/// Bars of one to eight eighths.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Most bars of a line.
const MOST: usize = 40;
/// Where bars start unless a rate is lower: at this share of the highest one, so that noise looks small.
const FOOT: f64 = 0.8;

/// The line of the case named `case`; `None` for fewer than two windows and for rates that are all nothing.
pub(super) fn run_line(case: &str, measured: &Measured, width: Option<u16>) -> Option<String> {
    let rates: Vec<f64> = measured.windows.iter().map(|window| window.throughput()).collect();
    let width = width.map_or(usize::MAX, usize::from);
    let rates = averaged(&rates, MOST.min(width.saturating_sub(4)))?;
    let low = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let high = rates.iter().copied().fold(0.0, f64::max);
    let foot = low.min(FOOT * high);
    if rates.len() < 2 || !(high.is_finite() && foot >= 0.0 && high > foot) {
        return None;
    }
    let bars: String = rates.iter().map(|rate| bar((rate - foot) / (high - foot))).collect();
    let [low, high, foot] = [low, high, foot].map(|rate| shown(measured, rate));
    Some(format!("  {case}: {bars} {} to {} until sampling; bars from {}\n", low?, high?, foot?))
}

/// The bar for a share of the height, from 0 to 1.
fn bar(share: f64) -> char {
    let above = (1_u8..8).filter(|eighth| f64::from(*eighth) - 0.5 <= 7.0 * share).count();
    BARS.get(above).copied().unwrap_or('█')
}

/// At most `most` means of neighbours; `None` where there is no room.
fn averaged(rates: &[f64], most: usize) -> Option<Vec<f64>> {
    let count = rates.len().min(most);
    let mean = |index: usize| {
        let some = rates.get(index * rates.len() / count..(index + 1) * rates.len() / count)?;
        #[expect(clippy::cast_precision_loss, reason = "a number of windows")]
        let number = some.len() as f64;
        Some(some.iter().sum::<f64>() / number)
    };
    (0..count).map(mean).collect()
}

/// A number of iterations a second as the rate that it is.
fn shown(measured: &Measured, iterations_per_s: f64) -> Option<String> {
    if measured.is_copy() {
        #[expect(clippy::cast_precision_loss, reason = "a rate that is shown in four figures")]
        let bytes = measured.bytes_per_iteration?.get() as f64;
        return ByteRate::new(iterations_per_s * bytes).ok().map(|rate| rate.to_string());
    }
    let rate = OpRate::new(iterations_per_s * measured.ops_per_iteration.to_f64()).ok()?;
    Some(rate.display(measured.case.precision.is_integer()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_high_as_its_share_and_means_keep_the_order() {
        assert_eq!([0.0, 0.5, 1.0].map(bar), ['▁', '▅', '█']);
        assert_eq!(averaged(&[1.0, 3.0, 5.0, 7.0], 2), Some(vec![2.0, 6.0]));
        assert_eq!(averaged(&[1.0, 3.0], 40), Some(vec![1.0, 3.0]));
    }
}

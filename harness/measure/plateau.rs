//! When a device has settled: throughput, clock and power all flat over a number of windows.

use serde::{Deserialize, Serialize};

use crate::backend::Conditions;
use crate::units::Seconds;

use super::statistics::trend;

/// Windows in a row that must be flat.
pub const FLAT_WINDOWS: usize = 5;

/// A stretch of work, long enough that one number describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// What the stretch was for.
    pub phase: Phase,
    /// Device time before it.
    pub start_s: Seconds,
    /// Device time in it.
    pub elapsed_s: Seconds,
    /// Iterations in it.
    pub iterations: u64,
    /// Iterations of batches that nothing came between.
    pub clean_iterations: u64,
    /// Device time of those batches.
    pub clean_elapsed_s: Seconds,
    /// State of the device at its end.
    pub conditions: Conditions,
}

/// Parts of a case's time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// First window after idle.
    Burst,
    /// Heating up, for a fixed time.
    Heat,
    /// Waiting until nothing moves.
    Plateau,
    /// Samples are taken.
    Sample,
}

impl Window {
    /// Iterations per second, from clean batches where there are any.
    pub fn throughput(&self) -> f64 {
        let (iterations, elapsed) = if self.clean_iterations > 0 {
            (self.clean_iterations, self.clean_elapsed_s)
        } else {
            (self.iterations, self.elapsed_s)
        };
        #[expect(clippy::cast_precision_loss, reason = "a ratio for comparison")]
        let count = iterations as f64;
        count / elapsed.get()
    }
}

/// How flat is flat.
///
/// Throughput on a shared two-core machine scatters by 1 to 2 % from window to window when nothing changes; clocks
/// are quantised to 15 MHz or more, and power readings are averages over up to a second.
const LIMITS: [(&str, Reading, f64, f64); 3] = [
    ("throughput", |w| Some(w.throughput()), 0.01, 0.03),
    ("clock", |w| Some(w.conditions.clock_hz?.get()), 0.01, 0.02),
    ("power", |w| Some(w.conditions.power_w?.get()), 0.03, 0.06),
];

type Reading = fn(&Window) -> Option<f64>;

/// What still moves over the last [`FLAT_WINDOWS`] windows; empty when the device has settled.
///
/// A reading that the device does not give is not waited for. Too few windows count as moving.
pub fn still_moving(windows: &[Window]) -> Vec<String> {
    let Some(last) = windows.len().checked_sub(FLAT_WINDOWS).and_then(|from| windows.get(from..)) else {
        return vec![format!("{} windows of {FLAT_WINDOWS} seen", windows.len())];
    };
    let at: Vec<Seconds> = last.iter().map(|w| w.start_s).collect();
    let mut moving = Vec::new();
    for (name, reading, slope_limit, spread_limit) in LIMITS {
        let values: Vec<f64> = last.iter().filter_map(reading).collect();
        if values.len() < FLAT_WINDOWS {
            continue;
        }
        let (low, high) = values.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(*v), h.max(*v)));
        let spread = (high - low) / high;
        let slope = trend(&at, &values).unwrap_or(0.0);
        if slope.abs() > slope_limit {
            moving.push(format!("{name} changes by {:+.1} % over {FLAT_WINDOWS} windows", slope * 100.0));
        } else if spread > spread_limit {
            moving.push(format!("{name} scatters by {:.1} % over {FLAT_WINDOWS} windows", spread * 100.0));
        }
    }
    moving
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Hertz, Watts};

    fn windows(rates: &[f64], clock: impl Fn(usize) -> f64, power: impl Fn(usize) -> f64) -> Vec<Window> {
        let one = |(index, rate): (usize, &f64)| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small test numbers")]
            let iterations = (*rate * 1000.0) as u64;
            #[expect(clippy::cast_precision_loss, reason = "small test numbers")]
            let start = index as f64;
            Window {
                phase: Phase::Plateau,
                start_s: Seconds::new(start).unwrap(),
                elapsed_s: Seconds::new(1.0).unwrap(),
                iterations,
                clean_iterations: iterations,
                clean_elapsed_s: Seconds::new(1.0).unwrap(),
                conditions: Conditions {
                    clock_hz: Some(Hertz::new(clock(index)).unwrap()),
                    power_w: Some(Watts::new(power(index)).unwrap()),
                    ..Conditions::default()
                },
            }
        };
        rates.iter().enumerate().map(one).collect()
    }

    #[test]
    fn flat_windows_are_a_plateau_and_fewer_are_not() {
        let flat = windows(&[1.0, 1.001, 0.999, 1.0, 1.0], |_| 1.8e9, |_| 700.0);
        assert_eq!(still_moving(&flat), Vec::<String>::new());
        assert_eq!(still_moving(&flat[..4]), ["4 windows of 5 seen"]);
        assert_eq!(still_moving(&[]), ["0 windows of 5 seen"]);
    }

    #[test]
    fn a_falling_clock_or_a_rising_power_is_no_plateau_though_the_rate_is_flat() {
        #[expect(clippy::cast_precision_loss, reason = "small test numbers")]
        let ramp = |i: usize| i as f64;
        let clock = windows(&[1.0; 5], |i| 1.8e9 * (1.0 - 0.005 * ramp(i)), |_| 700.0);
        assert!(still_moving(&clock)[0].starts_with("clock changes by -2.0 %"), "{:?}", still_moving(&clock));
        let power = windows(&[1.0; 5], |_| 1.8e9, |i| 700.0 * (1.0 + 0.02 * ramp(i)));
        assert!(still_moving(&power)[0].starts_with("power changes by +7."), "{:?}", still_moving(&power));
    }

    #[test]
    fn a_rate_that_jumps_up_and_down_is_no_plateau() {
        let jumpy = windows(&[1.0, 0.9, 1.0, 0.9, 1.0], |_| 1.8e9, |_| 700.0);
        assert!(still_moving(&jumpy)[0].starts_with("throughput scatters by 10.0 %"));
    }

    #[test]
    fn only_the_last_windows_count() {
        let settled = windows(&[0.5, 0.7, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0], |_| 1.8e9, |_| 700.0);
        assert_eq!(still_moving(&settled), Vec::<String>::new());
    }
}

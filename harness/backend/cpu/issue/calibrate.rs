//! How many trips make a run of a wanted length, even on a core that something else uses too.

use super::accumulators::Accumulators;
use super::row::{IssueKernel, Run};
use crate::backend::cpu::error::CpuError;
use std::time::{Duration, Instant};

/// Runs per trip count. With a spinning process on the same core a run was cut in two once in ten times, so that all
/// of six are cut once in a million.
const RUNS: usize = 6;

/// Most trips of a run, a day of the slowest kernel: a guard against a clock that stands still.
const MOST_TRIPS: u64 = 1 << 44;

/// Trips of the row's own body that take about `length`.
///
/// **Errors**: those of [`IssueKernel::run`].
pub fn iterations_for(kernel: &IssueKernel, length: Duration) -> Result<u64, CpuError> {
    let body = kernel.plain[kernel.chains - 1];
    Ok(trips_for(length, seconds_per_trip(kernel, body, &mut kernel.start(), length)?))
}

/// Time of one trip, by the shortest of several runs of a quarter of `length` or more.
///
/// The shortest counts while the trips are doubled too: one interrupted run would end the doubling early, and calls
/// of 10 us where 150 us were meant read 1.4 % low.
pub(super) fn seconds_per_trip(
    kernel: &IssueKernel,
    body: Run,
    accumulators: &mut Accumulators,
    length: Duration,
) -> Result<f64, CpuError> {
    let mut trips = 16;
    loop {
        let mut shortest = Duration::MAX;
        for _ in 0..RUNS {
            let start = Instant::now();
            kernel.execute(body, trips, accumulators)?;
            shortest = shortest.min(start.elapsed());
        }
        if shortest * 4 >= length || trips >= MOST_TRIPS {
            return Ok(shortest.as_secs_f64() / trips as f64);
        }
        trips *= 2;
    }
}

/// Trips that take about `length`.
pub(super) fn trips_for(length: Duration, seconds_per_trip: f64) -> u64 {
    let trips = (length.as_secs_f64() / seconds_per_trip).clamp(1.0, MOST_TRIPS as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1 ... 2^44")]
    let trips = trips as u64;
    trips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trips_are_at_least_one_and_bounded() {
        assert_eq!(trips_for(Duration::from_micros(60), 1.0), 1);
        assert_eq!(trips_for(Duration::from_secs(1), 0.25), 4);
        assert_eq!(trips_for(Duration::from_secs(1), 0.0), MOST_TRIPS);
    }
}

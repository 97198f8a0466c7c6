//! An issue-rate kernel as a loaded case: every thread of the team runs it on its own core.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::CpuError;
use super::interference::{Observed, Probe};
use super::issue::{Accumulators, IssueKernel, replay};
use super::team::Team;
use super::usage::Usage;
use super::watch::Watch;
use crate::backend::{BackendError, Batch, Interference, Loaded, Output, Timer};
use crate::units::{Ops, Seconds};

/// Share of a batch that several threads run untimed first, so that each core is awake when the timing begins.
const WARM_SHARE: u64 = 8;

/// Iterations past which a batch takes over a millisecond on any core.
const LONG: u64 = 1 << 18;

/// An issue-rate kernel, ready to run.
pub(super) struct IssueCase<'a> {
    device: &'a str,
    team: &'a mut Team,
    kernel: IssueKernel,
    watch: Watch,
    /// One for each thread.
    seats: Vec<Mutex<Seat>>,
    steps: u64,
}

/// What one thread works on, and what it saw.
struct Seat {
    accumulators: Accumulators,
    seen: Option<Result<Observed, CpuError>>,
}

impl<'a> IssueCase<'a> {
    pub(super) fn new(device: &'a str, team: &'a mut Team, kernel: IssueKernel) -> Self {
        let seat = |_| Mutex::new(Seat { accumulators: kernel.start(), seen: None });
        let seats = (0..team.threads()).map(seat).collect();
        let watch = team.on_first(|| Watch::new(Some(&kernel)));
        Self { device, team, kernel, watch, seats, steps: 0 }
    }

    fn failed(&self, message: String) -> BackendError {
        BackendError::Device { device: self.device.to_owned(), message }
    }

    /// First start to last end, and what disturbed the threads on the way.
    fn join(&self) -> Result<(Duration, Interference), BackendError> {
        let mut ends: Option<(Instant, Instant)> = None;
        let mut lost = Interference::default();
        for seat in &self.seats {
            let mut seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
            let seen = seat.seen.take().ok_or_else(|| self.failed("a thread did not run".to_owned()))?;
            let seen = seen.map_err(|error| self.failed(error.to_string()))?;
            ends =
                Some(ends.map_or((seen.start, seen.end), |(start, end)| {
                    (start.min(seen.start), end.max(seen.end))
                }));
            lost.involuntary_switches += seen.interference.involuntary_switches.unwrap_or(0);
            // Of several threads the one that computed longest counts, and the one that waited longest.
            let share =
                seen.interference.cpu_over_wall.map(|ratio| ratio.get() * seen.elapsed().as_secs_f64());
            lost.cpu_s = longer(lost.cpu_s, share.and_then(|seconds| Seconds::new(seconds).ok()));
            lost.waiting_s = longer(lost.waiting_s, seen.interference.run_delay.map(Seconds::from));
        }
        let (start, end) = ends.ok_or_else(|| self.failed("the team has no thread".to_owned()))?;
        Ok((end.saturating_duration_since(start), lost))
    }
}

fn longer(a: Option<Seconds>, b: Option<Seconds>) -> Option<Seconds> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if a < b { b } else { a }),
        (one, other) => one.or(other),
    }
}

impl Loaded for IssueCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        let threads = u128::try_from(self.seats.len()).unwrap_or(1);
        self.kernel.ops_per_iteration().checked_times(threads).unwrap_or_default()
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let (seats, kernel) = (&self.seats, &self.kernel);
        // What a thread waited costs 10 us to read, and a quota's end as much: too much beside a sample of 150 us.
        let long = self.seats.len() > 1 || iterations > LONG;
        let usage = long.then(Usage::now);
        self.team.run(&|me| {
            let Some(seat) = seats.get(me.index) else { return };
            let mut seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
            if me.count > 1 {
                let mut warm = kernel.start();
                // The timed run below reports what is wrong with the kernel, if anything is.
                let _ = kernel.run(iterations / WARM_SHARE, &mut warm);
                me.wait();
            }
            seat.accumulators = kernel.start();
            let probe = if long { Probe::start_with_run_delay() } else { Probe::start() };
            let ran = kernel.run(iterations, &mut seat.accumulators);
            let observed = probe.finish();
            seat.seen = Some(ran.map(|()| observed));
        });
        self.steps = iterations;
        let (elapsed, mut lost) = self.join()?;
        lost.quota_throttled = usage.map_or(0, |usage| usage.since(None).quota_throttled);
        if elapsed.is_zero() {
            return Err(BackendError::NoTime { device: self.device.to_owned(), iterations });
        }
        let watch = &mut self.watch;
        let conditions = self.team.on_first(|| watch.read());
        Ok(Batch { elapsed: elapsed.into(), timer: Timer::HostClock, conditions, interference: Some(lost) })
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        let expected = replay(&self.kernel, self.steps).to_f64();
        let (mut values, mut all_expected) = (Vec::new(), Vec::new());
        for seat in &self.seats {
            let seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
            values.extend(seat.accumulators.to_f64());
            all_expected.extend_from_slice(&expected);
        }
        Ok(Output::Accumulators { values, expected: all_expected, steps: self.steps })
    }
}

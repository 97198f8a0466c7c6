//! Whether something else ran on the core during a sample.
//!
//! A [`Probe`] costs about 1 us at each end, outside the timed interval. Steal and quota move in steps of 10 ms
//! or more, so they belong to a series of samples, not to one: `host_load.rs`.

use crate::units::Ratio;
use std::time::{Duration, Instant};

/// What disturbed a sample; `None` is what the platform does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Interference {
    /// Times that the scheduler took the core away.
    pub involuntary_switches: Option<u64>,
    /// CPU time of the thread over wall time.
    pub cpu_over_wall: Option<Ratio>,
    /// Time that the thread was ready and waited for a core.
    pub run_delay: Option<Duration>,
    /// Time that the hypervisor gave to somebody else, all cores together.
    pub steal: Option<Duration>,
    /// Periods in which the cgroup's CPU quota was used up.
    pub quota_throttled: Option<u64>,
}

impl Interference {
    /// Least CPU time over wall time of a clean sample of one thread.
    pub const LEAST_CPU_OVER_WALL: f64 = 0.99;

    /// Whether a sample of one thread had its core to itself.
    ///
    /// The timer's tick shows nowhere, for its time counts as the thread's own; the median over samples of 150 us
    /// passes it by, one over samples of 3 ms is 1 % low.
    ///
    /// CPU time over wall must be known; a platform that does not count switches or throttling is not blamed for
    /// it, since either shows in that ratio. Steal does not (a guest's clock runs on), and is too coarse to judge.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let had_the_core = self.cpu_over_wall.is_some_and(|ratio| ratio.get() > Self::LEAST_CPU_OVER_WALL);
        had_the_core && self.involuntary_switches.unwrap_or(0) == 0 && self.quota_throttled.unwrap_or(0) == 0
    }
}

/// Counters of the calling thread at one instant.
#[derive(Debug, Clone, Copy, Default)]
struct ThreadCounters {
    cpu: Option<Duration>,
    involuntary_switches: Option<u64>,
}

/// Running observation of the calling thread.
#[derive(Debug)]
pub struct Probe {
    counters: ThreadCounters,
    run_delay: Option<Duration>,
    start: Instant,
}

/// A finished observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// When it began, on the clock that all threads share.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
    /// What disturbed it.
    pub interference: Interference,
}

impl Observed {
    /// Wall time.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.end.saturating_duration_since(self.start)
    }
}

impl Probe {
    /// Begins without the run delay, whose file costs 10 us.
    #[must_use]
    pub fn start() -> Self {
        Self::from(None)
    }

    /// Begins with the run delay too, for samples of 10 ms and more.
    #[must_use]
    pub fn start_with_run_delay() -> Self {
        Self::from(run_delay())
    }

    fn from(run_delay: Option<Duration>) -> Self {
        let counters = ThreadCounters::now();
        Self { counters, run_delay, start: Instant::now() }
    }

    /// Ends; wall time stops first, so CPU time covers the wall interval and a little more.
    #[must_use]
    pub fn finish(self) -> Observed {
        let end = Instant::now();
        let after = ThreadCounters::now();
        let wall = end.saturating_duration_since(self.start);
        let cpu = after.cpu.zip(self.counters.cpu).map(|(after, before)| after.saturating_sub(before));
        let switches = after.involuntary_switches.zip(self.counters.involuntary_switches);
        let interference = Interference {
            involuntary_switches: switches.map(|(after, before)| after.saturating_sub(before)),
            cpu_over_wall: cpu
                .filter(|_| !wall.is_zero())
                .and_then(|cpu| Ratio::new(cpu.as_secs_f64() / wall.as_secs_f64()).ok()),
            run_delay: self.run_delay.and_then(|before| Some(run_delay()?.saturating_sub(before))),
            ..Interference::default()
        };
        Observed { start: self.start, end, interference }
    }
}

impl ThreadCounters {
    #[cfg(unix)]
    fn now() -> Self {
        Self { cpu: thread_cpu_time(), involuntary_switches: involuntary_switches() }
    }

    #[cfg(not(unix))]
    fn now() -> Self {
        Self::default()
    }
}

#[cfg(unix)]
fn thread_cpu_time() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "std has no clock of a thread's CPU time")]
    // SAFETY: `time` is a valid place for one timespec.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?);
    (answer == 0).then(|| Duration::new(seconds, nanoseconds))
}

#[cfg(target_os = "linux")]
fn involuntary_switches() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    #[expect(unsafe_code, reason = "std has no resource usage")]
    // SAFETY: `usage` is a valid place for one rusage, all of whose bit patterns are values.
    let (answer, usage) = unsafe {
        let answer = libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
        (answer, usage.assume_init())
    };
    if answer == 0 { u64::try_from(usage.ru_nivcsw).ok() } else { None }
}

/// Other systems count switches of the whole process only, which says nothing about one thread.
#[cfg(all(unix, not(target_os = "linux")))]
fn involuntary_switches() -> Option<u64> {
    None
}

/// Time that this thread has waited for a core since it began.
fn run_delay() -> Option<Duration> {
    parse_run_delay(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
}

/// Second field of `schedstat`, in nanoseconds.
///
/// **Source**: Linux `Documentation/scheduler/sched-stats.rst`.
pub(super) fn parse_run_delay(text: &str) -> Option<Duration> {
    text.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cpu_over_wall: Option<f64>, switches: Option<u64>) -> Interference {
        Interference {
            cpu_over_wall: cpu_over_wall.and_then(|ratio| Ratio::new(ratio).ok()),
            involuntary_switches: switches,
            ..Interference::default()
        }
    }

    #[test]
    fn one_switch_or_a_hundredth_of_lost_time_is_not_clean() {
        assert!(sample(Some(0.9951), Some(0)).is_clean());
        assert!(!sample(Some(0.9951), Some(1)).is_clean());
        assert!(!sample(Some(0.99), Some(0)).is_clean());
    }

    #[test]
    fn unknown_cpu_time_is_not_clean_but_unknown_switches_may_be() {
        assert!(!sample(None, Some(0)).is_clean());
        assert!(sample(Some(1.0), None).is_clean());
    }

    #[test]
    fn a_throttled_period_is_not_clean() {
        let throttled = Interference { quota_throttled: Some(1), ..sample(Some(1.0), Some(0)) };
        assert!(!throttled.is_clean());
    }

    #[test]
    fn schedstat_gives_its_second_field() {
        assert_eq!(parse_run_delay("44144 35400 2\n"), Some(Duration::from_nanos(35400)));
        for bad in ["", "44144", "44144 many 2", "1 -5 2"] {
            assert_eq!(parse_run_delay(bad), None, "{bad}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_sleep_is_seen_as_lost_time() {
        let probe = Probe::start_with_run_delay();
        std::thread::sleep(Duration::from_millis(20));
        let observed = probe.finish();
        assert!(observed.elapsed() >= Duration::from_millis(20));
        assert!(!observed.interference.is_clean());
    }
}

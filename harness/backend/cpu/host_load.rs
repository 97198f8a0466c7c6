//! What took time from this machine as a whole over a series of samples: the hypervisor and the quota.

use super::interference::Interference;
use super::topology::throttled_periods;
use std::time::Duration;

/// Counters of the machine and of the control group at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLoad {
    steal: Option<Duration>,
    throttled_periods: Option<u64>,
}

impl HostLoad {
    /// Reads the counters; they move in steps of 10 ms (steal) and of a quota's period, often 100 ms.
    #[must_use]
    pub fn now() -> Self {
        let steal = std::fs::read_to_string("/proc/stat").ok();
        let steal = steal.and_then(|text| parse_steal(&text, ticks_per_second()?));
        Self { steal, throttled_periods: throttled_periods() }
    }

    /// What was lost since `self`, all cores together.
    #[must_use]
    pub fn since(self) -> Interference {
        self.until(Self::now())
    }

    fn until(self, after: Self) -> Interference {
        let throttled = after.throttled_periods.zip(self.throttled_periods);
        Interference {
            steal: after.steal.zip(self.steal).map(|(after, before)| after.saturating_sub(before)),
            quota_throttled: throttled.map(|(after, before)| after.saturating_sub(before)),
            ..Interference::default()
        }
    }
}

#[cfg(unix)]
fn ticks_per_second() -> Option<u64> {
    #[expect(unsafe_code, reason = "std has no sysconf")]
    // SAFETY: sysconf takes no pointer.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|ticks| *ticks > 0)
}

#[cfg(not(unix))]
fn ticks_per_second() -> Option<u64> {
    None
}

/// Eighth number of the line of all cores, in ticks.
///
/// **Source**: proc_stat(5).
fn parse_steal(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: u64 = line.split_whitespace().nth(7)?.parse().ok()?;
    let nanoseconds_per_tick = 1_000_000_000_u64.checked_div(ticks_per_second)?;
    ticks.checked_mul(nanoseconds_per_tick).map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steal_is_the_eighth_number_of_all_cores() {
        let stat = "cpu  1669 0 1367 66721 454 0 42 7 0 0\ncpu0 354 0 349 34401 16 0 9 2 0 0\n";
        assert_eq!(parse_steal(stat, 100), Some(Duration::from_millis(70)));
        for bad in ["", "cpu0 1 2 3 4 5 6 7 8\n", "cpu  1 2 3\n", "cpu  1 2 3 4 5 6 7 x\n"] {
            assert_eq!(parse_steal(bad, 100), None, "{bad}");
        }
        assert_eq!(parse_steal(stat, 0), None);
    }

    #[test]
    fn a_difference_needs_both_ends() {
        let at = |steal, throttled_periods| HostLoad { steal, throttled_periods };
        let lost = at(None, Some(3)).until(at(Some(Duration::from_millis(10)), Some(5)));
        assert_eq!((lost.steal, lost.quota_throttled), (None, Some(2)));
    }
}

//! What came between the threads of this process and their cores over one batch, all threads together.
//!
//! A measuring process has no other work, so that what the process lost, the batch lost.

use std::time::Duration;

use super::host_load::HostLoad;
use crate::backend::Interference;
use crate::units::Seconds;

/// Counters of the process at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    switches: Option<u64>,
    waiting: Option<Duration>,
    load: HostLoad,
}

impl Usage {
    /// Reads the counters: some microseconds a thread, outside the timed interval.
    pub(super) fn now() -> Self {
        Self { switches: involuntary_switches(), waiting: waiting(), load: HostLoad::now() }
    }

    /// What was lost since `self`. `cpu` is the time that the one computing thread really computed.
    pub(super) fn since(self, cpu: Option<Duration>) -> Interference {
        let after = Self::now();
        let lost = self.load.since();
        let waiting = after.waiting.zip(self.waiting).map(|(after, before)| after.saturating_sub(before));
        let switches = after.switches.zip(self.switches).map(|(after, before)| after.saturating_sub(before));
        Interference {
            involuntary_switches: switches.unwrap_or(0),
            cpu_s: cpu.map(Seconds::from),
            waiting_s: waiting.map(Seconds::from),
            quota_throttled: lost.quota_throttled.unwrap_or(0),
        }
    }
}

/// Involuntary switches of all threads of the process, those that have ended included.
#[cfg(unix)]
fn involuntary_switches() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    #[expect(unsafe_code, reason = "std has no resource usage")]
    // SAFETY: `usage` is a valid place for one rusage, all of whose bit patterns are values.
    let (answer, usage) = unsafe {
        let answer = libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        (answer, usage.assume_init())
    };
    if answer == 0 { u64::try_from(usage.ru_nivcsw).ok() } else { None }
}

#[cfg(not(unix))]
fn involuntary_switches() -> Option<u64> {
    None
}

/// Time that the threads of the process were ready and waited for a core.
fn waiting() -> Option<Duration> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?;
    let waited = threads.flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        super::interference::parse_run_delay(&text)
    });
    waited.reduce(|sum, wait| sum.saturating_add(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn two_spinning_threads_on_one_core_wait_for_each_other() {
        let core = super::super::topology::allowed_cores().unwrap()[0];
        let before = Usage::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(move || {
                    let _pinned = super::super::pin::Pinned::to(Some(core));
                    let mut value = 1_u64;
                    for _ in 0..100_000_000 {
                        value = std::hint::black_box(value.wrapping_mul(3));
                    }
                    std::hint::black_box(value);
                });
            }
        });
        let lost = before.since(None);
        assert!(lost.involuntary_switches > 0, "{lost:?}");
    }
}

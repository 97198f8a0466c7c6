//! The clock that the core really runs at, by chains of dependent instructions of known latency.
//!
//! The time-stamp counter and /proc/cpuinfo tell another frequency (2.6 GHz here); counters are not there in a
//! virtual machine. AVX-512 and AMX lower the clock, so measure next to a kernel sample, on the same thread.

use super::error::CpuError;
use crate::units::Hertz;
use std::time::{Duration, Instant};

/// Links that the assembly repeats; the loop's own two instructions run beside the chain.
const LINKS_PER_TRIP: u64 = 2000;

/// Trips of [`clock_now`]: 400,000 links, 0.12 ms at 3.3 GHz. Two clock reads of 30 ns are 0.05 % of it.
const TRIPS: u64 = 200;

/// One reading of the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockReading {
    /// Cycles by the chain's length.
    pub cycles: u64,
    /// Wall time of these cycles.
    pub elapsed: Duration,
    /// Their quotient.
    pub clock: Hertz,
}

impl ClockReading {
    /// The reading of `cycles` in `elapsed`; `None` where time stood still.
    #[expect(clippy::cast_precision_loss, reason = "a number of cycles below 2^53")]
    pub(super) fn of(cycles: u64, elapsed: Duration) -> Option<Self> {
        let clock = Hertz::new(cycles as f64 / elapsed.as_secs_f64()).ok()?;
        Some(Self { cycles, elapsed, clock })
    }
}

/// Clock of the core that this thread runs on, over about 0.12 ms, by dependent `add r, r` of one cycle each.
///
/// An interruption can only lower the reading. `add r, imm` is no substitute: newer cores fold it at rename.
///
/// **Errors**: `ZeroDuration` where the chain is not known on this architecture or time stood still.
pub fn clock_now() -> Result<ClockReading, CpuError> {
    let start = Instant::now();
    let cycles = follow(TRIPS);
    ClockReading::of(cycles, start.elapsed())
        .filter(|reading| reading.cycles > 0)
        .ok_or(CpuError::ZeroDuration { what: "a clock reading" })
}

/// Follows the chain for `trips` trips and says how many cycles that was; 0 where there is no such chain.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn follow(trips: u64) -> u64 {
    if trips == 0 {
        return 0;
    }
    #[expect(unsafe_code, reason = "a compiler would fold the chain")]
    // SAFETY: touches only its own registers and the flags.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!(
            "2:", ".rept 2000", "add {x}, {y}", ".endr", "dec {trips}", "jnz 2b",
            x = inout(reg) 1_u64 => _, y = in(reg) 3_u64, trips = inout(reg) trips => _, options(nomem, nostack)
        );
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!(
            "2:", ".rept 2000", "add {x}, {x}, {y}", ".endr", "subs {trips}, {trips}, #1", "b.ne 2b",
            x = inout(reg) 1_u64 => _, y = in(reg) 3_u64, trips = inout(reg) trips => _, options(nomem, nostack)
        );
    }
    trips * LINKS_PER_TRIP
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn follow(_trips: u64) -> u64 {
    0
}

/// `N` dependent adds, one cycle each, for a loop that does something else beside them.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(super) fn links<const N: usize>(mut link: u64) -> u64 {
    #[expect(unsafe_code, reason = "a compiler would fold the chain")]
    // SAFETY: touches only its own registers and the flags.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!(
            ".rept {n}", "add {x}, {y}", ".endr",
            n = const N, x = inout(reg) link, y = in(reg) 3_u64, options(nomem, nostack)
        );
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!(
            ".rept {n}", "add {x}, {x}, {y}", ".endr",
            n = const N, x = inout(reg) link, y = in(reg) 3_u64, options(nomem, nostack)
        );
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn a_reading_counts_every_link() {
        assert_eq!(follow(0), 0);
        assert_eq!(follow(3), 6000);
        assert_eq!(clock_now().unwrap().cycles, TRIPS * LINKS_PER_TRIP);
    }

    #[test]
    fn no_time_is_no_reading() {
        assert!(ClockReading::of(1, Duration::ZERO).is_none());
    }
}

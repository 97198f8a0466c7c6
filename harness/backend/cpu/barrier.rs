//! A reusable barrier that spins briefly and then yields.
//!
//! A pure spin barrier collapses when another process takes one of the cores (BLIS fell to 17 of
//! 190 GFLOP/s); a sleeping one costs a wake-up of tens of microseconds every k block.

use std::hint;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// Turns of the spin before the first yield: about 50 us at 140 cycles a `pause`.
const SPINS: u32 = 1 << 10;

/// Keeps each hot counter on cache lines of its own (two, for the adjacent-line prefetcher).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(AtomicU32);

/// A barrier for a fixed number of threads; the generation counter is the sense.
#[derive(Debug)]
pub(super) struct Barrier {
    members: u32,
    arrived: Line,
    generation: Line,
}

impl Barrier {
    pub(super) fn new(members: u32) -> Self {
        Self { members, arrived: Line::default(), generation: Line::default() }
    }

    /// Returns once all members have called it; what they wrote before is visible after.
    pub(super) fn wait(&self) {
        if self.members <= 1 {
            return;
        }
        let generation = self.generation.0.load(Ordering::Acquire);
        if self.arrived.0.fetch_add(1, Ordering::AcqRel) + 1 == self.members {
            self.arrived.0.store(0, Ordering::Relaxed);
            self.generation.0.store(generation.wrapping_add(1), Ordering::Release);
            return;
        }
        wait_until(|| self.generation.0.load(Ordering::Acquire) != generation);
    }
}

/// Spins, then yields the core between looks, until `done`.
pub(super) fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..SPINS {
        if done() {
            return;
        }
        hint::spin_loop();
    }
    while !done() {
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_runs_ahead_of_a_round() {
        let barrier = Barrier::new(3);
        let total = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 1..=200 {
                        total.fetch_add(1, Ordering::Relaxed);
                        barrier.wait();
                        assert_eq!(total.load(Ordering::Relaxed), 3 * round);
                        barrier.wait();
                    }
                });
            }
        });
    }
}

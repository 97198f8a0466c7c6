//! The clock under the load of a kernel: its own instructions with a chain of dependent adds among them.
//!
//! A chain before and after does not tell it: the core returns from 3.8 GHz (AVX-512) to 4.19 GHz (scalar) within
//! 10 us of the last vector instruction. In a loop of `links` adds and fewer cycles of vector work, a trip takes
//! exactly `links` cycles, while the vector units are busy for most of them.

use super::accumulators::Accumulators;
use super::calibrate::{seconds_per_trip, trips_for};
use super::row::{IssueKernel, Run};
use crate::backend::cpu::clock::ClockReading;
use crate::backend::cpu::error::CpuError;
use std::time::{Duration, Instant};

/// How much longer than the bare kernel a trip must take for the chain to be what limits it.
const LONGER: f64 = 1.04;

/// Least clock by a chain relative to those by longer chains. Too tight a chain loses issue slots to the vector
/// work: 12 FMAs (6 cycles) beside 7 adds read 1.4 % low.
const AGREES: f64 = 0.999;

/// Length of one reading: tile loads and stores cost 70 ns a call, 0.07 % of it.
const READING: Duration = Duration::from_micros(100);

/// Share of the reading that runs untimed before it. The system calls that end a sample leave the caches cold: a
/// reading of 60 us just after one was 0.4 % low for AMX.
const COLD_SHARE: u64 = 16;

/// Reads the clock under one kernel's load.
#[derive(Debug, Clone)]
pub struct LoadedClock {
    kernel: IssueKernel,
    body: Run,
    links: usize,
    trips: u64,
    accumulators: Accumulators,
}

impl LoadedClock {
    /// Chooses the shortest chain that limits the loop and tells the same clock as longer ones.
    ///
    /// `kernel` must have its shipped chain count.
    ///
    /// **Errors**: those of [`IssueKernel::run`]; `NoLoadedClock` where the kernel outlasts every chain.
    pub fn of(kernel: &IssueKernel) -> Result<Self, CpuError> {
        let mut accumulators = kernel.start();
        let bare = seconds_per_trip(kernel, kernel.plain[kernel.chains - 1], &mut accumulators, READING)?;
        let mut chains = Vec::new();
        for (links, body) in kernel.clocked {
            let seconds = seconds_per_trip(kernel, *body, &mut accumulators, READING)?;
            if seconds > bare * LONGER {
                chains.push(Candidate { links: *links, body: *body, seconds });
            }
        }
        let chosen = choose(&chains).ok_or(CpuError::NoLoadedClock { kernel: kernel.name })?;
        let trips = trips_for(READING, chosen.seconds);
        Ok(Self { kernel: *kernel, body: chosen.body, links: chosen.links, trips, accumulators })
    }

    /// Highest of three readings. The timer's tick (every 1 to 4 ms) lowers a reading by 4 to 30 us and shows
    /// nowhere: its time counts as the thread's own. It cannot meet all three.
    ///
    /// **Errors**: as [`Self::read`].
    pub fn read_past_ticks(&mut self) -> Result<ClockReading, CpuError> {
        let mut highest = self.read()?;
        for _ in 0..2 {
            let reading = self.read()?;
            if reading.clock > highest.clock {
                highest = reading;
            }
        }
        Ok(highest)
    }

    /// One reading of about 0.1 ms. An interruption can only lower it.
    ///
    /// **Errors**: those of [`IssueKernel::run`]; `ZeroDuration` where the clock did not advance.
    pub fn read(&mut self) -> Result<ClockReading, CpuError> {
        self.kernel.execute(self.body, self.trips.div_ceil(COLD_SHARE), &mut self.accumulators)?;
        let start = Instant::now();
        self.kernel.execute(self.body, self.trips, &mut self.accumulators)?;
        let elapsed = start.elapsed();
        let cycles = self.links as u64 * self.trips;
        if elapsed.is_zero() {
            return Err(CpuError::ZeroDuration { what: "a clock reading under load" });
        }
        ClockReading::of(cycles, elapsed).ok_or(CpuError::ZeroDuration { what: "a clock reading under load" })
    }
}

/// A chain that limits its loop, and how long one trip takes.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    links: usize,
    body: Run,
    seconds: f64,
}

impl Candidate {
    fn clock(&self) -> f64 {
        self.links as f64 / self.seconds
    }
}

/// The shortest candidate that agrees with the two next longer ones; the last one has nothing to disagree with.
fn choose(chains: &[Candidate]) -> Option<&Candidate> {
    chains.iter().enumerate().find_map(|(at, candidate)| {
        let mut longer = chains.iter().skip(at + 1).take(2).map(Candidate::clock);
        longer.all(|clock| candidate.clock() >= clock * AGREES).then_some(candidate)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{kernels, replay};
    use super::*;

    #[test]
    fn bodies_with_a_chain_compute_what_the_bare_ones_do() {
        for row in kernels().iter().filter(|row| row.available()) {
            for (links, body) in row.clocked {
                let mut seen = row.start();
                row.execute(*body, 77, &mut seen).unwrap();
                assert_eq!(replay(row, 77).first_difference(&seen), None, "{} {links}", row.name);
            }
        }
    }

    #[test]
    fn a_chain_that_reads_lower_than_longer_ones_is_passed_over() {
        let body = kernels().iter().find(|row| row.available()).unwrap().plain[0];
        let candidate = |links: usize, clock: f64| Candidate { links, body, seconds: links as f64 / clock };
        let chains = [candidate(8, 4.13e9), candidate(10, 4.19e9), candidate(14, 4.191e9)];
        assert_eq!(choose(&chains).unwrap().links, 10);
        assert!(choose(&[]).is_none());
    }
}

//! A copy as a loaded case: every thread of the team copies its own part, which it also touched first.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::copy::{CopyKernel, Line};
use super::interference::{Observed, Probe};
use super::memory::{HugeBuffer, OutOfMemory};
use super::team::Team;
use super::usage::Usage;
use super::watch::Watch;
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output, Timer, WorkingSet};
use crate::units::{Bytes, Ops};
use crate::workload::{BufferSize, copy_pattern, copy_poison};

/// A copy, ready to run.
pub(super) struct CopyCase<'a> {
    device: &'a str,
    team: &'a mut Team,
    kernel: CopyKernel,
    buffer: BufferSize,
    caches: Option<Bytes>,
    /// One for each thread; together the source and the destination.
    seats: Vec<Mutex<Seat>>,
    watch: Watch,
}

/// What one thread copies, and what it saw.
struct Seat {
    source: HugeBuffer<Line>,
    destination: HugeBuffer<Line>,
    seen: Option<Observed>,
}

impl<'a> CopyCase<'a> {
    /// Takes the memory and lets each thread touch its own.
    pub(super) fn load(
        device: &'a str,
        team: &'a mut Team,
        (kernel, buffer): (CopyKernel, BufferSize),
        caches: Option<Bytes>,
    ) -> Result<Self, LoadError> {
        let lines = usize::try_from(buffer.get() / BufferSize::STEP).unwrap_or(usize::MAX);
        let threads = team.threads();
        let parts: Result<Vec<Seat>, OutOfMemory> = (0..threads)
            .map(|index| {
                // The first `lines % threads` threads have one line more.
                let part = lines / threads + usize::from(index < lines % threads);
                let zeroed = || HugeBuffer::zeroed(part);
                Ok(Seat { source: zeroed()?, destination: zeroed()?, seen: None })
            })
            .collect();
        let seats = parts.map_err(|error| LoadError::Memory {
            needed: Bytes::new(u64::try_from(error.bytes).unwrap_or(u64::MAX)).to_string(),
            available: "less".to_owned(),
        })?;
        let watch = team.on_first(|| Watch::new(None));
        let seats = seats.into_iter().map(Mutex::new).collect();
        let mut case = Self { device, team, kernel, buffer, caches, seats, watch };
        case.fill(0)?;
        Ok(case)
    }

    fn failed(&self, message: &str) -> BackendError {
        BackendError::Device { device: self.device.to_owned(), message: message.to_owned() }
    }

    /// First start to last end.
    fn join(&self) -> Result<(Duration, Option<Duration>), BackendError> {
        let mut ends: Option<(Instant, Instant)> = None;
        let mut computing = None;
        for seat in &self.seats {
            let mut seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
            let seen = seat.seen.take().ok_or_else(|| self.failed("a thread did not run"))?;
            let (start, end) = ends.unwrap_or((seen.start, seen.end));
            ends = Some((start.min(seen.start), end.max(seen.end)));
            computing = seen.interference.cpu_over_wall.map(|share| seen.elapsed().mul_f64(share.get()));
        }
        let (start, end) = ends.ok_or_else(|| self.failed("the team has no thread"))?;
        // The time of one thread of several says nothing: those that wait spin.
        Ok((end.saturating_duration_since(start), computing.filter(|_| self.seats.len() == 1)))
    }
}

impl Loaded for CopyCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        Ops::ZERO
    }

    fn bytes_per_iteration(&self) -> Option<Bytes> {
        Some(self.buffer.traffic())
    }

    fn working_set(&self) -> Option<WorkingSet> {
        self.caches.map(|cache_bytes| WorkingSet { bytes: self.buffer.traffic(), cache_bytes })
    }

    fn fill(&mut self, seed: u64) -> Result<(), BackendError> {
        let pattern = copy_pattern(self.buffer, seed);
        let poison = copy_poison(&pattern);
        let mut starts = Vec::with_capacity(self.seats.len());
        let mut at = 0;
        for seat in &self.seats {
            starts.push(at);
            at += seat.lock().unwrap_or_else(PoisonError::into_inner).source.len() * size_of::<Line>();
        }
        let seats = &self.seats;
        self.team.run(&|me| {
            let Some((seat, start)) = seats.get(me.index).zip(starts.get(me.index)) else { return };
            let mut seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut source, mut destination) =
                (pattern[*start..].chunks_exact(64), poison[*start..].chunks_exact(64));
            seat.source.iter_mut().zip(&mut source).for_each(|(line, bytes)| line.0.copy_from_slice(bytes));
            seat.destination
                .iter_mut()
                .zip(&mut destination)
                .for_each(|(line, bytes)| line.0.copy_from_slice(bytes));
        });
        Ok(())
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let (seats, kernel) = (&self.seats, self.kernel);
        let usage = Usage::now();
        self.team.run(&|me| {
            let Some(seat) = seats.get(me.index) else { return };
            let mut seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
            let Seat { source, destination, seen } = &mut *seat;
            me.wait();
            let probe = Probe::start();
            for _ in 0..iterations {
                kernel.run(source, destination);
            }
            *seen = Some(probe.finish());
        });
        let (elapsed, computing) = self.join()?;
        let lost = usage.since(computing);
        if elapsed.is_zero() {
            return Err(BackendError::NoTime { device: self.device.to_owned(), iterations });
        }
        let watch = &mut self.watch;
        let conditions = self.team.on_first(|| watch.read());
        Ok(Batch { elapsed: elapsed.into(), timer: Timer::HostClock, conditions, interference: Some(lost) })
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.buffer.get()).unwrap_or(0));
        for seat in &self.seats {
            let seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
            seat.destination.iter().for_each(|line| bytes.extend_from_slice(&line.0));
        }
        Ok(Output::Copied(bytes))
    }
}

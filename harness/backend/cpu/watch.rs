//! State of the processor while it is measured: clock under load after a batch, sensors at most ten times a second.

use std::time::{Duration, Instant};

use super::error::CpuError;
use super::issue::{IssueKernel, LoadedClock};
use super::sensors::{PackageEnergy, mean_power_mw, temperature_millidegrees_c};
use crate::backend::Conditions;
use crate::units::{Celsius, Hertz, Watts};

/// Time between two readings of the sensors.
const SENSORS: Duration = Duration::from_millis(100);
/// Time between two readings of the clock: one takes 0.3 ms.
const CLOCK: Duration = Duration::from_millis(5);

/// Reads the conditions of one case.
#[derive(Debug)]
pub(super) struct Watch {
    clock: Option<LoadedClock>,
    clock_read: Option<Instant>,
    sensors_read: Option<Instant>,
    energy: Option<(Instant, PackageEnergy)>,
}

impl Watch {
    /// A watch whose clock is read under the load of `kernel`; without one, or where it cannot tell, by a bare chain.
    pub(super) fn new(kernel: Option<&IssueKernel>) -> Self {
        let clock = kernel.and_then(|kernel| LoadedClock::of(kernel).ok());
        Self { clock, clock_read: None, sensors_read: None, energy: None }
    }

    /// The clock of the calling thread's core under load, whenever it is asked.
    pub(super) fn clock(&mut self) -> Option<Hertz> {
        let reading: Result<_, CpuError> = match &mut self.clock {
            Some(clock) => clock.read_past_ticks(),
            None => super::clock::clock_now(),
        };
        reading.ok().map(|reading| reading.clock)
    }

    /// What is due now; `None` when nothing is.
    #[expect(clippy::disallowed_methods, reason = "paces the readings; no figure comes from it")]
    pub(super) fn read(&mut self) -> Option<Conditions> {
        let now = Instant::now();
        let due = |last: Option<Instant>, every: Duration| last.is_none_or(|last| now - last >= every);
        if !due(self.clock_read, CLOCK) {
            return None;
        }
        self.clock_read = Some(now);
        let mut conditions = Conditions { clock_hz: self.clock(), ..Conditions::default() };
        if due(self.sensors_read, SENSORS) {
            self.sensors_read = Some(now);
            conditions.temperature_c = temperature();
            conditions.power_w = self.power(now);
        }
        Some(conditions)
    }

    /// Mean power of the packages since the last reading.
    fn power(&mut self, now: Instant) -> Option<Watts> {
        let energy = PackageEnergy::now()?;
        let last = self.energy.replace((now, energy.clone()));
        let (then, before) = last?;
        let milliwatts = mean_power_mw(before.since(&energy)?, now - then)?;
        #[expect(clippy::cast_precision_loss, reason = "a power in milliwatts")]
        Watts::new(milliwatts as f64 / 1e3).ok()
    }
}

fn temperature() -> Option<Celsius> {
    #[expect(clippy::cast_precision_loss, reason = "between -40,000 and 150,000")]
    let degrees = temperature_millidegrees_c()? as f64 / 1e3;
    Celsius::new(degrees).ok()
}

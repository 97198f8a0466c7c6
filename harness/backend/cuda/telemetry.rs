//! NVML's sensors of one device, found by its UUID: an index of CUDA is not an index of NVML.

mod health;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nvml_wrapper::Nvml;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::{Bits, NvmlError};
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use uuid::Uuid;

use health::Health;

use crate::backend::Conditions;
use crate::device::{Finding, Severity};
use crate::units::{Bytes, Celsius, Hertz, Seconds, Watts};

/// Time between two readings.
const PERIOD: Duration = Duration::from_millis(100);

/// NVML, opened once and never closed: closing panics where the library lacks a function.
fn nvml() -> Result<&'static Nvml, String> {
    static NVML: OnceLock<Result<Nvml, String>> = OnceLock::new();
    let found = NVML.get_or_init(|| Nvml::init().map_err(|error| format!("no NVML: {error}")));
    found.as_ref().map_err(Clone::clone)
}

/// Sensors of one device.
pub struct Telemetry {
    device: Result<nvml_wrapper::Device<'static>, String>,
    /// Whether it is an instance of a device that MIG divides.
    instance: bool,
    read: Option<Instant>,
    /// What the device has run since, by its own clock.
    ran: f64,
    health: Health,
}

impl Telemetry {
    /// The sensors of the device of this UUID, a MIG instance among them.
    pub fn of(uuid: Uuid) -> Self {
        Self::new(nvml().and_then(|nvml| {
            let named = |prefix: &str| nvml.device_by_uuid(format!("{prefix}-{}", uuid.hyphenated()));
            let found = named("GPU").map(|device| (device, false));
            found
                .or_else(|_| named("MIG").map(|device| (device, true)))
                .map_err(|error| format!("NVML does not know {uuid}: {error}"))
        }))
    }

    /// The sensors of the device at this PCI address, as other interfaces than NVIDIA's own give it.
    pub fn at(pci_address: &str) -> Self {
        Self::new(nvml().and_then(|nvml| {
            nvml.device_by_pci_bus_id(pci_address)
                .map(|device| (device, false))
                .map_err(|error| format!("NVML does not know the device at {pci_address}: {error}"))
        }))
    }

    fn new(device: Result<(nvml_wrapper::Device<'static>, bool), String>) -> Self {
        let instance = device.as_ref().is_ok_and(|(_, instance)| *instance);
        let device = device.map(|(device, _)| device);
        let health = device.as_ref().map_or_else(|_| Health::default(), Health::of);
        Self { device, instance, read: None, ran: 0.0, health }
    }

    /// A reading, where the last one is a tenth of a second ago by the host's clock or by the device's.
    pub fn due(&mut self) -> Option<Conditions> {
        let lately = |read: Instant| read.elapsed() < PERIOD && self.ran < PERIOD.as_secs_f64();
        if self.read.is_some_and(lately) {
            return None;
        }
        (self.read, self.ran) = (Some(Instant::now()), 0.0);
        self.reading()
    }

    /// Remembers how long a batch took the device.
    pub fn after(&mut self, batch: Seconds) {
        self.ran += batch.get();
    }

    /// A reading; `None` where there are no sensors.
    fn reading(&self) -> Option<Conditions> {
        let device = self.device.as_ref().ok()?;
        let hertz =
            |clock| device.clock_info(clock).ok().and_then(|mhz| Hertz::new(f64::from(mhz) * 1e6).ok());
        let (foreign_processes, foreign_memory_bytes) = foreign(device).unwrap_or((None, None));
        Some(Conditions {
            clock_hz: hertz(Clock::SM),
            memory_clock_hz: hertz(Clock::Memory),
            power_w: device.power_usage().ok().and_then(|mw| Watts::new(f64::from(mw) / 1e3).ok()),
            temperature_c: device
                .temperature(TemperatureSensor::Gpu)
                .ok()
                .and_then(|degrees| Celsius::new(f64::from(degrees)).ok()),
            throttle: match device.current_throttle_reasons_strict() {
                Ok(reasons) => Some(limiting(reasons.bits())),
                // Bits that the wrapper does not know are kept as the driver gave them.
                Err(NvmlError::IncorrectBits(Bits::U64(bits))) => Some(limiting(bits)),
                Err(_) => None,
            },
            foreign_processes,
            foreign_memory_bytes,
        })
    }

    /// Highest clock that can be set.
    pub fn highest_clock(&self) -> Option<Hertz> {
        let mhz = self.device.as_ref().ok()?.max_clock_info(Clock::SM).ok()?;
        Hertz::new(f64::from(mhz) * 1e6).ok()
    }

    /// PCI vendor and device.
    pub fn pci_id(&self) -> Option<String> {
        let id = self.device.as_ref().ok()?.pci_info().ok()?.pci_device_id;
        Some(format!("{:04x}:{:04x}", id & 0xffff, id >> 16))
    }

    /// Settings and limits, in words; where there are no sensors, why.
    pub fn notes(&self) -> Vec<String> {
        let device = match &self.device {
            Ok(device) => device,
            Err(why) => return vec![format!("no clock, power or temperature: {why}")],
        };
        let absent = |what: &str, error: NvmlError| format!("{what}: not told ({error})");
        let limit = device
            .enforced_power_limit()
            .map_or_else(|error| absent("power limit", error), |mw| format!("power limit {} W", mw / 1000));
        let persistence = device.is_in_persistent_mode().map_or_else(
            |error| absent("persistence mode", error),
            |on| format!("persistence mode {}", word(on)),
        );
        let ecc = device.is_ecc_enabled().map_or_else(
            |error| absent("ECC", error),
            |state| format!("ECC {}", word(state.currently_enabled)),
        );
        // An instance need not tell the mode of the device that it is a part of.
        let mode = device.mig_mode().map(|mode| mode.current == 1);
        let mode = if self.instance { Ok(true) } else { mode };
        let mig = mode.map_or_else(|error| absent("MIG", error), |on| format!("MIG {}", word(on)));
        let vbios = device
            .vbios_version()
            .map_or_else(|error| absent("VBIOS", error), |version| format!("VBIOS {version}"));
        let mut notes = vec![limit, persistence, ecc, mig, vbios, self.health.note()];
        notes.extend(self.others());
        notes
    }

    /// What happened to the device since the last time that this was asked.
    pub fn findings(&mut self) -> Vec<Finding> {
        let now = self.device.as_ref().map_or_else(|_| Health::default(), Health::of);
        let come = now.since(&self.health);
        self.health = now;
        let warning = |rule: &str, message: String| Finding::new(Severity::Warning, rule, message, None);
        let mut found: Vec<Finding> =
            come.into_iter().map(|(rule, message)| warning(rule, message)).collect();
        found.extend(self.others().map(|other| warning("foreign-processes", other)));
        found
    }

    /// Other processes on the device, and their memory.
    fn others(&self) -> Option<String> {
        let running = self.device.as_ref().ok()?.running_compute_processes().ok()?;
        let (count, bytes) = beside(&used_by(running), std::process::id());
        let memory = bytes.map_or("an untold share".to_owned(), |bytes| bytes.to_string());
        let processes = if count == 1 { "process uses" } else { "processes use" };
        (count > 0).then(|| format!("{count} other {processes} the device, with {memory} of its memory"))
    }
}

/// Processes on a device beside this one and their memory; `None` where the list cannot be whole: this process computes
/// there, and a driver that does not name it, as across the wall of a container, does not name others either.
fn foreign(device: &nvml_wrapper::Device<'static>) -> Option<(Option<u64>, Option<Bytes>)> {
    let listed = used_by(device.running_compute_processes().ok()?);
    let own = std::process::id();
    if !listed.iter().any(|(pid, _)| *pid == own) {
        return None;
    }
    let (count, bytes) = beside(&listed, own);
    Some((Some(count), bytes))
}

/// Processes by number, each with the memory that it holds where that is told.
fn used_by(listed: Vec<ProcessInfo>) -> Vec<(u32, Option<u64>)> {
    let used = |process: ProcessInfo| match process.used_gpu_memory {
        UsedGpuMemory::Used(bytes) => (process.pid, Some(bytes)),
        UsedGpuMemory::Unavailable => (process.pid, None),
    };
    listed.into_iter().map(used).collect()
}

/// How many processes there are beside `own`, and the memory of all of them; `None` where any does not tell its own.
fn beside(listed: &[(u32, Option<u64>)], own: u32) -> (u64, Option<Bytes>) {
    let others = listed.iter().filter(|(pid, _)| *pid != own);
    let count = u64::try_from(others.clone().count()).unwrap_or(u64::MAX);
    let bytes =
        others.map(|(_, bytes)| *bytes).try_fold(0_u64, |sum, bytes| Some(sum.saturating_add(bytes?)));
    (count, bytes.map(Bytes::new))
}

/// The bits that hold a clock down; rest, set clocks, synchronised boards and displays are no throttling.
const fn limiting(bits: u64) -> u64 {
    let harmless = ThrottleReasons::GPU_IDLE.bits()
        | ThrottleReasons::APPLICATIONS_CLOCKS_SETTING.bits()
        | ThrottleReasons::SYNC_BOOST.bits()
        | ThrottleReasons::DISPLAY_CLOCK_SETTING.bits();
    bits & !harmless
}

const fn word(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_is_no_throttling_and_an_unknown_bit_is_kept() {
        assert_eq!(limiting(0x1), 0);
        assert_eq!(limiting(0x4 | 0x1), 0x4);
        assert_eq!(limiting(1 << 40), 1 << 40);
    }

    #[test]
    fn memory_that_one_process_does_not_tell_is_not_told_of_all() {
        assert_eq!(beside(&[(7, Some(10))], 7), (0, Some(Bytes::new(0))));
        assert_eq!(beside(&[(7, Some(10)), (8, Some(3)), (9, Some(4))], 7), (2, Some(Bytes::new(7))));
        assert_eq!(beside(&[(7, Some(10)), (8, None)], 7), (1, None));
    }

    #[test]
    fn a_device_that_nvml_does_not_know_has_no_readings_and_a_reason() {
        for mut telemetry in [Telemetry::of(Uuid::nil()), Telemetry::at("ffff:ff:1f.7")] {
            assert!(telemetry.due().is_none() && telemetry.findings().is_empty());
            assert!(telemetry.notes()[0].starts_with("no clock, power or temperature"));
        }
    }
}

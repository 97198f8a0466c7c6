//! Clock, power and temperature: as Linux tells them of AMD and Intel GPUs, and as NVML tells them of NVIDIA's. What is
//! not there is `None`, and the device's notes say why.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::backend::sysfs::{entries, value};
use crate::backend::{Conditions, Nvml};
use crate::device::Finding;
use crate::units::{Celsius, Hertz, Watts};

/// Readings are at most ten a second.
const BETWEEN: Duration = Duration::from_millis(100);

/// PCI vendor whose driver keeps no sensors in sysfs.
const NVIDIA: u32 = 0x10de;

/// Reads one device's sensors.
pub(super) struct Watch {
    source: Source,
    last: Cell<Option<Instant>>,
    /// The last reading of an energy counter.
    energy: Cell<Option<(Instant, f64)>>,
}

enum Source {
    Sysfs(PathBuf),
    Nvml(Box<RefCell<Nvml>>),
    None(&'static str),
}

impl Watch {
    /// Sensors of the device of a vendor at a PCI address.
    pub fn of(pci_address: &str, vendor: u32) -> Self {
        Self::under(Path::new("/sys/bus/pci/devices"), pci_address, vendor)
    }

    fn under(root: &Path, pci_address: &str, vendor: u32) -> Self {
        let path = root.join(pci_address.to_lowercase());
        let source = if pci_address.is_empty() {
            Source::None("the driver tells no PCI address")
        } else if vendor == NVIDIA {
            Source::Nvml(Box::new(RefCell::new(Nvml::at(pci_address))))
        } else if path.is_dir() {
            Source::Sysfs(path)
        } else {
            Source::None("the system keeps no sensors of the device")
        };
        Self { source, last: Cell::new(None), energy: Cell::new(None) }
    }

    /// Why there is no reading; of an NVIDIA device also its settings.
    pub fn notes(&self) -> Vec<String> {
        let why = match &self.source {
            Source::Nvml(nvml) => return nvml.borrow().notes(),
            Source::None(why) => *why,
            Source::Sysfs(device) => {
                let has = self.conditions(device, Instant::now()) != Conditions::default()
                    || self.energy.get().is_some();
                if has {
                    return Vec::new();
                }
                "the device's driver has no sensors"
            }
        };
        vec![format!("no clock, power or temperature: {why}")]
    }

    /// What happened to the device since the last time that this was asked.
    pub fn findings(&self) -> Vec<Finding> {
        match &self.source {
            Source::Nvml(nvml) => nvml.borrow_mut().findings(),
            Source::Sysfs(_) | Source::None(_) => Vec::new(),
        }
    }

    /// The state now; `None` without any sensor, or between two readings.
    pub fn read(&self) -> Option<Conditions> {
        let device = match &self.source {
            Source::Nvml(nvml) => return nvml.borrow_mut().due(),
            Source::None(_) => return None,
            Source::Sysfs(device) => device,
        };
        let now = Instant::now();
        if self.last.get().is_some_and(|last| now.saturating_duration_since(last) < BETWEEN) {
            return None;
        }
        self.last.set(Some(now));
        let found = self.conditions(device, now);
        (found != Conditions::default()).then_some(found)
    }

    /// **Source**: Linux `Documentation/gpu/amdgpu/thermal.rst` and
    /// `Documentation/ABI/testing/sysfs-driver-intel-{i915,xe}-hwmon`: power in microwatts, energy in microjoules,
    /// temperature in thousandths of a degree, amdgpu's clocks in hertz; i915 and xe give megahertz.
    fn conditions(&self, device: &Path, now: Instant) -> Conditions {
        let hwmon = entries(&device.join("hwmon"));
        let first = |folders: &[PathBuf], names: &[&str]| -> Option<f64> {
            folders.iter().find_map(|folder| names.iter().find_map(|name| value(&folder.join(name))))
        };
        let megahertz = first(&entries(&device.join("drm")), &["gt_act_freq_mhz"])
            .or_else(|| value(&device.join("tile0/gt0/freq0/act_freq")));
        let clock = first(&hwmon, &["freq1_input"]).or(megahertz.map(|clock| clock * 1e6));
        // Intel's drivers count the energy of the card and give no power.
        let power = first(&hwmon, &["power1_average", "power1_input"])
            .or_else(|| self.mean_power(first(&hwmon, &["energy1_input"])?, now));
        // xe has the package's temperature as its second, and no first.
        let heat = first(&hwmon, &["temp1_input", "temp2_input"]);
        Conditions {
            clock_hz: clock.filter(|clock| *clock > 0.0).and_then(|clock| Hertz::new(clock).ok()),
            memory_clock_hz: first(&hwmon, &["freq2_input"]).and_then(|clock| Hertz::new(clock).ok()),
            power_w: power.and_then(|power| Watts::new(power / 1e6).ok()),
            temperature_c: heat.and_then(|heat| Celsius::new(heat / 1e3).ok()),
            ..Conditions::default()
        }
    }

    /// Power since the last reading of a counter, in microwatts; `None` for the first, and where it was set back.
    fn mean_power(&self, energy: f64, now: Instant) -> Option<f64> {
        let (then, before) = self.energy.replace(Some((now, energy)))?;
        let elapsed = now.saturating_duration_since(then).as_secs_f64();
        (elapsed > 0.0 && energy >= before).then(|| (energy - before) / elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMD: u32 = 0x1002;
    const INTEL: u32 = 0x8086;

    fn write(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn the_files_of_amdgpu_give_clock_power_and_temperature() {
        let root = tempfile::tempdir().unwrap();
        let at =
            |file: &str, text: &str| write(root.path(), &format!("0000:03:00.0/hwmon/hwmon4/{file}"), text);
        at("freq1_input", "2100000000\n");
        at("power1_average", "304000000\n");
        at("temp1_input", "61000\n");
        let seen = Watch::under(root.path(), "0000:03:00.0", AMD).read().unwrap();
        assert_eq!(seen.clock_hz.map(Hertz::get), Some(2.1e9));
        assert_eq!(seen.power_w.map(Watts::get), Some(304.0));
        assert_eq!(seen.temperature_c.map(Celsius::get), Some(61.0));
        assert_eq!(seen.throttle, None);
        assert!(Watch::under(root.path(), "0000:03:00.0", AMD).notes().is_empty());
    }

    #[test]
    fn the_clock_of_i915_and_xe_is_in_megahertz_and_their_power_the_rise_of_an_energy_counter() {
        for (address, clock, heat) in [
            ("0000:00:02.0", "drm/card0/gt_act_freq_mhz", "temp1_input"),
            ("0000:04:00.0", "tile0/gt0/freq0/act_freq", "temp2_input"),
        ] {
            let root = tempfile::tempdir().unwrap();
            let at = |file: &str, text: &str| write(root.path(), &format!("{address}/{file}"), text);
            at(clock, "2400\n");
            at(&format!("hwmon/hwmon2/{heat}"), "55000\n");
            at("hwmon/hwmon2/energy1_input", "5000000\n");
            let watch = Watch::under(root.path(), address, INTEL);
            let first = watch.read().unwrap();
            assert_eq!(first.clock_hz.map(Hertz::get), Some(2.4e9));
            assert_eq!(first.temperature_c.map(Celsius::get), Some(55.0));
            assert_eq!(first.power_w, None, "one reading of a counter is no power");
            let then = Instant::now();
            watch.energy.set(Some((then, 5e6)));
            let after = then + Duration::from_millis(200);
            at("hwmon/hwmon2/energy1_input", "35000000\n");
            let next = watch.conditions(&root.path().join(address), after);
            assert_eq!(next.power_w.map(Watts::get), Some(150.0), "30 J in 0.2 s");
            at("hwmon/hwmon2/energy1_input", "1000000\n");
            let reset = watch.conditions(&root.path().join(address), after + Duration::from_millis(200));
            assert_eq!(reset.power_w, None, "a counter that was set back");
        }
    }

    #[test]
    fn what_has_no_sensor_has_no_reading_and_a_reason_and_readings_are_not_too_many() {
        let root = tempfile::tempdir().unwrap();
        let of = |address: &str, vendor| Watch::under(root.path(), address, vendor);
        write(root.path(), "0000:01:00.0/hwmon/hwmon0/temp1_input", "nonsense\n");
        write(root.path(), "0000:0a:00.0/vendor", "0x10de\n");
        for (watch, reason) in [
            (of("", AMD), "no PCI address"),
            (of("0000:09:00.0", AMD), "keeps no sensors"),
            (of("0000:01:00.0", AMD), "no sensors"),
            (of("0000:0a:00.0", NVIDIA), "NVML"),
        ] {
            assert_eq!(watch.read(), None, "{reason}");
            let notes = watch.notes();
            assert!(
                notes[0].starts_with("no clock, power or temperature") && notes[0].contains(reason),
                "{notes:?}"
            );
        }
        write(root.path(), "0000:02:00.0/hwmon/hwmon0/temp1_input", "40000\n");
        let watch = of("0000:02:00.0", AMD);
        assert!(watch.read().is_some());
        watch.last.set(Some(Instant::now() + Duration::from_secs(60)));
        assert_eq!(watch.read(), None, "the last reading is too near");
    }
}

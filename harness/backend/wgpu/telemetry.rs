//! Clock, power and temperature, as Linux tells them of AMD and Intel GPUs. What is not there is `None`; NVIDIA's
//! driver has no such files, and its telemetry comes with the cuda backend.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::backend::Conditions;
use crate::units::{Celsius, Hertz, Watts};

/// Readings are at most ten a second.
const BETWEEN: Duration = Duration::from_millis(100);

/// Reads one device's sensors.
pub(super) struct Watch {
    device: Option<PathBuf>,
    last: Cell<Option<Instant>>,
}

impl Watch {
    /// Sensors of the device at a PCI address.
    pub fn of(pci_address: &str) -> Self {
        Self::under(Path::new("/sys/bus/pci/devices"), pci_address)
    }

    fn under(root: &Path, pci_address: &str) -> Self {
        let path = root.join(pci_address.to_lowercase());
        let device = (!pci_address.is_empty() && path.is_dir()).then_some(path);
        Self { device, last: Cell::new(None) }
    }

    /// The state now; `None` without any sensor, or between two readings.
    pub fn read(&self) -> Option<Conditions> {
        let device = self.device.as_deref()?;
        let now = Instant::now();
        if self.last.get().is_some_and(|last| now - last < BETWEEN) {
            return None;
        }
        self.last.set(Some(now));
        conditions(device)
    }
}

/// **Source**: Linux `Documentation/gpu/amdgpu/thermal.rst` and `Documentation/ABI/testing/sysfs-driver-intel-*-hwmon`:
/// power in microwatts, temperature in thousandths of a degree, clock in hertz; i915 and xe give megahertz.
fn conditions(device: &Path) -> Option<Conditions> {
    let hwmon = folders(&device.join("hwmon"));
    let monitor = |names: &[&str]| {
        hwmon.iter().find_map(|folder| names.iter().find_map(|name| number(&folder.join(name))))
    };
    let cards = folders(&device.join("drm"));
    let card = |names: &[&str]| {
        cards.iter().find_map(|folder| names.iter().find_map(|name| number(&folder.join(name))))
    };
    let megahertz = card(&["gt_act_freq_mhz"]).or_else(|| number(&device.join("tile0/gt0/freq0/act_freq")));
    let clock = monitor(&["freq1_input"]).or(megahertz.map(|clock| clock * 1e6));
    let found = Conditions {
        clock_hz: clock.filter(|clock| *clock > 0.0).and_then(|clock| Hertz::new(clock).ok()),
        memory_clock_hz: monitor(&["freq2_input"]).and_then(|clock| Hertz::new(clock).ok()),
        power_w: monitor(&["power1_average", "power1_input"]).and_then(|power| Watts::new(power / 1e6).ok()),
        temperature_c: monitor(&["temp1_input"]).and_then(|heat| Celsius::new(heat / 1e3).ok()),
        ..Conditions::default()
    };
    (found != Conditions::default()).then_some(found)
}

fn number(path: &Path) -> Option<f64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let seen = Watch::under(root.path(), "0000:03:00.0").read().unwrap();
        assert_eq!(seen.clock_hz.map(Hertz::get), Some(2.1e9));
        assert_eq!(seen.power_w.map(Watts::get), Some(304.0));
        assert_eq!(seen.temperature_c.map(Celsius::get), Some(61.0));
        assert_eq!(seen.throttle, None);
    }

    #[test]
    fn the_clock_of_i915_and_xe_is_in_megahertz() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "0000:00:02.0/drm/card0/gt_act_freq_mhz", "1150\n");
        write(root.path(), "0000:04:00.0/tile0/gt0/freq0/act_freq", "2400\n");
        let clock =
            |address: &str| Watch::under(root.path(), address).read().unwrap().clock_hz.map(Hertz::get);
        assert_eq!(clock("0000:00:02.0"), Some(1.15e9));
        assert_eq!(clock("0000:04:00.0"), Some(2.4e9));
    }

    #[test]
    fn what_has_no_sensor_has_no_reading_and_readings_are_not_too_many() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Watch::under(root.path(), "").read(), None);
        assert_eq!(Watch::under(root.path(), "0000:01:00.0").read(), None);
        write(root.path(), "0000:01:00.0/hwmon/hwmon0/temp1_input", "nonsense\n");
        assert_eq!(Watch::under(root.path(), "0000:01:00.0").read(), None);
        write(root.path(), "0000:02:00.0/hwmon/hwmon0/temp1_input", "40000\n");
        let watch = Watch::under(root.path(), "0000:02:00.0");
        assert!(watch.read().is_some());
        watch.last.set(Some(Instant::now() + Duration::from_secs(60)));
        assert_eq!(watch.read(), None, "the last reading is too near");
    }
}

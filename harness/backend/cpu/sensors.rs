//! Temperature and energy where the platform tells them; a virtual machine mostly does not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::backend::sysfs::{entries, value};

/// Drivers whose temperatures are the processor's.
const PROCESSOR_DRIVERS: [&str; 4] = ["coretemp", "k10temp", "zenpower", "cpu_thermal"];

/// Hottest reading of the processor; `None` without a sensor.
///
/// **Unit**: thousandths of a degree Celsius.
///
/// **Source**: Linux `Documentation/hwmon/sysfs-interface.rst`.
#[must_use]
pub fn temperature_millidegrees_c() -> Option<i64> {
    hottest_under(Path::new("/sys/class/hwmon"))
}

fn hottest_under(root: &Path) -> Option<i64> {
    let monitors = entries(root).into_iter().filter(|monitor| {
        let name = std::fs::read_to_string(monitor.join("name")).unwrap_or_default();
        PROCESSOR_DRIVERS.contains(&name.trim())
    });
    let inputs = (1..=128).map(|number| format!("temp{number}_input"));
    let inputs: Vec<String> = inputs.collect();
    let readings = monitors.flat_map(|monitor| {
        let texts = inputs.iter().filter_map(move |file| std::fs::read_to_string(monitor.join(file)).ok());
        texts.filter_map(|text| parse_temperature(&text)).collect::<Vec<_>>()
    });
    readings.max()
}

/// Readings outside -40 ... 150 degrees are a missing sensor's.
fn parse_temperature(text: &str) -> Option<i64> {
    text.trim().parse().ok().filter(|reading| (-40_000..=150_000).contains(reading))
}

/// Energy counters of all packages at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageEnergy {
    packages: Vec<Counter>,
}

/// A counter that wraps at its range.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Counter {
    zone: PathBuf,
    energy_uj: u64,
    range_uj: u64,
}

impl PackageEnergy {
    /// Reads the counters; `None` without any, or without the right to read them (root only since 2020).
    ///
    /// **Source**: Linux `Documentation/power/powercap/powercap.rst`.
    #[must_use]
    pub fn now() -> Option<Self> {
        Self::under(Path::new("/sys/class/powercap"))
    }

    fn under(root: &Path) -> Option<Self> {
        let zones = entries(root).into_iter().filter(|zone| {
            // Packages are `intel-rapl:0`; parts of them, as `intel-rapl:0:1`, would be counted twice.
            let name = zone.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.strip_prefix("intel-rapl:").is_some_and(|number| !number.contains(':'))
        });
        let packages: Vec<Counter> = zones.filter_map(Counter::read).collect();
        (!packages.is_empty()).then_some(Self { packages })
    }

    /// Energy used since `self`; `None` where a package has gone.
    ///
    /// **Unit**: microjoules. Wrong after more than one wrap, which takes 20 minutes at 200 W.
    #[must_use]
    pub fn since(&self, after: &Self) -> Option<u64> {
        let used = |before: &Counter| {
            let after = after.packages.iter().find(|counter| counter.zone == before.zone)?;
            match after.energy_uj.checked_sub(before.energy_uj) {
                Some(used) => Some(used),
                None => before.range_uj.checked_sub(before.energy_uj)?.checked_add(after.energy_uj),
            }
        };
        self.packages.iter().map(used).sum()
    }
}

impl Counter {
    fn read(zone: PathBuf) -> Option<Self> {
        let number = |file: &str| value(&zone.join(file));
        let (energy_uj, range_uj) = (number("energy_uj")?, number("max_energy_range_uj")?);
        Some(Self { zone, energy_uj, range_uj })
    }
}

/// Mean power of an amount of energy over a time; `None` for no time.
///
/// **Unit**: milliwatts.
#[must_use]
pub fn mean_power_mw(energy_uj: u64, elapsed: Duration) -> Option<u64> {
    let milliwatts = (u128::from(energy_uj) * 1_000_000).checked_div(elapsed.as_nanos())?;
    u64::try_from(milliwatts).ok()
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
    fn the_hottest_processor_sensor_counts_and_no_other() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "hwmon0/name", "nvme\n");
        write(root.path(), "hwmon0/temp1_input", "99000\n");
        write(root.path(), "hwmon1/name", "coretemp\n");
        write(root.path(), "hwmon1/temp1_input", "61000\n");
        write(root.path(), "hwmon1/temp2_input", "64000\n");
        write(root.path(), "hwmon1/temp3_input", "-128000\n");
        assert_eq!(hottest_under(root.path()), Some(64_000));
        assert_eq!(hottest_under(Path::new("/nonexistent")), None);
    }

    #[test]
    fn energy_is_summed_over_packages_and_survives_a_wrap() {
        let root = tempfile::tempdir().unwrap();
        let put = |zone: &str, energy: &str| write(root.path(), &format!("{zone}/energy_uj"), energy);
        for zone in ["intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"] {
            write(root.path(), &format!("{zone}/max_energy_range_uj"), "1000\n");
            put(zone, "900\n");
        }
        let before = PackageEnergy::under(root.path()).unwrap();
        put("intel-rapl:0", "950\n");
        put("intel-rapl:1", "30\n");
        let after = PackageEnergy::under(root.path()).unwrap();
        assert_eq!(before.since(&after), Some(50 + 130));
        assert_eq!(PackageEnergy::under(Path::new("/nonexistent")), None);
    }

    #[test]
    fn power_is_energy_over_time() {
        assert_eq!(mean_power_mw(2_000_000, Duration::from_secs(2)), Some(1000));
        assert_eq!(mean_power_mw(1, Duration::ZERO), None);
    }
}

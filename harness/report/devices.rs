//! The devices that each backend sees.

use super::table::{shown, table};
use crate::backend::Probe;
use crate::device::{Device, Provenance, TheoreticalPeak};

/// Devices as tables for a person.
pub fn device_table(probes: &[Probe], width: Option<u16>) -> String {
    let mut text = String::new();
    for probe in probes {
        match &probe.devices {
            Ok(devices) if devices.is_empty() => text += &format!("{}: no device\n", probe.backend),
            Ok(devices) => devices.iter().for_each(|device| text += &one(device, width)),
            Err(reason) => text += &format!("{}: absent: {reason}\n", probe.backend),
        }
    }
    text
}

fn one(device: &Device, width: Option<u16>) -> String {
    let mut text = format!("{}  {}  [{}]\n", device.id, device.model, device.kind);
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &format!("  {name:<13} {value}\n");
        }
    };
    fact("uuid", Some(device.uuid.to_string()));
    fact("architecture", device.architecture.clone());
    fact("units", device.units.map(|units| units.to_string()));
    fact("clock", device.reported_clock_hz.map(|clock| format!("{clock} (reported)")));
    fact("memory", device.memory_bytes.map(|bytes| bytes.to_string()));
    fact("driver", device.driver.clone());
    fact("pci", device.pci_id.clone());
    for note in &device.notes {
        fact("note", Some(note.clone()));
    }
    if device.peaks.is_empty() {
        fact("peak", Some("no theoretical peak is known".to_owned()));
        return text;
    }
    let mut peaks = table(&["precision", "accumulate", "unit", "theoretical", "clock", "from"], 3..4, width);
    for peak in &device.peaks {
        peaks.add_row([
            peak.precision.to_string(),
            peak.accumulate.to_string(),
            format!("{:?}", peak.unit).to_lowercase(),
            rate(peak),
            peak.clock_basis.name().to_owned(),
            provenance(&peak.provenance),
        ]);
    }
    text + &shown(peaks, width)
}

fn rate(peak: &TheoreticalPeak) -> String {
    let rate = crate::units::OpRate::new(peak.rate_op_per_s.to_f64()).unwrap_or_default();
    rate.display(peak.precision.is_integer())
}

/// Where a peak comes from, in one line.
pub(super) fn provenance(provenance: &Provenance) -> String {
    match provenance {
        Provenance::Datasheet { title, evidence, .. } => format!("{title} ({evidence})"),
        Provenance::Derived { units, ops_per_clock, clock_hz, evidence, .. } => {
            #[expect(clippy::cast_precision_loss, reason = "shown with four digits")]
            let clock = crate::units::four_digits(*clock_hz as f64 / 1e9);
            format!("{units} x {ops_per_clock} op/clock x {clock} GHz ({evidence})")
        }
        Provenance::Declared { by } => format!("declared by {by}"),
    }
}

/// What `flopgauge devices --json` prints, kind `devices/1`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct DeviceList {
    /// `flopgauge.devices/1`.
    pub format: &'static str,
    /// Every device that a backend sees.
    pub devices: Vec<Device>,
    /// Backends without one.
    pub absent: Vec<AbsentBackend>,
}

/// A backend that cannot be used here.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct AbsentBackend {
    /// Its name.
    pub backend: &'static str,
    /// Why.
    pub reason: String,
}

impl DeviceList {
    /// Kind and version.
    pub const KIND: &'static str = "devices/1";

    /// What the backends said.
    pub fn of(probes: Vec<Probe>) -> Self {
        let (mut devices, mut absent) = (Vec::new(), Vec::new());
        for probe in probes {
            match probe.devices {
                Ok(found) => devices.extend(found),
                Err(reason) => absent.push(AbsentBackend { backend: probe.backend, reason }),
            }
        }
        Self { format: "flopgauge.devices/1", devices, absent }
    }
}

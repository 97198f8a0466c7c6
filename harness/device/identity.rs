//! What a device is, as far as its driver or its operating system tells.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::TheoreticalPeak;
use crate::units::{Bytes, Hertz};

/// Whether a figure of this device can say anything of hardware.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A real device; the only kind that can become a calibrated profile.
    Hardware,
    /// A driver that computes on the CPU, such as lavapipe or SwiftShader.
    Software,
    /// A stand-in made for tests.
    Simulated,
}

impl DeviceKind {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hardware => "hardware",
            Self::Software => "software",
            Self::Simulated => "simulated",
        }
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One device of one backend. Absence of a fact is `None`, never a guess.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Short name within this run: `cpu:0`, `cuda:1`.
    pub id: String,
    /// Name that stays with the device from run to run.
    pub uuid: Uuid,
    /// Model, as the driver or the processor spells it.
    pub model: String,
    /// Backend that reaches it: `cpu`, `cuda`, `wgpu`.
    pub backend: String,
    /// Whether it is real.
    pub kind: DeviceKind,
    /// Micro-architecture, with how it was told in [`Self::notes`].
    pub architecture: Option<String>,
    /// Compute units that can be used: cores, multiprocessors, compute units.
    pub units: Option<u32>,
    /// Highest clock that the driver reports; it need not be the clock that is reached.
    pub reported_clock_hz: Option<Hertz>,
    /// Memory of the device.
    pub memory_bytes: Option<Bytes>,
    /// Driver and its version.
    pub driver: Option<String>,
    /// PCI vendor and device, `10de:2330`.
    pub pci_id: Option<String>,
    /// Dense theoretical peaks that are known, one per precision, unit and clock basis.
    pub peaks: Vec<TheoreticalPeak>,
    /// What a reader must know to read the figures right.
    pub notes: Vec<String>,
}

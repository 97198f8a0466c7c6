//! The file: kind `profile/1`, strict in both directions.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ProfileError, Refusal};
use crate::device::{ClockBasis, DeviceKind, Finding, Provenance, Unit};
use crate::files::{TEXT_LIMIT, parse_json, read_text};
use crate::precision::{Accumulate, Precision};
use crate::units::{Celsius, Estimate, ExactOpRate, Hertz, OpRate, Ratio, Watts};
use crate::workload::{Case, Distribution};

/// Calibrated profiles, one per model of device, with the records that they come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    /// `flopgauge.profile/1`.
    pub format: String,
    /// Version of flopgauge that made it.
    pub version: String,
    /// Commit that it was built from; `null` outside a checkout.
    pub commit: Option<String>,
    /// Version of the measuring method behind every figure.
    pub method_version: String,
    /// Distribution of the operands behind every sustained figure.
    pub input: Distribution,
    /// Records that were read.
    pub records: Vec<RecordSource>,
    /// One profile per model.
    pub profiles: Vec<DeviceProfile>,
    /// Lines of the records that no figure comes from, each with its rule.
    pub refused: Vec<Refusal>,
}

/// A record, where it was and what it hashed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSource {
    /// Directory, as named when the profile was made.
    pub record: String,
    /// When its run began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// Machine that it ran on.
    pub host: Option<String>,
    /// Version of flopgauge that measured.
    pub version: String,
    /// Commit of that version.
    pub commit: Option<String>,
    /// SHA-256 of `measurements.jsonl`.
    pub measurements_sha256: String,
    /// SHA-256 of `environment.json`.
    pub environment_sha256: String,
}

/// What devices of one model give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceProfile {
    /// The model.
    pub device: Model,
    /// Devices behind the figures; one that was measured in several runs counts once.
    pub devices: Vec<DeviceRuns>,
    /// One row per precision, accumulate type and kind of unit.
    pub precisions: Vec<PrecisionProfile>,
}

/// What devices of one profile have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Name, as the driver or the processor spells it.
    pub model: String,
    /// Backend that reached it.
    pub backend: String,
    /// Always `hardware`.
    pub kind: DeviceKind,
    /// Micro-architecture.
    pub architecture: Option<String>,
    /// Compute units that can be used.
    pub units: Option<u32>,
    /// PCI vendor and device.
    pub pci_id: Option<String>,
}

/// One device, and what it was measured with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceRuns {
    /// Device, for good.
    pub uuid: Uuid,
    /// Drivers that it was measured with.
    pub drivers: Vec<String>,
    /// Records with an accepted line of it.
    pub records: Vec<String>,
}

/// Theoretical, issue and sustained rate of one number format on one kind of unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrecisionProfile {
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Units that perform it.
    pub unit: Unit,
    /// Whether the device has units for the format; otherwise it is emulated and has no theoretical peak.
    pub native: bool,
    /// Dense theoretical peak, exact; `null` where none is known.
    pub theoretical_op_per_s: Option<ExactOpRate>,
    /// Where that peak comes from.
    pub theoretical: Option<Theoretical>,
    /// Register-resident rate; `null` where no case of it was accepted.
    pub issue_op_per_s: Option<Estimate<OpRate>>,
    /// Rate of the best verified product in steady state; `null` where no case of it was accepted.
    pub sustained_op_per_s: Option<Estimate<OpRate>>,
    /// What the issue rate is of.
    pub issue: Option<Figure>,
    /// What the sustained rate is of.
    pub sustained: Option<Figure>,
    /// What a reader must know beside the figures.
    pub notes: Vec<String>,
}

/// Where a theoretical peak comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Theoretical {
    /// Clock that it holds at.
    pub clock_basis: ClockBasis,
    /// Its source.
    pub provenance: Provenance,
    /// What a reader must know.
    pub note: Option<String>,
}

/// What a measured figure is of: one identity, never an average over several.
///
/// Its median is that over devices of each device's median over runs; low and high are the outermost ends of the 95 %
/// intervals of its lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Implementation, precision, accumulate type, shape, layout, input and seed.
    pub case: Case,
    /// Settings and versions of the implementation.
    pub details: Vec<String>,
    /// Accepted identities that this one is the fastest of.
    pub fastest_of: usize,
    /// Number of devices.
    pub devices: usize,
    /// Fastest less slowest device, over the median; `null` for one device.
    pub spread_between_devices: Option<Ratio>,
    /// State of the devices while they were sampled.
    pub conditions: Circumstances,
    /// What a reader must know.
    pub findings: Vec<Finding>,
    /// Lines that it comes from.
    pub sources: Vec<LineSource>,
}

/// Least, median and greatest reading while sampling; `null` where nobody read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Circumstances {
    /// Core clock.
    pub clock_hz: Option<Estimate<Hertz>>,
    /// Power.
    pub power_w: Option<Estimate<Watts>>,
    /// Temperature.
    pub temperature_c: Option<Estimate<Celsius>>,
    /// Whether a throttle reason was ever set.
    pub throttled: Option<bool>,
}

/// One line of a record behind a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineSource {
    /// The record, as [`RecordSource::record`] names it.
    pub record: String,
    /// Line of its `measurements.jsonl`, from 1.
    pub line: usize,
    /// SHA-256 of that line with its line end.
    pub sha256: String,
    /// Device.
    pub uuid: Uuid,
    /// Rate of this line alone.
    pub rate_op_per_s: Estimate<OpRate>,
}

impl Profiles {
    /// Kind and version.
    pub const KIND: &'static str = "profile/1";

    /// Reads a file of profiles, strictly.
    ///
    /// Errors: [`ProfileError::File`] with file, line and key; [`ProfileError::Content`] where it contradicts itself.
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let name = path.display().to_string();
        let profiles: Self = parse_json(&name, &read_text(path, TEXT_LIMIT)?, Self::KIND)?;
        profiles.sound().map_err(|what| ProfileError::Content { path: name, what })?;
        Ok(profiles)
    }

    /// Its text as written to a file.
    ///
    /// Errors: never for values that this room made; the serializer's own.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The same split by model, each with the records that it comes from and the refusals that concern it.
    pub fn split(&self) -> Vec<Self> {
        let one = |profile: &DeviceProfile| {
            let of: Vec<&str> = profile.devices.iter().flat_map(|d| &d.records).map(String::as_str).collect();
            let concerns = |refusal: &&Refusal| {
                let device = &profile.device;
                (&refusal.model, &refusal.backend) == (&device.model, &device.backend)
                    && of.contains(&refusal.record.as_str())
            };
            Self {
                records: self.records.iter().filter(|r| of.contains(&r.record.as_str())).cloned().collect(),
                profiles: vec![profile.clone()],
                refused: self.refused.iter().filter(concerns).cloned().collect(),
                ..self.clone()
            }
        };
        self.profiles.iter().map(one).collect()
    }

    fn sound(&self) -> Result<(), String> {
        for record in &self.records {
            for hash in [&record.measurements_sha256, &record.environment_sha256] {
                hexadecimal(hash)?;
            }
        }
        for profile in &self.profiles {
            let model = &profile.device.model;
            if profile.device.kind != DeviceKind::Hardware {
                let kind = profile.device.kind;
                return Err(format!("{model} is {kind}; only hardware can be calibrated"));
            }
            for row in &profile.precisions {
                row.sound(self).map_err(|what| format!("{model} {}: {what}", row.precision))?;
            }
        }
        Ok(())
    }
}

impl PrecisionProfile {
    fn sound(&self, whole: &Profiles) -> Result<(), String> {
        let pairs = [
            ("issue", self.issue_op_per_s, &self.issue),
            ("sustained", self.sustained_op_per_s, &self.sustained),
        ];
        for (name, rate, figure) in pairs {
            let (rate, figure) = match (rate, figure) {
                (Some(rate), Some(figure)) => (rate, figure),
                (None, None) => continue,
                _ => return Err(format!("{name} has a rate without its source, or a source without a rate")),
            };
            if !(rate.low <= rate.median && rate.median <= rate.high) {
                return Err(format!("the {name} rate's low, median and high are not in order"));
            }
            let mut devices: Vec<Uuid> = figure.sources.iter().map(|source| source.uuid).collect();
            devices.sort_unstable();
            devices.dedup();
            if devices.is_empty() || devices.len() != figure.devices {
                return Err(format!(
                    "{name} names {} devices and has lines of {}",
                    figure.devices,
                    devices.len()
                ));
            }
            for source in &figure.sources {
                hexadecimal(&source.sha256)?;
                if !whole.records.iter().any(|record| record.record == source.record) {
                    return Err(format!(
                        "{name} comes from {}, which is not among its records",
                        source.record
                    ));
                }
            }
        }
        Ok(())
    }
}

fn hexadecimal(hash: &str) -> Result<(), String> {
    let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if is_hash { Ok(()) } else { Err(format!("'{hash}' is no SHA-256 in hexadecimal")) }
}

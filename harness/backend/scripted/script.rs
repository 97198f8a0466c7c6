//! The script file, kind `script/1`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::device::{DeviceKind, TheoreticalPeak, Unit};
use crate::files::{FileError, TEXT_LIMIT, parse_toml, read_text};
use crate::precision::{Accumulate, Precision};
use crate::units::{ByteRate, Bytes, Celsius, Hertz, OpRate, Ratio, Seconds, Watts};
use crate::workload::{BufferSize, GemmShape, Method};

/// What a scripted device is and does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// `flopgauge.script/1`.
    pub format: String,
    /// Model name.
    pub model: String,
    /// Always `simulated`; written so that nobody mistakes the file.
    pub kind: Simulated,
    /// Hash that the sources of its kernels are said to have; without it no choice is kept.
    #[serde(default)]
    pub sources: Option<String>,
    /// Theoretical peaks that the device claims.
    #[serde(default)]
    pub peaks: Vec<TheoreticalPeak>,
    /// Implementations.
    #[serde(rename = "implementation")]
    pub implementations: Vec<ScriptedRow>,
}

impl Script {
    /// Kind and version of the file.
    pub const KIND: &'static str = "script/1";

    /// Reads a script file.
    ///
    /// Errors: [`FileError`] with line and key.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let (name, text) = (path.display().to_string(), read_text(path, TEXT_LIMIT)?);
        let script: Self = parse_toml(&name, &text, Self::KIND)?;
        for row in &script.implementations {
            let copies = row.method == Method::Copy;
            let fits =
                |s: &Segment| s.rate_op_per_s.is_none() == copies && s.rate_byte_per_s.is_some() == copies;
            if !row.segments.iter().all(fits) {
                let wanted = if copies { "rate_byte_per_s" } else { "rate_op_per_s" };
                let message = format!("each segment of {} needs {wanted} and no other rate", row.name);
                let at = text.find(&format!("\"{}\"", row.name)).unwrap_or(0);
                return Err(FileError::content_at(&name, &text, at, message));
            }
        }
        Ok(script)
    }
}

/// The one kind that a script can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Simulated {
    /// A stand-in made for tests.
    Simulated,
}

impl From<Simulated> for DeviceKind {
    fn from(_: Simulated) -> Self {
        Self::Simulated
    }
}

/// One implementation of a scripted device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedRow {
    /// Name.
    pub name: String,
    /// How it obtains a rate.
    pub method: Method,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Units that perform it.
    pub unit: Unit,
    /// Whether the units are of this format.
    #[serde(default = "yes")]
    pub native: bool,
    /// Extents where the user names none.
    pub shape: Option<GemmShape>,
    /// Size of each buffer of a copy where the user names none.
    pub buffer_bytes: Option<BufferSize>,
    /// Last-level cache that a copy is told of.
    pub cache_bytes: Option<Bytes>,
    /// Length of one sample.
    pub sample_s: Seconds,
    /// Rates over device time, in order; the last one holds for ever.
    #[serde(rename = "segment")]
    pub segments: Vec<Segment>,
    /// What goes wrong, and when.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
}

const fn yes() -> bool {
    true
}

/// A stretch of device time with one rate and one state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Device time at which it ends; the last one has none.
    pub until_s: Option<Seconds>,
    /// Rate in it, of what computes.
    pub rate_op_per_s: Option<OpRate>,
    /// Rate in it, of a copy.
    pub rate_byte_per_s: Option<ByteRate>,
    /// Largest relative deviation of one batch, from a fixed sequence.
    #[serde(default)]
    pub jitter: Ratio,
    /// Clock in it.
    pub clock_hz: Option<Hertz>,
    /// Power in it.
    pub power_w: Option<Watts>,
    /// Temperature in it.
    pub temperature_c: Option<Celsius>,
    /// Throttle reasons in it.
    pub throttle: Option<u64>,
    /// Other processes on the device in it.
    pub foreign_processes: Option<u64>,
    /// Memory that they hold.
    pub foreign_memory_bytes: Option<Bytes>,
    /// Whether each second batch is taken off its core for half of its time.
    #[serde(default)]
    pub disturbed: bool,
}

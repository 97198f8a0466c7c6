//! What a scripted device does wrong, and when.

use serde::{Deserialize, Serialize};

use crate::units::Seconds;
use crate::workload::Elements;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Device time from which it holds.
    pub at_s: Seconds,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Whether a fault of a product's values holds only after a run of several iterations, as those that are timed.
    #[serde(default)]
    pub batched: bool,
    /// Element of the output, for faults of values.
    #[serde(default)]
    pub element: usize,
    /// Bit of that element, for [`FaultKind::BitFlip`].
    #[serde(default)]
    pub bit: u32,
}

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The device reports an error.
    Error,
    /// The device is lost.
    Lost,
    /// The call never returns.
    Hang,
    /// The process dies.
    Crash,
    /// The clock does not advance.
    NoTime,
    /// One element is NaN.
    Nan,
    /// One element keeps the poison that was there before.
    Unwritten,
    /// One element is off by one.
    WrongValue,
    /// One bit of one fp32 element is flipped.
    BitFlip,
    /// One element differs from run to run.
    NotRepeatable,
}

impl Fault {
    /// The destination of a copy as the fault leaves it.
    pub(super) fn spoil_bytes(&self, destination: &mut [u8]) {
        let Some(value) = destination.get_mut(self.element) else { return };
        *value = match self.kind {
            // Destinations are poisoned with the complement of the pattern.
            FaultKind::Unwritten | FaultKind::Nan => !*value,
            FaultKind::WrongValue => value.wrapping_add(1),
            FaultKind::BitFlip => *value ^ 1_u8.checked_shl(self.bit).unwrap_or(0),
            _ => *value,
        };
    }

    /// The output as the fault leaves it; `run` counts the runs, and the last one had so many iterations.
    pub(super) fn spoil(&self, output: &mut Elements, run: u64, iterations: u64) {
        if self.batched && iterations < 2 {
            return;
        }
        let Elements::F32(values) = output else { return };
        let Some(value) = values.get_mut(self.element) else { return };
        *value = match self.kind {
            // Outputs are poisoned with NaN, so that an unwritten element is one.
            FaultKind::Nan | FaultKind::Unwritten => f32::NAN,
            FaultKind::WrongValue => *value + 1.0,
            FaultKind::BitFlip => f32::from_bits(value.to_bits() ^ 1_u32.checked_shl(self.bit).unwrap_or(0)),
            FaultKind::NotRepeatable if run % 2 == 1 => f32::from_bits(value.to_bits() ^ 1),
            _ => *value,
        };
    }
}

//! What the measuring process is told on its standard input, and what it tells on its standard output.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::backend::Search;
use crate::device::Device;
use crate::measure::{Outcome, Pace, Request, Selection};
use crate::units::Seconds;

/// One device to measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Where to look for the device.
    pub search: Search,
    /// Which device.
    pub device: String,
    /// What to measure.
    pub selection: Selection,
    /// With how much patience.
    pub pace: Pace,
    /// Folder in which choices between implementations are kept; `None` to try all.
    pub choices: Option<PathBuf>,
    /// Time that is left.
    pub time_limit_s: Option<Seconds>,
}

/// The line after the job: what was planned may begin.
pub const BEGIN: &[u8] = b"begin\n";

/// One line from the measuring process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "event", deny_unknown_fields)]
pub enum Event {
    /// The plan; every request will have its outcome.
    Planned {
        /// The device as it was opened.
        device: Box<Device>,
        /// The cases.
        requests: Vec<Request>,
    },
    /// The plan cannot be made.
    Refused {
        /// Why, and what to change.
        message: String,
        /// Whether the device itself is not there.
        absent: bool,
    },
    /// A sign of life.
    Progress {
        /// Which request.
        index: usize,
        /// What is being done.
        doing: String,
        /// Share of the case that is done.
        share: f64,
    },
    /// A request is done.
    Outcome {
        /// Which request.
        index: usize,
        /// What became of it.
        result: Box<Outcome>,
    },
}

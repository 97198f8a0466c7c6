//! One line of `measurements.jsonl`, kind `measurement/1`.

use serde::{Deserialize, Serialize};

use crate::device::Device;
use crate::measure::{METHOD_VERSION, Outcome, Request};

/// The outcome of one planned case on one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// `flopgauge.measurement/1`.
    pub format: String,
    /// Version of the measuring method.
    pub method_version: String,
    /// Who computed.
    pub device: Device,
    /// What was planned.
    pub request: Request,
    /// What became of it.
    pub result: Outcome,
}

impl Measurement {
    /// Kind and version.
    pub const KIND: &'static str = "measurement/1";

    /// The outcome of `request` on `device`, by this version of the method.
    pub fn new(device: Device, request: Request, result: Outcome) -> Self {
        let format = format!("flopgauge.{}", Self::KIND);
        Self { format, method_version: METHOD_VERSION.to_owned(), device, request, result }
    }
}

//! One line of `measurements.jsonl`, kind `measurement/1`.

use serde::{Deserialize, Serialize};

use crate::device::Device;
use crate::measure::{METHOD_VERSION, Outcome, Request};
use crate::precision::{Accumulate, Arithmetic};

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

    /// Formats of operands and sums: as measured, else as planned, else as the bare name of the format says.
    pub fn arithmetic(&self) -> Arithmetic {
        let precision = self.request.precision;
        let measured = match &self.result {
            Outcome::Measured(measured) => Some(measured.case.accumulate),
            _ => None,
        };
        let accumulate = measured.or(self.request.accumulate).unwrap_or(Accumulate::usual(precision));
        Arithmetic { precision, accumulate }
    }
}

//! `summary.csv`: one row per outcome, derived from the record and never stored in its place.

use serde::Serialize;
use uuid::Uuid;

use super::{CopyRow, Measurement, Straggler, stragglers};
use crate::device::DeviceKind;
use crate::measure::{Measured, Outcome, efficiency};
use crate::precision::{Accumulate, Precision};
use crate::units::{Hertz, OpRate, Ratio, Watts};
use crate::workload::{Distribution, Method, Work};

/// One row. The fields are the columns of `summary.csv` in their order, a contract with readers; an absent figure is
/// empty or `null`, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Row {
    /// Device, by its id.
    pub device: String,
    /// Device, for good.
    pub uuid: Uuid,
    /// Model.
    pub model: String,
    /// Backend.
    pub backend: String,
    /// Whether the device is real.
    pub kind: DeviceKind,
    /// Format of the operands; none for a copy.
    pub precision: Option<Precision>,
    /// Format of the sums.
    pub accumulate: Option<Accumulate>,
    /// How the rate was obtained.
    pub method: Method,
    /// Implementation that was measured.
    pub implementation: Option<String>,
    /// Rows of C.
    pub m: Option<u64>,
    /// Columns of C.
    pub n: Option<u64>,
    /// Length of the sums.
    pub k: Option<u64>,
    /// Distribution of the operands.
    pub input: Option<Distribution>,
    /// What became of the case.
    pub outcome: &'static str,
    /// Median rate.
    pub rate_op_per_s: Option<OpRate>,
    /// Low end of its 95 % interval.
    pub rate_low_op_per_s: Option<OpRate>,
    /// High end of its 95 % interval.
    pub rate_high_op_per_s: Option<OpRate>,
    /// Rate in the first window after idle.
    pub burst_op_per_s: Option<OpRate>,
    /// Theoretical peak.
    pub theoretical_op_per_s: Option<OpRate>,
    /// Clock that the peak holds at.
    pub theoretical_basis: Option<&'static str>,
    /// Median rate over the theoretical peak.
    pub efficiency: Option<Ratio>,
    /// Median clock while sampling.
    pub clock_hz: Option<Hertz>,
    /// Median power while sampling.
    pub power_w: Option<Watts>,
    /// Whether nothing moved when sampling began.
    pub steady: Option<bool>,
    /// Whether the values were checked, and right.
    pub verified: Option<bool>,
    /// Why there is no figure, or what a reader must know beside it.
    pub reason: Option<String>,
}

impl Row {
    /// The row of a measurement.
    pub fn of(measurement: &Measurement) -> Self {
        let mut row = Self::planned(measurement);
        match &measurement.result {
            Outcome::Measured(measured) => row.fill(measurement, measured),
            other => row.reason = other.reason().map(str::to_owned),
        }
        row
    }

    fn planned(measurement: &Measurement) -> Self {
        let device = &measurement.device;
        let (shape, input) = match measurement.request.work {
            Work::Gemm { shape, input, .. } => (Some(shape), Some(input)),
            Work::Issue | Work::Copy { .. } => (None, None),
        };
        let copies = matches!(measurement.request.work, Work::Copy { .. });
        Self {
            device: device.id.clone(),
            uuid: device.uuid,
            model: device.model.clone(),
            backend: device.backend.clone(),
            kind: device.kind,
            precision: Some(measurement.request.precision).filter(|_| !copies),
            accumulate: measurement.request.accumulate,
            method: measurement.request.work.method(),
            implementation: None,
            m: shape.map(|shape| shape.m()),
            n: shape.map(|shape| shape.n()),
            k: shape.map(|shape| shape.k()),
            input,
            outcome: measurement.result.name(),
            rate_op_per_s: None,
            rate_low_op_per_s: None,
            rate_high_op_per_s: None,
            burst_op_per_s: None,
            theoretical_op_per_s: None,
            theoretical_basis: None,
            efficiency: None,
            clock_hz: None,
            power_w: None,
            steady: None,
            verified: None,
            reason: None,
        }
    }

    fn fill(&mut self, measurement: &Measurement, measured: &Measured) {
        self.accumulate = Some(measured.implementation.accumulate).filter(|_| !measured.is_copy());
        self.implementation = Some(measured.implementation.name.clone());
        if let Some(headline) = measured.headline() {
            let rate = headline.statistics.rate_op_per_s;
            self.rate_op_per_s = Some(rate.median);
            self.rate_low_op_per_s = Some(rate.low);
            self.rate_high_op_per_s = Some(rate.high);
        }
        self.burst_op_per_s = measured.burst();
        if let (Some(efficiency), _) = efficiency(&measurement.device, measured) {
            self.theoretical_op_per_s = Some(efficiency.theoretical);
            self.theoretical_basis = Some(efficiency.basis.name());
            self.efficiency = Some(efficiency.ratio);
        }
        self.clock_hz = measured.clock();
        self.power_w = measured.power();
        self.steady = Some(measured.is_steady());
        self.verified = Some(measured.is_verified());
        let findings: Vec<_> = measured.findings.iter().map(|finding| finding.message.as_str()).collect();
        let copied = measured.bandwidth().map(|copied| {
            let rate = copied.rate_byte_per_s.median;
            format!(
                "copied {rate}, read plus written: see bandwidth.csv and the copies of the summary in JSON"
            )
        });
        let findings: Vec<_> = copied.as_deref().into_iter().chain(findings).collect();
        self.reason = Some(findings.join("; ")).filter(|text| !text.is_empty());
    }
}

/// The summary of a run as `--json` prints it, kind `summary/1`.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Summary {
    /// `flopgauge.summary/1`.
    pub format: &'static str,
    /// Directory of the record.
    pub record: String,
    /// One row per outcome.
    pub rows: Vec<Row>,
    /// One row per copy, in bytes; absent where nothing was copied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyRow>,
    /// Devices that are slower than others of their model; absent where none is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stragglers: Vec<Straggler>,
}

impl Summary {
    /// Kind and version.
    pub const KIND: &'static str = "summary/1";

    /// The summary of measurements that were recorded in `record`.
    pub fn of(measurements: &[Measurement], record: String) -> Self {
        let copies = measurements.iter().filter_map(CopyRow::of).collect();
        Self {
            format: "flopgauge.summary/1",
            record,
            rows: measurements.iter().map(Row::of).collect(),
            stragglers: stragglers(measurements),
            copies,
        }
    }
}

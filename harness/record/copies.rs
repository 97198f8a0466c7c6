//! `bandwidth.csv`: one row per copy, in bytes, where `summary.csv` has rates of operations alone.

use serde::Serialize;
use uuid::Uuid;

use super::Measurement;
use crate::device::DeviceKind;
use crate::measure::{Measured, Outcome, bandwidth_share};
use crate::units::{ByteRate, Bytes, Hertz, Ratio};
use crate::workload::Work;

/// One copy. The fields are the columns of `bandwidth.csv` in their order; an absent figure is empty or `null`.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct CopyRow {
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
    /// Implementation that was measured.
    pub implementation: Option<String>,
    /// Size of each of the two buffers.
    pub buffer_bytes: Bytes,
    /// What became of the case.
    pub outcome: &'static str,
    /// Median rate, bytes read plus bytes written.
    pub rate_byte_per_s: Option<ByteRate>,
    /// Low end of its 95 % interval.
    pub rate_low_byte_per_s: Option<ByteRate>,
    /// High end of its 95 % interval.
    pub rate_high_byte_per_s: Option<ByteRate>,
    /// Rate in the first window after idle.
    pub burst_byte_per_s: Option<ByteRate>,
    /// Bandwidth of the memory by the catalogue; empty where it does not have the device, or a cache was measured.
    pub theoretical_byte_per_s: Option<ByteRate>,
    /// Median rate over it.
    pub efficiency: Option<Ratio>,
    /// Last-level caches together, as told.
    pub cache_bytes: Option<Bytes>,
    /// Whether both buffers exceed the caches by so much that memory was measured; empty where the caches are not known.
    pub memory: Option<bool>,
    /// Median clock while sampling.
    pub clock_hz: Option<Hertz>,
    /// Whether nothing moved when sampling began.
    pub steady: Option<bool>,
    /// Whether the destination was checked, and right.
    pub verified: Option<bool>,
    /// Why there is no figure, or what a reader must know beside it.
    pub reason: Option<String>,
}

impl CopyRow {
    /// The row of a copy; `None` for what computes.
    pub fn of(measurement: &Measurement) -> Option<Self> {
        let Work::Copy { buffer_bytes } = measurement.request.work else { return None };
        let device = &measurement.device;
        let mut row = Self {
            device: device.id.clone(),
            uuid: device.uuid,
            model: device.model.clone(),
            backend: device.backend.clone(),
            kind: device.kind,
            implementation: None,
            buffer_bytes: buffer_bytes.bytes(),
            outcome: measurement.result.name(),
            rate_byte_per_s: None,
            rate_low_byte_per_s: None,
            rate_high_byte_per_s: None,
            burst_byte_per_s: None,
            theoretical_byte_per_s: None,
            efficiency: None,
            cache_bytes: None,
            memory: None,
            clock_hz: None,
            steady: None,
            verified: None,
            reason: measurement.result.reason().map(str::to_owned),
        };
        if let Outcome::Measured(measured) = &measurement.result {
            row.fill(measurement, measured);
        }
        Some(row)
    }

    fn fill(&mut self, measurement: &Measurement, measured: &Measured) {
        self.implementation = Some(measured.implementation.name.clone());
        if let Some(bandwidth) = measured.bandwidth() {
            self.rate_byte_per_s = Some(bandwidth.rate_byte_per_s.median);
            self.rate_low_byte_per_s = Some(bandwidth.rate_byte_per_s.low);
            self.rate_high_byte_per_s = Some(bandwidth.rate_byte_per_s.high);
        }
        self.burst_byte_per_s = measured.burst_bandwidth();
        if let (Some(share), _) = bandwidth_share(&measurement.device, measured) {
            self.theoretical_byte_per_s = Some(share.theoretical);
            self.efficiency = Some(share.ratio);
        }
        self.cache_bytes = measured.working_set.map(|set| set.cache_bytes);
        self.memory = measured.working_set.map(|set| set.is_memory());
        self.clock_hz = measured.clock();
        self.steady = Some(measured.is_steady());
        self.verified = Some(measured.is_verified());
        let findings: Vec<_> = measured.findings.iter().map(|finding| finding.message.as_str()).collect();
        self.reason = Some(findings.join("; ")).filter(|text| !text.is_empty());
    }
}

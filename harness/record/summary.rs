//! `summary.csv`: one row per outcome, derived from the record and never stored in its place.

use crate::measure::efficiency;
use crate::workload::Work;

use super::Measurement;

/// Columns of `summary.csv`, in order; a contract with readers.
pub const COLUMNS: [&str; 26] = [
    "device",
    "uuid",
    "model",
    "backend",
    "kind",
    "precision",
    "accumulate",
    "method",
    "implementation",
    "m",
    "n",
    "k",
    "input",
    "outcome",
    "rate_op_per_s",
    "rate_low_op_per_s",
    "rate_high_op_per_s",
    "burst_op_per_s",
    "theoretical_op_per_s",
    "theoretical_basis",
    "efficiency",
    "clock_hz",
    "power_w",
    "steady",
    "verified",
    "reason",
];

/// One row; an absent figure is empty, never zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(pub [String; COLUMNS.len()]);

impl Row {
    /// The row of a measurement.
    pub fn of(measurement: &Measurement) -> Self {
        let mut row = Self::default();
        let device = &measurement.device;
        row.set("device", &device.id);
        row.set("uuid", device.uuid);
        row.set("model", &device.model);
        row.set("backend", &device.backend);
        row.set("kind", device.kind);
        row.set("precision", measurement.request.precision);
        row.set("method", measurement.request.work.method());
        if let Work::Gemm { shape, input, .. } = measurement.request.work {
            row.set("m", shape.m());
            row.set("n", shape.n());
            row.set("k", shape.k());
            row.set("input", input);
        }
        row.set("outcome", measurement.result.name());
        match &measurement.result {
            crate::measure::Outcome::Measured(measured) => row.set_measured(measurement, measured),
            other => row.set("reason", other.reason().unwrap_or_default()),
        }
        row
    }

    fn set_measured(&mut self, measurement: &Measurement, measured: &crate::measure::Measured) {
        self.set("implementation", &measured.implementation.name);
        self.set("accumulate", measured.implementation.accumulate);
        if let Some(headline) = measured.headline() {
            let rate = headline.statistics.rate_op_per_s;
            self.set("rate_op_per_s", rate.median.get());
            self.set("rate_low_op_per_s", rate.low.get());
            self.set("rate_high_op_per_s", rate.high.get());
        }
        self.set_optional("burst_op_per_s", measured.burst().map(crate::units::OpRate::get));
        let (efficiency, _) = efficiency(&measurement.device, measured);
        if let Some(efficiency) = efficiency {
            self.set("theoretical_op_per_s", efficiency.theoretical.get());
            self.set("theoretical_basis", efficiency.basis.name());
            self.set("efficiency", efficiency.ratio.get());
        }
        self.set_optional("clock_hz", measured.clock().map(crate::units::Hertz::get));
        self.set_optional("power_w", measured.power().map(crate::units::Watts::get));
        self.set("steady", measured.is_steady());
        self.set("verified", measured.is_verified());
        let findings: Vec<_> = measured.findings.iter().map(|finding| finding.message.as_str()).collect();
        self.set("reason", findings.join("; "));
    }

    /// The text under a column.
    pub fn get(&self, column: &str) -> Option<&str> {
        let place = COLUMNS.iter().position(|name| *name == column)?;
        self.0.get(place).map(String::as_str)
    }

    fn set(&mut self, column: &str, value: impl ToString) {
        let place = COLUMNS.iter().position(|name| *name == column);
        if let Some(cell) = place.and_then(|place| self.0.get_mut(place)) {
            *cell = value.to_string();
        }
    }

    fn set_optional(&mut self, column: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.set(column, value);
        }
    }
}

//! The calibration annex: what was measured on which devices, whose names are hashed.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::FilingError;
use super::judged::sha256;
use crate::record::{Record, Row};
use crate::units::{OpRate, Ratio};
use crate::workload::Method;

/// One measured rate of one device in one number format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibratedRate {
    /// SHA-256 of the device's UUID.
    pub device_uuid_sha256: String,
    /// Model.
    pub model: String,
    /// Whether the device is real; only `hardware` says anything of hardware.
    pub kind: String,
    /// Driver and its version.
    pub driver: Option<String>,
    /// Format of the operands.
    pub precision: String,
    /// How the rate was obtained: a dense matrix product.
    pub method: String,
    /// Low end of the 95 % interval.
    pub rate_low_op_per_s: Option<OpRate>,
    /// Median of the sustained rate.
    pub rate_op_per_s: OpRate,
    /// High end of the 95 % interval.
    pub rate_high_op_per_s: Option<OpRate>,
    /// Theoretical dense peak.
    pub theoretical_op_per_s: Option<OpRate>,
    /// Median rate over the theoretical peak.
    pub ratio_to_peak: Option<Ratio>,
    /// Whether the values were checked, and right.
    pub verified: bool,
    /// Whether nothing moved while it was measured.
    pub steady: bool,
}

/// One record of measurements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Directory as written.
    pub record: String,
    /// SHA-256 of its measurements.
    pub measurements_sha256: String,
    /// Version of flopgauge that measured.
    pub version: String,
    /// Commit that it was built from.
    pub commit: Option<String>,
    /// Version of the measuring method.
    pub method_version: String,
    /// When it began.
    pub started: String,
    /// Drivers and libraries, as each backend tells.
    pub backends: Vec<String>,
    /// The greatest verified rate of each device and number format.
    pub rates: Vec<CalibratedRate>,
    /// What a reader must not overlook.
    pub warnings: Vec<String>,
}

impl Calibration {
    /// The annex entry of the record directory at `path`.
    ///
    /// Errors: [`FilingError::Record`] with file, line and key.
    pub(super) fn read(path: &Path, written: &str) -> Result<Self, FilingError> {
        let record = Record::read(path)?;
        let lines = path.join("measurements.jsonl");
        let text = crate::files::read_text(&lines, crate::files::TEXT_LIMIT)?;
        let mut rates: Vec<CalibratedRate> = Vec::new();
        for measurement in &record.measurements {
            let row = Row::of(measurement);
            let Some(rate) = row.rate_op_per_s.filter(|_| row.method == Method::Gemm) else { continue };
            keep_greatest(&mut rates, calibrated(&row, rate, measurement.device.driver.clone()));
        }
        let environment = record.environment;
        let mut warnings = Vec::new();
        if rates.is_empty() {
            warnings.push("the record holds no measured matrix product".to_owned());
        }
        if rates.iter().any(|rate| rate.kind != "hardware") {
            warnings.push("a device is no hardware: its rates say nothing of hardware".to_owned());
        }
        if rates.iter().any(|rate| !rate.verified || !rate.steady) {
            warnings.push("a rate is not verified, or was not steady".to_owned());
        }
        Ok(Self {
            record: written.to_owned(),
            measurements_sha256: sha256(text.as_bytes()),
            version: environment.version,
            commit: environment.commit,
            method_version: environment.method_version,
            started: environment.started.to_string(),
            backends: environment.backends.iter().map(|(name, said)| format!("{name}: {said}")).collect(),
            rates,
            warnings,
        })
    }
}

fn calibrated(row: &Row, rate: OpRate, driver: Option<String>) -> CalibratedRate {
    CalibratedRate {
        device_uuid_sha256: sha256(row.uuid.to_string().as_bytes()),
        model: row.model.clone(),
        kind: row.kind.name().to_owned(),
        driver,
        precision: row.precision.map(|precision| precision.to_string()).unwrap_or_default(),
        method: row.method.to_string(),
        rate_low_op_per_s: row.rate_low_op_per_s,
        rate_op_per_s: rate,
        rate_high_op_per_s: row.rate_high_op_per_s,
        theoretical_op_per_s: row.theoretical_op_per_s,
        ratio_to_peak: row.efficiency,
        verified: row.verified.unwrap_or(false),
        steady: row.steady.unwrap_or(false),
    }
}

fn keep_greatest(rates: &mut Vec<CalibratedRate>, new: CalibratedRate) {
    let same = |rate: &&mut CalibratedRate| {
        rate.device_uuid_sha256 == new.device_uuid_sha256 && rate.precision == new.precision
    };
    match rates.iter_mut().find(same) {
        Some(known) if known.rate_op_per_s.get() >= new.rate_op_per_s.get() => {}
        Some(known) => *known = new,
        None => rates.push(new),
    }
}

//! The fields of a calibrated profile that sums need; the rest of the file is left to the room that writes it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::figures::{DeviceFigures, Figures, FiguresError, declared_peaks};
use crate::files::{FileError, TEXT_LIMIT, parse_json, read_text};
use crate::precision::Precision;
use crate::units::{Estimate, ExactOpRate, OpRate};

/// Devices of a profile file.
#[derive(Debug, Clone, Default)]
pub struct ProfileFile(Vec<Figures>);

impl DeviceFigures for ProfileFile {
    fn find(&self, name: &str) -> Result<Option<Figures>, FiguresError> {
        Ok(self.0.iter().find(|figures| figures.name == name).cloned())
    }
}

#[derive(Deserialize)]
struct Content {
    devices: Vec<Profiled>,
}

#[derive(Deserialize)]
struct Profiled {
    model: String,
    precisions: Vec<InPrecision>,
}

#[derive(Deserialize)]
struct InPrecision {
    precision: Precision,
    theoretical_op_per_s: Option<ExactOpRate>,
    sustained_op_per_s: Option<Estimate<OpRate>>,
}

/// The devices of the profile at `path`.
///
/// Errors: [`FileError`] with file, line and key.
pub fn read_profile(path: &Path) -> Result<ProfileFile, FileError> {
    let name = path.display().to_string();
    let content: Content = parse_json(&name, &read_text(path, TEXT_LIMIT)?, "profile/1")?;
    let figures = content.devices.into_iter().map(|device| {
        let peaks = device.precisions.iter().filter_map(|p| Some((p.precision, p.theoretical_op_per_s?)));
        let peaks: BTreeMap<_, _> = peaks.collect();
        let mut figures = declared_peaks(&device.model, &format!("profile {name}"), &peaks);
        let measured = device.precisions.iter().filter_map(|p| Some((p.precision, p.sustained_op_per_s?)));
        figures.sustained = measured.map(|(p, rate)| (p, (rate.low, rate.median, rate.high))).collect();
        figures
    });
    Ok(ProfileFile(figures.collect()))
}

//! Calibrated profiles as figures for sums: the theoretical peak, and beside it the sustained rate.

use std::collections::BTreeMap;
use std::path::Path;

use super::figures::{DeviceFigures, Figures, FiguresError, declared_peaks};
use crate::profile::{DeviceProfile, ProfileError, Profiles};

/// Devices of a profile file.
#[derive(Debug, Clone, Default)]
pub struct ProfileFile(Vec<Figures>);

impl DeviceFigures for ProfileFile {
    fn find(&self, name: &str) -> Result<Option<Figures>, FiguresError> {
        Ok(self.0.iter().find(|figures| figures.name == name).cloned())
    }
}

/// The devices of the profiles at `path`.
///
/// Errors: [`ProfileError`] with file, line and key.
pub fn read_profile(path: &Path) -> Result<ProfileFile, ProfileError> {
    let source = format!("profile {}", path.display());
    let profiles = Profiles::read(path)?.profiles;
    Ok(ProfileFile(profiles.iter().map(|profile| figures(profile, &source)).collect()))
}

/// Of several rows of one precision, as of vector and of matrix units, the greatest figure counts.
fn figures(profile: &DeviceProfile, source: &str) -> Figures {
    let (mut peaks, mut sustained) = (BTreeMap::new(), BTreeMap::new());
    for row in &profile.precisions {
        if let Some(peak) = row.theoretical_op_per_s {
            let known = peaks.entry(row.precision).or_insert(peak);
            *known = peak.max(*known);
        }
        if let Some(rate) = row.sustained_op_per_s {
            let known = sustained.entry(row.precision).or_insert((rate.low, rate.median, rate.high));
            if rate.median > known.1 {
                *known = (rate.low, rate.median, rate.high);
            }
        }
    }
    let mut figures = declared_peaks(&profile.device.model, source, &peaks);
    figures.sustained = sustained;
    figures
}

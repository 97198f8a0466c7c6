//! Activities with what the calculators say of them: figures, determinations, and how each figure is known.

use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::FilingError;
use super::dual_use::{DualUse, read_dual_use};
use super::figures::{ClusterFigures, TrainingFigures};
use super::filer::{Activity, Filer, Limb};
use crate::cluster::{DeviceFigures, read_toml};
use crate::files::{FileError, TEXT_LIMIT, read_text};
use crate::threshold::{Determination, Rule, Verdict, judge_cluster, judge_training};
use crate::training::read_run;

/// A file that figures rest on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Path as written.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl InputFile {
    /// The file at `path`, named `written`.
    ///
    /// Errors: [`FileError`] when it cannot be read as text.
    pub fn of(path: &Path, written: &str) -> Result<Self, FileError> {
        let text = read_text(path, TEXT_LIMIT)?;
        Ok(Self { path: written.to_owned(), sha256: sha256(text.as_bytes()) })
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Figures of an activity.
#[derive(Debug, Clone, PartialEq)]
pub enum Figures {
    /// Of a training run.
    Training(Box<TrainingFigures>),
    /// Of a cluster.
    Cluster(Box<ClusterFigures>),
}

/// What the calculators say of one activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Whether it is above the limit.
    pub verdict: Verdict,
    /// Determinations of the rule.
    pub determinations: Vec<Determination>,
    /// Figures.
    pub figures: Figures,
    /// Result of the questionnaire of the dual-use test, where one is given.
    pub dual_use: Option<DualUse>,
    /// Files.
    pub inputs: Vec<InputFile>,
}

impl Judged {
    /// What an undetermined verdict depends on, in words.
    pub fn causes(&self) -> String {
        let mut causes: Vec<&str> = Vec::new();
        for cause in self.determinations.iter().flat_map(|found| &found.depends_on) {
            if !causes.contains(&cause.as_str()) {
                causes.push(cause);
            }
        }
        if causes.is_empty() { "what is not known".to_owned() } else { causes.join(", ") }
    }
}

/// Judges every activity of `filer` by `rule`.
///
/// Errors: [`FilingError`] that names the file which is wrong.
pub fn judge_all(
    filer: &Filer,
    rule: &Rule,
    devices: &dyn DeviceFigures,
    as_of: Date,
) -> Result<Vec<Judged>, FilingError> {
    let rules = std::slice::from_ref(rule);
    filer.activities.iter().map(|activity| judge(filer, activity, rules, devices, as_of)).collect()
}

fn judge(
    filer: &Filer,
    activity: &Activity,
    rules: &[Rule],
    devices: &dyn DeviceFigures,
    as_of: Date,
) -> Result<Judged, FilingError> {
    let path = &activity.file;
    let wrong = |error: &dyn std::fmt::Display| FilingError::Calculation {
        path: path.display().to_string(),
        message: error.to_string(),
    };
    let mut inputs = vec![InputFile::of(path, &activity.written)?];
    let (determinations, figures) = match activity.limb {
        Limb::TrainingRun => {
            let run = read_run(path, devices, None)?;
            let judged = judge_training(rules, &run, as_of).map_err(|error| wrong(&error))?;
            let figures = TrainingFigures::of(&run, &judged, devices).map_err(|error| wrong(&error))?;
            let found: Vec<_> = judged.into_iter().map(|judgement| judgement.determination).collect();
            (found, figures.map(|figures| Figures::Training(Box::new(figures))))
        }
        Limb::Cluster => {
            let topology = read_toml(path, devices)?;
            let judged = judge_cluster(rules, &topology, as_of).map_err(|error| wrong(&error))?;
            let figures = ClusterFigures::of(&topology, &judged).map_err(|error| wrong(&error))?;
            let found: Vec<_> = judged.into_iter().map(|judgement| judgement.determination).collect();
            (found, figures.map(|figures| Figures::Cluster(Box::new(figures))))
        }
    };
    let figures = figures.ok_or_else(|| wrong(&"the rule has no test that applies"))?;
    let dual_use = activity.dual_use.as_deref().map(read_dual_use).transpose()?;
    if let Some(path) = &activity.dual_use {
        inputs.push(InputFile::of(path, &shown(filer, path))?);
    }
    let verdict = determinations.iter().map(|found| found.verdict).fold(Verdict::NotMet, Verdict::or);
    Ok(Judged { verdict, determinations, figures, dual_use, inputs })
}

/// The path as it stands in the filer's file.
fn shown(filer: &Filer, path: &Path) -> String {
    let folder = Path::new(&filer.file).parent().unwrap_or(Path::new(""));
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

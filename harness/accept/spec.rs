//! What a node must show: the spec, kind `acceptance/1`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AcceptError, Baseline, Floor, Requirement, Wanted};
use crate::device::{Device, DeviceKind};
use crate::files::{FileError, TEXT_LIMIT, parse_toml, read_text};
use crate::precision::Precision;
use crate::units::{Bytes, Celsius};

/// How much of a node's time an acceptance may take.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Under thirty seconds, no heat: for a prolog or a health check.
    Smoke,
    /// Minutes of load, on a node that nobody else uses.
    Full,
}

impl Tier {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Full => "full",
        }
    }
}

/// A spec as its file holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// `flopgauge.acceptance/1`.
    pub format: String,
    /// What the node must have.
    #[serde(default)]
    pub node: NodeNeeds,
    /// What its devices must reach; each device needs at least one that covers it.
    #[serde(default, rename = "require")]
    pub requirements: Vec<Requirement>,
    /// What must not happen meanwhile.
    #[serde(default)]
    pub limits: Limits,
    /// SHA-256 of the file, in hexadecimal.
    #[serde(skip)]
    pub sha256: String,
    /// The baselines that it names, by the names that it gives them.
    #[serde(skip)]
    pub baselines: BTreeMap<PathBuf, KnownGood>,
}

/// A baseline that was read for a spec.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownGood {
    /// What it holds.
    pub baseline: Baseline,
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
}

/// What a node must have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NodeNeeds {
    /// Least number of devices.
    pub devices: usize,
    /// Kinds of device that may pass: only `hardware` unless a test says otherwise.
    pub kinds: Vec<DeviceKind>,
}

impl Default for NodeNeeds {
    fn default() -> Self {
        Self { devices: 1, kinds: vec![DeviceKind::Hardware] }
    }
}

/// What must not happen while a node is measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Highest temperature; without it none is asked for.
    pub max_temperature_c: Option<Celsius>,
    /// Whether slowing down is accepted. Where it is not, a device must also tell of it; only NVML does. The cap on
    /// power and clocks that somebody set are no slowing down.
    pub allow_throttle: bool,
    /// Most memory of a device that others may hold; without it none is asked for.
    pub max_foreign_memory_bytes: Option<Bytes>,
}

/// Formats that a look of a few seconds prefers, the first that has a peak.
const SMOKE_ORDER: [Precision; 5] =
    [Precision::Bf16, Precision::Fp16, Precision::Fp32, Precision::Fp64, Precision::Int8];

impl Spec {
    /// Kind and version.
    pub const KIND: &'static str = "acceptance/1";

    /// The spec that needs no file.
    ///
    /// Errors: [`AcceptError::Builtin`].
    pub fn builtin() -> Result<Self, AcceptError> {
        let text = include_str!("specs/default.toml");
        Self::parse("default", text).map_err(|error| AcceptError::Builtin(error.to_string()))
    }

    /// Reads a spec; the baselines that it names are not opened here.
    ///
    /// Errors: [`AcceptError::File`] with line and key.
    pub fn read(path: &Path) -> Result<Self, AcceptError> {
        let (name, text) = (path.display().to_string(), read_text(path, TEXT_LIMIT)?);
        let mut spec = Self::parse(&name, &text)?;
        for need in &spec.requirements {
            let Floor::Baseline { file, .. } = &need.floor else { continue };
            let place = path.parent().map_or_else(|| file.clone(), |folder| folder.join(file));
            let known = read_text(&place, TEXT_LIMIT).map_err(|error| {
                let at = text.find(&*file.to_string_lossy()).unwrap_or(0);
                FileError::content_at(&name, &text, at, format!("baseline: {error}"))
            })?;
            let baseline = Baseline::read(&place)?;
            spec.baselines.insert(file.clone(), KnownGood { baseline, sha256: sha256(&known) });
        }
        Ok(spec)
    }

    fn parse(name: &str, text: &str) -> Result<Self, AcceptError> {
        let mut spec: Self = parse_toml(name, text, Self::KIND).map_err(|error| named(error, text))?;
        let at = |key: &str, message: &str| {
            let offset =
                text.lines().take_while(|line| !line.trim_start().starts_with(key)).map(|l| l.len() + 1);
            FileError::content_at(
                name,
                text,
                offset.sum::<usize>().min(text.len()),
                format!("{key}: {message}"),
            )
        };
        if spec.requirements.is_empty() {
            return Err(at("[[require]]", "there is none, so nothing could ever pass").into());
        }
        if spec.node.devices == 0 {
            return Err(at("devices", "a node needs at least one device").into());
        }
        if spec.node.kinds.is_empty() {
            return Err(at("kinds", "at least one kind, as in [\"hardware\"]").into());
        }
        spec.sha256 = sha256(text);
        Ok(spec)
    }

    /// The baseline of a requirement; `None` where it has another floor, or nobody read it.
    fn known_good(&self, requirement: &Requirement) -> Option<&KnownGood> {
        match &requirement.floor {
            Floor::Baseline { file, .. } => self.baselines.get(file),
            Floor::MinFractionOfTheoretical(_) | Floor::MinOpPerS(_) => None,
        }
    }

    /// The cases that a device is to be measured in.
    pub fn wanted(&self, device: &Device, tier: Tier) -> Vec<Wanted<'_>> {
        let covering = self.requirements.iter().filter(|need| need.device.matches(&device.model));
        covering
            .flat_map(|requirement| {
                let known_good = self.known_good(requirement);
                let of_baseline = |precision: &Precision| {
                    let rates = known_good.iter().flat_map(|known| &known.baseline.rates);
                    rates.into_iter().any(|rate| {
                        (&rate.model, &rate.backend) == (&device.model, &device.backend)
                            && (rate.method, rate.precision) == (requirement.method, *precision)
                    })
                };
                let of_peaks =
                    |precision: &Precision| device.peaks.iter().any(|peak| peak.precision == *precision);
                let precisions = match (requirement.precision, known_good) {
                    (Some(precision), _) => vec![precision],
                    (None, Some(_)) => formats(tier, of_baseline),
                    (None, None) => formats(tier, of_peaks),
                };
                precisions.into_iter().map(move |precision| Wanted {
                    precision,
                    requirement,
                    known_good,
                    limits: &self.limits,
                })
            })
            .collect()
    }
}

/// Formats of which something is known; one of them for a short look, and one to say "unknown" with where there is
/// none.
fn formats(tier: Tier, has: impl Fn(&Precision) -> bool) -> Vec<Precision> {
    let all: Vec<Precision> = Precision::ALL.into_iter().filter(&has).collect();
    match tier {
        _ if all.is_empty() => vec![Precision::Fp32],
        Tier::Full => all,
        Tier::Smoke => {
            let first = SMOKE_ORDER.into_iter().find(has).or_else(|| all.first().copied());
            first.into_iter().collect()
        }
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The error with the key of its line, where the message does not name it.
fn named(error: FileError, text: &str) -> FileError {
    let FileError::Content { path, line, column, message } = error else { return error };
    let source = text.lines().nth(line.saturating_sub(1)).unwrap_or("");
    let key = source.split('=').next().unwrap_or("").trim();
    let message = if key.is_empty() || message.contains(key) { message } else { format!("{key}: {message}") };
    FileError::Content { path, line, column, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "format = \"flopgauge.acceptance/1\"\n";

    fn refused(rest: &str) -> String {
        Spec::parse("s.toml", &format!("{HEAD}{rest}")).unwrap_err().to_string()
    }

    #[test]
    fn the_builtin_spec_is_read_and_accepts_hardware_alone() {
        let spec = Spec::builtin().unwrap();
        assert_eq!(spec.node.kinds, [DeviceKind::Hardware]);
        assert_eq!(spec.sha256.len(), 64);
    }

    #[test]
    fn a_wrong_spec_is_refused_with_line_and_key() {
        let good = "[[require]]\ndevice = \"*\"\nmin_op_per_s = 1e12\n";
        let text = refused(&format!("{good}max_trned = 0.1\n"));
        assert!(text.starts_with("s.toml:5:") && text.contains("max_trned"), "{text}");
        let text = refused("[[require]]\ndevice = \"*\"\nmin_op_per_s = \"fast\"\n");
        assert!(text.starts_with("s.toml:4:") && text.contains("min_op_per_s"), "{text}");
        let text = refused("[[require]]\ndevice = \"[\"\nmin_op_per_s = 1e12\n");
        assert!(text.contains("device"), "{text}");
        let text = refused(&format!("[node]\ndevices = 0\n{good}"));
        assert!(text.starts_with("s.toml:3:") && text.contains("devices"), "{text}");
    }

    #[test]
    fn a_value_that_cannot_be_meant_is_refused_with_its_own_line() {
        for (rest, at) in [
            ("min_op_per_s = 0\n", "s.toml:4:16: min_op_per_s: above 0"),
            ("min_op_per_s = -1.0\n", "s.toml:4:16: min_op_per_s: "),
            ("min_op_per_s = nan\n", "s.toml:4:16: min_op_per_s: "),
            ("min_fraction_of_theoretical = 1.5\n", "s.toml:4:31: min_fraction_of_theoretical: above 0"),
            ("min_op_per_s = 1e12\nmax_trend = 1.0\n", "s.toml:5:13: max_trend: above 0"),
            ("min_op_per_s = 1e12\nmax_spread_across_devices = 0\n", "s.toml:5:29: max_spread"),
            ("min_op_per_s = 1e12\nmethod = \"copy\"\n", "s.toml:5:10: method: a copy computes nothing"),
            ("min_op_per_s = 1e12\nprecision = \"fp23\"\n", "s.toml:5:13: precision: "),
            ("min_op_per_s = 1e12\n[limits]\nmax_temperature_c = \"hot\"\n", "s.toml:6:21: max_temp"),
            ("min_op_per_s = 1e12\n[limits]\nmax_foreign_memory_bytes = 1.5\n", "s.toml:6:28: max_foreign"),
            ("min_op_per_s = 1e12\n[node]\nkinds = [\"plastic\"]\n", "s.toml:6:10: kinds: "),
        ] {
            let text = refused(&format!("[[require]]\ndevice = \"*\"\n{rest}"));
            assert!(text.starts_with(at), "{text}");
        }
    }

    #[test]
    fn a_spec_that_asks_for_nothing_is_refused() {
        assert!(refused("").contains("[[require]]"));
        assert!(refused("[[require]]\ndevice = \"*\"\n").contains("exactly one of"));
        let two = "[[require]]\ndevice = \"*\"\nmin_op_per_s = 1e12\nbaseline = \"b.json\"\n";
        assert!(refused(two).contains("exactly one of"));
    }
}

//! Dense operations per clock and unit, by architecture and class: `rates/*.toml`, embedded.
//!
//! Compute capability alone does not fix a rate: `geforce` halves what `pro` does not, and a few parts are capped.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::files::parse_toml;
use crate::precision::{Accumulate, Precision};

use super::catalogue::{CatalogueError, Document, Documents};
use super::format::precision_named;
use super::{Evidence, Unit};

const FILES: [(&str, &str); 5] = [
    ("rates/amd.toml", include_str!("rates/amd.toml")),
    ("rates/apple.toml", include_str!("rates/apple.toml")),
    ("rates/cpu.toml", include_str!("rates/cpu.toml")),
    ("rates/intel.toml", include_str!("rates/intel.toml")),
    ("rates/nvidia.toml", include_str!("rates/nvidia.toml")),
];

/// Operations per clock and unit in one number format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// Format of the operands; `Fp8e4m3` stands for both 8-bit encodings.
    pub precision: Precision,
    /// Units that perform it.
    pub unit: Unit,
    /// Format of the sums, where the kinds of this program have it; a rate without one gives no peak.
    pub accumulate: Option<Accumulate>,
    /// Instructions that alone reach it: `packed`, `block-scaled`.
    pub variant: Option<String>,
    /// Dense operations per clock and unit; a multiply-accumulate is two.
    pub ops_per_clock: u64,
    /// The table's word for the unit: `cuda`, `tensor`, `mfma`, `AVX2 2x256 FMA`.
    pub engine: String,
    /// Where it comes from.
    pub source: Option<Document>,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader must know.
    pub note: Option<String>,
}

impl Rate {
    /// Title and address of the source in one line, for a derived peak.
    pub fn source_line(&self) -> String {
        let source = self.source.as_ref().map(|document| format!("{} <{}>", document.title, document.url));
        source.unwrap_or_else(|| format!("rate {}, no source at hand", self.evidence))
    }
}

/// The rates of one class of one architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Maker, or instruction set for a CPU.
    pub vendor: String,
    /// `9.0`, `gfx942`, `Xe-HPC`, `Zen 4`.
    pub architecture: String,
    /// Other names that it goes by.
    pub names: Vec<String>,
    /// `all`, `pro`, `geforce`, or the one part that it holds for.
    pub class: String,
    /// What is counted: `SM`, `CU`, `core`.
    pub unit_kind: String,
    /// The class has matrix rates of its own, so that of `all` only the vector units hold.
    pub own_matrix_rates: bool,
    /// A format that is not listed may still exist.
    pub incomplete: bool,
    /// The rates.
    pub rates: Vec<Rate>,
}

/// Every rate that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: String,
    source: Documents,
    group: Vec<FileGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileGroup {
    vendor: String,
    architecture: String,
    #[serde(default)]
    names: Vec<String>,
    rate_class: String,
    unit_kind: String,
    #[serde(default)]
    own_matrix_rates: bool,
    #[serde(default)]
    incomplete: bool,
    rates: Vec<FileRate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRate {
    precision: String,
    unit: Unit,
    accumulate: Option<Accumulate>,
    variant: Option<String>,
    ops_per_clock: u64,
    engine: String,
    source: Option<String>,
    evidence: Evidence,
    note: Option<String>,
}

static BUILTIN: LazyLock<Result<Rates, String>> = LazyLock::new(|| load().map_err(|e| e.to_string()));

fn load() -> Result<Rates, CatalogueError> {
    let mut groups = Vec::new();
    for (name, text) in FILES {
        groups.extend(read(name, text)?);
    }
    Ok(Rates { groups })
}

fn read(name: &str, text: &str) -> Result<Vec<Group>, CatalogueError> {
    let file: File = parse_toml(name, text, "rates/1")?;
    let rate = |row: FileRate, group: &str| -> Result<Rate, CatalogueError> {
        let wrong = |what: String| CatalogueError::entry(name, group, what);
        let precision = precision_named(&row.precision)
            .ok_or_else(|| wrong(format!("unknown precision '{}'", row.precision)))?;
        if row.ops_per_clock == 0 {
            return Err(wrong(format!("{} has no operations per clock", row.precision)));
        }
        let source = file.source.resolve(row.source.as_deref(), row.evidence).map_err(&wrong)?;
        Ok(Rate {
            precision,
            unit: row.unit,
            accumulate: row.accumulate,
            variant: row.variant,
            ops_per_clock: row.ops_per_clock,
            engine: row.engine,
            source,
            evidence: row.evidence,
            note: row.note,
        })
    };
    let group = |group: FileGroup| -> Result<Group, CatalogueError> {
        let rates = group.rates.into_iter().map(|row| rate(row, &group.architecture));
        Ok(Group {
            rates: rates.collect::<Result<_, _>>()?,
            vendor: group.vendor,
            architecture: group.architecture,
            names: group.names,
            class: group.rate_class,
            unit_kind: group.unit_kind,
            own_matrix_rates: group.own_matrix_rates,
            incomplete: group.incomplete,
        })
    };
    file.group.into_iter().map(group).collect()
}

impl Rates {
    /// The rates that the program carries.
    ///
    /// Errors: [`CatalogueError::Builtin`] when an embedded file is defective.
    pub fn builtin() -> Result<&'static Self, CatalogueError> {
        BUILTIN.as_ref().map_err(|text| CatalogueError::Builtin(text.clone()))
    }

    /// Every group, in the order of the files.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The groups of an architecture, by its name or another name of it (`9.0`, `sm_90`, `Zen 3`).
    pub fn of_architecture(&self, name: &str) -> Vec<&Group> {
        let wanted = plain(name);
        let named = |group: &&Group| {
            group.names.iter().chain([&group.architecture]).any(|name| name.to_lowercase() == wanted)
        };
        self.groups.iter().filter(named).collect()
    }

    /// The rates that hold for a class of an architecture: its own first, then those of `all` that its own lack.
    pub fn applicable(&self, architecture: &str, class: &str) -> Vec<&Rate> {
        let groups = self.of_architecture(architecture);
        let own: Vec<_> = groups.iter().filter(|g| g.class.eq_ignore_ascii_case(class)).collect();
        let capped = own.iter().any(|group| group.own_matrix_rates);
        let mut found: Vec<&Rate> = own.iter().flat_map(|group| &group.rates).collect();
        if class.eq_ignore_ascii_case("all") {
            return found;
        }
        let shared = groups.iter().filter(|group| group.class == "all").flat_map(|group| &group.rates);
        for rate in shared.filter(|rate| !capped || rate.engine == "cuda") {
            if !found.iter().any(|own| own.same_kind(rate)) {
                found.push(rate);
            }
        }
        found
    }

    /// The rate of plain instructions for one number format.
    pub fn find(
        &self,
        (architecture, class): (&str, &str),
        precision: Precision,
        unit: Unit,
        accumulate: Option<Accumulate>,
    ) -> Option<&Rate> {
        self.applicable(architecture, class).into_iter().find(|rate| {
            rate.variant.is_none()
                && rate.precision == precision
                && rate.unit == unit
                && rate.accumulate == accumulate
        })
    }
}

impl Rate {
    fn same_kind(&self, other: &Self) -> bool {
        self.precision == other.precision
            && self.unit == other.unit
            && self.accumulate == other.accumulate
            && self.variant == other.variant
    }
}

/// `sm_90a`, `sm90`, `compute_90` and `9.0` are one architecture, as are `gfx942` and `gfx942:sramecc+:xnack-`.
pub(super) fn plain(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let lower = lower.split_once(':').map_or(lower.as_str(), |(name, _)| name).to_owned();
    let digits = lower.strip_prefix("sm_").or_else(|| lower.strip_prefix("compute_"));
    let digits = digits.or_else(|| lower.strip_prefix("sm")).unwrap_or("");
    let digits = digits.trim_end_matches(['a', 'f']);
    if digits.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let (major, minor) = digits.split_at(digits.len() - 1);
        return format!("{major}.{minor}");
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_of_the_table_is_there_with_its_evidence() {
        let rates: Vec<_> = Rates::builtin().unwrap().groups().iter().flat_map(|g| &g.rates).collect();
        let count = |evidence| rates.iter().filter(|rate| rate.evidence == evidence).count();
        assert_eq!(rates.len(), 231);
        assert_eq!(
            [Evidence::Read, Evidence::Derived, Evidence::Recalled].map(count),
            [173, 21, 37],
            "read, derived, recalled"
        );
        let without: Vec<_> = rates.iter().filter(|rate| rate.accumulate.is_none()).collect();
        assert_eq!(without.len(), 1, "only bf16 on CUDA cores sums in a format that has no name here");
    }

    #[test]
    fn no_class_gives_two_rates_for_one_kind() {
        let rates = Rates::builtin().unwrap();
        for group in rates.groups() {
            let found = rates.applicable(&group.architecture, &group.class);
            for (place, rate) in found.iter().enumerate() {
                assert!(!found[..place].iter().any(|o| o.same_kind(rate)), "{} {rate:?}", group.architecture);
            }
        }
    }

    #[test]
    fn geforce_halves_and_capped_parts_keep_their_own_matrix_rates() {
        let rates = Rates::builtin().unwrap();
        let bf16 = |arch, class| {
            rates
                .find((arch, class), Precision::Bf16, Unit::Matrix, Some(Accumulate::Fp32))
                .map(|r| r.ops_per_clock)
        };
        assert_eq!(bf16("8.9", "pro"), Some(1024));
        assert_eq!(bf16("sm_89", "geforce"), Some(512));
        assert_eq!(bf16("9.0", "H20"), Some(1024));
        let fp64 = rates.find(("9.0", "H20"), Precision::Fp64, Unit::Matrix, Some(Accumulate::Fp64));
        assert!(fp64.is_none(), "H20 does not inherit the matrix rates of its architecture");
        let int8 = rates.find(("8.6", "pro"), Precision::Int8, Unit::Matrix, Some(Accumulate::Int32));
        assert_eq!(int8.map(|r| r.ops_per_clock), Some(2048), "inherited from class all");
    }

    #[test]
    fn an_architecture_goes_by_the_names_that_drivers_and_compilers_use() {
        for name in ["sm_90", "sm_90a", "SM90", "compute_90", "9.0", " 9.0 "] {
            assert_eq!(plain(name), "9.0");
        }
        assert_eq!(plain("sm_100f"), "10.0");
        assert_eq!(plain("sm_120a"), "12.0");
        assert_eq!(plain("gfx942:sramecc+:xnack-"), "gfx942");
        assert_eq!(plain("Zen 4"), "zen 4");
        assert_eq!(Rates::builtin().unwrap().of_architecture("Granite Rapids").len(), 2);
    }
}

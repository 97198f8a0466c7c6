//! Strict reader of `cpu.toml`: an unknown key, a missing source or a repeated rate is an error.

use crate::backend::cpu::error::CpuError;
use crate::backend::cpu::isa::Isa;
use crate::precision::Precision;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const FORMAT: &str = "flopgauge.cpu-throughput/1";

/// How a figure came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Read in the source.
    Read,
    /// Calculated from what the source says.
    Derived,
    /// From memory, without a source.
    Recalled,
    /// By the issue kernels: what a core did, not a promise.
    Measured,
}

impl Evidence {
    /// Whether the figure itself was measured, so that an efficiency against it would say nothing.
    #[must_use]
    pub const fn is_circular(self) -> bool {
        matches!(self, Self::Measured)
    }
}

impl From<Evidence> for crate::device::Evidence {
    fn from(evidence: Evidence) -> Self {
        match evidence {
            Evidence::Read => Self::Read,
            Evidence::Derived => Self::Derived,
            // Not shown as a peak at all; were it, it would have no source outside.
            Evidence::Recalled | Evidence::Measured => Self::Recalled,
        }
    }
}

/// Title and address of a source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Title.
    pub title: String,
    /// Address.
    pub url: String,
}

/// Throughput of one format with one instruction set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Format of the operands.
    pub precision: Precision,
    /// Instruction set.
    pub isa: Isa,
    /// **Unit**: operations per core cycle; a multiply-accumulate is two.
    pub op_per_cycle: u32,
    /// Key of the source in the table; absent where recalled.
    pub source: Option<String>,
    /// How it came to be known.
    pub evidence: Evidence,
}

/// A core that CPUID names by its model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Core {
    pub name: String,
    pub vendor: String,
    pub family: u32,
    pub models: Vec<(u32, u32)>,
    #[serde(default)]
    pub brand_has: Vec<String>,
    pub lacks: Vec<String>,
    pub rates: Vec<Rate>,
}

/// A kind of core that features alone give away.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inferred {
    pub name: String,
    pub vendor: String,
    pub has: Vec<String>,
    pub why: String,
    pub rates: Vec<Rate>,
}

/// The whole table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    format: String,
    /// Sources by key.
    pub sources: BTreeMap<String, Provenance>,
    #[serde(rename = "core")]
    pub(super) cores: Vec<Core>,
    pub(super) inferred: Vec<Inferred>,
}

/// The table that is compiled in.
///
/// **Errors**: `Table`, which a test rules out.
pub fn built_in() -> Result<Table, CpuError> {
    parse("cpu.toml", include_str!("cpu.toml"))
}

/// Reads a table; `name` is for the message.
///
/// **Errors**: `Table` with line and key.
pub fn parse(name: &str, text: &str) -> Result<Table, CpuError> {
    let wrong = |reason: String| CpuError::Table { table: name.into(), reason };
    let table: Table = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    check(&table).map_err(wrong)?;
    Ok(table)
}

fn check(table: &Table) -> Result<(), String> {
    if table.format != FORMAT {
        return Err(format!("format is {:?}, expected {FORMAT:?}", table.format));
    }
    let rows = table.cores.iter().map(|core| (&core.name, &core.rates));
    let rows = rows.chain(table.inferred.iter().map(|row| (&row.name, &row.rates)));
    for (name, rates) in rows {
        let mut seen = BTreeSet::new();
        for rate in rates {
            check_rate(table, rate).map_err(|reason| format!("{name}: {reason}"))?;
            if !seen.insert((rate.precision, rate.isa)) {
                return Err(format!("{name}: {:?} with {} stands twice", rate.precision, rate.isa.name()));
            }
        }
    }
    match table.cores.iter().find(|core| core.models.iter().any(|(low, high)| low > high)) {
        Some(core) => Err(format!("{}: a range of models runs backwards", core.name)),
        None => Ok(()),
    }
}

fn check_rate(table: &Table, rate: &Rate) -> Result<(), String> {
    if rate.op_per_cycle == 0 {
        return Err(format!("op_per_cycle of {:?} is 0", rate.precision));
    }
    match (&rate.source, rate.evidence) {
        (None, Evidence::Recalled) => Ok(()),
        (None, _) => Err(format!("{:?} with {} names no source", rate.precision, rate.isa.name())),
        (Some(key), _) if !table.sources.contains_key(key) => Err(format!("no source is called {key:?}")),
        (Some(_), _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "format = \"flopgauge.cpu-throughput/1\"\ninferred = []\n[sources.a]\ntitle = \"t\"\nurl = \"u\"\n";

    fn with_rates(rates: &str) -> String {
        format!(
            "{HEAD}[[core]]\nname = \"n\"\nvendor = \"v\"\nfamily = 1\nmodels = [[1, 2]]\nlacks = []\nrates = [{rates}]\n"
        )
    }

    fn reason(text: &str) -> String {
        parse("test", text).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_table_is_well_formed() {
        let table = built_in().unwrap();
        assert!(table.cores.len() > 10 && !table.inferred.is_empty());
    }

    #[test]
    fn a_well_formed_rate_is_accepted() {
        let rate =
            r#"{ precision = "fp32", isa = "avx512f", op_per_cycle = 64, source = "a", evidence = "read" }"#;
        assert!(parse("test", &with_rates(rate)).is_ok());
        assert!(reason(&with_rates(&format!("{rate}, {rate}"))).contains("stands twice"));
    }

    #[test]
    fn unknown_keys_sources_and_isas_are_refused() {
        for (rate, says) in [
            (r#"{ precision = "fp32", isa = "avx9", op_per_cycle = 64, evidence = "recalled" }"#, "avx9"),
            (
                r#"{ precision = "fp32", isa = "avx2", op_per_cycle = 64, evidence = "read" }"#,
                "names no source",
            ),
            (
                r#"{ precision = "fp32", isa = "avx2", op_per_cycle = 1, source = "b", evidence = "read" }"#,
                "\"b\"",
            ),
            (r#"{ precision = "fp32", isa = "avx2", op_per_cycle = 0, evidence = "recalled" }"#, "is 0"),
            (
                r#"{ precision = "fp32", isa = "avx2", op_per_cycle = 1, evidence = "recalled", flop = 2 }"#,
                "flop",
            ),
        ] {
            let reason = reason(&with_rates(rate));
            assert!(reason.contains(says), "{reason}");
        }
    }

    #[test]
    fn another_format_is_refused() {
        assert!(reason(&with_rates("").replace("throughput/1", "throughput/2")).contains("expected"));
    }
}

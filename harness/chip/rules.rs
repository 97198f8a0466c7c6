//! The dated rules, as data: `rules/*.toml`, embedded and read strictly.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::device::Evidence;
use crate::files::{FileError, parse_toml};
use crate::units::{Decimal, ExactOpRate};

/// Why the rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the built-in chip rules are defective: {0}")]
pub struct ChipRulesError(String);

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSource {
    /// Title and date.
    pub title: String,
    /// Address.
    pub url: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// Its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotation: Option<String>,
    /// Its sense, where its words are not at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paraphrase: Option<String>,
}

/// Conditions that hold together; absent ones hold always.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clause {
    pub tpp_at_least: Option<Decimal>,
    pub tpp_below: Option<Decimal>,
    pub density_at_least: Option<Decimal>,
    pub density_below: Option<Decimal>,
    pub interconnect_at_least_gb_s: Option<Decimal>,
}

/// A class, met when any of its clauses holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Class {
    pub name: String,
    pub any: Vec<Clause>,
}

/// How an application for a licence is reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Review {
    pub tpp_below: Decimal,
    pub memory_bandwidth_below_gb_s: Decimal,
    pub met: String,
    pub not_met: String,
}

/// One dated form of the rule; classes are tried in the order of the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub id: String,
    pub title: String,
    pub from: toml::value::Datetime,
    pub until: Option<toml::value::Datetime>,
    pub status: String,
    pub note: Option<String>,
    pub not_datacenter_below_tpp: Option<Decimal>,
    pub same_classes_as: Option<String>,
    pub source: RuleSource,
    #[serde(default)]
    pub class: Vec<Class>,
    pub review: Option<Review>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: String,
    rule: Vec<Rule>,
}

/// The limit on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterLimit {
    #[serde(rename = "format")]
    _format: String,
    pub id: String,
    pub limit_op_per_s: ExactOpRate,
    pub status: String,
    pub source: RuleSource,
}

/// Everything that a chip is judged by.
#[derive(Debug)]
pub(super) struct Rules {
    pub dated: Vec<Rule>,
    pub cluster: ClusterLimit,
}

static BUILTIN: LazyLock<Result<Rules, ChipRulesError>> =
    LazyLock::new(|| read(include_str!("rules/3a090.toml"), include_str!("rules/cluster-limit.toml")));

/// The rules that the program carries.
pub(super) fn builtin() -> Result<&'static Rules, ChipRulesError> {
    BUILTIN.as_ref().map_err(Clone::clone)
}

fn read(dated: &str, cluster: &str) -> Result<Rules, ChipRulesError> {
    let wrong = |error: FileError| ChipRulesError(error.to_string());
    let file: File = parse_toml("rules/3a090.toml", dated, "chip-rules/1").map_err(wrong)?;
    let cluster: ClusterLimit =
        parse_toml("rules/cluster-limit.toml", cluster, "cluster-limit/1").map_err(wrong)?;
    if cluster.limit_op_per_s == ExactOpRate::ZERO {
        return Err(ChipRulesError("the cluster limit is zero".to_owned()));
    }
    let mut dated = file.rule;
    for at in 0..dated.len() {
        let Some(rule) = dated.get(at) else { continue };
        let Some(other) = &rule.same_classes_as else { continue };
        let found = dated.iter().take(at).find(|earlier| earlier.id == *other);
        let found = found.ok_or_else(|| ChipRulesError(format!("{}: no earlier rule '{other}'", rule.id)))?;
        let (classes, note2) = (found.class.clone(), found.not_datacenter_below_tpp.clone());
        if let Some(rule) = dated.get_mut(at) {
            rule.class = classes;
            rule.not_datacenter_below_tpp = note2;
        }
    }
    for rule in &dated {
        let said = rule.source.quotation.is_some() || rule.source.paraphrase.is_some();
        let ordered = rule.until.as_ref().is_none_or(|until| rule.from.to_string() < until.to_string());
        if rule.class.is_empty() || rule.class.iter().any(|class| class.any.is_empty()) || !said || !ordered {
            return Err(ChipRulesError(format!("{}: no class, no words, or dates out of order", rule.id)));
        }
    }
    Ok(Rules { dated, cluster })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_read_strictly() {
        let (dated, cluster) = (include_str!("rules/3a090.toml"), include_str!("rules/cluster-limit.toml"));
        assert_eq!(read(dated, cluster).unwrap().dated.len(), 3);
        for (from, to) in [
            ("density_at_least", "density_atleast"),
            ("\"4800\"", "4800"),
            ("2023-11-17\nstatus = \"superseded", "2021-11-17\nstatus = \"superseded"),
            ("same_classes_as = \"3A090-2023\"", "same_classes_as = \"3A090-2024\""),
            ("quotation = \"TPP", "quotatoin = \"TPP"),
        ] {
            let text = dated.replacen(from, to, 1);
            assert_ne!(text, dated);
            assert!(read(&text, cluster).is_err(), "{to}");
        }
        assert!(read(dated, &cluster.replace("1e20", "0")).is_err());
    }
}

//! Which row of the table this processor is, and in words why.

use super::table::{Rate, Table};
use crate::backend::cpu::identity::Identity;
use crate::backend::cpu::isa::Isa;
use crate::precision::Precision;

/// Rates of a processor and how its row was found; no rates where none fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throughput {
    /// Name of the core; `None` where unknown.
    pub core: Option<String>,
    /// Why this row, or why none.
    pub basis: String,
    rates: Vec<Rate>,
}

impl Throughput {
    #[cfg(test)]
    /// Rate of a format with one instruction set; `None` where the table does not say.
    #[must_use]
    pub fn rate(&self, precision: Precision, isa: Isa) -> Option<&Rate> {
        self.rates.iter().find(|rate| rate.precision == precision && rate.isa == isa)
    }

    /// Highest rate of a format among the instruction sets that can be used.
    #[must_use]
    pub fn peak(&self, precision: Precision, usable: impl Fn(Isa) -> bool) -> Option<&Rate> {
        let rates = self.rates.iter().filter(|rate| rate.precision == precision && usable(rate.isa));
        rates.max_by_key(|rate| rate.op_per_cycle)
    }
}

/// Finds the row: by model, unless its features contradict it; then by features; else unknown, never a guess.
#[must_use]
pub fn lookup(table: &Table, identity: &Identity) -> Throughput {
    let said = said(identity);
    let (Some(vendor), Some(family), Some(model)) = (&identity.vendor, identity.family, identity.model)
    else {
        return unknown(format!("{said}: no row fits"));
    };
    let by_model: Vec<_> = table
        .cores
        .iter()
        .filter(|core| core.vendor == *vendor && core.family == family)
        .filter(|core| core.models.iter().any(|(low, high)| (*low..=*high).contains(&model)))
        .collect();
    let by_brand = by_model.iter().find(|core| {
        let brand = identity.brand.as_deref().unwrap_or_default();
        core.brand_has.is_empty() || core.brand_has.iter().any(|word| brand.contains(word.as_str()))
    });
    let doubt = match (by_brand, by_model.first()) {
        (Some(core), _) => match core.lacks.iter().find(|name| identity.features.contains(name.as_str())) {
            None => {
                let basis = format!("{said}, which is {}", core.name);
                return Throughput { core: Some(core.name.clone()), basis, rates: core.rates.clone() };
            }
            Some(name) => format!("{said}, which is {} and has no {name}, yet {name} is there", core.name),
        },
        (None, Some(core)) => format!("{said}: several kinds of core share this model ({}, ...)", core.name),
        (None, None) => format!("{said}: no such model in the table"),
    };
    inferred(table, identity, vendor, &doubt)
}

fn inferred(table: &Table, identity: &Identity, vendor: &str, doubt: &str) -> Throughput {
    let fits = |has: &[String]| has.iter().all(|name| identity.features.contains(name.as_str()));
    match table.inferred.iter().find(|row| row.vendor == vendor && fits(&row.has)) {
        Some(row) => Throughput {
            core: Some(row.name.clone()),
            basis: format!("{doubt}; inferred from {}: {} ({})", row.has.join(", "), row.name, row.why),
            rates: row.rates.clone(),
        },
        None => unknown(format!("{doubt}; features do not tell either")),
    }
}

fn unknown(basis: String) -> Throughput {
    Throughput { core: None, basis, rates: Vec::new() }
}

fn said(identity: &Identity) -> String {
    let number = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
    let vendor = identity.vendor.as_deref().unwrap_or("?");
    let teller = if identity.hypervisor { "the hypervisor says" } else { "CPUID says" };
    format!("{teller} {vendor} family {} model {}", number(identity.family), number(identity.model))
}

#[cfg(test)]
mod tests {
    use super::super::table::built_in;
    use super::*;

    fn identity(vendor: &str, family: u32, model: u32, features: &[&'static str]) -> Identity {
        Identity {
            vendor: Some(vendor.to_owned()),
            family: Some(family),
            model: Some(model),
            features: features.iter().copied().collect(),
            ..Identity::default()
        }
    }

    fn found(identity: &Identity) -> Throughput {
        lookup(&built_in().unwrap(), identity)
    }

    #[test]
    fn zen_3_is_found_by_its_model() {
        let zen3 = found(&identity("AuthenticAMD", 25, 1, &["avx2", "fma"]));
        assert_eq!(zen3.core.as_deref(), Some("Zen 3"));
        assert_eq!(zen3.rate(Precision::Fp32, Isa::Avx2Fma).unwrap().op_per_cycle, 32);
    }

    #[test]
    fn a_model_that_its_features_contradict_is_not_believed() {
        let features = ["avx2", "fma", "avx512f", "avx512_fp16", "amx_tile"];
        let masked = Identity { hypervisor: true, ..identity("GenuineIntel", 6, 167, &features) };
        let found = found(&masked);
        assert_eq!(found.core.as_deref(), Some("Sapphire Rapids or newer server core"));
        assert!(found.basis.contains("Rocket Lake") && found.basis.contains("yet"), "{}", found.basis);
        assert_eq!(found.rate(Precision::Fp32, Isa::Avx512f).unwrap().op_per_cycle, 64);
    }

    #[test]
    fn a_true_rocket_lake_keeps_its_row() {
        let found = found(&identity("GenuineIntel", 6, 167, &["avx2", "fma", "avx512f"]));
        assert_eq!(found.rate(Precision::Fp32, Isa::Avx512f).unwrap().op_per_cycle, 32);
    }

    #[test]
    fn parts_of_one_model_are_told_by_brand_or_not_at_all() {
        let named = |brand: &str| Identity {
            brand: Some(brand.to_owned()),
            ..identity("GenuineIntel", 6, 85, &["avx512f"])
        };
        let rate = |brand: &str| {
            found(&named(brand)).rate(Precision::Fp64, Isa::Avx512f).map(|rate| rate.op_per_cycle)
        };
        assert_eq!(rate("Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz"), Some(32));
        assert_eq!(rate("Intel(R) Xeon(R) Silver 4110 CPU @ 2.10GHz"), Some(16));
        assert_eq!(rate("Intel Xeon Processor (Skylake)"), None);
    }

    #[test]
    fn an_unknown_processor_has_no_rates_and_says_so() {
        for unknown in [found(&Identity::default()), found(&identity("CentaurHauls", 7, 59, &["avx512f"]))] {
            assert_eq!(unknown.core, None);
            assert!(unknown.peak(Precision::Fp32, |_| true).is_none());
            assert!(!unknown.basis.is_empty());
        }
    }

    #[test]
    fn the_peak_is_the_highest_of_the_usable_sets() {
        let spr = found(&identity("GenuineIntel", 6, 143, &["avx512f"]));
        assert_eq!(spr.peak(Precision::Fp32, |_| true).unwrap().isa, Isa::Avx512f);
        assert_eq!(spr.peak(Precision::Fp32, |isa| isa == Isa::Avx2Fma).unwrap().op_per_cycle, 32);
    }
}

//! What a chip is judged on: figures that its maker states, or that somebody declares.

use serde::{Deserialize, Serialize};

use crate::device::Evidence;
use crate::device::catalogue::{Entry, Market, SparsityStated};
use crate::precision::{Accumulate, Precision};
use crate::units::{Decimal, ExactOpRate, Interval};

/// How a figure is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Known {
    /// Read in a source.
    Read,
    /// Computed by formula.
    Derived,
    /// Recalled, without a source.
    Recalled,
    /// Declared by the user.
    Declared,
}

impl Known {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Derived => "derived",
            Self::Recalled => "recalled",
            Self::Declared => "declared",
        }
    }
}

/// A dense rate in one number format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Format of the operands; `Fp8e4m3` stands for both 8-bit encodings.
    pub precision: Precision,
    /// Format of the sums, where it is known.
    pub accumulate: Option<Accumulate>,
    /// Dense rate.
    pub rate: ExactOpRate,
    /// Range of the sources, where they conflict.
    pub range: Option<Interval<ExactOpRate>>,
    /// How it is known.
    pub known: Known,
}

/// Everything of a chip that the rules ask for. What is unknown is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Name of the chip.
    pub device: String,
    /// Dense rates.
    pub figures: Vec<Figure>,
    /// Area of the logic dies, in mm2.
    pub die_area_mm2: Option<Decimal>,
    /// Memory bandwidth, in GB/s.
    pub memory_bandwidth_gb_s: Option<Decimal>,
    /// Interconnect, both directions together, in GB/s.
    pub interconnect_gb_s: Option<Decimal>,
    /// Whether it is designed or marketed for data centres.
    pub datacenter: Option<bool>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

impl Figures {
    /// The figures of a catalogue entry, as its maker states them.
    pub fn of_entry(entry: &Entry) -> Self {
        let mut warnings = Vec::new();
        let dense = entry.rows.iter().filter(|row| row.sparsity != SparsityStated::Unknown);
        let figures = dense.map(|row| Figure {
            precision: row.precision,
            accumulate: Some(row.accumulate),
            rate: row.rate_op_per_s,
            range: row.range_op_per_s,
            known: match row.evidence {
                Evidence::Read => Known::Read,
                Evidence::Derived => Known::Derived,
                Evidence::Recalled => Known::Recalled,
            },
        });
        let figures: Vec<_> = figures.collect();
        if figures.len() < entry.rows.len() {
            warnings.push(format!(
                "{}: whether its figure counts skipped operations is not stated; it is left out",
                entry.name
            ));
        }
        if entry.die_area_mm2.is_some() {
            warnings.push("the die area has no recorded evidence of its own".to_owned());
        }
        if let Some(note) = entry.note.as_ref().filter(|_| entry.is_ambiguous()) {
            warnings.push(format!("conflicting sources: {note}"));
        }
        let datacenter = match entry.market {
            Market::Datacenter => Some(true),
            Market::Consumer => Some(false),
            Market::Workstation => None,
        };
        if datacenter != Some(true) {
            let market = if datacenter.is_none() { "workstations" } else { "consumers" };
            warnings.push(format!("sold to {market} (recalled); data-centre marketing changes the class"));
        }
        Self {
            device: entry.name.clone(),
            figures,
            die_area_mm2: entry.die_area_mm2.clone(),
            memory_bandwidth_gb_s: entry.bandwidth_gb_s.clone(),
            interconnect_gb_s: entry.interconnect_gb_s.clone(),
            datacenter,
            warnings,
        }
    }

    /// The figure whose rate times width is greatest, and that product in operations per second times bits.
    ///
    /// TF32 is left out: whether it is 19 or 32 bits wide is disputed. Among equal products full accumulation
    /// comes before half, wide before narrow, and floating point before integers.
    pub(super) fn governing(&self, rate: impl Fn(&Figure) -> ExactOpRate) -> Option<(&Figure, u128)> {
        let product = |f: &Figure| rate(f).get().checked_mul(u128::from(f.precision.bits()));
        let preferred = |f: &Figure| {
            let full = f.accumulate != Some(Accumulate::Fp16);
            (full, f.precision.bits(), !f.precision.is_integer(), std::cmp::Reverse(f.precision))
        };
        self.figures
            .iter()
            .filter(|figure| figure.precision != Precision::Tf32)
            .filter_map(|figure| Some((figure, product(figure)?)))
            .max_by(|a, b| a.1.cmp(&b.1).then_with(|| preferred(a.0).cmp(&preferred(b.0))))
    }
}

//! Theoretical dense peaks with where they come from. A figure published with sparsity is halved on the way in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::precision::{Accumulate, Precision};
use crate::units::ExactOpRate;

/// Which units perform the operations.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// SIMD units: FMA pipes, CUDA cores.
    Vector,
    /// Matrix units: tensor cores, MFMA, AMX, XMX.
    Matrix,
}

impl Unit {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vector => "vector",
            Self::Matrix => "matrix",
        }
    }
}

/// Whether a published figure counts operations that structured sparsity skips.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Sparsity {
    /// Every operation is performed.
    Dense,
    /// Two of four operands are zero and skipped; the figure counts twice what is performed.
    TwoOfFour,
}

/// Clock that a peak was computed at or is rated for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ClockBasis {
    /// The clock behind the maker's published figure.
    Rated,
    /// The highest clock that the device can be set to.
    MaximumBoost,
    /// The clock that was observed while measuring.
    Observed,
}

impl ClockBasis {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rated => "rated",
            Self::MaximumBoost => "maximum-boost",
            Self::Observed => "observed",
        }
    }
}

/// How well a figure from outside is known.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Read in the source that is named.
    Read,
    /// Computed by formula from figures of the source that is named.
    Derived,
    /// Remembered, without a source at hand; shown to the user as such.
    Recalled,
}

impl Evidence {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Derived => "derived",
            Self::Recalled => "recalled",
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where a theoretical peak comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", tag = "from", deny_unknown_fields)]
pub enum Provenance {
    /// A maker's document, or somebody's copy of it.
    Datasheet {
        /// Title of the document.
        title: String,
        /// Address, where there is one.
        url: Option<String>,
        /// How well the figure is known.
        evidence: Evidence,
    },
    /// Units x operations per clock and unit x clock.
    Derived {
        /// Number of units.
        units: u32,
        /// Dense operations per clock and unit.
        ops_per_clock: u64,
        /// Clock, in hertz.
        clock_hz: u64,
        /// Where operations per clock come from.
        source: String,
        /// How well they are known.
        evidence: Evidence,
    },
    /// Somebody's declaration.
    Declared {
        /// Who declared it.
        by: String,
    },
}

/// What a device could do at most, dense, in one number format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TheoreticalPeak {
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Units that perform it.
    pub unit: Unit,
    /// Dense rate; a sparse figure is halved by [`TheoreticalPeak::published`].
    pub rate_op_per_s: ExactOpRate,
    /// Clock that the rate holds at.
    pub clock_basis: ClockBasis,
    /// Where it comes from.
    pub provenance: Provenance,
    /// What a reader must know: the clock, a conflict of sources, instructions that alone reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl TheoreticalPeak {
    /// A published figure as a dense peak: one that counts skipped operations is halved.
    pub const fn published(
        precision: Precision,
        accumulate: Accumulate,
        unit: Unit,
        (rate, sparsity): (ExactOpRate, Sparsity),
        clock_basis: ClockBasis,
        provenance: Provenance,
    ) -> Self {
        let rate_op_per_s = match sparsity {
            Sparsity::Dense => rate,
            Sparsity::TwoOfFour => ExactOpRate::new(rate.get() / 2),
        };
        Self { precision, accumulate, unit, rate_op_per_s, clock_basis, provenance, note: None }
    }

    /// The same peak with a note.
    #[must_use]
    pub fn noted(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }

    /// Scales the peak to `reported` of `known` units.
    pub(super) fn scale(&mut self, reported: u32, known: u32) {
        let part = self.rate_op_per_s.get() * u128::from(reported) / u128::from(known.max(1));
        self.rate_op_per_s = ExactOpRate::new(part);
        if let Provenance::Derived { units, .. } = &mut self.provenance {
            *units = reported;
        }
        if reported != known {
            let before = self.note.take();
            let scaled = format!("{reported} of {known} units");
            self.note = Some(before.map_or_else(|| scaled.clone(), |note| format!("{note}; {scaled}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_published_with_sparsity_is_halved() {
        let peak = TheoreticalPeak::published(
            Precision::Bf16,
            Accumulate::Fp32,
            Unit::Matrix,
            ("1979e12".parse().unwrap(), Sparsity::TwoOfFour),
            ClockBasis::Rated,
            Provenance::Declared { by: "a datasheet".to_owned() },
        );
        assert_eq!(peak.rate_op_per_s.get(), 989_500_000_000_000);
    }
}

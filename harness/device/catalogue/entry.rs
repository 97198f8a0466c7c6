//! One device of the catalogue in memory: its facts, the rows as its maker states them, and its peaks.

use serde::{Deserialize, Serialize};

use super::Document;
use crate::device::{ClockBasis, Evidence, TheoreticalPeak, Unit};
use crate::precision::{Accumulate, Precision};
use crate::units::{Bytes, Decimal, ExactOpRate, Interval};

/// Whom a part is sold to; recalled from the makers' product lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Market {
    /// Designed or marketed for data centres.
    Datacenter,
    /// Sold for workstations.
    Workstation,
    /// Sold to consumers.
    Consumer,
}

/// What the source said of structured sparsity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SparsityStated {
    /// The figure is dense in the source.
    #[default]
    None,
    /// The source prints the 2:4 figure only; the row holds half of it.
    Halved,
    /// The source does not say; the row gives no dense peak.
    Unknown,
}

/// Where the clock behind a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockSource {
    /// The maker prints it.
    Published,
    /// Taken over from a sibling.
    Assumed,
    /// Solved from the figure itself, so that agreement with the formula shows nothing.
    BackComputed,
}

impl ClockSource {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Assumed => "assumed",
            Self::BackComputed => "back-computed",
        }
    }
}

/// One figure of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Row {
    /// Format of the operands; `fp8e4m3` stands for both 8-bit encodings.
    pub precision: Precision,
    /// Units that perform it.
    pub unit: Unit,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Dense rate.
    pub rate_op_per_s: ExactOpRate,
    /// What the source said of sparsity.
    pub sparsity: SparsityStated,
    /// Clock that the row is rated at, where it is not the device's highest.
    pub rated_clock_hz: Option<u64>,
    /// Where that clock comes from.
    pub rated_clock_basis: Option<ClockSource>,
    /// Where the figure comes from; a recalled or computed one has none.
    pub source: Option<Document>,
    /// How well it is known.
    pub evidence: Evidence,
    /// Range of the sources, where they conflict.
    pub range_op_per_s: Option<Interval<ExactOpRate>>,
    /// Why the figure stands apart from the formula.
    pub deviation: Option<String>,
    /// A cap by policy, which no formula gives.
    pub export_capped: bool,
    /// What a reader must know.
    pub note: Option<String>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Entry {
    /// Maker.
    pub vendor: String,
    /// Name, as its driver reports it where that is known.
    pub name: String,
    /// Other names of the same part.
    pub aliases: Vec<String>,
    /// PCI vendor and device, `10de:2330`.
    pub pci_ids: Vec<String>,
    /// Form factor.
    pub form_factor: String,
    /// Whom it is sold to.
    pub market: Market,
    /// Architecture: `9.0`, `gfx942`.
    pub architecture: Option<String>,
    /// Class of rates within the architecture.
    pub rate_class: Option<String>,
    /// Compute units.
    pub units: Option<u32>,
    /// What is counted.
    pub unit_kind: Option<String>,
    /// Highest clock, in hertz.
    pub boost_clock_hz: Option<u64>,
    /// Memory by the maker's label.
    pub memory_bytes: Option<Bytes>,
    /// Memory bandwidth in GB/s, exact.
    #[schemars(with = "Option<String>")]
    pub bandwidth_gb_s: Option<Decimal>,
    /// Power in watts.
    #[schemars(with = "Option<String>")]
    pub tdp_w: Option<Decimal>,
    /// Area of the logic dies in mm2.
    #[schemars(with = "Option<String>")]
    pub die_area_mm2: Option<Decimal>,
    /// Interconnect in GB/s, both directions together; zero where there is none.
    #[schemars(with = "Option<String>")]
    pub interconnect_gb_s: Option<Decimal>,
    /// What a reader must know.
    pub note: Option<String>,
    /// The figures, as the tables have them.
    pub rows: Vec<Row>,
    /// The peaks that follow from them.
    pub(in crate::device) peaks: Vec<TheoreticalPeak>,
    /// Peaks that packed or block-scaled instructions alone reach.
    pub(in crate::device) variants: Vec<TheoreticalPeak>,
}

/// Why a device's peaks cannot be scaled to the units that it reports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitsError {
    /// More units than the part has.
    #[error("{name} has {known} units and the device reports {reported}: it is another part")]
    TooMany {
        /// The entry.
        name: String,
        /// Units of the entry.
        known: u32,
        /// Units that the device reports.
        reported: u32,
    },
    /// The number of units is not known, or none is reported.
    #[error("{name} cannot be scaled: its number of units is unknown or none is reported")]
    Unknown {
        /// The entry.
        name: String,
    },
}

impl Entry {
    /// Every peak: as stated (rated clock) and by formula (highest clock), one per precision, unit, accumulate
    /// and clock basis. A figure whose sparsity is unknown is not among them.
    pub fn peaks(&self) -> Vec<TheoreticalPeak> {
        self.peaks.iter().chain(&self.variants).cloned().collect()
    }

    /// The greatest stated peak of a precision, over units and, with `None`, over accumulators; by formula at
    /// the highest clock where nothing is stated. Legal limits go by this one: it is what the maker says.
    pub fn peak(&self, precision: Precision, accumulate: Option<Accumulate>) -> Option<&TheoreticalPeak> {
        let greatest = |basis| {
            matching(&self.peaks, precision, accumulate)
                .filter(|peak| peak.clock_basis == basis)
                .max_by_key(|peak| peak.rate_op_per_s)
        };
        greatest(ClockBasis::Rated).or_else(|| greatest(ClockBasis::MaximumBoost))
    }

    /// The peak to hold a measurement against: the stated one, or the formula at the highest clock where the
    /// stated figure is out of that clock's reach by more than its rounding (1 %).
    pub fn headline(&self, precision: Precision, accumulate: Option<Accumulate>) -> Option<&TheoreticalPeak> {
        let stated = self.peak(precision, accumulate)?;
        let capped = matching(&self.peaks, precision, Some(stated.accumulate))
            .find(|peak| peak.clock_basis == ClockBasis::MaximumBoost && peak.unit == stated.unit);
        let beyond =
            |formula: &&TheoreticalPeak| stated.rate_op_per_s.get() * 100 > formula.rate_op_per_s.get() * 101;
        Some(capped.filter(beyond).unwrap_or(stated))
    }

    /// The rate that no measurement can pass: the greatest of the stated figure and the formula at the highest
    /// clock, block-scaled instructions included.
    pub fn ceiling(&self, precision: Precision, accumulate: Option<Accumulate>) -> Option<ExactOpRate> {
        let all = [&self.peaks, &self.variants];
        all.into_iter()
            .flat_map(|peaks| matching(peaks, precision, accumulate))
            .map(|p| p.rate_op_per_s)
            .max()
    }

    /// The range of a precision's conflicting sources, where they conflict.
    pub fn range(&self, precision: Precision) -> Option<Interval<ExactOpRate>> {
        let wanted = crate::device::format::table_name(precision);
        let same = |row: &&Row| crate::device::format::table_name(row.precision) == wanted;
        let greatest = self.rows.iter().filter(same).max_by_key(|row| row.rate_op_per_s)?;
        greatest.range_op_per_s
    }

    /// Whether the sources of this device conflict or leave out what a figure rests on.
    pub fn is_ambiguous(&self) -> bool {
        self.rows.iter().any(|row| row.range_op_per_s.is_some() || row.sparsity == SparsityStated::Unknown)
    }

    /// This device with the units that are really there: half an MI250X, one of eight partitions of an MI300X.
    ///
    /// Errors: [`UnitsError`] when the device reports more units than the part has, or nothing is known.
    pub fn with_units(&self, reported: u32) -> Result<Self, UnitsError> {
        let name = || self.name.clone();
        let known = self.units.filter(|_| reported > 0);
        let known = known.ok_or_else(|| UnitsError::Unknown { name: name() })?;
        if reported > known {
            return Err(UnitsError::TooMany { name: name(), known, reported });
        }
        let scale =
            |rate: ExactOpRate| ExactOpRate::new(rate.get() * u128::from(reported) / u128::from(known));
        let mut scaled = self.clone();
        scaled.units = Some(reported);
        for row in &mut scaled.rows {
            row.rate_op_per_s = scale(row.rate_op_per_s);
            row.range_op_per_s = row
                .range_op_per_s
                .and_then(|range| Interval::new(scale(range.low()), scale(range.high())).ok());
        }
        for peak in scaled.peaks.iter_mut().chain(&mut scaled.variants) {
            peak.scale(reported, known);
        }
        Ok(scaled)
    }
}

fn matching(
    peaks: &[TheoreticalPeak],
    precision: Precision,
    accumulate: Option<Accumulate>,
) -> impl Iterator<Item = &TheoreticalPeak> {
    peaks.iter().filter(move |peak| {
        peak.precision == precision && accumulate.is_none_or(|wanted| peak.accumulate == wanted)
    })
}

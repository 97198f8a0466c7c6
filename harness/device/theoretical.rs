//! Theoretical peaks by formula: units x dense operations per clock and unit x clock.
//!
//! The highest clock that a driver reports lies above the clock behind the matrix figures of several parts, so
//! that the product passes the datasheet by 3 to 16 %: each peak names its clock.

mod judge;

use super::catalogue::{Catalogue, Entry, Match, Query, Row, SparsityStated, UnitsError};
use super::format::{encodings, range_text};
use super::rates::{Group, Rate, Rates, plain};
use super::{ClockBasis, Evidence, Provenance, TheoreticalPeak};
use crate::units::ExactOpRate;

pub use judge::judge;

/// Why no peak can be derived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeriveError {
    /// Nothing is known of the architecture.
    #[error("no rates are known for architecture '{name}'; known are {known}")]
    UnknownArchitecture {
        /// The architecture as given.
        name: String,
        /// Those that are known.
        known: String,
    },
    /// The architecture has several classes and none, or none of them, was named.
    #[error("architecture '{name}' has rates for the classes {known}; {given}")]
    Class {
        /// The architecture as given.
        name: String,
        /// Its classes.
        known: String,
        /// What was given, and what to do.
        given: String,
    },
    /// No units, no clock, or a product that no number holds.
    #[error("{units} units at {clock_hz} Hz give no rate")]
    Nothing {
        /// Units as given.
        units: u32,
        /// Clock as given.
        clock_hz: u64,
    },
    /// The catalogue cannot be used.
    #[error("{0}")]
    Catalogue(String),
}

/// The dense peaks of `units` units of an architecture at a clock, taken as the highest that can be set.
///
/// Errors: [`DeriveError`] when the architecture or its class is unknown, or there is nothing to multiply.
pub fn derive(
    architecture: &str,
    units: u32,
    clock_hz: u64,
    rate_class: Option<&str>,
) -> Result<Vec<TheoreticalPeak>, DeriveError> {
    derive_at(architecture, units, (clock_hz, ClockBasis::MaximumBoost), rate_class)
}

/// The same at a clock of the given basis: rated, highest, or observed while measuring.
///
/// Errors: as [`derive()`].
pub fn derive_at(
    architecture: &str,
    units: u32,
    clock: (u64, ClockBasis),
    rate_class: Option<&str>,
) -> Result<Vec<TheoreticalPeak>, DeriveError> {
    let rates = Rates::builtin().map_err(|error| DeriveError::Catalogue(error.to_string()))?;
    let class = class_of(rates, architecture, rate_class)?;
    let found = rates.applicable(architecture, &class);
    let (mut plain, variants) = by_formula(&found, units, clock)?;
    plain.extend(variants);
    Ok(plain)
}

/// The peaks of a device: its entry's, scaled to the units that it reports; where it has no entry, by formula.
/// The text says which of the two, or why neither.
pub fn of_device(
    query: &Query<'_>,
    architecture: Option<&str>,
    units: Option<u32>,
    clock_hz: Option<u64>,
) -> (Vec<TheoreticalPeak>, String) {
    let catalogue = match Catalogue::builtin() {
        Ok(catalogue) => catalogue,
        Err(error) => return (Vec::new(), error.to_string()),
    };
    let unknown = match catalogue.find(query) {
        Match::Found(entry) => match (another_architecture(entry, architecture), scaled(entry, units)) {
            (Some(why), _) => why,
            (None, Ok(peaks)) => return (peaks, format!("catalogue entry {}", entry.name)),
            (None, Err(error)) => error.to_string(),
        },
        Match::Unknown { reason } => reason,
    };
    let (Some(architecture), Some(units), Some(clock_hz)) = (architecture, units, clock_hz) else {
        return (Vec::new(), unknown);
    };
    if let Some(other) = catalogue.other(query).filter(|other| other.capped) {
        let why = "its rates are capped by policy and no formula gives them";
        return (Vec::new(), format!("{unknown}; {}: {why}", other.name));
    }
    let class = Rates::builtin().ok().and_then(|rates| usual_class(rates, architecture, query.name));
    match derive(architecture, units, clock_hz, class.as_deref()) {
        Ok(peaks) => (peaks, format!("{unknown}; computed from architecture, units and clock")),
        Err(error) => (Vec::new(), format!("{unknown}; {error}")),
    }
}

fn another_architecture(entry: &Entry, reported: Option<&str>) -> Option<String> {
    let (known, reported) = (entry.architecture.as_deref()?, reported?);
    (plain(known) != plain(reported)).then(|| {
        format!(
            "{} has architecture {known} and the device reports {reported}: it is another part",
            entry.name
        )
    })
}

fn scaled(entry: &Entry, units: Option<u32>) -> Result<Vec<TheoreticalPeak>, UnitsError> {
    match units {
        Some(reported) if entry.units.is_some_and(|known| known != reported) => {
            entry.with_units(reported).map(|entry| entry.peaks())
        }
        _ => Ok(entry.peaks()),
    }
}

/// The class that holds for an architecture: the one named, or the only one that is not of a single named part.
fn class_of(rates: &Rates, architecture: &str, wanted: Option<&str>) -> Result<String, DeriveError> {
    let groups = rates.of_architecture(architecture);
    if groups.is_empty() {
        return Err(DeriveError::UnknownArchitecture {
            name: architecture.to_owned(),
            known: names(rates.groups().iter().map(|group| group.architecture.as_str())),
        });
    }
    let known = names(groups.iter().map(|group| group.class.as_str()));
    let general: Vec<&&Group> = groups.iter().filter(|group| !group.own_matrix_rates).collect();
    let first = general.first().map(|group| group.class.as_str());
    let wrong = |given: String| DeriveError::Class { name: architecture.to_owned(), known, given };
    match (wanted, first) {
        (Some(wanted), _) => {
            let found = groups.iter().find(|group| group.class.eq_ignore_ascii_case(wanted));
            found.map(|g| g.class.clone()).ok_or_else(|| wrong(format!("'{wanted}' is none of them")))
        }
        (None, Some(class)) if general.iter().all(|group| group.class == class) => Ok(class.to_owned()),
        (None, _) => Err(wrong("name one with --rate-class".to_owned())),
    }
}

/// The class of a device of which only the name is known: GeForce parts halve what others of their architecture do,
/// and the name is the only sign of it.
pub(super) fn usual_class(rates: &Rates, architecture: &str, name: &str) -> Option<String> {
    let by_name = if name.to_lowercase().contains("geforce") { "geforce" } else { "pro" };
    class_of(rates, architecture, None).or_else(|_| class_of(rates, architecture, Some(by_name))).ok()
}

fn names<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen.join(", ")
}

/// Peaks of plain instructions, and peaks that packed or block-scaled ones alone reach.
type Peaks = (Vec<TheoreticalPeak>, Vec<TheoreticalPeak>);

fn by_formula(rates: &[&Rate], units: u32, clock: (u64, ClockBasis)) -> Result<Peaks, DeriveError> {
    let mut peaks = Peaks::default();
    for rate in rates {
        for peak in formula(rate, units, clock)? {
            if rate.variant.is_some() { peaks.1.push(peak) } else { peaks.0.push(peak) }
        }
    }
    Ok(peaks)
}

fn formula(
    rate: &Rate,
    units: u32,
    (clock_hz, clock_basis): (u64, ClockBasis),
) -> Result<Vec<TheoreticalPeak>, DeriveError> {
    // bf16 on CUDA cores sums in bf16, which is no accumulator of this program: no peak, and no wrong one.
    let Some(accumulate) = rate.accumulate else { return Ok(Vec::new()) };
    let product = u128::from(units) * u128::from(rate.ops_per_clock);
    let product = product.checked_mul(u128::from(clock_hz)).filter(|product| *product > 0);
    let rate_op_per_s = product.map(ExactOpRate::new).ok_or(DeriveError::Nothing { units, clock_hz })?;
    let variant = rate.variant.as_ref().map(|name| format!("only with {name} instructions"));
    let note: Vec<String> = variant.into_iter().chain(rate.note.clone()).collect();
    let peak = |precision| TheoreticalPeak {
        precision,
        accumulate,
        unit: rate.unit,
        rate_op_per_s,
        clock_basis,
        provenance: Provenance::Derived {
            units,
            ops_per_clock: rate.ops_per_clock,
            clock_hz,
            source: rate.source_line(),
            evidence: rate.evidence,
        },
        note: (!note.is_empty()).then(|| note.join("; ")),
    };
    Ok(encodings(rate.precision).into_iter().map(peak).collect())
}

/// The peaks of an entry: each figure as stated, then the formula at the device's highest clock.
pub(super) fn peaks_of(entry: &Entry, rates: &Rates) -> Result<Peaks, DeriveError> {
    let mut peaks = Peaks::default();
    for row in entry.rows.iter().filter(|row| row.sparsity != SparsityStated::Unknown) {
        peaks.0.extend(stated(entry, row, rates));
    }
    if let Some(clock_hz) = entry.boost_clock_hz {
        let (plain, variants) = of_entry_at(entry, rates, (clock_hz, ClockBasis::MaximumBoost))?;
        peaks.0.extend(plain);
        peaks.1.extend(variants);
    }
    Ok(peaks)
}

/// The peaks of an entry at the clock that was observed while measuring; none where its rates are unknown.
///
/// Errors: [`DeriveError`] when the clock is zero or the built-in rates are defective.
pub fn observed(entry: &Entry, clock_hz: u64) -> Result<Vec<TheoreticalPeak>, DeriveError> {
    let rates = Rates::builtin().map_err(|error| DeriveError::Catalogue(error.to_string()))?;
    let (mut plain, variants) = of_entry_at(entry, rates, (clock_hz, ClockBasis::Observed))?;
    plain.extend(variants);
    Ok(plain)
}

fn of_entry_at(entry: &Entry, rates: &Rates, clock: (u64, ClockBasis)) -> Result<Peaks, DeriveError> {
    let (Some(architecture), Some(class), Some(units)) =
        (&entry.architecture, &entry.rate_class, entry.units)
    else {
        return Ok(Peaks::default());
    };
    let capped = |rate: &Rate| {
        entry.rows.iter().any(|r| r.export_capped && r.precision == rate.precision && r.unit == rate.unit)
    };
    let found = rates.applicable(architecture, class);
    let found: Vec<_> = found.into_iter().filter(|rate| !capped(rate)).collect();
    by_formula(&found, units, clock)
}

/// The rate of the table that a row of an entry goes by.
pub(super) fn rate_of<'a>(entry: &Entry, row: &Row, rates: &'a Rates) -> Option<&'a Rate> {
    let place = (entry.architecture.as_deref()?, entry.rate_class.as_deref()?);
    rates.find(place, row.precision, row.unit, Some(row.accumulate))
}

fn stated(entry: &Entry, row: &Row, rates: &Rates) -> Vec<TheoreticalPeak> {
    let clock_hz = row.rated_clock_hz.or(entry.boost_clock_hz);
    let computed = (row.evidence == Evidence::Derived).then(|| rate_of(entry, row, rates)).flatten();
    let provenance = match (computed, &row.source, entry.units, clock_hz) {
        (Some(rate), _, Some(units), Some(clock_hz)) => Provenance::Derived {
            units,
            ops_per_clock: rate.ops_per_clock,
            clock_hz,
            source: rate.source_line(),
            evidence: Evidence::Derived,
        },
        (_, Some(document), ..) => Provenance::Datasheet {
            title: document.title.clone(),
            url: Some(document.url.clone()),
            evidence: row.evidence,
        },
        _ => {
            Provenance::Datasheet { title: "no source at hand".to_owned(), url: None, evidence: row.evidence }
        }
    };
    let clock = row.rated_clock_hz.zip(row.rated_clock_basis);
    let clock = clock.map(|(hz, basis)| format!("rated at {} MHz ({})", hz / 1_000_000, basis.name()));
    let range = row.range_op_per_s.map(|range| range_text(range, row.precision));
    let note: Vec<String> =
        [clock, range, row.deviation.clone(), row.note.clone()].into_iter().flatten().collect();
    let peak = |precision| TheoreticalPeak {
        precision,
        accumulate: row.accumulate,
        unit: row.unit,
        rate_op_per_s: row.rate_op_per_s,
        clock_basis: ClockBasis::Rated,
        provenance: provenance.clone(),
        note: (!note.is_empty()).then(|| note.join("; ")),
    };
    encodings(row.precision).into_iter().map(peak).collect()
}

#[cfg(test)]
mod tests;

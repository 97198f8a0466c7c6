//! What one device counts for: its dense peaks read at 16 bits, at 8 bits and at its highest.

use std::collections::BTreeMap;

use crate::device::catalogue::{Catalogue, Match, Query};
use crate::device::{ClockBasis, Provenance, TheoreticalPeak, Unit};
use crate::precision::{Accumulate, Precision};
use crate::units::{ExactOpRate, OpRate};

/// Whether a device is an accelerator or the processor of a machine, which counts at its highest only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Counts in every reading.
    Accelerator,
    /// Counts in the highest reading only.
    Processor,
}

/// What is known of a device that a file names.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The name that it is known by.
    pub name: String,
    /// Dense theoretical peaks with provenance.
    pub peaks: Vec<TheoreticalPeak>,
    /// Measured sustained rate per precision, from a calibrated profile: low, median, high.
    pub sustained: BTreeMap<Precision, (OpRate, OpRate, OpRate)>,
    /// What kind of part it is.
    pub part: Part,
    /// Where sources of a peak conflict; the greatest stated figure is the one that is summed.
    pub conflicts: Vec<String>,
}

/// Why there are no figures for a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FiguresError {
    /// Nobody knows the device.
    #[error(
        "unknown device '{name}': {reason}; declare its peaks in a [[device]] table or give --profile FILE"
    )]
    Unknown {
        /// The name as given.
        name: String,
        /// What was looked for.
        reason: String,
    },
    /// The device is known and its peaks are not.
    #[error("device '{name}' has no dense peak that could be summed")]
    NoPeaks {
        /// The name as given.
        name: String,
    },
    /// A device delivers more than it can.
    #[error(
        "device '{name}': measured {measured} in {precision} is above the theoretical {theoretical}; \
         the model, the clock, the sparsity setting or the operation count is wrong"
    )]
    AboveTheoretical {
        /// The name as given.
        name: String,
        /// Number format.
        precision: Precision,
        /// Measured rate.
        measured: String,
        /// Theoretical peak.
        theoretical: ExactOpRate,
    },
}

/// Where figures of devices come from.
pub trait DeviceFigures {
    /// What is known of the device `name`; `None` when this source does not know it.
    fn find(&self, name: &str) -> Result<Option<Figures>, FiguresError>;
}

/// A source that knows no device.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDevices;

impl DeviceFigures for NoDevices {
    fn find(&self, _: &str) -> Result<Option<Figures>, FiguresError> {
        Ok(None)
    }
}

/// Several sources; the first that knows a device has the word.
#[derive(Default)]
pub struct Together<'a>(pub Vec<&'a dyn DeviceFigures>);

impl DeviceFigures for Together<'_> {
    fn find(&self, name: &str) -> Result<Option<Figures>, FiguresError> {
        for source in &self.0 {
            if let Some(found) = source.find(name)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Peaks that a file declares, as figures.
pub fn declared_peaks(name: &str, by: &str, peaks: &BTreeMap<Precision, ExactOpRate>) -> Figures {
    let peak = |(precision, rate): (&Precision, &ExactOpRate)| TheoreticalPeak {
        precision: *precision,
        accumulate: if precision.is_integer() { Accumulate::Int32 } else { Accumulate::Fp32 },
        unit: Unit::Matrix,
        rate_op_per_s: *rate,
        clock_basis: ClockBasis::Rated,
        provenance: Provenance::Declared { by: by.to_owned() },
        note: None,
    };
    Figures {
        name: name.to_owned(),
        peaks: peaks.iter().map(peak).collect(),
        sustained: BTreeMap::new(),
        part: Part::Accelerator,
        conflicts: Vec::new(),
    }
}

/// One device under the three readings of "theoretical maximum", with what each rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// BF16 or FP16; the widest floating-point format there is where a device has neither.
    pub r16: ExactOpRate,
    /// FP8, INT8 where there is no FP8, else the 16-bit reading.
    pub r8: ExactOpRate,
    /// The highest dense rate in any format.
    pub rmax: ExactOpRate,
    /// Measured sustained rate in the format of the 16-bit reading.
    pub measured: Option<OpRate>,
    /// Where each reading comes from, for a reader who checks by hand.
    pub basis: String,
}

impl Rates {
    /// The readings of a device.
    ///
    /// Errors: [`FiguresError::NoPeaks`], or [`FiguresError::AboveTheoretical`] for a rate that cannot be.
    pub fn of(figures: &Figures) -> Result<Self, FiguresError> {
        let best = |precisions: &[Precision]| {
            precisions
                .iter()
                .rev()
                .filter_map(|p| best_peak(figures, *p))
                .max_by_key(|peak| peak.rate_op_per_s)
        };
        use Precision::{Bf16, Fp8e4m3, Fp8e5m2, Fp16, Fp32, Fp64, Int8, Tf32};
        let rmax =
            best(&Precision::ALL).ok_or_else(|| FiguresError::NoPeaks { name: figures.name.clone() })?;
        let r16 = best(&[Bf16, Fp16]).or_else(|| best(&[Tf32, Fp32, Fp64]));
        let r8 = best(&[Fp8e4m3, Fp8e5m2]).or_else(|| best(&[Int8])).or(r16);
        let rate = |peak: Option<&TheoreticalPeak>| peak.map_or(ExactOpRate::ZERO, |peak| peak.rate_op_per_s);
        let cpu = figures.part == Part::Processor;
        let counted = |peak| if cpu { ExactOpRate::ZERO } else { rate(peak) };
        check_measured(figures)?;
        let measured =
            r16.and_then(|peak| figures.sustained.get(&peak.precision)).map(|(_, median, _)| *median);
        let conflicts: String = figures.conflicts.iter().map(|conflict| format!("; {conflict}")).collect();
        let text = |peak: Option<&TheoreticalPeak>| peak.map_or("none".to_owned(), describe);
        Ok(Self {
            r16: counted(r16),
            r8: counted(r8),
            rmax: rmax.rate_op_per_s,
            measured: measured.filter(|_| !cpu),
            basis: format!("R16 {}; R8 {}; Rmax {}{conflicts}", text(r16), text(r8), describe(rmax)),
        })
    }
}

fn check_measured(figures: &Figures) -> Result<(), FiguresError> {
    for (precision, (low, ..)) in &figures.sustained {
        let Some(peak) = best_peak(figures, *precision) else { continue };
        // The low end: noise of a measurement alone is no contradiction.
        if low.get() > peak.rate_op_per_s.to_f64() {
            return Err(FiguresError::AboveTheoretical {
                name: figures.name.clone(),
                precision: *precision,
                measured: low.display(precision.is_integer()),
                theoretical: peak.rate_op_per_s,
            });
        }
    }
    Ok(())
}

/// The dense peak of `precision`: at the maker's stated clock where there is one, else at the highest clock.
pub fn best_peak(figures: &Figures, precision: Precision) -> Option<&TheoreticalPeak> {
    // The catalogue writes both 8-bit encodings as one.
    let precision = match precision {
        Precision::Fp8e5m2 if figures.peaks.iter().all(|peak| peak.precision != precision) => {
            Precision::Fp8e4m3
        }
        other => other,
    };
    let at = |basis| {
        let of = figures.peaks.iter().filter(move |p| p.precision == precision && p.clock_basis == basis);
        of.max_by_key(|peak| peak.rate_op_per_s)
    };
    at(ClockBasis::Rated).or_else(|| at(ClockBasis::MaximumBoost))
}

fn describe(peak: &TheoreticalPeak) -> String {
    let from = match &peak.provenance {
        Provenance::Datasheet { title, evidence, .. } => format!("{title}, {evidence}"),
        Provenance::Derived { units, ops_per_clock, clock_hz, source, evidence } => {
            format!("{units} units x {ops_per_clock} per clock x {clock_hz} Hz, {source}, {evidence}")
        }
        Provenance::Declared { by } => format!("declared by {by}"),
    };
    format!("{} {} ({from})", peak.rate_op_per_s, peak.precision)
}

/// Figures of the built-in catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Catalogued(pub &'static Catalogue);

impl DeviceFigures for Catalogued {
    fn find(&self, name: &str) -> Result<Option<Figures>, FiguresError> {
        let entry = match self.0.find(&Query { name, pci_id: None }) {
            Match::Found(entry) => entry,
            Match::Unknown { reason } => {
                return Err(FiguresError::Unknown { name: name.to_owned(), reason });
            }
        };
        let conflict = |precision: &Precision| {
            let range = entry.range(*precision)?;
            Some(format!("sources conflict on {precision}: {} to {}", range.low(), range.high()))
        };
        Ok(Some(Figures {
            name: entry.name.clone(),
            peaks: entry.peaks(),
            sustained: BTreeMap::new(),
            part: Part::Accelerator,
            conflicts: Precision::ALL.iter().filter_map(conflict).collect(),
        }))
    }
}

/// Figures of `name` from `source`.
///
/// Errors: [`FiguresError::Unknown`] when no source knows it.
pub fn figures_of(source: &dyn DeviceFigures, name: &str) -> Result<Figures, FiguresError> {
    let reason = || "no source knows this name, and the nearest one is never taken".to_owned();
    source.find(name)?.ok_or_else(|| FiguresError::Unknown { name: name.to_owned(), reason: reason() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(peaks: &[(Precision, &str)]) -> Figures {
        let peaks = peaks.iter().map(|(p, rate)| (*p, rate.parse().unwrap())).collect();
        declared_peaks("d", "a test", &peaks)
    }

    #[test]
    fn an_accelerator_with_fp8_is_read_three_ways() {
        let h100 = device(&[
            (Precision::Bf16, "989.4e12"),
            (Precision::Fp8e4m3, "1979e12"),
            (Precision::Int8, "1979e12"),
        ]);
        let rates = Rates::of(&h100).unwrap();
        assert_eq!(rates.r16.get(), 989_400_000_000_000);
        assert_eq!((rates.r8, rates.rmax), ("1979e12".parse().unwrap(), "1979e12".parse().unwrap()));
    }

    #[test]
    fn int8_stands_for_8_bits_only_where_there_is_no_fp8() {
        let a100 = device(&[(Precision::Bf16, "312e12"), (Precision::Int8, "624e12")]);
        assert_eq!(Rates::of(&a100).unwrap().r8.get(), 624_000_000_000_000);
        let b300 = device(&[
            (Precision::Bf16, "2250e12"),
            (Precision::Fp8e4m3, "4500e12"),
            (Precision::Int8, "9e15"),
        ]);
        assert_eq!(Rates::of(&b300).unwrap().r8.get(), 4_500_000_000_000_000);
        let v100 = device(&[(Precision::Fp16, "125e12")]);
        assert_eq!(Rates::of(&v100).unwrap().r8.get(), 125_000_000_000_000);
    }

    #[test]
    fn a_processor_counts_at_its_highest_only() {
        let mut cpu = device(&[(Precision::Bf16, "50e12")]);
        cpu.part = Part::Processor;
        let rates = Rates::of(&cpu).unwrap();
        assert_eq!((rates.r16.get(), rates.r8.get(), rates.rmax.get()), (0, 0, 50_000_000_000_000));
    }

    #[test]
    fn a_measured_rate_above_the_theoretical_one_fails_loudly() {
        let mut fast = device(&[(Precision::Bf16, "989.4e12")]);
        let rate = |tera| OpRate::from_tera(tera).unwrap();
        fast.sustained.insert(Precision::Bf16, (rate(995.0), rate(1000.0), rate(1001.0)));
        assert!(matches!(Rates::of(&fast), Err(FiguresError::AboveTheoretical { .. })));
        fast.sustained.insert(Precision::Bf16, (rate(790.0), rate(794.5), rate(795.0)));
        assert!(Rates::of(&fast).unwrap().measured.is_some());
    }
}

//! The three figures of a device, ready to be shown: theoretical, issue, sustained.

use super::chart::DeviceRun;
use crate::device::{ClockBasis, Evidence, Provenance, TheoreticalPeak};
use crate::measure::{Measured, efficiency};
use crate::precision::Precision;
use crate::record::Measurement;
use crate::units::{Estimate, OpRate};
use crate::workload::{Method, Work};

/// What is known of one precision, for the best product of it.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Format of the operands.
    pub precision: Precision,
    /// Headline theoretical peak, its clock, and whether it was only recalled.
    pub theoretical: Option<(OpRate, ClockBasis, bool)>,
    /// Every theoretical peak of the units that were measured, at its clock.
    pub peaks: Vec<(ClockBasis, OpRate)>,
    /// Register-resident rate.
    pub issue: Option<Estimate<OpRate>>,
    /// Rate of the fastest verified product.
    pub sustained: Option<Estimate<OpRate>>,
    /// Rate in the first window after idle.
    pub burst: Option<OpRate>,
    /// What the sustained rate is of.
    pub by: String,
    /// What must be known of the state, in words.
    pub state: String,
}

/// One row per precision that was planned or has a peak.
pub fn three_figures(run: &DeviceRun<'_>) -> Vec<Figures> {
    let planned =
        |precision: &Precision| run.measurements.iter().any(|measurement| computes(measurement, *precision));
    Precision::ALL.into_iter().filter(planned).map(|precision| one(run, precision)).collect()
}

/// A copy has a format by name alone, and no rate of operations.
fn computes(measurement: &Measurement, precision: Precision) -> bool {
    measurement.request.precision == precision && measurement.request.work.method() != Method::Copy
}

fn one(run: &DeviceRun<'_>, precision: Precision) -> Figures {
    let of: Vec<(&Measurement, &Measured)> =
        run.measured().filter(|(measurement, _)| computes(measurement, precision)).collect();
    let median = |(_, measured): &(&Measurement, &Measured)| {
        measured.headline().map_or(0.0, |headline| headline.statistics.rate_op_per_s.median.get())
    };
    let best = |method: Method| {
        let matching = of.iter().filter(|(measurement, _)| measurement.request.work.method() == method);
        let credible = matching.filter(|(_, measured)| measured.is_verified());
        credible.max_by(|a, b| median(a).total_cmp(&median(b))).copied()
    };
    let (issue, product) = (best(Method::Issue), best(Method::Gemm));
    let headline = |found: Option<(&Measurement, &Measured)>| {
        found.and_then(|(_, measured)| Some(measured.headline()?.statistics.rate_op_per_s))
    };
    let shown = issue.or(product).map(|(_, measured)| measured);
    let known = shown.and_then(|measured| efficiency(run.device, measured).0);
    let fitting: Vec<&TheoreticalPeak> =
        run.device.peaks.iter().filter(|peak| shown.is_some_and(|measured| fits(peak, measured))).collect();
    let recalled = fitting.iter().any(|peak| is_recalled(&peak.provenance));
    let rate =
        |peak: &&TheoreticalPeak| Some((peak.clock_basis, OpRate::new(peak.rate_op_per_s.to_f64()).ok()?));
    Figures {
        precision,
        theoretical: known.map(|known| (known.theoretical, known.basis, recalled)),
        peaks: fitting.iter().filter_map(rate).collect(),
        issue: headline(issue),
        sustained: headline(product),
        burst: product.and_then(|(_, measured)| measured.burst()),
        by: product.or(issue).map_or_else(String::new, what),
        state: state(run, precision, &[issue, product]),
    }
}

fn fits(peak: &TheoreticalPeak, measured: &Measured) -> bool {
    let row = &measured.implementation;
    row.native && (peak.precision, peak.accumulate, peak.unit) == (row.precision, row.accumulate, row.unit)
}

const fn is_recalled(provenance: &Provenance) -> bool {
    matches!(
        provenance,
        Provenance::Datasheet { evidence: Evidence::Recalled, .. }
            | Provenance::Derived { evidence: Evidence::Recalled, .. }
    )
}

fn what((measurement, measured): (&Measurement, &Measured)) -> String {
    let name = &measured.implementation.name;
    let emulated = if measured.implementation.native { "" } else { " (emulated)" };
    match measurement.request.work {
        Work::Issue => format!("{name}{emulated}"),
        Work::Gemm { shape, input, .. } => format!("{name}{emulated} {shape} {input}"),
        Work::Copy { .. } => name.clone(),
    }
}

fn state(run: &DeviceRun<'_>, precision: Precision, shown: &[Option<(&Measurement, &Measured)>]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    };
    for (_, measured) in shown.iter().flatten() {
        if measured.has_error() {
            add("NOT CREDIBLE");
        }
        if !measured.is_steady() {
            add("not steady");
        }
        if measured.samples.throttled() {
            add("throttled");
        }
        if measured.headline().is_some_and(|headline| headline.is_disturbed()) {
            add("disturbed");
        }
    }
    let of = run.measurements.iter().filter(|m| computes(m, precision));
    of.filter(|m| m.result.reason().is_some()).for_each(|m| add(m.result.name()));
    if words.is_empty() { "verified, steady".to_owned() } else { words.join(", ") }
}

impl Figures {
    /// Name of the row.
    pub fn name(&self) -> String {
        self.precision.to_string()
    }

    /// A rate in the unit of the precision.
    pub fn rate(&self, rate: OpRate) -> String {
        rate.display(self.precision.is_integer())
    }

    /// Median and interval in words.
    pub fn text(&self, estimate: &Option<Estimate<OpRate>>) -> String {
        estimate.map_or_else(
            || "no figure".to_owned(),
            |e| {
                let [median, low, high] = [e.median, e.low, e.high].map(|rate| self.rate(rate));
                let unit = median.split_once(' ').map_or("", |(_, unit)| unit);
                let short = low.strip_suffix(unit).zip(high.strip_suffix(unit));
                let (low, high) =
                    short.map_or((&*low, &*high), |(low, high)| (low.trim_end(), high.trim_end()));
                format!("{median} ({low} to {high})")
            },
        )
    }

    /// The theoretical peak with its clock.
    pub fn theoretical_text(&self) -> String {
        self.theoretical.map_or_else(
            || "not known".to_owned(),
            |(rate, basis, recalled)| {
                let mark = if recalled { ", recalled" } else { "" };
                format!("{} ({} clock{mark})", self.rate(rate), basis.name())
            },
        )
    }

    /// Share of the theoretical peak.
    pub fn share(&self, estimate: &Option<Estimate<OpRate>>) -> String {
        let ratio = estimate.zip(self.theoretical).and_then(|(e, (peak, ..))| e.median.over(peak));
        ratio.map_or_else(|| "-".to_owned(), |ratio| ratio.to_string())
    }

    /// The greatest of all its rates, in operations per second; zero where there is none.
    pub(super) fn most(&self) -> f64 {
        let estimates = [self.issue, self.sustained].into_iter().flatten().map(|e| e.high);
        let peaks = self.peaks.iter().map(|peak| peak.1).chain(self.theoretical.map(|known| known.0));
        estimates.chain(peaks).chain(self.burst).map(OpRate::get).fold(0.0, f64::max)
    }
}

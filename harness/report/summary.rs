//! The three figures of a device, ready to be shown: theoretical, issue, sustained.

use std::collections::BTreeSet;

use super::chart::DeviceRun;
use crate::device::{ClockBasis, Evidence, Provenance, TheoreticalPeak};
use crate::measure::{Measured, efficiency, peaks_of};
use crate::precision::Arithmetic;
use crate::record::Measurement;
use crate::units::{Estimate, OpRate, Ratio};
use crate::workload::{Distribution, Method, Work};

/// What is known of one precision, for the best product of it.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Formats of operands and sums.
    pub arithmetic: Arithmetic,
    /// Headline theoretical peak of issue and of product with its clock: an observed clock is that of each case.
    pub theoretical: [Option<(OpRate, ClockBasis)>; 2],
    /// Whether a peak was only recalled.
    pub recalled: bool,
    /// Every theoretical peak of the units that were measured, at its clock.
    pub peaks: Vec<(ClockBasis, OpRate)>,
    /// Register-resident rate.
    pub issue: Option<Estimate<OpRate>>,
    /// Rate of the fastest credible product of normal data; of other data only where there is no such product.
    pub sustained: Option<Estimate<OpRate>>,
    /// Issue and sustained rate over the peak of the units that computed each; none for what is emulated.
    pub shares: [Option<Ratio>; 2],
    /// Rate in the first window after idle.
    pub burst: Option<OpRate>,
    /// What the sustained rate is of.
    pub by: String,
    /// What must be known of the state, in words.
    pub state: String,
}

/// One row per format of operands and sums that was planned.
pub fn three_figures(run: &DeviceRun<'_>) -> Vec<Figures> {
    // A copy has a format by name alone, and no rate of operations.
    let computes = |m: &&&Measurement| m.request.work.method() != Method::Copy;
    let planned: BTreeSet<Arithmetic> =
        run.measurements.iter().filter(computes).map(|m| m.arithmetic()).collect();
    planned.into_iter().map(|arithmetic| one(run, arithmetic)).collect()
}

fn computes(measurement: &Measurement, arithmetic: Arithmetic) -> bool {
    measurement.arithmetic() == arithmetic && measurement.request.work.method() != Method::Copy
}

/// Zeros and ones draw less power and run faster than data does: they never stand for it.
fn is_normal(measurement: &Measurement) -> bool {
    !matches!(measurement.request.work, Work::Gemm { input, .. } if input != Distribution::Normal)
}

fn one(run: &DeviceRun<'_>, arithmetic: Arithmetic) -> Figures {
    let of: Vec<(&Measurement, &Measured)> =
        run.measured().filter(|(measurement, _)| computes(measurement, arithmetic)).collect();
    let median = |(_, measured): &(&Measurement, &Measured)| {
        measured.headline().map_or(0.0, |headline| headline.statistics.rate_op_per_s.median.get())
    };
    let best = |method: Method| {
        let matching = of.iter().filter(|(measurement, _)| measurement.request.work.method() == method);
        // What cannot be and what was not checked come last, other data than normal before them.
        let worth = |(measurement, measured): &&(&Measurement, &Measured)| {
            (measured.is_verified() && !measured.has_error(), is_normal(measurement))
        };
        let order = |a: &&(&Measurement, &Measured), b: &&(&Measurement, &Measured)| {
            worth(a).cmp(&worth(b)).then(median(a).total_cmp(&median(b)))
        };
        matching.max_by(order).copied()
    };
    let (issue, product) = (best(Method::Issue), best(Method::Gemm));
    let headline = |found: Option<(&Measurement, &Measured)>| {
        found.and_then(|(_, measured)| Some(measured.headline()?.statistics.rate_op_per_s))
    };
    let known = [issue, product].map(|found| efficiency(run.device, found?.1).0);
    let mut fitting: Vec<&TheoreticalPeak> = Vec::new();
    for peak in [issue, product].into_iter().flatten().flat_map(|found| peaks_of(run.device, found.1)) {
        if !fitting.contains(&peak) {
            fitting.push(peak);
        }
    }
    let recalled = fitting.iter().any(|peak| is_recalled(&peak.provenance));
    let rate =
        |peak: &&TheoreticalPeak| Some((peak.clock_basis, OpRate::new(peak.rate_op_per_s.to_f64()).ok()?));
    Figures {
        arithmetic,
        theoretical: known
            .each_ref()
            .map(|known| known.as_ref().map(|known| (known.theoretical, known.basis))),
        recalled,
        peaks: fitting.iter().filter_map(rate).collect(),
        issue: headline(issue),
        sustained: headline(product),
        shares: known.map(|known| known.map(|known| known.ratio)),
        burst: product.and_then(|(_, measured)| measured.burst()),
        by: product.or(issue).map_or_else(String::new, what),
        state: state(run, arithmetic, &[issue, product]),
    }
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

fn state(run: &DeviceRun<'_>, arithmetic: Arithmetic, shown: &[Option<(&Measurement, &Measured)>]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    };
    for (measurement, measured) in shown.iter().flatten() {
        if !measured.is_verified() {
            add("NOT VERIFIED");
        }
        if !is_normal(measurement) {
            add("NOT OF NORMAL DATA");
        }
        if measured.has_error() {
            add("NOT CREDIBLE");
        }
        if !measured.is_steady() {
            add("not steady");
        }
        if measured.findings.iter().any(|finding| finding.rule == "uneven") {
            add("uneven");
        }
        if measured.samples.throttled() {
            add("throttled");
        }
        if measured.headline().is_some_and(|headline| headline.is_disturbed()) {
            add("disturbed");
        }
    }
    let of = run.measurements.iter().filter(|m| computes(m, arithmetic));
    of.filter(|m| m.result.reason().is_some()).for_each(|m| add(m.result.name()));
    if words.is_empty() { "verified, steady".to_owned() } else { words.join(", ") }
}

/// A share of a theoretical peak in words.
pub fn share(share: Option<Ratio>) -> String {
    share.map_or_else(|| "-".to_owned(), |ratio| ratio.to_string())
}

/// The peaks of issue and product in words, each with its clock; two where they are not the same.
pub(super) fn peak_text(
    peaks: [Option<(OpRate, ClockBasis)>; 2],
    shown: impl Fn(OpRate) -> String,
    mark: &str,
) -> Option<String> {
    let [issue, product] = peaks.map(|peak| peak.map(|(rate, basis)| (shown(rate), basis.name())));
    match (issue, product) {
        (Some((issue, of)), Some((product, basis))) if issue != product => {
            Some(format!("issue {issue} ({of}{mark}), sustained {product} ({basis}{mark})"))
        }
        (Some((rate, basis)), _) | (None, Some((rate, basis))) => Some(format!("{rate} ({basis}{mark})")),
        (None, None) => None,
    }
}

impl Figures {
    /// Name of the row.
    pub fn name(&self) -> String {
        self.arithmetic.to_string()
    }

    /// A rate in the unit of the precision.
    pub fn rate(&self, rate: OpRate) -> String {
        rate.display(self.arithmetic.precision.is_integer())
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
        let mark = if self.recalled { " clock, recalled" } else { " clock" };
        peak_text(self.theoretical, |rate| self.rate(rate), mark).unwrap_or_else(|| "not known".to_owned())
    }

    /// The greater of the theoretical peaks of issue and product.
    pub(super) fn peak(&self) -> Option<OpRate> {
        let peaks = self.theoretical.into_iter().flatten().map(|known| known.0);
        peaks.max_by(|a, b| a.get().total_cmp(&b.get()))
    }

    /// The greatest of all its rates, in operations per second; zero where there is none.
    pub(super) fn most(&self) -> f64 {
        let estimates = [self.issue, self.sustained].into_iter().flatten().map(|e| e.high);
        let peaks = self.peaks.iter().map(|peak| peak.1).chain(self.peak());
        estimates.chain(peaks).chain(self.burst).map(OpRate::get).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_that_differ_are_both_told_each_for_its_figure() {
        let rate = |tera: f64| OpRate::new(tera * 1e12).unwrap();
        let shown = |rate: OpRate| rate.display(false);
        let at = |tera: f64| Some((rate(tera), ClockBasis::Observed));
        let told = |peaks| peak_text(peaks, shown, " clock").unwrap();
        assert_eq!(
            told([at(1.0), at(2.0)]),
            "issue 1.000 TFLOP/s (observed clock), sustained 2.000 TFLOP/s (observed clock)"
        );
        assert_eq!(told([at(1.0), at(1.0)]), "1.000 TFLOP/s (observed clock)");
        assert_eq!(told([None, at(2.0)]), "2.000 TFLOP/s (observed clock)");
        assert!(peak_text([None, None], shown, "").is_none());
    }
}

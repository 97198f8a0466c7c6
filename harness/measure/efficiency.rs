//! A measured rate beside what the device could do at most.

use super::Measured;
use crate::device::{ClockBasis, Device, Finding, Provenance, Severity, TheoreticalPeak};
use crate::units::{Hertz, OpRate, Ratio};

/// A rate over the theoretical peaks of its precision.
#[derive(Debug, Clone, PartialEq)]
pub struct Efficiency {
    /// The headline peak.
    pub theoretical: OpRate,
    /// Clock that it holds at.
    pub basis: ClockBasis,
    /// Rate over it.
    pub ratio: Ratio,
    /// Rate over the peak at the clock that was observed while sampling.
    pub at_observed_clock: Option<Ratio>,
}

/// Most that a median may exceed a peak at the observed clock; clock and rate are read in turn, not at once.
const CLOCK_NOISE: f64 = 0.02;

/// Past this multiple of a rated peak no clock explains a rate: the catalogue's widest step from rated to maximum
/// clock is 1.155, that of the H200 NVL.
const WIDEST_BOOST: f64 = 1.25;

/// Efficiency of a case, and findings where the rate is above what the device can do.
///
/// `None` where no peak is known, or where the implementation is emulated and no unit has one.
pub fn efficiency(device: &Device, measured: &Measured) -> (Option<Efficiency>, Vec<Finding>) {
    let Some(rate) = measured.headline().map(|headline| headline.statistics.rate_op_per_s.median) else {
        return (None, Vec::new());
    };
    let peaks = peaks_of(device, measured);
    let at = |basis| peaks.iter().find(|peak| peak.clock_basis == basis).copied();
    let observed = measured.clock().and_then(|clock| peaks.iter().find_map(|peak| at_clock(peak, clock)));
    let published = at(ClockBasis::Rated).or_else(|| at(ClockBasis::MaximumBoost));
    let headline = published.map(|peak| (as_rate(peak), peak.clock_basis));
    let headline = headline.or_else(|| observed.map(|rate| (Some(rate), ClockBasis::Observed)));
    let Some((Some(theoretical), basis)) = headline else { return (None, Vec::new()) };
    let Some(ratio) = rate.over(theoretical) else { return (None, Vec::new()) };
    let at_observed_clock = observed.and_then(|peak| rate.over(peak));
    let mut findings = Vec::new();
    let limit =
        at(ClockBasis::MaximumBoost).and_then(as_rate).map(|peak| (peak, "at maximum boost clock", 1.0));
    let limit = limit.or_else(|| observed.map(|peak| (peak, "at the observed clock", 1.0 + CLOCK_NOISE)));
    let known = limit.is_some();
    match limit.or(Some((theoretical, "at rated clock, further than a clock can take it", WIDEST_BOOST))) {
        Some((peak, what, slack)) if rate.get() > slack * peak.get() => findings.push(Finding::new(Severity::Error, "above-peak", format!(
                "the rate is {} of the theoretical peak {what}: the table, the device's name, the count or the timer is wrong",
                rate.over(peak).unwrap_or_default()
            ), None)),
        _ if rate > theoretical && !known => findings.push(Finding::new(Severity::Warning, "above-rated", format!(
                "the rate is {ratio} of the rated peak, and no higher clock is known of the device that would allow it"
            ), None)),
        _ if rate > theoretical && basis == ClockBasis::Rated => findings.push(Finding::new(Severity::Note, "above-rated", "the rate is above the rated peak and below that at maximum boost clock".to_owned(), None)),
        _ => {}
    }
    (Some(Efficiency { theoretical, basis, ratio, at_observed_clock }), findings)
}

/// Peaks of the units that computed `measured`; none for what is emulated.
pub fn peaks_of<'a>(device: &'a Device, measured: &Measured) -> Vec<&'a TheoreticalPeak> {
    device.peaks.iter().filter(|peak| fits(peak, measured)).collect()
}

fn fits(peak: &TheoreticalPeak, measured: &Measured) -> bool {
    let row = &measured.implementation;
    row.native
        && peak.precision == row.precision
        && peak.accumulate == row.accumulate
        && peak.unit == row.unit
}

fn as_rate(peak: &TheoreticalPeak) -> Option<OpRate> {
    OpRate::new(peak.rate_op_per_s.to_f64()).ok()
}

/// A derived peak moved to another clock.
fn at_clock(peak: &TheoreticalPeak, clock: Hertz) -> Option<OpRate> {
    match &peak.provenance {
        Provenance::Derived { units, ops_per_clock, .. } => {
            #[expect(clippy::cast_precision_loss, reason = "operations per clock are small")]
            let per_clock = f64::from(*units) * *ops_per_clock as f64;
            OpRate::new(per_clock * clock.get()).ok()
        }
        Provenance::Datasheet { .. } | Provenance::Declared { .. } => None,
    }
}

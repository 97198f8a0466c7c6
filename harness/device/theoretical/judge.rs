//! A measured rate against what its device can do: the check that catches wrong rows, clocks and counts.

use crate::device::catalogue::Entry;
use crate::device::{Finding, Severity};
use crate::precision::{Accumulate, Precision};
use crate::units::{ExactOpRate, OpRate};

/// How far above its ceiling a rate may be measured before it is refused; timers and clocks are not exact.
const TOLERANCE: f64 = 1.02;

/// What a measured rate says of the entry that it is held against; never an invitation to clamp it.
///
/// Up to the stated peak it is fine; up to the formula at the highest clock the device ran above its rated
/// clock, a note; more than 2 % past that is an error of the row, the accumulator, the units, sparsity or time.
pub fn judge(
    measured: OpRate,
    entry: &Entry,
    precision: Precision,
    accumulate: Option<Accumulate>,
) -> Finding {
    let stated = entry.peak(precision, accumulate).map(|peak| peak.rate_op_per_s);
    let (Some(stated), Some(ceiling)) = (stated, entry.ceiling(precision, accumulate)) else {
        let message = format!("no theoretical peak of {} is known for {precision}", entry.name);
        return Finding::new(Severity::Note, "no-peak", message, None);
    };
    let shown = |rate: ExactOpRate| {
        OpRate::new(rate.to_f64()).map_or_else(|_| rate.to_string(), |r| r.display(precision.is_integer()))
    };
    let rate = measured.display(precision.is_integer());
    let (severity, rule, message, expected) = if measured.get() <= stated.to_f64() {
        (Severity::Fine, "within-stated-peak", format!("{rate} of {}", shown(stated)), None)
    } else if measured.get() <= ceiling.to_f64() {
        let text = format!(
            "{rate} is above the stated peak {} and below {} at the highest clock: the device ran above its rated \
             clock",
            shown(stated),
            shown(ceiling)
        );
        (Severity::Note, "above-rated-clock", text, None)
    } else if measured.get() <= ceiling.to_f64() * TOLERANCE {
        let text =
            format!("{rate} is up to 2 % above {} at the highest clock: check the timer", shown(ceiling));
        (Severity::Warning, "above-ceiling", text, Some(ceiling))
    } else {
        let text = format!(
            "{rate} is above {}, the most that the highest clock gives: wrong catalogue row, accumulator or number \
             of units, a sparse path, or a timer that is wrong",
            shown(ceiling)
        );
        (Severity::Error, "above-ceiling", text, Some(ceiling))
    };
    let expected = expected.map(|ceiling| format!("at most {}", shown(ceiling)));
    Finding::new(severity, rule, message, expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::catalogue::Catalogue;

    fn judged(device: &str, precision: Precision, tera: f64) -> (Severity, String) {
        let entry = Catalogue::builtin().unwrap().named(device).entry().unwrap();
        let finding = judge(OpRate::from_tera(tera).unwrap(), entry, precision, None);
        (finding.severity, finding.rule)
    }

    #[test]
    fn a_rate_above_the_rated_clock_is_a_note_and_above_the_boost_peak_an_error() {
        let h100 = |tera| judged("NVIDIA H100 80GB HBM3", Precision::Bf16, tera).0;
        assert_eq!(h100(794.5), Severity::Fine);
        assert_eq!(h100(989.4), Severity::Fine);
        assert_eq!(h100(1000.0), Severity::Note);
        assert_eq!(h100(1070.5), Severity::Note);
        assert_eq!(h100(1080.0), Severity::Warning);
        assert_eq!(h100(1100.0), Severity::Error);
    }

    #[test]
    fn a_figure_stated_above_the_reported_clock_stays_reachable() {
        assert_eq!(judged("Intel Gaudi 3", Precision::Bf16, 1800.0).0, Severity::Fine);
        assert_eq!(judged("Intel Gaudi 3", Precision::Bf16, 1900.0).0, Severity::Error);
    }

    #[test]
    fn a_device_without_a_figure_is_given_none() {
        assert_eq!(judged("NVIDIA H100 PCIe", Precision::Fp4, 1.0).1, "no-peak");
        assert_eq!(judged("WSE-3", Precision::Fp16, 125_000.0).1, "no-peak", "sparsity is not stated");
    }

    #[test]
    fn a_capped_part_keeps_its_cap_as_ceiling() {
        assert_eq!(judged("NVIDIA H20", Precision::Fp64, 19.0).0, Severity::Error);
        assert_eq!(judged("NVIDIA H800", Precision::Fp64, 1.1).0, Severity::Error);
    }
}

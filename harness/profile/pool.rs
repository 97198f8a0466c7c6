//! Lines of one identity become one figure; of several identities the fastest is taken, and none is averaged.

use uuid::Uuid;

use super::admit::Line;
use super::{Circumstances, Figure, LineSource};
use crate::backend::Conditions;
use crate::measure::statistics::median;
use crate::units::{Celsius, Estimate, Hertz, OpRate, Ratio, UnitError, Watts};

/// The fastest identity among `lines`; `None` without lines.
pub(super) fn fastest(lines: &[&Line<'_>]) -> Option<(Estimate<OpRate>, Figure)> {
    let mut identities: Vec<Vec<&Line<'_>>> = Vec::new();
    for line in lines {
        let same = |group: &&mut Vec<&Line<'_>>| {
            group.first().is_some_and(|first| first.measured.case == line.measured.case)
        };
        match identities.iter_mut().find(same) {
            Some(group) => group.push(line),
            None => identities.push(vec![line]),
        }
    }
    let pooled = identities.iter().filter_map(|group| Some((pooled(group)?, group)));
    let best = pooled.max_by(|(a, _), (b, _)| a.rate.median.get().total_cmp(&b.rate.median.get()));
    let (pooled, group) = best?;
    Some((pooled.rate, figure(group, &pooled, identities.len())?))
}

struct Pooled {
    rate: Estimate<OpRate>,
    devices: usize,
    spread: Option<Ratio>,
}

/// One rate of lines of one identity: each device counts once, however often it was measured.
fn pooled(lines: &[&Line<'_>]) -> Option<Pooled> {
    let rates =
        lines.iter().map(|line| (line.measurement.device.uuid, line.headline.statistics.rate_op_per_s));
    combined(&rates.collect::<Vec<_>>())
}

fn combined(rates: &[(Uuid, Estimate<OpRate>)]) -> Option<Pooled> {
    let mut devices: Vec<Uuid> = rates.iter().map(|(uuid, _)| *uuid).collect();
    devices.sort_unstable();
    devices.dedup();
    let of_device = |device: &Uuid| {
        let runs = rates.iter().filter(|(uuid, _)| uuid == device).map(|(_, rate)| rate.median.get());
        median(&runs.collect::<Vec<_>>())
    };
    let medians = devices.iter().map(of_device).collect::<Option<Vec<f64>>>()?;
    let middle = median(&medians)?;
    let outermost = |end: fn(&Estimate<OpRate>) -> f64| range(rates.iter().map(|(_, rate)| end(rate)));
    let (low, high) = (outermost(|rate| rate.low.get())?.0, outermost(|rate| rate.high.get())?.1);
    let (slowest, fastest) = range(medians.iter().copied())?;
    let rate = |value| OpRate::new(value).ok();
    let spread = (devices.len() > 1).then(|| Ratio::new((fastest - slowest) / middle).ok()).flatten();
    let rate = Estimate { low: rate(low)?, median: rate(middle)?, high: rate(high)? };
    Some(Pooled { rate, devices: devices.len(), spread })
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, value| {
        let (low, high) = ends.unwrap_or((value, value));
        Some((value.min(low), value.max(high)))
    })
}

fn figure(lines: &[&Line<'_>], pooled: &Pooled, fastest_of: usize) -> Option<Figure> {
    let mut details: Vec<String> = Vec::new();
    let mut findings = Vec::new();
    for line in lines {
        let detail = &line.measured.implementation.detail;
        if !details.contains(detail) {
            details.push(detail.clone());
        }
        for finding in &line.measured.findings {
            if !findings.contains(finding) {
                findings.push(finding.clone());
            }
        }
    }
    let source = |line: &&Line<'_>| LineSource {
        record: line.record.to_owned(),
        line: line.number,
        sha256: line.sha256.to_owned(),
        uuid: line.measurement.device.uuid,
        rate_op_per_s: line.headline.statistics.rate_op_per_s,
    };
    Some(Figure {
        case: lines.first()?.measured.case.clone(),
        details,
        fastest_of,
        devices: pooled.devices,
        spread_between_devices: pooled.spread,
        conditions: circumstances(lines),
        findings,
        sources: lines.iter().map(source).collect(),
    })
}

fn circumstances(lines: &[&Line<'_>]) -> Circumstances {
    let readings: Vec<Conditions> =
        lines.iter().flat_map(|line| line.measured.samples.conditions.iter().flatten().copied()).collect();
    let masks: Vec<u64> = readings.iter().filter_map(|reading| reading.throttle).collect();
    Circumstances {
        clock_hz: readings_of(&readings, |r| Some(r.clock_hz?.get()), Hertz::new),
        power_w: readings_of(&readings, |r| Some(r.power_w?.get()), Watts::new),
        temperature_c: readings_of(&readings, |r| Some(r.temperature_c?.get()), Celsius::new),
        throttled: (!masks.is_empty()).then(|| masks.iter().any(|mask| *mask != 0)),
    }
}

fn readings_of<Q>(
    readings: &[Conditions],
    read: fn(&Conditions) -> Option<f64>,
    quantity: fn(f64) -> Result<Q, UnitError>,
) -> Option<Estimate<Q>> {
    let values: Vec<f64> = readings.iter().filter_map(read).collect();
    let (low, high) = range(values.iter().copied())?;
    let quantity = |value| quantity(value).ok();
    Some(Estimate { low: quantity(low)?, median: quantity(median(&values)?)?, high: quantity(high)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(median: f64) -> Estimate<OpRate> {
        let rate = |value| OpRate::from_tera(value).unwrap();
        Estimate { low: rate(median * 0.99), median: rate(median), high: rate(median * 1.01) }
    }

    fn device(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn a_device_of_many_runs_weighs_as_much_as_one_of_a_single_run() {
        let mut rates = vec![(device(1), rate(100.0)); 9];
        rates.push((device(2), rate(200.0)));
        let found = combined(&rates).unwrap();
        assert_eq!(found.devices, 2);
        assert!((found.rate.median.get() / 150e12 - 1.0).abs() < 1e-12);
        assert!((found.spread.unwrap().get() - 100.0 / 150.0).abs() < 1e-12);
        assert!((found.rate.low.get() / 99e12 - 1.0).abs() < 1e-12);
        assert!((found.rate.high.get() / 202e12 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_device_has_no_spread_between_devices() {
        let found = combined(&[(device(1), rate(100.0)), (device(1), rate(110.0))]).unwrap();
        assert_eq!((found.devices, found.spread), (1, None));
        assert!(combined(&[]).is_none());
    }

    proptest! {
        #[test]
        fn the_interval_holds_its_median_in_whatever_order_the_lines_come(
            mut rates in prop::collection::vec((0..4_u128, 1.0..1e3_f64), 1..20)
        ) {
            let all = |rates: &[(u128, f64)]| {
                let pairs: Vec<_> = rates.iter().map(|(d, r)| (device(*d), rate(*r))).collect();
                combined(&pairs).unwrap().rate
            };
            let found = all(&rates);
            prop_assert!(found.low <= found.median && found.median <= found.high);
            rates.reverse();
            prop_assert_eq!(all(&rates), found);
        }
    }
}

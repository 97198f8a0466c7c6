//! Devices that are slower than others of their model in the same case.

use std::fmt;

use super::Measurement;
use crate::measure::statistics::median;
use crate::measure::{Measured, Outcome};
use crate::units::Ratio;

/// Shortfall past which a device is one. Between parts of one model on one node, some per cent are their makers'
/// tolerance and their place in the air.
const SHORTFALL: f64 = 0.05;

/// A device and the case that it is slower in.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Straggler {
    /// Device, by its id.
    pub device: String,
    /// Case, in words.
    pub case: String,
    /// Its rate over the median of the others.
    pub share: Ratio,
    /// How many others of its model have the case.
    pub others: usize,
}

impl fmt::Display for Straggler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, case, share, others } = self;
        write!(
            f,
            "straggler: {device} gives {share} of the median of the {others} others of its model in {case}"
        )
    }
}

/// Stragglers of a run, in its order. Cases are compared between devices of equal model and architecture; with fewer
/// than two others nobody can say which is the slow one.
pub fn stragglers(measurements: &[Measurement]) -> Vec<Straggler> {
    let mut found = Vec::new();
    for one in measurements {
        let Some(rate) = rate(one) else { continue };
        let other = |other: &&Measurement| {
            other.device.uuid != one.device.uuid
                && other.device.model == one.device.model
                && other.device.backend == one.device.backend
                && other.request == one.request
        };
        let others: Vec<f64> = measurements.iter().filter(other).filter_map(self::rate).collect();
        let Some(typical) = median(&others).filter(|_| others.len() > 1) else { continue };
        if rate < (1.0 - SHORTFALL) * typical
            && let Ok(share) = Ratio::new(rate / typical)
        {
            let (device, case) = (one.device.id.clone(), one.request.to_string());
            found.push(Straggler { device, case, share, others: others.len() });
        }
    }
    found
}

fn rate(measurement: &Measurement) -> Option<f64> {
    let Outcome::Measured(measured) = &measurement.result else { return None };
    let compute = measured.headline().map(|headline| headline.statistics.rate_op_per_s.median.get());
    compute.or_else(|| bandwidth(measured))
}

fn bandwidth(measured: &Measured) -> Option<f64> {
    measured.bandwidth().map(|bandwidth| bandwidth.rate_byte_per_s.median.get())
}

//! How far the largest set is from a limit, in devices.

use super::Components;
use super::survey::Totals;
use super::topology::Topology;
use crate::units::ExactOpRate;

/// Distance to a limit under one reading of the theoretical maximum.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Headroom {
    /// `r16`, `r8` or `rmax`.
    pub reading: String,
    /// The device that is counted.
    pub device: String,
    /// What one of them adds.
    pub device_op_per_s: ExactOpRate,
    /// Most that may be added before the limit is passed; null when it is passed.
    pub devices_that_fit: Option<u128>,
    /// Fewest that must go so that the limit is no longer passed; null when it is not passed.
    pub devices_too_many: Option<u128>,
}

/// Distances of a set with sums `totals` from `allowed`, the greatest sum that does not pass the limit.
///
/// The device is that of the most numerous machines in the set; empty when it has no accelerator.
pub fn headroom(
    topology: &Topology,
    components: &Components,
    set: u32,
    totals: &Totals,
    allowed: ExactOpRate,
) -> Vec<Headroom> {
    let inside = topology.classes.iter().enumerate().filter(|(at, _)| components.set[*at] == set);
    let armed = inside.filter(|(_, class)| topology.build(class).accelerators > 0);
    let Some((_, class)) = armed.max_by_key(|(_, class)| class.count) else { return Vec::new() };
    let Some((device, rates)) = topology.build(class).one.clone() else { return Vec::new() };
    let sums = [("r16", totals.r16), ("r8", totals.r8), ("rmax", totals.rmax)];
    let distance = |((reading, sum), rate): ((&'static str, ExactOpRate), ExactOpRate)| {
        if rate == ExactOpRate::ZERO {
            return None;
        }
        let fit = allowed.get().checked_sub(sum.get()).map(|left| left / rate.get());
        let over = sum.get().checked_sub(allowed.get()).filter(|over| *over > 0);
        Some(Headroom {
            reading: reading.to_owned(),
            device: device.clone(),
            device_op_per_s: rate,
            devices_that_fit: fit,
            devices_too_many: over.map(|over| over.div_ceil(rate.get())),
        })
    };
    sums.into_iter().zip(rates).filter_map(distance).collect()
}

//! Hardware of one machine, summed from its parts.

use super::figures::{Figures, FiguresError, Part, Rates};
use super::topology::Build;
use crate::units::ExactOpRate;

/// Why parts make no machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A part has no usable figures.
    #[error(transparent)]
    Figures(#[from] FiguresError),
    /// More than can be counted.
    #[error("count: the devices of one machine sum past what can be counted")]
    Overflow,
}

/// The sums of `parts`: figures and how many of each.
///
/// Errors: [`BuildError`] for a part without peaks and for sums that do not fit.
pub fn build_of(parts: &[(Figures, u64)]) -> Result<Build, BuildError> {
    let mut build = Build {
        accelerators: 0,
        r16: ExactOpRate::ZERO,
        r8: ExactOpRate::ZERO,
        rmax: ExactOpRate::ZERO,
        measured_op_per_s: Some(0.0),
        devices: Vec::new(),
        basis: Vec::new(),
        one: None,
    };
    for (figures, count) in parts {
        let rates = Rates::of(figures)?;
        let add = |sum: ExactOpRate, rate: ExactOpRate| {
            rate.checked_times((*count).into())
                .and_then(|more| sum.checked_add(more))
                .ok_or(BuildError::Overflow)
        };
        build.r16 = add(build.r16, rates.r16)?;
        build.r8 = add(build.r8, rates.r8)?;
        build.rmax = add(build.rmax, rates.rmax)?;
        if figures.part == Part::Accelerator {
            build.accelerators = build.accelerators.checked_add(*count).ok_or(BuildError::Overflow)?;
            build.measured_op_per_s =
                build.measured_op_per_s.zip(rates.measured).map(|(sum, r)| sum + r.get() * times(*count));
            build.one = Some((figures.name.clone(), [rates.r16, rates.r8, rates.rmax]));
        }
        build.devices.push((figures.name.clone(), *count));
        build.basis.push(format!("{}: {}", figures.name, rates.basis));
    }
    build.measured_op_per_s = build.measured_op_per_s.filter(|_| build.accelerators > 0);
    Ok(build)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a measured rate has far fewer digits than a count below 2^53"
)]
const fn times(count: u64) -> f64 {
    count as f64
}

//! Parallel links between the same two vertices, summed; a link listed from both its ends counts once.

use super::topology::{Topology, Vertex};
use super::{AssemblyError, Grade};
use crate::units::{BitRate, Decimal};

/// All links between two vertices, from each machine where an end is a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bundle {
    /// The lower end.
    pub a: Vertex,
    /// The higher end.
    pub b: Vertex,
    /// Rate of the fastest of them. Unit: bits per second.
    greatest: u64,
    /// Rate of all together. Unit: bits per second.
    sum: u64,
}

impl Bundle {
    /// Rate of the fastest single link.
    pub const fn greatest(&self) -> BitRate {
        BitRate::new(self.greatest as u128)
    }

    /// Rate of all links together.
    pub const fn sum(&self) -> BitRate {
        BitRate::new(self.sum as u128)
    }
}

/// Bundles in order of their ends.
#[derive(Debug, Clone, Default)]
pub struct Bundles(pub Vec<Bundle>);

impl Bundles {
    /// The bundles of all links that are up.
    ///
    /// Errors: [`AssemblyError::TooMany`] when a sum is past what a bundle can hold (1.8e19 bit/s).
    pub fn of(topology: &Topology) -> Result<Self, AssemblyError> {
        Self::with(topology, |grade| Some(grade.rate))
    }

    /// The same with rates divided by the stated oversubscription, rounded up, so that the comparison `> limit`
    /// with a whole limit stays exact for each link.
    pub fn oversubscribed(topology: &Topology) -> Result<Self, AssemblyError> {
        let effective = |grade: &Grade| {
            let one = grade.oversubscription == Decimal::from_integer(1);
            Some(if one { grade.rate } else { divided(grade.rate, &grade.oversubscription) })
        };
        Self::with(topology, effective)
    }

    /// The bundles of links for which `rate` gives one.
    pub fn with(
        topology: &Topology,
        rate: impl Fn(&Grade) -> Option<BitRate>,
    ) -> Result<Self, AssemblyError> {
        let too_much = || AssemblyError::TooMany("bits per second between two ends");
        let up = |grade: &Grade| if grade.down.is_none() { rate(grade) } else { None };
        let rates = topology.grades.iter().map(|grade| match up(grade) {
            Some(rate) => u64::try_from(rate.get()).map(Some).map_err(|_| too_much()),
            None => Ok(None),
        });
        let rates = rates.collect::<Result<Vec<_>, _>>()?;
        let mut bundles: Vec<Bundle> = Vec::with_capacity(topology.links.len());
        for same in topology.links.chunk_by(|x, y| (x.a, x.b, x.grade) == (y.a, y.b, y.grade)) {
            let Some(rate) = rates[same[0].grade as usize] else { continue };
            let counted =
                |reversed| same.iter().filter(|l| l.reversed == reversed).map(|l| u64::from(l.count)).sum();
            let count = u64::max(counted(false), counted(true));
            let sum = rate.checked_mul(count).ok_or_else(too_much)?;
            match bundles.last_mut().filter(|bundle| (bundle.a, bundle.b) == (same[0].a, same[0].b)) {
                Some(bundle) => {
                    bundle.greatest = bundle.greatest.max(rate);
                    bundle.sum = bundle.sum.checked_add(sum).ok_or_else(too_much)?;
                }
                None => bundles.push(Bundle { a: same[0].a, b: same[0].b, greatest: rate, sum }),
            }
        }
        Ok(Self(bundles))
    }
}

/// `rate / by` rounded up; never zero for a rate above zero.
fn divided(rate: BitRate, by: &Decimal) -> BitRate {
    // The greatest whole quotient q with q * by < rate, plus one, is the quotient rounded up.
    let (mut low, mut high) = (0_u128, rate.get());
    let whole = Decimal::from_integer(rate.get());
    while low < high {
        let middle = low + (high - low) / 2;
        if Decimal::from_integer(middle).times(by) < whole { low = middle + 1 } else { high = middle }
    }
    BitRate::new(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oversubscription_divides_and_rounds_up() {
        let divide = |rate: u128, by: &str| divided(BitRate::new(rate), &by.parse().unwrap()).get();
        assert_eq!(divide(400, "2"), 200);
        assert_eq!(divide(401, "2"), 201);
        assert_eq!(divide(400_000_000_000, "1.5"), 266_666_666_667);
        assert_eq!(divide(7, "7"), 1);
    }
}

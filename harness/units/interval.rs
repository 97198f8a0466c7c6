//! Ranges of a quantity: what is known of it when one number would say too much.

use serde::{Deserialize, Serialize};

use super::UnitError;

/// A closed range of one quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Interval<Q> {
    low: Q,
    high: Q,
}

impl<Q: Copy + PartialOrd + std::fmt::Debug> Interval<Q> {
    /// The range from `low` to `high`, both included.
    ///
    /// Errors: [`UnitError::Reversed`] when `low` is above `high`.
    pub fn new(low: Q, high: Q) -> Result<Self, UnitError> {
        if low <= high {
            Ok(Self { low, high })
        } else {
            Err(UnitError::Reversed { low: format!("{low:?}"), high: format!("{high:?}") })
        }
    }

    /// The range that holds one value only.
    pub const fn exactly(value: Q) -> Self {
        Self { low: value, high: value }
    }

    /// The low end.
    pub const fn low(&self) -> Q {
        self.low
    }

    /// The high end.
    pub const fn high(&self) -> Q {
        self.high
    }

    /// Whether `value` lies in the range.
    pub fn contains(&self, value: Q) -> bool {
        self.low <= value && value <= self.high
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        let low = if other.low < self.low { other.low } else { self.low };
        let high = if other.high > self.high { other.high } else { self.high };
        Self { low, high }
    }

    /// Whether the two ranges share a value.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }

    /// The range of a decreasing function of the quantity: the ends change places.
    pub fn map_decreasing<R: Copy + PartialOrd + std::fmt::Debug>(
        &self,
        f: impl Fn(Q) -> R,
    ) -> Result<Interval<R>, UnitError> {
        Interval::new(f(self.high), f(self.low))
    }
}

impl<'de, Q: Copy + PartialOrd + std::fmt::Debug + Deserialize<'de>> Deserialize<'de> for Interval<Q> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Ends<Q> {
            low: Q,
            high: Q,
        }
        let ends = Ends::deserialize(deserializer)?;
        Self::new(ends.low, ends.high).map_err(serde::de::Error::custom)
    }
}

/// A median with the interval that a resampling of the data puts around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Estimate<Q> {
    /// Low end of the interval.
    pub low: Q,
    /// Median.
    pub median: Q,
    /// High end of the interval.
    pub high: Q,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Ops;

    fn interval() -> impl Strategy<Value = Interval<u64>> {
        (any::<u64>(), any::<u64>()).prop_map(|(a, b)| Interval::new(a.min(b), a.max(b)).unwrap())
    }

    #[test]
    fn a_reversed_interval_cannot_be_made_or_read() {
        assert!(Interval::new(Ops::new(2), Ops::new(1)).is_err());
        assert!(serde_json::from_str::<Interval<Ops>>(r#"{"low":"2","high":"1"}"#).is_err());
        assert!(serde_json::from_str::<Interval<Ops>>(r#"{"low":"1","high":"2","mid":"1"}"#).is_err());
    }

    proptest! {
        #[test]
        fn the_hull_contains_both(a in interval(), b in interval()) {
            let hull = a.hull(&b);
            for end in [a.low(), a.high(), b.low(), b.high()] {
                prop_assert!(hull.contains(end));
            }
            prop_assert_eq!(hull, b.hull(&a));
        }

        #[test]
        fn overlap_is_symmetric_and_means_a_shared_value(a in interval(), b in interval()) {
            prop_assert_eq!(a.overlaps(&b), b.overlaps(&a));
            let shared = a.contains(b.low()) || b.contains(a.low());
            prop_assert_eq!(a.overlaps(&b), shared);
        }

        #[test]
        fn a_decreasing_map_keeps_the_order(a in interval()) {
            let mapped = a.map_decreasing(|v| u64::MAX - v).unwrap();
            prop_assert!(mapped.low() <= mapped.high());
            prop_assert_eq!(mapped.low(), u64::MAX - a.high());
        }
    }
}

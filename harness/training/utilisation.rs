//! Rate of one device at work, from its dense peak and what is known of its utilisation.

use super::Three;
use crate::units::{Decimal, OpRate};

/// Utilisation of language models that is assumed where none is stated, and of others.
///
/// Source: Epoch AI, Estimating training compute, read 24 November 2026; observed 0.25 to 0.56.
const ASSUMED_LANGUAGE: (u128, u32) = (30, 2);
const ASSUMED_OTHER: (u128, u32) = (40, 2);
const LEAST_OBSERVED: (u128, u32) = (25, 2);

/// What a rate is worked out from.
pub(super) struct Utilised<'a> {
    /// Dense peak. Unit: operations per second.
    pub peak: &'a Decimal,
    /// Measured sustained rate: low, median, high.
    pub sustained: Option<(OpRate, OpRate, OpRate)>,
    /// Whether a language model is trained.
    pub language: bool,
}

/// Rates and how they were found.
type Found = (Three, String);

impl Utilised<'_> {
    /// Nothing is stated: the usual value, from the least that was observed to the whole peak.
    pub fn unknown(&self) -> Found {
        let usual = if self.language { ASSUMED_LANGUAGE } else { ASSUMED_OTHER };
        let rate = Three {
            low: self.peak.times(&fraction(LEAST_OBSERVED)),
            best: self.peak.times(&fraction(usual)),
            high: self.peak.clone(),
        };
        (rate, format!("utilisation not stated: {} assumed, 1 at most", fraction(usual)))
    }

    /// Between `low` and `high`, the whole peak being the bound.
    pub fn between(&self, low: &Decimal, high: &Decimal) -> Result<Found, String> {
        let one = Decimal::from_integer(1);
        if low.is_zero() || low > high || *high > one {
            return Err(format!("{low} to {high} is no range within 0 to 1, low end first"));
        }
        let half: Decimal = fraction((5, 1));
        let best = low.plus(high).times(&half);
        let rate = Three { low: self.peak.times(low), best: self.peak.times(&best), high: self.peak.clone() };
        let stated = if low == high { format!("{low}") } else { format!("{low} to {high}") };
        Ok((rate, format!("utilisation {stated} stated, 1 at most")))
    }

    /// Bounded by what the device sustains in a dense product; training reaches less.
    pub fn by_profile(&self, device: &str) -> Result<Found, String> {
        let (.., bound) = self.sustained.ok_or_else(|| {
            format!("no calibrated profile of '{device}' in this precision; give --profile FILE or a number")
        })?;
        let bound: Decimal = format!("{:e}", bound.get()).parse().map_err(|error| format!("{error}"))?;
        let bound =
            Decimal::from_integer(bound.ceil("operations per second").map_err(|error| error.to_string())?);
        let (unknown, _) = self.unknown();
        let within = |rate: Decimal| if rate < bound { rate } else { bound.clone() };
        let rate = Three { low: within(unknown.low), best: within(unknown.best), high: within(unknown.high) };
        Ok((rate, format!("utilisation not stated, at most the sustained {bound} of the profile")))
    }
}

fn fraction((digits, places): (u128, u32)) -> Decimal {
    let text = format!("{digits}e-{places}");
    text.parse().unwrap_or_else(|_| Decimal::from_integer(1))
}

//! Comparing ranges with limits: met, not met, or not to be told from what is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Comparison, Limit, Quantity, Range, Test};
use crate::units::Decimal;

/// What a limit or a test says of what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole range passes the limit.
    Met,
    /// None of the range does.
    NotMet,
    /// Some of the range does.
    Undetermined,
}

impl Verdict {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not-met",
            Self::Undetermined => "undetermined",
        }
    }

    /// Both must hold.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::NotMet, _) | (_, Self::NotMet) => Self::NotMet,
            (Self::Met, Self::Met) => Self::Met,
            _ => Self::Undetermined,
        }
    }

    /// One must hold.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Met, _) | (_, Self::Met) => Self::Met,
            (Self::NotMet, Self::NotMet) => Self::NotMet,
            _ => Self::Undetermined,
        }
    }
}

/// What is known of each quantity; a quantity that is absent is unknown.
pub type Values = BTreeMap<Quantity, Range>;

/// What `limit` says of `values`; `exact` leaves the accepted margin of estimates out.
pub fn judge_limit(limit: &Limit, values: &Values, exact: bool) -> Verdict {
    let range = values.get(&limit.quantity).cloned().unwrap_or_else(Range::unknown);
    let range = scaled(limit, range, exact);
    let against = match (&limit.value, limit.of) {
        (Some(value), _) => Range::exactly(value.clone()),
        (None, Some(other)) => values.get(&other).cloned().unwrap_or_else(Range::unknown),
        (None, None) => Range::unknown(),
    };
    match limit.comparison {
        Comparison::Above => exceeds(&range, &against, |a, b| a > b),
        Comparison::AtLeast => exceeds(&range, &against, |a, b| a >= b),
        Comparison::Below => match exceeds(&range, &against, |a, b| a >= b) {
            Verdict::Met => Verdict::NotMet,
            Verdict::NotMet => Verdict::Met,
            Verdict::Undetermined => Verdict::Undetermined,
        },
    }
}

/// What all limits of `test` say together.
pub fn judge_test(test: &Test, values: &Values, exact: bool) -> Verdict {
    test.limit.iter().map(|limit| judge_limit(limit, values, exact)).fold(Verdict::Met, Verdict::and)
}

/// The range with the limit's factor and margin applied.
fn scaled(limit: &Limit, range: Range, exact: bool) -> Range {
    let times = Decimal::from_integer(limit.times.into());
    let (low, high) = match &limit.margin {
        Some(margin) if !exact => (margin.low.times(&times), margin.high.times(&times)),
        _ => (times.clone(), times),
    };
    Range { low: range.low.times(&low), high: range.high.map(|value| value.times(&high)) }
}

fn exceeds(range: &Range, against: &Range, passes: impl Fn(&Decimal, &Decimal) -> bool) -> Verdict {
    if against.high.as_ref().is_some_and(|limit| passes(&range.low, limit)) {
        Verdict::Met
    } else if range.high.as_ref().is_some_and(|high| !passes(high, &against.low)) {
        Verdict::NotMet
    } else {
        Verdict::Undetermined
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::threshold::{all_rules, load_rule};

    #[test]
    fn every_scenario_of_every_rule_comes_out_as_stated() {
        for rule in all_rules().unwrap() {
            for scenario in &rule.scenario {
                let test = rule.test.iter().find(|test| test.id == scenario.test).unwrap();
                let verdict = judge_test(test, &scenario.values, scenario.exact);
                assert_eq!(verdict, scenario.verdict, "{}: {}", rule.id, scenario.name);
            }
        }
    }

    #[test]
    fn an_unknown_quantity_never_decides() {
        for rule in all_rules().unwrap() {
            for test in &rule.test {
                assert_eq!(judge_test(test, &Values::new(), false), Verdict::Undetermined, "{}", test.id);
            }
        }
    }

    #[test]
    fn a_changed_limit_fails_its_scenarios() {
        let text = include_str!("rules/bis-2024-proposed.toml");
        let lacking = text.replacen("value = \"1e26\"", "value = \"1.1e26\"", 1);
        assert!(load_rule("changed.toml", &lacking).is_err(), "no scenario lies at the other limit");
        let rule = load_rule("changed.toml", &text.replacen("comparison = \">\"", "comparison = \">=\"", 1))
            .unwrap();
        let differs = rule.scenario.iter().any(|scenario| {
            let test = rule.test.iter().find(|test| test.id == scenario.test).unwrap();
            judge_test(test, &scenario.values, scenario.exact) != scenario.verdict
        });
        assert!(differs, "no scenario notices another comparison");
    }

    proptest! {
        #[test]
        fn a_wider_range_never_turns_met_into_not_met(low in 0..1000_u128, width in 0..1000_u128, more in 0..1000_u128) {
            let rules = all_rules().unwrap();
            let test = &rules.iter().find(|rule| rule.id == "BIS-2024-proposed").unwrap().test[0];
            let at = |value: u128| Decimal::from_integer(10_u128.pow(26) - 500 + value);
            let judged = |low: u128, high: u128| {
                let range = Range { low: at(low), high: Some(at(high)) };
                judge_test(test, &Values::from([(Quantity::TrainingOperations, range)]), false)
            };
            let narrow = judged(low, low + width);
            let wide = judged(low.saturating_sub(more), low + width + more);
            prop_assert!(wide == narrow || wide == Verdict::Undetermined);
        }
    }
}

//! Operations from parameters and tokens: `6 x N x D`, and what a rule adds to it.

use super::{
    Contribution, Counting, Effect, Method, Model, Phase, PhaseKind, Recompute, Route, Run, Three, Treatment,
};
use crate::precision::Precision;
use crate::units::Decimal;

/// Operations per parameter and token: two forward, four backward.
///
/// Source: Kaplan et al. 2020, arXiv 2001.08361, section 2.1.
const TRAINING: u128 = 6;
/// Operations per parameter and token of a forward pass.
const FORWARD: u128 = 2;
/// Operations per layer, width, position and token of attention, forward and backward; half when causal.
///
/// Source: Kaplan et al. 2020, table 1, three times the forward term.
const ATTENTION: u128 = 12;

/// The architecture route.
///
/// Errors: what the file does not say.
pub fn architecture(run: &Run, counting: &Counting) -> Result<Route, String> {
    let model = run.model.as_ref().ok_or("architecture: no [model] parameters")?;
    if run.phases.is_empty() {
        return Err("architecture: no [[phase]] tokens".to_owned());
    }
    let mut route = Route {
        method: Method::Architecture,
        runs: Vec::new(),
        contributions: Vec::new(),
        steps: Vec::new(),
    };
    let mut pretraining: Option<Three> = None;
    for (at, phase) in run.phases.iter().enumerate() {
        let operations = phase_operations(model, phase, counting, &mut route);
        if phase.kind == PhaseKind::Pretraining {
            pretraining = Some(pretraining.unwrap_or_else(Three::zero).plus(&operations));
        } else {
            route
                .runs
                .push((format!("{}: {} (phase {})", run.name(), phase.kind.name(), at + 1), operations));
        }
    }
    if let Some(operations) = pretraining {
        route.runs.insert(0, (format!("{}: pretraining", run.name()), operations));
    }
    Ok(route)
}

fn phase_operations(model: &Model, phase: &Phase, counting: &Counting, route: &mut Route) -> Three {
    let integer = phase.precision.is_some_and(Precision::is_integer);
    if integer && counting.integer_operations == Treatment::Excluded {
        route.steps.push(format!("{}: integer operations are not counted", phase.kind.name()));
        return Three::zero();
    }
    let all = counting.input_embedding == Treatment::Counted;
    let parameters = if all { &model.active_parameters } else { &model.without_embedding };
    let times = |factor: u128, tokens: &Three| {
        Three::exactly(&Decimal::from_integer(factor)).times(parameters).times(tokens)
    };
    let mut sum = Sum { three: Three::zero(), route };
    if phase.kind == PhaseKind::SyntheticData {
        let treatment = if phase.publicly_accessible { Treatment::Excluded } else { counting.synthetic_data };
        let operations = times(FORWARD, &phase.tokens);
        sum.step(formula("synthetic-data", FORWARD, parameters, &phase.tokens, &operations));
        sum.add("synthetic-data", &operations, treatment);
        return sum.three;
    }
    let operations = times(TRAINING, &phase.tokens);
    sum.step(formula(phase.kind.name(), TRAINING, parameters, &phase.tokens, &operations));
    if model.active_parameters != model.without_embedding {
        let other = if all { &model.without_embedding } else { &model.active_parameters };
        let what = if all { "without" } else { "with" };
        let operations = Decimal::from_integer(TRAINING).times(&other.best).times(&phase.tokens.best);
        sum.step(format!("{what} the input embedding table it would be {operations}"));
    }
    sum.add("training", &operations, Treatment::Counted);
    sum.widths(parameters, &phase.tokens);
    let attention = |factor: u128, tokens: &Three| {
        let half = if model.causal { 2 } else { 1 };
        let size = Three::exactly(model.attention_size.as_ref()?);
        Some(Three::exactly(&Decimal::from_integer(factor / half)).times(&size).times(tokens))
    };
    if let Some(operations) = attention(ATTENTION, &phase.tokens) {
        sum.add("attention", &operations, counting.attention);
    }
    match phase.recompute {
        Recompute::None => {}
        Recompute::Full => sum.add("recomputation", &times(FORWARD, &phase.tokens), counting.recomputation),
        Recompute::Selective => {
            // Without the sizes, all activations again is a bound.
            let again =
                attention(ATTENTION / 3, &phase.tokens).unwrap_or_else(|| times(FORWARD, &phase.tokens));
            sum.add("recomputation", &again, counting.recomputation);
        }
    }
    if phase.kind == PhaseKind::ReinforcementLearning {
        sum.add("rollouts", &times(FORWARD, &phase.rollout_tokens), counting.rollouts);
    }
    sum.add("failed-segments", &times(TRAINING, &phase.failed_tokens), counting.failed_segments);
    sum.three
}

fn formula(name: &str, factor: u128, parameters: &Three, tokens: &Three, operations: &Three) -> String {
    let shown = |three: &Three| {
        if three.is_exact() { three.best.to_string() } else { format!("({} to {})", three.low, three.high) }
    };
    format!("{name}: {factor} x {} x {} = {}", shown(parameters), shown(tokens), shown(operations))
}

struct Sum<'a> {
    three: Three,
    route: &'a mut Route,
}

impl Sum<'_> {
    fn step(&mut self, text: String) {
        self.route.steps.push(text);
    }

    fn add(&mut self, name: &'static str, operations: &Three, treatment: Treatment) {
        if operations.high.is_zero() || treatment == Treatment::Excluded {
            return;
        }
        let effect = if treatment == Treatment::High { Effect::HighEnd } else { Effect::Counted };
        if name != "training" {
            self.route.steps.push(format!("{name}: {} ({})", operations.high, effect.name()));
        }
        let nothing = Three::zero();
        let entered = match effect {
            Effect::HighEnd => Three { high: operations.high.clone(), ..nothing },
            Effect::Counted | Effect::Width => operations.clone(),
        };
        self.three = self.three.plus(&entered);
        self.contribute(name, &operations.high, effect);
    }

    /// What the ranges of the inputs make of the distance of the two ends, each with the other at its best.
    fn widths(&mut self, parameters: &Three, tokens: &Three) {
        let six = Decimal::from_integer(TRAINING);
        for (name, range, other) in [("tokens", tokens, parameters), ("parameters", parameters, tokens)] {
            if let Some(width) = range.high.minus(&range.low).filter(|width| !width.is_zero()) {
                self.contribute(name, &six.times(&width).times(&other.best), Effect::Width);
            }
        }
    }

    fn contribute(&mut self, name: &'static str, operations: &Decimal, effect: Effect) {
        match self.route.contributions.iter_mut().find(|c| c.name == name && c.effect == effect) {
            Some(known) => known.operations = known.operations.plus(operations),
            None => {
                self.route.contributions.push(Contribution { name, operations: operations.clone(), effect });
            }
        }
    }
}

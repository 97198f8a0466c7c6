//! What the rules say of a training run.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::determination::{Compared, Determination};
use super::judge::{Values, judge_test};
use super::{AppliesTo, Limit, Quantity, Range, Rule, Subject, Test, Verdict};
use crate::training::{
    Assessment, Counting, Effect, Method, Modified, PhaseKind, Run, Stretch, Three, assess, crossing,
    judged_by,
};
use crate::units::{Decimal, UnitError};

/// A determination with the estimate that it rests on.
#[derive(Debug, Clone)]
pub struct TrainingJudgement {
    /// The determination.
    pub determination: Determination,
    /// The estimate.
    pub assessment: Assessment,
    /// The verdict if this method led, for each that gives an estimate.
    pub by_method: BTreeMap<&'static str, Verdict>,
    /// First day on which the total passes the limit at the present rate.
    pub crossing: Option<Date>,
}

/// Why there is no determination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainingError {
    /// The file says too little.
    #[error("{0}")]
    NoEstimate(String),
    /// Operations past `u128`.
    #[error(transparent)]
    Unit(#[from] UnitError),
}

/// Every training test of `rules` that applies to `run`.
///
/// Errors: [`TrainingError`] when there is no estimate at all.
pub fn judge_training(
    rules: &[Rule],
    run: &Run,
    as_of: Date,
) -> Result<Vec<TrainingJudgement>, TrainingError> {
    let mut found = Vec::new();
    for rule in rules {
        for test in rule.test.iter().filter(|test| test.subject == Subject::Training && applies(test, run)) {
            if let Some(counting) = &test.counting {
                found.push(judge(rule, test, counting, run, as_of)?);
            }
        }
    }
    Ok(found)
}

fn applies(test: &Test, run: &Run) -> bool {
    let unknown = |risk: bool| matches!(run.original, Some(Modified::Unknown { systemic_risk }) if systemic_risk == risk);
    match test.applies_to {
        AppliesTo::All => true,
        AppliesTo::Biological => run.model.as_ref().is_some_and(|model| model.biological),
        AppliesTo::Modification => matches!(run.original, Some(Modified::Known { .. })),
        AppliesTo::ModificationOfUnknownSystemicRisk => unknown(true),
        AppliesTo::ModificationOfUnknown => unknown(false),
    }
}

fn judge(
    rule: &Rule,
    test: &Test,
    counting: &Counting,
    run: &Run,
    as_of: Date,
) -> Result<TrainingJudgement, TrainingError> {
    let assessment = assess(run, counting).map_err(TrainingError::NoEstimate)?;
    let limit = &test.limit[0];
    let judged = |three: &Three| judge_test(test, &values(limit, three, run), false);
    let verdict = judged(&assessment.judged);
    let compared = compared(limit, &assessment.judged, run)?;
    let mut determination = Determination::new(rule, test, limit, as_of, verdict, compared);
    let mut by_method = BTreeMap::new();
    let routes = [&assessment.architecture, &assessment.hardware];
    for route in routes.into_iter().filter_map(|route| route.as_ref().ok()) {
        by_method.insert(route.method.name(), judged(&judged_by(route, &assessment, counting)));
    }
    determination.depends_on = causes(test, &assessment, run, verdict);
    if by_method.values().any(|other| *other != verdict) {
        determination.depends_on.push("method".to_owned());
    }
    explain(&mut determination, limit, &assessment);
    determination.close();
    let crossing = crossing_day(limit, counting, run, &assessment);
    Ok(TrainingJudgement { determination, assessment, by_method, crossing })
}

fn values(limit: &Limit, three: &Three, run: &Run) -> Values {
    let range = Range { low: three.low.clone(), high: Some(three.high.clone()) };
    let mut values = Values::from([(limit.quantity, range)]);
    if let Some(cost) = &run.compute_cost_usd {
        values.insert(Quantity::ComputeCost, Range::exactly(cost.clone()));
    }
    if let Some(Modified::Known { low, high }) = &run.original {
        let range = Range { low: low.clone(), high: Some(high.clone()) };
        values.insert(Quantity::OriginalOperations, range);
    }
    values
}

/// The value as it meets the limit: with the factor and the margin that the rule gives it.
fn compared(limit: &Limit, three: &Three, run: &Run) -> Result<Compared, UnitError> {
    let times = Decimal::from_integer(limit.times.into());
    let one = Decimal::from_integer(1);
    let margin = limit.margin.as_ref();
    let low = three.low.times(margin.map_or(&one, |margin| &margin.low)).times(&times);
    let high = three.high.times(margin.map_or(&one, |margin| &margin.high)).times(&times);
    let against = match (&limit.value, &run.original) {
        (Some(value), _) => value.clone(),
        (None, Some(Modified::Known { low, .. })) => low.clone(),
        (None, _) => Decimal::from_integer(0),
    };
    Ok(Compared {
        ends: [against.to_f64(), low.to_f64(), high.to_f64()],
        limit: against.to_string(),
        low: low.floor("operations")?.to_string(),
        high: Some(high.ceil("operations")?.to_string()),
    })
}

/// What would settle the verdict, or settle it otherwise, if it were left out.
fn causes(test: &Test, assessment: &Assessment, run: &Run, verdict: Verdict) -> Vec<String> {
    if verdict != Verdict::Undetermined {
        return Vec::new();
    }
    let limit = &test.limit[0];
    let settled = |three: &Three, exact: bool| {
        judge_test(test, &values(limit, three, run), exact) != Verdict::Undetermined
    };
    let judged = &assessment.judged;
    let mut found = Vec::new();
    if limit.margin.is_some() && settled(judged, true) {
        found.push("margin of estimates".to_owned());
    }
    let sum = &assessment.lineage.sum;
    if judged.low != sum.low {
        found.push("what one run is".to_owned());
    }
    let open = assessment.headline.contributions.iter().filter(|c| c.effect != Effect::Counted);
    found.extend(open.map(|contribution| contribution.name.to_owned()));
    if assessment.headline.method == Method::Published && judged.low != judged.high {
        found.push("published range".to_owned());
    }
    if test.limit.iter().any(|limit| limit.quantity == Quantity::ComputeCost)
        && run.compute_cost_usd.is_none()
    {
        found.push("compute cost, which is not stated".to_owned());
    }
    if matches!(&run.original, Some(Modified::Known { low, high }) if low != high) {
        found.push("operations of the original".to_owned());
    }
    found
}

fn explain(determination: &mut Determination, limit: &Limit, assessment: &Assessment) {
    determination.steps.push(format!("estimate by {}", assessment.headline.method.name()));
    determination.steps.extend(assessment.headline.steps.iter().cloned());
    let shown = |three: &Three| format!("low {}, best {}, high {}", three.low, three.best, three.high);
    for (name, three) in &assessment.lineage.runs {
        determination.steps.push(format!("run {name}: {}", shown(three)));
    }
    determination.steps.push(format!("sum of the lineage: {}", shown(&assessment.lineage.sum)));
    if assessment.judged.low != assessment.lineage.sum.low {
        let largest =
            "the text does not say what one run is: low is the largest single run, high the lineage";
        determination.steps.push(largest.to_owned());
    }
    if let Some(margin) = &limit.margin {
        let step = format!("accepted error of an estimate: low x {}, high x {}", margin.low, margin.high);
        determination.steps.push(step);
    }
    if limit.times > 1 {
        determination
            .steps
            .push(format!("compared {} times over, so that the fraction stays exact", limit.times));
    }
}

/// The crossing day of the best estimate, from the dates of phases or of an export.
fn crossing_day(limit: &Limit, counting: &Counting, run: &Run, assessment: &Assessment) -> Option<Date> {
    let value = match (&limit.value, &run.original) {
        (Some(value), _) => value.clone(),
        (None, Some(Modified::Known { high, .. })) => high.clone(),
        _ => return None,
    };
    let older = &assessment.lineage.runs[..assessment.lineage.runs.len() - assessment.headline.runs.len()];
    let zero = Decimal::from_integer(0);
    let this_only = counting.runs == crate::training::Runs::This;
    let before = older.iter().filter(|_| !this_only).fold(zero, |sum, (_, run)| sum.plus(&run.best));
    let stretches = stretches(run, counting, assessment)?;
    let times = Decimal::from_integer(limit.times.into());
    let scaled = |stretch: Stretch| Stretch { operations: stretch.operations.times(&times), ..stretch };
    let stretches: Vec<_> = stretches.into_iter().map(scaled).collect();
    crossing(&stretches, &before.times(&times), &value)
}

fn stretches(run: &Run, counting: &Counting, assessment: &Assessment) -> Option<Vec<Stretch>> {
    let whole =
        |(start, end): (Date, Date)| Stretch { start, end, operations: assessment.headline.sum().best };
    let dates = |phase: &crate::training::Phase| phase.start.zip(phase.end);
    match assessment.headline.method {
        Method::Architecture if run.phases.iter().all(|phase| dates(phase).is_some()) => {
            let one = |phase: &crate::training::Phase| {
                let (start, end) = dates(phase)?;
                let alone = Run { phases: vec![phase.clone()], lineage: Vec::new(), ..run.clone() };
                let operations = crate::training::architecture(&alone, counting).ok()?.sum().best;
                Some(Stretch { start, end, operations })
            };
            run.phases.iter().map(one).collect()
        }
        Method::Hardware => {
            let exported: Vec<_> = run.usage.iter().filter_map(|usage| usage.dates).collect();
            let phases =
                || run.phases.iter().filter(|p| p.kind != PhaseKind::SyntheticData).filter_map(dates);
            let all: Vec<_> = exported.into_iter().chain(phases()).collect();
            let start = all.iter().map(|(start, _)| *start).min()?;
            let end = all.iter().map(|(_, end)| *end).max()?;
            Some(vec![whole((start, end))])
        }
        _ => None,
    }
}

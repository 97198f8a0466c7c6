//! What the rules say of a training run, as the file carries it, kind `training-determination/1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Determination, TrainingJudgement};
use crate::training::{Effect, Method, Route, Run, Three, WholeThree};
use crate::units::{Ops, Ratio, UnitError, two_figures};

/// Greatest ratio of the two estimates that is usual.
///
/// Source: Epoch AI, Estimating training compute: they "differ by no more than a factor of 1.7".
const USUAL_RATIO: f64 = 1.7;

/// Estimates and determinations, kind `training-determination/1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingDetermination {
    /// `flopgauge.training-determination/1`.
    pub format: String,
    /// Day whose law is shown.
    pub as_of: String,
    /// Name of the model, or of the file.
    pub name: String,
    /// The estimate that leads.
    pub headline: Headline,
    /// From parameters and tokens; null when the file says too little.
    pub architecture: Option<WholeThree>,
    /// Why it is null.
    pub architecture_reason: Option<String>,
    /// From device hours; null when the file says too little.
    pub hardware: Option<WholeThree>,
    /// Why it is null.
    pub hardware_reason: Option<String>,
    /// The greater estimate over the smaller; null without both.
    pub agreement: Option<Ratio>,
    /// This run and those whose weights it starts from.
    pub lineage: LineageAnswer,
    /// What makes the range as wide and as high as it is.
    pub contributions: Vec<ContributionAnswer>,
    /// What each rule says.
    pub determinations: Vec<Determination>,
    /// First day on which the best estimate passes a rule's limit at the present rate; null when there is none.
    pub projected_crossing: BTreeMap<String, Option<String>>,
    /// What to look at twice.
    pub warnings: Vec<String>,
}

/// The estimate that leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Headline {
    /// How it was made.
    pub method: Method,
    /// Two significant figures, as notifications give it.
    pub operations: String,
    /// Low end.
    pub low: Ops,
    /// High end.
    pub high: Ops,
}

/// A sum over runs that share weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineageAnswer {
    /// Each of them.
    pub runs: Vec<RunAnswer>,
    /// Low end.
    pub low: Ops,
    /// Best estimate.
    pub best: Ops,
    /// High end.
    pub high: Ops,
}

/// Estimate of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunAnswer {
    /// Name of the run.
    pub name: String,
    /// Low end.
    pub low: Ops,
    /// Best estimate.
    pub best: Ops,
    /// High end.
    pub high: Ops,
}

/// One cause of a range's width, or of its height.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionAnswer {
    /// What it is: `attention`, `recomputation`, `utilisation`, ….
    pub name: String,
    /// Operations, rounded up.
    pub operations: Ops,
    /// Where it enters the range.
    pub effect: Effect,
}

impl TrainingDetermination {
    /// Kind and version.
    pub const KIND: &'static str = "training-determination/1";

    /// What `judged`, which must not be empty, says of `run` on the day `as_of`.
    ///
    /// Errors: [`UnitError`] past `u128` operations.
    pub(crate) fn new(run: &Run, judged: &[TrainingJudgement], as_of: String) -> Result<Self, UnitError> {
        // The rule that counts least decides what the estimates show; BIS comes first among those that are built in.
        let first = judged.iter().find(|j| j.determination.rule == "BIS-2024-proposed").unwrap_or(&judged[0]);
        let assessment = &first.assessment;
        let whole =
            |route: &Result<Route, String>| route.as_ref().ok().map(|route| route.sum().whole()).transpose();
        let architecture = whole(&assessment.architecture)?;
        let hardware = whole(&assessment.hardware)?;
        let headline = assessment.headline.sum().whole()?;
        let agreement = architecture.zip(hardware).and_then(|(a, b)| ratio(a.best, b.best));
        let runs = assessment.lineage.runs.iter().map(|(name, three)| {
            let WholeThree { low, best, high } = three.whole()?;
            Ok(RunAnswer { name: name.clone(), low, best, high })
        });
        let sum = assessment.lineage.sum.whole()?;
        let contributions = assessment.headline.contributions.iter().map(|c| {
            Ok(ContributionAnswer {
                name: c.name.to_owned(),
                operations: Three::exactly(&c.operations).whole()?.high,
                effect: c.effect,
            })
        });
        let determined = |judgement: &TrainingJudgement| {
            let names = judgement.by_method.iter().map(|(name, verdict)| ((*name).to_owned(), *verdict));
            let mut determination = judgement.determination.clone();
            determination.verdict_by_method = Some(names.collect());
            determination
        };
        let crossing =
            |j: &TrainingJudgement| (j.determination.rule.clone(), j.crossing.map(|day| day.to_string()));
        Ok(Self {
            format: format!("flopgauge.{}", Self::KIND),
            as_of,
            name: run.name().to_owned(),
            headline: Headline {
                method: assessment.headline.method,
                operations: two_figures(headline.best),
                low: headline.low,
                high: headline.high,
            },
            architecture,
            architecture_reason: assessment.architecture.as_ref().err().cloned(),
            hardware,
            hardware_reason: assessment.hardware.as_ref().err().cloned(),
            agreement,
            lineage: LineageAnswer {
                runs: runs.collect::<Result<_, UnitError>>()?,
                low: sum.low,
                best: sum.best,
                high: sum.high,
            },
            contributions: contributions.collect::<Result<_, UnitError>>()?,
            determinations: judged.iter().map(determined).collect(),
            projected_crossing: judged.iter().map(crossing).collect(),
            warnings: warnings(run, agreement),
        })
    }
}

fn ratio(a: Ops, b: Ops) -> Option<Ratio> {
    let (small, great) = (a.min(b), a.max(b));
    if small == Ops::ZERO { None } else { Ratio::new(great.to_f64() / small.to_f64()).ok() }
}

fn warnings(run: &Run, agreement: Option<Ratio>) -> Vec<String> {
    let mut found = run.notes.clone();
    if let Some(ratio) = agreement.filter(|ratio| ratio.get() > USUAL_RATIO) {
        let ratio = ratio.get();
        found.push(format!(
            "the two estimates differ by a factor of {ratio:.2}; up to {USUAL_RATIO} is usual"
        ));
    }
    if run.model.as_ref().is_some_and(|model| model.sparse) {
        found.push(
            "mixture of experts: active parameters are counted, the total would be too high".to_owned(),
        );
    }
    found
}

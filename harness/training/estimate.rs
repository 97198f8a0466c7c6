//! Ranges of operations with their causes, and the assessment that a rule looks at.

use serde::{Deserialize, Serialize};

use super::{Counting, Run, Runs, architecture, hardware};
use crate::units::{Decimal, Ops, UnitError};

/// A low end, a best estimate and a high end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Three {
    /// Low end.
    pub low: Decimal,
    /// Best estimate.
    pub best: Decimal,
    /// High end.
    pub high: Decimal,
}

impl Three {
    /// Nothing.
    pub fn zero() -> Self {
        Self::exactly(&Decimal::from_integer(0))
    }

    /// One value.
    pub fn exactly(value: &Decimal) -> Self {
        Self { low: value.clone(), best: value.clone(), high: value.clone() }
    }

    /// The sum, end by end.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            low: self.low.plus(&other.low),
            best: self.best.plus(&other.best),
            high: self.high.plus(&other.high),
        }
    }

    /// From `low` to `high`, the middle being the best.
    pub fn between(low: &Decimal, high: &Decimal) -> Self {
        // A half is exact in decimals.
        let best = low.plus(high).times(&Decimal::from_integer(5)).tenth();
        Self { low: low.clone(), best, high: high.clone() }
    }

    /// The product, end by end.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self {
            low: self.low.times(&other.low),
            best: self.best.times(&other.best),
            high: self.high.times(&other.high),
        }
    }

    /// Whether it is one value.
    pub fn is_exact(&self) -> bool {
        self.low == self.high
    }

    /// As whole operations, rounded outwards.
    ///
    /// Errors: [`UnitError::OutOfRange`] past `u128`.
    pub fn whole(&self) -> Result<WholeThree, UnitError> {
        Ok(WholeThree {
            low: Ops::new(self.low.floor("operations")?),
            best: Ops::new(self.best.floor("operations")?),
            high: Ops::new(self.high.ceil("operations")?),
        })
    }
}

/// The same in whole operations, as files carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WholeThree {
    /// Low end, rounded down.
    pub low: Ops,
    /// Best estimate, rounded down.
    pub best: Ops,
    /// High end, rounded up.
    pub high: Ops,
}

/// One cause of a range's width, or of its height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// What it is: `attention`, `recomputation`, `utilisation`, ….
    pub name: &'static str,
    /// Operations.
    pub operations: Decimal,
    /// Where they are.
    pub effect: Effect,
}

/// Where a contribution enters a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// In both ends.
    Counted,
    /// In the high end only.
    HighEnd,
    /// It is the distance of the two ends that an input's own range makes.
    Width,
}

impl Effect {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::HighEnd => "high-end",
            Self::Width => "width",
        }
    }
}

/// How an estimate was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// From parameters and tokens.
    Architecture,
    /// From device hours.
    Hardware,
    /// Somebody's figure.
    Published,
}

impl Method {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Architecture => "architecture",
            Self::Hardware => "hardware",
            Self::Published => "published",
        }
    }
}

/// What one method gives for one file, or for a lineage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// How.
    pub method: Method,
    /// Each run that could count as one, by name.
    pub runs: Vec<(String, Three)>,
    /// Causes.
    pub contributions: Vec<Contribution>,
    /// Steps of the calculation.
    pub steps: Vec<String>,
}

impl Route {
    /// All runs together.
    pub fn sum(&self) -> Three {
        self.runs.iter().fold(Three::zero(), |sum, (_, run)| sum.plus(run))
    }
}

/// A run with those that its weights come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// Every run of it, oldest first.
    pub runs: Vec<(String, Three)>,
    /// Their sum.
    pub sum: Three,
}

/// What one rule's counting gives for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The estimate that leads.
    pub headline: Route,
    /// By parameters and tokens, or why not.
    pub architecture: Result<Route, String>,
    /// By device hours, or why not.
    pub hardware: Result<Route, String>,
    /// With all ancestors.
    pub lineage: Lineage,
    /// What a limit is compared with.
    pub judged: Three,
}

/// What `counting` gives for `run`.
///
/// Errors: why there is no estimate at all, or none of an ancestor.
pub fn assess(run: &Run, counting: &Counting) -> Result<Assessment, String> {
    let architecture = architecture(run, counting);
    let hardware = hardware(run, counting);
    let headline = headline(run, &architecture, &hardware)?;
    let mut runs = Vec::new();
    for ancestor in &run.lineage {
        let older = assess(ancestor, counting).map_err(|reason| format!("{}: {reason}", ancestor.name()))?;
        runs.extend(older.lineage.runs);
    }
    runs.extend(headline.runs.iter().cloned());
    let lineage = lineage(runs);
    let judged = judged(counting, &headline, &lineage);
    Ok(Assessment { headline, architecture, hardware, lineage, judged })
}

/// What a limit is compared with when `route` leads instead.
pub(crate) fn judged_by(route: &Route, assessment: &Assessment, counting: &Counting) -> Three {
    let older = assessment.lineage.runs.len() - assessment.headline.runs.len();
    let mut runs: Vec<_> = assessment.lineage.runs[..older].to_vec();
    runs.extend(route.runs.iter().cloned());
    judged(counting, route, &lineage(runs))
}

fn lineage(runs: Vec<(String, Three)>) -> Lineage {
    let sum = runs.iter().fold(Three::zero(), |sum, (_, run)| sum.plus(run));
    Lineage { runs, sum }
}

fn judged(counting: &Counting, headline: &Route, lineage: &Lineage) -> Three {
    match counting.runs {
        Runs::This => headline.sum(),
        Runs::Sum => lineage.sum.clone(),
        Runs::EachAndSum => {
            let largest = lineage.runs.iter().map(|(_, run)| &run.low).max();
            let low = largest.cloned().unwrap_or_else(|| Decimal::from_integer(0));
            Three { low, ..lineage.sum.clone() }
        }
    }
}

/// Architecture where parameters and tokens are known, else hardware, else somebody's figure.
fn headline(
    run: &Run,
    architecture: &Result<Route, String>,
    hardware: &Result<Route, String>,
) -> Result<Route, String> {
    let known = architecture.as_ref().or(hardware.as_ref());
    match (known, &run.published) {
        (Ok(route), _) => Ok(route.clone()),
        (Err(_), Some(published)) => Ok(Route {
            method: Method::Published,
            runs: vec![(run.name().to_owned(), published.operations.clone())],
            contributions: Vec::new(),
            steps: vec![format!("published figure: {}", published.source)],
        }),
        (Err(reason), None) => {
            let first = architecture.as_ref().err().unwrap_or(reason);
            Err(format!("no estimate: {first}; {reason}"))
        }
    }
}

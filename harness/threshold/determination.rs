//! What one test of one rule says, with everything that a reader needs to check it by hand.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Comparison, Limit, Mark, Rule, State, Test, Verdict};

/// A determination, as files carry it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Determination {
    /// Rule.
    pub rule: String,
    /// Test of the rule.
    pub test: String,
    /// Where the rule stands on the date.
    pub status: State,
    /// The same in words.
    pub status_notice: String,
    /// What comes out.
    pub verdict: Verdict,
    /// Limit, as a decimal string.
    pub limit: String,
    /// How the value is compared with it.
    pub comparison: Comparison,
    /// Unit of limit and values.
    pub unit: String,
    /// Low end of the value, rounded down, as a decimal string.
    pub low: String,
    /// High end of the value, rounded up, as a decimal string; null when nothing bounds it.
    pub high: Option<String>,
    /// Distance of the low and the high end from the limit, in decades; null for a value of nothing.
    pub margin_decades: [Option<f64>; 2],
    /// Assumptions that decide, or would decide otherwise.
    pub depends_on: Vec<String>,
    /// What to do.
    pub advice: String,
    /// How the verdict was reached, each step with its source.
    pub steps: Vec<String>,
    /// How well the limit is known.
    pub evidence: Mark,
    /// Title of the source.
    pub source: String,
    /// Address of the source.
    pub url: String,
    /// The text.
    pub quotation: String,
    /// What else must hold, which is not computed.
    pub conditions: Vec<String>,
    /// What does not count.
    pub exclusions: Vec<String>,
    /// The verdict of each reading of networks alone; only where a cluster is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict_by_reading: Option<BTreeMap<String, Verdict>>,
    /// The verdict that each method alone would give; only where a training run is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict_by_method: Option<BTreeMap<String, Verdict>>,
}

/// The value that was compared: rounded ends as texts, and as numbers for the distance.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    /// Limit.
    pub limit: String,
    /// Low end.
    pub low: String,
    /// High end.
    pub high: Option<String>,
    /// Limit, low and high for the distance.
    pub ends: [f64; 3],
}

impl Determination {
    pub(super) fn new(
        rule: &Rule,
        test: &Test,
        limit: &Limit,
        as_of: Date,
        verdict: Verdict,
        compared: Compared,
    ) -> Self {
        let (status, notice) = rule.standing(as_of);
        let source = rule.source_of(&test.source);
        let decades =
            |value: f64| (value > 0.0 && value.is_finite()).then(|| (value / compared.ends[0]).log10());
        let mark = match test.evidence {
            Mark::Read => String::new(),
            other => format!(", {} source", other.name()),
        };
        let text = format!(
            "{} ({}) on {as_of}: {notice}; text: \"{}\" ({}{mark})",
            rule.id,
            rule.title,
            test.quotation,
            source.map_or("", |source| source.title.as_str())
        );
        Self {
            rule: rule.id.clone(),
            test: test.id.clone(),
            status,
            status_notice: notice.to_owned(),
            verdict,
            limit: compared.limit,
            comparison: limit.comparison,
            unit: limit.quantity.unit().to_owned(),
            low: compared.low,
            high: compared.high,
            margin_decades: [decades(compared.ends[1]), decades(compared.ends[2])],
            depends_on: Vec::new(),
            advice: String::new(),
            steps: vec![text],
            evidence: limit.evidence,
            source: source.map_or_else(String::new, |source| source.title.clone()),
            url: source.map_or_else(String::new, |source| source.url.clone()),
            quotation: test.quotation.clone(),
            conditions: test.conditions.clone(),
            exclusions: test.exclusions.clone(),
            verdict_by_reading: None,
            verdict_by_method: None,
        }
    }

    /// Adds the closing step and the advice, once everything that decides is known.
    pub(super) fn close(&mut self) {
        let high = self.high.as_deref().unwrap_or("nothing bounds it");
        self.steps.push(format!(
            "low {} {} {}: {}; high {high} {} {}: {}; so {}",
            self.low,
            self.comparison,
            self.limit,
            answer(self.verdict == Verdict::Met),
            self.comparison,
            self.limit,
            answer(self.verdict != Verdict::NotMet),
            self.verdict.name(),
        ));
        let causes = self.depends_on.join(", ");
        let due = if self.status == State::InForce {
            "file, if the conditions hold".to_owned()
        } else {
            format!("nothing is due under it ({})", self.status_notice)
        };
        self.advice = match self.verdict {
            Verdict::Met => format!("the limit is passed: {due}"),
            Verdict::NotMet => "the limit is not passed: nothing to file on this account".to_owned(),
            Verdict::Undetermined if causes.is_empty() => {
                format!("not to be told from what is known, so treat it as passed: {due}")
            }
            Verdict::Undetermined => {
                format!("depends on {causes}; until that is settled treat it as passed: {due}")
            }
        };
    }
}

const fn answer(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

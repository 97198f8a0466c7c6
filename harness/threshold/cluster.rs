//! What the rules say of a cluster.

use jiff::civil::Date;

use super::determination::{Compared, Determination};
use super::judge::{Values, judge_limit};
use super::{Limit, Quantity, Range, Rule, Subject, Test, Verdict};
use crate::cluster::{Reading, ReadingTotals, Survey, SurveyError, Topology, survey};
use crate::units::{BitRate, Decimal, ExactOpRate, UnitError};

/// Why there is no determination.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The topology has no sums.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// A limit is no whole number of its unit.
    #[error(transparent)]
    Unit(#[from] UnitError),
}

/// A determination with the sums that it rests on.
#[derive(Debug, Clone)]
pub struct ClusterJudgement {
    /// The determination.
    pub determination: Determination,
    /// The sums.
    pub survey: Survey,
    /// The verdict of port, bundle and injection alone.
    pub alone: [Verdict; 3],
    /// The verdict of the path reading, for information.
    pub path: Verdict,
    /// The greatest sum that does not pass the limit.
    pub allowed: ExactOpRate,
}

/// Every cluster test of `rules` on `topology`.
///
/// Errors: [`JudgeError`] when the topology has no sums.
pub fn judge_cluster(
    rules: &[Rule],
    topology: &Topology,
    as_of: Date,
) -> Result<Vec<ClusterJudgement>, JudgeError> {
    let mut found = Vec::new();
    for rule in rules {
        for test in rule.test.iter().filter(|test| test.subject == Subject::Cluster) {
            found.extend(judge(rule, test, topology, as_of)?);
        }
    }
    Ok(found)
}

fn judge(
    rule: &Rule,
    test: &Test,
    topology: &Topology,
    as_of: Date,
) -> Result<Option<ClusterJudgement>, JudgeError> {
    // The loader refuses a cluster test without both.
    let (Some(link), Some(rate)) = (test.limit_of(Quantity::LinkRate), test.limit_of(Quantity::ClusterRate))
    else {
        return Ok(None);
    };
    let (Some(link_limit), Some(limit)) = (&link.value, &rate.value) else { return Ok(None) };
    let survey = survey(topology, BitRate::try_from(link_limit)?, test.co_located)?;
    let verdict_of = |totals: &ReadingTotals| judge_range(rate, totals.greatest_r16, totals.greatest_rmax);
    let alone = [0, 1, 2].map(|at| verdict_of(&survey.readings[at]));
    let low = survey.readings.iter().map(|r| r.greatest_r16).max().unwrap_or(ExactOpRate::ZERO);
    let high = survey.readings.iter().map(|r| r.greatest_rmax).max().unwrap_or(ExactOpRate::ZERO);
    let verdict = judge_range(rate, low, high);
    let compared = Compared {
        limit: limit.to_string(),
        low: low.get().to_string(),
        high: Some(high.get().to_string()),
        ends: [limit.to_f64(), low.to_f64(), high.to_f64()],
    };
    let mut determination = Determination::new(rule, test, rate, as_of, verdict, compared);
    if verdict == Verdict::Undetermined {
        determination.depends_on.push("precision".to_owned());
    }
    if alone.iter().any(|other| *other != verdict) {
        determination.depends_on.push("network-reading".to_owned());
    }
    let unstated = topology.places.iter().any(|place| place.site.is_none());
    if test.co_located && unstated && verdict != Verdict::NotMet {
        determination.depends_on.push("site".to_owned());
    }
    explain(&mut determination, topology, &survey);
    determination.close();
    let whole = ExactOpRate::try_from(limit)?;
    let below = ExactOpRate::new(whole.get().saturating_sub(1));
    let allowed = if rate.comparison.includes_limit() { below } else { whole };
    let path = verdict_of(&survey.path);
    Ok(Some(ClusterJudgement { determination, survey, alone, path, allowed }))
}

fn judge_range(limit: &Limit, low: ExactOpRate, high: ExactOpRate) -> Verdict {
    let exact = |rate: ExactOpRate| Decimal::from_integer(rate.get());
    let range = Range { low: exact(low), high: Some(exact(high)) };
    judge_limit(limit, &Values::from([(Quantity::ClusterRate, range)]), true)
}

fn explain(determination: &mut Determination, topology: &Topology, survey: &Survey) {
    let together = if survey.co_located { ", machines of one site" } else { "" };
    determination.steps.push(format!("sets are made of links above {}{together}", survey.limit));
    if survey.co_located && topology.places.iter().any(|place| place.site.is_none()) {
        let taken = "machines without a stated site are taken to stand in one place of their own";
        determination.steps.push(taken.to_owned());
    }
    for totals in survey.readings.iter().chain([&survey.path]) {
        determination.steps.push(reading_step(totals));
    }
    // The injection reading joins whatever another does, so its greatest set holds theirs.
    if let Some(largest) = &survey.readings[2].largest {
        for (name, machines) in &largest.rows {
            let class = topology.classes.iter().find(|class| topology.names.text(class.name) == *name);
            let Some(build) = class.map(|class| topology.build(class)) else { continue };
            let parts: Vec<_> =
                build.devices.iter().map(|(device, count)| format!("{count} x {device}")).collect();
            let parts = if parts.is_empty() { "no devices".to_owned() } else { parts.join(" + ") };
            determination.steps.push(format!("{name}: {machines} x ({parts})"));
            let new: Vec<_> =
                build.basis.iter().filter(|basis| !determination.steps.contains(basis)).cloned().collect();
            determination.steps.extend(new);
        }
    }
    determination.steps.push(
        "low is the greatest R16 and high the greatest Rmax of any set under port, bundle or injection"
            .to_owned(),
    );
}

fn reading_step(totals: &ReadingTotals) -> String {
    let what = match totals.reading {
        Reading::Port => "port: one physical link exceeds it",
        Reading::Bundle => "bundle: parallel links between two ends exceed it together",
        Reading::Injection => "injection: one machine's links into one fabric exceed it together",
        Reading::Path => "path, for information: bundles exceed it after oversubscription",
    };
    let Some(largest) = &totals.largest else { return format!("{what}; there is no machine") };
    let sums = &largest.totals;
    format!(
        "{what}; sets: {}, the largest with {} machines and {} accelerators: R16 {}, R8 {}, Rmax {}",
        totals.components, sums.machines, sums.accelerators, sums.r16, sums.r8, sums.rmax
    )
}

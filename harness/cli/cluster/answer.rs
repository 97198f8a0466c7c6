//! What `flopgauge cluster` answers, as its JSON carries it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::cluster::{
    Bundles, Cut, Headroom, Reading, ReadingTotals, SurveyError, Topology, components, headroom, smallest_cut,
};
use crate::threshold::{ClusterJudgement, Determination, Verdict};
use crate::units::{ExactOpRate, OpRate};

/// Components, rates and determinations, kind `cluster-determination/1`.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ClusterDetermination {
    pub(super) format: &'static str,
    /// Day whose law is shown.
    pub(super) as_of: String,
    /// Name of the cluster, or of its file.
    pub(super) name: String,
    /// All machines.
    pub(super) machines: u128,
    /// Sets under each reading, for the first rule among the determinations.
    pub(super) readings: Readings,
    /// What each rule says.
    pub(super) determinations: Vec<Determined>,
    /// What to look at twice.
    pub(super) warnings: Vec<String>,
    /// Distance to each limit; empty unless it was asked for.
    pub(super) headroom: Vec<RuleHeadroom>,
    /// Answers after each change.
    pub(super) what_if: Vec<WhatIf>,
}

/// One entry per reading.
#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
pub struct Readings {
    port: ReadingAnswer,
    bundle: ReadingAnswer,
    pub(super) injection: ReadingAnswer,
    /// For information only.
    path: ReadingAnswer,
}

impl Readings {
    pub(super) fn named(&self) -> [(&'static str, &ReadingAnswer); 4] {
        let all = [&self.port, &self.bundle, &self.injection, &self.path];
        let names = [Reading::Port, Reading::Bundle, Reading::Injection, Reading::Path];
        [0, 1, 2, 3].map(|at| (names[at].name(), all[at]))
    }
}

/// What one reading gives.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ReadingAnswer {
    /// Number of sets that hold a machine.
    pub(super) components: u128,
    /// The verdict of this reading alone.
    pub(super) verdict: Verdict,
    /// The greatest set.
    pub(super) largest: Option<LargestAnswer>,
}

impl Default for ReadingAnswer {
    fn default() -> Self {
        Self { components: 0, verdict: Verdict::NotMet, largest: None }
    }
}

/// The greatest set of a reading.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct LargestAnswer {
    pub(super) machines: u128,
    pub(super) accelerators: u128,
    pub(super) r16_op_per_s: ExactOpRate,
    pub(super) r8_op_per_s: ExactOpRate,
    pub(super) rmax_op_per_s: ExactOpRate,
    /// Sum of measured sustained rates; null unless every accelerator has one.
    pub(super) measured_op_per_s: Option<OpRate>,
    pub(super) sites: Vec<String>,
    /// Owners, operators and tenants.
    pub(super) parties: Vec<String>,
}

/// A determination with the verdict of each reading alone.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Determined {
    #[serde(flatten)]
    determination: Determination,
    verdict_by_reading: BTreeMap<&'static str, Verdict>,
}

/// Distance of the greatest set of the injection reading from a rule's limit.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct RuleHeadroom {
    rule: String,
    /// Devices that fit or are too many, for each reading of the theoretical maximum.
    devices: Vec<Headroom>,
    /// Fewest links whose removal leaves no set above the limit at its highest rate; null when none is needed or
    /// one machine alone is above it.
    cut_rmax: Option<Cut>,
    /// The same at the 16-bit rate.
    cut_r16: Option<Cut>,
}

/// The answer after a change.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct WhatIf {
    change: String,
    determinations: Vec<Changed>,
}

/// What a rule says after a change.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Changed {
    rule: String,
    verdict: Verdict,
    low: String,
    high: Option<String>,
    depends_on: Vec<String>,
}

impl ClusterDetermination {
    pub(super) fn new(topology: &Topology, judged: &[ClusterJudgement], day: Date) -> Self {
        let readings = judged.first().map_or_else(Readings::default, |first| {
            let of = |at: usize| answer(&first.survey.readings[at], first.alone[at]);
            Readings {
                port: of(0),
                bundle: of(1),
                injection: of(2),
                path: answer(&first.survey.path, first.path),
            }
        });
        let determined = |judgement: &ClusterJudgement| {
            let totals = judgement.survey.readings.iter().map(|totals| totals.reading.name());
            Determined {
                determination: judgement.determination.clone(),
                verdict_by_reading: totals.zip(judgement.alone).collect(),
            }
        };
        Self {
            format: "flopgauge.cluster-determination/1",
            as_of: day.to_string(),
            name: topology.title.clone(),
            machines: topology.machines(),
            readings,
            determinations: judged.iter().map(determined).collect(),
            warnings: Vec::new(),
            headroom: Vec::new(),
            what_if: Vec::new(),
        }
    }
}

fn answer(totals: &ReadingTotals, verdict: Verdict) -> ReadingAnswer {
    let largest = totals.largest.as_ref().map(|largest| LargestAnswer {
        machines: largest.totals.machines,
        accelerators: largest.totals.accelerators,
        r16_op_per_s: largest.totals.r16,
        r8_op_per_s: largest.totals.r8,
        rmax_op_per_s: largest.totals.rmax,
        measured_op_per_s: largest.measured,
        sites: largest.sites.clone(),
        parties: largest.parties.clone(),
    });
    ReadingAnswer { components: totals.components, verdict, largest }
}

/// Distances of the greatest set from the limit of each determination.
pub(super) fn headrooms(
    topology: &Topology,
    judged: &[ClusterJudgement],
) -> Result<Vec<RuleHeadroom>, SurveyError> {
    let bundles = Bundles::of(topology)?;
    let mut found = Vec::new();
    for judgement in judged {
        let limit = judgement.survey.limit;
        let sets = components(topology, &bundles, limit, Reading::Injection)?;
        let [.., injection] = &judgement.survey.readings;
        let Some(largest) = &injection.largest else { continue };
        let (set, allowed) = (largest.set, judgement.allowed);
        found.push(RuleHeadroom {
            rule: judgement.determination.rule.clone(),
            devices: headroom(topology, &sets, set, &largest.totals, allowed),
            cut_rmax: smallest_cut(topology, &sets, (set, limit), allowed, |build| build.rmax)?,
            cut_r16: smallest_cut(topology, &sets, (set, limit), allowed, |build| build.r16)?,
        });
    }
    Ok(found)
}

pub(super) fn headroom_text(answer: &ClusterDetermination) -> String {
    let mut text = String::new();
    for rule in &answer.headroom {
        text.push_str(&format!("\nheadroom of the largest set, {}:\n", rule.rule));
        for entry in &rule.devices {
            let said = match (entry.devices_that_fit, entry.devices_too_many) {
                (_, Some(over)) => format!("{over} too many"),
                (Some(fit), None) => format!("{fit} more fit; one more than that passes the limit"),
                (None, None) => "at the limit".to_owned(),
            };
            text.push_str(&format!(
                "  {} of {} at {}: {said}\n",
                entry.reading, entry.device, entry.device_op_per_s
            ));
        }
        for (name, cut) in [("Rmax", &rule.cut_rmax), ("R16", &rule.cut_r16)] {
            let Some(cut) = cut else { continue };
            let bound = if cut.upper_bound { "at most " } else { "" };
            let between: Vec<_> =
                cut.between.iter().map(|(from, to, links)| format!("{links} of {from} - {to}")).collect();
            text.push_str(&format!("  {name}: {bound}{} links must go: {}\n", cut.links, between.join(", ")));
        }
    }
    text
}

impl WhatIf {
    pub(super) fn new(change: &str, judged: &[ClusterJudgement]) -> Self {
        let changed = |judgement: &ClusterJudgement| {
            let found = &judgement.determination;
            Changed {
                rule: found.rule.clone(),
                verdict: found.verdict,
                low: found.low.clone(),
                high: found.high.clone(),
                depends_on: found.depends_on.clone(),
            }
        };
        Self { change: change.to_owned(), determinations: judged.iter().map(changed).collect() }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("\nwhat if: {}\n", self.change);
        for changed in &self.determinations {
            let high = changed.high.as_deref().unwrap_or("unbounded");
            text.push_str(&format!(
                "  {}: {} ({} to {high})\n",
                changed.rule,
                changed.verdict.name(),
                changed.low
            ));
        }
        text
    }
}

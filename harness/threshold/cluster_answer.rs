//! What the rules say of a cluster, as the file carries it, kind `cluster-determination/1`.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{ClusterJudgement, Determination, Verdict};
use crate::cluster::{
    Build, Bundles, Cut, Groups, Headroom, MachineSet, Reading, ReadingTotals, SurveyError, Topology,
    components, groups, headroom, smallest_cut,
};
use crate::units::{ExactOpRate, OpRate};

/// Components, rates and determinations, kind `cluster-determination/1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterDetermination {
    /// `flopgauge.cluster-determination/1`.
    pub format: String,
    /// Day whose law is shown.
    pub as_of: String,
    /// Name of the cluster, or of its file.
    pub name: String,
    /// All machines.
    pub machines: u128,
    /// Sets under each reading, for the first rule among the determinations.
    pub readings: Readings,
    /// What each rule says.
    pub determinations: Vec<Determination>,
    /// What to look at twice.
    pub warnings: Vec<String>,
    /// Distance to each limit; empty unless it was asked for.
    pub headroom: Vec<RuleHeadroom>,
    /// Answers after each change.
    pub what_if: Vec<WhatIf>,
    /// Machines and switches that stand alike, with the links between them, for the limit of the first rule; null in
    /// files of versions that did not write it.
    #[serde(default)]
    pub groups: Option<Groups>,
}

/// One entry per reading.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Readings {
    /// One physical link.
    pub port: ReadingAnswer,
    /// Parallel links between two ends.
    pub bundle: ReadingAnswer,
    /// All links of one machine into one fabric.
    pub injection: ReadingAnswer,
    /// For information only.
    pub path: ReadingAnswer,
}

impl Readings {
    /// Name and answer of each.
    pub fn named(&self) -> [(&'static str, &ReadingAnswer); 4] {
        let all = [&self.port, &self.bundle, &self.injection, &self.path];
        let names = [Reading::Port, Reading::Bundle, Reading::Injection, Reading::Path];
        [0, 1, 2, 3].map(|at| (names[at].name(), all[at]))
    }
}

/// What one reading gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingAnswer {
    /// Number of sets that hold a machine.
    pub components: u128,
    /// The verdict of this reading alone.
    pub verdict: Verdict,
    /// The greatest set.
    pub largest: Option<LargestAnswer>,
    /// The greatest sets with their sums, at most twelve entries; empty in files of versions that did not write them.
    #[serde(default)]
    pub sets: Vec<MachineSet>,
}

impl Default for ReadingAnswer {
    fn default() -> Self {
        Self { components: 0, verdict: Verdict::NotMet, largest: None, sets: Vec::new() }
    }
}

/// The greatest set of a reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LargestAnswer {
    /// Machines.
    pub machines: u128,
    /// Accelerators.
    pub accelerators: u128,
    /// 16-bit reading.
    pub r16_op_per_s: ExactOpRate,
    /// 8-bit reading.
    pub r8_op_per_s: ExactOpRate,
    /// Highest reading.
    pub rmax_op_per_s: ExactOpRate,
    /// Sum of measured sustained rates; null unless every accelerator has one.
    pub measured_op_per_s: Option<OpRate>,
    /// Sites.
    pub sites: Vec<String>,
    /// Owners, operators and tenants.
    pub parties: Vec<String>,
}

/// Distance of the greatest set of the injection reading from a rule's limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleHeadroom {
    /// The rule.
    pub rule: String,
    /// Devices that fit or are too many, for each reading of the theoretical maximum.
    pub devices: Vec<Headroom>,
    /// Fewest links whose removal leaves no set above the limit at its highest rate; null when none is needed, one
    /// machine alone is above it, or the rule looks at one site of several.
    pub cut_rmax: Option<Cut>,
    /// The same at the 16-bit rate.
    pub cut_r16: Option<Cut>,
}

/// The answer after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIf {
    /// What was changed, as asked.
    pub change: String,
    /// What each rule says then.
    pub determinations: Vec<Changed>,
}

/// What a rule says after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// The rule.
    pub rule: String,
    /// What comes out.
    pub verdict: Verdict,
    /// Low end, as a decimal string.
    pub low: String,
    /// High end, as a decimal string; null when nothing bounds it.
    pub high: Option<String>,
    /// Assumptions that decide.
    pub depends_on: Vec<String>,
}

impl ClusterDetermination {
    /// Kind and version.
    pub const KIND: &'static str = "cluster-determination/1";

    /// What `judged` says of `topology` on `day`; warnings, headroom and changes are left empty.
    ///
    /// Errors: [`SurveyError`] when the topology has no sums.
    pub fn new(topology: &Topology, judged: &[ClusterJudgement], day: Date) -> Result<Self, SurveyError> {
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
            let names = judgement.survey.readings.iter().map(|totals| totals.reading.name().to_owned());
            let mut determination = judgement.determination.clone();
            determination.verdict_by_reading = Some(names.zip(judgement.alone).collect());
            determination
        };
        Ok(Self {
            format: format!("flopgauge.{}", Self::KIND),
            as_of: day.to_string(),
            name: topology.title.clone(),
            machines: topology.machines(),
            readings,
            determinations: judged.iter().map(determined).collect(),
            warnings: Vec::new(),
            headroom: Vec::new(),
            what_if: Vec::new(),
            groups: judged.first().map(|first| groups(topology, first.survey.limit)).transpose()?,
        })
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
    ReadingAnswer { components: totals.components, verdict, largest, sets: totals.sets.clone() }
}

/// Distances of the greatest set from the limit of each determination.
///
/// Errors: [`SurveyError`] when the topology has no sums.
pub fn headrooms(topology: &Topology, judged: &[ClusterJudgement]) -> Result<Vec<RuleHeadroom>, SurveyError> {
    let bundles = Bundles::of(topology)?;
    let mut found = Vec::new();
    for judgement in judged {
        let limit = judgement.survey.limit;
        let sets = components(topology, &bundles, limit, Reading::Injection)?;
        let [.., injection] = &judgement.survey.readings;
        let Some(largest) = &injection.largest else { continue };
        let (set, allowed) = (largest.set, judgement.allowed);
        let sites: BTreeSet<_> = topology.places.iter().filter_map(|place| place.site.as_ref()).collect();
        // A cut looks at a whole set, not at the part of it that stands at one site.
        let whole = !judgement.survey.co_located || sites.len() < 2;
        let cut = |rate: fn(&Build) -> ExactOpRate| {
            if whole { smallest_cut(topology, &sets, (set, limit), allowed, rate) } else { Ok(None) }
        };
        found.push(RuleHeadroom {
            rule: judgement.determination.rule.clone(),
            devices: headroom(topology, &sets, set, &largest.totals, allowed),
            cut_rmax: cut(|build| build.rmax)?,
            cut_r16: cut(|build| build.r16)?,
        });
    }
    Ok(found)
}

impl WhatIf {
    /// What `judged`, of the changed topology, says after `change`.
    pub fn new(change: &str, judged: &[ClusterJudgement]) -> Self {
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
}

//! Figures of a filing, taken from the calculators: exact, with two significant figures beside them, and how each is known.

use serde::{Deserialize, Serialize};

use crate::cluster::{DeviceFigures, Topology, best_peak};
use crate::device::{Evidence, Provenance};
use crate::threshold::{ClusterJudgement, TrainingJudgement, Verdict};
use crate::training::{Run, Three, Usage};
use crate::units::{ExactOpRate, Ops, UnitError, two_figures};

/// How a figure is known.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// A record of a measurement.
    Measured,
    /// The filer's own files state it.
    Declared,
    /// A maker's document, or a formula over one.
    Published,
    /// Computed from the figures above it.
    Computed,
    /// From memory; to be checked before anybody relies on it.
    Recalled,
}

impl Known {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Declared => "declared",
            Self::Published => "published",
            Self::Computed => "computed",
            Self::Recalled => "recalled",
        }
    }
}

/// One figure with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Value with its unit.
    pub value: String,
    /// How it is known.
    pub known: Known,
    /// Where it comes from.
    pub basis: String,
}

impl Figure {
    fn new(name: &str, value: impl ToString, known: Known, basis: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_string(), known, basis: basis.to_owned() }
    }
}

/// Operations of a run or a sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// What they are of.
    pub name: String,
    /// Two significant figures of the best estimate.
    pub two_figures: String,
    /// Low end, rounded down.
    pub low: Ops,
    /// Best estimate.
    pub best: Ops,
    /// High end, rounded up.
    pub high: Ops,
}

impl Operations {
    fn of(name: &str, three: &Three) -> Result<Self, UnitError> {
        let whole = three.whole()?;
        let (low, best, high) = (whole.low, whole.best, whole.high);
        Ok(Self { name: name.to_owned(), two_figures: two_figures(best), low, best, high })
    }
}

/// Figures of a training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingFigures {
    /// The model.
    pub model: String,
    /// Which method leads.
    pub method: String,
    /// What the limit is compared with.
    pub operations: Operations,
    /// From parameters and tokens; null with the reason beside it.
    pub architecture: Option<Operations>,
    /// Why there is none.
    pub architecture_reason: Option<String>,
    /// From device hours; null with the reason beside it.
    pub hardware: Option<Operations>,
    /// Why there is none.
    pub hardware_reason: Option<String>,
    /// Runs that share weights.
    pub lineage: Vec<Operations>,
    /// Their sum.
    pub cumulative: Operations,
    /// First day on which the total passes the limit at the present rate.
    pub projected_crossing: Option<String>,
    /// What went in, and how each is known.
    pub figures: Vec<Figure>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl TrainingFigures {
    pub(super) fn of(
        run: &Run,
        judged: &[TrainingJudgement],
        devices: &dyn DeviceFigures,
    ) -> Result<Option<Self>, UnitError> {
        let Some(first) = judged.first() else { return Ok(None) };
        let found = &first.assessment;
        let route = |route: &Result<crate::training::Route, String>, name| {
            route.as_ref().ok().map(|route| Operations::of(name, &route.sum())).transpose()
        };
        let lineage = found.lineage.runs.iter().map(|(name, three)| Operations::of(name, three));
        Ok(Some(Self {
            model: run.name().to_owned(),
            method: found.headline.method.name().to_owned(),
            operations: Operations::of("compared with the limit", &found.judged)?,
            architecture: route(&found.architecture, "architecture")?,
            architecture_reason: found.architecture.as_ref().err().cloned(),
            hardware: route(&found.hardware, "hardware")?,
            hardware_reason: found.hardware.as_ref().err().cloned(),
            lineage: lineage.collect::<Result<_, _>>()?,
            cumulative: Operations::of("sum of the lineage", &found.lineage.sum)?,
            projected_crossing: first.crossing.map(|day| day.to_string()),
            figures: training_inputs(run, devices),
            notes: run.notes.clone(),
        }))
    }
}

fn training_inputs(run: &Run, devices: &dyn DeviceFigures) -> Vec<Figure> {
    let declared = |name: &str, value: String| Figure::new(name, value, Known::Declared, "the training file");
    let mut figures = Vec::new();
    if let Some(model) = &run.model {
        figures.push(declared("parameters in all", range(&model.parameters)));
        figures.push(declared("active parameters per token", range(&model.active_parameters)));
        if model.sparse {
            figures.push(declared("mixture of experts", "yes: not every parameter is active".to_owned()));
        }
        figures
            .push(declared("active parameters without the input embedding", range(&model.without_embedding)));
        let attention = model.attention_size.as_ref();
        let attention = attention.map_or("not stated; left out".to_owned(), ToString::to_string);
        figures.push(declared("layers x width x sequence length (attention)", attention));
    }
    for phase in &run.phases {
        let name = format!("tokens of {}, epochs included", phase.kind.name());
        figures.push(declared(&name, range(&phase.tokens)));
        let recompute = match phase.recompute {
            crate::training::Recompute::None => "none",
            crate::training::Recompute::Selective => "selective",
            crate::training::Recompute::Full => "full",
        };
        figures.push(declared(
            &format!("activation recomputation of {}", phase.kind.name()),
            recompute.to_owned(),
        ));
    }
    for usage in &run.usage {
        let name = format!("device seconds on {} in {}", usage.device, usage.precision);
        figures.push(declared(&name, format!("{} s", usage.seconds)));
        figures.push(peak(usage, devices));
        let name = format!("rate of one {} in {}", usage.device, usage.precision);
        let rate = format!("{} to {} OP/s, best {}", usage.rate.low, usage.rate.high, usage.rate.best);
        let measured = usage.basis.contains("profile");
        let how = if measured { Known::Measured } else { Known::Computed };
        figures.push(Figure::new(&name, rate, how, &usage.basis));
    }
    if let Some(published) = &run.published {
        let three = &published.operations;
        let value = format!("{} to {} operations, best {}", three.low, three.high, three.best);
        figures.push(Figure::new("published figure", value, Known::Published, &published.source));
    }
    figures
}

/// One value, or the range.
fn range(three: &Three) -> String {
    if three.low == three.high {
        three.low.to_string()
    } else {
        format!("{} to {}, best {}", three.low, three.high, three.best)
    }
}

/// The dense peak behind a usage; a device that no source outside the file knows is declared in it.
fn peak(usage: &Usage, devices: &dyn DeviceFigures) -> Figure {
    let name = format!("dense peak of one {} in {}", usage.device, usage.precision);
    let found = devices.find(&usage.device).ok().flatten();
    let peak = found.as_ref().and_then(|figures| best_peak(figures, usage.precision));
    let Some(peak) = peak else {
        let value = usage.basis.split(',').next().unwrap_or_default();
        return Figure::new(&name, value, Known::Declared, "a device table of the training file");
    };
    let (known, basis) = match &peak.provenance {
        Provenance::Datasheet { title, evidence, .. } => (published(*evidence), title.clone()),
        Provenance::Derived { source, evidence, .. } => {
            (published(*evidence), format!("by formula from {source}"))
        }
        Provenance::Declared { by } => (Known::Declared, by.clone()),
    };
    Figure::new(&name, format!("{} OP/s", peak.rate_op_per_s.get()), known, &basis)
}

const fn published(evidence: Evidence) -> Known {
    match evidence {
        Evidence::Read | Evidence::Derived => Known::Published,
        Evidence::Recalled => Known::Recalled,
    }
}

/// How the rates of a device are known, by the weakest of the provenances that the cluster calculator names.
fn known(basis: &str) -> Known {
    if basis.contains(", recalled)") {
        Known::Recalled
    } else if basis.contains("(declared by ") {
        Known::Declared
    } else {
        Known::Published
    }
}

/// Sums of the largest set under one reading of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFigures {
    /// Reading: port, bundle or injection.
    pub reading: String,
    /// Machines in the largest set.
    pub machines: u64,
    /// Accelerators in it.
    pub accelerators: u64,
    /// 16-bit dense.
    pub r16_op_per_s: ExactOpRate,
    /// 8-bit dense.
    pub r8_op_per_s: ExactOpRate,
    /// Highest dense.
    pub rmax_op_per_s: ExactOpRate,
    /// The verdict of this reading alone.
    pub verdict: Verdict,
}

/// Figures of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterFigures {
    /// Sites of the largest set.
    pub sites: Vec<String>,
    /// Owners, operators and tenants that the cluster file names.
    pub parties: Vec<String>,
    /// Port, bundle, injection.
    pub readings: Vec<SetFigures>,
    /// Rows of the largest set with their devices.
    pub devices: Vec<String>,
    /// Rates of the links, with kind and purpose.
    pub links: Vec<String>,
    /// What went in, and how each is known.
    pub figures: Vec<Figure>,
}

impl ClusterFigures {
    pub(super) fn of(topology: &Topology, judged: &[ClusterJudgement]) -> Result<Option<Self>, UnitError> {
        let Some(first) = judged.first() else { return Ok(None) };
        let mut found = Self {
            sites: Vec::new(),
            parties: Vec::new(),
            readings: Vec::new(),
            devices: Vec::new(),
            links: topology.grades.iter().map(link).collect(),
            figures: Vec::new(),
        };
        for (totals, verdict) in first.survey.readings.iter().zip(first.alone) {
            let Some(largest) = &totals.largest else { continue };
            let small = |count: u128| u64::try_from(count).unwrap_or(u64::MAX);
            let sums = &largest.totals;
            found.readings.push(SetFigures {
                reading: totals.reading.name().to_owned(),
                machines: small(sums.machines),
                accelerators: small(sums.accelerators),
                r16_op_per_s: sums.r16,
                r8_op_per_s: sums.r8,
                rmax_op_per_s: sums.rmax,
                verdict,
            });
            // The injection reading comes last, and its largest set holds those of the others.
            found.sites.clone_from(&largest.sites);
            found.parties.clone_from(&largest.parties);
            found.devices = largest.rows.iter().map(|(name, count)| row(topology, name, *count)).collect();
        }
        for build in topology.classes.iter().map(|class| topology.build(class)) {
            for basis in &build.basis {
                let (name, value) = basis.split_once(": ").unwrap_or(("device", basis));
                let name = format!("dense peaks of one {name}");
                if !found.figures.iter().any(|figure| figure.name == name) {
                    found.figures.push(Figure::new(&name, value, known(basis), "as named with each rate"));
                }
            }
        }
        found.figures.push(Figure::new(
            "machines, devices and links",
            "as listed",
            Known::Declared,
            "the cluster file",
        ));
        Ok(Some(found))
    }
}

fn row(topology: &Topology, name: &str, count: u64) -> String {
    let class = topology.classes.iter().find(|class| topology.names.text(class.name) == name);
    let devices = class.map(|class| topology.build(class)).map_or(&[][..], |build| &build.devices);
    let parts: Vec<_> = devices.iter().map(|(device, count)| format!("{count} x {device}")).collect();
    let parts = if parts.is_empty() { "no devices".to_owned() } else { parts.join(" + ") };
    format!("{name}: {count} machines of {parts}")
}

fn link(grade: &crate::cluster::Grade) -> String {
    let kind = format!("{:?}", grade.kind).to_lowercase();
    let purpose = format!("{:?}", grade.purpose).to_lowercase();
    let down = grade.down.as_ref().map_or_else(String::new, |why| format!(", down: {why}"));
    format!("{} {kind}, {purpose}{down}", grade.rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recalled_is_never_called_published() {
        let (read, recalled) = ("989 TOP/s bf16 (sheet X, read)", "1979 TOP/s int8 (sheet X, recalled)");
        assert_eq!(known(&format!("R16 {read}; R8 {recalled}")), Known::Recalled);
        assert_eq!(known("R16 989 TOP/s bf16 (declared by the operator)"), Known::Declared);
        assert_eq!(known(&format!("R16 {read}")), Known::Published);
    }
}

//! From figures to what each rule says, exactly; where a fact is missing, `undetermined` and its name.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{Figure, Figures, Known};
use super::rules::{self, ChipRulesError, Clause, Rule, RuleSource};
use crate::device::format::{encodings, range_text, table_name};
use crate::precision::{Accumulate, Precision};
use crate::units::{Decimal, ExactOpRate, Ratio};

/// The figure that total processing performance comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Governing {
    /// Format of the operands.
    pub precision: Precision,
    /// Width of the operands.
    pub bits: u32,
    /// Format of the sums, where known.
    pub accumulate: Option<Accumulate>,
    /// Dense rate.
    pub rate_op_per_s: ExactOpRate,
    /// How the figure is known.
    pub evidence: Known,
}

/// What one dated rule says.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RuleOutcome {
    /// The rule.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// First day.
    pub from: String,
    /// First day on which it no longer holds.
    pub until: Option<String>,
    /// Its legal status.
    pub status: String,
    /// `3A090.a`, `3A090.b`, `none` or `undetermined`.
    pub class: String,
    /// What decided, or what is missing.
    pub reason: String,
    /// How a licence application is reviewed, where the rule says so and the class is not `none`.
    pub review: Option<String>,
    /// Where it stands.
    pub source: RuleSource,
    /// What a reader must know.
    pub note: Option<String>,
}

/// The whole answer for one chip.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Determination {
    /// `flopgauge.chip-determination/1`.
    pub format: String,
    /// The chip.
    pub device: String,
    /// Total processing performance; none without a dense figure.
    #[schemars(with = "Option<String>")]
    pub tpp: Option<Decimal>,
    /// Least and greatest, where the sources of its figures conflict.
    #[schemars(with = "Option<[String; 2]>")]
    pub tpp_range: Option<[Decimal; 2]>,
    /// Where it comes from.
    pub governing: Option<Governing>,
    /// TPP per mm2 of logic die, for display: comparisons are made on the exact product; none without a die area.
    pub performance_density: Option<Ratio>,
    /// Area of the logic dies.
    #[schemars(with = "Option<String>")]
    pub die_area_mm2: Option<Decimal>,
    /// Class by rule.
    pub class: BTreeMap<String, String>,
    /// What each rule says, with source and reason.
    pub rules: Vec<RuleOutcome>,
    /// The least number of devices whose stated rates together are above 10^20 operations per second.
    pub devices_above_1e20: BTreeMap<String, u64>,
    /// The rule that this limit is of, with its legal status.
    pub devices_above_1e20_rule: String,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// What the rules say of a chip.
///
/// Errors: [`ChipRulesError`] when the built-in rules are defective.
pub fn determine(figures: &Figures) -> Result<Determination, ChipRulesError> {
    let rules = rules::builtin()?;
    let stated = figures.governing(|figure| figure.rate);
    let low = figures.governing(|figure| figure.range.map_or(figure.rate, |range| range.low()));
    let high = figures.governing(|figure| figure.range.map_or(figure.rate, |range| range.high()));
    let tpp = stated.map(|(_, product)| in_tpp(product));
    let range = low.zip(high).map(|((_, low), (_, high))| [in_tpp(low), in_tpp(high)]);
    let outcomes: Vec<_> = rules.dated.iter().map(|rule| outcome(rule, figures, range.as_ref())).collect();
    let class = outcomes.iter().map(|outcome| (outcome.rule.clone(), outcome.class.clone())).collect();
    let limit = rules.cluster.limit_op_per_s;
    let density = |tpp: &Decimal, area: &Decimal| Ratio::new(tpp.to_f64() / area.to_f64()).ok();
    let cluster = &rules.cluster;
    Ok(Determination {
        format: "flopgauge.chip-determination/1".to_owned(),
        device: figures.device.clone(),
        performance_density: tpp.as_ref().zip(figures.die_area_mm2.as_ref()).and_then(|(t, a)| density(t, a)),
        die_area_mm2: figures.die_area_mm2.clone(),
        tpp_range: range.filter(|[low, high]| low != high),
        governing: stated.map(|(figure, _)| Governing {
            precision: figure.precision,
            bits: figure.precision.bits(),
            accumulate: figure.accumulate,
            rate_op_per_s: figure.rate,
            evidence: figure.known,
        }),
        class,
        devices_above_1e20: counts(figures, limit),
        devices_above_1e20_rule: format!("{}: {} ({})", cluster.id, cluster.status, cluster.source.title),
        warnings: warnings(figures, stated.map(|(figure, _)| figure), &outcomes),
        rules: outcomes,
        tpp,
    })
}

/// Operations per second times bits, as tera-operations times bits.
fn in_tpp(product: u128) -> Decimal {
    let tera: Result<Decimal, _> = "0.000000000001".parse();
    tera.map_or_else(|_| Decimal::from_integer(0), |tera| Decimal::from_integer(product).times(&tera))
}

/// The least count whose product with the rate is strictly above the limit.
fn counts(figures: &Figures, limit: ExactOpRate) -> BTreeMap<String, u64> {
    let mut best: BTreeMap<Precision, ExactOpRate> = BTreeMap::new();
    for figure in &figures.figures {
        for precision in encodings(figure.precision) {
            let rate = best.entry(precision).or_default();
            *rate = figure.rate.max(*rate);
        }
    }
    let count = |rate: ExactOpRate| u64::try_from(limit.get().checked_div(rate.get())? + 1).ok();
    best.into_iter().filter_map(|(p, rate)| Some((p.name().to_owned(), count(rate)?))).collect()
}

fn outcome(rule: &Rule, figures: &Figures, range: Option<&[Decimal; 2]>) -> RuleOutcome {
    let (class, reason) = match range {
        None => ("undetermined".to_owned(), "no dense figure is known".to_owned()),
        Some([low, high]) => {
            let (at_low, why) = class_at(rule, figures, low);
            let (at_high, _) = class_at(rule, figures, high);
            if at_low == at_high {
                (at_low, why)
            } else {
                let text = format!("sources conflict: {at_low} at TPP {low}, {at_high} at TPP {high}");
                ("undetermined".to_owned(), text)
            }
        }
    };
    let review = range.filter(|_| class != "none").and_then(|[low, high]| review(rule, figures, low, high));
    RuleOutcome {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        from: rule.from.to_string(),
        until: rule.until.as_ref().map(ToString::to_string),
        status: rule.status.clone(),
        class,
        reason,
        review,
        source: rule.source.clone(),
        note: rule.note.clone(),
    }
}

/// The class at one value of TPP, and why.
fn class_at(rule: &Rule, figures: &Figures, tpp: &Decimal) -> (String, String) {
    let exempt = rule.not_datacenter_below_tpp.as_ref().is_some_and(|limit| tpp < limit);
    if exempt && figures.datacenter == Some(false) {
        let text = "not designed or marketed for data centres, and TPP below 4800 (Note 2)";
        return ("none".to_owned(), text.to_owned());
    }
    for class in &rule.class {
        let answers: Vec<Answer> = class.any.iter().map(|clause| holds(clause, figures, tpp)).collect();
        if answers.contains(&Answer::Yes) {
            if exempt && figures.datacenter.is_none() {
                let text = format!("{} if designed or marketed for data centres, else none", class.name);
                return ("undetermined".to_owned(), text);
            }
            return (class.name.clone(), format!("TPP {tpp}"));
        }
        if let Some(missing) = answers.iter().find_map(Answer::missing) {
            return ("undetermined".to_owned(), format!("{missing} is not known"));
        }
    }
    ("none".to_owned(), format!("TPP {tpp}"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Missing(&'static str),
}

impl Answer {
    fn missing(&self) -> Option<&'static str> {
        if let Self::Missing(what) = self { Some(what) } else { None }
    }

    /// No beats a missing fact, which beats yes.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Missing(what), _) | (_, Self::Missing(what)) => Self::Missing(what),
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }
}

fn holds(clause: &Clause, figures: &Figures, tpp: &Decimal) -> Answer {
    let yes = |good: bool| if good { Answer::Yes } else { Answer::No };
    let absent = Answer::Yes;
    // TPP / area >= limit is TPP >= limit x area, which is exact.
    let density = |limit: &Option<Decimal>, test: fn(&Decimal, &Decimal) -> bool| match limit {
        None => absent,
        Some(limit) => match &figures.die_area_mm2 {
            None => Answer::Missing("the area of the logic dies"),
            Some(area) => yes(test(tpp, &limit.times(area))),
        },
    };
    let interconnect = match (&clause.interconnect_at_least_gb_s, &figures.interconnect_gb_s) {
        (None, _) => absent,
        (Some(_), None) => Answer::Missing("the bandwidth of the interconnect"),
        (Some(limit), Some(rate)) => yes(rate >= limit),
    };
    yes(clause.tpp_at_least.as_ref().is_none_or(|limit| tpp >= limit))
        .and(yes(clause.tpp_below.as_ref().is_none_or(|limit| tpp < limit)))
        .and(density(&clause.density_at_least, |tpp, product| tpp >= product))
        .and(density(&clause.density_below, |tpp, product| tpp < product))
        .and(interconnect)
}

fn review(rule: &Rule, figures: &Figures, low: &Decimal, high: &Decimal) -> Option<String> {
    let review = rule.review.as_ref()?;
    let (least, most) = (low < &review.tpp_below, high < &review.tpp_below);
    let bandwidth = figures.memory_bandwidth_gb_s.as_ref().map(|b| b < &review.memory_bandwidth_below_gb_s);
    Some(match (least, most, bandwidth) {
        (false, ..) | (_, _, Some(false)) => review.not_met.clone(),
        (true, true, Some(true)) => review.met.clone(),
        (true, false, _) => "undetermined: sources of the figures conflict".to_owned(),
        (true, true, None) => "undetermined: the memory bandwidth is not known".to_owned(),
    })
}

fn warnings(figures: &Figures, governing: Option<&Figure>, outcomes: &[RuleOutcome]) -> Vec<String> {
    let mut warnings = figures.warnings.clone();
    let recalled: Vec<_> = figures.figures.iter().filter(|figure| figure.known == Known::Recalled).collect();
    if !recalled.is_empty() {
        let names: Vec<_> = recalled.iter().map(|figure| table_name(figure.precision)).collect();
        warnings.push(format!("recalled, without a source: {}", names.join(", ")));
    }
    if let Some(figure) = governing.filter(|figure| figure.known == Known::Recalled) {
        let mut rest = figures.clone();
        rest.figures.retain(|figure| figure.known != Known::Recalled);
        let text = rest.governing(|figure| figure.rate).map_or_else(
            || "nothing".to_owned(),
            |(figure, product)| format!("{} from {}", in_tpp(product), table_name(figure.precision)),
        );
        warnings.push(format!(
            "the governing figure of {} is recalled; figures with a source give TPP {text}",
            table_name(figure.precision)
        ));
    }
    if let Some((figure, range)) = governing.and_then(|figure| Some((figure, figure.range?))) {
        warnings.push(format!("the governing figure is in doubt: {}", range_text(range, figure.precision)));
    }
    if figures.figures.iter().any(|figure| figure.precision == Precision::Tf32) {
        warnings.push("tf32 is left out of TPP: whether it is 19 or 32 bits wide is disputed".to_owned());
    }
    if figures.datacenter == Some(false) && outcomes.iter().any(|outcome| outcome.class == "3A090.a") {
        warnings.push("not for data centres, yet in 3A090.a: Licence Exception NAC may apply".to_owned());
    }
    warnings
}

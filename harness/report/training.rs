//! A training run in a report.

use super::chart;
use super::material::Named;
use super::round::round;
use super::topic::{Titled, Topic, determinations, found, steps, verdicts};
use crate::device::Severity;
use crate::threshold::TrainingDetermination;
use crate::training::WholeThree;
use crate::units::Ops;

/// The section of training run `number`, from 1.
pub(super) fn topic(number: usize, named: &Named<TrainingDetermination>) -> Topic {
    let run = &named.value;
    let mut facts = vec![
        ("day whose law is shown".to_owned(), run.as_of.clone()),
        (
            "operations".to_owned(),
            format!(
                "{}, by {}; {} to {}",
                run.headline.operations,
                run.headline.method.name(),
                shown(run.headline.low),
                shown(run.headline.high)
            ),
        ),
    ];
    if let Some(ratio) = run.agreement {
        facts.push(("agreement of the two estimates".to_owned(), format!("a factor of {:.3}", ratio.get())));
    }
    for (rule, day) in &run.projected_crossing {
        if let Some(day) = day {
            facts.push((format!("limit of {rule} passed at the present rate"), day.clone()));
        }
    }
    let mut findings = verdicts(&run.name, &run.determinations);
    findings.extend(run.warnings.iter().map(|text| found(Severity::Warning, &run.name, text, Vec::new())));
    Topic {
        id: format!("training-run-{number}"),
        kind: "Training",
        title: format!("Training run: {}", run.name),
        lead: "Operations by what was trained and by what it ran on, and what each rule says of them."
            .to_owned(),
        facts,
        tables: vec![
            determinations(&run.determinations),
            estimates(run),
            contributions(run),
            steps(&run.determinations),
        ],
        charts: vec![chart::training(number, run)],
        findings,
    }
}

fn shown(operations: Ops) -> String {
    round(&operations.get().to_string())
}

fn estimates(run: &TrainingDetermination) -> Titled {
    let three = |name: &str, three: &WholeThree| {
        vec![name.to_owned(), shown(three.low), shown(three.best), shown(three.high), String::new()]
    };
    let mut rows = Vec::new();
    for (name, estimate, reason) in [
        ("architecture", &run.architecture, &run.architecture_reason),
        ("hardware", &run.hardware, &run.hardware_reason),
    ] {
        rows.push(estimate.as_ref().map_or_else(
            || {
                let none = || "none".to_owned();
                vec![name.to_owned(), none(), none(), none(), reason.clone().unwrap_or_default()]
            },
            |estimate| three(name, estimate),
        ));
    }
    for of in &run.lineage.runs {
        let name = format!("lineage: {}", of.name);
        rows.push(three(&name, &WholeThree { low: of.low, best: of.best, high: of.high }));
    }
    let lineage = &run.lineage;
    let sum = WholeThree { low: lineage.low, best: lineage.best, high: lineage.high };
    rows.push(three(&format!("lineage of {}, together", lineage.runs.len()), &sum));
    Titled::of(
        "Estimates, operations",
        &["estimate", "low", "best", "high", "why none"],
        rows,
        "the file has them",
    )
}

fn contributions(run: &TrainingDetermination) -> Titled {
    let row = |c: &crate::threshold::ContributionAnswer| {
        vec![c.name.clone(), shown(c.operations), c.effect.name().to_owned()]
    };
    let rows = run.contributions.iter().map(row).collect();
    let header = ["what", "operations", "where it enters the range"];
    Titled::of("What makes the range as wide and as high as it is", &header, rows, "the file has them")
}

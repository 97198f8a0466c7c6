//! Two records side by side for pasting and for printing; every text of a record is escaped.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::Serialize;

use super::comparison::verdict;
use super::markdown::{plain, row};
use crate::compare::{Comparison, Pair};

const TEMPLATE: &str = include_str!("comparison.html");

/// A pair as text.
#[derive(Serialize)]
struct Row<'a> {
    case: &'a str,
    ratio: String,
    interval: String,
    p: String,
    verdict: &'static str,
    notes: String,
}

impl<'a> Row<'a> {
    fn of(pair: &'a Pair) -> Self {
        Self {
            case: &pair.case,
            ratio: format!("{:.4}", pair.ratio),
            interval: format!("{:.4} to {:.4}", pair.low, pair.high),
            p: format!("{:.2e}", pair.p_adjusted),
            verdict: verdict(pair),
            notes: pair.notes.join("; "),
        }
    }
}

/// The comparison of records named `a` and `b` as one page that fetches nothing.
///
/// Errors: where template and comparison do not fit, which a test excludes.
pub fn comparison_html(comparison: &Comparison, a: &str, b: &str) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("comparison.html", TEMPLATE)?;
    let pairs: Vec<Row<'_>> = comparison.pairs.iter().map(Row::of).collect();
    let (unpaired, around) = (&comparison.unpaired, &comparison.environment);
    environment.get_template("comparison.html")?.render(context! {
        a, b, pairs => Serde(&pairs), unpaired => Serde(unpaired), environment => Serde(around),
        method => comparison.method,
    })
}

/// The comparison as Markdown tables.
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mut text = String::new();
    if comparison.pairs.is_empty() {
        text += "No pair.\n";
    } else {
        text += "| Case | B / A | 99 % interval | p (Holm) | Verdict | Notes |\n|---|--:|--:|--:|---|---|\n";
    }
    for Row { case, ratio, interval, p, verdict, notes } in comparison.pairs.iter().map(Row::of) {
        text += &row(&[case, &ratio, &interval, &p, verdict, &notes]);
    }
    if !comparison.unpaired.is_empty() {
        text += "\n| Not compared | Of | Why |\n|---|---|---|\n";
    }
    for one in &comparison.unpaired {
        text += &row(&[&one.case, one.of, &one.reason]);
    }
    if !comparison.environment.is_empty() {
        text += "\n| Differs | A | B |\n|---|---|---|\n";
    }
    for (name, a, b) in &comparison.environment {
        text += &row(&[name, a, b]);
    }
    text + &format!("\n{}\n", plain(comparison.method))
}

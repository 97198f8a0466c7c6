//! Two records side by side as a table on a terminal.

use super::fit::fit;
use super::table::{shown, table};
use crate::compare::{Comparison, Pair, Verdict};

/// The comparison for a person.
pub fn comparison_table(comparison: &Comparison, width: Option<u16>) -> String {
    let mut rows = table(&["case", "B / A", "99 % interval", "p (Holm)", "verdict"], 1..4, width);
    for pair in &comparison.pairs {
        rows.add_row([
            pair.case.clone(),
            format!("{:.4}", pair.ratio),
            format!("{:.4} to {:.4}", pair.low, pair.high),
            format!("{:.2e}", pair.p_adjusted),
            verdict(pair).to_owned(),
        ]);
    }
    let mut text = if rows.is_empty() { "no pair\n".to_owned() } else { shown(rows, width) };
    for pair in comparison.pairs.iter().filter(|pair| !pair.notes.is_empty()) {
        text += &format!("  {}: {}\n", pair.case, pair.notes.join("; "));
    }
    for one in &comparison.unpaired {
        text += &format!("  not compared: {} of {}: {}\n", one.case, one.of, one.reason);
    }
    for (name, a, b) in &comparison.environment {
        text += &format!("  differs: {name}: A {a} | B {b}\n");
    }
    fit(&(text + &format!("  {}\n", comparison.method)), width)
}

/// What a pair says, for a person.
pub(super) const fn verdict(pair: &Pair) -> &'static str {
    match pair.verdict {
        Verdict::Faster => "B is faster",
        Verdict::Slower => "B is slower",
        Verdict::NoDifference => "no difference",
    }
}

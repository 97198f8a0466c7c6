//! What a report shows beside records: a fleet, a cluster or a training run, each as facts, tables and charts.

use serde::Serialize;

use super::chart::{Chart, Data};
use super::material::Found;
use super::round::round;
use crate::device::Severity;
use crate::threshold::{Determination, Mark, State, Verdict};

/// Most rows of a table that is printed.
pub(super) const PRINTED: usize = 100;

/// A section of its own.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Topic {
    /// Identifier within the page.
    pub id: String,
    /// What it is of, for the list of sections.
    pub kind: &'static str,
    /// Heading.
    pub title: String,
    /// What a reader must know first.
    pub lead: String,
    /// Facts by name.
    pub facts: Vec<(String, String)>,
    /// Tables.
    pub tables: Vec<Titled>,
    /// Charts.
    pub charts: Vec<Chart>,
    /// Findings and warnings.
    #[serde(skip)]
    pub findings: Vec<(Severity, Found)>,
}

/// A table with its heading.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Titled {
    /// Heading.
    pub title: String,
    /// What is left out, or how to read it; may be empty.
    pub note: String,
    /// Whether it is folded away on a screen.
    pub folded: bool,
    /// The table.
    pub data: Data,
}

impl Titled {
    /// `rows` of what `title` says; only the first [`PRINTED`] are kept, with a note that says where the rest is.
    pub fn of(title: &str, header: &[&str], mut rows: Vec<Vec<String>>, rest: &str) -> Self {
        let more = rows.len().saturating_sub(PRINTED);
        rows.truncate(PRINTED);
        let note =
            if more > 0 { format!("{more} more rows are not shown here; {rest}.") } else { String::new() };
        Self { title: title.to_owned(), note, folded: false, data: Data::new(header, rows) }
    }
}

/// A finding of the section `of`.
pub(super) fn found(severity: Severity, of: &str, message: &str, cases: Vec<String>) -> (Severity, Found) {
    let (device, message) = (of.to_owned(), message.to_owned());
    (severity, Found { severity: severity.name(), device, message, cases })
}

/// What the rules say, as a table.
pub(super) fn determinations(all: &[Determination]) -> Titled {
    let row = |d: &Determination| {
        let recalled = if d.evidence == Mark::Read { "" } else { "*" };
        vec![
            format!("{}{recalled} {}", d.rule, d.test),
            d.verdict.name().to_owned(),
            value(d),
            format!("{} {}", d.comparison, round(&d.limit)),
            d.unit.clone(),
            if d.depends_on.is_empty() { "-".to_owned() } else { d.depends_on.join(", ") },
            d.status_notice.clone(),
            d.advice.clone(),
        ]
    };
    let header = ["rule", "verdict", "value", "limit", "unit", "depends on", "status", "advice"];
    let mut table =
        Titled::of("What the rules say", &header, all.iter().map(row).collect(), "the file has them");
    if all.iter().any(|d| d.evidence != Mark::Read) {
        table.note += "* Limit from a secondary source or recalled, not checked against the text. ";
    }
    table.note += "Numbers with ~ are shortened; the exact ones are in the steps. No legal advice.";
    table
}

/// Low and high end of a value, shortened.
pub(super) fn value(d: &Determination) -> String {
    let high = d.high.as_deref().map_or_else(|| "unbounded".to_owned(), round);
    if d.high.as_ref() == Some(&d.low) { high } else { format!("{} to {high}", round(&d.low)) }
}

/// How each verdict was reached.
pub(super) fn steps(all: &[Determination]) -> Titled {
    let of = |d: &Determination| {
        let name = format!("{} {}", d.rule, d.test);
        let conditions = d.conditions.iter().map(|condition| format!("also: {condition}"));
        let steps = d.steps.iter().cloned().chain(conditions).enumerate();
        steps.map(|(at, step)| vec![name.clone(), (at + 1).to_string(), step]).collect::<Vec<_>>()
    };
    let mut rows = Vec::new();
    // Rules that count alike reach their verdicts by the same steps, but each must be readable by itself.
    rows.extend(all.iter().flat_map(of));
    let data = Data::new(&["rule", "step", "what was done"], rows);
    let (title, note) = ("How each verdict was reached".to_owned(), String::new());
    Titled { title, note, folded: true, data }
}

/// Verdicts that somebody must act on.
pub(super) fn verdicts(of: &str, all: &[Determination]) -> Vec<(Severity, Found)> {
    let told = all.iter().filter(|d| d.verdict != Verdict::NotMet);
    let one = |d: &Determination| {
        let severity = if d.status == State::InForce { Severity::Warning } else { Severity::Note };
        let message = format!("{} {}: {}; {}", d.rule, d.test, d.verdict.name(), d.advice);
        found(severity, of, &message, Vec::new())
    };
    told.map(one).collect()
}

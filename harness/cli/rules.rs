//! `flopgauge rules`.

use jiff::civil::Date;
use serde::Serialize;

use super::judging::{table, today};
use super::{CliError, Exit, Output};
use crate::threshold::{Comparison, Mark, Rule, State, all_rules};

/// Rules that are known here: limits, status on a date, source and quotation.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge rules\n  flopgauge rules --as-of 2024-10-08\n\n\
    What is marked secondary or recalled was not checked against the text. No legal advice.")]
pub struct Args {
    /// Only rules whose id, title or jurisdiction contains this.
    pattern: Option<String>,
    /// Day whose law is shown, as 2026-11-24; today where it is left out.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// Leave quotations, conditions and earlier status out.
    #[arg(long)]
    brief: bool,
    /// Print JSON, kind rules/1.
    #[arg(long)]
    json: bool,
}

/// Rules on a day.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Listing {
    format: &'static str,
    as_of: String,
    rules: Vec<Listed>,
}

/// One rule.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Listed {
    id: String,
    title: String,
    jurisdiction: String,
    status: State,
    status_notice: String,
    status_evidence: Option<Mark>,
    history: Vec<ListedStatus>,
    tests: Vec<ListedTest>,
    sources: Vec<ListedSource>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct ListedStatus {
    from: String,
    state: State,
    notice: String,
    evidence: Mark,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct ListedTest {
    id: String,
    limits: Vec<ListedLimit>,
    quotation: String,
    evidence: Mark,
    source: String,
    conditions: Vec<String>,
    exclusions: Vec<String>,
    scenarios: usize,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct ListedLimit {
    quantity: String,
    comparison: Comparison,
    /// Decimal string; null when another quantity is the limit.
    value: Option<String>,
    times: u32,
    unit: String,
    evidence: Mark,
    note: Option<String>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct ListedSource {
    key: String,
    title: String,
    url: String,
    read_on: String,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let day = args.as_of.unwrap_or_else(today);
    let wanted = args.pattern.as_deref().unwrap_or("").to_lowercase();
    let fits = |rule: &Rule| {
        [&rule.id, &rule.title, &rule.jurisdiction].iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let found: Vec<Listed> =
        all_rules()?.iter().filter(|rule| fits(rule)).map(|rule| listed(rule, day)).collect();
    if found.is_empty() {
        output.note(&format!("no rule contains '{wanted}'; flopgauge rules lists them all"));
        return Ok(Exit::Inconclusive);
    }
    let listing = Listing { format: "flopgauge.rules/1", as_of: day.to_string(), rules: found };
    if args.json {
        output.json(&listing)?
    } else {
        output.text(&shown(&listing, args.brief))?
    }
    Ok(Exit::Done)
}

fn listed(rule: &Rule, day: Date) -> Listed {
    let (status, notice) = rule.standing(day);
    let limit = |limit: &crate::threshold::Limit| ListedLimit {
        quantity: name(limit.quantity),
        comparison: limit.comparison,
        value: limit.value.as_ref().map(ToString::to_string),
        times: limit.times,
        unit: limit.unit.clone(),
        evidence: limit.evidence,
        note: limit.note.clone(),
    };
    let test = |test: &crate::threshold::Test| ListedTest {
        id: test.id.clone(),
        limits: test.limit.iter().map(limit).collect(),
        quotation: test.quotation.clone(),
        evidence: test.evidence,
        source: test.source.clone(),
        conditions: test.conditions.clone(),
        exclusions: test.exclusions.clone(),
        scenarios: rule.scenario.iter().filter(|scenario| scenario.test == test.id).count(),
    };
    let history = rule.status.iter().map(|status| ListedStatus {
        from: status.from.to_string(),
        state: status.state,
        notice: status.notice.clone(),
        evidence: status.evidence,
    });
    let sources = rule.source.iter().map(|source| ListedSource {
        key: source.key.clone(),
        title: source.title.clone(),
        url: source.url.clone(),
        read_on: source.read_on.to_string(),
    });
    Listed {
        id: rule.id.clone(),
        title: rule.title.clone(),
        jurisdiction: rule.jurisdiction.clone(),
        status,
        status_notice: notice.to_owned(),
        status_evidence: rule.status_on(day).map(|status| status.evidence),
        history: history.collect(),
        tests: rule.test.iter().map(test).collect(),
        sources: sources.collect(),
    }
}

/// A quantity as rule files spell it.
fn name(quantity: crate::threshold::Quantity) -> String {
    serde_json::to_value(quantity)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn shown(listing: &Listing, brief: bool) -> String {
    let mut rows = table(["Rule", "Test", "Limit", "Evidence", "Status"]);
    for rule in &listing.rules {
        for test in &rule.tests {
            let limits: Vec<_> = test.limits.iter().map(limit_text).collect();
            let marks = test.limits.iter().map(|limit| limit.evidence.name());
            let worst =
                marks.max_by_key(|mark| ["read", "secondary", "recalled"].iter().position(|m| m == mark));
            let status = match rule.status_evidence {
                Some(Mark::Read) | None => rule.status_notice.clone(),
                Some(mark) => format!("{} ({})", rule.status_notice, mark.name()),
            };
            let mark = worst.unwrap_or("read").to_owned();
            rows.add_row([rule.id.clone(), test.id.clone(), limits.join("\n"), mark, status]);
        }
    }
    let mut text = format!("On {}\n{rows}\n", listing.as_of);
    if !brief {
        for rule in &listing.rules {
            text.push_str(&details(rule));
        }
    }
    text.push_str("\nNo legal advice.\n");
    text
}

fn limit_text(limit: &ListedLimit) -> String {
    let times = if limit.times > 1 { format!("{} x ", limit.times) } else { String::new() };
    let value = limit.value.as_deref().map_or_else(|| "the original's".to_owned(), super::judging::round);
    format!("{times}{} {} {value} {}", limit.quantity, limit.comparison, limit.unit)
}

fn details(rule: &Listed) -> String {
    let mut text = format!("\n{}: {} ({})\n", rule.id, rule.title, rule.jurisdiction);
    for status in &rule.history {
        text.push_str(&format!("  from {}: {} ({})\n", status.from, status.notice, status.evidence.name()));
    }
    for test in &rule.tests {
        text.push_str(&format!(
            "  {}: \"{}\" ({}, {})\n",
            test.id,
            test.quotation,
            test.source,
            test.evidence.name()
        ));
        for condition in &test.conditions {
            text.push_str(&format!("    if {condition}\n"));
        }
        for exclusion in &test.exclusions {
            text.push_str(&format!("    not counted: {exclusion}\n"));
        }
        for note in test.limits.iter().filter_map(|limit| limit.note.as_ref()) {
            text.push_str(&format!("    note: {note}\n"));
        }
    }
    for source in &rule.sources {
        text.push_str(&format!(
            "  {}: {}, {} (read {})\n",
            source.key, source.title, source.url, source.read_on
        ));
    }
    text
}

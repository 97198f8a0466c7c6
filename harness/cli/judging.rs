//! What the judging subcommands share: the date, the rules, profiles, and what `--fail-on` makes of verdicts.

use std::path::PathBuf;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::civil::Date;

use super::output::terminal_width;
use super::{CliError, Exit};
use crate::cluster::{Catalogued, DeviceFigures, ProfileFile, Together, read_profile};
use crate::device::catalogue::Catalogue;
pub use crate::report::round;
use crate::threshold::{Determination, Rule, Verdict, all_rules};

/// Most columns of a table, and those of one in a file or a pipe; status notices are wrapped to fit.
const WIDTH: u16 = 140;

/// Verdict that ends the program with an exit code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// A determination is met: exit code 10.
    Met,
    /// A determination is undetermined: exit code 11.
    Undetermined,
}

/// Options of every subcommand that judges by rules.
#[derive(Debug, clap::Args)]
pub struct Judging {
    /// Day whose law is shown, as 2026-11-24; today where it is left out.
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<Date>,
    /// Only this rule, as `flopgauge rules` names it; repeatable.
    #[arg(long = "rule", value_name = "ID")]
    pub rules: Vec<String>,
    /// Calibrated profile whose devices may be named; repeatable.
    #[arg(long = "profile", value_name = "FILE")]
    pub profiles: Vec<PathBuf>,
    /// Verdict that ends the program with exit code 10 or 11; repeatable, met goes first.
    #[arg(long, value_name = "VERDICT", value_enum)]
    pub fail_on: Vec<FailOn>,
    /// Leave the steps of each determination out.
    #[arg(long)]
    pub brief: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl Judging {
    /// The day that was asked for, else today.
    pub fn day(&self) -> Date {
        self.as_of.unwrap_or_else(today)
    }

    /// The rules that were asked for.
    pub fn chosen(&self) -> Result<Vec<Rule>, CliError> {
        let all = all_rules()?;
        if let Some(unknown) = self.rules.iter().find(|id| all.iter().all(|rule| rule.id != **id)) {
            let known: Vec<_> = all.iter().map(|rule| rule.id.as_str()).collect();
            return Err(CliError::Usage(format!("unknown rule '{unknown}'; one of {}", known.join(", "))));
        }
        Ok(all.into_iter().filter(|rule| self.rules.is_empty() || self.rules.contains(&rule.id)).collect())
    }

    /// Profiles that were named.
    pub fn profiles(&self) -> Result<Vec<ProfileFile>, CliError> {
        self.profiles.iter().map(|path| read_profile(path).map_err(CliError::from)).collect()
    }

    /// The exit code that the verdicts give.
    pub fn exit<'a>(&self, determinations: impl Iterator<Item = &'a Determination> + Clone) -> Exit {
        let any = |verdict| determinations.clone().any(|found| found.verdict == verdict);
        if self.fail_on.contains(&FailOn::Met) && any(Verdict::Met) {
            Exit::Met
        } else if self.fail_on.contains(&FailOn::Undetermined) && any(Verdict::Undetermined) {
            Exit::Undetermined
        } else {
            Exit::Done
        }
    }
}

/// Profiles first, the catalogue last.
pub fn devices<'a>(profiles: &'a [ProfileFile], catalogued: &'a Catalogued) -> Together<'a> {
    let profiles = profiles.iter().map(|profile| profile as &dyn DeviceFigures);
    Together(profiles.chain([catalogued as &dyn DeviceFigures]).collect())
}

/// The built-in catalogue as a source of figures.
pub fn catalogued() -> Result<Catalogued, CliError> {
    Ok(Catalogued(Catalogue::builtin()?))
}

#[expect(clippy::disallowed_methods, reason = "the one place where a date is not an argument")]
pub fn today() -> Date {
    jiff::ZonedDateTime::now().date()
}

/// An empty table in the house's look.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(terminal_width().unwrap_or(WIDTH).min(WIDTH));
    table.set_header(header);
    table
}

/// Determinations as a table, and unless `brief` the steps of each.
pub fn shown<'a>(determinations: impl Iterator<Item = &'a Determination> + Clone, brief: bool) -> String {
    let mut rows = table(["Rule", "Test", "Status", "Value", "Limit", "Verdict", "Depends on"]);
    for found in determinations.clone() {
        let high = found.high.as_deref().map_or_else(|| "unbounded".to_owned(), round);
        let value = if found.high.as_ref() == Some(&found.low) {
            round(&found.low)
        } else {
            format!("{} to {high}", round(&found.low))
        };
        let limit = format!("{} {}", found.comparison, round(&found.limit));
        let recalled = if found.evidence == crate::threshold::Mark::Read { "" } else { "*" };
        let depends = found.depends_on.join(", ");
        rows.add_row([
            format!("{}{recalled}", found.rule),
            found.test.clone(),
            found.status_notice.clone(),
            value,
            limit,
            found.verdict.name().to_owned(),
            if depends.is_empty() { "-".to_owned() } else { depends },
        ]);
    }
    let mut text = format!("{rows}\n");
    if determinations.clone().any(|found| found.evidence != crate::threshold::Mark::Read) {
        text.push_str("* limit from a secondary source or recalled, not checked against the text\n");
    }
    if !brief {
        for found in determinations {
            text.push_str(&format!("\n{} {}: {}\n", found.rule, found.test, found.verdict.name()));
            for (at, step) in found.steps.iter().enumerate() {
                text.push_str(&format!("  {}. {step}\n", at + 1));
            }
            for condition in &found.conditions {
                text.push_str(&format!("  also: {condition}\n"));
            }
            text.push_str(&format!("  {}\n", found.advice));
        }
    }
    text.push_str("\nNo legal advice.\n");
    text
}

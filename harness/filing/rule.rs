//! The rule data: due dates, periods, open readings and topics, each with its source or the mark that it is recalled.

use std::collections::BTreeSet;

use jiff::civil::date;
use serde::{Deserialize, Serialize};

use super::day::Day;
use super::quarter::Quarter;
use super::readings::Readings;
use crate::files::{FileError, parse_toml};

const BIS_2024: &str = include_str!("rules/bis-2024-proposed.toml");

/// Why a rule file is refused.
#[derive(Debug, thiserror::Error)]
pub enum RuleDataError {
    /// Not readable.
    #[error(transparent)]
    File(#[from] FileError),
    /// Readable, and wrong in itself.
    #[error("{path}: {message}")]
    Content {
        /// File.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// How well a statement is known.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Read in the text or in a verbatim quotation of it.
    Read,
    /// Computed from what was read.
    Computed,
    /// Read in somebody's account of the text.
    Secondary,
    /// A decision of this tool; the text does not say.
    Decided,
    /// Remembered, without a source at hand.
    Recalled,
}

impl Evidence {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Computed => "computed",
            Self::Secondary => "secondary",
            Self::Decided => "decided",
            Self::Recalled => "recalled",
        }
    }
}

/// What a statement rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// How well it is known.
    pub evidence: Evidence,
    /// Key of the source; absent for what is recalled or decided.
    pub source: Option<String>,
    /// Words of the source.
    pub quotation: Option<String>,
    /// What a reader must know.
    pub note: Option<String>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceDocument {
    /// Key that statements name it by.
    pub key: String,
    /// Title, and how it was read where that is not in full.
    pub title: String,
    /// Address; absent for a document that was read on paper.
    pub url: Option<String>,
    /// Day that it was read.
    pub read_on: Day,
}

/// Where one quarter's due date lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueDay {
    month: i8,
    day: i8,
    years_later: i16,
}

/// Due dates by quarter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueDates {
    first: DueDay,
    second: DueDay,
    third: DueDay,
    fourth: DueDay,
    /// What they rest on.
    pub basis: Basis,
}

impl DueDates {
    const fn of(&self, quarter: Quarter) -> DueDay {
        match quarter.number() {
            1 => self.first,
            2 => self.second,
            3 => self.third,
            _ => self.fourth,
        }
    }
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// What it rests on.
            pub basis: Basis,
        }
    };
}

section!(
    /// A fact without a figure.
    Stated {}
);
section!(
    /// How far ahead a notice looks.
    Months {
        /// Calendar months.
        months: i32,
    }
);
section!(
    /// A period.
    Days {
        /// Days after the day of receipt.
        days: i32,
    }
);
section!(
    /// Quarters that are affirmed.
    Quarters {
        /// How many.
        quarters: i16,
    }
);
section!(
    /// How a notice travels.
    Channel {
        /// Means.
        by: String,
        /// Address.
        mailbox: String,
        /// How well the address is known.
        mailbox_evidence: Evidence,
    }
);
section!(
    /// How a filing is protected.
    Confidentiality {
        /// Line that marks it.
        marking: String,
    }
);
section!(
    /// A point that the text leaves open.
    OpenReading {
        /// Key, as [`Readings`] spells it.
        key: String,
        /// Options, the default first.
        options: Vec<String>,
    }
);
section!(
    /// A topic of questions.
    Topic {
        /// Name in questionnaires.
        id: String,
        /// Instrument of another legislator that the topic belongs to.
        counterpart_of: Option<String>,
    }
);

/// The filing side of one instrument.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilingRule {
    #[serde(rename = "format")]
    _format: String,
    /// Id of the instrument.
    pub profile: String,
    /// Full name.
    pub title: String,
    /// Citation.
    pub citation: String,
    /// Day of the proposal.
    pub proposed: Day,
    /// Documents.
    pub source: Vec<SourceDocument>,
    /// Due dates.
    pub due_dates: DueDates,
    /// Which quarter each belongs to.
    pub quarter_labels: Stated,
    /// How far ahead a notice looks.
    pub look_ahead: Months,
    /// Period for answers to questions.
    pub answers: Days,
    /// Period for clarifications.
    pub clarifications: Days,
    /// Affirmations of no activity.
    pub affirmations: Quarters,
    /// The duty to correct.
    pub corrections: Stated,
    /// How a notice travels.
    pub channel: Channel,
    /// How it is protected.
    pub confidentiality: Confidentiality,
    /// Who must file.
    pub covered_person: Stated,
    /// Open points.
    pub reading: Vec<OpenReading>,
    /// Topics of questions.
    pub topic: Vec<Topic>,
}

impl FilingRule {
    /// The proposal of September 2024.
    ///
    /// Errors: [`RuleDataError`] when the built-in file is wrong, which a test excludes.
    pub fn bis_2024() -> Result<Self, RuleDataError> {
        Self::load("bis-2024-proposed.toml", BIS_2024)
    }

    /// The rule that the TOML `text` of the file `path` states.
    ///
    /// Errors: [`RuleDataError`] with file, line and key, or with what the rule lacks.
    pub fn load(path: &str, text: &str) -> Result<Self, RuleDataError> {
        let rule: Self = parse_toml(path, text, "filing-rule/1")?;
        rule.check().map_err(|message| RuleDataError::Content { path: path.to_owned(), message })?;
        Ok(rule)
    }

    /// The due date of `quarter`.
    pub fn due(&self, quarter: Quarter) -> jiff::civil::Date {
        let due = self.due_dates.of(quarter);
        date(quarter.year() + due.years_later, due.month, due.day)
    }

    /// Every statement, with the name it goes by.
    pub fn bases(&self) -> Vec<(String, &Basis)> {
        let fixed = [
            ("due dates", &self.due_dates.basis),
            ("quarter labels", &self.quarter_labels.basis),
            ("look-ahead", &self.look_ahead.basis),
            ("answers", &self.answers.basis),
            ("clarifications", &self.clarifications.basis),
            ("affirmations", &self.affirmations.basis),
            ("corrections", &self.corrections.basis),
            ("channel", &self.channel.basis),
            ("confidentiality", &self.confidentiality.basis),
            ("covered person", &self.covered_person.basis),
        ];
        let fixed = fixed.into_iter().map(|(name, basis)| (name.to_owned(), basis));
        let readings = self.reading.iter().map(|open| (format!("reading {}", open.key), &open.basis));
        let topics = self.topic.iter().map(|topic| (format!("topic {}", topic.id), &topic.basis));
        fixed.chain(readings).chain(topics).collect()
    }

    fn check(&self) -> Result<(), String> {
        let keys: BTreeSet<_> = self.source.iter().map(|source| source.key.as_str()).collect();
        if keys.len() != self.source.len() {
            return Err("a source key exists twice".to_owned());
        }
        for (name, basis) in self.bases() {
            match (basis.evidence, &basis.source) {
                (_, Some(key)) if !keys.contains(key.as_str()) => {
                    return Err(format!("{name}: source '{key}' is not listed"));
                }
                (Evidence::Read | Evidence::Secondary, None) => {
                    return Err(format!("{name}: what was read names its source"));
                }
                _ => {}
            }
            if basis.quotation.is_none() && basis.note.is_none() {
                return Err(format!("{name}: needs a quotation or a note"));
            }
        }
        let known = Readings::ALL.map(|(key, options)| (key, options.to_vec()));
        let listed =
            self.reading.iter().map(|r| (r.key.as_str(), r.options.iter().map(String::as_str).collect()));
        if !known.into_iter().eq(listed) {
            return Err("the readings are not those that the program knows".to_owned());
        }
        let days = [self.due_dates.first, self.due_dates.second, self.due_dates.third, self.due_dates.fourth];
        for (quarter, day) in (1..).zip(days) {
            let quarter = Quarter::new(2023, quarter).map_err(|error| error.to_string())?;
            let exists = jiff::civil::Date::new(2023 + day.years_later, day.month, day.day);
            if !exists.is_ok_and(|due| due >= quarter.last_day()) {
                return Err(format!(
                    "the due date of {quarter} does not exist or lies before the quarter's end"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rule_loads() {
        let rule = FilingRule::bis_2024().unwrap();
        assert_eq!(rule.topic.iter().filter(|topic| topic.counterpart_of.is_none()).count(), 5);
        assert_eq!(rule.affirmations.basis.evidence, Evidence::Recalled);
        assert!(rule.source.iter().all(|s| s.url.as_ref().is_none_or(|url| url.starts_with("https://"))));
    }

    #[test]
    fn a_rule_that_lacks_something_is_refused() {
        let changed = |from: &str, to: &str| {
            assert!(BIS_2024.contains(from), "{from}");
            FilingRule::load("x.toml", &BIS_2024.replacen(from, to, 1)).unwrap_err().to_string()
        };
        assert!(changed("months = 6", "month = 6").starts_with("x.toml:"));
        assert!(changed("source = \"AP\"\n", "source = \"ZZ\"\n").contains("'ZZ' is not listed"));
        assert!(changed("source = \"MB\"\n", "").contains("names its source"));
        assert!(changed("month = 7, day = 15", "month = 6, day = 15").contains("before the quarter's end"));
        assert!(changed("month = 7, day = 15", "month = 7, day = 32").contains("does not exist"));
        assert!(changed("\"included\", \"excluded\"", "\"excluded\", \"included\"").contains("readings"));
    }
}

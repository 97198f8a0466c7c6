//! A rule as its file states it. Every fact names its source or says that it was only recalled.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::training::Counting;
use crate::units::Decimal;

/// How well a fact of law is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Read in the text, in a verbatim quotation of it, or in a data file.
    Read,
    /// Read in somebody's account of the text.
    Secondary,
    /// Remembered, without a source at hand; shown to the user as such.
    Recalled,
}

impl Mark {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Secondary => "secondary",
            Self::Recalled => "recalled",
        }
    }
}

/// Where an instrument stands on a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing was published yet.
    NotPublished,
    /// Published for comment; binds nobody.
    Proposed,
    /// Adopted or signed, applicable later.
    Enacted,
    /// Applies.
    InForce,
    /// Withdrawn by a later act.
    Revoked,
    /// Replaced by a later form.
    Superseded,
}

impl State {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotPublished => "not-published",
            Self::Proposed => "proposed",
            Self::Enacted => "enacted",
            Self::InForce => "in-force",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
        }
    }
}

/// What an instrument's status is from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// First day.
    #[serde(deserialize_with = "crate::cluster::date")]
    pub from: Date,
    /// Where it stands.
    pub state: State,
    /// The same in words, as every output labels it.
    pub notice: String,
    /// Key of the source.
    pub source: String,
    /// How well the entry is known.
    pub evidence: Mark,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Key that facts name it by.
    pub key: String,
    /// Title, and how it was read where that is not in full.
    pub title: String,
    /// Address.
    pub url: String,
    /// Day that it was read.
    #[serde(deserialize_with = "crate::cluster::date")]
    pub read_on: Date,
}

/// What kind of thing a test is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A training run or a model.
    Training,
    /// A set of connected machines.
    Cluster,
    /// An integrated circuit.
    Chip,
}

/// A quantity that a limit is set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Operations of training.
    TrainingOperations,
    /// Operations of a modification of somebody else's model.
    ModificationOperations,
    /// Operations of the model that was modified.
    OriginalOperations,
    /// Cost of the compute.
    ComputeCost,
    /// Rate of the networking, per direction.
    LinkRate,
    /// Theoretical maximum of a connected set of machines.
    ClusterRate,
    /// Operations times bit length.
    Tpp,
    /// TPP per applicable die area.
    PerformanceDensity,
    /// Aggregate bidirectional transfer rate.
    IoBandwidth,
    /// Total DRAM bandwidth.
    MemoryBandwidth,
}

impl Quantity {
    /// The unit that a limit of this quantity is written in.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::TrainingOperations | Self::ModificationOperations | Self::OriginalOperations => {
                "operations"
            }
            Self::ComputeCost => "US dollars",
            Self::LinkRate => "bits per second",
            Self::ClusterRate => "operations per second",
            Self::Tpp => "TPP",
            Self::PerformanceDensity => "TPP per square millimetre",
            Self::IoBandwidth | Self::MemoryBandwidth => "bytes per second",
        }
    }
}

/// How a quantity is compared with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Comparison {
    /// Strictly more.
    #[serde(rename = ">")]
    Above,
    /// The limit or more.
    #[serde(rename = ">=")]
    AtLeast,
    /// Strictly less.
    #[serde(rename = "<")]
    Below,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
        })
    }
}

/// Factors that an accepted error of an estimate puts around it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margin {
    /// Factor of the low end.
    pub low: Decimal,
    /// Factor of the high end.
    pub high: Decimal,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// What is compared.
    pub quantity: Quantity,
    /// How.
    pub comparison: Comparison,
    /// With what; absent when `of` names a quantity instead.
    pub value: Option<Decimal>,
    /// With which other quantity.
    pub of: Option<Quantity>,
    /// The quantity is multiplied by this first, so that a limit of one third stays exact.
    #[serde(default = "one")]
    pub times: u32,
    /// Unit of the value.
    pub unit: String,
    /// How well the value is known.
    pub evidence: Mark,
    /// Accepted error of an estimate.
    pub margin: Option<Margin>,
    /// What a reader must know.
    pub note: Option<String>,
}

const fn one() -> u32 {
    1
}

/// Circumstances under which a test applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppliesTo {
    /// All of its subject.
    #[default]
    All,
    /// Models trained primarily on biological sequence data.
    Biological,
    /// Modified models whose original's operations are known.
    Modification,
    /// Modified models whose original has systemic risk and unknown operations.
    ModificationOfUnknownSystemicRisk,
    /// Modified models whose original is another one with unknown operations.
    ModificationOfUnknown,
}

/// What must hold all at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Name within the rule.
    pub id: String,
    /// What it is about.
    pub subject: Subject,
    /// Class that a chip falls in when it holds.
    pub gives: Option<String>,
    /// Key of the source.
    pub source: String,
    /// How well the quotation is known.
    pub evidence: Mark,
    /// The text.
    pub quotation: String,
    /// What else must hold, which is not computed here.
    pub conditions: Vec<String>,
    /// What does not count.
    pub exclusions: Vec<String>,
    /// When it applies.
    #[serde(default)]
    pub applies_to: AppliesTo,
    /// Whether only machines of one site count together.
    #[serde(default)]
    pub co_located: bool,
    /// What of a training run is counted.
    pub counting: Option<Counting>,
    /// The comparisons.
    pub limit: Vec<Limit>,
}

impl Test {
    /// The limit of `quantity`, where there is one.
    pub fn limit_of(&self, quantity: Quantity) -> Option<&Limit> {
        self.limit.iter().find(|limit| limit.quantity == quantity)
    }
}

/// A range of a quantity; an open high end means that nothing bounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Low end.
    pub low: Decimal,
    /// High end.
    pub high: Option<Decimal>,
}

impl Range {
    /// One value only.
    pub fn exactly(value: Decimal) -> Self {
        Self { low: value.clone(), high: Some(value) }
    }

    /// Nothing is known.
    pub fn unknown() -> Self {
        Self { low: Decimal::from_integer(0), high: None }
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(Decimal),
            Two([Decimal; 2]),
        }
        match Written::deserialize(deserializer)? {
            Written::One(value) => Ok(Self::exactly(value)),
            Written::Two([low, high]) if low <= high => Ok(Self { low, high: Some(high) }),
            Written::Two(_) => Err(serde::de::Error::custom("the low end is above the high end")),
        }
    }
}

/// What a test gives for stated values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows.
    pub name: String,
    /// Test of the rule.
    pub test: String,
    /// Quantities; one that is not named is unknown.
    pub values: BTreeMap<Quantity, Range>,
    /// Whether the values are exact, so that no margin applies.
    #[serde(default)]
    pub exact: bool,
    /// What must come out.
    pub verdict: super::Verdict,
}

/// One instrument.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(rename = "format")]
    _format: String,
    /// Name that every output uses.
    pub id: String,
    /// Full name.
    pub title: String,
    /// Whose law it is.
    pub jurisdiction: String,
    /// Status over time, oldest first.
    pub status: Vec<Status>,
    /// Documents.
    pub source: Vec<Source>,
    /// What it tests.
    pub test: Vec<Test>,
    /// What must come out at each limit, just below and just above.
    pub scenario: Vec<Scenario>,
}

impl Rule {
    /// The status entry that holds on `date`; `None` before the first.
    pub fn status_on(&self, date: Date) -> Option<&Status> {
        self.status.iter().rev().find(|status| status.from <= date)
    }

    /// State and notice on `date`.
    pub fn standing(&self, date: Date) -> (State, &str) {
        self.status_on(date)
            .map_or((State::NotPublished, "not yet published"), |status| (status.state, &status.notice))
    }

    /// The source of `key`.
    pub fn source_of(&self, key: &str) -> Option<&Source> {
        self.source.iter().find(|source| source.key == key)
    }
}

//! What a filer states: who, which activities, what was received and what was found wrong.

use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::quarter::Quarter;
use super::readings::Readings;
use crate::files::FileError;

/// Why a person is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CoveredBasis {
    /// A citizen of the United States.
    Citizen,
    /// A lawful permanent resident.
    LawfulPermanentResident,
    /// An entity organised under the laws of the United States, foreign branches included.
    UsEntity,
    /// An individual located in the United States.
    IndividualInUs,
}

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Title or function.
    pub title: Option<String>,
    /// Address for mail.
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
}

/// Who files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Submitter {
    /// Name in law.
    pub legal_name: String,
    /// Why it is covered.
    pub covered_person_basis: CoveredBasis,
    /// Postal address.
    pub address: Option<String>,
    /// Whom to ask.
    pub contact: Option<Contact>,
    /// Parent company.
    pub parent: Option<String>,
    /// Affiliated companies.
    #[serde(default)]
    pub affiliates: Vec<String>,
    /// Whether the filing is marked as confidential business information.
    #[serde(default = "yes")]
    pub claim_confidentiality: bool,
}

const fn yes() -> bool {
    true
}

/// Who vouches for a filing; not confirmed as a requirement of the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Name.
    pub name: String,
    /// Title or function.
    pub title: String,
}

/// What kind of activity it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Limb {
    /// Paragraph (a)(1)(i).
    TrainingRun,
    /// Paragraph (a)(1)(ii).
    Cluster,
}

impl Limb {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TrainingRun => "training-run",
            Self::Cluster => "cluster",
        }
    }
}

/// How a cluster comes to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterEvent {
    /// It is bought or leased.
    Acquire,
    /// It is built.
    Develop,
    /// It comes in another way.
    ComeIntoPossession,
}

impl ClusterEvent {
    /// What is done to the cluster while it lasts.
    pub const fn doing(self) -> &'static str {
        match self {
            Self::Acquire => "being acquired",
            Self::Develop => "being developed",
            Self::ComeIntoPossession => "coming into possession",
        }
    }

    /// What was done once it is over.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Acquire => "acquired",
            Self::Develop => "developed",
            Self::ComeIntoPossession => "come into possession",
        }
    }
}

/// When an activity takes place, which is all that windows look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// First day.
    pub start: Date,
    /// Last day; `None` while it goes on or is kept.
    pub end: Option<Date>,
    /// Last day of acquisition, development or coming into possession.
    pub complete: Option<Date>,
    /// Day from which it was planned; `None` when that is not stated.
    pub planned_since: Option<Date>,
    /// Day on which the plan was dropped.
    pub cancelled: Option<Date>,
}

/// One activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Name; rows of one name are the same thing at different times.
    pub name: String,
    /// What kind it is.
    pub limb: Limb,
    /// When.
    pub times: Times,
    /// Training file or cluster file, found from the filer's file.
    pub file: PathBuf,
    /// The same as written.
    pub written: String,
    /// Where.
    pub site: Option<String>,
    /// Training: the cluster that it runs on.
    pub on: Option<String>,
    /// Training: version of the model.
    pub model_version: Option<String>,
    /// Training: questionnaire of the dual-use test.
    pub dual_use: Option<PathBuf>,
    /// Cluster: how it comes.
    pub event: Option<ClusterEvent>,
    /// Cluster: owner.
    pub owner: Option<String>,
    /// Cluster: operator.
    pub operator: Option<String>,
    /// Cluster: tenant.
    pub tenant: Option<String>,
    /// Where the row stands in the file.
    pub(super) offset: usize,
}

/// What was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Receipt {
    /// Questions after a notice.
    Questions,
    /// A request for clarification of an answer.
    Clarification,
}

/// A letter that starts a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What.
    pub kind: Receipt,
    /// When.
    pub on: Date,
    /// Of what it asks.
    pub about: Option<String>,
}

/// Something filed that turned out wrong or incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The filing that it corrects.
    pub refers_to: Quarter,
    /// The activity, where it is one.
    pub activity: Option<String>,
    /// When it was found.
    pub discovered: Date,
    /// What is different.
    pub what: String,
    /// How it came.
    pub reason: String,
    pub(super) offset: usize,
}

/// Everything that a filer states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filer {
    /// Who.
    pub submitter: Submitter,
    /// Choices where the text is open.
    pub readings: Readings,
    /// What is done, was done and is planned.
    pub activities: Vec<Activity>,
    /// Letters.
    pub received: Vec<Received>,
    /// Errors found.
    pub corrections: Vec<Correction>,
    /// Record directories of measurements for the annex.
    pub calibration: Vec<PathBuf>,
    /// Who vouches.
    pub attestation: Option<Attestation>,
    /// Name of the file.
    pub file: String,
    pub(super) text: String,
}

impl Filer {
    /// An error at a place of the file.
    pub(super) fn wrong(&self, offset: usize, message: String) -> FileError {
        FileError::content_at(&self.file, &self.text, offset, message)
    }
}

//! Errors of every room, and the exit code that each maps to.

use crate::accept::AcceptError;
use crate::backend::OpenError;
use crate::chip::ChipRulesError;
use crate::device::catalogue::CatalogueError;
use crate::device::lint::LintError;
use crate::device::theoretical::DeriveError;
use crate::files::FileError;
use crate::filing::FilingError;
use crate::profile::ProfileError;
use crate::record::RecordError;
use crate::threshold::RuleError;

/// How the program ends; the codes are a contract with scripts and schedulers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; for a verdict, PASS.
    Done,
    /// A verdict is FAIL, or at least one case failed.
    Failed,
    /// The command line or an input file is wrong.
    Usage,
    /// Not enough is known to say more.
    Inconclusive,
    /// A device or backend that was asked for is not there.
    Absent,
    /// `--fail-on met`, and a determination is met.
    Met,
    /// `--fail-on undetermined`, and a determination is undetermined.
    Undetermined,
    /// A defect in flopgauge.
    Defect,
}

impl Exit {
    /// The process' exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::Absent => 4,
            Self::Met => 10,
            Self::Undetermined => 11,
            Self::Defect => 70,
        }
    }
}

/// Anything that ends a subcommand early.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file could not be read, or holds something else than it should.
    #[error(transparent)]
    File(#[from] FileError),
    /// An acceptance cannot be made.
    #[error(transparent)]
    Accept(#[from] AcceptError),
    /// A record could not be written or read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A profile cannot be made, read, or held against its records.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A device could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A device that was asked for is not there.
    #[error("{0}")]
    Absent(String),
    /// Something that cannot be, in flopgauge itself.
    #[error("a defect in flopgauge: {0}; please report it")]
    Defect(String),
    /// The catalogue that the program carries cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The chip rules that the program carries cannot be used.
    #[error(transparent)]
    ChipRules(#[from] ChipRulesError),
    /// The rules that the program carries cannot be used.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// A peak cannot be derived from what was given.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// There is no plan or packet.
    #[error(transparent)]
    Filing(FilingError),
    /// Options that clap alone cannot judge.
    #[error("{0}")]
    Usage(String),
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(std::io::Error),
}

impl CliError {
    /// The exit code that this error maps to.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::File(FileError::Write { .. }) | Self::Output(_) => Exit::Failed,
            Self::Record(RecordError::File(FileError::Write { .. })) => Exit::Failed,
            Self::Accept(AcceptError::File(FileError::Write { .. })) => Exit::Failed,
            Self::Accept(AcceptError::Builtin(_) | AcceptError::Form { .. }) => Exit::Defect,
            Self::Accept(_) => Exit::Usage,
            Self::File(_) | Self::Usage(_) | Self::Record(_) => Exit::Usage,
            Self::Open(OpenError::Option(_) | OpenError::Script(_)) => Exit::Usage,
            Self::Open(OpenError::Absent { .. } | OpenError::Unusable { .. }) | Self::Absent(_) => {
                Exit::Absent
            }
            Self::Profile(ProfileError::File(FileError::Write { .. })) => Exit::Failed,
            Self::Profile(ProfileError::Catalogue(_)) => Exit::Defect,
            Self::Profile(ProfileError::Missing { .. }) => Exit::Inconclusive,
            Self::Profile(_) => Exit::Usage,
            Self::Derive(DeriveError::Catalogue(_))
            | Self::Catalogue(_)
            | Self::ChipRules(_)
            | Self::Rules(_)
            | Self::Defect(_) => Exit::Defect,
            Self::Derive(_) => Exit::Usage,
            Self::Filing(
                FilingError::RuleData(_)
                | FilingError::Rule(_)
                | FilingError::NoInstrument(_)
                | FilingError::Defect(_),
            ) => Exit::Defect,
            Self::Filing(_) => Exit::Usage,
        }
    }
}

impl From<FilingError> for CliError {
    fn from(error: FilingError) -> Self {
        match error {
            FilingError::File(error) => Self::File(error),
            FilingError::Record(error) => Self::Record(error),
            other => Self::Filing(other),
        }
    }
}

impl From<LintError> for CliError {
    fn from(error: LintError) -> Self {
        match error {
            LintError::File(error) => Self::File(error),
            LintError::Catalogue(error) => Self::Catalogue(error),
        }
    }
}

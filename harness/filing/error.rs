//! Why there is no plan or packet.

use super::quarter::Quarter;
use super::rule::RuleDataError;
use crate::files::FileError;
use crate::record::RecordError;
use crate::threshold::RuleError;

/// Why there is no plan or packet.
#[derive(Debug, thiserror::Error)]
pub enum FilingError {
    /// A file could not be read or written, or holds something else than it should.
    #[error(transparent)]
    File(#[from] FileError),
    /// A record of measurements could not be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The built-in rule data are wrong.
    #[error(transparent)]
    RuleData(#[from] RuleDataError),
    /// A built-in rule is wrong.
    #[error(transparent)]
    Rule(RuleError),
    /// The built-in rules lack an instrument.
    #[error("there is no built-in rule '{0}'")]
    NoInstrument(String),
    /// A calculator's file has no answer.
    #[error("{path}: {message}")]
    Calculation {
        /// The file.
        path: String,
        /// Why.
        message: String,
    },
    /// More quarters than a plan can sensibly have.
    #[error("the plan would go from {first} to {last}; check the years of the activities")]
    TooLong {
        /// First quarter.
        first: Quarter,
        /// Last quarter.
        last: Quarter,
    },
    /// Nothing is due for a quarter.
    #[error("nothing is due for {quarter}{hint}; see: flopgauge filing plan")]
    NothingDue {
        /// The quarter.
        quarter: Quarter,
        /// Which quarters have something due.
        hint: String,
    },
    /// A packet cannot follow the one that is given as its predecessor.
    #[error("{path}: {message}")]
    Previous {
        /// The file.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Something that cannot be, in flopgauge itself.
    #[error("a defect in flopgauge: {0}; please report it")]
    Defect(String),
}

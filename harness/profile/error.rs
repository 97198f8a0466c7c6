//! Why a profile cannot be made, read, or held against its records.

use crate::device::catalogue::CatalogueError;
use crate::files::FileError;
use crate::record::RecordError;

/// Why a profile cannot be made, read, or held against its records.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A file could not be read or written, or holds something else than it should.
    #[error(transparent)]
    File(#[from] FileError),
    /// A record that cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The catalogue that the program carries cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A line without its end: the record was cut.
    #[error("{path}:{line}: the line has no end; the record was cut, or is still being written")]
    Cut {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
    },
    /// A record that grew between two looks at it.
    #[error("{path} changed while it was read; wait until the run has ended")]
    Changed {
        /// The record.
        path: String,
    },
    /// A profile that contradicts itself.
    #[error("{path}: {what}; make it again from its records")]
    Content {
        /// The profile.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// A record that is not the one that the profile was made from.
    #[error(
        "{place}: SHA-256 is {found}, and the profile was made from {expected}: the record was edited or is another one"
    )]
    Edited {
        /// File, and line where one is to be named.
        place: String,
        /// Hash of what is there.
        found: String,
        /// Hash that the profile names.
        expected: String,
    },
    /// A record of the profile that was not given.
    #[error(
        "record {record} (begun {started}) of the profile is not among those given; name it after --check FILE"
    )]
    Missing {
        /// Where it was when the profile was made.
        record: String,
        /// When its run began.
        started: String,
    },
    /// The records give other figures than the profile holds.
    #[error(
        "{path}: {what} differs from what its records give: the profile was edited, or made by another version ({version})"
    )]
    Differs {
        /// The profile.
        path: String,
        /// Which part of it.
        what: String,
        /// Version that made the profile.
        version: String,
    },
}

//! What can be wrong with the files and names of an acceptance.

use crate::files::FileError;

/// Why an acceptance or its collection cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// A file could not be read or written, or holds something else than it should.
    #[error(transparent)]
    File(#[from] FileError),
    /// A host list that cannot be understood.
    #[error("host list '{text}': {reason}; write names as in node[01-16],login1")]
    HostList {
        /// The list as given.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// A directory without what is looked for.
    #[error("{path}: {reason}")]
    Directory {
        /// The directory.
        path: String,
        /// What is missing or wrong.
        reason: String,
    },
    /// Node files that no baseline can be made from.
    #[error("no baseline: {0}")]
    NotGood(String),
    /// A verdict cannot be put in a form that others read.
    #[error("the {kind} file cannot be written: {reason}")]
    Form {
        /// Which form.
        kind: &'static str,
        /// What its writer said.
        reason: String,
    },
    /// The built-in spec cannot be read.
    #[error("the built-in spec is defective: {0}")]
    Builtin(String),
}

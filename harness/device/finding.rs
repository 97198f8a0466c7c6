//! What a check says of a figure.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How heavy a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Fine,
    /// Worth knowing; nothing is wrong.
    Note,
    /// Doubtful.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The outcome of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The rule, in kebab case.
    pub rule: String,
    /// How heavy it is.
    pub severity: Severity,
    /// What was found and what to suspect.
    pub message: String,
    /// The value that would fit, with its unit, where one is known.
    pub expected: Option<String>,
}

impl Finding {
    /// A finding of `rule`.
    pub fn new(severity: Severity, rule: &str, message: String, expected: Option<String>) -> Self {
        Self { rule: rule.to_owned(), severity, message, expected }
    }
}

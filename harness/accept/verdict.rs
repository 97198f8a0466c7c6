//! The three verdicts, and the one line that explains each.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is said of a check, a device, a node or a fleet; ordered from good to bad.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Everything that was asked was measured and is as it should be.
    Pass,
    /// Something that was asked is not known.
    Inconclusive,
    /// Something that was asked was measured and is not as it should be.
    Fail,
}

impl Verdict {
    /// The worst of several; of none, nothing is known.
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::Inconclusive)
    }

    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Fail => "FAIL",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Most characters of a reason; a scheduler's column, a pager and a log line hold so much.
pub const REASON_LIMIT: usize = 100;

/// What the reason of a node's verdict begins with.
pub const REASON_PREFIX: &str = "flopgauge:";

/// A number of things in words: `1 device`, `2 devices`.
pub fn counted(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Why, in one line of at most [`REASON_LIMIT`] characters without double quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "String")]
pub struct Reason(String);

impl Reason {
    /// The text on one line, cut where it is longer.
    pub fn new(text: &str) -> Self {
        let plain = |c: char| match c {
            '"' => '\'',
            c if c.is_control() => ' ',
            c => c,
        };
        let line: String = text.chars().map(plain).collect();
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() <= REASON_LIMIT {
            return Self(line);
        }
        let kept: String = line.chars().take(REASON_LIMIT - 1).collect();
        Self(format!("{kept}…"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_nothing_nothing_is_known() {
        assert_eq!(Verdict::worst([]), Verdict::Inconclusive);
        assert_eq!(Verdict::worst([Verdict::Pass, Verdict::Inconclusive]), Verdict::Inconclusive);
        assert_eq!(Verdict::worst([Verdict::Fail, Verdict::Inconclusive]), Verdict::Fail);
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "device")), ["0 devices", "1 device", "2 devices"]);
    }

    proptest! {
        #[test]
        fn a_reason_is_one_line_of_at_most_a_hundred_characters(text in ".{0,400}") {
            let reason = Reason::new(&text);
            prop_assert!(reason.as_str().chars().count() <= REASON_LIMIT);
            prop_assert!(!reason.as_str().contains(['\n', '\r', '"']));
        }
    }
}

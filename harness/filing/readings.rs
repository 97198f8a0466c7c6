//! Points that the text leaves open, each a switch with a default.

use serde::{Deserialize, Serialize};

macro_rules! reading {
    ($(#[$doc:meta])* $name:ident { $($(#[$option_doc:meta])* $option:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
        )]
        pub enum $name {
            $($(#[$option_doc])* #[serde(rename = $text)] $option,)+
        }

        impl $name {
            /// Every option as files spell it, the default first.
            pub const OPTIONS: &'static [&'static str] = &[$($text),+];
        }
    };
}

reading!(
    /// Which days a notice looks back on.
    PastWindow {
        /// From the day after the previous due date to the due date.
        #[default]
        SincePreviousDueDate = "since-previous-due-date",
        /// The calendar quarter; the look-ahead window then begins the day after it.
        CalendarQuarter = "calendar-quarter",
    }
);
reading!(
    /// Whether the last day of the six months counts.
    LookAheadEnd {
        /// It does.
        #[default]
        Included = "included",
        /// It does not.
        Excluded = "excluded",
    }
);
reading!(
    /// Whether holding a cluster is reported again.
    ContinuedPossession {
        /// In each quarter.
        #[default]
        EachQuarter = "each-quarter",
        /// Only the acquisition, development or coming into possession is.
        EventOnly = "event-only",
    }
);
reading!(
    /// Which days the period for clarifications counts.
    ClarificationDays {
        /// All.
        #[default]
        Calendar = "calendar",
        /// Monday to Friday; holidays are not known here.
        Weekdays = "weekdays",
    }
);
reading!(
    /// What becomes of an activity of which it cannot be told whether it is above the limit.
    Undetermined {
        /// It is reported.
        #[default]
        Report = "report",
        /// It is left out, and listed as left out.
        LeaveOut = "leave-out",
    }
);
reading!(
    /// Whether quarters without an activity are affirmed.
    Affirmations {
        /// In the seven quarters after the last with an activity.
        #[default]
        SevenQuarters = "seven-quarters",
        /// Never.
        None = "none",
    }
);

/// One choice for each open point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Readings {
    /// Which days a notice looks back on.
    pub past_window: PastWindow,
    /// Whether the last day of the six months counts.
    pub look_ahead_end: LookAheadEnd,
    /// Whether holding a cluster is reported again.
    pub continued_possession: ContinuedPossession,
    /// Which days the period for clarifications counts.
    pub clarification_days: ClarificationDays,
    /// What becomes of an activity that may be above the limit.
    pub undetermined: Undetermined,
    /// Whether quarters without an activity are affirmed.
    pub affirmations: Affirmations,
}

impl Readings {
    /// Keys and options, the default first; the rule file says why each is open.
    pub const ALL: [(&'static str, &'static [&'static str]); 6] = [
        ("past_window", PastWindow::OPTIONS),
        ("look_ahead_end", LookAheadEnd::OPTIONS),
        ("continued_possession", ContinuedPossession::OPTIONS),
        ("clarification_days", ClarificationDays::OPTIONS),
        ("undetermined", Undetermined::OPTIONS),
        ("affirmations", Affirmations::OPTIONS),
    ];

    /// These readings with the `KEY=VALUE` pairs of `choices` in place of theirs.
    ///
    /// Errors: a sentence that names the keys or the options.
    pub fn with(self, choices: &[String]) -> Result<Self, String> {
        let mut table = serde_json::to_value(self).map_err(|error| error.to_string())?;
        for choice in choices {
            let (key, value) =
                choice.split_once('=').ok_or_else(|| format!("'{choice}' is no KEY=VALUE pair"))?;
            let known = Self::ALL.iter().find(|(name, _)| *name == key);
            let Some((_, options)) = known else {
                let keys: Vec<_> = Self::ALL.iter().map(|(name, _)| *name).collect();
                return Err(format!("unknown reading '{key}'; one of {}", keys.join(", ")));
            };
            if !options.contains(&value) {
                return Err(format!("reading {key} is one of {}, not '{value}'", options.join(", ")));
            }
            table[key] = value.into();
        }
        serde_json::from_value(table).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_replaces_its_default_and_no_other() {
        let chosen = Readings::default().with(&["look_ahead_end=excluded".to_owned()]).unwrap();
        assert_eq!(chosen, Readings { look_ahead_end: LookAheadEnd::Excluded, ..Readings::default() });
        for wrong in ["look_ahead_end=maybe", "lookahead=excluded", "excluded"] {
            assert!(Readings::default().with(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_option_is_the_default() {
        let defaults = serde_json::to_value(Readings::default()).unwrap();
        assert_eq!(defaults.as_object().unwrap().len(), Readings::ALL.len());
        for (key, options) in Readings::ALL {
            assert_eq!(defaults[key], options[0], "{key}");
        }
    }
}

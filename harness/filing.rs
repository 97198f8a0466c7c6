//! What must be said, by when: quarters, due dates, windows, the plan and the packet of a quarter.
//!
//! Written for a rule that was proposed and is not in force: a help for preparation, not legal advice.
//! No clock is read here; the day on which something is judged is an argument.

mod dates;
mod day;
mod quarter;
mod readings;
mod rule;

pub use dates::{Schedule, Window};
pub use day::Day;
pub use quarter::{Quarter, QuarterError};
pub use readings::{
    Affirmations, ClarificationDays, ContinuedPossession, LookAheadEnd, PastWindow, Readings, Undetermined,
};
pub use rule::{Basis, Evidence, FilingRule, RuleDataError, SourceDocument};

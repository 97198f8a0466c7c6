//! Two records side by side: paired by identity, each ratio with its interval, and what cannot be compared with why.

mod pairs;
mod welch;

pub use pairs::{CompareError, Comparison, Pair, Unpaired, Verdict, compare, compare_runs};
pub use welch::{BLOCKS, Difference, Logs, difference, holm, logs};

//! Two records side by side: paired by identity, each ratio with its interval, and what cannot be compared with why.

mod pairs;
mod welch;

pub use pairs::{Comparison, Pair, Unpaired, Verdict, compare};
pub use welch::{BLOCKS, Difference, Logs, difference, holm, logs};

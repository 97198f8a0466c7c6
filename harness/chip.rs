//! One chip before the rules: total processing performance, performance density, export-control class by dated
//! rule, and how many such devices pass 10^20 operations per second.
//!
//! What the maker states counts here, never what was measured. Everything that meets a limit is exact.

mod determination;
mod figures;
mod rules;

pub use determination::{Determination, Governing, RuleOutcome, determine};
pub use figures::{Figure, Figures, Known};
pub use rules::{ChipRulesError, RuleSource};

#[cfg(test)]
mod tests;

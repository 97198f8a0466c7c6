//! How it is timed: plan, time line of a case, plateau, statistics and verification. Touches no clock of its own.

mod bandwidth;
mod candidates;
mod checks;
mod choices;
mod control;
mod efficiency;
mod headline;
mod outcome;
mod plan;
pub mod plateau;
mod runner;
mod samples;
mod schedule;
pub mod statistics;
mod sweep;
mod timeline;

pub use bandwidth::{Bandwidth, BandwidthShare, bandwidth_share};
pub use choices::{Choices, Kept, Origin};
pub use control::{Control, Progress, Stop, Unattended};
pub use efficiency::{Efficiency, efficiency, peaks_of};
pub use headline::{Basis, Headline};
pub use outcome::{Candidate, Check, Measured, Outcome};
pub use plan::{PlanError, Request, Selection, plan};
pub use plateau::{Phase, Window};
pub use samples::Samples;
pub use schedule::{Pace, Schedule};
pub use sweep::{ROUNDS, Sweep, finer};
pub use timeline::measure;

pub use crate::workload::verify;

/// Version of the method; a figure of one version is not compared with a figure of another.
pub const METHOD_VERSION: &str = "1";

#[cfg(test)]
mod tests;

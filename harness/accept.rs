//! Is this node good: the spec, the verdicts, and the form of the file that a node leaves.
//!
//! Pure functions of files and measurements; nothing here drains, taints, resets or labels anything.

mod device_checks;
mod error;
mod hosts;
mod judge;
mod measured;
mod node;
mod spec;
mod templates;
mod verdict;

pub use error::AcceptError;
pub use hosts::{expand, fold, lines};
pub use judge::{Circumstances, Judged, Seen, judge};
pub use node::{
    CheckResult, Figure, NodeDevice, NodeFile, Quantity, RunIdentity, SpecUsed, StartReport, Started,
};
pub use spec::{DevicePattern, Floor, Limits, NodeNeeds, Requirement, Spec, Tier, Wanted};
pub use templates::Template;
pub use verdict::{REASON_LIMIT, Reason, Verdict};

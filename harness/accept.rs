//! Is this node good: the spec, the verdicts, and the form of the files that nodes and fleets leave.
//!
//! Pure functions of files and measurements; nothing here drains, taints, resets or labels anything.

mod baseline;
mod collection;
mod device_checks;
mod drift;
mod error;
mod fleet;
mod groups;
mod hosts;
mod judge;
mod junit;
mod known_good;
mod measured;
mod node;
mod outliers;
mod reports;
mod requirement;
mod spec;
mod start;
mod summary;
mod table;
mod templates;
mod textfile;
mod trend;
mod verdict;

pub use baseline::{Baseline, BaselineFact, BaselineRate, BaselineSource, Removed};
pub use collection::{Collection, collect};
pub use error::AcceptError;
pub use fleet::{
    Counts, DeviceRate, Drift, FactValue, Fleet, FleetDevice, FleetNode, Group, IgnoredFiles, NodeState,
    Outlier, OutlierRule, Side, Straggler,
};
pub use hosts::{expand, fold, is_node_name};
pub use judge::{Circumstances, Judged, Seen, judge};
pub use junit::{is_junit, junit};
pub use node::{
    CheckResult, Figure, NodeDevice, NodeFile, Quantity, RunIdentity, SpecUsed, StartReport, Started,
};
pub use reports::{FLEET_FILES, Sought, is_fleet_file};
pub use requirement::{DevicePattern, Floor, Requirement, Wanted};
pub use spec::{KnownGood, Limits, NodeNeeds, Spec, Tier};
pub use start::{Go, Ready};
pub use table::FLEET_COLUMNS;
pub use templates::Template;
pub use textfile::{is_prometheus_text, prometheus_text};
pub use verdict::{REASON_LIMIT, REASON_PREFIX, Reason, Verdict, counted};

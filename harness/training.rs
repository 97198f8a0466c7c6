//! Operations of a training run, by what was trained and by what it ran on, each as a range with its causes.
//!
//! Exact decimals throughout; a fraction rounds outwards. Which operations a rule counts is an argument.

mod architecture;
mod counting;
mod crossing;
mod estimate;
mod hardware;
mod run;
mod run_file;
mod run_tables;
mod sacct;
mod utilisation;

pub use architecture::architecture;
pub use counting::{Counting, Runs, Treatment};
pub use crossing::{Stretch, crossing};
pub(crate) use estimate::judged_by;
pub use estimate::{Assessment, Contribution, Effect, Lineage, Method, Route, Three, WholeThree, assess};
pub use hardware::hardware;
pub use run::{Model, Modified, Phase, PhaseKind, Published, Recompute, Run, Usage};
pub use run_file::read_run;
pub use run_tables::RunFile;
pub use sacct::{Sacct, read_sacct};

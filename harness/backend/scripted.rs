//! A device that replays a script of rates and faults, so that every path of the measuring loop runs without
//! hardware. Its results are of kind `simulated` and say so everywhere.

mod device;
mod faults;
mod script;

pub use device::ScriptedBackend;
pub use faults::{Fault, FaultKind};
pub use script::{Script, ScriptedRow, Segment};

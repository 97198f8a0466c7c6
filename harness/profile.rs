//! What one device gives: calibrated profiles, kind `profile/1`, from the records of real hardware.
//!
//! A line of a record is accepted whole or refused by a named rule; figures of different identity are never averaged,
//! and every figure names the lines that it comes from by their SHA-256. Nothing here touches a device.

mod admit;
mod calibrate;
mod check;
mod document;
mod error;
mod pool;
mod source;

pub use admit::{Refusal, Rule};
pub use calibrate::calibrate;
pub use check::check;
pub use document::{
    Circumstances, DeviceProfile, DeviceRuns, Figure, LineSource, Model, PrecisionProfile, Profiles,
    RecordSource, Theoretical,
};
pub use error::ProfileError;
pub use source::Source;

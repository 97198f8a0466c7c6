//! How it is shown: pure functions of records.

mod devices;
mod measurements;
mod table;

pub use devices::{device_table, devices_json};
pub use measurements::{measurement_json, measurement_table};

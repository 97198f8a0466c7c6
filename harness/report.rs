//! How it is shown: pure functions of records.

mod copies;
mod devices;
mod measurements;
mod profiles;
mod table;

pub use devices::{DeviceList, device_table};
pub use measurements::measurement_table;
pub use profiles::profile_table;

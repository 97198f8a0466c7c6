//! How it is shown: pure functions of records.

mod comparison;
mod comparison_page;
mod copies;
mod devices;
mod measurements;
mod profiles;
mod table;

pub use comparison::comparison_table;
pub use comparison_page::{comparison_html, comparison_markdown};
pub use devices::{DeviceList, device_table};
pub use measurements::measurement_table;
pub use profiles::profile_table;

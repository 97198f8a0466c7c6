//! How it is shown: pure functions of records.

mod chart;
mod cluster;
mod comparison;
mod comparison_page;
mod copies;
mod devices;
mod fit;
mod fleet;
mod fleet_text;
mod markdown;
mod material;
mod measurements;
mod page;
mod profiles;
mod round;
mod run_line;
mod summary;
mod table;
mod topic;
mod training;

pub use chart::{Chart, Data};
pub use comparison::comparison_table;
pub use comparison_page::{comparison_html, comparison_markdown};
pub use devices::{DeviceList, device_table};
pub use fit::fit;
pub use fleet_text::fleet_text;
pub use markdown::markdown;
pub use material::{Material, Named};
pub use measurements::measurement_table;
pub use page::{PageError, page};
pub use profiles::profile_table;
pub use round::round;

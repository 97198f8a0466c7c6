//! Which cores there are and may be used, what limits them, and what the platform says of them.

mod affinity;
mod cache;
mod core_list;
mod quota;
mod settings;

#[cfg(test)]
pub use affinity::allowed_cores;
pub use affinity::{UsableCores, usable_cores};
pub use cache::{cache_sizes, last_level_caches};
pub use quota::{CpuQuota, quota, throttled_periods};
pub use settings::host_settings;

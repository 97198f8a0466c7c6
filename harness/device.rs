//! Who computes: identity of a device, its kind, and what its maker or a formula says it could do.

pub mod catalogue;
mod finding;
pub mod format;
mod identity;
pub mod lint;
pub mod matching;
mod memory;
mod peak;
pub mod rates;
pub mod theoretical;

pub use finding::{Finding, Severity};
pub use identity::{Device, DeviceKind};
pub use memory::memory_bandwidth;
pub use peak::{ClockBasis, Evidence, Provenance, Sparsity, TheoreticalPeak, Unit};

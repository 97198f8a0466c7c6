//! Who computes: identity of a device, its kind, and what its maker or a formula says it could do.

mod identity;
mod peak;

pub use identity::{Device, DeviceKind};
pub use peak::{ClockBasis, Evidence, Provenance, Sparsity, TheoreticalPeak, Unit};

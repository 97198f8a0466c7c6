//! What a device's memory could move at most.

use super::Device;
use super::catalogue::{Catalogue, Query};
use crate::units::ByteRate;

/// Bandwidth of the memory, by the maker, read plus written; `None` where the catalogue has none, or where the device
/// is a slice of the part and its share of the memory is not known.
pub fn memory_bandwidth(device: &Device) -> Option<ByteRate> {
    let query = Query { name: &device.model, pci_id: device.pci_id.as_deref() };
    let entry = Catalogue::builtin().ok()?.find(&query).entry()?;
    if device.units.zip(entry.units).is_some_and(|(reported, known)| reported != known) {
        return None;
    }
    let per_s = entry.bandwidth_gb_s.as_ref()?.times_power_of_ten(9).to_string();
    ByteRate::new(per_s.parse().ok()?).ok().filter(|rate| rate.get() > 0.0)
}

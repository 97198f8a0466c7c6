//! Which adapters there are, and who they are. One device reached through two APIs is listed once.

use std::collections::BTreeSet;

use uuid::Uuid;
use wgpu::{Adapter, AdapterInfo, Backend as Api, Backends, DeviceType, Instance, InstanceDescriptor};

use crate::device::catalogue::{Catalogue, Query};
use crate::device::{Device, DeviceKind};
use crate::units::Bytes;

/// An adapter and what is known of it.
pub(super) struct Found {
    pub adapter: Adapter,
    pub device: Device,
    pub info: AdapterInfo,
}

/// Every adapter, hardware first, Vulkan before other APIs.
pub(super) fn all() -> Vec<Found> {
    let instance = Instance::new(InstanceDescriptor::new_without_display_handle());
    let apis = Backends::VULKAN | Backends::METAL | Backends::DX12;
    let mut adapters = pollster::block_on(instance.enumerate_adapters(apis));
    adapters.sort_by_key(|adapter| {
        let info = adapter.get_info();
        (kind(info.device_type) != DeviceKind::Hardware, info.backend != Api::Vulkan)
    });
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for adapter in adapters {
        let info = adapter.get_info();
        let facts = facts(&adapter);
        let same = identity(&info, facts.and_then(|(uuid, _)| uuid));
        if same.is_some_and(|same| !seen.insert(same)) {
            continue;
        }
        let device = describe(found.len(), &info, facts);
        found.push(Found { adapter, device, info });
    }
    found
}

/// What two APIs say alike of one device: its PCI address, or its UUID; `None` where neither is known.
fn identity(info: &AdapterInfo, uuid: Option<Uuid>) -> Option<String> {
    if info.device_pci_bus_id.is_empty() {
        return uuid.map(|uuid| uuid.to_string());
    }
    Some(info.device_pci_bus_id.to_lowercase())
}

#[cfg(not(any(target_os = "macos", target_os = "ios")))]
fn facts(adapter: &Adapter) -> Option<(Option<Uuid>, u64)> {
    super::vulkan::facts(adapter)
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
fn facts(_: &Adapter) -> Option<(Option<Uuid>, u64)> {
    None
}

/// Whether a packed product of bytes is one of the device's own; `None` where nobody says.
#[cfg(not(any(target_os = "macos", target_os = "ios")))]
pub(super) fn packed_dot(adapter: &Adapter) -> Option<bool> {
    super::vulkan::packed_dot(adapter)
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
pub(super) fn packed_dot(_: &Adapter) -> Option<bool> {
    None
}

/// A device that does not say what it is, is not trusted as hardware.
const fn kind(device: DeviceType) -> DeviceKind {
    match device {
        DeviceType::DiscreteGpu | DeviceType::IntegratedGpu | DeviceType::VirtualGpu => DeviceKind::Hardware,
        DeviceType::Cpu | DeviceType::Other => DeviceKind::Software,
    }
}

fn describe(index: usize, info: &AdapterInfo, facts: Option<(Option<Uuid>, u64)>) -> Device {
    let kind = kind(info.device_type);
    let pci_id = (info.vendor > 0 && info.vendor <= 0xffff && info.device <= 0xffff)
        .then(|| format!("{:04x}:{:04x}", info.vendor, info.device))
        .filter(|_| kind == DeviceKind::Hardware);
    let uuid = facts.and_then(|(uuid, _)| uuid);
    let named = format!("wgpu:{}:{}:{}", info.backend, info.name, info.device_pci_bus_id);
    let mut notes = vec![format!("reached through {}", info.backend)];
    if kind == DeviceKind::Software {
        notes.push("a driver that computes on the CPU: no figure of it says anything of a GPU".to_owned());
    }
    if !info.device_pci_bus_id.is_empty() {
        notes.push(format!("pci address {}", info.device_pci_bus_id));
    }
    let (architecture, peaks) = peaks(info, pci_id.as_deref(), &mut notes);
    Device {
        id: format!("wgpu:{index}"),
        uuid: uuid.unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, named.as_bytes())),
        model: info.name.clone(),
        backend: "wgpu".to_owned(),
        kind,
        architecture,
        units: None,
        reported_clock_hz: None,
        memory_bytes: facts.map(|(_, bytes)| Bytes::new(bytes)).filter(|bytes| bytes.get() > 0),
        driver: driver(info),
        pci_id,
        peaks,
        notes,
    }
}

/// Driver and its version; `None` where neither is told, as on Metal.
fn driver(info: &AdapterInfo) -> Option<String> {
    let told = format!("{} {}", info.driver, info.driver_info).trim().to_owned();
    (!told.is_empty()).then_some(told)
}

/// Peaks of the catalogue's entry for a hardware adapter; nothing is guessed for the others.
fn peaks(
    info: &AdapterInfo,
    pci_id: Option<&str>,
    notes: &mut Vec<String>,
) -> (Option<String>, Vec<crate::device::TheoreticalPeak>) {
    if pci_id.is_none() {
        return (None, Vec::new());
    }
    let catalogue = match Catalogue::builtin() {
        Ok(catalogue) => catalogue,
        Err(error) => {
            notes.push(format!("no peak: {error}"));
            return (None, Vec::new());
        }
    };
    match catalogue.find(&Query { name: &info.name, pci_id }).entry() {
        Some(entry) => {
            notes.push(format!("the catalogue's {}", entry.name));
            (entry.architecture.clone(), entry.peaks().to_vec())
        }
        None => (None, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(device_type: DeviceType, name: &str, vendor: u32, device: u32) -> AdapterInfo {
        let mut info = AdapterInfo::new(device_type, Api::Vulkan);
        (info.name, info.vendor, info.device) = (name.to_owned(), vendor, device);
        info
    }

    #[test]
    fn what_computes_on_the_cpu_or_does_not_say_is_software() {
        assert_eq!(kind(DeviceType::Cpu), DeviceKind::Software);
        assert_eq!(kind(DeviceType::Other), DeviceKind::Software);
        assert_eq!(kind(DeviceType::IntegratedGpu), DeviceKind::Hardware);
    }

    #[test]
    fn a_catalogued_pci_id_gives_its_peaks_and_an_unknown_one_none() {
        let known =
            describe(0, &info(DeviceType::DiscreteGpu, "NVIDIA H100 80GB HBM3", 0x10de, 0x2330), None);
        assert!(!known.peaks.is_empty(), "{:?}", known.notes);
        let unknown = describe(0, &info(DeviceType::DiscreteGpu, "A GPU of tomorrow", 0x10de, 0xfffe), None);
        assert!(unknown.peaks.is_empty());
        let software = describe(0, &info(DeviceType::Cpu, "NVIDIA H100 80GB HBM3", 0x10de, 0x2330), None);
        assert!(software.peaks.is_empty(), "a software driver has no peak, whatever it calls itself");
    }

    #[test]
    fn one_device_of_two_apis_is_one_by_its_pci_address() {
        let mut first = info(DeviceType::DiscreteGpu, "a", 1, 1);
        first.device_pci_bus_id = "0000:01:00.0".to_owned();
        let mut second = info(DeviceType::DiscreteGpu, "b", 1, 1);
        second.device_pci_bus_id = "0000:01:00.0".to_owned();
        assert_eq!(identity(&first, Some(Uuid::nil())), identity(&second, None));
        assert_eq!(
            identity(&info(DeviceType::Cpu, "c", 1, 1), None),
            None,
            "what nobody knows is not merged"
        );
    }
}

//! What the driver tells of its devices, and their theoretical peaks.

use cudarc::driver::result;
use cudarc::driver::sys::{self, CUdevice_attribute as Attribute};
use uuid::Uuid;

use super::driver::{Driver, driver};
use super::rows::{Target, target};
use super::telemetry::Telemetry;
use crate::device::catalogue::Query;
use crate::device::{Device, DeviceKind, theoretical};
use crate::units::{Bytes, Hertz};

/// Every device that the driver shows, in its order: `CUDA_VISIBLE_DEVICES` and MIG are the driver's to follow.
///
/// Errors: why there is none, in words.
pub(super) fn devices() -> Result<Vec<Device>, String> {
    let driver = driver()?;
    let count = result::device::get_count().map_err(|error| format!("no devices are told: {error:?}"))?;
    if count == 0 {
        let visible = std::env::var("CUDA_VISIBLE_DEVICES");
        let why = visible.map(|list| format!("; CUDA_VISIBLE_DEVICES is '{list}'")).unwrap_or_default();
        return Err(format!("the driver for CUDA {} shows no device{why}", driver.cuda()));
    }
    (0..count)
        .map(|index| device(driver, index).map_err(|error| format!("cuda:{index}: {error:?}")))
        .collect()
}

/// The architecture that kernels are compiled for.
pub(super) fn architecture(
    device: sys::CUdevice,
) -> Result<(u32, u32, Option<&'static Target>), result::DriverError> {
    let major = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    Ok((major, minor, target(major, minor)))
}

/// An attribute that is never negative.
#[expect(unsafe_code, reason = "calls the driver")]
pub(super) fn attribute(device: sys::CUdevice, which: Attribute) -> Result<u32, result::DriverError> {
    // SAFETY: the device was given by the driver.
    unsafe { result::device::get_attribute(device, which) }.map(|value| u32::try_from(value).unwrap_or(0))
}

#[expect(unsafe_code, reason = "calls the driver")]
fn device(driver: &Driver, index: i32) -> Result<Device, result::DriverError> {
    let handle = result::device::get(index)?;
    let model = result::device::get_name(handle)?;
    let id = result::device::get_uuid(handle)?;
    let uuid = Uuid::from_bytes(id.bytes.map(|byte| u8::from_ne_bytes(byte.to_ne_bytes())));
    let (major, minor, target) = architecture(handle)?;
    let units = attribute(handle, Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
    let khz = attribute(handle, Attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE).unwrap_or(0);
    // SAFETY: the device was given by the driver.
    let memory = unsafe { result::device::total_mem(handle) }?;
    let telemetry = Telemetry::of(uuid);
    let reported = (khz > 0).then(|| Hertz::new(f64::from(khz) * 1e3).ok()).flatten();
    let clock = telemetry.highest_clock().or(reported);
    let pci_id = telemetry.pci_id().or_else(|| sysfs_id(handle));
    let architecture = format!("{major}.{minor}");
    let query = Query { name: &model, pci_id: pci_id.as_deref() };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a clock below 2^53 Hz")]
    let hertz = clock.map(|clock| clock.get().round() as u64);
    let (peaks, basis) = theoretical::of_device(&query, Some(&architecture), Some(units), hertz);
    let mut notes = vec![format!("theoretical peaks: {basis}")];
    if target.is_none() {
        notes.push(format!("no kernel of flopgauge was compiled for compute capability {architecture}"));
    }
    if driver.simulated {
        notes.push("a simulated driver; no figure of it says anything of hardware".to_owned());
    }
    notes.extend(std::env::var("CUDA_VISIBLE_DEVICES").map(|list| format!("CUDA_VISIBLE_DEVICES={list}")));
    notes.extend(telemetry.notes());
    Ok(Device {
        id: format!("cuda:{index}"),
        uuid,
        model,
        backend: "cuda".to_owned(),
        kind: if driver.simulated { DeviceKind::Simulated } else { DeviceKind::Hardware },
        architecture: Some(architecture),
        units: Some(units),
        reported_clock_hz: clock,
        memory_bytes: u64::try_from(memory).ok().map(Bytes::new),
        driver: Some(format!("CUDA {}", driver.cuda())),
        pci_id,
        peaks,
        notes,
    })
}

/// PCI vendor and device as the kernel tells them, for machines without NVML.
fn sysfs_id(handle: sys::CUdevice) -> Option<String> {
    let place = |which| attribute(handle, which).ok();
    let domain = place(Attribute::CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID)?;
    let bus = place(Attribute::CU_DEVICE_ATTRIBUTE_PCI_BUS_ID)?;
    let slot = place(Attribute::CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID)?;
    let folder = format!("/sys/bus/pci/devices/{domain:04x}:{bus:02x}:{slot:02x}.0");
    let read = |name: &str| {
        let text = std::fs::read_to_string(format!("{folder}/{name}")).ok()?;
        text.trim().strip_prefix("0x").map(str::to_owned)
    };
    Some(format!("{}:{}", read("vendor")?, read("device")?))
}

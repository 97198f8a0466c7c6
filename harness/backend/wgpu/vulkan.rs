//! What wgpu does not tell of a Vulkan device: its UUID and its memory.

use ash::vk;
use uuid::Uuid;

/// UUID and device-local memory of a Vulkan adapter; `None` for another API.
///
/// **Unit**: bytes.
#[expect(unsafe_code, reason = "wgpu hands out the raw handles only so")]
pub(super) fn facts(adapter: &wgpu::Adapter) -> Option<(Option<Uuid>, u64)> {
    // SAFETY: the handle is used while `adapter` lives, and nothing is destroyed through it.
    let raw = unsafe { adapter.as_hal::<wgpu::hal::vulkan::Api>() }?;
    let (instance, device) = (raw.shared_instance().raw_instance(), raw.raw_physical_device());
    let mut ids = vk::PhysicalDeviceIDProperties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut ids);
    // SAFETY: instance and device are alive; wgpu requires Vulkan 1.1 or the extension for this call itself.
    unsafe { instance.get_physical_device_properties2(device, &mut properties) };
    // SAFETY: as above.
    let memory = unsafe { instance.get_physical_device_memory_properties(device) };
    let local = memory
        .memory_heaps_as_slice()
        .iter()
        .filter(|heap| heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL))
        .map(|heap| heap.size)
        .max()
        .unwrap_or(0);
    let uuid = Uuid::from_bytes(ids.device_uuid);
    Some(((!uuid.is_nil()).then_some(uuid), local))
}

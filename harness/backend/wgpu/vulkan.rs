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

/// Whether the driver says that a packed product of signed bytes is faster than its parts; `None` where it does not
/// say, as before Vulkan 1.3 and through another API.
///
/// **Source**: Vulkan 1.3, `VkPhysicalDeviceShaderIntegerDotProductProperties`.
#[expect(unsafe_code, reason = "wgpu hands out the raw handles only so")]
pub(super) fn packed_dot(adapter: &wgpu::Adapter) -> Option<bool> {
    // SAFETY: the handle is used while `adapter` lives, and nothing is destroyed through it.
    let raw = unsafe { adapter.as_hal::<wgpu::hal::vulkan::Api>() }?;
    let (instance, device) = (raw.shared_instance().raw_instance(), raw.raw_physical_device());
    // SAFETY: instance and device are alive.
    let plain = unsafe { instance.get_physical_device_properties(device) };
    if plain.api_version < vk::API_VERSION_1_3 {
        return None;
    }
    let mut dot = vk::PhysicalDeviceShaderIntegerDotProductProperties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut dot);
    // SAFETY: as above, and a device of Vulkan 1.3 knows the structure.
    unsafe { instance.get_physical_device_properties2(device, &mut properties) };
    Some(dot.integer_dot_product4x8_bit_packed_signed_accelerated == vk::TRUE)
}

//! Devices and contexts.

use std::ffi::{c_int, c_uint};
use std::sync::atomic::Ordering;

use cudarc::driver::sys::{CUdevice_attribute as Attribute, CUresult};

use super::{NULL, export};
use crate::configuration::version;
use crate::limits::Limits;
use crate::machine::Machine;
use crate::pointer::{Out, write_text};
use crate::state::{CURRENT, State, configured, state};

/// `cuInit` of cuda.h: reads the configuration at the first call.
#[unsafe(no_mangle)]
pub extern "C" fn cuInit(flags: c_uint) -> CUresult {
    if flags != 0 {
        return CUresult::CUDA_ERROR_INVALID_VALUE;
    }
    let Ok(mut guard) = state().lock() else { return CUresult::CUDA_ERROR_UNKNOWN };
    if guard.is_none() {
        match State::new() {
            Ok(new) => *guard = Some(new),
            Err(code) => return code,
        }
    }
    CUresult::CUDA_SUCCESS
}

/// `cuDriverGetVersion` of cuda.h; it needs no `cuInit`.
#[unsafe(no_mangle)]
pub extern "C" fn cuDriverGetVersion(to: Out<c_int>) -> CUresult {
    let found = configured().as_ref().ok().and_then(|found| version(&found.cuda));
    match found.and_then(|version| to.put(version)) {
        Some(()) => CUresult::CUDA_SUCCESS,
        None => CUresult::CUDA_ERROR_INVALID_VALUE,
    }
}

fn attribute(machine: &Machine, which: c_int) -> Option<u32> {
    let named = |attribute: Attribute| attribute as c_int == which;
    let device = &machine.device;
    let table = [
        (Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, machine.capability.0),
        (Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, machine.capability.1),
        (Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device.multiprocessors),
        (Attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE, device.clock_mhz * 1000),
        (Attribute::CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, device.memory_clock_mhz * 1000),
        (Attribute::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, device.cache_kib << 10),
        (Attribute::CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, u32::from(device.memory_pools)),
        (Attribute::CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID, 0),
        (Attribute::CU_DEVICE_ATTRIBUTE_PCI_BUS_ID, 0xf0),
        (Attribute::CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID, 0),
        (Attribute::CU_DEVICE_ATTRIBUTE_INTEGRATED, 0),
        (Attribute::CU_DEVICE_ATTRIBUTE_WARP_SIZE, Limits::WARP),
        (Attribute::CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, Limits::THREADS),
        (Attribute::CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, machine.limits.threads),
        (Attribute::CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, machine.limits.blocks),
        (Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, Limits::SHARED),
        (Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, machine.limits.shared_most),
        (Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, machine.limits.shared),
        (Attribute::CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, Limits::REGISTERS),
    ];
    table.into_iter().find(|(attribute, _)| named(*attribute)).map(|(_, value)| value)
}

export! {
    cuDeviceGetCount(to: Out<c_int>) |state| {
        to.put(state.machines.len() as c_int).ok_or(NULL)
    }
    cuDeviceGet(to: Out<c_int>, ordinal: c_int) |state| {
        state.machine(ordinal)?;
        to.put(ordinal).ok_or(NULL)
    }
    cuDeviceGetName(to: Out<u8>, room: c_int, device: c_int) |state| {
        let name = state.machine(device)?.device.name.clone();
        write_text(to, usize::try_from(room).unwrap_or(0), &name).ok_or(NULL)
    }
    cuDeviceGetUuid_v2(to: Out<[u8; 16]>, device: c_int) |state| {
        to.put(*state.machine(device)?.device.uuid.as_bytes()).ok_or(NULL)
    }
    cuDeviceTotalMem_v2(to: Out<usize>, device: c_int) |state| {
        to.put(state.machine(device)?.memory.capacity as usize).ok_or(NULL)
    }
    cuDeviceGetAttribute(to: Out<c_int>, which: c_int, device: c_int) |state| {
        let machine = state.machine(device)?;
        let Some(value) = attribute(machine, which) else {
            crate::say(&format!("the device attribute {which} is not simulated"));
            return Err(CUresult::CUDA_ERROR_NOT_SUPPORTED);
        };
        to.put(value as c_int).ok_or(NULL)
    }
    cuDevicePrimaryCtxRetain(to: Out<u64>, device: c_int) |state| {
        if state.machine(device)?.progress.lost.load(Ordering::Relaxed) {
            return Err(CUresult::CUDA_ERROR_UNKNOWN);
        }
        let context = state.context(device)?;
        state.machine(device)?.retained += 1;
        to.put(context).ok_or(NULL)
    }
    cuDevicePrimaryCtxRelease_v2(device: c_int) |state| {
        let machine = state.machine(device)?;
        machine.retained = machine.retained.checked_sub(1).ok_or(CUresult::CUDA_ERROR_INVALID_CONTEXT)?;
        if machine.retained == 0 {
            machine.reset();
            state.objects.retain(|_, (owner, _)| *owner != device as usize);
        }
        Ok(())
    }
    cuCtxGetCurrent(to: Out<u64>) |_| {
        to.put(CURRENT.get()).ok_or(NULL)
    }
    cuCtxSetCurrent(context: u64) |state| {
        if context != 0 && !state.is_context(context) {
            return Err(CUresult::CUDA_ERROR_INVALID_CONTEXT);
        }
        CURRENT.set(context);
        Ok(())
    }
    cuCtxSynchronize() |state| {
        let here = state.here()?;
        let captures: Vec<u64> = state.captures.keys().copied().collect();
        for stream in captures {
            if state.objects.get(&stream).is_some_and(|(device, _)| *device == here) {
                state.not_capturing(stream)?;
            }
        }
        state.current()?.drain()
    }
}

//! Memory and copies. Host memory is pageable: a copy from it is staged at once, a copy to it is done on return.

use super::{NULL, export};
use crate::machine::Command;
use crate::pointer::{In, Out};

export! {
    cuMemAlloc_v2(to: Out<u64>, size: usize) |state| {
        let address = state.current()?.allocate(size)?;
        to.put(address).ok_or(NULL)
    }
    cuMemAllocAsync(to: Out<u64>, size: usize, stream: u64) |state| {
        state.not_capturing(stream)?;
        let machine = state.of_stream(stream)?;
        if !machine.device.memory_pools {
            return Err(cudarc::driver::sys::CUresult::CUDA_ERROR_NOT_SUPPORTED);
        }
        let address = machine.allocate(size)?;
        to.put(address).ok_or(NULL)
    }
    cuMemFree_v2(address: u64) |state| {
        let machine = state.current()?;
        machine.drain()?;
        if machine.memory.free(address) { Ok(()) } else { Err(NULL) }
    }
    cuMemFreeAsync(address: u64, stream: u64) |state| {
        state.not_capturing(stream)?;
        let machine = state.of_stream(stream)?;
        machine.usable()?;
        machine.inside(address, 1)?;
        machine.push(stream, Command::Free(address))
    }
    cuMemGetInfo_v2(free: Out<usize>, total: Out<usize>) |state| {
        let machine = state.current()?;
        machine.usable()?;
        let memory = &machine.memory;
        free.put((memory.capacity - memory.used) as usize).ok_or(NULL)?;
        total.put(memory.capacity as usize).ok_or(NULL)
    }
    cuMemsetD8Async(address: u64, value: u8, count: usize, stream: u64) |state| {
        state.of_stream(stream)?.inside(address, count)?;
        state.submit(stream, Command::Set { address, value, count })
    }
    cuMemcpyHtoDAsync_v2(address: u64, from: In<u8>, count: usize, stream: u64) |state| {
        state.of_stream(stream)?.inside(address, count)?;
        let bytes = from.bytes(count).ok_or(NULL)?.into();
        state.submit(stream, Command::Write { address, bytes })
    }
    cuMemcpyDtoDAsync_v2(to: u64, from: u64, count: usize, stream: u64) |state| {
        let machine = state.of_stream(stream)?;
        machine.inside(to, count)?;
        machine.inside(from, count)?;
        state.submit(stream, Command::Copy { to, from, count })
    }
    cuMemcpyDtoHAsync_v2(to: Out<u8>, address: u64, count: usize, stream: u64) |state| {
        state.not_capturing(stream)?;
        let machine = state.of_stream(stream)?;
        machine.drain()?;
        let bytes = machine.memory.host_read(address, count).ok_or(NULL)?;
        to.put_all(bytes).ok_or(NULL)
    }
}

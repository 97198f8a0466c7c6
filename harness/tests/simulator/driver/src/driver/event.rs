//! Events, on a clock of their own: it advances by what kernels execute, and stands still for everything else.

use std::ffi::c_uint;

use cudarc::driver::sys::{CUevent_flags_enum as Flags, CUresult};

use super::{NULL, call, export};
use crate::machine::{Command, Outcome};
use crate::pointer::Out;
use crate::state::{Object, State};

/// Milliseconds between two recorded events.
fn elapsed(state: &mut State, to: Out<f32>, start: u64, end: u64) -> Outcome<()> {
    let mut times = [0.0; 2];
    for (time, event) in times.iter_mut().zip([start, end]) {
        let (machine, timed) = state.of_event(event)?;
        machine.usable()?;
        if !timed {
            return Err(CUresult::CUDA_ERROR_INVALID_HANDLE);
        }
        if machine.pending(event) {
            return Err(CUresult::CUDA_ERROR_NOT_READY);
        }
        *time = *machine.recorded.get(&event).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)?;
    }
    to.put(((times[1] - times[0]) * 1e3) as f32).ok_or(NULL)
}

/// `cuEventElapsedTime` of cuda.h.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventElapsedTime(to: Out<f32>, start: u64, end: u64) -> CUresult {
    call("cuEventElapsedTime", |state| elapsed(state, to, start, end))
}

export! {
    cuEventElapsedTime_v2(to: Out<f32>, start: u64, end: u64) |state| {
        elapsed(state, to, start, end)
    }
    cuEventCreate(to: Out<u64>, flags: c_uint) |state| {
        let timed = flags & Flags::CU_EVENT_DISABLE_TIMING as c_uint == 0;
        let handle = state.add(Object::Event { timed })?;
        to.put(handle).ok_or(NULL)
    }
    cuEventRecord(event: u64, stream: u64) |state| {
        state.of_event(event)?;
        state.submit(stream, Command::Record(event))
    }
    cuEventSynchronize(event: u64) |state| {
        let (machine, _) = state.of_event(event)?;
        machine.usable()?;
        while machine.pending(event) {
            machine.step()?;
        }
        Ok(())
    }
    cuEventQuery(event: u64) |state| {
        let (machine, _) = state.of_event(event)?;
        machine.usable()?;
        if !machine.pending(event) {
            return Ok(());
        }
        // One who only asks must see the end come.
        machine.step()?;
        Err(CUresult::CUDA_ERROR_NOT_READY)
    }
    cuEventDestroy_v2(event: u64) |state| {
        let (machine, _) = state.of_event(event)?;
        machine.recorded.remove(&event);
        state.remove(event)
    }
}

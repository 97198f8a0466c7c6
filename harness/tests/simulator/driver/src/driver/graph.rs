//! Graphs: what a stream captured, done again.

use std::ffi::c_ulonglong;

use cudarc::driver::sys::CUresult;

use super::{NULL, export};
use crate::machine::{Command, Outcome};
use crate::pointer::Out;
use crate::state::{Object, State};

fn executable(state: &State, handle: u64) -> Outcome<Vec<Command>> {
    match state.object(handle)? {
        Object::Executable(commands) => Ok(commands.clone()),
        _ => Err(CUresult::CUDA_ERROR_INVALID_HANDLE),
    }
}

export! {
    cuGraphInstantiateWithFlags(to: Out<u64>, graph: u64, flags: c_ulonglong) |state| {
        if flags != 0 {
            return Err(CUresult::CUDA_ERROR_NOT_SUPPORTED);
        }
        let Object::Graph(commands) = state.object(graph)? else { return Err(CUresult::CUDA_ERROR_INVALID_HANDLE) };
        let handle = Object::Executable(commands.clone());
        let handle = state.add(handle)?;
        to.put(handle).ok_or(NULL)
    }
    cuGraphUpload(graph: u64, stream: u64) |state| {
        executable(state, graph)?;
        state.of_stream(stream)?.usable()
    }
    cuGraphLaunch(graph: u64, stream: u64) |state| {
        state.not_capturing(stream)?;
        for command in executable(state, graph)? {
            state.of_stream(stream)?.refusal()?;
            state.submit(stream, Command::Replay(Box::new(command)))?;
        }
        Ok(())
    }
    cuGraphExecDestroy(graph: u64) |state| {
        executable(state, graph)?;
        state.remove(graph)
    }
    cuGraphDestroy(graph: u64) |state| {
        match state.object(graph)? {
            Object::Graph(_) => state.remove(graph),
            _ => Err(CUresult::CUDA_ERROR_INVALID_HANDLE),
        }
    }
}

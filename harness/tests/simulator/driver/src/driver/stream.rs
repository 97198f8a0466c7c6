//! Streams.

use std::ffi::{c_int, c_uint};

use cudarc::driver::sys::{CUresult, CUstreamCaptureStatus_enum as Status};

use super::{NULL, export};
use crate::pointer::Out;
use crate::state::Object;

export! {
    cuStreamCreate(to: Out<u64>, flags: c_uint) |state| {
        if flags > 1 {
            return Err(CUresult::CUDA_ERROR_INVALID_VALUE);
        }
        let handle = state.add(Object::Stream)?;
        to.put(handle).ok_or(NULL)
    }
    cuStreamDestroy_v2(stream: u64) |state| {
        state.of_stream(stream)?;
        state.captures.remove(&stream);
        state.remove(stream)
    }
    cuStreamSynchronize(stream: u64) |state| {
        state.not_capturing(stream)?;
        state.of_stream(stream)?.drain()
    }
    cuStreamWaitEvent(stream: u64, event: u64, _flags: c_uint) |state| {
        // Commands are done in the order of their submission, so that what was recorded before is done before.
        state.of_event(event)?;
        state.of_stream(stream)?.usable()
    }
    cuStreamIsCapturing(stream: u64, to: Out<c_int>) |state| {
        state.of_stream(stream)?;
        let status = if state.captures.contains_key(&stream) {
            Status::CU_STREAM_CAPTURE_STATUS_ACTIVE
        } else {
            Status::CU_STREAM_CAPTURE_STATUS_NONE
        };
        to.put(status as c_int).ok_or(NULL)
    }
    cuStreamBeginCapture_v2(stream: u64, _mode: c_int) |state| {
        state.of_stream(stream)?.usable()?;
        if stream == 0 {
            return Err(CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        }
        state.not_capturing(stream).map_err(|_| CUresult::CUDA_ERROR_ILLEGAL_STATE)?;
        state.captures.insert(stream, Vec::new());
        Ok(())
    }
    cuStreamEndCapture(stream: u64, to: Out<u64>) |state| {
        let captured = state.captures.remove(&stream).ok_or(CUresult::CUDA_ERROR_ILLEGAL_STATE)?;
        let graph = state.add(Object::Graph(captured))?;
        to.put(graph).ok_or(NULL)
    }
}

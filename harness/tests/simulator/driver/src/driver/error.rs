//! Codes in words.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int};
use std::sync::{Mutex, OnceLock};

use cudarc::driver::sys::CUresult;

use crate::pointer::Out;

/// Codes that this library returns.
const CODES: [CUresult; 24] = [
    CUresult::CUDA_SUCCESS,
    CUresult::CUDA_ERROR_INVALID_VALUE,
    CUresult::CUDA_ERROR_OUT_OF_MEMORY,
    CUresult::CUDA_ERROR_NOT_INITIALIZED,
    CUresult::CUDA_ERROR_NO_DEVICE,
    CUresult::CUDA_ERROR_INVALID_DEVICE,
    CUresult::CUDA_ERROR_INVALID_CONTEXT,
    CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU,
    CUresult::CUDA_ERROR_INVALID_PTX,
    CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
    CUresult::CUDA_ERROR_INVALID_HANDLE,
    CUresult::CUDA_ERROR_ILLEGAL_STATE,
    CUresult::CUDA_ERROR_NOT_FOUND,
    CUresult::CUDA_ERROR_NOT_READY,
    CUresult::CUDA_ERROR_ILLEGAL_ADDRESS,
    CUresult::CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
    CUresult::CUDA_ERROR_ILLEGAL_INSTRUCTION,
    CUresult::CUDA_ERROR_MISALIGNED_ADDRESS,
    CUresult::CUDA_ERROR_LAUNCH_FAILED,
    CUresult::CUDA_ERROR_NOT_SUPPORTED,
    CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
    CUresult::CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
    CUresult::CUDA_ERROR_STREAM_CAPTURE_UNMATCHED,
    CUresult::CUDA_ERROR_UNKNOWN,
];

/// Texts live for ever, as those of the real library.
fn texts() -> &'static Mutex<BTreeMap<String, CString>> {
    static TEXTS: OnceLock<Mutex<BTreeMap<String, CString>>> = OnceLock::new();
    TEXTS.get_or_init(Mutex::default)
}

fn write(code: c_int, to: Out<*const c_char>, shown: impl Fn(CUresult) -> String) -> CUresult {
    let known = CODES.into_iter().find(|known| *known as c_int == code).map(shown);
    let (Some(text), Ok(mut texts)) = (known, texts().lock()) else {
        return CUresult::CUDA_ERROR_INVALID_VALUE;
    };
    let made = CString::new(text.clone()).unwrap_or_default();
    // The map is never emptied, and a CString's bytes do not move with it.
    let kept = texts.entry(text).or_insert(made).as_ptr();
    to.put(kept).map_or(CUresult::CUDA_ERROR_INVALID_VALUE, |()| CUresult::CUDA_SUCCESS)
}

/// `cuGetErrorName` of cuda.h.
#[unsafe(no_mangle)]
pub extern "C" fn cuGetErrorName(code: c_int, to: Out<*const c_char>) -> CUresult {
    write(code, to, |code| format!("{code:?}"))
}

/// `cuGetErrorString` of cuda.h: the name in small letters, for NVIDIA's words are NVIDIA's.
#[unsafe(no_mangle)]
pub extern "C" fn cuGetErrorString(code: c_int, to: Out<*const c_char>) -> CUresult {
    write(code, to, |code| {
        let name = format!("{code:?}");
        name.trim_start_matches("CUDA_ERROR_").replace('_', " ").to_lowercase()
    })
}

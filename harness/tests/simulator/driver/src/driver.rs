//! The exported functions of `libcuda`. What a function does and returns is what cuda.h documents; what is not
//! simulated returns `CUDA_ERROR_NOT_SUPPORTED` and is named on standard error.
#![expect(unsafe_code, reason = "exported names")]

mod device;
mod error;
mod event;
mod function;
mod graph;
mod memory;
mod stream;
mod tensor_map;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cudarc::driver::sys::CUresult;

use crate::machine::Outcome;
use crate::state::{State, state};

/// Says of the library that holds it that it is a stand-in for tests.
#[unsafe(no_mangle)]
pub static flopgauge_simulator: u32 = 1;

/// One call: locks the driver, and turns a result into a code. A panic is an unknown error, and never crosses to C.
pub(crate) fn call(name: &str, body: impl FnOnce(&mut State) -> Outcome<()>) -> CUresult {
    let run = || {
        let mut guard = state().lock().map_err(|_| CUresult::CUDA_ERROR_UNKNOWN)?;
        body(guard.as_mut().ok_or(CUresult::CUDA_ERROR_NOT_INITIALIZED)?)
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => CUresult::CUDA_SUCCESS,
        Ok(Err(CUresult::CUDA_ERROR_NOT_SUPPORTED)) => {
            crate::say(&format!("{name}: this use is not simulated"));
            CUresult::CUDA_ERROR_NOT_SUPPORTED
        }
        Ok(Err(code)) => code,
        Err(_) => CUresult::CUDA_ERROR_UNKNOWN,
    }
}

/// A pointer that is null where the documentation demands one.
pub(crate) const NULL: CUresult = CUresult::CUDA_ERROR_INVALID_VALUE;

/// Exports functions of the driver: name, arguments, and a body over the driver's state.
macro_rules! export {
    ($($name:ident($($argument:ident: $kind:ty),* $(,)?) |$state:pat_param| $body:block)*) => { $(
        #[doc = concat!("`", stringify!($name), "` of cuda.h.")]
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $kind),*) -> cudarc::driver::sys::CUresult {
            crate::driver::call(stringify!($name), |$state| $body)
        }
    )* };
}
pub(crate) use export;

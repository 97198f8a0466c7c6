//! The library: whether it is there and has every function that is called.
//!
//! cudarc panics on a missing library or function; nothing of it is called before this has looked.

use std::cell::RefCell;
use std::collections::HashMap;

use cudarc::cublaslt::{result, sys};

use super::plan::Chosen;
use crate::backend::cuda::libraries;
use crate::workload::{GemmShape, Layout};

/// Functions that are called.
const SYMBOLS: [&str; 13] = [
    "cublasLtGetVersion",
    "cublasLtCreate",
    "cublasLtDestroy",
    "cublasLtMatmulDescCreate",
    "cublasLtMatmulDescDestroy",
    "cublasLtMatmulDescSetAttribute",
    "cublasLtMatrixLayoutCreate",
    "cublasLtMatrixLayoutDestroy",
    "cublasLtMatmulPreferenceCreate",
    "cublasLtMatmulPreferenceDestroy",
    "cublasLtMatmulPreferenceSetAttribute",
    "cublasLtMatmulAlgoGetHeuristic",
    "cublasLtMatmul",
];

/// Variables by which the library computes fp32 or fp64 on other units than those asked for.
const OVERRIDES: [&str; 4] = [
    "NVIDIA_TF32_OVERRIDE",
    "CUBLAS_EMULATE_SINGLE_PRECISION",
    "CUBLAS_EMULATE_DOUBLE_PRECISION",
    "CUBLAS_EMULATION_STRATEGY",
];

/// What an algorithm was chosen for.
pub(super) type Key = (&'static str, GemmShape, Layout);

/// The opened library with its handle in the current context.
pub(in crate::backend::cuda) struct CublasLt {
    pub(super) handle: sys::cublasLtHandle_t,
    version: usize,
    names_algorithms: bool,
    /// Algorithms that were found the best, so that a case is checked with the one that it was timed with.
    pub(super) chosen: RefCell<HashMap<Key, Chosen>>,
}

impl CublasLt {
    /// The newest library that is not of a newer CUDA than the driver. A context must be current.
    ///
    /// Errors: why there is none, in words.
    #[expect(unsafe_code, reason = "looks into a library")]
    pub fn open(driver_major: u32) -> Result<Self, String> {
        libraries::cublaslt(driver_major)?;
        // SAFETY: opens and closes libraries of cuBLASLt's names; their initialisers have no preconditions.
        if !unsafe { sys::is_culib_present() } {
            return Err("cuBLASLt was found, and the loader does not give it by its name".to_owned());
        }
        if let Some(missing) = SYMBOLS.into_iter().find(|name| !has(name)) {
            return Err(format!("cuBLASLt lacks the function {missing}: it is too old, or not NVIDIA's"));
        }
        // SAFETY: the function is there and takes nothing.
        let version = unsafe { sys::cublasLtGetVersion() };
        let handle = result::create_handle()
            .map_err(|error| format!("cuBLASLt {} does not start: {:?}", shown(version), error.0))?;
        let names_algorithms = has("cublasLtMatmulAlgoConfigGetAttribute");
        Ok(Self { handle, version, names_algorithms, chosen: RefCell::default() })
    }

    /// Its version, as `13.1.0`.
    pub fn version(&self) -> String {
        shown(self.version)
    }

    /// Whether its algorithms can be asked for their configuration.
    pub(super) const fn names_algorithms(&self) -> bool {
        self.names_algorithms
    }

    /// Settings of the environment that change what the library computes.
    pub fn overrides() -> Vec<String> {
        let set =
            |name: &str| Some(format!("{name}={}", std::env::var(name).ok().filter(|v| !v.is_empty())?));
        OVERRIDES.into_iter().filter_map(set).collect()
    }
}

impl Drop for CublasLt {
    #[expect(unsafe_code, reason = "calls cuBLASLt")]
    fn drop(&mut self) {
        // SAFETY: the handle is this value's own and is not used after.
        let _ = unsafe { result::destroy_handle(self.handle) };
    }
}

#[expect(unsafe_code, reason = "looks into a library")]
fn has(name: &str) -> bool {
    // SAFETY: the library is there; the address is not called through.
    unsafe { sys::culib().get::<*const std::ffi::c_void>(name.as_bytes()) }.is_ok()
}

/// 130100 is 13.1.0, and 120903 is 12.9.3.
fn shown(version: usize) -> String {
    format!("{}.{}.{}", version / 10_000, version / 100 % 100, version % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_shown_as_nvidia_writes_them() {
        assert_eq!((shown(130_100), shown(120_903)), ("13.1.0".to_owned(), "12.9.3".to_owned()));
    }
}

//! The driver's library: whether it is there, has every function that is called, and is new enough.
//!
//! cudarc panics on a missing library or function; nothing of it is called before this has looked.

use std::ffi::{c_int, c_uint, c_void};
use std::sync::OnceLock;

use cudarc::driver::sys;

/// Oldest CUDA version of a driver, as the driver writes it.
const OLDEST: c_int = 12_000;

/// Functions that this backend or cudarc on its behalf calls, all of them.
const SYMBOLS: [&str; 47] = [
    "cuInit",
    "cuDriverGetVersion",
    "cuDeviceGetCount",
    "cuDeviceGet",
    "cuDeviceGetName",
    "cuDeviceGetUuid_v2",
    "cuDeviceTotalMem_v2",
    "cuDeviceGetAttribute",
    "cuDevicePrimaryCtxRetain",
    "cuDevicePrimaryCtxRelease_v2",
    "cuCtxGetCurrent",
    "cuCtxSetCurrent",
    "cuCtxSynchronize",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamSynchronize",
    "cuStreamWaitEvent",
    "cuStreamBeginCapture_v2",
    "cuStreamEndCapture",
    "cuStreamIsCapturing",
    "cuEventCreate",
    "cuEventRecord",
    "cuEventSynchronize",
    "cuEventQuery",
    "cuEventDestroy_v2",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemAllocAsync",
    "cuMemFreeAsync",
    "cuMemGetInfo_v2",
    "cuMemsetD8Async",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuModuleLoadData",
    "cuModuleGetFunction",
    "cuModuleUnload",
    "cuFuncGetAttribute",
    "cuFuncSetAttribute",
    "cuLaunchKernel",
    "cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuGraphUpload",
    "cuGraphExecDestroy",
    "cuGraphDestroy",
    "cuGetErrorName",
    "cuGetErrorString",
];

/// Time between two events; of two names the newer begins with drivers for CUDA 12.8.
type Elapsed = unsafe extern "C" fn(*mut f32, *mut c_void, *mut c_void) -> c_int;

/// A driver that can be used.
#[derive(Debug)]
pub(super) struct Driver {
    version: c_int,
    /// Whether the library says of itself that it is a stand-in for tests.
    pub simulated: bool,
    elapsed: Elapsed,
    /// Whether it makes tensor maps, which begins with CUDA 12.0.
    pub tensor_maps: bool,
}

/// The driver, or why there is none.
pub(super) fn driver() -> Result<&'static Driver, String> {
    static FOUND: OnceLock<Result<Driver, String>> = OnceLock::new();
    FOUND.get_or_init(look).as_ref().map_err(Clone::clone)
}

#[expect(unsafe_code, reason = "looks into a library")]
fn look() -> Result<Driver, String> {
    // SAFETY: opens and closes libraries of the driver's names; their initialisers have no preconditions.
    if !unsafe { sys::is_culib_present() } {
        return Err("there is no NVIDIA driver library (libcuda.so, libcuda.so.1)".to_owned());
    }
    let version = version()?;
    if version < OLDEST {
        return Err(format!(
            "the driver supports CUDA {} and flopgauge needs {} or newer; update the driver",
            shown(version),
            shown(OLDEST)
        ));
    }
    for name in SYMBOLS {
        symbol::<unsafe extern "C" fn() -> c_int>(name)?;
    }
    let elapsed = symbol::<Elapsed>("cuEventElapsedTime_v2").or_else(|_| symbol("cuEventElapsedTime"))?;
    let init: unsafe extern "C" fn(c_uint) -> c_int = symbol("cuInit")?;
    // SAFETY: takes its flags by value.
    let code = unsafe { init(0) };
    if code != 0 {
        return Err(format!("the driver does not start: {}", reason(code)));
    }
    let simulated = symbol::<*const c_void>("flopgauge_simulator").is_ok();
    let tensor_maps = symbol::<*const c_void>("cuTensorMapEncodeTiled").is_ok();
    Ok(Driver { version, simulated, elapsed, tensor_maps })
}

/// A function of the library that cudarc uses.
#[expect(unsafe_code, reason = "looks into a library")]
fn symbol<T: Copy>(name: &str) -> Result<T, String> {
    // SAFETY: the library is there, and its symbols have the types of cuda.h.
    let found = unsafe { sys::culib().get::<T>(name.as_bytes()) };
    found.map(|found| *found).map_err(|_| {
        format!("the driver library lacks the function {name}: it is too old, or not the driver's; update the driver")
    })
}

#[expect(unsafe_code, reason = "calls the driver")]
fn version() -> Result<c_int, String> {
    let ask: unsafe extern "C" fn(*mut c_int) -> c_int = symbol("cuDriverGetVersion")?;
    let mut version = 0;
    // SAFETY: writes one integer through a valid pointer.
    let code = unsafe { ask(&raw mut version) };
    if code == 0 {
        Ok(version)
    } else {
        Err(format!("the driver does not tell its version: {}", reason(code)))
    }
}

/// A code in words. Not through cudarc's enumeration, in which a code that it does not know must not stand.
fn reason(code: c_int) -> String {
    let known = match code {
        3 => "it is shutting down",
        34 => "this libcuda is the toolkit's stub, not the driver's; take its folder out of the library path",
        100 => "it sees no CUDA device (CUDA_VISIBLE_DEVICES, container options)",
        101 => "CUDA_VISIBLE_DEVICES names a device that is not there",
        802 => "the system is not ready: is the fabric manager running?",
        803 => "the driver's kernel module and its libraries are of different versions; reboot or reinstall",
        804 => {
            "a forward-compatibility library stands on a device that has none; take it out of the library path"
        }
        999 => "unknown error; see the kernel's log for Xid lines",
        _ => return format!("error {code}"),
    };
    format!("error {code}: {known}")
}

fn shown(version: c_int) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

impl Driver {
    /// CUDA version that it supports: major.
    pub fn major(&self) -> u32 {
        u32::try_from(self.version / 1000).unwrap_or(0)
    }

    /// CUDA version that it supports, as `12.8`.
    pub fn cuda(&self) -> String {
        shown(self.version)
    }

    /// Time between two events of which the second is complete, in milliseconds.
    ///
    /// Errors: the driver's code.
    #[expect(unsafe_code, reason = "calls the driver")]
    pub fn elapsed_ms(
        &self,
        start: &cudarc::driver::CudaEvent,
        end: &cudarc::driver::CudaEvent,
    ) -> Result<f32, String> {
        let mut ms = 0.0;
        // SAFETY: both events are live and were made with timing; the pointer is valid.
        let code = unsafe { (self.elapsed)(&raw mut ms, start.cu_event().cast(), end.cu_event().cast()) };
        if code == 0 { Ok(ms) } else { Err(format!("cuEventElapsedTime: {}", reason(code))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_driver_gets_a_reason() {
        match driver() {
            Ok(driver) => assert!(driver.major() >= 12),
            Err(reason) => assert!(reason.contains("driver"), "{reason}"),
        }
    }

    #[test]
    fn versions_are_shown_as_nvidia_writes_them() {
        assert_eq!((shown(12_080), shown(13_000)), ("12.8".to_owned(), "13.0".to_owned()));
    }
}

//! The exported functions of `libnvidia-ml`. Its devices stand in the reverse of CUDA's order, and all of them whatever
//! `CUDA_VISIBLE_DEVICES` says: who takes one index for the other reads the sensors of another device.
#![expect(unsafe_code, reason = "exported names")]

use std::ffi::{c_char, c_uint, c_ulonglong};
use std::sync::atomic::Ordering;

use nvml_wrapper_sys::bindings as sys;

use crate::configuration::{Device, Fault, Kind};
use crate::pointer::{In, Out, write_text};
use crate::state::{configured, progress};

type Code = sys::nvmlReturn_t;
type Outcome = Result<(), Code>;

const INVALID: Code = sys::nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT;
const UNSUPPORTED: Code = sys::nvmlReturn_enum_NVML_ERROR_NOT_SUPPORTED;
const MISSING: Code = sys::nvmlReturn_enum_NVML_ERROR_NOT_FOUND;

/// First handle: that of the device at index n is this and n. Not CUDA's ordinals.
const HANDLES: usize = 0x4e00;

/// Devices in NVML's order.
fn devices() -> Vec<&'static Device> {
    let all = configured().as_ref().map(|found| found.devices.as_slice()).unwrap_or_default();
    all.iter().rev().filter(|device| device.sensors.present).collect()
}

/// A device and the number of launches of this process on it.
struct Seen {
    device: &'static Device,
    launches: u64,
}

impl Seen {
    fn of(handle: usize) -> Result<Self, Code> {
        let index = handle.checked_sub(HANDLES).ok_or(INVALID)?;
        let device = *devices().get(index).ok_or(INVALID)?;
        let shared = progress().lock().map_err(|_| INVALID)?;
        let Some(progress) = shared.get(&device.uuid) else { return Ok(Self { device, launches: 0 }) };
        if progress.lost.load(Ordering::Relaxed) {
            return Err(sys::nvmlReturn_enum_NVML_ERROR_GPU_IS_LOST);
        }
        Ok(Self { device, launches: progress.launches.load(Ordering::Relaxed) })
    }

    /// The same, of a device whose clock and sensors it has to itself: an instance of a partitioned one has not.
    fn whole(handle: usize) -> Result<Self, Code> {
        let seen = Self::of(handle)?;
        if seen.device.mig { Err(UNSUPPORTED) } else { Ok(seen) }
    }

    fn faults(&self, kind: Kind) -> impl Iterator<Item = &'static Fault> {
        self.device.faults.iter().filter(move |fault| fault.kind == kind)
    }

    fn throttle(&self) -> u64 {
        let held = self.faults(Kind::Throttle).filter(|fault| fault.holds(self.launches));
        held.fold(self.device.sensors.throttle, |bits, fault| bits | fault.value.unwrap_or(0))
    }

    /// What faults of a kind have counted up to now.
    fn since(&self, kind: Kind) -> u64 {
        let come = self.faults(kind).filter(|fault| fault.from <= self.launches);
        come.map(|fault| fault.value.unwrap_or(1)).sum()
    }

    /// Clock of the multiprocessors: two thirds of the highest where something holds it down.
    fn clock(&self) -> u32 {
        let highest = self.device.clock_mhz;
        if self.throttle() == 0 { highest } else { highest / 3 * 2 }
    }
}

fn code(name: &str, result: Outcome) -> Code {
    match result {
        Ok(()) => sys::nvmlReturn_enum_NVML_SUCCESS,
        Err(code) => {
            if code == INVALID {
                crate::say(&format!("{name}: invalid argument"));
            }
            code
        }
    }
}

macro_rules! export {
    ($($name:ident($($argument:ident: $kind:ty),* $(,)?) $body:block)*) => { $(
        #[doc = concat!("`", stringify!($name), "` of nvml.h.")]
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $kind),*) -> Code {
            let run = || -> Outcome { $body };
            code(stringify!($name), run())
        }
    )* };
}

export! {
    nvmlInit_v2() { configured().as_ref().map(|_| ()).map_err(|_| UNSUPPORTED) }
    nvmlInitWithFlags(_flags: c_uint) { configured().as_ref().map(|_| ()).map_err(|_| UNSUPPORTED) }
    nvmlShutdown() { Ok(()) }
    nvmlSystemGetDriverVersion(to: Out<u8>, room: c_uint) {
        let found = configured().as_ref().map_err(|_| UNSUPPORTED)?;
        write_text(to, room as usize, &found.driver).ok_or(INVALID)
    }
    nvmlDeviceGetCount_v2(to: Out<c_uint>) { to.put(devices().len() as c_uint).ok_or(INVALID) }
    nvmlDeviceGetHandleByIndex_v2(index: c_uint, to: Out<usize>) {
        let handle = HANDLES + index as usize;
        Seen::of(handle)?;
        to.put(handle).ok_or(INVALID)
    }
    nvmlDeviceGetHandleByUUID(uuid: In<u8>, to: Out<usize>) {
        let wanted = uuid.text().ok_or(INVALID)?;
        let named = |device: &&Device| name_of(device) == wanted;
        let index = devices().iter().position(named).ok_or(MISSING)?;
        to.put(HANDLES + index).ok_or(INVALID)
    }
    nvmlDeviceGetName(device: usize, to: Out<u8>, room: c_uint) {
        write_text(to, room as usize, &Seen::of(device)?.device.name).ok_or(INVALID)
    }
    nvmlDeviceGetUUID(device: usize, to: Out<u8>, room: c_uint) {
        write_text(to, room as usize, &name_of(Seen::of(device)?.device)).ok_or(INVALID)
    }
    nvmlDeviceGetClockInfo(device: usize, which: c_uint, to: Out<c_uint>) {
        let seen = Seen::whole(device)?;
        to.put(clock(which, seen.clock(), seen.device.memory_clock_mhz)?).ok_or(INVALID)
    }
    nvmlDeviceGetMaxClockInfo(device: usize, which: c_uint, to: Out<c_uint>) {
        let seen = Seen::whole(device)?;
        to.put(clock(which, seen.device.clock_mhz, seen.device.memory_clock_mhz)?).ok_or(INVALID)
    }
    nvmlDeviceGetPowerUsage(device: usize, to: Out<c_uint>) {
        to.put(Seen::whole(device)?.device.sensors.power_w * 1000).ok_or(INVALID)
    }
    nvmlDeviceGetEnforcedPowerLimit(device: usize, to: Out<c_uint>) {
        to.put(Seen::whole(device)?.device.sensors.power_limit_w * 1000).ok_or(INVALID)
    }
    nvmlDeviceGetTemperature(device: usize, which: c_uint, to: Out<c_uint>) {
        if which != sys::nvmlTemperatureSensors_enum_NVML_TEMPERATURE_GPU {
            return Err(INVALID);
        }
        to.put(Seen::whole(device)?.device.sensors.temperature_c).ok_or(INVALID)
    }
    nvmlDeviceGetCurrentClocksThrottleReasons(device: usize, to: Out<c_ulonglong>) {
        to.put(Seen::whole(device)?.throttle()).ok_or(INVALID)
    }
    nvmlDeviceGetCurrentClocksEventReasons(device: usize, to: Out<c_ulonglong>) {
        to.put(Seen::whole(device)?.throttle()).ok_or(INVALID)
    }
    nvmlDeviceGetTotalEccErrors(device: usize, kind: c_uint, _counter: c_uint, to: Out<c_ulonglong>) {
        let seen = Seen::whole(device)?;
        if !seen.device.sensors.ecc {
            return Err(UNSUPPORTED);
        }
        let uncorrected = kind == sys::nvmlMemoryErrorType_enum_NVML_MEMORY_ERROR_TYPE_UNCORRECTED;
        to.put(if uncorrected { seen.since(Kind::Ecc) } else { 0 }).ok_or(INVALID)
    }
    nvmlDeviceGetEccMode(device: usize, current: Out<c_uint>, pending: Out<c_uint>) {
        let on = c_uint::from(Seen::whole(device)?.device.sensors.ecc);
        current.put(on).ok_or(INVALID)?;
        pending.put(on).ok_or(INVALID)
    }
    nvmlDeviceGetRemappedRows(
        device: usize, corrected: Out<c_uint>, uncorrected: Out<c_uint>, pending: Out<c_uint>, failed: Out<c_uint>
    ) {
        let seen = Seen::whole(device)?;
        let rows = seen.device.sensors.remapped_rows + seen.since(Kind::Remap) as c_uint;
        let words = [(corrected, 0), (uncorrected, rows), (pending, 0), (failed, 0)];
        words.into_iter().try_for_each(|(to, value)| to.put(value)).ok_or(INVALID)
    }
    nvmlDeviceGetComputeRunningProcesses_v3(
        device: usize, count: Out<c_uint>, to: Out<sys::nvmlProcessInfo_t>
    ) {
        let seen = Seen::whole(device)?;
        // No process has these numbers where numbers of processes end at 2^22.
        let others = (1..).map(|back| u32::MAX - back).zip(seen.device.sensors.foreign_processes.iter().copied());
        // A process is listed from its first work on, unless it is beyond the wall of a container.
        let own = (seen.launches > 0 && !seen.device.sensors.walled).then(|| (std::process::id(), 1 << 20));
        let none = c_uint::MAX;
        let row = |(pid, memory)| sys::nvmlProcessInfo_t {
            pid,
            usedGpuMemory: memory,
            gpuInstanceId: none,
            computeInstanceId: none,
        };
        let rows: Vec<_> = own.into_iter().chain(others).map(row).collect();
        let room = count.get().ok_or(INVALID)? as usize;
        count.put(rows.len() as c_uint).ok_or(INVALID)?;
        if room < rows.len() {
            return Err(sys::nvmlReturn_enum_NVML_ERROR_INSUFFICIENT_SIZE);
        }
        if rows.is_empty() { Ok(()) } else { to.put_all(&rows).ok_or(INVALID) }
    }
    nvmlDeviceGetMigMode(device: usize, current: Out<c_uint>, pending: Out<c_uint>) {
        let on = c_uint::from(Seen::whole(device)?.device.sensors.partitioned);
        current.put(on).ok_or(INVALID)?;
        pending.put(on).ok_or(INVALID)
    }
    nvmlDeviceGetPersistenceMode(device: usize, to: Out<c_uint>) {
        to.put(c_uint::from(Seen::whole(device)?.device.sensors.persistence)).ok_or(INVALID)
    }
    nvmlDeviceGetVbiosVersion(device: usize, to: Out<u8>, room: c_uint) {
        write_text(to, room as usize, &Seen::whole(device)?.device.sensors.vbios).ok_or(INVALID)
    }
}

/// `nvmlErrorString` of nvml.h.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlErrorString(code: Code) -> *const c_char {
    let text = match code {
        sys::nvmlReturn_enum_NVML_SUCCESS => c"success",
        UNSUPPORTED => c"not supported",
        MISSING => c"not found",
        INVALID => c"invalid argument",
        sys::nvmlReturn_enum_NVML_ERROR_GPU_IS_LOST => c"the device is lost",
        _ => c"another error",
    };
    text.as_ptr()
}

fn name_of(device: &Device) -> String {
    let prefix = if device.mig { "MIG" } else { "GPU" };
    format!("{prefix}-{}", device.uuid.hyphenated())
}

fn clock(which: c_uint, core: u32, memory: u32) -> Result<c_uint, Code> {
    match which {
        sys::nvmlClockType_enum_NVML_CLOCK_SM => Ok(core),
        sys::nvmlClockType_enum_NVML_CLOCK_MEM => Ok(memory),
        _ => Err(UNSUPPORTED),
    }
}

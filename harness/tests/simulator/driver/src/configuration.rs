//! The devices of a simulation, and what goes wrong on them: a TOML file that `FLOPGAUGE_SIMULATED_DEVICES` names.

use serde::Deserialize;
use uuid::Uuid;

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Configuration {
    /// CUDA version that the driver supports: `13.5`.
    #[serde(default = "default_cuda")]
    pub cuda: String,
    /// Version of the driver itself, as NVML tells it.
    #[serde(default = "default_driver")]
    pub driver: String,
    /// Devices in CUDA's order; NVML's is the reverse.
    #[serde(default, rename = "device")]
    pub devices: Vec<Device>,
}

fn default_cuda() -> String {
    "13.5".to_owned()
}

fn default_driver() -> String {
    "0.0.simulated".to_owned()
}

/// One device.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Device {
    /// Model.
    pub name: String,
    /// UUID, of the instance where `mig` is set.
    pub uuid: Uuid,
    /// Compute capability: `9.0`.
    pub capability: String,
    /// Multiprocessors.
    pub multiprocessors: u32,
    /// Highest clock.
    pub clock_mhz: u32,
    /// Clock of the memory.
    pub memory_clock_mhz: u32,
    /// Memory.
    pub memory_mib: u64,
    /// L2 cache.
    pub cache_kib: u32,
    /// Multiplications and additions a second of simulated time.
    pub operations_per_s: f64,
    /// Instructions of threads a second of simulated time, for kernels that do little arithmetic.
    pub instructions_per_s: f64,
    /// Most blocks of a multiprocessor, where registers would leave room for fewer than the other limits.
    pub blocks_per_multiprocessor: Option<u32>,
    /// Whether it is an instance of a partitioned device.
    #[serde(default)]
    pub mig: bool,
    /// Whether cuMemAllocAsync is supported.
    #[serde(default = "yes")]
    pub memory_pools: bool,
    /// What NVML reads.
    #[serde(default)]
    pub sensors: Sensors,
    /// What goes wrong.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
}

const fn yes() -> bool {
    true
}

/// What NVML reads while nothing is wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Sensors {
    /// Degrees Celsius.
    pub temperature_c: u32,
    /// Watts.
    pub power_w: u32,
    /// Watts.
    pub power_limit_w: u32,
    /// Whether memory has error correction.
    pub ecc: bool,
    /// Bits of the throttle reasons.
    pub throttle: u64,
    /// Pretended other processes on the device, and the memory of each.
    pub foreign_processes: Vec<u64>,
    /// Whether NVML knows the device at all.
    pub present: bool,
    /// Whether the list of processes lacks this one, as across the wall of a container.
    pub walled: bool,
    /// Whether the device is divided into instances, none of which this is.
    pub partitioned: bool,
    /// Whether the driver stays loaded without a process.
    pub persistence: bool,
    /// Version of the device's firmware.
    pub vbios: String,
    /// Rows of memory that were remapped before.
    pub remapped_rows: u32,
}

impl Default for Sensors {
    fn default() -> Self {
        Self {
            temperature_c: 40,
            power_w: 100,
            power_limit_w: 300,
            ecc: true,
            throttle: 0,
            foreign_processes: Vec::new(),
            present: true,
            walled: false,
            partitioned: false,
            persistence: true,
            vbios: "simulated".to_owned(),
            remapped_rows: 0,
        }
    }
}

/// A fault, which befalls the launches `from` to `to` of one process on the device: that one alone where `to` is not
/// said, all from it on where `onwards` is set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Fault {
    /// What happens.
    pub kind: Kind,
    /// First launch, or allocation where the fault is of memory, counted from 1.
    pub from: u64,
    /// Last one.
    pub to: Option<u64>,
    /// Whether there is no last one.
    #[serde(default)]
    pub onwards: bool,
    /// Throttle bits, or memory errors or rows added.
    pub value: Option<u64>,
    /// How much longer a throttled launch takes.
    pub slowdown: Option<f64>,
}

impl Fault {
    /// Whether it befalls this launch.
    pub fn holds(&self, launch: u64) -> bool {
        let last = if self.onwards { u64::MAX } else { self.to.unwrap_or(self.from) };
        (self.from..=last).contains(&launch)
    }
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// An allocation finds no memory.
    OutOfMemory,
    /// The launch is refused at once: too many resources.
    LaunchRefused,
    /// The kernel fails; the context is lost.
    LaunchFailed,
    /// The kernel accesses memory that is none; the context is lost.
    IllegalAddress,
    /// The kernel never ends.
    Hang,
    /// The device answers no more.
    Lost,
    /// One bit of the first parameter's memory is turned after the kernel.
    FlippedBit,
    /// The first word of the first parameter's memory is a NaN after the kernel.
    Nan,
    /// Uncorrected memory errors are counted.
    Ecc,
    /// Rows of memory are remapped.
    Remap,
    /// A reason to hold the clock down is told, and launches take longer.
    Throttle,
}

/// Reads the file that the environment names.
///
/// Errors: what is wrong with it, with its place.
pub(crate) fn read() -> Result<Configuration, String> {
    let variable = "FLOPGAUGE_SIMULATED_DEVICES";
    let path = std::env::var_os(variable).ok_or_else(|| format!("{variable} names no file"))?;
    let shown = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
    let found: Configuration = toml::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
    for device in &found.devices {
        capability(&device.capability)
            .ok_or_else(|| format!("{shown}: capability '{}' is not MAJOR.MINOR", device.capability))?;
        let never =
            |fault: &&Fault| fault.to.is_some_and(|to| fault.onwards || to < fault.from) || fault.from == 0;
        if let Some(fault) = device.faults.iter().find(never) {
            return Err(format!("{shown}: {}: a fault from {} to {:?}", device.name, fault.from, fault.to));
        }
        let rates = [device.operations_per_s, device.instructions_per_s];
        if !rates.iter().all(|rate| rate.is_finite() && *rate > 0.0) {
            return Err(format!("{shown}: {}: rates must be above zero", device.name));
        }
    }
    version(&found.cuda).ok_or_else(|| format!("{shown}: cuda '{}' is not MAJOR.MINOR", found.cuda))?;
    Ok(found)
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A compute capability as major and minor.
pub(crate) fn capability(text: &str) -> Option<(u32, u32)> {
    pair(text)
}

/// A CUDA version as the driver writes it: 13.5 is 13050.
pub(crate) fn version(text: &str) -> Option<i32> {
    let (major, minor) = pair(text)?;
    i32::try_from(major * 1000 + minor * 10).ok()
}

/// The devices that `CUDA_VISIBLE_DEVICES` lets a process see, in its order: indices, or beginnings of UUIDs, up to
/// the first that is none.
///
/// Errors: a list whose treatment is not documented.
pub(crate) fn visible(devices: &[Device], list: Option<&str>) -> Result<Vec<usize>, String> {
    let Some(list) = list else { return Ok((0..devices.len()).collect()) };
    let mut seen = Vec::new();
    for word in list.split(',').map(str::trim) {
        let named = |device: &Device| {
            let prefix = if device.mig { "MIG" } else { "GPU" };
            word.len() > 4 && format!("{prefix}-{}", device.uuid.hyphenated()).starts_with(word)
        };
        let index = word.parse::<usize>().ok().filter(|index| *index < devices.len());
        let Some(index) = index.or_else(|| devices.iter().position(named)) else { break };
        if seen.contains(&index) {
            return Err(format!(
                "CUDA_VISIBLE_DEVICES={list}: what a driver does with a repeated device is not simulated"
            ));
        }
        seen.push(index);
    }
    Ok(seen)
}

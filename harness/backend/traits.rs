//! The backend interface, whole: one device, and one case made ready on it.

use serde::{Deserialize, Serialize};

use super::{BackendError, LoadError};
use crate::device::{Device, Finding, Unit};
use crate::precision::{Accumulate, Precision};
use crate::units::{Bytes, Celsius, Hertz, Ops, Seconds, Watts};
use crate::workload::{BufferSize, Case, Elements, GemmShape, Method};

/// What the user fixes before a device is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenOptions {
    /// Threads of the CPU backend; without it, every core that may be used.
    pub threads: Option<usize>,
}

/// One way of computing one precision; a row of the backend's table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Implementation {
    /// Name, part of a case's identity.
    pub name: String,
    /// How it obtains a rate.
    pub method: Method,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Units that perform it.
    pub unit: Unit,
    /// Whether the device has units for this format; otherwise the row is `emulated` and has no theoretical peak.
    pub native: bool,
    /// Version and settings that a reader needs to repeat it.
    pub detail: String,
    /// Extents that are measured where the user names none.
    pub shape: Option<GemmShape>,
    /// Size of each buffer of a copy where the user names none; beyond every cache, where the memory allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_bytes: Option<BufferSize>,
    /// Length of one sample: long enough for the timer, short enough to stay clean.
    pub sample_s: Seconds,
}

/// Which clock timed a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Timer {
    /// The host's monotonic clock around a blocking run.
    HostClock,
    /// Events or timestamps of the device itself.
    DeviceEvents,
    /// A test's script.
    Script,
}

/// State of the device while a batch ran. A sensor that is not there is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Core clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_hz: Option<Hertz>,
    /// Memory clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_clock_hz: Option<Hertz>,
    /// Power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<Watts>,
    /// Temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<Celsius>,
    /// Throttle reasons as the driver's bit mask; zero is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<u64>,
    /// Other processes that use the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_processes: Option<u64>,
    /// Memory of the device that they hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_memory_bytes: Option<Bytes>,
}

/// What came between a batch and the cores it ran on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interference {
    /// Times that a thread of the batch was taken off its core against its will.
    pub involuntary_switches: u64,
    /// Time that the one thread of the batch really computed; `None` for several threads, whose waiting spins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_s: Option<Seconds>,
    /// Time that threads of the batch were ready to run and had to wait for a core; `None` where nobody counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_s: Option<Seconds>,
    /// Periods in which a quota stopped the whole group.
    pub quota_throttled: u64,
}

/// Least share of a clean single-thread batch that is spent computing.
///
/// Of 160 us samples beside a spinning competitor, those above 0.99 without a switch read 102.5 to 103.7 where the
/// quiet machine reads 103.7; those below read down to half.
const CLEAN_SHARE: f64 = 0.99;

impl Interference {
    /// Whether nothing came between that could move the rate by a per cent.
    ///
    /// A switch that cost next to no waiting, as a kernel thread of some microseconds in a product of 100 ms, does
    /// not count.
    pub fn is_clean(&self, elapsed: Seconds) -> bool {
        let computing = self.cpu_s.is_none_or(|cpu| cpu.get() > CLEAN_SHARE * elapsed.get());
        let short = self.waiting_s.is_some_and(|wait| wait.get() < (1.0 - CLEAN_SHARE) * elapsed.get());
        (self.involuntary_switches == 0 || short) && self.quota_throttled == 0 && computing
    }
}

/// One timed run of a number of iterations, back to back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batch {
    /// Time that the iterations took.
    pub elapsed: Seconds,
    /// Clock that timed them.
    pub timer: Timer,
    /// State of the device; `None` between two readings, which are at most ten a second.
    pub conditions: Option<Conditions>,
    /// What came between; `None` where the device is not shared with the host's scheduler.
    pub interference: Option<Interference>,
}

/// What a run left behind.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// C of a product, row-major.
    Matrix(Elements),
    /// Accumulators of an issue-rate kernel, and what each must be after the steps of the last run.
    Accumulators {
        /// As the kernel left them.
        values: Vec<f64>,
        /// As a scalar replay of the counted steps leaves them.
        expected: Vec<f64>,
        /// Steps that each accumulator took in the last run.
        steps: u64,
    },
    /// Destination of a copy, whole.
    Copied(Vec<u8>),
}

/// Memory that consecutive iterations go through, and the cache that could hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkingSet {
    /// Operands and results, all sets together.
    pub bytes: Bytes,
    /// Last-level cache, as the platform tells it.
    pub cache_bytes: Bytes,
}

impl WorkingSet {
    /// Whether no operand can still be in the cache from the iteration that used it before.
    pub const fn exceeds_cache(&self) -> bool {
        self.bytes.get() > self.cache_bytes.get().saturating_mul(2)
    }

    /// Whether a copy through it measures memory, and no cache.
    pub const fn is_memory(&self) -> bool {
        self.bytes.get() > self.cache_bytes.get().saturating_mul(BufferSize::CACHES)
    }
}

/// One device of one backend.
pub trait Backend {
    /// Who computes.
    fn device(&self) -> &Device;

    /// What it can compute, and how.
    fn implementations(&self) -> &[Implementation];

    /// Compiles, uploads and poisons the output; runs once, so that nothing of this is timed later.
    fn load(&mut self, case: &Case) -> Result<Box<dyn Loaded + '_>, LoadError>;

    /// Why there is no implementation of a format, where more is known than that.
    fn absence(&self, _precision: Precision, _method: Method) -> Option<String> {
        None
    }

    /// Hash of the sources of its kernels, where a choice between them may be kept for the next run.
    fn sources(&self) -> Option<String> {
        None
    }

    /// The error after which this process can use the device no more.
    fn lost(&self) -> Option<String> {
        None
    }

    /// What happened to the device since the last time that this was asked.
    fn findings(&mut self) -> Vec<Finding> {
        Vec::new()
    }
}

/// One case, ready to run. Blocking: when a call returns, the device is idle.
pub trait Loaded {
    /// Operations of one iteration, from the same row that the kernel's constants come from; zero for a copy.
    fn ops_per_iteration(&self) -> Ops;

    /// Bytes that one iteration of a copy reads plus those that it writes; `None` for what computes.
    fn bytes_per_iteration(&self) -> Option<Bytes> {
        None
    }

    /// Makes a copy ready to be checked: [`crate::workload::copy_pattern`] of `seed` into the source,
    /// [`crate::workload::copy_poison`] of it into the destination. Nothing to do for what computes.
    fn fill(&mut self, _seed: u64) -> Result<(), BackendError> {
        Ok(())
    }

    /// Memory that consecutive iterations go through; `None` for none, or where the cache is not known.
    fn working_set(&self) -> Option<WorkingSet> {
        None
    }

    /// Runs `iterations` back to back.
    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError>;

    /// What the last run left behind.
    fn output(&mut self) -> Result<Output, BackendError>;

    /// What the backend itself has to say of the runs so far, as clocks that disagree.
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}

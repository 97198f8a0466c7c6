//! The CPU as a device: who it is, what it may use, and what it could do at most.

use uuid::Uuid;

use super::blas;
use super::copy_case::CopyCase;
use super::error::CpuError;
use super::gemm::Gemm;
use super::gemm_case::{GemmCase, Others};
use super::identity::Identity;
use super::isa::Isa;
use super::issue::{IssueKernel, LoadedClock, kernels};
use super::issue_case::IssueCase;
use super::library::CratePool;
use super::rows::{self, Engine, Row};
use super::throughput::{self, Throughput};
use super::topology::{
    CpuQuota, UsableCores, cache_sizes, host_settings, last_level_caches, quota, usable_cores,
};
use crate::backend::{Backend, Implementation, LoadError, Loaded, OpenOptions};
use crate::device::{ClockBasis, Device, DeviceKind, Provenance, TheoreticalPeak, Unit};
use crate::precision::{Accumulate, Precision};
use crate::units::{Bytes, ExactOpRate, Hertz};
use crate::workload::{Case, Work};

/// The processors of this machine that this process may use, as one device.
pub struct CpuBackend {
    device: Device,
    engine: Gemm,
    others: Others,
    rows: Vec<Row>,
    implementations: Vec<Implementation>,
    /// Last-level cache, for the rotation of operands.
    cache: Option<Bytes>,
    /// Last-level caches of all cores together, for copies.
    all_caches: Option<Bytes>,
}

impl CpuBackend {
    /// What the CPU is, without starting a thread or opening a library.
    ///
    /// **Errors**: a number of threads that cannot be had, or a platform that does not tell its cores.
    pub fn probe(options: OpenOptions) -> Result<Device, CpuError> {
        let cores = usable_cores(options.threads)?;
        let identity = Identity::read();
        let table = throughput::lookup(&throughput::built_in()?, &identity);
        let first = cores.logical.first().copied();
        let pinned = super::pin::Pinned::to(first);
        let peaks = peaks(&table, cores.physical);
        let clock = super::clock::clock_now().ok().map(|reading| reading.clock);
        drop(pinned);
        let model = identity.brand.clone().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        Ok(Device {
            id: "cpu:0".to_owned(),
            uuid: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}:cpu:0:{model}", machine()).as_bytes()),
            model,
            backend: "cpu".to_owned(),
            kind: DeviceKind::Hardware,
            architecture: table.core.clone(),
            units: u32::try_from(cores.physical).ok(),
            reported_clock_hz: None,
            memory_bytes: memory(),
            driver: None,
            pci_id: None,
            peaks,
            notes: notes(&table, &cores, clock),
        })
    }

    /// Opens it: starts one thread a core and looks for libraries.
    ///
    /// **Errors**: those of [`Self::probe`]; threads that the system does not give.
    pub fn open(options: OpenOptions) -> Result<Self, CpuError> {
        let mut device = Self::probe(options)?;
        let cores = usable_cores(options.threads)?;
        let started = |error: std::io::Error| CpuError::NoWorker { core: 0, reason: error.to_string() };
        let engine = Gemm::new(&cores.logical).map_err(started)?;
        let (libraries, absent) = blas::open_all(&cores.logical);
        device.notes.extend(libraries.iter().map(|l| format!("{} from {}: {}", l.name, l.file, l.version)));
        device.notes.extend(absent.into_iter().map(|reason| format!("absent library: {reason}")));
        let all_caches = last_level_caches(&cores.logical);
        let rows = rows::rows(&libraries, cores.logical.len(), all_caches);
        let implementations = rows.iter().map(|row| row.implementation.clone()).collect();
        let caches = cache_sizes(cores.logical.first().copied().unwrap_or(0));
        let cache = caches.l3_bytes.or(caches.l2_bytes).map(Bytes::new);
        let pool = CratePool::new(&cores.logical)?;
        let others = Others { pool, libraries, first: cores.logical.first().copied() };
        Ok(Self { device, engine, others, rows, implementations, cache, all_caches })
    }
}

impl Backend for CpuBackend {
    fn device(&self) -> &Device {
        &self.device
    }

    fn implementations(&self) -> &[Implementation] {
        &self.implementations
    }

    fn load(&mut self, case: &Case) -> Result<Box<dyn Loaded + '_>, LoadError> {
        let fits = |row: &&Row| {
            let known = &row.implementation;
            known.name == case.implementation
                && known.precision == case.precision
                && known.method == case.work.method()
        };
        let unknown = || LoadError::Unsupported { reason: format!("cpu:0 has no {}", case.implementation) };
        let row = self.rows.iter().find(fits).ok_or_else(unknown)?;
        let device = self.device.id.as_str();
        match (&row.engine, &case.work) {
            (Engine::Issue(kernel), Work::Issue) => {
                Ok(Box::new(IssueCase::new(device, self.engine.team(), *kernel)))
            }
            (Engine::Copy(kernel), Work::Copy { buffer_bytes }) => {
                let team = self.engine.team();
                Ok(Box::new(CopyCase::load(device, team, (*kernel, *buffer_bytes), self.all_caches)?))
            }
            (engine, Work::Gemm { .. }) => {
                let parts = (&mut self.engine, &self.others);
                Ok(Box::new(GemmCase::load(device, parts, engine, case, self.cache)?))
            }
            (_, Work::Issue | Work::Copy { .. }) => Err(unknown()),
        }
    }
}

/// Peaks of every format and kind of unit that the table and this process have, at the clock under that load.
fn peaks(table: &Throughput, cores: usize) -> Vec<TheoreticalPeak> {
    let mut peaks: Vec<TheoreticalPeak> = Vec::new();
    for kernel in kernels().iter().filter(|kernel| kernel.native && kernel.available()) {
        let unit = unit_of(kernel.isa);
        let known = |peak: &TheoreticalPeak| {
            (peak.precision, peak.accumulate, peak.unit) == (kernel.precision, kernel.accumulate, unit)
        };
        let best = table.peak(kernel.precision, |isa| isa.available() && unit_of(isa) == unit);
        // The row of the instruction set that the peak is for also tells the clock that this set runs at.
        let Some(rate) = best.filter(|rate| rate.isa == kernel.isa) else { continue };
        if peaks.iter().any(known) || rate.evidence.is_circular() {
            continue;
        }
        let Some(clock) = loaded_clock(kernel) else { continue };
        peaks.extend(peak(kernel, unit, rate, (cores, clock)));
    }
    peaks
}

fn peak(
    kernel: &IssueKernel,
    unit: Unit,
    rate: &throughput::Rate,
    (cores, clock): (usize, Hertz),
) -> Option<TheoreticalPeak> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a clock below 2^53 Hz")]
    let clock_hz = clock.get().round() as u64;
    let ops_per_clock = u64::from(rate.op_per_cycle);
    let units = u32::try_from(cores).ok()?;
    let total = u128::from(units) * u128::from(ops_per_clock) * u128::from(clock_hz);
    Some(TheoreticalPeak {
        precision: kernel.precision,
        accumulate: kernel.accumulate,
        unit,
        rate_op_per_s: ExactOpRate::new(total),
        clock_basis: ClockBasis::Observed,
        provenance: Provenance::Derived {
            units,
            ops_per_clock,
            clock_hz,
            source: rate.source.clone().unwrap_or_else(|| "recalled".to_owned()),
            evidence: rate.evidence.into(),
        },
        note: None,
    })
}

fn loaded_clock(kernel: &IssueKernel) -> Option<Hertz> {
    let reading = LoadedClock::of(kernel).and_then(|mut clock| clock.read_past_ticks());
    reading.ok().map(|reading| reading.clock)
}

/// Tiles are matrix units; everything else is SIMD.
pub(super) const fn unit_of(isa: Isa) -> Unit {
    match isa {
        Isa::AmxInt8 | Isa::AmxBf16 => Unit::Matrix,
        _ => Unit::Vector,
    }
}

fn notes(table: &Throughput, cores: &UsableCores, clock: Option<Hertz>) -> Vec<String> {
    let mut notes = vec![format!("operations per cycle: {}", table.basis)];
    let list: Vec<String> = cores.logical.iter().map(usize::to_string).collect();
    notes.push(format!("one thread pinned to each of the cores {}", list.join(",")));
    if cores.physical < cores.logical.len() {
        notes.push(format!("these share the arithmetic units of {} physical cores", cores.physical));
    }
    if let Some(clock) = clock {
        notes.push(format!("clock by a chain of dependent adds, scalar load: {clock}"));
    }
    if let Some(CpuQuota::Cores(share)) = quota() {
        notes.push(format!(
            "a control group's quota allows {:.2} cores' time: long runs are limited by it",
            share.get()
        ));
    }
    let settings = host_settings();
    for (name, value) in [
        ("governor", settings.governor),
        ("transparent huge pages", settings.huge_pages),
        ("microcode", settings.microcode),
    ] {
        notes.extend(value.map(|value| format!("{name}: {value}")));
    }
    notes
}

/// What names this machine for good; hashed before it leaves this process.
fn machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").ok().map(|text| text.trim().to_owned());
    id.filter(|id| !id.is_empty()).or_else(|| sysinfo::System::host_name().ok()).unwrap_or_default()
}

/// Main memory, or what a control group allows of it.
fn memory() -> Option<Bytes> {
    let kind = sysinfo::MemoryRefreshKind::nothing().with_ram();
    let system =
        sysinfo::System::new_with_specifics(sysinfo::RefreshKind::nothing().with_memory(kind)).ok()?;
    let limit = system.cgroup_limits().map(|limits| limits.total_memory).filter(|limit| *limit > 0);
    let total = system.total_memory();
    Some(Bytes::new(limit.map_or(total, |limit| limit.min(total)))).filter(|bytes| bytes.get() > 0)
}

/// Format of the sums of a format's products on this backend's matrix products.
pub(super) const fn accumulate_of(precision: Precision) -> Accumulate {
    match precision {
        Precision::Fp64 => Accumulate::Fp64,
        Precision::Int8 | Precision::Int4 => Accumulate::Int32,
        _ => Accumulate::Fp32,
    }
}

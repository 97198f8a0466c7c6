//! A matrix product as a loaded case: operands on huge pages, rotated so that none is still in the cache.

use std::time::Duration;

use half::{bf16, f16};

use super::blas::Blas;
use super::gemm::{Gemm, Layout as Storage, Shape};
use super::interference::Probe;
use super::issue::{IssueKernel, kernels};
use super::library::{self, CratePool};
use super::memory::{HugeBuffer, OutOfMemory};
use super::rows::Engine;
use super::usage::Usage;
use super::watch::Watch;
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output, Timer, WorkingSet};
use crate::precision::Precision;
use crate::units::{Bytes, Ops};
use crate::workload::{Case, Elements, GemmShape, Layout, Operand, Work, operand};

/// Most memory that the rotation takes, and most sets: fresh pages cost up to a second a gigabyte in a virtual
/// machine, and every implementation that is tried fills its own.
const ROTATION: (Bytes, u128) = (Bytes::new(64 << 20), 8);

/// A product, ready to run.
pub(super) struct GemmCase<'a> {
    device: &'a str,
    engine: &'a mut Gemm,
    others: &'a Others,
    by: Engine,
    shape: Shape,
    ops: Ops,
    sets: Sets,
    /// Bytes of one set.
    set_bytes: u64,
    /// Last-level cache.
    cache: Option<Bytes>,
    /// Set of the next product.
    next: usize,
    /// Set of the last product.
    last: usize,
    watch: Watch,
}

/// What multiplies beside the built-in engine.
pub(super) struct Others {
    /// The `gemm` crate's threads.
    pub pool: CratePool,
    /// C libraries of the machine.
    pub libraries: Vec<Blas>,
    /// Core of the calling thread.
    pub first: Option<usize>,
}

/// Operands and results, several times over.
enum Sets {
    F64(Vec<Set<f64, f64>>),
    F32(Vec<Set<f32, f32>>),
    Bf16(Vec<Set<bf16, f32>>),
    F16(Vec<Set<f16, f32>>),
    I8(Vec<Set<i8, i32>>),
}

/// One A, B and C.
struct Set<I: super::memory::Plain, O: super::memory::Plain> {
    a: HugeBuffer<I>,
    b: HugeBuffer<I>,
    c: HugeBuffer<O>,
}

impl<'a> GemmCase<'a> {
    /// Fills the operands, poisons the results, and runs once so that no page fault is timed.
    pub(super) fn load(
        device: &'a str,
        (engine, others): (&'a mut Gemm, &'a Others),
        by: &Engine,
        case: &Case,
        cache: Option<Bytes>,
    ) -> Result<Self, LoadError> {
        let Work::Gemm { shape, layout, .. } = case.work else {
            return Err(LoadError::Unsupported { reason: "no product".to_owned() });
        };
        let extents = extents(shape, layout)?;
        let sets = Sets::fill(case, shape, copies(case.precision, shape, cache))?;
        let watch = engine.team().on_first(|| Watch::new(loading(case.precision, by)));
        if let Engine::BuiltIn(isa) = by {
            engine.force(Some(*isa));
        }
        let ops = shape.ops();
        let set_bytes = set_bytes(case.precision, shape);
        let mut case = Self {
            device,
            engine,
            others,
            by: *by,
            shape: extents,
            ops,
            sets,
            set_bytes,
            cache,
            next: 0,
            last: 0,
            watch,
        };
        for _ in 0..case.sets.len() {
            case.product()?;
        }
        Ok(case)
    }

    /// One product on the next set.
    fn product(&mut self) -> Result<(), BackendError> {
        let at = self.next;
        self.next = (at + 1) % self.sets.len().max(1);
        self.last = at;
        let device = self.device;
        self.multiply(at).map_err(|message| BackendError::Device { device: device.to_owned(), message })
    }

    fn multiply(&mut self, at: usize) -> Result<(), String> {
        let shape = self.shape;
        let missing = || "no operands".to_owned();
        let (library, pool) = match self.by {
            Engine::Library(place) => {
                (Some(self.others.libraries.get(place).ok_or_else(|| "no library".to_owned())?), None)
            }
            Engine::Crate => (None, Some(&self.others.pool)),
            Engine::BuiltIn(_) | Engine::Issue(_) | Engine::Copy(_) => (None, None),
        };
        let _placed = library.map(|library| library::place_caller(library, self.others.first));
        let done = match (&mut self.sets, library) {
            (Sets::F64(sets), Some(library)) => {
                let set = sets.get_mut(at).ok_or_else(missing)?;
                return library.dgemm(library::blas_shape(shape), &set.a, &set.b, &mut set.c);
            }
            (Sets::F32(sets), Some(library)) => {
                let set = sets.get_mut(at).ok_or_else(missing)?;
                return library.sgemm(library::blas_shape(shape), &set.a, &set.b, &mut set.c);
            }
            (Sets::F64(sets), None) if pool.is_some() => sets.get_mut(at).map(|set| {
                pool.iter().for_each(|p| p.product(shape, (&set.a, &set.b, &mut set.c), (0.0, 1.0)));
                Ok(())
            }),
            (Sets::F32(sets), None) if pool.is_some() => sets.get_mut(at).map(|set| {
                pool.iter().for_each(|p| p.product(shape, (&set.a, &set.b, &mut set.c), (0.0, 1.0)));
                Ok(())
            }),
            (Sets::F64(sets), None) => {
                sets.get_mut(at).map(|set| self.engine.f64(shape, &set.a, &set.b, &mut set.c))
            }
            (Sets::F32(sets), None) => {
                sets.get_mut(at).map(|set| self.engine.f32(shape, &set.a, &set.b, &mut set.c))
            }
            (Sets::Bf16(sets), _) => {
                sets.get_mut(at).map(|set| self.engine.bf16(shape, &set.a, &set.b, &mut set.c))
            }
            (Sets::F16(sets), _) => {
                sets.get_mut(at).map(|set| self.engine.f16(shape, &set.a, &set.b, &mut set.c))
            }
            (Sets::I8(sets), _) => {
                sets.get_mut(at).map(|set| self.engine.i8(shape, &set.a, &set.b, &mut set.c))
            }
        };
        done.ok_or_else(missing)?.map_err(|error| error.to_string())
    }
}

impl Loaded for GemmCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        self.ops
    }

    fn working_set(&self) -> Option<WorkingSet> {
        let sets = u64::try_from(self.sets.len()).unwrap_or(u64::MAX);
        let bytes = Bytes::new(self.set_bytes.saturating_mul(sets));
        self.cache.map(|cache_bytes| WorkingSet { bytes, cache_bytes })
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let usage = Usage::now();
        let probe = Probe::start();
        for _ in 0..iterations {
            self.product()?;
        }
        let observed = probe.finish();
        let elapsed: Duration = observed.elapsed();
        let cpu = observed.interference.cpu_over_wall.map(|share| elapsed.mul_f64(share.get()));
        // The time of one thread of several says nothing: those that wait spin.
        let lost = usage.since(cpu.filter(|_| self.engine.threads() == 1));
        if elapsed.is_zero() {
            return Err(BackendError::NoTime { device: self.device.to_owned(), iterations });
        }
        let watch = &mut self.watch;
        let conditions = self.engine.team().on_first(|| watch.read());
        Ok(Batch { elapsed: elapsed.into(), timer: Timer::HostClock, conditions, interference: Some(lost) })
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        let last = self.last;
        let elements = match &self.sets {
            Sets::F64(sets) => sets.get(last).map(|set| Elements::F64(set.c.to_vec())),
            Sets::F32(sets) => sets.get(last).map(|set| Elements::F32(set.c.to_vec())),
            Sets::Bf16(sets) => sets.get(last).map(|set| Elements::F32(set.c.to_vec())),
            Sets::F16(sets) => sets.get(last).map(|set| Elements::F32(set.c.to_vec())),
            Sets::I8(sets) => sets.get(last).map(|set| Elements::I32(set.c.to_vec())),
        };
        let missing = || BackendError::Device {
            device: self.device.to_owned(),
            message: "no product was run".to_owned(),
        };
        Ok(Output::Matrix(elements.ok_or_else(missing)?))
    }
}

impl Sets {
    const fn len(&self) -> usize {
        match self {
            Self::F64(sets) => sets.len(),
            Self::F32(sets) => sets.len(),
            Self::Bf16(sets) => sets.len(),
            Self::F16(sets) => sets.len(),
            Self::I8(sets) => sets.len(),
        }
    }

    fn fill(case: &Case, shape: GemmShape, copies: usize) -> Result<Self, LoadError> {
        let Work::Gemm { layout, input, seed, .. } = case.work else {
            return Err(LoadError::Unsupported { reason: "no product".to_owned() });
        };
        let data = |which| operand(which, shape, layout, case.precision, (input, seed));
        let results = usize::try_from(u128::from(shape.m()) * u128::from(shape.n())).unwrap_or(usize::MAX);
        let made = match data(Operand::A).zip(data(Operand::B)) {
            Some((Elements::F64(a), Elements::F64(b))) => {
                sets(&a, &b, (results, f64::NAN), copies).map(Self::F64)
            }
            Some((Elements::F32(a), Elements::F32(b))) => {
                sets(&a, &b, (results, f32::NAN), copies).map(Self::F32)
            }
            Some((Elements::Bf16(a), Elements::Bf16(b))) => {
                sets(&a, &b, (results, f32::NAN), copies).map(Self::Bf16)
            }
            Some((Elements::F16(a), Elements::F16(b))) => {
                sets(&a, &b, (results, f32::NAN), copies).map(Self::F16)
            }
            // No sum of a product that fits the memory is the smallest integer.
            Some((Elements::I8(a), Elements::I8(b))) => {
                sets(&a, &b, (results, i32::MIN), copies).map(Self::I8)
            }
            _ => return Err(LoadError::Unsupported { reason: format!("no operands in {}", case.precision) }),
        };
        made.map_err(|error| LoadError::Memory {
            needed: Bytes::new(u64::try_from(error.bytes).unwrap_or(u64::MAX)).to_string(),
            available: "less".to_owned(),
        })
    }
}

fn sets<I: super::memory::Plain, O: super::memory::Plain>(
    a: &[I],
    b: &[I],
    (results, poison): (usize, O),
    copies: usize,
) -> Result<Vec<Set<I, O>>, OutOfMemory> {
    let one = |_| {
        let mut c = HugeBuffer::zeroed(results)?;
        c.fill(poison);
        Ok(Set { a: HugeBuffer::from_slice(a)?, b: HugeBuffer::from_slice(b)?, c })
    };
    (0..copies).map(one).collect()
}

/// How many sets rotate: more than twice the last-level cache, as far as [`ROTATION`] allows.
fn copies(precision: Precision, shape: GemmShape, cache: Option<Bytes>) -> usize {
    let one = u128::from(set_bytes(precision, shape)).max(1);
    let wanted = u128::from(cache.map_or(0, Bytes::get)) * 2 + 1;
    let (most, sets) = ROTATION;
    usize::try_from(wanted.min(u128::from(most.get())).div_ceil(one).min(sets)).unwrap_or(1).max(1)
}

/// Bytes of one A, B and C.
fn set_bytes(precision: Precision, shape: GemmShape) -> u64 {
    let element = u64::from(precision.bits() / 8);
    u64::try_from(shape.bytes(element, element.max(4))).unwrap_or(u64::MAX)
}

/// The kernel under whose load the clock is read: of the same format and kind of unit.
fn loading(precision: Precision, by: &Engine) -> Option<&'static IssueKernel> {
    let matrix = matches!(by, Engine::BuiltIn(super::gemm::Isa::Amx));
    let fits = |kernel: &&IssueKernel| {
        kernel.available()
            && kernel.native
            && (super::device::unit_of(kernel.isa) == crate::device::Unit::Matrix) == matrix
    };
    let mut of: Vec<_> =
        kernels().iter().filter(fits).filter(|kernel| kernel.precision == precision).collect();
    if of.is_empty() {
        // An emulated product computes in binary32.
        of = kernels().iter().filter(fits).filter(|kernel| kernel.precision == Precision::Fp32).collect();
    }
    of.into_iter().max_by_key(|kernel| kernel.lanes)
}

fn extents(shape: GemmShape, layout: Layout) -> Result<Shape, LoadError> {
    let extent = |value: u64| {
        usize::try_from(value)
            .map_err(|_| LoadError::Unsupported { reason: format!("extent {value} is too large") })
    };
    let a = match layout {
        Layout::Nn => Storage::RowMajor,
        Layout::Tn => Storage::Transposed,
    };
    Ok(Shape { m: extent(shape.m())?, n: extent(shape.n())?, k: extent(shape.k())?, a })
}

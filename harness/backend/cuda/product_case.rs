//! A matrix product as a loaded case: padded rows, and operands rotated so that none is still in the cache.

use cudarc::driver::sys::CUfunction_attribute;
use cudarc::driver::{CudaFunction, CudaGraph, CudaSlice, LaunchConfig, PushKernelArg};

use super::gpu::Gpu;
use super::rows::{Element, Form, Row, leading};
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output, WorkingSet};
use crate::precision::Precision;
use crate::units::{Bytes, Ops};
use crate::workload::{Case, Elements, GemmShape, Operand, Work, operand};

/// Most sets of operands.
const SETS: u64 = 16;

/// Launches shorter than this replay from a graph: between two launches of the host lie some microseconds.
const SHORT_S: f64 = 1e-3;

/// Launches of a graph, so that each goes through every set.
const ROUNDS: u64 = 32;

/// One A, B and C.
struct Set {
    a: CudaSlice<u8>,
    b: CudaSlice<u8>,
    c: CudaSlice<u8>,
}

/// A product by one of the table's kernels, ready to run.
pub(super) struct ProductCase<'a> {
    gpu: &'a Gpu,
    row: &'static Row,
    function: CudaFunction,
    shape: GemmShape,
    sizes: [u32; 6],
    blocks: u32,
    result: Element,
    sets: Vec<Set>,
    set_bytes: u64,
    cache: u64,
    next: usize,
    last: usize,
    graph: Option<(CudaGraph, u64)>,
}

impl<'a> ProductCase<'a> {
    /// Fills operands, poisons results, runs every set once, and makes a graph where one launch is short.
    pub(super) fn load(
        gpu: &'a Gpu,
        (row, function): (&'static Row, CudaFunction),
        case: &Case,
        cache: u64,
    ) -> Result<Self, LoadError> {
        let (Form::Gemm(gemm), Work::Gemm { shape, layout, input, seed }) = (row.form, case.work) else {
            return Err(LoadError::Unsupported { reason: format!("{} is no product", row.name) });
        };
        let too_large = || LoadError::Unsupported { reason: format!("{shape} has more tiles than a grid") };
        let blocks = row.grid(shape).ok_or_else(too_large)?.blocks;
        allow_shared(gpu, &function, row.shared_bytes())?;
        let data = |which| {
            operand(which, shape, layout, case.precision, (input, seed)).ok_or_else(|| {
                LoadError::Unsupported { reason: format!("no operands of {} are made", case.precision) }
            })
        };
        let (_, columns) = shape.a_extents(layout);
        let (lead_a, lead_b) = (leading(columns, gemm.operand), leading(shape.n(), gemm.operand));
        let lead_c = leading(shape.n(), gemm.result);
        let a = padded(&data(Operand::A)?, columns, lead_a, gemm.operand);
        let b = padded(&data(Operand::B)?, shape.n(), lead_b, gemm.operand);
        let c_bytes = shape.m() * lead_c * u64::from(gemm.result.bytes());
        let set_bytes = bytes(&a) + bytes(&b) + c_bytes;
        let count = (2 * cache / set_bytes.max(1) + 2).min(SETS);
        let set = |_| {
            Ok::<Set, LoadError>(Set {
                a: gpu.uploaded(&a)?,
                b: gpu.uploaded(&b)?,
                c: gpu.filled(c_bytes, poison(gemm.result))?,
            })
        };
        let sets: Vec<Set> = (0..count).map(set).collect::<Result<_, _>>()?;
        let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let sizes = [shape.m(), shape.n(), shape.k(), lead_a, lead_b, lead_c].map(small);
        let mut case = Self {
            gpu,
            row,
            function,
            shape,
            sizes,
            blocks,
            result: gemm.result,
            sets,
            set_bytes,
            cache,
            next: 0,
            last: 0,
            graph: None,
        };
        case.begin()?;
        Ok(case)
    }

    fn begin(&mut self) -> Result<(), LoadError> {
        let count = u64::try_from(self.sets.len()).unwrap_or(1);
        for _ in 0..count {
            self.launch()?;
        }
        self.gpu.wait("the first launch")?;
        if self.run(count)?.elapsed.get() < SHORT_S {
            let gpu = self.gpu;
            // Whole rounds, so that a replay begins and ends where the rotation stands.
            self.next = 0;
            let launches = (ROUNDS / count).max(1) * count;
            self.graph = gpu.graph(launches, || self.launch())?.map(|graph| (graph, launches));
            self.next = 0;
        }
        Ok(())
    }

    /// One product on the next set.
    #[expect(unsafe_code, reason = "launches a kernel")]
    fn launch(&mut self) -> Result<(), BackendError> {
        let (at, count) = (self.next, self.sets.len().max(1));
        let Some(set) = self.sets.get_mut(at) else { return Ok(()) };
        (self.last, self.next) = (at, (at + 1) % count);
        let config = LaunchConfig {
            grid_dim: (self.blocks, 1, 1),
            block_dim: (self.row.threads(), 1, 1),
            shared_mem_bytes: self.row.shared_bytes(),
        };
        let mut builder = self.gpu.stream.launch_builder(&self.function);
        builder.arg(&mut set.c).arg(&set.a).arg(&set.b);
        for size in &self.sizes {
            builder.arg(size);
        }
        // SAFETY: the arguments are those of `Parameters::Matrices`, and each matrix has its rows times its distance.
        let launched = unsafe { builder.launch(config) };
        launched.map(|_| ()).map_err(|error| self.gpu.error("launching", error))
    }
}

impl Loaded for ProductCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        self.shape.ops()
    }

    fn working_set(&self) -> Option<WorkingSet> {
        let sets = u64::try_from(self.sets.len()).unwrap_or(u64::MAX);
        let bytes = Bytes::new(self.set_bytes.saturating_mul(sets));
        (self.cache > 0).then(|| WorkingSet { bytes, cache_bytes: Bytes::new(self.cache) })
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let gpu = self.gpu;
        let replays = match &self.graph {
            Some((_, launches)) => {
                // A replay goes through whole rounds: it begins with the first set and ends with the last.
                (self.next, self.last) = (0, self.sets.len().saturating_sub(1));
                (iterations / launches, *launches)
            }
            None => (0, 0),
        };
        gpu.timed(iterations, || {
            if let Some((graph, _)) = &self.graph {
                for _ in 0..replays.0 {
                    graph.launch().map_err(|error| gpu.error("replaying", error))?;
                }
            }
            for _ in 0..iterations - replays.0 * replays.1 {
                self.launch()?;
            }
            Ok(())
        })
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        let device = || self.gpu.id.clone();
        let none = || BackendError::Device { device: device(), message: "no output".to_owned() };
        let set = self.sets.get(self.last).ok_or_else(none)?;
        let bytes = self.gpu.downloaded(&set.c)?;
        elements(&bytes, self.shape, self.result).map(Output::Matrix).ok_or_else(none)
    }
}

/// Lets a kernel have more than 48 KiB of shared memory.
pub(super) fn allow_shared(gpu: &Gpu, function: &CudaFunction, bytes: u32) -> Result<(), LoadError> {
    const FREE: u32 = 48 * 1024;
    if bytes <= FREE {
        return Ok(());
    }
    let attribute = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    let wanted = i32::try_from(bytes).unwrap_or(i32::MAX);
    function
        .set_attribute(attribute, wanted)
        .map_err(|error| gpu.load_error("asking for shared memory", 0, error))
}

/// Rows as the kernel reads them: each begins at a multiple of the leading dimension.
fn padded(elements: &Elements, columns: u64, lead: u64, element: Element) -> Vec<u8> {
    let tight: Vec<u8> = match elements {
        Elements::F64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Elements::F32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Elements::Bf16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Elements::F16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Elements::I8(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Elements::I32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
    };
    let size = u64::from(element.bytes());
    let length = |count: u64| usize::try_from(count * size).unwrap_or(usize::MAX);
    let mut rows = Vec::new();
    for row in tight.chunks(length(columns)) {
        rows.extend_from_slice(row);
        // NaN between the rows, or a large number: what a kernel must not use would show.
        rows.resize(rows.len() + length(lead) - row.len(), 0x7f);
    }
    rows
}

/// C without what stands between its rows.
fn elements(bytes: &[u8], shape: GemmShape, element: Element) -> Option<Elements> {
    let size = usize::try_from(element.bytes()).ok()?;
    let lead = usize::try_from(leading(shape.n(), element)).ok()?.checked_mul(size)?;
    let columns = usize::try_from(shape.n()).ok()?.checked_mul(size)?;
    let words =
        bytes.chunks_exact(lead).flat_map(|row| row.get(..columns).unwrap_or_default().chunks_exact(size));
    match element {
        Element::F64 => words
            .map(|w| Some(f64::from_le_bytes(w.try_into().ok()?)))
            .collect::<Option<_>>()
            .map(Elements::F64),
        Element::F32 => words
            .map(|w| Some(f32::from_le_bytes(w.try_into().ok()?)))
            .collect::<Option<_>>()
            .map(Elements::F32),
        Element::I32 => words
            .map(|w| Some(i32::from_le_bytes(w.try_into().ok()?)))
            .collect::<Option<_>>()
            .map(Elements::I32),
        _ => None,
    }
}

/// Byte of an output that was never written: NaN, or for integers a number that no product of small operands has.
const fn poison(element: Element) -> u8 {
    if matches!(element, Element::I32 | Element::I8) { 0x80 } else { 0xff }
}

fn bytes(memory: &[u8]) -> u64 {
    u64::try_from(memory.len()).unwrap_or(u64::MAX)
}

/// Shape where the user names none: large enough to fill any device, small enough for a batch of milliseconds.
pub(super) fn default_shape(precision: Precision) -> Option<GemmShape> {
    let n = if matches!(precision, Precision::Fp64 | Precision::Fp32) { 4096 } else { 8192 };
    GemmShape::new(n, n, n).ok()
}

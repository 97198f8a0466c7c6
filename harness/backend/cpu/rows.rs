//! The table of what the CPU can compute, and how.

use super::blas::Blas;
use super::copy::{CopyKernel, copies};
use super::device::{accumulate_of, unit_of};
use super::gemm;
use super::issue::{IssueKernel, kernels};
use crate::backend::Implementation;
use crate::device::Unit;
use crate::precision::Precision;
use crate::units::{Bytes, Seconds};
use crate::workload::{BufferSize, COPY_FORMAT, GemmShape, Method};

/// One row and what executes it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub implementation: Implementation,
    pub engine: Engine,
}

/// What executes a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Engine {
    /// A register-resident kernel.
    Issue(IssueKernel),
    /// The built-in matrix product, with one instruction set.
    BuiltIn(gemm::Isa),
    /// The `gemm` crate.
    Crate,
    /// A library of the machine, by its place among those that were opened.
    Library(usize),
    /// A copy.
    Copy(CopyKernel),
}

/// Sample of one thread: short enough to fit between two interruptions of a shared core; two clock reads of 30 ns
/// are below 0.05 % of it.
const ISSUE_ONE: f64 = 150e-6;
/// Sample of several threads, which leave a barrier within some 100 ns of each other.
const ISSUE_ALL: f64 = 5e-3;
/// Least sample of a product.
const PRODUCT: f64 = 10e-3;

/// Every row of this machine: formats without a native unit by an emulation, others by native rows only.
pub(super) fn rows(libraries: &[Blas], threads: usize, cache: Option<Bytes>) -> Vec<Row> {
    let mut rows = Vec::new();
    for precision in Precision::ALL {
        let available: Vec<_> =
            kernels().iter().filter(|kernel| kernel.precision == precision && kernel.available()).collect();
        let native = available.iter().any(|kernel| kernel.native);
        let kept = available.into_iter().filter(|kernel| kernel.native == native);
        rows.extend(kept.map(|kernel| issue(kernel, threads)));
        rows.extend(built_in(precision, threads));
        if matches!(precision, Precision::Fp64 | Precision::Fp32) {
            let detail = "gemm crate, operands on huge pages, threads by rayon".to_owned();
            rows.push(product("gemm-crate", precision, (Engine::Crate, Unit::Vector, true), detail, threads));
            rows.extend(libraries.iter().enumerate().map(|(at, library)| {
                let detail = format!("{} ({})", library.version, library.file);
                product(library.name, precision, (Engine::Library(at), Unit::Vector, true), detail, threads)
            }));
        }
    }
    rows.extend(copies().iter().map(|kernel| copy(*kernel, threads, cache)));
    rows
}

/// Least size of a buffer of a copy, where the cache is small or not told.
const BUFFER: Bytes = Bytes::new(128 << 20);

fn copy(kernel: CopyKernel, threads: usize, cache: Option<Bytes>) -> Row {
    let (precision, accumulate) = COPY_FORMAT;
    let implementation = Implementation {
        name: kernel.name().to_owned(),
        method: Method::Copy,
        precision,
        accumulate,
        unit: Unit::Vector,
        native: true,
        detail: format!("{}, {threads} threads, buffers on huge pages", kernel.detail()),
        shape: None,
        buffer_bytes: BufferSize::beyond(cache.unwrap_or_default(), BUFFER),
        sample_s: Seconds::new(PRODUCT).unwrap_or_default(),
    };
    Row { implementation, engine: Engine::Copy(kernel) }
}

fn issue(kernel: &IssueKernel, threads: usize) -> Row {
    let sample = if threads == 1 { ISSUE_ONE } else { ISSUE_ALL };
    let implementation = Implementation {
        name: kernel.name.to_owned(),
        method: Method::Issue,
        precision: kernel.precision,
        accumulate: kernel.accumulate,
        unit: unit_of(kernel.isa),
        native: kernel.native,
        detail: format!(
            "{}, {} chains of {} lanes, {threads} threads",
            kernel.isa.name(),
            kernel.chains,
            kernel.lanes
        ),
        shape: None,
        buffer_bytes: None,
        sample_s: Seconds::new(sample).unwrap_or_default(),
    };
    Row { implementation, engine: Engine::Issue(*kernel) }
}

/// Rows of the built-in engine: all native ones, or the one preferred emulation; plain Rust only where nothing else is.
fn built_in(precision: Precision, threads: usize) -> Vec<Row> {
    let Some(operand) = operand_of(precision) else { return Vec::new() };
    let usable: Vec<_> = gemm::kernels()
        .iter()
        .filter(|kernel| kernel.operand == operand && kernel.available().is_ok())
        .collect();
    let native =
        |kernel: &&&gemm::Kernel| kernel.unit == gemm::Unit::Native && kernel.isa != gemm::Isa::Portable;
    let mut kept: Vec<_> = usable.iter().filter(native).collect();
    if kept.is_empty() {
        kept.extend(usable.first());
    }
    let row = |kernel: &&&gemm::Kernel| {
        let unit = if kernel.isa == gemm::Isa::Amx { Unit::Matrix } else { Unit::Vector };
        let detail = format!(
            "built-in packed product, tile {}, operands on huge pages, {threads} threads",
            kernel.name
        );
        let native = kernel.unit == gemm::Unit::Native;
        product(
            &format!("flopgauge-{}", kernel.isa),
            precision,
            (Engine::BuiltIn(kernel.isa), unit, native),
            detail,
            threads,
        )
    };
    kept.iter().map(row).collect()
}

fn product(
    name: &str,
    precision: Precision,
    (engine, unit, native): (Engine, Unit, bool),
    detail: String,
    threads: usize,
) -> Row {
    let implementation = Implementation {
        name: name.to_owned(),
        method: Method::Gemm,
        precision,
        accumulate: accumulate_of(precision),
        unit,
        native,
        detail,
        shape: default_shape(threads),
        buffer_bytes: None,
        sample_s: Seconds::new(PRODUCT).unwrap_or_default(),
    };
    Row { implementation, engine }
}

/// Square extents that keep one product below 0.1 s on slow cores and every thread busy on many.
fn default_shape(threads: usize) -> Option<GemmShape> {
    let n = match threads {
        0..=4 => 1024,
        5..=16 => 2048,
        _ => 4096,
    };
    GemmShape::new(n, n, n).ok()
}

/// Operand type of the built-in engine.
pub(super) const fn operand_of(precision: Precision) -> Option<gemm::Operand> {
    match precision {
        Precision::Fp64 => Some(gemm::Operand::F64),
        Precision::Fp32 => Some(gemm::Operand::F32),
        Precision::Bf16 => Some(gemm::Operand::Bf16),
        Precision::Fp16 => Some(gemm::Operand::F16),
        Precision::Int8 => Some(gemm::Operand::I8),
        Precision::Tf32
        | Precision::Fp8e4m3
        | Precision::Fp8e5m2
        | Precision::Fp6
        | Precision::Fp4
        | Precision::Int4 => None,
    }
}

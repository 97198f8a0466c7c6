//! Whether a kernel executes the operations that are accounted for it: its instrumented twin, made of the same source,
//! counts them on the device.

use super::adapters;
use super::compiled::Compiled;
use super::copy_case::CopyCase;
use super::device::WgpuBackend;
use super::issue_case::IssueCase;
use super::product_case::ProductCase;
use super::table::Kernel;
use super::template::Variant;
use crate::backend::{LoadError, Loaded};
use crate::units::Ops;
use crate::workload::{BufferSize, Case, Distribution, GemmShape, Layout, Method, Work};

/// One instrumented run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The row.
    pub kernel: Kernel,
    /// What was run.
    pub work: Work,
    /// Operations that a record states for it; bytes of a copy.
    pub accounted: Ops,
    /// The same with the zeros that pad a product to whole tiles.
    pub padded: Ops,
    /// What the device counted.
    pub executed: Ops,
}

/// Shapes of whole tiles of every row, and ragged ones; all far below the 2^32 operations of a counter.
const SHAPES: [(u64, u64, u64); 2] = [(256, 256, 64), (67, 91, 83)];
/// Most trips of an issue-rate kernel; fewer where its grid would count past 2^32 operations.
const TRIPS: u64 = 7;
/// Lines of a copy; no multiple of a workgroup.
const LINES: u64 = 1009;

/// Runs the instrumented twin of every row of an adapter, and of products both layouts of A as far as `wanted`.
///
/// Errors: no such device, or what failed on it.
pub fn counts(id: &str, wanted: impl Fn(&Kernel, Layout) -> bool) -> Result<Vec<Count>, String> {
    let found = adapters::all().into_iter().find(|found| found.device.id == id);
    let backend = WgpuBackend::open(found.ok_or_else(|| format!("there is no device '{id}'"))?)?;
    let mut all = Vec::new();
    for kernel in backend.kernels() {
        let failed = |error: LoadError| format!("{}: {error}", kernel.name);
        for layout in [Layout::Nn, Layout::Tn] {
            let works = works(kernel.method(), layout);
            if works.is_empty() || !wanted(kernel, layout) {
                continue;
            }
            let variant = Variant { counted: true, transposed: layout == Layout::Tn };
            let compiled = Compiled::new(backend.gpu(), kernel, variant, false).map_err(failed)?;
            for work in works {
                all.push(count(&backend, (kernel, &compiled), work).map_err(failed)?);
            }
        }
    }
    Ok(all)
}

/// What is run of a method; only products have a second layout.
fn works(method: Method, layout: Layout) -> Vec<Work> {
    match method {
        Method::Issue | Method::Copy if layout == Layout::Tn => Vec::new(),
        Method::Issue => vec![Work::Issue],
        Method::Copy => {
            let buffer = BufferSize::new(LINES * BufferSize::STEP).ok();
            buffer.into_iter().map(|buffer_bytes| Work::Copy { buffer_bytes }).collect()
        }
        Method::Gemm => {
            let shapes = SHAPES.iter().filter_map(|(m, n, k)| GemmShape::new(*m, *n, *k).ok());
            let input = Distribution::Integers;
            shapes.map(|shape| Work::Gemm { shape, layout, input, seed: 1 }).collect()
        }
    }
}

/// Trips of so many operations that a counter of 32 bits can count.
fn trips(each: Ops) -> u64 {
    let most = u128::from(u32::MAX) / each.get().max(1);
    u64::try_from(most).unwrap_or(TRIPS).clamp(1, TRIPS)
}

fn count(
    backend: &WgpuBackend,
    (kernel, compiled): (&Kernel, &Compiled),
    work: Work,
) -> Result<Count, LoadError> {
    let (gpu, watch) = (backend.gpu(), backend.watch());
    let ran = |case: &mut dyn Loaded, iterations: u64| -> Result<Ops, LoadError> {
        compiled.reset(gpu)?;
        case.run(iterations)?;
        let executed = compiled.executed(gpu)?;
        executed.ok_or_else(|| gpu.failed("an instrumented kernel counted nothing".to_owned()).into())
    };
    let (accounted, padded, executed) = match work {
        Work::Issue => {
            let mut case = IssueCase::load(gpu, kernel, compiled.clone(), watch)?;
            let trips = trips(case.ops_per_iteration());
            let executed = ran(&mut case, trips)?;
            let accounted = case.ops_per_iteration().checked_times(u128::from(trips)).unwrap_or(Ops::ZERO);
            (accounted, accounted, executed)
        }
        Work::Gemm { .. } => {
            let implementation = kernel.name.clone();
            let (precision, accumulate) = (kernel.precision, kernel.accumulate);
            let case = Case { implementation, precision, accumulate, work };
            let mut case = ProductCase::load(gpu, kernel, compiled.clone(), &case, watch)?;
            let executed = ran(&mut case, 1)?;
            (case.ops_per_iteration(), case.padded_ops(), executed)
        }
        Work::Copy { buffer_bytes } => {
            let mut case = CopyCase::load(gpu, buffer_bytes, compiled.clone(), watch)?;
            let executed = ran(&mut case, 1)?;
            let bytes = case.bytes_per_iteration().map_or(0, |bytes| u128::from(bytes.get()));
            (Ops::new(bytes), Ops::new(bytes), executed)
        }
    };
    Ok(Count { kernel: kernel.clone(), work, accounted, padded, executed })
}

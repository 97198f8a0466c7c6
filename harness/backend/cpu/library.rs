//! Products by other hands on operands of ours: the `gemm` crate and C libraries.

use super::blas::{self, Blas};
use super::error::CpuError;
use super::gemm::{Layout, Shape};
use super::pin::Pinned;

/// Threads of the `gemm` crate, pinned like everybody else's.
#[derive(Debug)]
pub(super) struct CratePool {
    /// None for one thread.
    pool: Option<rayon::ThreadPool>,
    threads: usize,
    first: Option<usize>,
}

impl CratePool {
    /// One thread on each of `cores`.
    ///
    /// **Errors**: `NoWorker` where the system gives no thread.
    pub(super) fn new(cores: &[usize]) -> Result<Self, CpuError> {
        let (threads, first) = (cores.len(), cores.first().copied());
        if threads <= 1 {
            return Ok(Self { pool: None, threads, first });
        }
        let pinned = cores.to_vec();
        let builder = rayon::ThreadPoolBuilder::new().num_threads(cores.len()).start_handler(move |index| {
            if let Some(core) = pinned.get(index) {
                // Rayon's threads live as long as the pool, so the affinity is never given back.
                std::mem::forget(Pinned::to(Some(*core)));
            }
        });
        let pool =
            builder.build().map_err(|error| CpuError::NoWorker { core: 0, reason: error.to_string() })?;
        Ok(Self { pool: Some(pool), threads, first })
    }

    /// C = A x B by the `gemm` crate.
    ///
    /// **Shape**: as `shape` says; the slices have its lengths.
    pub(super) fn product<T: Send + Sync + 'static>(
        &self,
        shape: Shape,
        (a, b, c): (&[T], &[T], &mut [T]),
        (zero, one): (T, T),
    ) {
        // One thread is the caller itself: the time that it computed is what a disturbed sample is corrected by.
        let Some(pool) = &self.pool else {
            let _pinned = Pinned::to(self.first);
            return by_crate(shape, (a, b, c), (zero, one), 1);
        };
        pool.install(|| by_crate(shape, (a, b, c), (zero, one), self.threads));
    }
}

#[expect(unsafe_code, reason = "the crate takes pointers and strides")]
fn by_crate<T: 'static>(
    shape: Shape,
    (a, b, c): (&[T], &[T], &mut [T]),
    (zero, one): (T, T),
    threads: usize,
) {
    let stride = |extent: usize| isize::try_from(extent).unwrap_or(0);
    let (column, row) = match shape.a {
        Layout::RowMajor => (1, stride(shape.k)),
        Layout::Transposed => (stride(shape.m), 1),
    };
    let n = stride(shape.n);
    let parallelism = if threads > 1 { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
    let (c, a, b) = (c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
    // SAFETY: C has m x n, A m x k and B k x n elements with these strides, and C overlaps neither.
    unsafe {
        gemm::gemm(
            shape.m,
            shape.n,
            shape.k,
            c,
            1,
            n,
            false,
            a,
            column,
            row,
            b,
            1,
            n,
            zero,
            one,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// The shape as the C libraries want it.
pub(super) const fn blas_shape(shape: Shape) -> blas::Shape {
    let a_transposed = matches!(shape.a, Layout::Transposed);
    blas::Shape { m: shape.m, n: shape.n, k: shape.k, a_transposed }
}

/// Core for the caller of a library, which computes too; free where its threads would inherit the core.
pub(super) fn place_caller(library: &Blas, first: Option<usize>) -> Pinned {
    Pinned::to(first.filter(|_| !library.starts_threads_in_calls()))
}

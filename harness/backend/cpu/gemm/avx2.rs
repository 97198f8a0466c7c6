//! AVX2 kernels: f32 6 x 16 and f64 6 x 8 with FMA, int8 6 x 16 by `vpmaddwd`.
//!
//! 12 accumulators, two B vectors and two broadcasts are all 16 registers. A B panel of 16 KiB
//! stays in the first-level cache, so only A is fetched ahead.

use super::kernel::{MicroKernel, Tile, View};
use super::pack_sse2::{f32 as pack_f32, f64 as pack_f64};
use super::vector::{float_ops, vector_kernel};

vector_kernel! {
    /// f32, 6 x 16.
    F32, rows rows_f32 6 [1 2 3 4 5], features "avx2,fma",
    input f32, packed f32, group 1, depth 256, output f32, lanes 8,
    tail 0, ahead_b 0, ops ops_f32, pack pack_f32
}

vector_kernel! {
    /// f64, 6 x 8.
    F64, rows rows_f64 6 [1 2 3 4 5], features "avx2,fma",
    input f64, packed f64, group 1, depth 256, output f64, lanes 4,
    tail 0, ahead_b 0, ops ops_f64, pack pack_f64
}

vector_kernel! {
    /// int8 widened to 16 bits while packing, 6 x 16. Exact: a pair of products is at most 2^15.
    I8, rows rows_i8 6 [1 2 3 4 5], features "avx2",
    input i8, packed u32, group 2, depth 512, output i32, lanes 8,
    tail 0, ahead_b 0, ops ops_i8, pack pack_i8
}

float_ops!(
    ops_f32,
    x86_64,
    "avx2,fma",
    f32,
    __m256,
    _mm256_setzero_ps(),
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_add_ps,
    |x, y, z| _mm256_fmadd_ps(x, y, z)
);
float_ops!(
    ops_f64,
    x86_64,
    "avx2,fma",
    f64,
    __m256d,
    _mm256_setzero_pd(),
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_set1_pd,
    _mm256_add_pd,
    |x, y, z| _mm256_fmadd_pd(x, y, z)
);

/// Pairs of sign-extended values.
mod pack_i8 {
    use crate::backend::cpu::gemm::kernel::View;
    use crate::backend::cpu::gemm::pack;

    fn bits(x: i8) -> u32 {
        u32::from(i16::from(x).cast_unsigned())
    }

    /// # Safety
    /// The view holds the block and `to` the panel.
    #[expect(unsafe_code, reason = "raw panels")]
    pub(super) unsafe fn a(a: View<i8>, rows: usize, depth: usize, to: *mut u32) {
        // SAFETY: forwarded.
        unsafe { pack::column_groups::<i8, 2>(a, rows, depth, 6, to, bits) }
    }

    /// # Safety
    /// The view holds the block and `to` the panel.
    #[expect(unsafe_code, reason = "raw panels")]
    pub(super) unsafe fn b(b: View<i8>, depth: usize, cols: usize, to: *mut u32) {
        // SAFETY: forwarded.
        unsafe { pack::line_groups::<i8, 2>(b, depth, cols, 16, to, bits) }
    }
}

#[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
mod ops_i8 {
    use std::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn zero() -> __m256i {
        _mm256_setzero_si256()
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn load(from: *const u32) -> __m256i {
        // SAFETY: forwarded.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn splat(from: *const u32) -> __m256i {
        // SAFETY: forwarded.
        _mm256_set1_epi32(unsafe { *from }.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn fma(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        _mm256_add_epi32(z, _mm256_madd_epi16(x, y))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn add(x: __m256i, y: __m256i) -> __m256i {
        _mm256_add_epi32(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn finish(value: __m256i, _tail: *const u32) -> __m256i {
        value
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn get(from: *const i32) -> __m256i {
        // SAFETY: forwarded.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn put(to: *mut i32, value: __m256i) {
        // SAFETY: forwarded.
        unsafe { _mm256_storeu_si256(to.cast(), value) };
    }
}

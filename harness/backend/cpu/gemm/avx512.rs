//! AVX-512F kernels: f32 14 x 32 and f64 14 x 16.
//!
//! 28 accumulators, two B vectors and one broadcast fill 31 of 32 registers; a step has 28 FMAs
//! (14 cycles on two pipes) and 16 loads (8 cycles), so the FMA pipes are the limit.

use super::kernel::{MicroKernel, Tile, View};
use super::vector::{float_ops, vector_kernel};

use super::pack_avx512::{f32 as pack_f32, f64 as pack_f64};

vector_kernel! {
    /// f32, 14 x 32.
    F32, rows rows_f32 14 [1 2 3 4 5 6 7 8 9 10 11 12 13], features "avx512f",
    input f32, packed f32, group 1, depth 1024, output f32, lanes 16,
    tail 0, ahead_b 1024, ops ops_f32, pack pack_f32
}

vector_kernel! {
    /// f64, 14 x 16.
    F64, rows rows_f64 14 [1 2 3 4 5 6 7 8 9 10 11 12 13], features "avx512f",
    input f64, packed f64, group 1, depth 512, output f64, lanes 8,
    tail 0, ahead_b 1024, ops ops_f64, pack pack_f64
}

float_ops!(
    ops_f32,
    x86_64,
    "avx512f",
    f32,
    __m512,
    _mm512_setzero_ps(),
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_add_ps,
    |x, y, z| _mm512_fmadd_ps(x, y, z)
);
float_ops!(
    ops_f64,
    x86_64,
    "avx512f",
    f64,
    __m512d,
    _mm512_setzero_pd(),
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_set1_pd,
    _mm512_add_pd,
    |x, y, z| _mm512_fmadd_pd(x, y, z)
);

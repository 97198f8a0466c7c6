//! Kernels of the AVX-512 dot-product units, 14 x 32: int8 (`vpdpbusd`) and bf16 (`vdpbf16ps`).
//!
//! `vpdpbusd` multiplies unsigned by signed: A is stored with 128 added, and each B panel ends
//! with -128 times its column sums, which the tile adds. Exact modulo 2^32, so exact wherever the
//! result fits; the instruction without saturation is used.

use super::kernel::{MicroKernel, Tile, View};
use super::vector::vector_kernel;

const MR: usize = 14;
const NR: usize = 32;

vector_kernel! {
    /// int8, 14 x 32, quads of k.
    I8, rows rows_i8 14 [1 2 3 4 5 6 7 8 9 10 11 12 13], features "avx512f,avx512vnni",
    input i8, packed u32, group 4, depth 4096, output i32, lanes 16,
    tail NR, ahead_b 1024, ops ops_i8, pack pack_i8
}

vector_kernel! {
    /// bf16, 14 x 32, pairs of k, f32 accumulators.
    Bf16, rows rows_bf16 14 [1 2 3 4 5 6 7 8 9 10 11 12 13], features "avx512f,avx512bf16",
    input half::bf16, packed u32, group 2, depth 2048, output f32, lanes 16,
    tail 0, ahead_b 1024, ops ops_bf16, pack pack_bf16
}

mod pack_i8 {
    use super::{MR, NR, View};
    use crate::backend::cpu::gemm::{pack, pack_sse2};

    /// # Safety
    /// The view holds the block and `to` the panel.
    #[expect(unsafe_code, reason = "raw panels")]
    pub(super) unsafe fn a(a: View<i8>, rows: usize, depth: usize, to: *mut u32) {
        // 128 in a padding byte does no harm: the padding of B is zero.
        let offset = |x: i8| u32::from(x.cast_unsigned() ^ 0x80);
        // SAFETY: four adjacent bytes where the block has them, one by one in the tail.
        unsafe {
            let whole = if a.cols == 1 { depth - depth % 4 } else { 0 };
            for p in (0..whole).step_by(4) {
                for i in 0..rows {
                    let quad = a.at(i, p).start.cast::<u32>().read_unaligned() ^ 0x8080_8080;
                    to.add(p / 4 * MR + i).write(quad);
                }
            }
            pack::column_groups::<i8, 4>(
                a.at(0, whole),
                rows,
                depth - whole,
                MR,
                to.add(whole / 4 * MR),
                offset,
            );
        }
    }

    /// # Safety
    /// The view holds the block and `to` the panel.
    #[expect(unsafe_code, reason = "raw panels")]
    pub(super) unsafe fn b(b: View<i8>, depth: usize, cols: usize, to: *mut u32) {
        // SAFETY: vectors only where the block has four rows of 32; the tail is the panel's.
        unsafe {
            let whole = if cols == NR { depth - depth % 4 } else { 0 };
            for p in (0..whole).step_by(4) {
                let from = b.at(p, 0).start;
                pack_sse2::quads(from, b.rows, to.add(p / 4 * NR));
                pack_sse2::quads(from.add(16), b.rows, to.add(p / 4 * NR + 16));
            }
            let bits = |x: i8| u32::from(x.cast_unsigned());
            pack::line_groups::<i8, 4>(b.at(whole, 0), depth - whole, cols, NR, to.add(whole / 4 * NR), bits);
            correct(b, depth, cols, to.add(depth.div_ceil(4) * NR));
        }
    }

    /// Writes -128 times the column sums.
    #[expect(unsafe_code, reason = "raw panels")]
    unsafe fn correct(b: View<i8>, depth: usize, cols: usize, to: *mut u32) {
        let mut sums = [0_i32; NR];
        for p in 0..depth {
            // SAFETY: `cols` elements of a row of the block.
            let row = unsafe { std::slice::from_raw_parts(b.at(p, 0).start, cols) };
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(i32::from(x));
            }
        }
        for (j, sum) in sums.into_iter().enumerate() {
            // SAFETY: NR elements at the end of the panel.
            unsafe { to.add(j).write(sum.wrapping_mul(-128).cast_unsigned()) };
        }
    }
}

mod pack_bf16 {
    use super::{MR, NR, View};
    use crate::backend::cpu::gemm::{pack, pack_sse2};
    use half::bf16;

    fn bits(x: bf16) -> u32 {
        u32::from(x.to_bits())
    }

    /// # Safety
    /// The view holds the block and `to` the panel.
    #[expect(unsafe_code, reason = "raw panels")]
    pub(super) unsafe fn a(a: View<bf16>, rows: usize, depth: usize, to: *mut u32) {
        // SAFETY: two adjacent values where the block has them, one by one in the tail.
        unsafe {
            let whole = if a.cols == 1 { depth - depth % 2 } else { 0 };
            for p in (0..whole).step_by(2) {
                for i in 0..rows {
                    to.add(p / 2 * MR + i).write(a.at(i, p).start.cast::<u32>().read_unaligned());
                }
            }
            pack::column_groups::<bf16, 2>(
                a.at(0, whole),
                rows,
                depth - whole,
                MR,
                to.add(whole / 2 * MR),
                bits,
            );
        }
    }

    /// # Safety
    /// The view holds the block and `to` the panel.
    #[expect(unsafe_code, reason = "raw panels")]
    pub(super) unsafe fn b(b: View<bf16>, depth: usize, cols: usize, to: *mut u32) {
        // SAFETY: vectors only where the block has two rows of 32.
        unsafe {
            let whole = if cols == NR { depth - depth % 2 } else { 0 };
            for p in (0..whole).step_by(2) {
                for j in (0..NR).step_by(8) {
                    pack_sse2::pairs(b.at(p, j).start.cast(), b.rows, to.add(p / 2 * NR + j));
                }
            }
            pack::line_groups::<bf16, 2>(
                b.at(whole, 0),
                depth - whole,
                cols,
                NR,
                to.add(whole / 2 * NR),
                bits,
            );
        }
    }
}

#[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
mod ops_i8 {
    use std::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn zero() -> __m512i {
        _mm512_setzero_si512()
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn load(from: *const u32) -> __m512i {
        // SAFETY: forwarded.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn splat(from: *const u32) -> __m512i {
        // SAFETY: forwarded.
        _mm512_set1_epi32(unsafe { *from }.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) fn fma(x: __m512i, y: __m512i, z: __m512i) -> __m512i {
        _mm512_dpbusd_epi32(z, x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn add(x: __m512i, y: __m512i) -> __m512i {
        _mm512_add_epi32(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn finish(value: __m512i, tail: *const u32) -> __m512i {
        // SAFETY: the panel ends with the corrections.
        _mm512_add_epi32(value, unsafe { _mm512_loadu_si512(tail.cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn get(from: *const i32) -> __m512i {
        // SAFETY: forwarded.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn put(to: *mut i32, value: __m512i) {
        // SAFETY: forwarded.
        unsafe { _mm512_storeu_si512(to.cast(), value) };
    }
}

#[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
mod ops_bf16 {
    use std::arch::x86_64::*;

    pub(super) use super::ops_i8::{load, splat};

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn zero() -> __m512 {
        _mm512_setzero_ps()
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) fn fma(x: __m512i, y: __m512i, z: __m512) -> __m512 {
        // SAFETY: both are 512 bits; the elements are pairs of bf16.
        let (x, y) = unsafe {
            (std::mem::transmute::<__m512i, __m512bh>(x), std::mem::transmute::<__m512i, __m512bh>(y))
        };
        _mm512_dpbf16_ps(z, x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn add(x: __m512, y: __m512) -> __m512 {
        _mm512_add_ps(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn finish(value: __m512, _tail: *const u32) -> __m512 {
        value
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn get(from: *const f32) -> __m512 {
        // SAFETY: forwarded.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn put(to: *mut f32, value: __m512) {
        // SAFETY: forwarded.
        unsafe { _mm512_storeu_ps(to, value) };
    }
}

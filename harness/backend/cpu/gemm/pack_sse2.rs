//! Packing with SSE2, which every x86-64 has: transposed rows for 6-row kernels, and interleaved
//! rows of B for the int8 and bf16 dot-product units.

use super::kernel::View;
use super::pack;
use std::arch::x86_64::*;

/// Rows of a tile of the AVX2 kernels.
const MR: usize = 6;

/// Packing in f32 for 6 x 16.
pub(super) mod f32 {
    use super::{MR, View, pack, transpose_f32};

    /// Packs `rows` x `depth` of A.
    ///
    /// # Safety
    /// The view holds the block and `to` the panel.
    #[expect(unsafe_code, reason = "raw panels")]
    pub(in super::super) unsafe fn a(a: View<f32>, rows: usize, depth: usize, to: *mut f32) {
        // SAFETY: the vector part takes only whole blocks of 6 rows and 4 steps.
        unsafe {
            let whole = if rows == MR && a.cols == 1 { depth - depth % 4 } else { 0 };
            for p in (0..whole).step_by(4) {
                transpose_f32(a.at(0, p), to.add(p * MR));
            }
            pack::columns(a.at(0, whole), rows, depth - whole, MR, to.add(whole * MR), |x| x);
        }
    }

    /// Packs `depth` x `cols` of B.
    ///
    /// # Safety
    /// As for [`a`].
    #[expect(unsafe_code, reason = "raw panels")]
    pub(in super::super) unsafe fn b(b: View<f32>, depth: usize, cols: usize, to: *mut f32) {
        // SAFETY: forwarded.
        unsafe { pack::lines(b, depth, cols, 16, to, 0.0, |x| x) }
    }
}

/// Packing in f64 for 6 x 8.
pub(super) mod f64 {
    use super::{MR, View, pack, transpose_f64};

    /// Packs `rows` x `depth` of A.
    ///
    /// # Safety
    /// The view holds the block and `to` the panel.
    #[expect(unsafe_code, reason = "raw panels")]
    pub(in super::super) unsafe fn a(a: View<f64>, rows: usize, depth: usize, to: *mut f64) {
        // SAFETY: the vector part takes only whole blocks of 6 rows and 2 steps.
        unsafe {
            let whole = if rows == MR && a.cols == 1 { depth - depth % 2 } else { 0 };
            for p in (0..whole).step_by(2) {
                transpose_f64(a.at(0, p), to.add(p * MR));
            }
            pack::columns(a.at(0, whole), rows, depth - whole, MR, to.add(whole * MR), |x| x);
        }
    }

    /// Packs `depth` x `cols` of B.
    ///
    /// # Safety
    /// As for [`a`].
    #[expect(unsafe_code, reason = "raw panels")]
    pub(in super::super) unsafe fn b(b: View<f64>, depth: usize, cols: usize, to: *mut f64) {
        // SAFETY: forwarded.
        unsafe { pack::lines(b, depth, cols, 8, to, 0.0, |x| x) }
    }
}

/// Six rows, four steps of k.
#[inline]
#[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
unsafe fn transpose_f32(a: View<f32>, to: *mut f32) {
    // SAFETY: the caller has six rows of four adjacent elements, and 24 elements to fill.
    unsafe {
        let row = |i: usize| _mm_loadu_ps(a.start.add(i * a.rows));
        let (mut r0, mut r1, mut r2, mut r3) = (row(0), row(1), row(2), row(3));
        _MM_TRANSPOSE4_PS(&mut r0, &mut r1, &mut r2, &mut r3);
        let low = _mm_unpacklo_ps(row(4), row(5));
        let high = _mm_unpackhi_ps(row(4), row(5));
        for (step, (four, two)) in
            [(r0, low), (r1, _mm_movehl_ps(low, low)), (r2, high), (r3, _mm_movehl_ps(high, high))]
                .into_iter()
                .enumerate()
        {
            let out = to.add(step * MR);
            _mm_storeu_ps(out, four);
            _mm_store_sd(out.add(4).cast(), _mm_castps_pd(two));
        }
    }
}

/// Six rows, two steps of k.
#[inline]
#[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
unsafe fn transpose_f64(a: View<f64>, to: *mut f64) {
    // SAFETY: the caller has six rows of two adjacent elements, and 12 elements to fill.
    unsafe {
        for i in (0..MR).step_by(2) {
            let upper = _mm_loadu_pd(a.start.add(i * a.rows));
            let lower = _mm_loadu_pd(a.start.add((i + 1) * a.rows));
            _mm_storeu_pd(to.add(i), _mm_unpacklo_pd(upper, lower));
            _mm_storeu_pd(to.add(MR + i), _mm_unpackhi_pd(upper, lower));
        }
    }
}

/// Four rows of 16 bytes as 16 quads, one of each row.
///
/// # Safety
/// 16 bytes at `from + 0..4 * stride`, 64 bytes at `to`.
#[inline]
#[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
pub(super) unsafe fn quads(from: *const i8, stride: usize, to: *mut u32) {
    // SAFETY: forwarded.
    unsafe {
        let row = |q: usize| _mm_loadu_si128(from.add(q * stride).cast());
        let (r0, r1, r2, r3) = (row(0), row(1), row(2), row(3));
        let (low01, high01) = (_mm_unpacklo_epi8(r0, r1), _mm_unpackhi_epi8(r0, r1));
        let (low23, high23) = (_mm_unpacklo_epi8(r2, r3), _mm_unpackhi_epi8(r2, r3));
        let out = [
            _mm_unpacklo_epi16(low01, low23),
            _mm_unpackhi_epi16(low01, low23),
            _mm_unpacklo_epi16(high01, high23),
            _mm_unpackhi_epi16(high01, high23),
        ];
        for (i, value) in out.into_iter().enumerate() {
            _mm_storeu_si128(to.add(4 * i).cast(), value);
        }
    }
}

/// Two rows of eight 16-bit values as eight pairs, one of each row.
///
/// # Safety
/// 16 bytes at `from` and `from + stride`, 32 bytes at `to`.
#[inline]
#[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
pub(super) unsafe fn pairs(from: *const u16, stride: usize, to: *mut u32) {
    // SAFETY: forwarded.
    unsafe {
        let upper = _mm_loadu_si128(from.cast());
        let lower = _mm_loadu_si128(from.add(stride).cast());
        _mm_storeu_si128(to.cast(), _mm_unpacklo_epi16(upper, lower));
        _mm_storeu_si128(to.add(4).cast(), _mm_unpackhi_epi16(upper, lower));
    }
}

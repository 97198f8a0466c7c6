//! Packing with AVX-512: A in panels of 14 rows, B in panels of two vectors.
//!
//! A transposed block read element by element costs 1-2 cycles each, which is 6-12 % of a
//! 512-cube; four (two) columns of 16 (8) rows at a time cost about 0.2.

use super::kernel::View;
use super::pack;
use std::arch::x86_64::*;

const MR: usize = 14;

/// Lines of B fetched ahead of the copy: rows lie a page or more apart, so the hardware does not.
const AHEAD: usize = 12;

macro_rules! pack_b {
    ($name:ident, $t:ty, $lanes:literal, $load:ident, $store:ident) => {
        /// Packs `depth` x `cols` of B, zero-padded to two vectors.
        ///
        /// # Safety
        /// AVX-512F; the view holds the block and `to` the panel.
        #[target_feature(enable = "avx512f")]
        #[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
        pub(super) unsafe fn $name(b: View<$t>, depth: usize, cols: usize, to: *mut $t) {
            let width = 2 * $lanes;
            // SAFETY: whole vectors only where the block has both; otherwise the scalar version.
            unsafe {
                if cols < width {
                    return pack::lines(b, depth, cols, width, to, 0.0, |x| x);
                }
                for p in 0..depth {
                    let from = b.start.add(p * b.rows);
                    let far = from.wrapping_add(AHEAD * b.rows).cast::<i8>();
                    _mm_prefetch::<_MM_HINT_T0>(far);
                    _mm_prefetch::<_MM_HINT_T0>(far.wrapping_add(64));
                    let step = to.add(p * width);
                    $store(step, $load(from));
                    $store(step.add($lanes), $load(from.add($lanes)));
                }
            }
        }
    };
}

pack_b!(b_f32, f32, 16, _mm512_loadu_ps, _mm512_storeu_ps);
pack_b!(b_f64, f64, 8, _mm512_loadu_pd, _mm512_storeu_pd);

/// Packs `rows` x `depth` of A in f32.
///
/// # Safety
/// AVX-512F; the view holds the block and `to` the panel.
#[target_feature(enable = "avx512f")]
#[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
pub(super) unsafe fn a_f32(a: View<f32>, rows: usize, depth: usize, to: *mut f32) {
    let mask = 0xffff_u16 >> (16 - rows.min(MR));
    // SAFETY: masked loads and stores touch `rows` elements a step; the transposing part reads
    // rows below `rows` only (the pointers are clamped) and four steps that exist.
    unsafe {
        if a.rows == 1 {
            for p in 0..depth {
                let from = a.start.add(p * a.cols);
                _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(16 * a.cols).cast::<i8>());
                _mm512_mask_storeu_ps(to.add(p * MR), mask, _mm512_maskz_loadu_ps(mask, from));
            }
            return;
        }
        let row: [*const f32; 16] = std::array::from_fn(|i| a.start.add(i.min(rows - 1) * a.rows));
        let whole = depth - depth % 4;
        for p in (0..whole).step_by(4) {
            let quad = |q: usize| {
                let lane = |l: usize| _mm_loadu_ps(row[4 * l + q].add(p));
                let x = _mm512_castps128_ps512(lane(0));
                let x = _mm512_insertf32x4::<1>(x, lane(1));
                let x = _mm512_insertf32x4::<2>(x, lane(2));
                _mm512_castps_pd(_mm512_insertf32x4::<3>(x, lane(3)))
            };
            let (x0, x1, x2, x3) = (quad(0), quad(1), quad(2), quad(3));
            let ps = |x| _mm512_castpd_ps(x);
            let pair = |x, y| {
                (
                    _mm512_castps_pd(_mm512_unpacklo_ps(ps(x), ps(y))),
                    _mm512_castps_pd(_mm512_unpackhi_ps(ps(x), ps(y))),
                )
            };
            let (low01, high01) = pair(x0, x1);
            let (low23, high23) = pair(x2, x3);
            let steps = [
                _mm512_unpacklo_pd(low01, low23),
                _mm512_unpackhi_pd(low01, low23),
                _mm512_unpacklo_pd(high01, high23),
                _mm512_unpackhi_pd(high01, high23),
            ];
            for (s, step) in steps.into_iter().enumerate() {
                _mm512_mask_storeu_ps(to.add((p + s) * MR), mask, ps(step));
            }
        }
        pack::columns(a.at(0, whole), rows, depth - whole, MR, to.add(whole * MR), |x| x);
    }
}

/// Packs `rows` x `depth` of A in f64.
///
/// # Safety
/// AVX-512F; the view holds the block and `to` the panel.
#[target_feature(enable = "avx512f")]
#[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
pub(super) unsafe fn a_f64(a: View<f64>, rows: usize, depth: usize, to: *mut f64) {
    let mask = 0xffff_u16 >> (16 - rows.min(MR));
    let (low, high) = (mask.to_le_bytes()[0], mask.to_le_bytes()[1]);
    // SAFETY: as in `a_f32`, two vectors a step.
    unsafe {
        if a.rows == 1 {
            for p in 0..depth {
                let from = a.start.add(p * a.cols);
                let step = to.add(p * MR);
                _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(16 * a.cols).cast::<i8>());
                _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(16 * a.cols + 8).cast::<i8>());
                _mm512_mask_storeu_pd(step, low, _mm512_maskz_loadu_pd(low, from));
                _mm512_mask_storeu_pd(step.add(8), high, _mm512_maskz_loadu_pd(high, from.wrapping_add(8)));
            }
            return;
        }
        let row: [*const f64; 16] = std::array::from_fn(|i| a.start.add(i.min(rows - 1) * a.rows));
        let whole = depth - depth % 2;
        for p in (0..whole).step_by(2) {
            for (half, mask) in [(0, low), (8, high)] {
                let pair = |q: usize| {
                    let lane = |l: usize| _mm_loadu_pd(row[half + 2 * l + q].add(p));
                    let x = _mm512_castpd128_pd512(lane(0));
                    fill_lanes(x, lane(1), lane(2), lane(3))
                };
                let (even, odd) = (pair(0), pair(1));
                let step = to.add(p * MR + half);
                _mm512_mask_storeu_pd(step, mask, _mm512_unpacklo_pd(even, odd));
                _mm512_mask_storeu_pd(step.add(MR), mask, _mm512_unpackhi_pd(even, odd));
            }
        }
        pack::columns(a.at(0, whole), rows, depth - whole, MR, to.add(whole * MR), |x| x);
    }
}

/// Fills lanes 1-3; the f32 form needs AVX-512F only, the f64 form AVX-512DQ.
#[target_feature(enable = "avx512f")]
fn fill_lanes(x: __m512d, one: __m128d, two: __m128d, three: __m128d) -> __m512d {
    let x = _mm512_castpd_ps(x);
    let x = _mm512_insertf32x4::<1>(x, _mm_castpd_ps(one));
    let x = _mm512_insertf32x4::<2>(x, _mm_castpd_ps(two));
    _mm512_castps_pd(_mm512_insertf32x4::<3>(x, _mm_castpd_ps(three)))
}

/// Packing in f32.
pub(super) mod f32 {
    pub(in super::super) use super::{a_f32 as a, b_f32 as b};
}

/// Packing in f64.
pub(super) mod f64 {
    pub(in super::super) use super::{a_f64 as a, b_f64 as b};
}

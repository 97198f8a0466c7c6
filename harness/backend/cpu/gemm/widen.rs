//! bf16 and f16 operands for an f32 kernel: widened while packing, so `emulated`.

use super::super::memory::Plain;
use super::kernel::{MicroKernel, Tile, View};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use std::marker::PhantomData;

/// Steps of k widened at a time: the strip (64 x 32 f32, 8 KiB) stays in the first-level cache.
const STRIP: usize = 64;
/// Most rows or columns of a panel of any f32 kernel.
const WIDEST: usize = 32;

/// A 16-bit float that widens exactly to f32.
pub(super) trait Half: Plain {
    /// Widens `from` into `to`, element by element.
    fn widen(from: &[Self], to: &mut [f32]);
}

impl Half for bf16 {
    fn widen(from: &[Self], to: &mut [f32]) {
        // Not `to_f32`: its test for NaN keeps the loop from becoming vector code.
        for (x, y) in from.iter().zip(to) {
            *y = f32::from_bits(u32::from(x.to_bits()) << 16);
        }
    }
}

impl Half for f16 {
    fn widen(from: &[Self], to: &mut [f32]) {
        let len = from.len().min(to.len());
        if let (Some(from), Some(to)) = (from.get(..len), to.get_mut(..len)) {
            from.convert_to_f32_slice(to);
        }
    }
}

/// Kernel `K` on operands of type `T`.
pub(super) struct Widen<T, K>(PhantomData<(T, K)>);

#[expect(unsafe_code, reason = "packs through raw panels")]
// SAFETY: packs strips of whole steps (KR is 1) exactly where `K` would; tiles are those of `K`.
unsafe impl<T: Half, K: MicroKernel<In = f32, Out = f32>> MicroKernel for Widen<T, K> {
    type In = T;
    type A = K::A;
    type B = K::B;
    type Out = f32;
    const MR: usize = K::MR;
    const NR: usize = K::NR;
    const KR: usize = K::KR;
    const DEPTH: usize = K::DEPTH;

    unsafe fn pack_a(a: View<T>, rows: usize, depth: usize, to: *mut K::A) {
        let mut strip = [0.0; STRIP * WIDEST];
        for p in (0..depth).step_by(STRIP) {
            let part = STRIP.min(depth - p);
            // SAFETY: the strip holds `rows` lines of `part`, or `part` lines of `rows`.
            unsafe {
                let view = if a.cols == 1 {
                    lines(a.at(0, p), a.rows, rows, part, STRIP, &mut strip);
                    View { start: strip.as_ptr(), rows: STRIP, cols: 1 }
                } else {
                    lines(a.at(0, p), a.cols, part, rows, WIDEST, &mut strip);
                    View { start: strip.as_ptr(), rows: 1, cols: WIDEST }
                };
                K::pack_a(view, rows, part, to.add(K::a_panel(p)));
            }
        }
    }

    unsafe fn pack_b(b: View<T>, depth: usize, cols: usize, to: *mut K::B) {
        let mut strip = [0.0; STRIP * WIDEST];
        for p in (0..depth).step_by(STRIP) {
            let part = STRIP.min(depth - p);
            // SAFETY: the strip holds `part` lines of `cols`.
            unsafe {
                lines(b.at(p, 0), b.rows, part, cols, WIDEST, &mut strip);
                let view = View { start: strip.as_ptr(), rows: WIDEST, cols: 1 };
                K::pack_b(view, part, cols, to.add(K::b_panel(p)));
            }
        }
    }

    unsafe fn tile(tile: Tile<K::A, K::B, f32>) {
        // SAFETY: forwarded.
        unsafe { K::tile(tile) }
    }
}

/// Widens `count` lines of `len` elements, `stride` apart, into lines of `width`.
///
/// # Safety
/// The lines lie in the operand.
#[expect(unsafe_code, reason = "raw operands")]
unsafe fn lines<T: Half>(
    from: View<T>,
    stride: usize,
    count: usize,
    len: usize,
    width: usize,
    to: &mut [f32],
) {
    for (line, out) in to.chunks_exact_mut(width).take(count).enumerate() {
        // SAFETY: the caller's promise.
        let values = unsafe { std::slice::from_raw_parts(from.start.add(line * stride), len) };
        T::widen(values, out);
    }
}

//! Kernels in plain Rust, 4 x 8, for any CPU: the compiler makes SSE2 or NEON code of the arrays.

use super::edge;
use super::kernel::{MicroKernel, Tile, View};
use super::pack;

const MR: usize = 4;
const NR: usize = 8;

macro_rules! portable {
    ($(#[$doc:meta])* $name:ident, $in:ty, $out:ty, $zero:expr, |$x:ident| $widen:expr, |$a:ident, $b:ident, $c:ident| $fma:expr) => {
        $(#[$doc])*
        pub(super) struct $name;

        #[expect(unsafe_code, reason = "packed panels behind raw pointers")]
        // SAFETY: packing writes MR or NR elements a step, the tile reads as many.
        unsafe impl MicroKernel for $name {
            type In = $in;
            type A = $out;
            type B = $out;
            type Out = $out;
            const MR: usize = MR;
            const NR: usize = NR;
            const KR: usize = 1;
            const DEPTH: usize = 256;

            unsafe fn pack_a(a: View<$in>, rows: usize, depth: usize, to: *mut $out) {
                // SAFETY: forwarded.
                unsafe { pack::columns(a, rows, depth, MR, to, |$x| $widen) }
            }

            unsafe fn pack_b(b: View<$in>, depth: usize, cols: usize, to: *mut $out) {
                // SAFETY: forwarded.
                unsafe { pack::lines(b, depth, cols, NR, to, $zero, |$x| $widen) }
            }

            unsafe fn tile(tile: Tile<$out, $out, $out>) {
                unsafe fn whole(tile: Tile<$out, $out, $out>) {
                    let mut acc = [[$zero; NR]; MR];
                    // SAFETY: the panels hold `depth` steps; C has `rows` rows of NR.
                    unsafe {
                        for p in 0..tile.depth {
                            let a = tile.a.add(p * MR).cast::<[$out; MR]>().read();
                            let b = tile.b.add(p * NR).cast::<[$out; NR]>().read();
                            for (row, $a) in acc.iter_mut().zip(a) {
                                for ($c, $b) in row.iter_mut().zip(b) {
                                    *$c = $fma;
                                }
                            }
                        }
                        for (i, row) in acc.iter().take(tile.rows).enumerate() {
                            let to = tile.c.add(i * tile.stride);
                            for (j, &value) in row.iter().enumerate() {
                                let to = to.add(j);
                                to.write(if tile.add { edge::Plus::plus(to.read(), value) } else { value });
                            }
                        }
                    }
                }
                // SAFETY: forwarded; the buffer holds MR rows of NR.
                unsafe {
                    if tile.cols == NR {
                        whole(tile);
                    } else {
                        edge::narrow::<$out, $out, $out, { MR * NR }>(tile, NR, whole);
                    }
                }
            }
        }
    };
}

portable!(
    /// f32; product and sum are rounded separately.
    F32, f32, f32, 0.0_f32, |x| x, |a, b, c| *c + a * b
);
portable!(
    /// f64; product and sum are rounded separately.
    F64, f64, f64, 0.0_f64, |x| x, |a, b, c| *c + a * b
);
portable!(
    /// int8 widened to int32 while packing.
    I8, i8, i32, 0_i32, |x| i32::from(x), |a, b, c| c.wrapping_add(a.wrapping_mul(b))
);

//! NEON kernels: f32 12 x 8 and f64 12 x 4. UNVERIFIED: never compiled or run on an Arm machine.
//!
//! 24 accumulators, two B vectors and one broadcast are 27 of 32 registers.

use super::kernel::{MicroKernel, Tile, View};
use super::vector::{float_ops, vector_kernel};

vector_kernel! {
    /// f32, 12 x 8.
    F32, rows rows_f32 12 [1 2 3 4 5 6 7 8 9 10 11], features "neon",
    input f32, packed f32, group 1, depth 256, output f32, lanes 4,
    tail 0, ahead_b 0, ops ops_f32, pack pack_f32
}

vector_kernel! {
    /// f64, 12 x 4.
    F64, rows rows_f64 12 [1 2 3 4 5 6 7 8 9 10 11], features "neon",
    input f64, packed f64, group 1, depth 256, output f64, lanes 2,
    tail 0, ahead_b 0, ops ops_f64, pack pack_f64
}

float_ops!(
    ops_f32,
    aarch64,
    "neon",
    f32,
    float32x4_t,
    vdupq_n_f32(0.0),
    vld1q_f32,
    vst1q_f32,
    vdupq_n_f32,
    vaddq_f32,
    |x, y, z| vfmaq_f32(z, x, y)
);
float_ops!(
    ops_f64,
    aarch64,
    "neon",
    f64,
    float64x2_t,
    vdupq_n_f64(0.0),
    vld1q_f64,
    vst1q_f64,
    vdupq_n_f64,
    vaddq_f64,
    |x, y, z| vfmaq_f64(z, x, y)
);

macro_rules! scalar_pack {
    ($name:ident, $t:ty, $cols:literal) => {
        #[expect(unsafe_code, reason = "raw panels")]
        mod $name {
            use crate::backend::cpu::gemm::{kernel::View, pack};

            /// # Safety
            /// The view holds the block and `to` the panel.
            pub(super) unsafe fn a(a: View<$t>, rows: usize, depth: usize, to: *mut $t) {
                // SAFETY: forwarded.
                unsafe { pack::columns(a, rows, depth, 12, to, |x| x) }
            }

            /// # Safety
            /// The view holds the block and `to` the panel.
            pub(super) unsafe fn b(b: View<$t>, depth: usize, cols: usize, to: *mut $t) {
                // SAFETY: forwarded.
                unsafe { pack::lines(b, depth, cols, $cols, to, 0.0, |x| x) }
            }
        }
    };
}

scalar_pack!(pack_f32, f32, 8);
scalar_pack!(pack_f64, f64, 4);

//! Binary32 and binary64 kernels of aarch64. Compiled, never executed: no such machine was there.
//!
//! `fmla` overwrites its addend, so the step is `acc = acc + x * y`, not the contraction of x86-64.

use super::register_kernel::register_kernel;

register_kernel! {
    /// 128-bit fused multiply-add.
    fp32_neon {
        name: "fp32-neon", precision: Fp32, accumulate: Fp32, isa: Neon, native: true, features: "neon",
        vector: std::arch::aarch64::float32x4_t as vreg,
        elements: f32 as F32, lanes: 4, macs_per_lane: 1,
        starts: NearOne, chains: 24 of up_to_30,
        constants: { x: [f32; 4] = [FACTOR_F32; 4], y: [f32; 4] = [TERM_F32; 4] },
        scratch: [],
        step: ["fmla {a:v}.4s, {x:v}.4s, {y:v}.4s"],
    }
}

register_kernel! {
    /// 128-bit fused multiply-add.
    fp64_neon {
        name: "fp64-neon", precision: Fp64, accumulate: Fp64, isa: Neon, native: true, features: "neon",
        vector: std::arch::aarch64::float64x2_t as vreg,
        elements: f64 as F64, lanes: 2, macs_per_lane: 1,
        starts: NearOne, chains: 24 of up_to_30,
        constants: { x: [f64; 2] = [FACTOR; 2], y: [f64; 2] = [TERM; 2] },
        scratch: [],
        step: ["fmla {a:v}.2d, {x:v}.2d, {y:v}.2d"],
    }
}

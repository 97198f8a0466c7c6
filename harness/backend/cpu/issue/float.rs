//! Binary32 and binary64 kernels of x86-64: `acc = acc * FACTOR + TERM`.
//!
//! Chain counts are the sweep's plateau with a margin against both ends: 8 chains cover 4 cycles of latency on
//! two pipes, and two registers of 16 (AVX2) or 32 (AVX-512) hold the constants.

use super::register_kernel::register_kernel;

register_kernel! {
    /// Separate multiply and add, the only arithmetic that every x86-64 has.
    fp32_sse2 {
        name: "fp32-sse2", precision: Fp32, accumulate: Fp32, isa: Sse2, native: true, features: "sse2",
        vector: std::arch::x86_64::__m128 as xmm_reg,
        elements: f32 as F32, lanes: 4, macs_per_lane: 1,
        starts: NearOne, chains: 14 of up_to_16,
        constants: { x: [f32; 4] = [FACTOR_F32; 4], y: [f32; 4] = [TERM_F32; 4] },
        scratch: [],
        step: ["mulps {a}, {x}", "addps {a}, {y}"],
    }
}

register_kernel! {
    /// Separate multiply and add, the only arithmetic that every x86-64 has.
    fp64_sse2 {
        name: "fp64-sse2", precision: Fp64, accumulate: Fp64, isa: Sse2, native: true, features: "sse2",
        vector: std::arch::x86_64::__m128d as xmm_reg,
        elements: f64 as F64, lanes: 2, macs_per_lane: 1,
        starts: NearOne, chains: 14 of up_to_16,
        constants: { x: [f64; 2] = [FACTOR; 2], y: [f64; 2] = [TERM; 2] },
        scratch: [],
        step: ["mulpd {a}, {x}", "addpd {a}, {y}"],
    }
}

register_kernel! {
    /// 256-bit fused multiply-add.
    fp32_avx2 {
        name: "fp32-avx2-fma", precision: Fp32, accumulate: Fp32, isa: Avx2Fma, native: true, features: "avx2,fma",
        vector: std::arch::x86_64::__m256 as ymm_reg,
        elements: f32 as F32, lanes: 8, macs_per_lane: 1,
        starts: NearOne, chains: 12 of up_to_16,
        constants: { x: [f32; 8] = [FACTOR_F32; 8], y: [f32; 8] = [TERM_F32; 8] },
        scratch: [],
        step: ["vfmadd213ps {a}, {x}, {y}"],
    }
}

register_kernel! {
    /// 256-bit fused multiply-add.
    fp64_avx2 {
        name: "fp64-avx2-fma", precision: Fp64, accumulate: Fp64, isa: Avx2Fma, native: true, features: "avx2,fma",
        vector: std::arch::x86_64::__m256d as ymm_reg,
        elements: f64 as F64, lanes: 4, macs_per_lane: 1,
        starts: NearOne, chains: 12 of up_to_16,
        constants: { x: [f64; 4] = [FACTOR; 4], y: [f64; 4] = [TERM; 4] },
        scratch: [],
        step: ["vfmadd213pd {a}, {x}, {y}"],
    }
}

register_kernel! {
    /// 512-bit fused multiply-add.
    fp32_avx512 {
        name: "fp32-avx512f", precision: Fp32, accumulate: Fp32, isa: Avx512f, native: true, features: "avx512f",
        vector: std::arch::x86_64::__m512 as zmm_reg,
        elements: f32 as F32, lanes: 16, macs_per_lane: 1,
        starts: NearOne, chains: 24 of up_to_30,
        constants: { x: [f32; 16] = [FACTOR_F32; 16], y: [f32; 16] = [TERM_F32; 16] },
        scratch: [],
        step: ["vfmadd213ps {a}, {x}, {y}"],
    }
}

register_kernel! {
    /// 512-bit fused multiply-add.
    fp64_avx512 {
        name: "fp64-avx512f", precision: Fp64, accumulate: Fp64, isa: Avx512f, native: true, features: "avx512f",
        vector: std::arch::x86_64::__m512d as zmm_reg,
        elements: f64 as F64, lanes: 8, macs_per_lane: 1,
        starts: NearOne, chains: 24 of up_to_30,
        constants: { x: [f64; 8] = [FACTOR; 8], y: [f64; 8] = [TERM; 8] },
        scratch: [],
        step: ["vfmadd213pd {a}, {x}, {y}"],
    }
}

//! Binary16 and bfloat16 kernels of x86-64, native and emulated.

use super::register_kernel::register_kernel;

register_kernel! {
    /// Binary16 in and out: `vfmadd213ph` rounds the accumulator to binary16 at each step.
    fp16_avx512 {
        name: "fp16-avx512-fp16", precision: Fp16, accumulate: Fp16, isa: Avx512Fp16, native: true,
        features: "avx512f,avx512fp16",
        vector: std::arch::x86_64::__m512i as zmm_reg,
        elements: u16 as F16, lanes: 32, macs_per_lane: 1,
        starts: NearOne, chains: 24 of up_to_30,
        constants: { y: [u16; 32] = [TERM_F16; 32] },
        scratch: [],
        step: ["vfmadd213ph {a}, {a}, {y}"],
    }
}

register_kernel! {
    /// One operand is widened from binary16 for each multiply-add in binary32, as a converting GEMM does.
    fp16_f16c {
        name: "fp16-f16c", precision: Fp16, accumulate: Fp32, isa: F16c, native: false, features: "avx2,fma,f16c",
        vector: std::arch::x86_64::__m256 as ymm_reg,
        elements: f32 as F32, lanes: 8, macs_per_lane: 1,
        starts: NearOne, chains: 12 of up_to_16,
        constants: { x: [u16; 16] = [FACTOR_F16; 16], y: [f32; 8] = [TERM_F32; 8] },
        scratch: [wide],
        step: ["vcvtph2ps {wide}, {x:x}", "vfmadd213ps {a}, {wide}, {y}"],
    }
}

register_kernel! {
    /// Pairs of bfloat16 products added to binary32.
    bf16_avx512 {
        name: "bf16-avx512-bf16", precision: Bf16, accumulate: Fp32, isa: Avx512Bf16, native: true,
        features: "avx512f,avx512bf16",
        vector: std::arch::x86_64::__m512 as zmm_reg,
        elements: f32 as F32, lanes: 16, macs_per_lane: 2,
        starts: Whole, chains: 24 of up_to_30,
        constants: { x: [[u16; 2]; 16] = [BF16_LEFT; 16], y: [[u16; 2]; 16] = [BF16_RIGHT; 16] },
        scratch: [],
        step: ["vdpbf16ps {a}, {x}, {y}"],
    }
}

register_kernel! {
    /// The same pairs, one operand split by shift and mask; the other is widened beforehand, as packing does.
    bf16_avx2 {
        name: "bf16-avx2", precision: Bf16, accumulate: Fp32, isa: Avx2Fma, native: false, features: "avx2,fma",
        vector: std::arch::x86_64::__m256 as ymm_reg,
        elements: f32 as F32, lanes: 8, macs_per_lane: 2,
        starts: Whole, chains: 10 of up_to_16,
        constants: {
            x: [[u16; 2]; 8] = [BF16_LEFT; 8],
            high: [u32; 8] = [0xffff_0000; 8],
            y_low: [u32; 8] = [(BF16_RIGHT[0] as u32) << 16; 8],
            y_high: [u32; 8] = [(BF16_RIGHT[1] as u32) << 16; 8],
        },
        scratch: [wide],
        step: [
            "vpslld {wide}, {x}, 16",
            "vfmadd231ps {a}, {wide}, {y_low}",
            "vpand {wide}, {x}, {high}",
            "vfmadd231ps {a}, {wide}, {y_high}",
        ],
    }
}

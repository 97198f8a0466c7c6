//! int8 vector kernels of x86-64: unsigned by signed bytes, four products added to each 32-bit integer.

use super::register_kernel::register_kernel;

register_kernel! {
    /// 512-bit `vpdpbusd`.
    int8_avx512 {
        name: "int8-avx512-vnni", precision: Int8, accumulate: Int32, isa: Avx512Vnni, native: true,
        features: "avx512f,avx512vnni",
        vector: std::arch::x86_64::__m512i as zmm_reg,
        elements: i32 as I32, lanes: 16, macs_per_lane: 4,
        starts: Whole, chains: 24 of up_to_30,
        constants: { x: [[u8; 4]; 16] = [U8_LEFT; 16], y: [[i8; 4]; 16] = [I8_RIGHT; 16] },
        scratch: [],
        step: ["vpdpbusd {a}, {x}, {y}"],
    }
}

register_kernel! {
    /// 256-bit `vpdpbusd` in its VEX encoding, for cores without AVX-512.
    int8_avx {
        name: "int8-avx-vnni", precision: Int8, accumulate: Int32, isa: AvxVnni, native: true,
        features: "avx2,avxvnni",
        vector: std::arch::x86_64::__m256i as ymm_reg,
        elements: i32 as I32, lanes: 8, macs_per_lane: 4,
        starts: Whole, chains: 12 of up_to_16,
        constants: { x: [[u8; 4]; 8] = [U8_LEFT; 8], y: [[i8; 4]; 8] = [I8_RIGHT; 8] },
        scratch: [],
        step: ["{{vex}} vpdpbusd {a}, {x}, {y}"],
    }
}

register_kernel! {
    /// Three instructions for what `vpdpbusd` does in one; its 16-bit sums saturate beyond 7-bit operands.
    int8_avx2 {
        name: "int8-avx2", precision: Int8, accumulate: Int32, isa: Avx2, native: false, features: "avx2",
        vector: std::arch::x86_64::__m256i as ymm_reg,
        elements: i32 as I32, lanes: 8, macs_per_lane: 4,
        starts: Whole, chains: 10 of up_to_16,
        constants: {
            x: [[u8; 4]; 8] = [U7_LEFT; 8],
            y: [[i8; 4]; 8] = [I8_RIGHT_OF_U7; 8],
            ones: [i16; 16] = [1; 16],
        },
        scratch: [pairs],
        step: ["vpmaddubsw {pairs}, {x}, {y}", "vpmaddwd {pairs}, {pairs}, {ones}", "vpaddd {a}, {a}, {pairs}"],
    }
}

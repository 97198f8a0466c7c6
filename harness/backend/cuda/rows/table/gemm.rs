//! Dense products.

use super::have;
use crate::backend::cuda::rows::abi::Element;
use crate::backend::cuda::rows::source::{self, Source};
use crate::backend::cuda::rows::{Form, Gemm, GemmEngine, Row};
use crate::device::Unit;
use crate::precision::{Accumulate, Precision};
use crate::workload::Method;

const fn gemm(
    (name, precision, accumulate): (&'static str, Precision, Accumulate),
    (unit, source, registers): (Unit, Source, u32),
    form: Gemm,
    targets: &'static [u32],
    machine: &'static [(u32, &'static str)],
) -> Row {
    let form = Form::Gemm(form);
    Row { name, method: Method::Gemm, precision, accumulate, unit, source, form, targets, machine, registers }
}

const SIMT: (Unit, Source, u32) = (Unit::Vector, source::GEMM_SIMT, 144);
const MMA: (Unit, Source, u32) = (Unit::Matrix, source::GEMM_MMA, 255);
const WGMMA: (Unit, Source, u32) = (Unit::Matrix, source::GEMM_WGMMA, 168);

/// 128 x 128 tiles, 64 sums a thread.
const fn simt(name: &'static str, (precision, accumulate): (Precision, Accumulate), element: Element) -> Row {
    let form = Gemm {
        engine: GemmEngine::Simt,
        instruction: "",
        operand: element,
        result: element,
        block: [128, 128, 8],
        warps: [2, 4],
        k: 1,
        stages: 2,
    };
    let machine: &'static [(u32, &'static str)] =
        if matches!(element, Element::F64) { &[(0, "DFMA")] } else { &[(0, "FFMA")] };
    gemm((name, precision, accumulate), SIMT, form, have::ALL, machine)
}

/// 128 x 128 tiles, 64 bytes of K a stage; three stages are 48 KiB.
const fn tiles(instruction: &'static str, operand: Element, result: Element, k: u32) -> Gemm {
    Gemm {
        engine: GemmEngine::Mma,
        instruction,
        operand,
        result,
        block: [128, 128, 64 / operand.bytes()],
        warps: [2, 4],
        k,
        stages: 3,
    }
}

/// 128 x 256 tiles, 128 bytes of K a stage, two consumers of 64 rows; four stages are 192 KiB.
const fn fed(instruction: &'static str, operand: Element) -> Gemm {
    Gemm {
        engine: GemmEngine::Wgmma,
        instruction,
        operand,
        result: Element::F32,
        block: [128, 256, 64],
        warps: [2, 1],
        k: 16,
        stages: 4,
    }
}

pub(super) const GEMM: [Row; 11] = [
    Row { registers: 255, ..simt("flopgauge-simt-fp64", (Precision::Fp64, Accumulate::Fp64), Element::F64) },
    simt("flopgauge-simt-fp32", (Precision::Fp32, Accumulate::Fp32), Element::F32),
    gemm(
        ("flopgauge-mma-tf32", Precision::Tf32, Accumulate::Fp32),
        MMA,
        tiles("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", Element::F32, Element::F32, 8),
        have::AMPERE,
        &[(0, "HMMA.1688.F32.TF32")],
    ),
    gemm(
        ("flopgauge-mma-bf16", Precision::Bf16, Accumulate::Fp32),
        MMA,
        tiles("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", Element::Bf16, Element::F32, 16),
        have::AMPERE,
        &[(0, "HMMA.16816.F32.BF16")],
    ),
    gemm(
        ("flopgauge-mma-fp16", Precision::Fp16, Accumulate::Fp32),
        MMA,
        tiles("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", Element::F16, Element::F32, 16),
        have::AMPERE,
        &[(0, "HMMA.16816.F32")],
    ),
    gemm(
        ("flopgauge-mma-int8", Precision::Int8, Accumulate::Int32),
        MMA,
        tiles("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", Element::I8, Element::I32, 32),
        have::AMPERE,
        &[(0, "IMMA.16832.S8.S8")],
    ),
    gemm(
        ("flopgauge-mma-fp8e4m3", Precision::Fp8e4m3, Accumulate::Fp32),
        MMA,
        tiles("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32", Element::Byte, Element::F32, 32),
        have::FP8,
        &[(0, "QMMA.16832.F32.E4M3.E4M3")],
    ),
    gemm(
        ("flopgauge-mma-fp8e5m2", Precision::Fp8e5m2, Accumulate::Fp32),
        MMA,
        tiles("mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32", Element::Byte, Element::F32, 32),
        have::FP8,
        &[(0, "QMMA.16832.F32.E5M2.E5M2")],
    ),
    gemm(
        ("flopgauge-mma-fp6e3m2", Precision::Fp6, Accumulate::Fp32),
        MMA,
        // Each in a byte of its own, as the units take it.
        tiles(
            "mma.sync.aligned.kind::f8f6f4.m16n8k32.row.col.f32.e3m2.e3m2.f32",
            Element::Byte,
            Element::F32,
            32,
        ),
        have::BLOCK_SCALED,
        &[(0, "QMMA.16832.F32.E3M2.E3M2")],
    ),
    gemm(
        ("flopgauge-wgmma-bf16", Precision::Bf16, Accumulate::Fp32),
        WGMMA,
        fed("wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16", Element::Bf16),
        have::HOPPER,
        &[(0, "HGMMA.64x256x16.F32.BF16")],
    ),
    gemm(
        ("flopgauge-wgmma-fp16", Precision::Fp16, Accumulate::Fp32),
        WGMMA,
        fed("wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16", Element::F16),
        have::HOPPER,
        &[(0, "HGMMA.64x256x16.F32")],
    ),
];

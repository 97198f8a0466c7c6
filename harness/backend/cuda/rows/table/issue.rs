//! Issue-rate kernels whose warps compute in order: vector units and `mma.sync`.

use super::have;
use crate::backend::cuda::rows::abi::Element;
use crate::backend::cuda::rows::source;
use crate::backend::cuda::rows::{Fma, Form, Mma, Row};
use crate::device::Unit;
use crate::precision::{Accumulate, Precision};
use crate::workload::Method;

/// Instructions by the first compute capability that has them.
pub(super) type Machine = &'static [(u32, &'static str)];

const fn fma(
    name: &'static str,
    (precision, accumulate): (Precision, Accumulate),
    (element, instruction): (Element, &'static str),
    targets: &'static [u32],
    machine: Machine,
) -> Row {
    Row {
        name,
        method: Method::Issue,
        precision,
        accumulate,
        unit: Unit::Vector,
        source: source::FMA,
        form: Form::Fma(Fma { instruction, element, chains: 8, unroll: 8 }),
        targets,
        machine,
        registers: 32,
    }
}

const CONTRACT_F32: &str = "fma.rn.f32 %0, %0, %1, %2;";

pub(super) const FMA: [Row; 5] = [
    fma(
        "fma-fp64",
        (Precision::Fp64, Accumulate::Fp64),
        (Element::F64, "fma.rn.f64 %0, %0, %1, %2;"),
        have::ALL,
        &[(0, "DFMA")],
    ),
    fma(
        "fma-fp32",
        (Precision::Fp32, Accumulate::Fp32),
        (Element::F32, CONTRACT_F32),
        have::ALL,
        &[(0, "FFMA")],
    ),
    fma(
        "fma-fp32x2",
        (Precision::Fp32, Accumulate::Fp32),
        (Element::F32x2, "fma.rn.f32x2 %0, %0, %1, %2;"),
        have::PACKED,
        &[(0, "FFMA2")],
    ),
    fma(
        "fma-fp16x2",
        (Precision::Fp16, Accumulate::Fp16),
        (Element::F16x2, "fma.rn.f16x2 %0, %0, %0, %2;"),
        have::ALL,
        &[(0, "HFMA2")],
    ),
    fma(
        "fma-bf16x2",
        (Precision::Bf16, Accumulate::Bf16),
        (Element::Bf16x2, "fma.rn.bf16x2 %0, %0, %0, %2;"),
        have::AMPERE,
        &[(0, "HFMA2")],
    ),
];

/// Identity of a matrix row: name, operands, sums.
pub(super) type Identity = (&'static str, Precision, Accumulate);

const fn mma(
    (name, precision, accumulate): Identity,
    instruction: &'static str,
    (shape, words, container): ([u32; 3], [u32; 3], u32),
    targets: &'static [u32],
    machine: Machine,
) -> Row {
    let result = match accumulate {
        Accumulate::Fp64 => Element::F64,
        Accumulate::Fp32 | Accumulate::Bf16 => Element::F32,
        Accumulate::Fp16 => Element::F16x2,
        Accumulate::Int32 => Element::I32,
    };
    Row {
        name,
        method: Method::Issue,
        precision,
        accumulate,
        unit: Unit::Matrix,
        source: source::MMA,
        form: Form::Mma(Mma {
            instruction,
            shape,
            words,
            result,
            container,
            scale: None,
            tiles: [2, 4],
            unroll: 4,
        }),
        targets,
        machine,
        registers: 80,
    }
}

/// The same with a scale for each block of operands.
const fn scaled(row: Row, scale: u32) -> Row {
    match row.form {
        Form::Mma(form) => Row { form: Form::Mma(Mma { scale: Some(scale), ..form }), ..row },
        _ => row,
    }
}

/// 16x8 with four words of A, two of B, four of D.
const WORDS: [u32; 3] = [4, 2, 4];
const K8: ([u32; 3], [u32; 3], u32) = ([16, 8, 8], WORDS, 32);
const K16: ([u32; 3], [u32; 3], u32) = ([16, 8, 16], WORDS, 16);
const K32: ([u32; 3], [u32; 3], u32) = ([16, 8, 32], WORDS, 8);
const K64: ([u32; 3], [u32; 3], u32) = ([16, 8, 64], WORDS, 4);
/// One in the scale format UE8M0, and in UE4M3; four times.
pub(super) const ONE_UE8M0: u32 = 0x7f7f_7f7f;
pub(super) const ONE_UE4M3: u32 = 0x3838_3838;

use Accumulate as A;
use Precision as P;

pub(super) const MMA: [Row; 20] = [
    mma(
        ("mma-fp64", P::Fp64, A::Fp64),
        "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64",
        ([8, 8, 4], [1, 1, 2], 64),
        have::FP64,
        &[(0, "DMMA.884"), (90, "DMMA.8x8x4")],
    ),
    Row {
        // Two fragments of 8 doubles for each of two tiles, and eight sums of 4.
        registers: 240,
        ..mma(
            ("mma-fp64-k16", P::Fp64, A::Fp64),
            "mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64",
            ([16, 8, 16], [8, 4, 4], 64),
            have::HOPPER,
            &[(0, "DMMA.16x8x16")],
        )
    },
    mma(
        ("mma-tf32", P::Tf32, A::Fp32),
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32",
        K8,
        have::AMPERE,
        &[(0, "HMMA.1688.F32.TF32")],
    ),
    mma(
        ("mma-bf16", P::Bf16, A::Fp32),
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32",
        K16,
        have::AMPERE,
        &[(0, "HMMA.16816.F32.BF16")],
    ),
    mma(
        ("mma-fp16", P::Fp16, A::Fp32),
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32",
        K16,
        have::AMPERE,
        &[(0, "HMMA.16816.F32")],
    ),
    mma(
        ("mma-fp16-acc16", P::Fp16, A::Fp16),
        "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16",
        ([16, 8, 16], [4, 2, 2], 16),
        have::AMPERE,
        &[(0, "HMMA.16816.F16")],
    ),
    mma(
        ("mma-fp16-k8", P::Fp16, A::Fp32),
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32",
        ([16, 8, 8], [2, 1, 4], 16),
        have::TURING,
        &[(0, "HMMA.1688.F32")],
    ),
    mma(
        ("mma-fp16-k8-acc16", P::Fp16, A::Fp16),
        "mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16",
        ([16, 8, 8], [2, 1, 2], 16),
        have::TURING,
        &[(0, "HMMA.1688.F16")],
    ),
    mma(
        ("mma-fp8e4m3", P::Fp8e4m3, A::Fp32),
        "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32",
        K32,
        have::FP8,
        &[(0, "QMMA.16832.F32.E4M3.E4M3")],
    ),
    mma(
        ("mma-fp8e5m2", P::Fp8e5m2, A::Fp32),
        "mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32",
        K32,
        have::FP8,
        &[(0, "QMMA.16832.F32.E5M2.E5M2")],
    ),
    mma(
        ("mma-fp8e4m3-acc16", P::Fp8e4m3, A::Fp16),
        "mma.sync.aligned.m16n8k32.row.col.f16.e4m3.e4m3.f16",
        ([16, 8, 32], [4, 2, 2], 8),
        have::FP8,
        &[(0, "QMMA.16832.F16.E4M3.E4M3")],
    ),
    mma(
        ("mma-fp8e5m2-acc16", P::Fp8e5m2, A::Fp16),
        "mma.sync.aligned.m16n8k32.row.col.f16.e5m2.e5m2.f16",
        ([16, 8, 32], [4, 2, 2], 8),
        have::FP8,
        &[(0, "QMMA.16832.F16.E5M2.E5M2")],
    ),
    mma(
        ("mma-fp6e3m2", P::Fp6, A::Fp32),
        "mma.sync.aligned.kind::f8f6f4.m16n8k32.row.col.f32.e3m2.e3m2.f32",
        K32,
        have::BLOCK_SCALED,
        &[(0, "QMMA.16832.F32.E3M2.E3M2")],
    ),
    scaled(
        mma(
            ("mma-mxfp8", P::Fp8e4m3, A::Fp32),
            "mma.sync.aligned.kind::mxf8f6f4.block_scale.scale_vec::1X.m16n8k32.row.col.f32.e4m3.e4m3.f32.ue8m0",
            K32,
            have::BLOCK_SCALED,
            &[(0, "QMMA.SF.16832.F32.E4M3.E4M3")],
        ),
        ONE_UE8M0,
    ),
    scaled(
        mma(
            ("mma-mxfp4", P::Fp4, A::Fp32),
            "mma.sync.aligned.kind::mxf4.block_scale.scale_vec::2X.m16n8k64.row.col.f32.e2m1.e2m1.f32.ue8m0",
            K64,
            have::BLOCK_SCALED,
            &[(0, "OMMA.SF.16864.F32.E2M1.E2M1")],
        ),
        ONE_UE8M0,
    ),
    scaled(
        mma(
            ("mma-nvfp4", P::Fp4, A::Fp32),
            "mma.sync.aligned.kind::mxf4nvf4.block_scale.scale_vec::4X.m16n8k64.row.col.f32.e2m1.e2m1.f32.ue4m3",
            K64,
            have::BLOCK_SCALED,
            &[(0, "OMMA.SF.16864.F32.E2M1.E2M1")],
        ),
        ONE_UE4M3,
    ),
    mma(
        ("mma-int8", P::Int8, A::Int32),
        "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32",
        K32,
        have::AMPERE,
        &[(0, "IMMA.16832.S8.S8")],
    ),
    mma(
        ("mma-int8-k16", P::Int8, A::Int32),
        "mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32",
        ([8, 8, 16], [1, 1, 2], 8),
        have::TURING,
        &[(0, "IMMA.8816.S8.S8")],
    ),
    mma(
        ("mma-int4", P::Int4, A::Int32),
        "mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32",
        K64,
        have::INT4,
        &[(0, "IMMA.16864.S4.S4")],
    ),
    mma(
        ("mma-int4-k32", P::Int4, A::Int32),
        "mma.sync.aligned.m8n8k32.row.col.s32.s4.s4.s32",
        ([8, 8, 32], [1, 1, 2], 4),
        have::TURING,
        &[(0, "IMMA.8832.S4.S4")],
    ),
];

//! Issue-rate kernels of the asynchronous matrix units: a warpgroup's from sm_90a, and tensor memory's from sm_100a.

use super::have;
use super::issue::{Identity, Machine, ONE_UE4M3, ONE_UE8M0};
use crate::backend::cuda::rows::abi::Element;
use crate::backend::cuda::rows::source;
use crate::backend::cuda::rows::{Form, Row, Tcgen05, Wgmma};
use crate::device::Unit;
use crate::precision::{Accumulate as A, Precision as P};
use crate::workload::Method;

const fn wgmma(
    (name, precision, accumulate): Identity,
    (instruction, immediates, k): (&'static str, &'static str, u32),
    machine: Machine,
) -> Row {
    let result = if matches!(accumulate, A::Int32) { Element::I32 } else { Element::F32 };
    Row {
        name,
        method: Method::Issue,
        precision,
        accumulate,
        unit: Unit::Matrix,
        source: source::WGMMA,
        form: Form::Wgmma(Wgmma { instruction, immediates, k, result, unroll: 8 }),
        targets: have::HOPPER,
        machine,
        registers: 176,
    }
}

/// Neither operand negated; neither transposed, where the format can be.
const KEEP: &str = ", 1, 1";
const KEEP_ORDER: &str = ", 1, 1, 0, 0";

pub(super) const WGMMA: [Row; 6] = [
    wgmma(
        ("wgmma-tf32", P::Tf32, A::Fp32),
        ("wgmma.mma_async.sync.aligned.m64n256k8.f32.tf32.tf32", KEEP, 8),
        &[(0, "HGMMA.64x256x8.F32.TF32")],
    ),
    wgmma(
        ("wgmma-bf16", P::Bf16, A::Fp32),
        ("wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16", KEEP_ORDER, 16),
        &[(0, "HGMMA.64x256x16.F32.BF16")],
    ),
    wgmma(
        ("wgmma-fp16", P::Fp16, A::Fp32),
        ("wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16", KEEP_ORDER, 16),
        &[(0, "HGMMA.64x256x16.F32")],
    ),
    wgmma(
        ("wgmma-fp8e4m3", P::Fp8e4m3, A::Fp32),
        ("wgmma.mma_async.sync.aligned.m64n256k32.f32.e4m3.e4m3", KEEP, 32),
        &[(0, "QGMMA.64x256x32.F32.E4M3.E4M3")],
    ),
    wgmma(
        ("wgmma-fp8e5m2", P::Fp8e5m2, A::Fp32),
        ("wgmma.mma_async.sync.aligned.m64n256k32.f32.e5m2.e5m2", KEEP, 32),
        &[(0, "QGMMA.64x256x32.F32.E5M2.E5M2")],
    ),
    wgmma(
        ("wgmma-int8", P::Int8, A::Int32),
        ("wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8", "", 32),
        &[(0, "IGMMA.64x256x32.S8.S8")],
    ),
];

/// Instruction descriptor: format of D at bit 4, of A at 7, of B at 10, N / 8 at 17, M / 16 at 24. Dense, K-major.
///
/// **Source**: PTX ISA 9.7.16.4.2, instruction descriptors of every kind, read in a copy.
const fn descriptor(d: u32, operand: u32) -> u32 {
    d << 4
        | operand << 7
        | operand << 10
        | (Tcgen05::EXTENTS[1] >> 3) << 17
        | (Tcgen05::EXTENTS[0] >> 4) << 24
}

const fn tcgen05(
    (name, precision, accumulate): Identity,
    (kind, descriptor, k): (&'static str, u32, u32),
    targets: &'static [u32],
    machine: Machine,
) -> Row {
    let result = if matches!(accumulate, A::Int32) { Element::I32 } else { Element::F32 };
    Row {
        name,
        method: Method::Issue,
        precision,
        accumulate,
        unit: Unit::Matrix,
        source: source::TCGEN05,
        form: Form::Tcgen05(Tcgen05 { kind, descriptor, k, result, scale: None, unroll: 8 }),
        targets,
        machine,
        registers: 80,
    }
}

/// The same with scales of blocks.
const fn block_scaled(row: Row, scale: u32) -> Row {
    match row.form {
        Form::Tcgen05(form) => Row { form: Form::Tcgen05(Tcgen05 { scale: Some(scale), ..form }), ..row },
        _ => row,
    }
}

/// Format of D: binary32, 32-bit integer.
const F32: u32 = 1;
const S32: u32 = 2;
/// In a block-scaled descriptor D is binary32 always; E2M1 is 1 at 7 and 10; bit 23 says UE8M0, else UE4M3.
const fn scaled_descriptor(ue8m0: u32) -> u32 {
    1 << 7 | 1 << 10 | (Tcgen05::EXTENTS[1] >> 3) << 17 | ue8m0 << 23 | (Tcgen05::EXTENTS[0] >> 7) << 27
}

pub(super) const TCGEN05: [Row; 9] = [
    tcgen05(
        ("tcgen05-tf32", P::Tf32, A::Fp32),
        ("kind::tf32", descriptor(F32, 2), 8),
        have::TENSOR_MEMORY,
        &[(0, "UTCHMMA")],
    ),
    tcgen05(
        ("tcgen05-bf16", P::Bf16, A::Fp32),
        ("kind::f16", descriptor(F32, 1), 16),
        have::TENSOR_MEMORY,
        &[(0, "UTCHMMA")],
    ),
    tcgen05(
        ("tcgen05-fp16", P::Fp16, A::Fp32),
        ("kind::f16", descriptor(F32, 0), 16),
        have::TENSOR_MEMORY,
        &[(0, "UTCHMMA")],
    ),
    tcgen05(
        ("tcgen05-fp8e4m3", P::Fp8e4m3, A::Fp32),
        ("kind::f8f6f4", descriptor(F32, 0), 32),
        have::TENSOR_MEMORY,
        &[(0, "UTCQMMA")],
    ),
    tcgen05(
        ("tcgen05-fp8e5m2", P::Fp8e5m2, A::Fp32),
        ("kind::f8f6f4", descriptor(F32, 1), 32),
        have::TENSOR_MEMORY,
        &[(0, "UTCQMMA")],
    ),
    tcgen05(
        ("tcgen05-fp6e3m2", P::Fp6, A::Fp32),
        ("kind::f8f6f4", descriptor(F32, 4), 32),
        have::TENSOR_MEMORY,
        &[(0, "UTCQMMA")],
    ),
    block_scaled(
        tcgen05(
            ("tcgen05-mxfp4", P::Fp4, A::Fp32),
            ("kind::mxf4.block_scale.scale_vec::2X", scaled_descriptor(1), 64),
            have::TENSOR_MEMORY,
            &[(0, "UTCOMMA")],
        ),
        ONE_UE8M0,
    ),
    block_scaled(
        tcgen05(
            ("tcgen05-nvfp4", P::Fp4, A::Fp32),
            ("kind::mxf4nvf4.block_scale.scale_vec::4X", scaled_descriptor(0), 64),
            have::TENSOR_MEMORY,
            &[(0, "UTCOMMA")],
        ),
        ONE_UE4M3,
    ),
    tcgen05(
        ("tcgen05-int8", P::Int8, A::Int32),
        ("kind::i8", descriptor(S32, 1), 32),
        have::TENSOR_INT8,
        &[(0, "UTCIMMA")],
    ),
];

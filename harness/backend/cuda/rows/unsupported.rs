//! Formats without a native unit, and why: these get a reason and never a figure.

use super::{ROWS, Target};
use crate::precision::Precision;
use crate::workload::Method;

/// A format that an architecture has no unit for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported {
    /// Format of the operands.
    pub precision: Precision,
    /// Why.
    pub reason: &'static str,
}

/// Formats by compute capability, first to last, that have no unit there.
const LACKING: [(Precision, u32, u32, &str); 7] = [
    (Precision::Tf32, 0, 75, "tf32 begins with compute capability 8.0"),
    (Precision::Bf16, 0, 75, "bfloat16 begins with compute capability 8.0"),
    (Precision::Fp8e4m3, 0, 87, "fp8 begins with compute capability 8.9"),
    (Precision::Fp8e5m2, 0, 87, "fp8 begins with compute capability 8.9"),
    (Precision::Fp6, 0, 90, "fp6 begins with compute capability 10.0"),
    (Precision::Fp4, 0, 90, "fp4 begins with compute capability 10.0"),
    (Precision::Int4, 90, 999, "4-bit integers are emulated by a routine from compute capability 9.0 on"),
];

/// Products that no kernel of the table makes though there are units for them.
const NO_PRODUCT: [(Precision, u32, u32, &str); 7] = [
    (Precision::Fp16, 75, 75, "products by matrix units are built in from compute capability 8.0 on"),
    (Precision::Int8, 75, 75, "products by matrix units are built in from compute capability 8.0 on"),
    (
        Precision::Fp8e4m3,
        90,
        110,
        "the built-in fp8 product is of warp-wide instructions, which compute capabilities 9.0 to 11.0 emulate",
    ),
    (
        Precision::Fp8e5m2,
        90,
        110,
        "the built-in fp8 product is of warp-wide instructions, which compute capabilities 9.0 to 11.0 emulate",
    ),
    (
        Precision::Fp6,
        100,
        110,
        "the built-in fp6 product is of warp-wide instructions, which compute capabilities 10.x and 11.0 lack",
    ),
    (
        Precision::Fp4,
        100,
        999,
        "no fp4 product is built in, on any compute capability: two codes share a byte",
    ),
    (
        Precision::Int4,
        75,
        89,
        "no int4 product is built in, on any compute capability: two numbers share a byte",
    ),
];

/// Why no kernel of this table gives this figure here; `None` where one does.
pub fn unsupported(target: &Target, precision: Precision, method: Method) -> Option<Unsupported> {
    let here = |row: &&super::Row| row.precision == precision && row.method == method && row.runs_on(target);
    if method == Method::Copy || ROWS.iter().any(|row| here(&row)) {
        return None;
    }
    let products = NO_PRODUCT.iter().filter(|_| method == Method::Gemm);
    let known = LACKING
        .iter()
        .chain(products)
        .find(|(format, from, to, _)| *format == precision && (*from..=*to).contains(&target.capability));
    let reason =
        known.map_or("no kernel of ours multiplies this format by a matrix unit", |(.., reason)| reason);
    Some(Unsupported { precision, reason })
}

#[cfg(test)]
mod tests {
    use super::super::TARGETS;
    use super::*;
    use crate::device::Unit;

    #[test]
    fn every_format_has_a_kernel_or_a_reason_everywhere() {
        for target in &TARGETS {
            for (precision, method) in
                Precision::ALL.into_iter().flat_map(|p| [(p, Method::Issue), (p, Method::Gemm)])
            {
                let row = ROWS
                    .iter()
                    .any(|row| row.precision == precision && row.method == method && row.runs_on(target));
                let reason = unsupported(target, precision, method);
                assert_eq!(row, reason.is_none(), "{method} of {precision} on {}", target.name);
                let known = reason.is_none_or(|reason| reason.reason.contains("compute capabilit"));
                assert!(known, "{method} of {precision} on {}: {reason:?}", target.name);
            }
        }
    }

    /// Kernel of the matrix units by format and architecture; none where a reason stands.
    fn matrix_kernel(precision: Precision, capability: u32) -> Option<&'static str> {
        use Precision as P;
        // Formats that the tensor memory's units have under a name of their own.
        let tensor = (100..=110).contains(&capability);
        Some(match (precision, capability) {
            (P::Fp64, 75) | (P::Tf32 | P::Bf16, 75) | (P::Fp32, _) => return None,
            (P::Fp64, 90) => "mma-fp64-k16",
            (P::Fp64, _) => "mma-fp64",
            (P::Fp16, 75) => "mma-fp16-k8",
            (P::Int8, 75) => "mma-int8-k16",
            (P::Int4, 75) => "mma-int4-k32",
            (P::Int4, 80..=89) => "mma-int4",
            (P::Int4, _) => return None,
            // Its tensor memory has no integers.
            (P::Int8, 103 | 107) => "mma-int8",
            (P::Fp8e4m3 | P::Fp8e5m2, 0..=87) | (P::Fp6 | P::Fp4, 0..=90) => return None,
            (P::Tf32, 90) => "wgmma-tf32",
            (P::Bf16, 90) => "wgmma-bf16",
            (P::Fp16, 90) => "wgmma-fp16",
            (P::Fp8e4m3, 90) => "wgmma-fp8e4m3",
            (P::Fp8e5m2, 90) => "wgmma-fp8e5m2",
            (P::Int8, 90) => "wgmma-int8",
            (P::Tf32, _) if tensor => "tcgen05-tf32",
            (P::Bf16, _) if tensor => "tcgen05-bf16",
            (P::Fp16, _) if tensor => "tcgen05-fp16",
            (P::Fp8e4m3, _) if tensor => "tcgen05-fp8e4m3",
            (P::Fp8e5m2, _) if tensor => "tcgen05-fp8e5m2",
            (P::Fp6, _) if tensor => "tcgen05-fp6e3m2",
            (P::Fp4, _) if tensor => "tcgen05-nvfp4",
            (P::Int8, _) if tensor => "tcgen05-int8",
            (P::Tf32, _) => "mma-tf32",
            (P::Bf16, _) => "mma-bf16",
            (P::Fp16, _) => "mma-fp16",
            (P::Fp8e4m3, _) => "mma-fp8e4m3",
            (P::Fp8e5m2, _) => "mma-fp8e5m2",
            (P::Fp6, _) => "mma-fp6e3m2",
            (P::Fp4, _) => "mma-nvfp4",
            (P::Int8, _) => "mma-int8",
        })
    }

    #[test]
    fn the_matrix_units_of_every_architecture_have_the_kernel_that_reaches_them() {
        for target in &TARGETS {
            for precision in Precision::ALL {
                let here = |row: &&super::super::Row| {
                    row.precision == precision && row.method == Method::Issue && row.unit == Unit::Matrix
                };
                let rows: Vec<&str> =
                    ROWS.iter().filter(here).filter(|row| row.runs_on(target)).map(|row| row.name).collect();
                match matrix_kernel(precision, target.capability) {
                    Some(name) => assert!(rows.contains(&name), "{precision} on {}: {rows:?}", target.name),
                    None => assert!(rows.is_empty(), "{precision} on {}: {rows:?}", target.name),
                }
            }
        }
    }

    #[test]
    fn the_vector_units_of_every_architecture_have_the_kernels_that_are_native_there() {
        for target in &TARGETS {
            let here = |row: &&super::super::Row| row.method == Method::Issue && row.unit == Unit::Vector;
            let found: Vec<&str> =
                ROWS.iter().filter(here).filter(|row| row.runs_on(target)).map(|row| row.name).collect();
            let mut wanted = vec!["fma-fp64", "fma-fp32", "fma-fp16x2"];
            if target.capability >= 80 {
                wanted.push("fma-bf16x2");
            }
            // Elsewhere the assembler splits it into two.
            if [100, 103, 107].contains(&target.capability) {
                wanted.push("fma-fp32x2");
            }
            wanted.sort_unstable();
            let mut found = found;
            found.sort_unstable();
            assert_eq!(found, wanted, "{}", target.name);
        }
    }

    #[test]
    fn fp8_by_warp_wide_instructions_is_offered_only_where_it_is_native() {
        for row in ROWS.iter().filter(|row| row.name.starts_with("mma-fp8")) {
            for target in TARGETS.iter().filter(|target| row.runs_on(target)) {
                assert!([89, 120, 121].contains(&target.capability), "{} on {}", row.name, target.name);
            }
        }
    }
}

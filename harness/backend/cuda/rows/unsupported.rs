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

/// Reasons by format and compute capability, first to last.
const REASONS: [(Precision, u32, u32, &str); 7] = [
    (Precision::Tf32, 0, 75, "tf32 begins with compute capability 8.0"),
    (Precision::Bf16, 0, 75, "bfloat16 begins with compute capability 8.0"),
    (Precision::Fp8e4m3, 0, 87, "fp8 begins with compute capability 8.9"),
    (Precision::Fp8e5m2, 0, 87, "fp8 begins with compute capability 8.9"),
    (Precision::Fp6, 0, 90, "fp6 begins with compute capability 10.0"),
    (Precision::Fp4, 0, 90, "fp4 begins with compute capability 10.0"),
    (Precision::Int4, 90, 999, "4-bit integers are emulated by a routine from compute capability 9.0 on"),
];

/// Why no kernel of this table gives this figure here; `None` where one does.
pub fn unsupported(target: &Target, precision: Precision, method: Method) -> Option<Unsupported> {
    let here = |row: &&super::Row| row.precision == precision && row.method == method && row.runs_on(target);
    if ROWS.iter().any(|row| here(&row)) {
        return None;
    }
    let known = REASONS
        .iter()
        .find(|(format, from, to, _)| *format == precision && (*from..=*to).contains(&target.capability));
    let reason =
        known.map_or("no kernel of ours multiplies this format by a matrix unit", |(.., reason)| reason);
    Some(Unsupported { precision, reason })
}

#[cfg(test)]
mod tests {
    use super::super::TARGETS;
    use super::*;

    #[test]
    fn every_format_has_an_issue_kernel_or_a_reason_everywhere() {
        for target in &TARGETS {
            for precision in Precision::ALL {
                let row = ROWS.iter().any(|row| {
                    row.precision == precision && row.method == Method::Issue && row.runs_on(target)
                });
                let reason = unsupported(target, precision, Method::Issue);
                assert_eq!(row, reason.is_none(), "{precision} on {}", target.name);
                let known = reason.is_none_or(|reason| reason.reason.contains("compute capability"));
                assert!(known, "{precision} on {}: {reason:?}", target.name);
            }
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

//! Within one device, a narrower format is never slower; where one is, the figures were mixed up.

use super::{Context, TableFinding, TableRow, shown};
use crate::device::{Severity, Unit};
use crate::precision::{Accumulate, Precision};

/// Architectures whose int8 path was almost removed.
const WITHOUT_INT8: &str = "10.3";

/// A row that another rule found wrong in size is no measure for the others of its device.
pub(super) fn check(context: &Context<'_>, found: &[TableFinding]) -> Vec<TableFinding> {
    let wrong = |line: u64| {
        found.iter().any(|f| f.line == line && f.severity == Severity::Error && f.precision.is_some())
    };
    let sound = |row: &TableRow| !wrong(row.line);
    let devices = context.devices();
    devices
        .iter()
        .flat_map(|rows| [narrower(rows, &sound), integer(rows, &sound), vector(rows)].concat())
        .collect()
}

fn best<'a>(rows: &[&'a TableRow], precision: Precision, accumulate: Accumulate) -> Option<&'a TableRow> {
    let fits = |row: &&&TableRow| {
        row.format.precision == precision && row.accumulate == accumulate && !row.format.variant
    };
    rows.iter().filter(fits).max_by(|a, b| a.peak_op_per_s.total_cmp(&b.peak_op_per_s)).copied()
}

/// fp4 >= fp8 >= bf16 and fp16 >= tf32 >= fp32 into the same accumulator.
fn narrower(rows: &[&TableRow], sound: &dyn Fn(&TableRow) -> bool) -> Vec<TableFinding> {
    let steps = [
        (Precision::Fp4, Precision::Fp8e4m3),
        (Precision::Fp8e4m3, Precision::Bf16),
        (Precision::Fp8e4m3, Precision::Fp16),
        (Precision::Bf16, Precision::Tf32),
        (Precision::Fp16, Precision::Tf32),
        (Precision::Tf32, Precision::Fp32),
        (Precision::Bf16, Precision::Fp32),
        (Precision::Fp16, Precision::Fp32),
    ];
    let slower = |(narrow, wide): (Precision, Precision)| {
        let narrow = best(rows, narrow, Accumulate::Fp32)?;
        let wide = best(rows, wide, Accumulate::Fp32)?;
        if narrow.peak_op_per_s >= wide.peak_op_per_s * 0.99 || !sound(wide) {
            return None;
        }
        let at_least = shown(wide.peak_op_per_s, wide.format.precision);
        let text = format!(
            "{} at {} is slower than {} at {at_least}",
            narrow.dtype,
            shown(narrow.peak_op_per_s, narrow.format.precision),
            wide.dtype
        );
        Some(narrow.finding(Severity::Error, "ordering", text, Some(format!("at least {at_least}"))))
    };
    steps.into_iter().filter_map(slower).collect()
}

fn integer(rows: &[&TableRow], sound: &dyn Fn(&TableRow) -> bool) -> Vec<TableFinding> {
    let int8 = best(rows, Precision::Int8, Accumulate::Int32);
    let half = [Precision::Fp16, Precision::Bf16].into_iter().find_map(|p| best(rows, p, Accumulate::Fp32));
    let (Some(int8), Some(half)) = (int8, half) else { return Vec::new() };
    let slower = int8.peak_op_per_s < half.peak_op_per_s * 0.99;
    if !slower || int8.architecture == WITHOUT_INT8 || !sound(half) {
        return Vec::new();
    }
    let least = shown(half.peak_op_per_s, Precision::Int8);
    let text = format!(
        "int8 at {} is slower than {} at {}; right on architecture {WITHOUT_INT8} only",
        shown(int8.peak_op_per_s, Precision::Int8),
        half.dtype,
        shown(half.peak_op_per_s, half.format.precision)
    );
    vec![int8.finding(Severity::Error, "int8-below-16-bit", text, Some(format!("at least {least}")))]
}

/// A 16-bit matrix figure that equals the fp32 figure of the vector units is one of the vector units.
fn vector(rows: &[&TableRow]) -> Vec<TableFinding> {
    let fp32 =
        rows.iter().find(|row| row.format.precision == Precision::Fp32 && row.format.unit == Unit::Vector);
    let Some(fp32) = fp32 else { return Vec::new() };
    let equal = |row: &&&TableRow| {
        matches!(row.format.precision, Precision::Bf16 | Precision::Fp16)
            && row.format.unit == Unit::Matrix
            && (row.peak_op_per_s / fp32.peak_op_per_s - 1.0).abs() < 0.005
    };
    let finding = |row: &&TableRow| {
        let text = format!(
            "{} equals the fp32 figure of the vector units: it is theirs, and the matrix units are faster",
            row.dtype
        );
        row.finding(Severity::Error, "vector-as-matrix", text, None)
    };
    rows.iter().filter(equal).map(finding).collect()
}

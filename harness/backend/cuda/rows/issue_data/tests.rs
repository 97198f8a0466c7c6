//! Operands and expected accumulators of the issue kernels.

use super::super::{ROWS, row};
use super::*;
use crate::workload::Method;

#[test]
fn the_expected_accumulators_are_as_many_as_the_kernel_writes() {
    for row in ROWS.iter().filter(|row| row.method == Method::Issue) {
        let expected = row.expected(3);
        let zeros = vec![0; usize::try_from(row.output_bytes_per_block()).unwrap()];
        assert_eq!(row.accumulators(&zeros).len(), expected.len(), "{}", row.name);
        assert!(expected.iter().all(|value| value.is_finite()), "{}", row.name);
        assert!(expected.iter().any(|value| value.abs() > 0.0), "{}", row.name);
    }
}

#[test]
fn one_trip_more_is_seen_in_every_matrix_row() {
    for row in ROWS.iter().filter(|row| matches!(row.form, Form::Mma(_) | Form::Wgmma(_) | Form::Tcgen05(_)))
    {
        assert_ne!(row.expected(3), row.expected(4), "{}", row.name);
        // After a reset the count begins again.
        assert_eq!(row.expected(1), row.expected(u64::from(RESET) + 1), "{}", row.name);
    }
}

#[test]
fn sums_stay_where_the_narrowest_unit_is_exact() {
    for row in ROWS.iter().filter(|row| matches!(row.form, Form::Mma(_) | Form::Wgmma(_) | Form::Tcgen05(_)))
    {
        let most = row.expected(RESET.into()).iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let limit = match (row.accumulate, row.precision.bits()) {
            (crate::precision::Accumulate::Fp16, _) => 2048.0,
            (_, 0..=7) | (crate::precision::Accumulate::Fp32, 8) => 8192.0,
            _ => 16_777_216.0,
        };
        assert!(most < limit, "{} reaches {most}", row.name);
    }
}

#[test]
fn a_bf16_fragment_holds_the_elements_of_the_manual() {
    // Lane 5 is group 1, thread 1 of it: a2 holds row 1 of A, columns 10 and 11.
    let row = row("mma-bf16").unwrap();
    let words = row.operands();
    let word = |index: usize| u32::from_le_bytes(words[index * 4..index * 4 + 4].try_into().unwrap());
    let pairs = row.pairs();
    let wanted = |k: usize| u32::try_from(bits(Precision::Bf16, pairs.a[16 + k])).unwrap();
    assert_eq!(word(2 * 32 + 5), wanted(10) | wanted(11) << 16);
}

//! Executed operations against accounted ones, for every shader.

use std::collections::BTreeSet;

use flopgauge::backend::wgpu::{Count, Kernel, counts};
use flopgauge::precision::Precision;
use flopgauge::workload::{Layout, Work};

use super::software;

#[test]
fn every_shader_executes_exactly_the_operations_that_are_accounted_for_it() {
    let Some(backend) = software() else { return };
    // One format of each shader has to do for a transposed A: compiling takes most of the time.
    let once = |kernel: &Kernel, layout| {
        layout == Layout::Nn || matches!(kernel.precision, Precision::Fp32 | Precision::Int8)
    };
    let found = counts("wgpu:0", once).unwrap();
    found.iter().for_each(is_right);
    // Every row of the table was run, and of every product a shape of whole tiles.
    let key = |name: &str, precision, sums| (name.to_owned(), precision, sums);
    let whole = found.iter().filter(|count| count.executed == count.accounted);
    let counted: BTreeSet<_> =
        whole.map(|c| key(&c.kernel.name, c.kernel.precision, c.kernel.accumulate)).collect();
    let rows: BTreeSet<_> =
        backend.implementations().iter().map(|row| key(&row.name, row.precision, row.accumulate)).collect();
    assert_eq!(counted, rows);
}

/// Executed is accounted, with the zeros that pad a ragged product.
pub(super) fn is_right(count: &Count) {
    let Count { kernel, work, accounted, padded, executed } = count;
    let what = format!("{} {} {} {work:?}", kernel.name, kernel.precision, kernel.accumulate);
    assert!(executed.get() > 0, "{what}: nothing was counted");
    assert_eq!(executed, padded, "{what}: executed and accounted, padding included");
    let whole = match work {
        Work::Gemm { shape, .. } => {
            shape.m().is_multiple_of(kernel.bm().into())
                && shape.n().is_multiple_of(kernel.bn().into())
                && shape.k().is_multiple_of(kernel.bk.into())
        }
        Work::Issue | Work::Copy { .. } => true,
    };
    assert_eq!(executed == accounted, whole, "{what}: padding is executed, and never accounted");
}

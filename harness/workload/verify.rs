//! Whether a result is right: against the reference, by Freivalds' check, exactly on integers, and bit by bit.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::workload::{Elements, GemmShape, Layout, Reference, Tolerance};

/// Where a result is wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Wrong {
    /// An element that is no number: a fault, or never written, since outputs are poisoned with NaN first.
    #[error("C[{row}, {column}] is NaN or was never written")]
    NotANumber {
        /// Row of C.
        row: usize,
        /// Column of C.
        column: usize,
    },
    /// An element too far from the reference.
    #[error("C[{row}, {column}] = {found:e}, expected {expected:e} within {bound:e}")]
    Element {
        /// Row of C.
        row: usize,
        /// Column of C.
        column: usize,
        /// Value found.
        found: f64,
        /// Value of the reference.
        expected: f64,
        /// Difference that is allowed.
        bound: f64,
    },
    /// A row whose random combination is off.
    #[error("row {row} of C: A(Bx) - Cx = {residual:e}, allowed {bound:e}")]
    Row {
        /// Row of C.
        row: usize,
        /// Residual found.
        residual: f64,
        /// Residual that is allowed.
        bound: f64,
    },
    /// Two runs on equal inputs that differ.
    #[error("two runs on equal inputs gave different bits")]
    NotRepeatable,
    /// An accumulator that is not what the counted steps make of it.
    #[error("accumulator {index} = {found:e} after {steps} steps, expected {expected:e}")]
    Accumulator {
        /// Which accumulator.
        index: usize,
        /// Steps that were counted.
        steps: u64,
        /// Value found.
        found: f64,
        /// Value of the replay.
        expected: f64,
    },
    /// A byte that was not copied.
    #[error("byte {offset} of the destination is {found:#04x} and that of the source is {expected:#04x}")]
    Byte {
        /// Where, from the start of the buffer.
        offset: usize,
        /// Value found.
        found: u8,
        /// Value of the source.
        expected: u8,
    },
    /// An output of another size or form than the case.
    #[error("the output does not have the form of the case")]
    Form,
}

/// Each element of a small product against the reference.
pub fn elements(
    shape: GemmShape,
    c: &Elements,
    reference: &Reference,
    tolerance: Tolerance,
) -> Result<(), Wrong> {
    let columns = extent(shape.n())?;
    if c.len() != reference.values.len() {
        return Err(Wrong::Form);
    }
    let expected = reference.values.iter().zip(&reference.scales);
    for (index, (found, (expected, scale))) in c.to_f64().into_iter().zip(expected).enumerate() {
        let (row, column) = (index / columns, index % columns);
        if found.is_nan() {
            return Err(Wrong::NotANumber { row, column });
        }
        let bound = tolerance.bound(*scale);
        // Written so that a NaN difference, as from two infinities, fails.
        if (found - expected).abs() <= bound {
            continue;
        }
        return Err(Wrong::Element { row, column, found, expected: *expected, bound });
    }
    Ok(())
}

/// Operands and result of a full-size product.
#[derive(Debug, Clone, Copy)]
pub struct Product<'a> {
    /// Extents.
    pub shape: GemmShape,
    /// How A is stored.
    pub layout: Layout,
    /// Left operand.
    pub a: &'a Elements,
    /// Right operand.
    pub b: &'a Elements,
    /// Result.
    pub c: &'a Elements,
}

/// Freivalds' check: A(Bx) - Cx row by row for a random x of +1 and -1, in binary64.
///
/// The bound of a row is that of one element whose squared products are the row's all together.
/// **Source**: Freivalds, Probabilistic machines can use less running time, IFIP 1977.
pub fn freivalds(product: &Product<'_>, tolerance: Tolerance, seed: u64) -> Result<(), Wrong> {
    let extents = Extents::of(product)?;
    let (a, b, c) = (product.a.to_f64(), product.b.to_f64(), product.c.to_f64());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let x: Vec<f64> = (0..extents.n).map(|_| if random.random::<bool>() { 1.0 } else { -1.0 }).collect();
    let dot = |row: &[f64]| row.iter().zip(&x).map(|(v, s)| v * s).sum::<f64>();
    let bx: Vec<f64> = b.chunks_exact(extents.n).map(dot).collect();
    let squares: Vec<f64> = b.chunks_exact(extents.n).map(|row| row.iter().map(|v| v * v).sum()).collect();
    for (row, c_row) in c.chunks_exact(extents.n).enumerate() {
        if let Some(column) = c_row.iter().position(|v| v.is_nan()) {
            return Err(Wrong::NotANumber { row, column });
        }
        let (mut expected, mut scale) = (0.0, 0.0);
        for (p, (right, square)) in bx.iter().zip(&squares).enumerate() {
            let left = extents.a(&a, product.layout, row, p);
            expected += left * right;
            scale += left * left * square;
        }
        let (residual, bound) = (expected - dot(c_row), tolerance.bound(scale.sqrt()));
        if residual.abs() <= bound {
            continue;
        }
        return Err(Wrong::Row { row, residual, bound });
    }
    Ok(())
}

/// The same in whole numbers, where the residual must be exactly zero: any one wrong element is seen.
///
/// For operands that are integers with sums that the result's format holds exactly.
pub fn exact_integers(product: &Product<'_>, seed: u64) -> Result<(), Wrong> {
    let extents = Extents::of(product)?;
    let whole = |elements: &Elements| -> Result<Vec<i64>, Wrong> {
        elements.to_f64().into_iter().enumerate().map(|(index, v)| integer(index, v, extents.n)).collect()
    };
    let (a, b, c) = (whole(product.a)?, whole(product.b)?, whole(product.c)?);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // Weights from a wide range: with +1 and -1 alone, two equal errors in a row cancel half of the time.
    let x: Vec<i128> = (0..extents.n).map(|_| i128::from(random.random_range(1..=1_i64 << 20))).collect();
    let dot = |row: &[i64]| row.iter().zip(&x).map(|(v, w)| i128::from(*v) * w).sum::<i128>();
    let bx: Vec<i128> = b.chunks_exact(extents.n).map(dot).collect();
    for (row, c_row) in c.chunks_exact(extents.n).enumerate() {
        let left = |p: usize| a.get(extents.a_index(product.layout, row, p)).copied().unwrap_or(0);
        let expected = bx.iter().enumerate().map(|(p, right)| i128::from(left(p)) * right).sum::<i128>();
        let residual = expected - dot(c_row);
        if residual != 0 {
            #[expect(clippy::cast_precision_loss, reason = "shown, not compared")]
            return Err(Wrong::Row { row, residual: residual as f64, bound: 0.0 });
        }
    }
    Ok(())
}

/// Two outputs of equal runs.
pub fn repeatable(first: &Elements, second: &Elements) -> Result<(), Wrong> {
    if first.same_bits(second) { Ok(()) } else { Err(Wrong::NotRepeatable) }
}

/// Accumulators against the replay of the steps that were counted.
pub fn accumulators(values: &[f64], expected: &[f64], steps: u64) -> Result<(), Wrong> {
    if values.is_empty() || values.len() != expected.len() {
        return Err(Wrong::Form);
    }
    for (index, (found, expected)) in values.iter().zip(expected).enumerate() {
        if found.to_bits() != expected.to_bits() {
            return Err(Wrong::Accumulator { index, steps, found: *found, expected: *expected });
        }
    }
    Ok(())
}

/// The destination of a copy against the pattern that its source was given, byte by byte.
pub fn copied(destination: &[u8], pattern: &[u8]) -> Result<(), Wrong> {
    if destination.is_empty() || destination.len() != pattern.len() {
        return Err(Wrong::Form);
    }
    let mut pairs = destination.iter().zip(pattern).enumerate();
    match pairs.find(|(_, (found, expected))| found != expected) {
        Some((offset, (found, expected))) => Err(Wrong::Byte { offset, found: *found, expected: *expected }),
        None => Ok(()),
    }
}

/// Greatest magnitude of an exact sum, past which a value can only be a fault.
const WHOLE_LIMIT: f64 = 9_007_199_254_740_992.0;

fn integer(index: usize, value: f64, columns: usize) -> Result<i64, Wrong> {
    let (row, column) = (index / columns, index % columns);
    if value.is_nan() {
        return Err(Wrong::NotANumber { row, column });
    }
    let expected = value.round();
    if value.abs() <= WHOLE_LIMIT && (value - expected).abs() <= 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Ok(value as i64);
    }
    Err(Wrong::Element { row, column, found: value, expected, bound: 0.0 })
}

struct Extents {
    m: usize,
    n: usize,
    k: usize,
}

impl Extents {
    fn of(product: &Product<'_>) -> Result<Self, Wrong> {
        let (m, n, k) = (extent(product.shape.m())?, extent(product.shape.n())?, extent(product.shape.k())?);
        let fits = |elements: &Elements, rows: usize, columns: usize| {
            Some(elements.len()) == rows.checked_mul(columns)
        };
        if fits(product.a, m, k) && fits(product.b, k, n) && fits(product.c, m, n) {
            Ok(Self { m, n, k })
        } else {
            Err(Wrong::Form)
        }
    }

    const fn a_index(&self, layout: Layout, row: usize, p: usize) -> usize {
        match layout {
            Layout::Nn => row * self.k + p,
            Layout::Tn => p * self.m + row,
        }
    }

    fn a(&self, a: &[f64], layout: Layout, row: usize, p: usize) -> f64 {
        a.get(self.a_index(layout, row, p)).copied().unwrap_or(f64::NAN)
    }
}

fn extent(value: u64) -> Result<usize, Wrong> {
    usize::try_from(value).map_err(|_| Wrong::Form)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::precision::{Accumulate, Precision};
    use crate::workload::{BufferSize, Distribution, Operand, copy_pattern, copy_poison, operand, reference};

    const SHAPE: (u64, u64, u64) = (24, 40, 32);

    struct Right {
        shape: GemmShape,
        a: Elements,
        b: Elements,
        c: Vec<f32>,
        reference: Reference,
    }

    fn right(distribution: Distribution, seed: u64) -> Right {
        let shape = GemmShape::new(SHAPE.0, SHAPE.1, SHAPE.2).unwrap();
        let data = |which| operand(which, shape, Layout::Nn, Precision::Fp32, (distribution, seed)).unwrap();
        let (a, b) = (data(Operand::A), data(Operand::B));
        let reference = reference(shape, Layout::Nn, &a, &b).unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "the rounding that a device does")]
        let c = reference.values.iter().map(|v| *v as f32).collect();
        Right { shape, a, b, c, reference }
    }

    fn judge(right: &Right, c: &[f32]) -> (bool, bool, bool) {
        let c = Elements::F32(c.to_vec());
        let product = Product { shape: right.shape, layout: Layout::Nn, a: &right.a, b: &right.b, c: &c };
        let tolerance = Tolerance::of(Accumulate::Fp32, right.shape.k());
        (
            elements(right.shape, &c, &right.reference, tolerance).is_ok(),
            freivalds(&product, tolerance, 5).is_ok(),
            exact_integers(&product, 5).is_ok(),
        )
    }

    #[test]
    fn a_right_product_passes_every_check() {
        let integers = right(Distribution::Integers, 1);
        assert_eq!(judge(&integers, &integers.c), (true, true, true));
        let normal = right(Distribution::Normal, 1);
        let (element, row, _) = judge(&normal, &normal.c);
        assert!(element && row);
    }

    #[test]
    fn each_flipped_bit_of_fp32_is_caught_by_the_integers_check() {
        let right = right(Distribution::Integers, 2);
        for bit in 0..32 {
            let caught = (0..100)
                .filter(|trial| {
                    let mut c = right.c.clone();
                    let place = (trial * 97 + bit * 13) % c.len();
                    c[place] = f32::from_bits(c[place].to_bits() ^ (1 << bit));
                    !judge(&right, &c).2
                })
                .count();
            assert!(caught >= 99, "bit {bit}: {caught} of 100");
        }
    }

    #[test]
    fn nan_and_unwritten_elements_are_caught_by_every_check() {
        let right = right(Distribution::Integers, 3);
        for place in [0, 1, 500, right.c.len() - 1] {
            let mut c = right.c.clone();
            c[place] = f32::NAN;
            assert_eq!(judge(&right, &c), (false, false, false), "element {place}");
            c[place] = f32::INFINITY;
            assert_eq!(judge(&right, &c), (false, false, false), "element {place}");
        }
    }

    #[test]
    fn an_output_of_another_size_is_no_result() {
        let right = right(Distribution::Integers, 4);
        assert_eq!(judge(&right, &right.c[1..]), (false, false, false));
    }

    #[test]
    fn a_sign_of_zero_is_a_difference_between_two_runs() {
        let (plus, minus) = (Elements::F32(vec![0.0]), Elements::F32(vec![-0.0]));
        assert_eq!(repeatable(&plus, &minus), Err(Wrong::NotRepeatable));
        assert_eq!(repeatable(&plus, &plus), Ok(()));
    }

    #[test]
    fn an_accumulator_that_differs_in_one_bit_is_seen() {
        assert_eq!(accumulators(&[1.0, 2.0], &[1.0, 2.0], 9), Ok(()));
        let next = f64::from_bits(2.0_f64.to_bits() + 1);
        let wrong = Wrong::Accumulator { index: 1, steps: 9, found: next, expected: 2.0 };
        assert_eq!(accumulators(&[1.0, next], &[1.0, 2.0], 9), Err(wrong));
        assert_eq!(accumulators(&[], &[], 1), Err(Wrong::Form), "nothing returned is nothing verified");
    }

    #[test]
    fn one_byte_that_was_not_copied_is_seen_and_so_is_a_part_of_the_buffer() {
        let buffer = BufferSize::new(4096).unwrap();
        let pattern = copy_pattern(buffer, 7);
        assert_eq!(copied(&pattern, &pattern), Ok(()));
        for offset in [0, 63, 64, 4095] {
            let mut destination = pattern.clone();
            destination[offset] ^= 1;
            assert!(
                matches!(copied(&destination, &pattern), Err(Wrong::Byte { offset: o, .. }) if o == offset)
            );
        }
        assert!(copied(&copy_poison(&pattern), &pattern).is_err());
        assert_eq!(copied(&pattern[..4032], &pattern), Err(Wrong::Form));
        assert_eq!(copied(&[], &[]), Err(Wrong::Form), "nothing returned is nothing verified");
    }

    proptest! {
        #[test]
        fn any_other_whole_number_in_one_element_is_caught(place in 0..960_usize, change in 1..1_000_000_i32, seed: u64) {
            let right = right(Distribution::Integers, seed);
            let mut c = right.c.clone();
            let changed = c[place] + f32::from(i16::try_from(change % 30_000).unwrap()).max(1.0);
            c[place] = changed;
            prop_assert!(!judge(&right, &c).2);
        }

        #[test]
        fn clean_random_data_gives_no_false_alarm(seed: u64) {
            let right = right(Distribution::Normal, seed);
            let (element, row, _) = judge(&right, &right.c);
            prop_assert!(element && row);
        }
    }
}

//! Operands of a matrix instruction as numbers, and their product added to sums. Operands that come again are not
//! multiplied again where every sum is exact in binary64: then it cannot depend on the order of its terms.

use std::cell::OnceCell;

use crate::number::power_of_two;

/// Columns that are added to side by side; N of every instruction is a multiple of it.
pub(crate) const TILE: usize = 8;
/// Whole numbers below this, and their sums, are exact; adding it makes binary64 round to whole numbers.
const WHOLE: f64 = (1u64 << 51) as f64;

/// A of M by K and B of K by N.
pub(crate) struct Operands {
    columns: usize,
    depth: usize,
    /// Row by row.
    a: Vec<f64>,
    /// Eight columns after eight columns, each K by 8.
    b: Vec<f64>,
    exact: OnceCell<Option<Exact>>,
}

/// The product by itself.
pub(crate) struct Exact {
    products: Vec<f64>,
    /// One over the unit of which all products are multiples.
    inverse: f64,
    /// Magnitude up to which something may be added exactly.
    room: f64,
}

impl Exact {
    /// The sum of `c` and the product at this place, row by row; `None` where it might not be exact.
    #[inline]
    pub(crate) fn sum(&self, place: usize, c: f64) -> Option<f64> {
        self.holds(c).then(|| c + self.products[place])
    }

    #[inline]
    fn holds(&self, c: f64) -> bool {
        let units = c * self.inverse;
        c.abs() <= self.room && (units + 3.0 * WHOLE) - 3.0 * WHOLE == units
    }
}

/// Exponent of the unit of which all are multiples, and the greatest magnitude; `None` with a NaN or an infinity.
fn span(values: &[f64]) -> Option<(i32, f64)> {
    let (mut unit, mut most) = (i32::MAX, 0.0_f64);
    for value in values {
        let bits = value.abs().to_bits();
        let exponent = (bits >> 52) as i32;
        if exponent == 0x7ff {
            return None;
        }
        let fraction = (bits & ((1 << 52) - 1)) | u64::from(exponent != 0) << 52;
        if fraction != 0 {
            unit = unit.min(exponent.max(1) - 1075 + fraction.trailing_zeros() as i32);
        }
        most = most.max(value.abs());
    }
    Some((if unit == i32::MAX { 0 } else { unit }, most))
}

impl Operands {
    /// A by rows of K, B by columns of K.
    pub(crate) fn new(depth: usize, a: Vec<f64>, b_by_columns: &[f64]) -> Self {
        let columns = b_by_columns.len() / depth;
        let mut b = vec![0.0; b_by_columns.len()];
        for (column, values) in b_by_columns.chunks_exact(depth).enumerate() {
            let first = column / TILE * TILE * depth + column % TILE;
            for (row, value) in values.iter().enumerate() {
                b[first + row * TILE] = *value;
            }
        }
        Self { columns, depth, a, b, exact: OnceCell::new() }
    }

    /// Adds the products of the rows from `first` on to their sums, row by row: term after term along K, and fused
    /// where `chained`.
    pub(crate) fn add(&self, first: usize, sums: &mut [f64], chained: bool) {
        let rows = self.a.chunks_exact(self.depth).skip(first);
        for (line, row) in sums.chunks_exact_mut(self.columns).zip(rows) {
            let tiles = self.b.chunks_exact(TILE * self.depth);
            for (sums, tile) in line.as_chunks_mut::<TILE>().0.iter_mut().zip(tiles) {
                for (x, terms) in row.iter().zip(tile.as_chunks::<TILE>().0) {
                    for (sum, y) in sums.iter_mut().zip(terms) {
                        *sum = if chained { x.mul_add(*y, *sum) } else { *sum + x * y };
                    }
                }
            }
        }
    }

    /// The same, of operands that were multiplied before: bit for bit what [`add`](Self::add) gives.
    pub(crate) fn add_again(&self, first: usize, sums: &mut [f64], chained: bool) {
        let exact = self.exact().filter(|exact| sums.iter().all(|sum| exact.holds(*sum)));
        let Some(exact) = exact else { return self.add(first, sums, chained) };
        for (sum, product) in sums.iter_mut().zip(&exact.products[first * self.columns..]) {
            *sum += product;
        }
    }

    /// The product by itself, where sums with it are exact.
    pub(crate) fn exact(&self) -> Option<&Exact> {
        self.exact.get_or_init(|| self.by_itself()).as_ref()
    }

    fn by_itself(&self) -> Option<Exact> {
        let ((a, most_a), (b, most_b)) = (span(&self.a)?, span(&self.b)?);
        let unit = a + b;
        if unit.abs() > 400 {
            return None;
        }
        let room = WHOLE * power_of_two(unit) - most_a * most_b * self.depth as f64;
        // Nothing changes when it is added, not even the sign of a zero.
        let mut products = vec![-0.0; self.a.len() / self.depth * self.columns];
        self.add(0, &mut products, false);
        (room >= 0.0).then(|| Exact { products, inverse: power_of_two(-unit), room })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of a linear congruential generator.
    fn numbers(count: usize, seed: u64, mut make: impl FnMut(u64) -> f64) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 32
        };
        (0..count).map(|_| make(next())).collect()
    }

    fn compare(a: Vec<f64>, b: Vec<f64>, c: &[f64], exact: bool) {
        let operands = Operands::new(16, a, &b);
        for chained in [false, true] {
            let (mut once, mut again) = (c.to_vec(), c.to_vec());
            operands.add(8, &mut once, chained);
            operands.add_again(8, &mut again, chained);
            let bits = |sums: &[f64]| sums.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&once), bits(&again));
        }
        let certified = operands.exact.get().is_some_and(Option::is_some);
        assert_eq!(certified, exact);
    }

    #[test]
    fn what_is_not_multiplied_again_has_the_bits_of_what_is() {
        let eighths = |word: u64| (word % 241) as f64 / 8.0 - 15.0;
        let signed_zeros = |word: u64| [-0.0, 0.0, 1.0, -1.0][(word % 4) as usize];
        let any = |word: u64| (word as f64 / 4294967296.0 - 0.5) * power_of_two((word % 40) as i32);
        for seed in 0..20 {
            let with = |make: fn(u64) -> f64, exact| {
                let (a, b) = (numbers(16 * 16, seed, make), numbers(24 * 16, seed + 99, make));
                let thirds = |word: u64| word as f64 / 3.0 * power_of_two(-20);
                for c in [eighths as fn(u64) -> f64, signed_zeros, any, thirds] {
                    compare(a.clone(), b.clone(), &numbers(8 * 24, seed + 7, c), exact);
                }
                let huge = numbers(8 * 24, seed, |word| (word as f64) * 1e300 - f64::from(u32::MAX) * 5e299);
                compare(a.clone(), b.clone(), &huge, exact);
                compare(a, b, &numbers(8 * 24, seed, |_| f64::NAN), exact);
            };
            with(eighths, true);
            with(signed_zeros, true);
            with(any, false);
            with(|word| if word % 50 == 0 { f64::INFINITY } else { 1.0 }, false);
        }
    }

    #[test]
    fn columns_and_rows_stand_where_they_belong() {
        // A is row + 1 in column 0 of K, B column + 1: the product is (row + 1)(column + 1).
        let a: Vec<f64> = (0..32).map(|i| if i % 2 == 0 { f64::from(i / 2 + 1) } else { 0.0 }).collect();
        let b: Vec<f64> = (0..32).map(|i| if i % 2 == 0 { f64::from(i / 2 + 1) } else { 7.0 }).collect();
        let mut sums = vec![0.5; 16 * 16];
        Operands::new(2, a, &b).add(0, &mut sums, false);
        assert_eq!((sums[0], sums[15], sums[3 * 16 + 9]), (1.5, 16.5, 40.5));
    }
}

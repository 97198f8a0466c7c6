//! Whole numbers in the operand formats: small enough that every product and sum of an issue kernel is exact.

use half::{bf16, f16};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::precision::{Accumulate, Precision};
use crate::workload::small;

/// Greatest magnitude of an operand.
///
/// Sums reach at most 2 x bound x trips between resets + bound^2 x K: below 2^11 for fp16 sums, below 2^13 for 8 bits
/// and fewer, where Hopper's units align products to no more, below 2^21 for the rest.
const fn bound(precision: Precision, accumulate: Accumulate) -> i32 {
    match (precision, accumulate) {
        (_, Accumulate::Fp16) => 3,
        (Precision::Fp64 | Precision::Fp32, _) => 1 << 15,
        (Precision::Tf32, _) => 255,
        (Precision::Bf16 | Precision::Fp16 | Precision::Int8, _) => 127,
        (Precision::Fp4, _) => 6,
        (Precision::Fp8e4m3 | Precision::Fp8e5m2 | Precision::Fp6 | Precision::Int4, _) => 7,
    }
}

/// Operands of an issue kernel: steps of K in pairs, the second of which takes back what the first added but for one
/// element of B, so that sums stay small while the operands fill their format.
pub(super) struct Pairs {
    /// A as [step][row][k].
    pub a: Vec<i32>,
    /// B as [step][column][k].
    pub b: Vec<i32>,
    steps: usize,
    extents: [usize; 3],
}

impl Pairs {
    /// `steps` steps of K, an even number, of an `extents` product; the same on every machine.
    pub(super) fn new(
        precision: Precision,
        accumulate: Accumulate,
        steps: usize,
        extents: [usize; 3],
    ) -> Self {
        let [m, n, k] = extents;
        let bound = bound(precision, accumulate);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut draw = || loop {
            let value = random.random_range(-bound..=bound);
            // E2M1 has no 5.
            if precision != Precision::Fp4 || value.abs() != 5 {
                return value;
            }
        };
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..steps / 2 {
            let mut left: Vec<i32> = (0..m * k).map(|_| draw()).collect();
            for (row, values) in left.chunks_exact_mut(k).enumerate() {
                if let Some(value) = values.get_mut(row % k) {
                    *value = 0;
                }
            }
            let back = left.iter().enumerate().map(|(at, value)| {
                let own = at % k == at / k % k;
                if own { 1 } else { -value }
            });
            let back: Vec<i32> = back.collect();
            a.append(&mut left);
            a.extend(back);
            let right: Vec<i32> = (0..n * k).map(|_| draw()).collect();
            b.extend_from_slice(&right);
            b.extend(right);
        }
        Self { a, b, steps, extents }
    }

    /// What all steps together add to each element, [row][column], by the definition of the product.
    pub(super) fn sum(&self) -> Vec<i64> {
        let [m, n, k] = self.extents;
        let mut sums = vec![0; m * n];
        for step in 0..self.steps {
            let (a, b) = (self.a.get(step * m * k..), self.b.get(step * n * k..));
            let (Some(a), Some(b)) = (a, b) else { continue };
            for (row, sums) in a.chunks_exact(k).zip(sums.chunks_exact_mut(n)) {
                for (column, sum) in b.chunks_exact(k).zip(sums) {
                    *sum += row.iter().zip(column).map(|(x, y)| i64::from(*x) * i64::from(*y)).sum::<i64>();
                }
            }
        }
        sums
    }
}

/// Bits of a whole number in an operand format, in the low bits; every number within [`bound`] is exact.
pub(super) fn bits(precision: Precision, value: i32) -> u64 {
    // No number here has more than 16 bits.
    let short = f32::from(i16::try_from(value).unwrap_or(0));
    match precision {
        Precision::Fp64 => f64::from(value).to_bits(),
        Precision::Fp32 | Precision::Tf32 => u64::from(short.to_bits()),
        Precision::Bf16 => u64::from(bf16::from_f32(short).to_bits()),
        Precision::Fp16 => u64::from(f16::from_f32(short).to_bits()),
        Precision::Int8 => u64::from(value.to_le_bytes()[0]),
        _ => u64::from(small::encode(precision, f64::from(value)).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_keep_their_value_in_the_small_formats() {
        for precision in
            [Precision::Fp8e4m3, Precision::Fp8e5m2, Precision::Fp6, Precision::Fp4, Precision::Int4]
        {
            let bound = bound(precision, Accumulate::Fp32);
            for number in (-bound..=bound).filter(|n| precision != Precision::Fp4 || n.abs() != 5) {
                let code = u8::try_from(bits(precision, number)).unwrap();
                let found = small::decode(precision, code).unwrap();
                assert!((found - f64::from(number)).abs() < 1e-9, "{precision} {number} is {found}");
            }
        }
    }

    #[test]
    fn a_pair_of_steps_adds_one_element_of_b_and_no_more() {
        let pairs = Pairs::new(Precision::Bf16, Accumulate::Fp32, 2, [16, 8, 16]);
        for (at, sum) in pairs.sum().into_iter().enumerate() {
            let (row, column) = (at / 8, at % 8);
            assert_eq!(sum, i64::from(pairs.b[column * 16 + row % 16]));
        }
        assert!(pairs.sum().iter().filter(|sum| **sum != 0).count() > 100, "the count would not be seen");
    }
}

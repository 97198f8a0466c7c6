//! What each issue kernel must have computed, in plain scalar arithmetic, one accumulator at a time.
//!
//! Nothing is shared with the kernels but the operands: not the lanes, not the counts, not the instructions.

use super::accumulators::Accumulators;
use super::operands::{
    BF16_LEFT, BF16_RIGHT, FACTOR, FACTOR_F16, FACTOR_F32, I8_RIGHT, I8_RIGHT_OF_U7, TERM, TERM_F16,
    TERM_F32, TILE_ROW_BYTES, TILE_ROWS, U7_LEFT, U8_LEFT, tile_bf16_left, tile_bf16_right, tile_i8_left,
    tile_i8_right,
};
use super::row::IssueKernel;
use crate::backend::cpu::isa::Isa;
use crate::precision::Precision;

/// Accumulators of `kernel` after `iterations` trips from its start values.
#[must_use]
pub fn replay(kernel: &IssueKernel, iterations: u64) -> Accumulators {
    let mut values = kernel.start();
    match &mut values {
        Accumulators::F64(values) => each(values, iterations, |_, acc| fp64_step(kernel.isa, acc)),
        Accumulators::F32(values) => each(values, iterations, fp32_step(kernel)),
        Accumulators::F16(values) => each(values, iterations, |_, acc| fp16_step(acc)),
        Accumulators::I32(values) => each(values, iterations, int8_step(kernel.isa)),
    }
    values
}

/// Applies `step(index, value)` to each value `iterations` times.
fn each<T: Copy>(values: &mut [T], iterations: u64, step: impl Fn(usize, T) -> T) {
    for (index, value) in values.iter_mut().enumerate() {
        for _ in 0..iterations {
            *value = step(index, *value);
        }
    }
}

fn fp64_step(isa: Isa, acc: f64) -> f64 {
    match isa {
        Isa::Sse2 => acc * FACTOR + TERM,
        Isa::Neon => FACTOR.mul_add(TERM, acc),
        _ => acc.mul_add(FACTOR, TERM),
    }
}

fn fp32_step(kernel: &IssueKernel) -> Box<dyn Fn(usize, f32) -> f32> {
    match (kernel.precision, kernel.isa) {
        (Precision::Bf16, Isa::AmxBf16) => {
            let steps = tile_bf16_steps();
            Box::new(move |index, acc| acc + steps[index % steps.len()])
        }
        (Precision::Bf16, _) => Box::new(|_, acc| {
            acc + widen(BF16_LEFT[0]) * widen(BF16_RIGHT[0]) + widen(BF16_LEFT[1]) * widen(BF16_RIGHT[1])
        }),
        (Precision::Fp16, _) => {
            // Exact: a binary16 value of 11 significant bits times a power of two.
            let factor = f32::from(FACTOR_F16 & 0x3ff | 0x400) * 2_f32.powi(-11);
            Box::new(move |_, acc| acc.mul_add(factor, TERM_F32))
        }
        (_, Isa::Sse2) => Box::new(|_, acc| acc * FACTOR_F32 + TERM_F32),
        (_, Isa::Neon) => Box::new(|_, acc| FACTOR_F32.mul_add(TERM_F32, acc)),
        _ => Box::new(|_, acc| acc.mul_add(FACTOR_F32, TERM_F32)),
    }
}

/// bfloat16 to binary32: the upper half of the word.
fn widen(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// `acc * acc + TERM_F16` in binary16, by integers in units of 2^-48: exact, then rounded once, ties to even.
fn fp16_step(acc: u16) -> u16 {
    let root = fp16_units(acc);
    let sum = root * root + (fp16_units(TERM_F16) << 24);
    let magnitude = sum.unsigned_abs();
    // Ten bits stay below the leading one, but no bit below 2^-24, the smallest subnormal.
    let shift = magnitude.checked_ilog2().unwrap_or(0).saturating_sub(10).max(24);
    let (kept, rest, half) = (magnitude >> shift, magnitude & ((1 << shift) - 1), 1_u64 << (shift - 1));
    let up = rest > half || (rest == half && kept & 1 == 1);
    // A normal number's hidden bit adds 1 to the exponent field, and so does a carry.
    let bits = (u64::from(shift - 24) << 10) + kept + u64::from(up);
    let sign = if sum < 0 { 0x8000 } else { 0 };
    sign | u16::try_from(bits).unwrap_or(0x7c00)
}

/// Value of a binary16 number in units of 2^-24, its smallest subnormal.
fn fp16_units(bits: u16) -> i64 {
    let (exponent, fraction) = (bits >> 10 & 0x1f, i64::from(bits & 0x3ff));
    let magnitude = if exponent == 0 { fraction } else { (fraction | 0x400) << (exponent - 1) };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

fn int8_step(isa: Isa) -> Box<dyn Fn(usize, i32) -> i32> {
    match isa {
        Isa::AmxInt8 => {
            let steps = tile_i8_steps();
            Box::new(move |index, acc| acc.wrapping_add(steps[index % steps.len()]))
        }
        Isa::Avx2 => Box::new(|_, acc| dot(acc, U7_LEFT, I8_RIGHT_OF_U7)),
        _ => Box::new(|_, acc| dot(acc, U8_LEFT, I8_RIGHT)),
    }
}

fn dot(acc: i32, left: [u8; 4], right: [i8; 4]) -> i32 {
    left.iter().zip(right).fold(acc, |sum, (l, r)| sum.wrapping_add(i32::from(*l) * i32::from(r)))
}

/// What one step adds to each element of a tile, row by row.
fn tile_i8_steps() -> Vec<i32> {
    let (left, right) = (tile_i8_left(), tile_i8_right());
    tile_steps(TILE_ROW_BYTES, 4, |l, r| i32::from(left[l]) * i32::from(right[r]))
}

fn tile_bf16_steps() -> Vec<f32> {
    let (left, right) = (tile_bf16_left(), tile_bf16_right());
    tile_steps(TILE_ROW_BYTES / 2, 2, |l, r| widen(left[l]) * widen(right[r]))
}

/// `C[m, n] = sum over k of left[m, k] * right[k / group][n * group + k % group]`, `product` taking flat indices.
fn tile_steps<T: std::iter::Sum>(depth: usize, group: usize, product: impl Fn(usize, usize) -> T) -> Vec<T> {
    let element = |row: usize, column: usize| {
        let products = (0..depth)
            .map(|k| product(row * depth + k, k / group * TILE_ROWS * group + column * group + k % group));
        products.sum()
    };
    (0..TILE_ROWS * TILE_ROWS).map(|i| element(i / TILE_ROWS, i % TILE_ROWS)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary16_steps_are_the_nearest_to_the_exact_value() {
        for bits in (0..0x4000_u16).chain(0x8000..0xbc00) {
            let value = |b: u16| f64::from(half::f16::from_bits(b));
            // At most 49 bits apart: exact in binary64.
            let exact = value(bits).mul_add(value(bits), value(TERM_F16));
            let got = fp16_step(bits);
            let error = (value(got) - exact).abs();
            for other in [got.wrapping_sub(1), got.wrapping_add(1)] {
                let farther = (value(other) - exact).abs();
                assert!(
                    error < farther || (error <= farther && got & 1 == 0) || farther.is_nan(),
                    "{bits:#x}"
                );
            }
        }
    }

    #[test]
    fn the_int8_increments_are_those_that_operands_states() {
        assert_eq!(dot(0, U8_LEFT, I8_RIGHT), -32769);
        assert_eq!(dot(0, U7_LEFT, I8_RIGHT_OF_U7), -506);
    }

    #[test]
    fn tile_steps_are_nonzero_and_differ() {
        let steps: std::collections::BTreeSet<_> = tile_i8_steps().into_iter().collect();
        assert!(steps.len() > 200, "{}", steps.len());
        assert!(tile_bf16_steps().iter().all(|s| *s >= 2.0 && *s <= 20.0));
    }
}

//! Matrix instructions of one warp: fragments of PTX ISA 9.7.14.5 and 9.7.14.5.15 (ldmatrix). `g` is the lane's group
//! (lane / 4) and `t` its place in the group (lane % 4), as in the specification's figures.

use crate::number::{self, E2M1, E2M3, E3M2, E4M3, E5M2, F16};
use crate::operation::{Element, Mma};
use crate::product::Operands;

/// Value of an element's bits, as a matrix unit reads them.
#[inline]
pub fn element(kind: Element, bits: u64) -> f64 {
    match kind {
        Element::F64 => f64::from_bits(bits),
        Element::F32 => f64::from(f32::from_bits(bits as u32)),
        Element::Tf32 => number::tf32_operand(bits as u32),
        Element::F16 => half::f16::from_bits(bits as u16).to_f64(),
        Element::Bf16 => half::bf16::from_bits(bits as u16).to_f64(),
        Element::E4m3 => E4M3.decode(bits as u32 & 0xff),
        Element::E5m2 => E5M2.decode(bits as u32 & 0xff),
        // In a byte of its own, fp6 stands in the low bits and fp4 in bits 2 to 5.
        Element::E3m2 => E3M2.decode(bits as u32 & 0x3f),
        Element::E2m3 => E2M3.decode(bits as u32 & 0x3f),
        Element::E2m1 => E2M1.decode(bits as u32 >> 2 & 0xf),
        Element::S8 => f64::from(bits as u8 as i8),
        Element::U8 => f64::from(bits as u8),
        Element::S4 => f64::from(((bits as u8) << 4) as i8 >> 4),
        Element::U4 => f64::from(bits as u8 & 0xf),
        Element::S32 => f64::from(bits as u32 as i32),
    }
}

/// The same where an element has so many bits: packed fp4 has none below it.
pub(crate) fn packed(kind: Element, width: usize, bits: u64) -> f64 {
    element(kind, if (kind, width) == (Element::E2m1, 4) { bits << 2 } else { bits })
}

/// Row and column of element `i` of lane's share of A (`m` x `k`), whose words hold `per` elements.
pub fn place_a(m: usize, per: usize, lane: usize, i: usize) -> (usize, usize) {
    let (g, t) = (lane / 4, lane % 4);
    let (word, within) = (i / per, i % per);
    // Words go down the two halves of the rows first, then along K.
    let halves = m / 8;
    (g + 8 * (word % halves), (word / halves) * 4 * per + t * per + within)
}

/// Row (in K) and column of element `i` of lane's share of B.
pub fn place_b(per: usize, lane: usize, i: usize) -> (usize, usize) {
    let (g, t) = (lane / 4, lane % 4);
    ((i / per) * 4 * per + t * per + i % per, g)
}

/// Row and column of element `i` of lane's share of C and D.
#[inline]
pub fn place_c(lane: usize, i: usize) -> (usize, usize) {
    (lane / 4 + 8 * (i / 2), lane % 4 * 2 + i % 2)
}

/// Operands of one `mma.sync` from the registers of A, of B and of their scales.
pub(crate) fn operands(mma: &Mma, registers: &[[u64; 32]]) -> Operands {
    let (m, n, k) = (mma.m, mma.n, mma.k);
    let bits = mma.bits();
    let per = if bits >= 32 { 1 } else { 32 / bits };
    let pick = |word: u64, i: usize| if bits == 64 { word } else { word >> (i * bits) & ((1 << bits) - 1) };
    let value = |kind, word, i| packed(kind, bits, pick(word, i));
    let (a_words, rest) = registers.split_at(mma.a.len());
    let (b_words, scales) = rest.split_at(mma.b.len());
    let (mut a, mut b) = (vec![0.0; m * k], vec![0.0; n * k]);
    for lane in 0..32 {
        for i in 0..a_words.len() * per {
            let (row, column) = place_a(m, per, lane, i);
            a[row * k + column] = value(mma.a_type, a_words[i / per][lane], i % per);
        }
        for i in 0..b_words.len() * per {
            let (row, column) = place_b(per, lane, i);
            b[column * k + row] = value(mma.b_type, b_words[i / per][lane], i % per);
        }
    }
    if let (Some(given), [of_a, of_b]) = (&mma.scales, scales) {
        let [first, second] = given.byte.map(|byte| (given.count, given.fraction, byte));
        scale(first, &mut a, m, |row| of_a[row % 8 * 4 + given.thread[0] * 2 + row / 8]);
        scale(second, &mut b, n, |column| of_b[column * 4 + given.thread[1]]);
    }
    Operands::new(k, a, &b)
}

/// D of one `mma.sync` from the registers of C; `again` where these operands were multiplied before.
pub(crate) fn multiply(mma: &Mma, operands: &Operands, again: bool, c: &[[u64; 32]]) -> Vec<[u64; 32]> {
    let halves = if mma.c_type == Element::F16 { 2 } else { 1 };
    let mut sums = vec![0.0; mma.m * mma.n];
    let place = |lane: usize, i: usize| {
        let (row, column) = place_c(lane, i);
        row * mma.n + column
    };
    for (word, lanes) in c.iter().enumerate() {
        for (lane, bits) in lanes.iter().enumerate() {
            for half in 0..halves {
                let bits = if halves == 2 { bits >> (16 * half) & 0xffff } else { *bits };
                sums[place(lane, word * halves + half)] = element(mma.c_type, bits);
            }
        }
    }
    let chained = mma.c_type == Element::F64;
    if again {
        operands.add_again(0, &mut sums, chained)
    } else {
        operands.add(0, &mut sums, chained)
    }
    let of = |lane: usize, i: usize| rounded((mma.c_type, mma.saturate), sums[place(lane, i)]);
    let word = |word: usize| {
        std::array::from_fn(|lane| match halves {
            2 => of(lane, 2 * word) | of(lane, 2 * word + 1) << 16,
            _ => of(lane, word),
        })
    };
    (0..c.len()).map(word).collect()
}

/// Multiplies each of the rows of A, or columns of B, by its `count` scales, which begin at a byte of its data.
pub(crate) fn scale(
    (count, fraction, byte): (usize, bool, usize),
    values: &mut [f64],
    rows: usize,
    data: impl Fn(usize) -> u64,
) {
    let k = values.len() / rows;
    for (row, line) in values.chunks_exact_mut(k).enumerate() {
        let word = data(row) >> (8 * byte);
        for (i, block) in line.chunks_exact_mut(k / count).enumerate() {
            let bits = (word >> (8 * i)) as u8;
            let factor = if fraction { E4M3.decode(u32::from(bits & 0x7f)) } else { number::ue8m0(bits) };
            block.iter_mut().for_each(|value| *value *= factor);
        }
    }
}

/// Bits of a sum: integers wrap or saturate; the rest was summed in binary64 and is rounded once.
#[inline]
pub(crate) fn rounded((kind, saturate): (Element, bool), sum: f64) -> u64 {
    match kind {
        Element::F64 => sum.to_bits(),
        Element::S32 => {
            let whole = sum as i64;
            let bounded = whole.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
            u64::from(if saturate { bounded as u32 } else { whole as u32 })
        }
        Element::F16 => u64::from(F16.encode(sum, number::Rounding::Nearest, false)),
        _ => {
            let value = sum as f32;
            u64::from(if value.is_nan() { 0x7fff_ffff } else { value.to_bits() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_those_of_the_specification() {
        // m16n8k16, .f16: a0, a1 of lane 5 in row 1, columns 2 and 3; a2 in row 9; a4 in row 1, column 10.
        assert_eq!(place_a(16, 2, 5, 0), (1, 2));
        assert_eq!(place_a(16, 2, 5, 1), (1, 3));
        assert_eq!(place_a(16, 2, 5, 2), (9, 2));
        assert_eq!(place_a(16, 2, 5, 4), (1, 10));
        // m16n8k32, 8 bits: a4 in row 9; a8 in column 16 on.
        assert_eq!(
            (place_a(16, 4, 31, 3), place_a(16, 4, 31, 4), place_a(16, 4, 31, 8)),
            ((7, 15), (15, 12), (7, 28))
        );
        // m8n8k4, .f64: one element.
        assert_eq!((place_a(8, 1, 6, 0), place_b(1, 6, 0)), ((1, 2), (2, 1)));
        // b2 of .f16 k16 in row 8 on; c2 eight rows below c0.
        assert_eq!((place_b(2, 5, 1), place_b(2, 5, 2)), ((3, 1), (10, 1)));
        assert_eq!((place_c(5, 1), place_c(5, 2)), ((1, 3), (9, 2)));
    }

    #[test]
    fn every_element_of_a_tile_belongs_to_one_lane() {
        for (m, k, per) in
            [(16, 16, 2), (16, 8, 2), (16, 32, 4), (8, 16, 4), (16, 64, 8), (8, 4, 1), (16, 16, 1)]
        {
            let mut seen = vec![0; m * k];
            for lane in 0..32 {
                for i in 0..m * k / 32 {
                    let (row, column) = place_a(m, per, lane, i);
                    seen[row * k + column] += 1;
                }
            }
            assert!(seen.iter().all(|n| *n == 1), "{m} {k} {per}");
        }
    }
}

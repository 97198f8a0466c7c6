//! Operands of the issue kernels as they lie in memory, and what their accumulators must be afterwards.
//!
//! **Source**: PTX ISA 9.7.14 to 9.7.16, fragments of `mma.sync`, registers and swizzles of `wgmma` and `tcgen05`: recalled.
//! An interpreter written from that specification agrees in the tests; no device has. Six-bit numbers in shared memory:
//! cuda.h of CUDA 13.5, `CU_TENSOR_MAP_DATA_TYPE_16U6_ALIGN16B`, read.

use half::{bf16, f16};

use super::abi::Element;
use super::form::{Fma, Form, Mma, RESET, Tcgen05, Wgmma};
use super::number::{Pairs, bits};
use super::{Row, replay};
use crate::precision::Precision;

impl Row {
    /// Operands of an issue kernel, to be copied to the device as they are; empty for a product.
    pub fn operands(&self) -> Vec<u8> {
        match &self.form {
            Form::Fma(form) => chain_words(form).iter().flat_map(|word| bytes(*word, form.element)).collect(),
            Form::Mma(form) => self.fragments(form),
            Form::Wgmma(_) | Form::Tcgen05(_) => self.tiles(),
            Form::Gemm(_) => Vec::new(),
        }
    }

    /// Format of the accumulators as an issue kernel stores them.
    pub const fn accumulator(&self) -> Element {
        match &self.form {
            Form::Fma(form) => form.element,
            Form::Mma(form) => form.result,
            Form::Wgmma(form) => form.result,
            Form::Tcgen05(form) => form.result,
            Form::Gemm(form) => form.result,
        }
    }

    /// Memory that one block of an issue kernel writes.
    ///
    /// Unit: bytes.
    pub fn output_bytes_per_block(&self) -> u64 {
        let words = match &self.form {
            Form::Fma(form) => Fma::THREADS * form.chains,
            Form::Mma(form) => Mma::THREADS * form.tiles[0] * form.tiles[1] * form.words[2],
            Form::Wgmma(_) => Wgmma::EXTENTS[0] * Wgmma::EXTENTS[1] * Wgmma::GROUPS,
            Form::Tcgen05(_) => Tcgen05::EXTENTS[0] * Tcgen05::EXTENTS[1],
            Form::Gemm(_) => 0,
        };
        u64::from(words) * u64::from(self.accumulator().bytes())
    }

    /// Accumulators in the order of the kernel's output, widened exactly.
    pub fn accumulators(&self, output: &[u8]) -> Vec<f64> {
        let element = self.accumulator();
        output.chunks_exact(element.bytes() as usize).flat_map(|word| values(word, element)).collect()
    }

    /// What the accumulators of each block must be after `iterations` trips, in the order of the kernel's output.
    pub fn expected(&self, iterations: u64) -> Vec<f64> {
        match &self.form {
            Form::Fma(form) => chains(form, iterations * u64::from(form.unroll)),
            Form::Mma(form) => {
                let sums: Vec<f64> = self.scaled_sums(iterations, form.unroll / 2);
                mma_order(form, &sums)
            }
            Form::Wgmma(form) => wgmma_order(&self.scaled_sums(iterations, form.unroll / Wgmma::STEPS)),
            Form::Tcgen05(form) => self.scaled_sums(iterations, form.unroll / Tcgen05::STEPS),
            Form::Gemm(_) => Vec::new(),
        }
    }

    /// Sums [row][column] after the trips since the last reset, with `rounds` passes over the operands in each.
    fn scaled_sums(&self, iterations: u64, rounds: u32) -> Vec<f64> {
        let trips = iterations.checked_sub(1).map_or(0, |before| before % u64::from(RESET) + 1);
        let passes = trips * u64::from(rounds);
        let pairs = self.pairs();
        #[expect(clippy::cast_precision_loss, reason = "below 2^53 by the bound of the operands")]
        let sums = pairs.sum().into_iter().map(|sum| sum as f64 * passes as f64).collect();
        sums
    }

    fn pairs(&self) -> Pairs {
        let (steps, extents) = match &self.form {
            Form::Mma(form) => {
                let [m, n, k] = form.shape;
                (2, [m * form.tiles[0], n * form.tiles[1], k])
            }
            Form::Wgmma(form) => {
                (Wgmma::STEPS, [Wgmma::EXTENTS[0] * Wgmma::GROUPS, Wgmma::EXTENTS[1], form.k])
            }
            Form::Tcgen05(form) => (Tcgen05::STEPS, [Tcgen05::EXTENTS[0], Tcgen05::EXTENTS[1], form.k]),
            Form::Fma(_) | Form::Gemm(_) => (0, [0, 0, 1]),
        };
        Pairs::new(self.precision, self.accumulate, steps as usize, extents.map(|extent| extent as usize))
    }

    /// Words [step][tile][word][lane] of A, then [tile][word][lane] of B.
    fn fragments(&self, form: &Mma) -> Vec<u8> {
        let pairs = self.pairs();
        let [m, n, k] = form.shape.map(|extent| extent as usize);
        let [rows, columns] = [form.tiles[0] as usize * m, form.tiles[1] as usize * n];
        let size = if form.result == Element::F64 { 8 } else { 4 };
        let each = size * 8 / form.container as usize;
        let word = |values: &[i32], row: usize, first: usize| {
            let place =
                |(at, value): (usize, &i32)| bits(self.precision, *value) << (at * form.container as usize);
            let values = values.get(row * k + first..).unwrap_or_default();
            let word = values.iter().take(each).enumerate().map(place).fold(0, |word, part| word | part);
            word.to_le_bytes().into_iter().take(size)
        };
        let mut bytes = Vec::new();
        for step in 0..2 {
            let a = pairs.a.get(step * rows * k..).unwrap_or_default();
            for (tile, at, lane) in places(form.tiles[0], form.words[0]) {
                // Words go down 8 rows first, then along K; 8-row instructions have one word.
                let row = tile * m + lane / 4 + 8 * (at % 2);
                bytes.extend(word(a, row, (lane % 4) * each + (at / 2) * 4 * each));
            }
        }
        debug_assert_eq!(pairs.b.len(), 2 * columns * k);
        for (tile, at, lane) in places(form.tiles[1], form.words[1]) {
            bytes.extend(word(&pairs.b, tile * n + lane / 4, (lane % 4) * each + at * 4 * each));
        }
        bytes
    }

    /// A [rows, 128 bytes], then B [256, 128 bytes], as the 128-byte swizzle wants them in shared memory.
    fn tiles(&self) -> Vec<u8> {
        let pairs = self.pairs();
        let (rows, columns, k) = match &self.form {
            Form::Wgmma(form) => (Wgmma::EXTENTS[0] * Wgmma::GROUPS, Wgmma::EXTENTS[1], form.k),
            Form::Tcgen05(form) => (Tcgen05::EXTENTS[0], Tcgen05::EXTENTS[1], form.k),
            Form::Fma(_) | Form::Mma(_) | Form::Gemm(_) => (0, 0, 1),
        };
        let mut image = Vec::new();
        for (values, rows) in [(&pairs.a, rows as usize), (&pairs.b, columns as usize)] {
            let start = image.len();
            image.resize(start + rows * ROW, 0);
            let steps = values.chunks_exact(rows * k as usize);
            for (step, values) in steps.enumerate() {
                for (row, values) in values.chunks_exact(k as usize).enumerate() {
                    let packed = packed(self.precision, values);
                    for (at, byte) in packed.into_iter().enumerate() {
                        let place = start + row * ROW + swizzled(row, step * STEP + at);
                        if let Some(slot) = image.get_mut(place) {
                            *slot = byte;
                        }
                    }
                }
            }
        }
        image
    }
}

/// Bytes of a row in shared memory, and of one step of K in it.
const ROW: usize = 128;
const STEP: usize = 32;

/// Place of a byte of a 128-byte row: chunks of 16 bytes change places by the row's number modulo 8.
const fn swizzled(row: usize, at: usize) -> usize {
    ((at / 16) ^ (row % 8)) * 16 + at % 16
}

/// One step of K of one row: 32 bytes. 6-bit numbers stand sixteen in 12 bytes, each followed by 4 bytes of nothing.
fn packed(precision: Precision, values: &[i32]) -> Vec<u8> {
    let width = precision_bits(precision);
    let mut row = vec![0_u8; STEP];
    for (at, value) in values.iter().enumerate() {
        let first = if width == 6 { at / 16 * 128 + at % 16 * 6 } else { at * width };
        for bit in 0..width {
            let set = bits(precision, *value) >> bit & 1;
            if let (1, Some(byte)) = (set, row.get_mut((first + bit) / 8)) {
                *byte |= 1 << ((first + bit) % 8);
            }
        }
    }
    row
}

/// Bits of an element in memory.
const fn precision_bits(precision: Precision) -> usize {
    match precision {
        Precision::Tf32 => 32,
        other => other.bits() as usize,
    }
}

/// Every (tile, word, lane), lanes fastest.
fn places(tiles: u32, words: u32) -> impl Iterator<Item = (usize, usize, usize)> {
    let (tiles, words) = (tiles as usize, words as usize);
    (0..tiles * words * 32).map(move |at| (at / 32 / words, at / 32 % words, at % 32))
}

/// Sums in the order [thread][tile of A][tile of B][number], the same for every warp.
fn mma_order(form: &Mma, sums: &[f64]) -> Vec<f64> {
    let [m, n] = [form.shape[0] as usize, form.shape[1] as usize];
    let columns = n * form.tiles[1] as usize;
    let numbers = (form.words[2] * form.result.lanes()) as usize;
    let mut ordered = Vec::new();
    for thread in 0..Mma::THREADS as usize {
        let lane = thread % 32;
        for a in 0..form.tiles[0] as usize {
            for b in 0..form.tiles[1] as usize {
                for at in 0..numbers {
                    let (row, column) = (a * m + lane / 4 + 8 * (at / 2), b * n + lane % 4 * 2 + at % 2);
                    ordered.push(sums.get(row * columns + column).copied().unwrap_or(f64::NAN));
                }
            }
        }
    }
    ordered
}

/// Sums in the order [thread][register] of the warpgroups, one below the other.
fn wgmma_order(sums: &[f64]) -> Vec<f64> {
    let columns = Wgmma::EXTENTS[1] as usize;
    let mut ordered = Vec::with_capacity(sums.len());
    for thread in 0..(Wgmma::GROUPS * Wgmma::GROUP) as usize {
        for register in 0..columns / 2 {
            // A warp has 16 rows, and warps follow each other within and across warpgroups.
            let row = thread / 32 * 16 + thread % 32 / 4 + register / 2 % 2 * 8;
            let column = register / 4 * 8 + thread % 4 * 2 + register % 2;
            ordered.push(sums.get(row * columns + column).copied().unwrap_or(f64::NAN));
        }
    }
    ordered
}

/// Factor and term: near 1, so that no infinity, NaN or subnormal comes up. The short formats take
/// `x = x^2 - 1.8` instead, whose orbits do not settle, where a contraction would after some ten steps.
const FACTOR: f64 = 0.999;
const TERM: f64 = 0.001;
const SQUARE_TERM: f32 = -1.8;

/// Start value `at` of the chains, different in each.
fn start(at: u32) -> f64 {
    0.3 + f64::from(at) * 0.029
}

/// Factor, term and start values, each one register of the chain; binary64 bits, or packed pairs.
fn chain_words(form: &Fma) -> Vec<u64> {
    let mut words = vec![constant(form.element, FACTOR), chain_term(form.element)];
    words.extend((0..Fma::STARTS).map(|at| {
        let lanes = form.element.lanes();
        (0..lanes).fold(0, |word, lane| {
            word | narrow(form.element, start_of(at, lane)) << (lane * lane_bits(form.element))
        })
    }));
    words
}

/// The second lane of a register starts elsewhere.
fn start_of(at: u32, lane: u32) -> f64 {
    start(at) + 0.011 * f64::from(lane)
}

const fn lane_bits(element: Element) -> u32 {
    element.bytes() * 8 / element.lanes()
}

fn chain_term(element: Element) -> u64 {
    match element {
        Element::F16x2 | Element::Bf16x2 => constant(element, SQUARE_TERM.into()),
        _ => constant(element, TERM),
    }
}

/// One number in every lane of a register.
fn constant(element: Element, value: f64) -> u64 {
    (0..element.lanes()).fold(0, |word, lane| word | narrow(element, value) << (lane * lane_bits(element)))
}

/// Bits of one lane.
fn narrow(element: Element, value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to the format is the purpose")]
    let short = value as f32;
    match element {
        Element::F64 => value.to_bits(),
        Element::F16x2 | Element::F16 => u64::from(f16::from_f32(short).to_bits()),
        Element::Bf16x2 | Element::Bf16 => u64::from(bf16::from_f32(short).to_bits()),
        _ => u64::from(short.to_bits()),
    }
}

/// Chains of one block in the order [thread][chain][lane].
fn chains(form: &Fma, steps: u64) -> Vec<f64> {
    let lanes = form.element.lanes();
    let ends: Vec<f64> = (0..Fma::STARTS * lanes)
        .map(|at| end(form.element, start_of(at / lanes, at % lanes), steps))
        .collect();
    let mut ordered = Vec::new();
    for thread in 0..Fma::THREADS {
        for chain in 0..form.chains {
            let first = (thread + chain) % Fma::STARTS * lanes;
            ordered.extend((first..first + lanes).filter_map(|at| ends.get(at as usize)));
        }
    }
    ordered
}

/// One chain after its steps.
fn end(element: Element, start: f64, steps: u64) -> f64 {
    let first = narrow(element, start);
    #[expect(clippy::cast_possible_truncation, reason = "the constants as binary32 has them")]
    let (factor, term) = (FACTOR as f32, TERM as f32);
    match element {
        Element::F64 => {
            f64::from_bits(replay::after(first, steps, |value| replay::binary64(value, FACTOR, TERM)))
        }
        Element::F16x2 | Element::F16 => {
            let (first, term) = (wide(element, first), f16::from_f32(SQUARE_TERM).to_f64());
            f64::from_bits(replay::after(first.to_bits(), steps, |value| {
                replay::square(value, term, 11, -24)
            }))
        }
        Element::Bf16x2 | Element::Bf16 => {
            let (first, term) = (wide(element, first), bf16::from_f32(SQUARE_TERM).to_f64());
            f64::from_bits(replay::after(first.to_bits(), steps, |value| {
                replay::square(value, term, 8, -133)
            }))
        }
        _ => {
            let last = replay::after(first, steps, |value| replay::binary32(value, factor, term));
            wide(Element::F32, last)
        }
    }
}

/// Value of one lane's bits.
fn wide(element: Element, bits: u64) -> f64 {
    let [b0, b1, b2, b3, ..] = bits.to_le_bytes();
    match element {
        Element::F64 => f64::from_bits(bits),
        Element::F16x2 | Element::F16 => f16::from_le_bytes([b0, b1]).to_f64(),
        Element::Bf16x2 | Element::Bf16 => bf16::from_le_bytes([b0, b1]).to_f64(),
        Element::F32 | Element::F32x2 => f64::from(f32::from_le_bytes([b0, b1, b2, b3])),
        Element::I32 => f64::from(i32::from_le_bytes([b0, b1, b2, b3])),
        Element::I8 => f64::from(i8::from_le_bytes([b0])),
        // No accumulator is a code of a short format.
        Element::Byte | Element::Nibble => f64::NAN,
    }
}

/// Little-endian bytes of one register.
fn bytes(word: u64, element: Element) -> impl Iterator<Item = u8> {
    word.to_le_bytes().into_iter().take(element.bytes() as usize)
}

/// Numbers of one word of output.
fn values(word: &[u8], element: Element) -> impl Iterator<Item = f64> + use<> {
    let bits = word.iter().rev().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..element.lanes()).map(move |lane| {
        let shifted = bits >> (lane * lane_bits(element));
        let kept = if lane_bits(element) == 64 { shifted } else { shifted & ((1 << lane_bits(element)) - 1) };
        wide(element, kept)
    })
}

#[cfg(test)]
mod tests;

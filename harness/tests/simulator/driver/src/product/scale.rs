//! Scales of one dimension: one for each block of an operand along K, in tiles.
//!
//! **Source**: cuBLAS 13 documentation, "16/32-Element 1D Block Scaling for FP8 and FP4 Data Types" and "1D Block Scaling
//! Factors Layout", read in a copy: a tile holds the scales of 128 lines and four blocks, and the scale at `offset` of it
//! is that of line `offset % 16 / 4 * 32 + offset / 16` and block `offset % 4`; tiles follow each other along K first;
//! addresses are multiples of 16; whole tiles are allocated, with zeros where the matrix has ended.

use cudarc::cublaslt::sys::cublasLtMatmulMatrixScale_t as Code;
use cudarc::driver::sys::CUresult;
use float8::F8E4M3;
use flopgauge_simulator::memory::Global;

use crate::machine::Outcome;

/// Lines of a tile, blocks of a tile, scales of a tile.
const LINES: u64 = 128;
const BLOCKS: u64 = 4;
const TILE: u64 = LINES * BLOCKS;

/// What the scales of an operand are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One binary32 for the whole operand, or none.
    #[default]
    Scalar,
    /// UE4M3 for each 16 elements.
    Vec16,
    /// UE8M0 for each 32 elements.
    Vec32,
}

impl Mode {
    /// The mode of a code; `None` for one that is not simulated.
    pub(crate) fn of(code: i32) -> Option<Self> {
        [
            (Code::CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F, Self::Scalar),
            (Code::CUBLASLT_MATMUL_MATRIX_SCALE_VEC16_UE4M3, Self::Vec16),
            (Code::CUBLASLT_MATMUL_MATRIX_SCALE_VEC32_UE8M0, Self::Vec32),
        ]
        .into_iter()
        .find(|(known, _)| *known as i32 == code)
        .map(|(_, mode)| mode)
    }

    const fn block(self) -> u64 {
        match self {
            Self::Scalar => u64::MAX,
            Self::Vec16 => 16,
            Self::Vec32 => 32,
        }
    }

    fn value(self, code: u8) -> f64 {
        match self {
            // The sign is not looked at.
            Self::Vec16 => F8E4M3::from_bits(code & 0x7f).to_f64(),
            Self::Vec32 if code == 0xff => f64::NAN,
            _ => 2_f64.powi(i32::from(code) - 127),
        }
    }
}

/// Line and block of the scale at this place, where `wide` tiles stand beside each other along K.
const fn place(at: u64, wide: u64) -> (u64, u64) {
    let (tile, offset) = (at / TILE, at % TILE);
    let (line, block) = (offset % 16 / 4 * 32 + offset / 16, offset % BLOCKS);
    (tile / wide * LINES + line, tile % wide * BLOCKS + block)
}

/// Scales of an operand of `lines` lines of K.
#[derive(Debug)]
pub(crate) struct Scales {
    mode: Mode,
    blocks: u64,
    values: Vec<f64>,
}

impl Scales {
    /// Reads the scales at an address; 0 is none, and a scale of one.
    ///
    /// Errors: where they lie outside an allocation, or are not zero where the matrix has ended.
    pub(crate) fn read(
        memory: &mut Global,
        (mode, address): (Mode, u64),
        (lines, k): (u64, u64),
    ) -> Outcome<Self> {
        let outside = CUresult::CUDA_ERROR_ILLEGAL_ADDRESS;
        if mode == Mode::Scalar {
            let word = if address == 0 { None } else { Some(memory.host_read(address, 4).ok_or(outside)?) };
            let scale = |word: &[u8]| f32::from_le_bytes(word.first_chunk().copied().unwrap_or_default());
            return Ok(Self {
                mode,
                blocks: 1,
                values: vec![word.map_or(1.0, |word| f64::from(scale(word)))],
            });
        }
        let blocks = k.div_ceil(mode.block());
        let wide = blocks.div_ceil(BLOCKS);
        let size = lines.div_ceil(LINES) * wide * TILE;
        let codes = memory.host_read(address, size as usize).ok_or(outside)?;
        let mut values = vec![f64::NAN; (lines * blocks) as usize];
        for (at, code) in codes.iter().enumerate() {
            let (line, block) = place(at as u64, wide);
            if line >= lines || block >= blocks {
                if *code != 0 {
                    crate::say(&format!("the scale {at} is beyond the matrix and not zero"));
                    return Err(CUresult::CUDA_ERROR_INVALID_VALUE);
                }
            } else if let Some(value) = values.get_mut((line * blocks + block) as usize) {
                *value = mode.value(*code);
            }
        }
        Ok(Self { mode, blocks, values })
    }

    /// The scale of an element.
    pub(crate) fn at(&self, line: u64, along_k: u64) -> f64 {
        let at = if self.mode == Mode::Scalar { 0 } else { line * self.blocks + along_k / self.mode.block() };
        self.values.get(at as usize).copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_places_of_a_tile_worked_by_hand() {
        // Four scales of line 0, four of line 32, of 64, of 96; then line 1.
        for (at, found) in
            [(0, (0, 0)), (3, (0, 3)), (4, (32, 0)), (15, (96, 3)), (16, (1, 0)), (511, (127, 3))]
        {
            assert_eq!(place(at, 1), found, "{at}");
        }
        // Of two tiles beside each other the second continues along K, the third along the lines.
        assert_eq!((place(512, 2), place(1024, 2)), ((0, 4), (128, 0)));
    }

    #[test]
    fn every_scale_has_one_place_and_the_formula_of_the_documentation_gives_it() {
        let wide = 3;
        let all: BTreeSet<_> = (0..2 * wide * TILE).map(|at| place(at, wide)).collect();
        assert_eq!(all.len() as u64, 2 * wide * TILE);
        for (line, block) in all {
            let inside = line % 128 % 32 * 16 + line % 128 / 32 * 4 + block % 4;
            let tile = (block / 4 * 4 + line / 128 * wide * 4) * 128;
            assert_eq!(place(tile + inside, wide), (line, block));
        }
    }

    #[test]
    fn codes_of_one_two_and_none() {
        assert_eq!([0x7f, 0x80, 0].map(|code| Mode::Vec32.value(code)), [1.0, 2.0, 2_f64.powi(-127)]);
        assert_eq!([0x38, 0x40, 0xb8, 0].map(|code| Mode::Vec16.value(code)), [1.0, 2.0, 1.0, 0.0]);
        assert!(Mode::Vec32.value(0xff).is_nan());
    }
}

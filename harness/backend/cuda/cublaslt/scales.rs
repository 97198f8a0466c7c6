//! Scales that narrow formats come with: one of an operand, or one of each block along K, in tiles.
//!
//! **Source**: cuBLAS 13 documentation, "1D Block Scaling Factors Layout", read in a copy; untried on a device.

use super::format::Rules;

/// Lines of a tile, and blocks.
const LINES: u64 = 128;
const BLOCKS: u64 = 4;

/// Size of the scales of one operand with this many lines: whole tiles, also where the operand fills none.
///
/// Unit: bytes.
pub(super) fn scale_bytes(rules: Rules, lines: u64, k: u64) -> u64 {
    match rules {
        Rules::BlockScaled { block, .. } => {
            lines.next_multiple_of(LINES) * k.div_ceil(block).next_multiple_of(BLOCKS)
        }
        Rules::Scaled => 4,
        Rules::Free | Rules::KContiguous => 0,
    }
}

/// Scales of one operand: ones, and zeros where a tile reaches beyond it.
pub(super) fn scales(rules: Rules, lines: u64, k: u64) -> Vec<u8> {
    match rules {
        Rules::BlockScaled { one, block, .. } => {
            let size = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
            let mut bytes = vec![0; size(scale_bytes(rules, lines, k))];
            let blocks = k.div_ceil(block);
            for (line, block) in (0..lines).flat_map(|line| (0..blocks).map(move |block| (line, block))) {
                if let Some(slot) = bytes.get_mut(size(place(line, block, blocks))) {
                    *slot = one;
                }
            }
            bytes
        }
        Rules::Scaled => 1_f32.to_le_bytes().to_vec(),
        Rules::Free | Rules::KContiguous => Vec::new(),
    }
}

/// Place of one scale among those of lines of `blocks` blocks.
const fn place(line: u64, block: u64, blocks: u64) -> u64 {
    let tile = line / LINES * blocks.div_ceil(BLOCKS) + block / BLOCKS;
    let line = line % LINES;
    tile * (LINES * BLOCKS) + line % 32 * 16 + line / 32 * 4 + block % BLOCKS
}

#[cfg(test)]
mod tests {
    use super::super::format::format;
    use super::*;

    fn rules(name: &str) -> Rules {
        format(name).unwrap().rules
    }

    #[test]
    fn scales_are_as_many_as_their_tiles_hold() {
        // 96 lines are one tile of 128; 96 of K are three blocks of 32 and six of 16, rounded up to four and eight.
        assert_eq!(scale_bytes(rules("cublaslt-mxfp8"), 96, 96), 128 * 4);
        assert_eq!(scale_bytes(rules("cublaslt-nvfp4"), 96, 96), 128 * 8);
        assert_eq!(scales(Rules::Scaled, 96, 96), 1_f32.to_le_bytes());
        assert!(scales(Rules::Free, 96, 96).is_empty());
    }

    #[test]
    fn places_worked_by_hand() {
        // Twelve blocks are three tiles beside each other.
        for (line, block, found) in [
            (0, 0, 0),
            (0, 3, 3),
            (0, 4, 512),
            (1, 0, 16),
            (32, 0, 4),
            (33, 1, 21),
            (96, 2, 14),
            (127, 3, 511),
            (128, 0, 3 * 512),
            (161, 9, 5 * 512 + 21),
        ] {
            assert_eq!(place(line, block, 12), found, "line {line}, block {block}");
        }
    }

    #[test]
    fn what_lies_beyond_the_operand_is_zero() {
        for (name, one, blocks) in [("cublaslt-mxfp8", 0x7f, 3), ("cublaslt-nvfp4", 0x38, 6)] {
            let bytes = scales(rules(name), 40, 96);
            // In memory: sixteen bytes for lines 0, 32, 64 and 96, then for lines 1, 33, 65 and 97.
            let of_a_tile = |first: usize, valid: usize| {
                let line = |line: usize, block: usize| {
                    if line < 40 && block < valid { one } else { 0 }
                };
                let expected: Vec<u8> = (0..512).map(|at| line(at % 16 / 4 * 32 + at / 16, at % 4)).collect();
                assert_eq!(bytes[first..first + 512], expected, "{name}");
            };
            of_a_tile(0, blocks.min(4));
            if blocks > 4 {
                of_a_tile(512, blocks - 4);
            }
        }
    }
}

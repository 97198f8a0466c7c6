//! How a kernel is called: arguments, grid, leading dimensions, tensor maps.

/// Arguments of a kernel, in their order. Sizes and leading dimensions are `u32`, in elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameters {
    /// `(accumulators: pointer, operands: pointer, iterations: u32)`; neither pointer may be written to by anyone else.
    Issue,
    /// `(c, a, b: pointer, m, n, k, leading_a, leading_b, leading_c: u32)`, each leading dimension by [`leading`].
    Matrices,
    /// `(map_a, map_b: CUtensorMap by value, c: pointer, m, n, k, leading_c: u32)`; maps by [`super::Gemm::maps`].
    TensorMaps,
}

/// Format of the words that a kernel reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// binary64.
    F64,
    /// binary32, tf32 too.
    F32,
    /// Two binary32 in 64 bits.
    F32x2,
    /// Two binary16 in 32 bits.
    F16x2,
    /// Two bfloat16 in 32 bits.
    Bf16x2,
    /// bfloat16.
    Bf16,
    /// binary16.
    F16,
    /// 8-bit integer.
    I8,
    /// A code of a format of 8 bits or fewer.
    Byte,
    /// Two codes of 4 bits, the first in the low ones.
    Nibble,
    /// 32-bit integer.
    I32,
}

impl Element {
    /// Size of one word.
    ///
    /// Unit: bytes.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::F64 | Self::F32x2 => 8,
            Self::F32 | Self::F16x2 | Self::Bf16x2 | Self::I32 => 4,
            Self::Bf16 | Self::F16 => 2,
            Self::I8 | Self::Byte | Self::Nibble => 1,
        }
    }

    /// Numbers in one word.
    pub const fn lanes(self) -> u32 {
        match self {
            Self::F32x2 | Self::F16x2 | Self::Bf16x2 | Self::Nibble => 2,
            _ => 1,
        }
    }
}

/// Distance of two rows in memory, in elements: rounded up to 128 bytes, so that every row begins aligned.
///
/// Kernels never use what stands between the last column and the next row.
pub const fn leading(columns: u64, element: Element) -> u64 {
    columns.next_multiple_of(128 / element.bytes() as u64)
}

/// Blocks of a launch, in one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Number of blocks.
    pub blocks: u32,
}

/// A two-dimensional tensor map: 128-byte swizzle, no interleave, elements beyond the edge read as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorBox {
    /// Format of the elements.
    pub element: Element,
    /// Columns of the matrix in memory: extent of the contiguous dimension.
    pub columns: u64,
    /// Rows of the matrix in memory.
    pub rows: u64,
    /// Distance of two rows in bytes, a multiple of 16.
    pub row_bytes: u64,
    /// Columns of one box: 128 bytes.
    pub box_columns: u32,
    /// Rows of one box.
    pub box_rows: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_begins_at_a_multiple_of_16_bytes() {
        for element in [Element::F32, Element::Bf16, Element::F16, Element::I8] {
            for columns in [1, 7, 33, 128, 4095, (1 << 31) - 1] {
                let distance = leading(columns, element);
                assert!(distance >= columns && (distance * u64::from(element.bytes())).is_multiple_of(16));
            }
        }
    }
}

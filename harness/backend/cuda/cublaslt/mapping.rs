//! Row-major matrices in the words of a column-major library.
//!
//! A row-major matrix is the transposed one in column-major order. C = A x B is therefore asked for as C' = B' x A',
//! where ' is the transposed matrix: the library's left operand is our B, its right one our A, and its rows are our
//! columns. A matrix [rows, columns] with rows `lead` elements apart is told as `columns` x `rows` with that leading
//! dimension, without an operation.
//!
//! Where K must be contiguous, B is stored transposed, [n, k], and the library is told to transpose it back.

use super::format::Format;
use crate::backend::cuda::operands::ResultImage;
use crate::backend::cuda::rows::{Element, leading};
use crate::workload::{Elements, GemmShape, Layout, small};

/// A matrix as the library is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Matrix {
    /// Whether it is used transposed.
    pub transposed: bool,
    /// Rows in memory: extent of the contiguous dimension.
    pub rows: u64,
    /// Columns in memory.
    pub columns: u64,
    /// Distance of two columns, in elements.
    pub lead: u64,
}

/// The three matrices, and the extents of what is really multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mapping {
    /// Our B.
    pub left: Matrix,
    /// Our A.
    pub right: Matrix,
    /// C.
    pub result: Matrix,
    /// Extents with their padding.
    pub padded: GemmShape,
}

impl Mapping {
    /// How a product is told.
    ///
    /// Errors: why the format has no such product.
    pub fn of(format: &Format, shape: GemmShape, layout: Layout) -> Result<Self, String> {
        let up = |extent: u64| extent.next_multiple_of(format.rules.multiple());
        let padded = GemmShape::new(up(shape.m()), up(shape.n()), up(shape.k()));
        let padded = padded.map_err(|_| format!("{shape} is too large with its padding"))?;
        let (m, n, k) = (padded.m(), padded.n(), padded.k());
        let plain = |rows: u64, columns: u64, element| Matrix {
            transposed: false,
            rows,
            columns,
            lead: leading(rows, element),
        };
        let result = plain(n, m, format.result.1);
        if format.rules.k_contiguous() {
            if layout == Layout::Tn {
                let name = format.name;
                return Err(format!("{name} needs K contiguous in A; it has no product with A transposed"));
            }
            let along = |columns| Matrix { transposed: false, rows: k, columns, lead: k };
            let left = Matrix { transposed: true, ..along(n) };
            return Ok(Self { left, right: along(m), result, padded });
        }
        let right = match layout {
            Layout::Nn => plain(k, m, format.element),
            Layout::Tn => Matrix { transposed: true, ..plain(m, k, format.element) },
        };
        Ok(Self { left: plain(n, k, format.element), right, result, padded })
    }

    /// C as it lies in memory.
    pub const fn image(&self, format: &Format, shape: GemmShape) -> ResultImage {
        let (element, extents) = (format.result.1, (shape.m(), shape.n()));
        ResultImage { element, extents, lead: self.result.lead, rows: self.padded.m() }
    }
}

/// Bytes of a matrix whose K is contiguous: `lines` lines of `k` elements each, zeros up to the padded extents.
///
/// `element` gives line and place their element; beyond the matrix it is not asked.
pub(super) fn along_k(
    (lines, k): (u64, u64),
    padded: (u64, u64),
    format: &Format,
    elements: &Elements,
    place: impl Fn(u64, u64) -> u64,
) -> Vec<u8> {
    let bits: u64 = if format.element == Element::Nibble { 4 } else { 8 };
    let size = usize::try_from(padded.0 * padded.1 * bits / 8).unwrap_or(usize::MAX);
    let mut bytes = vec![0_u8; size];
    for line in 0..lines {
        for at in 0..k {
            let from = usize::try_from(place(line, at)).unwrap_or(usize::MAX);
            let bit = (line * padded.1 + at) * bits;
            let slot = bytes.get_mut(usize::try_from(bit / 8).unwrap_or(usize::MAX));
            if let (Some(slot), Some(code)) = (slot, code(elements, from)) {
                // The first of two nibbles is the low one.
                *slot |= code << (bit % 8);
            }
        }
    }
    bytes
}

/// An element's code.
fn code(elements: &Elements, at: usize) -> Option<u8> {
    match elements {
        Elements::I8(values) => values.get(at).map(|value| value.to_le_bytes()[0]),
        Elements::Small(_, codes) => codes.get(at).copied(),
        _ => None,
    }
}

/// The same values in another format of eight bits.
pub(super) fn recoded(elements: Elements, to: crate::precision::Precision) -> Option<Elements> {
    match elements {
        Elements::Small(from, codes) if from != to => {
            let code = |code: &u8| small::encode(to, small::decode(from, *code)?);
            Some(Elements::Small(to, codes.iter().map(code).collect::<Option<_>>()?))
        }
        same => Some(same),
    }
}

//! Matrices as they lie in the device's memory.

use super::rows::{Element, leading};
use crate::workload::{Elements, GemmShape};

/// Rows one after the other, each beginning at a multiple of `lead` elements.
pub(super) fn row_major(elements: &Elements, columns: u64, element: Element) -> Vec<u8> {
    let size = u64::from(element.bytes());
    let length = |count: u64| usize::try_from(count * size).unwrap_or(usize::MAX);
    let (columns, lead) = (length(columns), length(leading(columns, element)));
    let mut rows = Vec::new();
    for row in elements.to_bytes().chunks(columns) {
        rows.extend_from_slice(row);
        // NaN between the rows, or a large number: what a kernel must not use would show.
        rows.resize(rows.len() + lead - row.len(), 0x7f);
    }
    rows
}

/// C as it lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ResultImage {
    /// Format of its elements.
    pub element: Element,
    /// Rows and columns of C.
    pub extents: (u64, u64),
    /// Distance of two rows, in elements.
    pub lead: u64,
    /// Rows in memory, those of C first.
    pub rows: u64,
}

impl ResultImage {
    /// C of a product by one of the table's kernels.
    pub const fn of(shape: GemmShape, element: Element) -> Self {
        Self { element, extents: (shape.m(), shape.n()), lead: leading(shape.n(), element), rows: shape.m() }
    }

    /// Size of it all.
    ///
    /// Unit: bytes.
    pub fn bytes(&self) -> u64 {
        self.rows * self.lead * u64::from(self.element.bytes())
    }

    /// Byte of an output that was never written: NaN, or for integers a number that no product of small operands has.
    pub const fn poison(&self) -> u8 {
        if matches!(self.element, Element::I32 | Element::I8) { 0x80 } else { 0xff }
    }

    /// C without what stands around it; `None` for a format that is no result.
    pub fn elements(&self, bytes: &[u8]) -> Option<Elements> {
        let size = usize::try_from(self.element.bytes()).ok()?;
        let lead = usize::try_from(self.lead).ok()?.checked_mul(size)?;
        let (rows, columns) = (usize::try_from(self.extents.0).ok()?, usize::try_from(self.extents.1).ok()?);
        let rows = bytes.chunks_exact(lead).take(rows);
        let words = rows.flat_map(|row| row.get(..columns * size).unwrap_or_default().chunks_exact(size));
        macro_rules! all {
            ($variant:ident, $number:ty) => {
                words
                    .map(|word| Some(<$number>::from_le_bytes(word.try_into().ok()?)))
                    .collect::<Option<_>>()
                    .map(Elements::$variant)
            };
        }
        match self.element {
            Element::F64 => all!(F64, f64),
            Element::F32 => all!(F32, f32),
            Element::F16 => all!(F16, half::f16),
            Element::Bf16 => all!(Bf16, half::bf16),
            Element::I32 => all!(I32, i32),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_at_multiples_of_128_bytes_and_come_back_without_what_stands_between() {
        let shape = GemmShape::new(3, 5, 1).unwrap();
        let c = Elements::F32((0..15_u8).map(f32::from).collect());
        let image = ResultImage::of(shape, Element::F32);
        let bytes = row_major(&c, 5, Element::F32);
        assert_eq!((bytes.len() as u64, bytes.len()), (image.bytes(), 3 * 128));
        assert!(image.elements(&bytes).unwrap().same_bits(&c));
        assert_eq!(bytes[20..24], [0x7f; 4], "no number that would pass for one");
    }

    #[test]
    fn what_was_never_written_is_seen() {
        for element in [Element::F64, Element::F32, Element::F16, Element::Bf16, Element::I32] {
            let image = ResultImage::of(GemmShape::new(2, 3, 1).unwrap(), element);
            let bytes = vec![image.poison(); usize::try_from(image.bytes()).unwrap()];
            let values = image.elements(&bytes).unwrap().to_f64();
            assert_eq!(values.len(), 6);
            assert!(values.iter().all(|v| v.is_nan() || v.abs() > 2e9), "{element:?}");
        }
    }
}

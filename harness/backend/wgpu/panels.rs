//! How a product is cut where one binding cannot hold an operand: row panels of A, column panels of B, tiles of C.

use crate::workload::GemmShape;

/// A product, padded to whole tiles and cut into panels that fit a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Panels {
    /// Padded rows of each panel of A, from the top.
    pub rows: Vec<u64>,
    /// Padded columns of each panel of B, from the left.
    pub columns: Vec<u64>,
    /// Padded length of the sums.
    pub k: u64,
}

/// What limits a panel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// Bytes of one binding.
    pub binding: u64,
    /// Workgroups of one dimension.
    pub groups: u64,
}

impl Panels {
    /// Cuts `shape` for tiles of `tile` = bm, bn, bk and elements of so many bytes; `None` where k alone is too long.
    pub fn cut(shape: GemmShape, tile: (u64, u64, u64), bytes: (u64, u64), limit: Limit) -> Option<Self> {
        let ((bm, bn, bk), (operand, result)) = (tile, bytes);
        let k = shape.k().checked_next_multiple_of(bk)?;
        let line = k.checked_mul(operand)?;
        let most = |edge: u64| (limit.binding / line / edge).min(limit.groups) * edge;
        let (mut rows, mut columns) = (most(bm), most(bn));
        rows = rows.min(shape.m().checked_next_multiple_of(bm)?);
        columns = columns.min(shape.n().checked_next_multiple_of(bn)?);
        while rows > 0 && columns > 0 && rows.checked_mul(columns)?.checked_mul(result)? > limit.binding {
            if rows / bm >= columns / bn {
                rows = (rows / bm / 2) * bm;
            } else {
                columns = (columns / bn / 2) * bn;
            }
        }
        if rows == 0 || columns == 0 {
            return None;
        }
        Some(Self { rows: split(shape.m(), rows, bm), columns: split(shape.n(), columns, bn), k })
    }
}

/// A part of the grid of one pair of panels, in workgroups: rows, columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it begins.
    pub from: (u64, u64),
    /// How many.
    pub groups: (u64, u64),
}

/// A grid in parts of at most `most` workgroups, whole rows where a part holds one.
pub(super) fn parts((rows, columns): (u64, u64), most: u64) -> Vec<Part> {
    let most = most.max(1);
    let (high, wide) = if most < columns { (1, most) } else { (most / columns.max(1), columns) };
    let pieces = |extent: u64, step: u64| {
        split(extent, step, 1).into_iter().scan(0, |from, piece| {
            *from += piece;
            Some((*from - piece, piece))
        })
    };
    let of_row = |row: (u64, u64)| {
        pieces(columns, wide).map(move |column| Part { from: (row.0, column.0), groups: (row.1, column.1) })
    };
    pieces(rows, high).flat_map(of_row).collect()
}

fn split(extent: u64, panel: u64, edge: u64) -> Vec<u64> {
    let mut left = extent;
    let mut panels = Vec::new();
    while left > 0 {
        panels.push(panel.min(left.next_multiple_of(edge)));
        left = left.saturating_sub(panel);
    }
    panels
}

/// A part of a row-major matrix of `columns` columns, its rows and columns padded with zeros.
///
/// `from` and `to` are first row, first column, rows, columns; of `from` those that exist.
pub(super) fn part(
    bytes: &[u8],
    element: usize,
    columns: usize,
    (row, column, rows, width): (usize, usize, usize, usize),
    (padded_rows, padded_columns): (usize, usize),
) -> Vec<u8> {
    let mut out = vec![0; padded_rows * padded_columns * element];
    for (at, line) in out.chunks_exact_mut(padded_columns * element).take(rows).enumerate() {
        let start = ((row + at) * columns + column) * element;
        if let (Some(from), Some(to)) =
            (bytes.get(start..start + width * element), line.get_mut(..width * element))
        {
            to.copy_from_slice(from);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_panel_fits_a_binding_and_together_they_cover_the_product(
            m in 1..5000_u64, n in 1..5000_u64, k in 1..5000_u64, binding in (1_u64 << 16)..(1 << 24),
        ) {
            let shape = GemmShape::new(m, n, k).unwrap();
            let limit = Limit { binding, groups: 65_535 };
            if let Some(panels) = Panels::cut(shape, (64, 64, 16), (4, 4), limit) {
                let (rows, columns): (u64, u64) = (panels.rows.iter().sum(), panels.columns.iter().sum());
                prop_assert!(rows >= m && rows < m + 64 && columns >= n && columns < n + 64);
                for row in &panels.rows {
                    prop_assert!(row * panels.k * 4 <= binding);
                    for column in &panels.columns {
                        prop_assert!(column * panels.k * 4 <= binding && row * column * 4 <= binding);
                    }
                }
            } else {
                prop_assert!(k.next_multiple_of(16) * 4 * 64 > binding || binding < 64 * 64 * 4);
            }
        }
    }

    proptest! {
        #[test]
        fn every_workgroup_is_in_one_part_and_no_part_has_too_many(
            rows in 1..40_u64, columns in 1..40_u64, most in 1..2000_u64,
        ) {
            let mut seen = std::collections::BTreeSet::new();
            for part in parts((rows, columns), most) {
                prop_assert!(part.groups.0 * part.groups.1 <= most);
                for row in part.from.0..part.from.0 + part.groups.0 {
                    for column in part.from.1..part.from.1 + part.groups.1 {
                        prop_assert!(seen.insert((row, column)));
                    }
                }
            }
            prop_assert_eq!(seen.len() as u64, rows * columns);
            prop_assert!(seen.iter().all(|(row, column)| *row < rows && *column < columns));
        }
    }

    #[test]
    fn a_part_is_padded_with_zeros() {
        let whole: Vec<u8> = (1..=12).collect();
        assert_eq!(part(&whole, 1, 4, (1, 2, 2, 2), (3, 3)), [7, 8, 0, 11, 12, 0, 0, 0, 0]);
    }
}

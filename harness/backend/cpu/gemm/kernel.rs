//! What the driver needs from a register micro-kernel: tile shape, packing and one tile.

use super::super::memory::Plain;

/// Where a matrix lies: element (i, j) is at `start + i * rows + j * cols`.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<T> {
    pub(super) start: *const T,
    /// Distance between rows, in elements.
    pub(super) rows: usize,
    /// Distance between columns, in elements.
    pub(super) cols: usize,
}

impl<T> View<T> {
    /// The same matrix seen from element (i, j).
    pub(super) fn at(self, i: usize, j: usize) -> Self {
        let offset = i.wrapping_mul(self.rows).wrapping_add(j.wrapping_mul(self.cols));
        Self { start: self.start.wrapping_add(offset), ..self }
    }
}

/// One tile of C and its operands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile<A, B, C> {
    /// Depth of the packed panels.
    pub(super) depth: usize,
    pub(super) a: *const A,
    pub(super) b: *const B,
    pub(super) c: *mut C,
    /// Distance between rows of C, in elements.
    pub(super) stride: usize,
    /// Used rows, 1 to `MR`.
    pub(super) rows: usize,
    /// Used columns, 1 to `NR`.
    pub(super) cols: usize,
    /// Add to C (a later depth block) or overwrite it (the first).
    pub(super) add: bool,
    /// A piece of the next B panel to bring into the second-level cache.
    pub(super) ahead: *const u8,
    /// Length of that piece in cache lines.
    pub(super) ahead_lines: usize,
}

/// A register kernel with its packed formats.
///
/// # Safety
/// The driver trusts the panel lengths: `pack_*` must write, and `tile` must read, at most
/// `*_panel(depth)` elements; `tile` must write exactly `rows` x `cols` elements of C.
/// Every function may use instructions that only the CPU named by `select` has.
#[expect(unsafe_code, reason = "kernels work on raw panels with instructions the CPU must have")]
pub(super) unsafe trait MicroKernel {
    /// Element of the operands.
    type In: Plain;
    /// Element of a packed A panel.
    type A: Plain;
    /// Element of a packed B panel.
    type B: Plain;
    /// Element of C.
    type Out: Plain;
    /// Rows of a tile.
    const MR: usize;
    /// Columns of a tile.
    const NR: usize;
    /// Depth granule: blocks of k start at multiples of it.
    const KR: usize;
    /// Longest depth of a block; a multiple of `KR`.
    const DEPTH: usize;

    /// Length of a packed A panel.
    fn a_panel(depth: usize) -> usize {
        Self::MR * depth.next_multiple_of(Self::KR)
    }

    /// Length of a packed B panel.
    fn b_panel(depth: usize) -> usize {
        Self::NR * depth.next_multiple_of(Self::KR)
    }

    /// Per-thread set-up (AMX tile configuration).
    unsafe fn enter() {}

    /// Undoes `enter`.
    unsafe fn leave() {}

    /// Packs `rows` x `depth` of A.
    unsafe fn pack_a(a: View<Self::In>, rows: usize, depth: usize, to: *mut Self::A);

    /// Packs `depth` x `cols` of B, whose columns are adjacent.
    unsafe fn pack_b(b: View<Self::In>, depth: usize, cols: usize, to: *mut Self::B);

    /// C (+)= A B for one tile.
    unsafe fn tile(tile: Tile<Self::A, Self::B, Self::Out>);
}

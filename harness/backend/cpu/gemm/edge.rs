//! Tiles narrower than a kernel: computed whole in a buffer, then the used part is copied.

use super::kernel::Tile;

/// Addition as the kernels do it: integers wrap, as the vector units' do.
pub(super) trait Plus: Copy + Default {
    fn plus(self, other: Self) -> Self;
}

impl Plus for f32 {
    fn plus(self, other: Self) -> Self {
        self + other
    }
}

impl Plus for f64 {
    fn plus(self, other: Self) -> Self {
        self + other
    }
}

impl Plus for i32 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

/// Runs `full` on a buffer of `SIZE` elements with rows of `width`, then copies what C has.
///
/// # Safety
/// As for `full`; `SIZE` is a whole number of rows of `width`, and at least `tile.rows` of them.
#[expect(unsafe_code, reason = "raw tiles")]
pub(super) unsafe fn narrow<A, B, C: Plus, const SIZE: usize>(
    tile: Tile<A, B, C>,
    width: usize,
    full: unsafe fn(Tile<A, B, C>),
) {
    let mut buffer = [C::default(); SIZE];
    let whole = Tile { c: buffer.as_mut_ptr(), stride: width, cols: width, add: false, ..tile };
    // SAFETY: the buffer holds all rows; C has `rows` x `cols` elements at `stride`.
    unsafe { full(whole) };
    for (i, row) in buffer.chunks_exact(width).take(tile.rows).enumerate() {
        for (j, &value) in row.iter().take(tile.cols).enumerate() {
            // SAFETY: (i, j) lies in the tile.
            unsafe {
                let to = tile.c.add(i * tile.stride + j);
                to.write(if tile.add { to.read().plus(value) } else { value });
            }
        }
    }
}

//! Portable packing, and the tails of the vector versions.

use super::kernel::View;

/// Packs `rows` x `depth` of A as `depth` steps of `width` elements, each through `convert`.
/// Rows beyond `rows` are left as they are: the kernels do not read them.
///
/// # Safety
/// The view holds the block; `to` holds `depth * width` elements.
#[inline]
#[expect(unsafe_code, reason = "raw operands and panels")]
pub(super) unsafe fn columns<T: Copy, P>(
    a: View<T>,
    rows: usize,
    depth: usize,
    width: usize,
    to: *mut P,
    convert: impl Fn(T) -> P,
) {
    for p in 0..depth {
        for i in 0..rows {
            // SAFETY: (i, p) lies in the block.
            unsafe { to.add(p * width + i).write(convert(*a.at(i, p).start)) };
        }
    }
}

/// Packs `depth` x `cols` of B as `depth` steps of `width` elements, padded with `zero`.
///
/// # Safety
/// As for [`columns`].
#[inline]
#[expect(unsafe_code, reason = "raw operands and panels")]
pub(super) unsafe fn lines<T: Copy, P: Copy>(
    b: View<T>,
    depth: usize,
    cols: usize,
    width: usize,
    to: *mut P,
    zero: P,
    convert: impl Fn(T) -> P,
) {
    for p in 0..depth {
        // SAFETY: read only inside the block, write only inside the panel.
        unsafe {
            let (from, step) = (b.at(p, 0).start, to.add(p * width));
            if cols == width {
                for j in 0..width {
                    step.add(j).write(convert(*from.add(j)));
                }
            } else {
                for j in 0..width {
                    step.add(j).write(if j < cols { convert(*from.add(j)) } else { zero });
                }
            }
        }
    }
}

/// The values of (i, p), (i, p + 1), … as the bytes of one 32-bit element, zero beyond `depth`.
///
/// # Safety
/// (i, p..min(p + G, depth)) lies in the block; `G * size_of::<T>() == 4`.
#[inline]
#[expect(unsafe_code, reason = "raw operands")]
pub(super) unsafe fn group<T: Copy, const G: usize>(
    a: View<T>,
    i: usize,
    p: usize,
    depth: usize,
    bits: impl Fn(T) -> u32,
) -> u32 {
    let width = 32 / G;
    let mut value = 0;
    for q in 0..G.min(depth - p) {
        // SAFETY: the caller's promise.
        value |= unsafe { bits(*a.at(i, p + q).start) } << (q * width);
    }
    value
}

/// Packs `rows` x `depth` of A as groups of `G` values of k: steps of `width` 32-bit elements.
///
/// # Safety
/// As for [`columns`], with `depth.div_ceil(G)` steps.
#[inline]
#[expect(unsafe_code, reason = "raw operands and panels")]
pub(super) unsafe fn column_groups<T: Copy, const G: usize>(
    a: View<T>,
    rows: usize,
    depth: usize,
    width: usize,
    to: *mut u32,
    bits: impl Fn(T) -> u32 + Copy,
) {
    for (step, p) in (0..depth).step_by(G).enumerate() {
        for i in 0..rows {
            // SAFETY: (i, p) lies in the block, the element in the panel.
            unsafe { to.add(step * width + i).write(group::<T, G>(a, i, p, depth, bits)) };
        }
    }
}

/// Packs `depth` x `cols` of B as groups of `G` values of k, zero beyond `depth` and `cols`.
///
/// # Safety
/// As for [`column_groups`].
#[inline]
#[expect(unsafe_code, reason = "raw operands and panels")]
pub(super) unsafe fn line_groups<T: Copy, const G: usize>(
    b: View<T>,
    depth: usize,
    cols: usize,
    width: usize,
    to: *mut u32,
    bits: impl Fn(T) -> u32 + Copy,
) {
    let turned = View { start: b.start, rows: b.cols, cols: b.rows };
    for (step, p) in (0..depth).step_by(G).enumerate() {
        for j in 0..width {
            // SAFETY: (p, j) lies in the block where j < cols; the element lies in the panel.
            unsafe {
                let value = if j < cols { group::<T, G>(turned, j, p, depth, bits) } else { 0 };
                to.add(step * width + j).write(value);
            }
        }
    }
}

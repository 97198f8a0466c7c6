//! The register kernel that all vector units share, as a macro over their operations.
//!
//! MR rows x 2 vectors of accumulators; a step loads two B vectors and broadcasts MR elements of
//! A. A step holds `group` values of k in one packed element: 1 for f32 and f64, 2 for bf16
//! pairs, 4 for int8 quads. Unrolled by four steps, so that loop counters do not take FMA slots.

/// Distance at which a panel of A is fetched into the first-level cache: 16 steps of 14 rows.
/// Without it the hardware prefetcher alone loses 8 % (f32, n = 512 and 2048).
pub(super) const AHEAD_A: usize = 896;

/// Fetches the line at any address into the first-level cache.
#[inline(always)]
pub(super) fn fetch_near<T>(line: *const T) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "prefetch")]
    // SAFETY: a prefetch never faults, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Fetches the line at any address into the second-level cache.
#[inline(always)]
pub(super) fn fetch_far<T>(line: *const T) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "prefetch")]
    // SAFETY: a prefetch never faults, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// The lines that one of four steps fetches.
#[inline(always)]
pub(super) const fn part(lines: usize, quarter: usize) -> std::ops::Range<usize> {
    quarter * lines / 4..(quarter + 1) * lines / 4
}

/// Defines a kernel type and its row functions.
///
/// `ops` is a module with `zero`, `load` (B), `splat` (A), `fma`, `finish`, `add`, `get` and
/// `put` (C); `pack` one with `a` and `b`. `tail` is the length that a B panel has beyond its
/// steps; `ahead_b` the prefetch distance in B, 0 where a B panel stays in the first-level cache.
macro_rules! vector_kernel {
    (
        $(#[$doc:meta])*
        $name:ident, rows $rows:ident $mr:literal [$($fewer:literal)*], features $features:literal,
        input $in:ty, packed $p:ty, group $group:literal, depth $depth:literal, output $out:ty, lanes $lanes:literal,
        tail $tail:expr, ahead_b $ahead_b:literal, ops $ops:ident, pack $pack:ident
    ) => {
        $(#[$doc])*
        pub(super) struct $name;

        #[expect(unsafe_code, reason = "vector intrinsics on packed panels")]
        // SAFETY: packing writes MR or NR elements a step, the tile reads as many.
        unsafe impl MicroKernel for $name {
            type In = $in;
            type A = $p;
            type B = $p;
            type Out = $out;
            const MR: usize = $mr;
            const NR: usize = 2 * $lanes;
            const KR: usize = $group;
            const DEPTH: usize = $depth;

            fn a_panel(depth: usize) -> usize {
                Self::MR * depth.div_ceil($group)
            }

            fn b_panel(depth: usize) -> usize {
                Self::NR * depth.div_ceil($group) + $tail
            }

            unsafe fn pack_a(a: View<$in>, rows: usize, depth: usize, to: *mut $p) {
                // SAFETY: forwarded.
                unsafe { $pack::a(a, rows, depth, to) }
            }

            unsafe fn pack_b(b: View<$in>, depth: usize, cols: usize, to: *mut $p) {
                // SAFETY: forwarded.
                unsafe { $pack::b(b, depth, cols, to) }
            }

            unsafe fn tile(tile: Tile<$p, $p, $out>) {
                unsafe fn whole(tile: Tile<$p, $p, $out>) {
                    // SAFETY: forwarded; each arm has the tile's number of rows.
                    unsafe {
                        match tile.rows {
                            $($fewer => $rows::<$fewer>(tile),)*
                            _ => $rows::<$mr>(tile),
                        }
                    }
                }
                // SAFETY: forwarded; the buffer holds MR rows of NR.
                unsafe {
                    if tile.cols == Self::NR {
                        whole(tile);
                    } else {
                        $crate::backend::cpu::gemm::edge::narrow::<$p, $p, $out, { $mr * 2 * $lanes }>(tile, Self::NR, whole);
                    }
                }
            }
        }

        #[target_feature(enable = $features)]
        #[expect(unsafe_code, reason = "vector intrinsics on packed panels")]
        unsafe fn $rows<const M: usize>(tile: Tile<$p, $p, $out>) {
            use $crate::backend::cpu::gemm::vector::{AHEAD_A, fetch_far, fetch_near, part};
            const A_LINES: usize = (4 * $mr * size_of::<$p>()).div_ceil(64);
            const B_LINES: usize = if $ahead_b == 0 { 0 } else { (8 * $lanes * size_of::<$p>()).div_ceil(64) };
            let mut acc = [[$ops::zero(); 2]; M];
            let (mut a, mut b) = (tile.a, tile.b);
            // SAFETY: the panels hold `steps` steps of MR and NR elements; C has M rows of NR.
            // Addresses that are only fetched may lie anywhere.
            unsafe {
                macro_rules! step {
                    ($quarter:literal) => {
                        for line in part(A_LINES, $quarter) {
                            fetch_near(a.cast::<u8>().wrapping_add(AHEAD_A + 64 * line - $quarter * $mr * size_of::<$p>()));
                        }
                        for line in part(B_LINES, $quarter) {
                            fetch_near(b.cast::<u8>().wrapping_add($ahead_b + 64 * line - $quarter * 2 * $lanes * size_of::<$p>()));
                        }
                        let left = $ops::load(b);
                        let right = $ops::load(b.add($lanes));
                        for (i, row) in acc.iter_mut().enumerate() {
                            let x = $ops::splat(a.add(i));
                            row[0] = $ops::fma(x, left, row[0]);
                            row[1] = $ops::fma(x, right, row[1]);
                        }
                        a = a.add($mr);
                        b = b.add(2 * $lanes);
                    };
                }
                let steps = tile.depth.div_ceil($group);
                let first = M.min(steps / 4);
                let mut row = tile.c;
                for _ in 0..first {
                    fetch_near(row);
                    fetch_near(row.wrapping_add(2 * $lanes - 1));
                    row = row.wrapping_add(tile.stride);
                    step!(0);
                    step!(1);
                    step!(2);
                    step!(3);
                }
                let mut ahead = tile.ahead;
                let stop = ahead.wrapping_add(64 * tile.ahead_lines);
                for _ in first..steps / 4 {
                    if ahead < stop {
                        fetch_far(ahead);
                        ahead = ahead.wrapping_add(64);
                    }
                    step!(0);
                    step!(1);
                    step!(2);
                    step!(3);
                }
                for _ in 0..steps % 4 {
                    step!(0);
                }
                for (i, row) in acc.iter().enumerate() {
                    for (half, value) in row.iter().enumerate() {
                        let c = tile.c.add(i * tile.stride + half * $lanes);
                        let value = $ops::finish(*value, b.wrapping_add(half * $lanes));
                        $ops::put(c, if tile.add { $ops::add($ops::get(c), value) } else { value });
                    }
                }
            }
        }
    };
}

/// The operations of a kernel whose packed element, accumulator and output are one float type.
macro_rules! float_ops {
    ($ops:ident, $arch:ident, $features:literal, $t:ty, $vector:ident, $zero:expr, $load:ident, $store:ident, $splat:ident, $add:ident, |$x:ident, $y:ident, $z:ident| $fma:expr) => {
        #[expect(unsafe_code, reason = "vector loads and stores on raw panels")]
        mod $ops {
            use std::arch::$arch::*;

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) fn zero() -> $vector {
                $zero
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn load(from: *const $t) -> $vector {
                // SAFETY: forwarded.
                unsafe { $load(from) }
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn splat(from: *const $t) -> $vector {
                // SAFETY: forwarded.
                $splat(unsafe { *from })
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) fn fma($x: $vector, $y: $vector, $z: $vector) -> $vector {
                $fma
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) fn add(x: $vector, y: $vector) -> $vector {
                $add(x, y)
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn finish(value: $vector, _tail: *const $t) -> $vector {
                value
            }

            pub(super) use load as get;

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn put(to: *mut $t, value: $vector) {
                // SAFETY: forwarded.
                unsafe { $store(to, value) };
            }
        }
    };
}

pub(super) use {float_ops, vector_kernel};

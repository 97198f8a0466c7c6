//! The five loops around the micro-kernel, run by every member of a team.
//!
//! Threads form a grid over C. For each (column block, depth block) all pack the shared B block
//! together, meet at the barrier, then each multiplies its own part of C with a private A block.
//! B has two buffers, so one barrier per step is enough: nobody packs into a buffer that a
//! slower thread still reads. The order of additions does not depend on the threads.

use super::super::team::Member;
use super::blocking::{Blocking, even, share};
use super::kernel::{MicroKernel, Tile, View};
use std::ops::Range;

/// A product C[m, n] = A[m, k] B[k, n]; B and C have adjacent columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product<I, O> {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) a: View<I>,
    pub(super) b: View<I>,
    pub(super) c: *mut O,
    pub(super) stride: usize,
}

// SAFETY: the pointers stand for borrows that the caller of `Team::run` holds during the job,
// and each member writes its own part of C.
#[expect(unsafe_code, reason = "operands shared by the team")]
unsafe impl<I: Sync, O: Send> Sync for Product<I, O> {}

/// Block sizes fitted to one product, and the thread grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) depth: usize,
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// Threads along m and along n.
    pub(super) grid: (usize, usize),
}

impl Plan {
    /// Fits `limits` to a product of kernel `K` on `threads` threads.
    pub(super) fn new<K: MicroKernel>(
        m: usize,
        n: usize,
        k: usize,
        limits: Blocking,
        threads: usize,
    ) -> Self {
        let grid = grid(m.div_ceil(K::MR), n.div_ceil(K::NR), threads);
        let own = m.div_ceil(K::MR).div_ceil(grid.0) * K::MR;
        Self {
            depth: even(k, limits.depth, K::KR),
            rows: even(own, limits.rows, K::MR),
            cols: even(n, limits.cols, K::NR),
            grid,
        }
    }

    /// Elements of one shared B buffer.
    pub(super) fn b_len<K: MicroKernel>(&self) -> usize {
        self.cols.div_ceil(K::NR) * K::b_panel(self.depth)
    }

    /// Elements of one private A buffer.
    pub(super) fn a_len<K: MicroKernel>(&self) -> usize {
        self.rows.div_ceil(K::MR) * K::a_panel(self.depth)
    }
}

/// The grid whose busiest thread has the fewest tiles; among equals the one with most rows,
/// because a column of threads shares no packed A.
fn grid(row_panels: usize, col_panels: usize, threads: usize) -> (usize, usize) {
    let cost = |down: usize| {
        let across = threads / down;
        (row_panels.div_ceil(down) * col_panels.div_ceil(across), across)
    };
    let down = (1..=threads).filter(|d| threads.is_multiple_of(*d)).min_by_key(|&d| cost(d));
    let down = down.unwrap_or(1);
    (down, threads / down)
}

/// Packed-panel memory of one call: two shared B buffers and one A buffer per member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panels<A, B> {
    pub(super) b: [*mut B; 2],
    pub(super) a: *mut A,
    pub(super) a_len: usize,
}

// SAFETY: members write disjoint panels between barriers, and each its own A buffer.
#[expect(unsafe_code, reason = "scratch shared by the team")]
unsafe impl<A: Send, B: Send> Sync for Panels<A, B> {}

/// One member's share of the whole product.
///
/// # Safety
/// Operands, C and panels are valid for the sizes in `product` and `plan`; the CPU has the
/// instructions of `K`; all members of the team call it with equal arguments.
#[expect(unsafe_code, reason = "raw operands and panels")]
pub(super) unsafe fn run<K: MicroKernel>(
    product: &Product<K::In, K::Out>,
    plan: &Plan,
    panels: &Panels<K::A, K::B>,
    member: &Member<'_>,
) {
    // SAFETY: the caller's promise covers every call below: blocks and shares stay inside the
    // product, panels inside the buffers that `Plan` sized.
    unsafe {
        K::enter();
        let mut step = 0;
        for jc in (0..product.n).step_by(plan.cols) {
            let cols = plan.cols.min(product.n - jc);
            for pc in (0..product.k).step_by(plan.depth) {
                let depth = plan.depth.min(product.k - pc);
                let b = panels.b[step % 2];
                pack_share::<K>(product.b.at(pc, jc), depth, cols, b, member);
                member.wait();
                let block = Block { jc, pc, cols, depth, b };
                own_part::<K>(product, plan, panels, member, &block);
                step += 1;
            }
        }
        K::leave();
    }
}

/// The (column, depth) block that all threads work on.
struct Block<B> {
    jc: usize,
    pc: usize,
    cols: usize,
    depth: usize,
    b: *const B,
}

/// Packs this member's panels of the shared B block.
#[expect(unsafe_code, reason = "raw operands and panels")]
unsafe fn pack_share<K: MicroKernel>(
    from: View<K::In>,
    depth: usize,
    cols: usize,
    to: *mut K::B,
    member: &Member<'_>,
) {
    for panel in share(cols.div_ceil(K::NR), member.index, member.count) {
        let j = panel * K::NR;
        // SAFETY: the panel lies inside the block, its place inside the buffer.
        unsafe { K::pack_b(from.at(0, j), depth, K::NR.min(cols - j), to.add(panel * K::b_panel(depth))) };
    }
}

/// Multiplies this member's rows and columns of the block.
#[expect(unsafe_code, reason = "raw operands and panels")]
unsafe fn own_part<K: MicroKernel>(
    product: &Product<K::In, K::Out>,
    plan: &Plan,
    panels: &Panels<K::A, K::B>,
    member: &Member<'_>,
    block: &Block<K::B>,
) {
    let (down, across) = (member.index / plan.grid.1, member.index % plan.grid.1);
    let rows = share(product.m.div_ceil(K::MR), down, plan.grid.0);
    let cols = share(block.cols.div_ceil(K::NR), across, plan.grid.1);
    let end = (rows.end * K::MR).min(product.m);
    // SAFETY: each member has `a_len` elements of its own; `ic..ic + mine` lies inside m.
    unsafe {
        let a = panels.a.add(member.index * panels.a_len);
        for ic in (rows.start * K::MR..end).step_by(plan.rows) {
            let mine = plan.rows.min(end - ic);
            let from = product.a.at(ic, block.pc);
            for panel in 0..mine.div_ceil(K::MR) {
                let i = panel * K::MR;
                K::pack_a(
                    from.at(i, 0),
                    K::MR.min(mine - i),
                    block.depth,
                    a.add(panel * K::a_panel(block.depth)),
                );
            }
            tiles::<K>(product, block, a, ic..ic + mine, cols.clone());
        }
    }
}

/// All tiles of one packed A block times the member's B panels.
#[expect(unsafe_code, reason = "raw operands and panels")]
unsafe fn tiles<K: MicroKernel>(
    product: &Product<K::In, K::Out>,
    block: &Block<K::B>,
    a: *const K::A,
    rows: Range<usize>,
    cols: Range<usize>,
) {
    let (a_panel, b_panel) = (K::a_panel(block.depth), K::b_panel(block.depth));
    let row_panels = rows.len().div_ceil(K::MR);
    let piece = (b_panel * size_of::<K::B>()).div_ceil(64 * row_panels.max(1));
    for jr in cols {
        let j = jr * K::NR;
        // SAFETY: tile (ir, jr) lies inside C and its panels inside their buffers; `ahead` is
        // only prefetched, which may name any address.
        unsafe {
            let b = block.b.add(jr * b_panel);
            let next = b.wrapping_add(b_panel).cast::<u8>();
            for ir in 0..row_panels {
                let i = ir * K::MR;
                K::tile(Tile {
                    depth: block.depth,
                    a: a.add(ir * a_panel),
                    b,
                    c: product.c.add((rows.start + i) * product.stride + block.jc + j),
                    stride: product.stride,
                    rows: K::MR.min(rows.len() - i),
                    cols: K::NR.min(block.cols - j),
                    add: block.pc > 0,
                    ahead: next.wrapping_add(ir * piece * 64),
                    ahead_lines: piece,
                });
            }
        }
    }
}

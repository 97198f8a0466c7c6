//! Constants of each family of kernels, and what follows from them: launch, operations, expected loop.

use super::abi::{Element, Grid, TensorBox, leading};
use crate::workload::{GemmShape, Layout};

/// A family and its constants.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Chains of fused multiply-adds.
    Fma(Fma),
    /// Warp-wide matrix instructions on registers.
    Mma(Mma),
    /// Warpgroup matrix instructions on shared memory.
    Wgmma(Wgmma),
    /// Matrix instructions that one thread issues, on shared and tensor memory.
    Tcgen05(Tcgen05),
    /// A dense product.
    Gemm(Gemm),
}

/// Threads of a warp.
const WARP: u32 = 32;
/// Trips after which an issue kernel's accumulators start from zero again, so that every sum stays exact.
pub(super) const RESET: u32 = 128;

/// Chains of fused multiply-adds.
#[derive(Debug, Clone, Copy)]
pub struct Fma {
    /// PTX of one step: `%0` the chain, `%1` factor, `%2` term.
    pub instruction: &'static str,
    /// Format of one register of the chain.
    pub element: Element,
    /// Independent chains of a thread.
    pub chains: u32,
    /// Steps of each chain in one trip.
    pub unroll: u32,
}

impl Fma {
    /// Threads of a block.
    pub const THREADS: u32 = 256;
    /// Different start values: the lanes of one warp take them in turn.
    pub const STARTS: u32 = 32;
}

/// Warp-wide matrix instructions on registers.
#[derive(Debug, Clone, Copy)]
pub struct Mma {
    /// Name of the PTX instruction.
    pub instruction: &'static str,
    /// M, N and K of one instruction.
    pub shape: [u32; 3],
    /// 32-bit words (64-bit ones for fp64) of A, B and D in a thread.
    pub words: [u32; 3],
    /// Format of the words of D.
    pub result: Element,
    /// Bits of an element of A and B within its word; 6-bit formats stand in 8 bits.
    pub container: u32,
    /// Scale of every block of operands, one, in the instruction's scale format; four in a word.
    pub scale: Option<u32>,
    /// Different A and B fragments: accumulators are all pairs.
    pub tiles: [u32; 2],
    /// Steps of each accumulator in one trip; even, as A alternates between two fragments.
    pub unroll: u32,
}

impl Mma {
    /// Threads of a block.
    pub const THREADS: u32 = 256;
}

/// Warpgroup matrix instructions m64n256 on shared memory.
#[derive(Debug, Clone, Copy)]
pub struct Wgmma {
    /// Name of the PTX instruction.
    pub instruction: &'static str,
    /// Immediate operands after the predicate: scales and transpositions.
    pub immediates: &'static str,
    /// K of one instruction: 32 bytes.
    pub k: u32,
    /// Format of the words of D.
    pub result: Element,
    /// Instructions of one trip; a multiple of 4, as four steps of K fill a row of 128 bytes.
    pub unroll: u32,
}

impl Wgmma {
    /// M and N of one instruction.
    pub const EXTENTS: [u32; 2] = [64, 256];
    /// Warpgroups of a block, each with its own A, all with one B.
    pub const GROUPS: u32 = 2;
    /// Steps of K that the tiles in shared memory hold.
    pub const STEPS: u32 = 4;
    /// Threads of a warpgroup.
    pub const GROUP: u32 = 128;
}

/// Matrix instructions m128n256, one CTA, that one thread issues.
#[derive(Debug, Clone, Copy)]
pub struct Tcgen05 {
    /// PTX kind, with its qualifiers.
    pub kind: &'static str,
    /// Instruction descriptor.
    pub descriptor: u32,
    /// K of one instruction.
    pub k: u32,
    /// Format of the words of D.
    pub result: Element,
    /// Whether scales of blocks stand in tensor memory; each is one, in `scale`'s format.
    pub scale: Option<u32>,
    /// Instructions of one trip; a multiple of 4.
    pub unroll: u32,
}

impl Tcgen05 {
    /// M and N of one instruction.
    pub const EXTENTS: [u32; 2] = [128, 256];
    /// Steps of K that the tiles in shared memory hold.
    pub const STEPS: u32 = 4;
    /// Threads of a block: as many as D has rows.
    pub const THREADS: u32 = 128;
}

/// What multiplies in a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GemmEngine {
    /// Scalar fused multiply-adds.
    Simt,
    /// Warp-wide matrix instructions.
    Mma,
    /// Warpgroup matrix instructions, fed by the tensor memory accelerator.
    Wgmma,
}

/// A dense product C = A x B.
#[derive(Debug, Clone, Copy)]
pub struct Gemm {
    /// What multiplies.
    pub engine: GemmEngine,
    /// Name of the PTX instruction; empty for scalar code.
    pub instruction: &'static str,
    /// Format of A and B.
    pub operand: Element,
    /// Format of C.
    pub result: Element,
    /// M, N and K of one block's tile.
    pub block: [u32; 3],
    /// Warps of a block along M and N; for wgmma consumer warpgroups along M and 1.
    pub warps: [u32; 2],
    /// K of one matrix instruction; 1 for scalar code.
    pub k: u32,
    /// Tiles of A and B in flight.
    pub stages: u32,
}

impl Gemm {
    /// Tiles of C, one a block.
    pub(super) fn grid(&self, shape: GemmShape) -> Option<Grid> {
        let tiles =
            shape.m().div_ceil(self.block[0].into()).checked_mul(shape.n().div_ceil(self.block[1].into()))?;
        let blocks = u32::try_from(tiles).ok().filter(|blocks| *blocks < 1 << 31)?;
        Some(Grid { blocks })
    }

    /// Maps of A and B for [`GemmEngine::Wgmma`].
    pub fn maps(&self, shape: GemmShape, layout: Layout) -> [TensorBox; 2] {
        let size = self.operand.bytes();
        let row = 128 / size;
        let (rows, columns) = shape.a_extents(layout);
        let map = |rows: u64, columns: u64, box_rows: u32| TensorBox {
            element: self.operand,
            columns,
            rows,
            row_bytes: leading(columns, self.operand) * u64::from(size),
            box_columns: row,
            box_rows,
        };
        let a = match layout {
            Layout::Nn => map(rows, columns, self.block[0]),
            Layout::Tn => map(rows, columns, self.block[2]),
        };
        [a, map(shape.k(), shape.n(), self.block[2])]
    }

    const fn warp_count(&self) -> u32 {
        match self.engine {
            // One more warpgroup only feeds.
            GemmEngine::Wgmma => (self.warps[0] * self.warps[1] + 1) * 4,
            _ => self.warps[0] * self.warps[1],
        }
    }

    /// Warps that multiply.
    const fn multiplying(&self) -> u32 {
        match self.engine {
            GemmEngine::Wgmma => self.warps[0] * self.warps[1] * 4,
            _ => self.warps[0] * self.warps[1],
        }
    }
}

impl Form {
    /// Threads of a block.
    pub(super) const fn threads(&self) -> u32 {
        match self {
            Self::Fma(_) => Fma::THREADS,
            Self::Mma(_) => Mma::THREADS,
            Self::Wgmma(_) => Wgmma::GROUPS * Wgmma::GROUP,
            Self::Tcgen05(_) => Tcgen05::THREADS,
            Self::Gemm(gemm) => gemm.warp_count() * WARP,
        }
    }

    pub(super) const fn blocks_per_multiprocessor(&self) -> u32 {
        match self {
            Self::Fma(_) => 8,
            Self::Mma(_) => 4,
            Self::Gemm(Gemm { engine: GemmEngine::Simt | GemmEngine::Mma, .. }) => 2,
            Self::Wgmma(_) | Self::Tcgen05(_) | Self::Gemm(_) => 1,
        }
    }

    pub(super) fn shared_bytes(&self) -> u32 {
        /// Room to begin at a multiple of 1024 bytes.
        const ALIGNMENT: u32 = 1024;
        let rows = |extents: [u32; 2], groups: u32| (extents[0] * groups + extents[1]) * 128;
        match self {
            Self::Fma(_) | Self::Mma(_) => 0,
            Self::Wgmma(_) => rows(Wgmma::EXTENTS, Wgmma::GROUPS) + ALIGNMENT,
            Self::Tcgen05(_) => rows(Tcgen05::EXTENTS, 1) + ALIGNMENT,
            Self::Gemm(gemm) => {
                let [m, n, k] = gemm.block;
                match gemm.engine {
                    GemmEngine::Simt => 0,
                    GemmEngine::Mma => (m + n) * k * gemm.operand.bytes() * gemm.stages,
                    GemmEngine::Wgmma => (m + n) * k * gemm.operand.bytes() * gemm.stages + ALIGNMENT,
                }
            }
        }
    }

    /// Operations of one block in one trip of the loop: 2 for each multiply-accumulate.
    pub(super) const fn ops_per_block_and_trip(&self) -> u64 {
        match self {
            Self::Fma(f) => 2 * wide(&[f.element.lanes(), f.chains, f.unroll, Fma::THREADS]),
            Self::Mma(f) => 2 * wide(&f.shape) * wide(&f.tiles) * wide(&[f.unroll, Mma::THREADS / WARP]),
            Self::Wgmma(f) => 2 * wide(&Wgmma::EXTENTS) * wide(&[f.k, f.unroll, Wgmma::GROUPS]),
            Self::Tcgen05(f) => 2 * wide(&Tcgen05::EXTENTS) * wide(&[f.k, f.unroll]),
            Self::Gemm(f) => 2 * wide(&f.block),
        }
    }

    /// Warps of a block that issue, or the one thread that does.
    pub(super) const fn issuers(&self) -> u32 {
        match self {
            Self::Tcgen05(_) => 1,
            Self::Gemm(gemm) => gemm.multiplying(),
            _ => self.threads() / WARP,
        }
    }

    /// Most instructions of one trip that are no padding: the multiply-accumulates and what may stand beside them.
    pub(super) const fn longest_loop(&self) -> usize {
        match self {
            Self::Fma(f) => (f.chains * f.unroll) as usize + 8,
            Self::Mma(f) => (f.tiles[0] * f.tiles[1] * f.unroll) as usize + 8,
            Self::Wgmma(f) => f.unroll as usize * 4 + 16,
            Self::Tcgen05(f) => f.unroll as usize * 4 + 16,
            Self::Gemm(_) => 2048,
        }
    }
}

/// Product of some extents.
const fn wide(extents: &[u32]) -> u64 {
    let (mut product, mut at) = (1, 0);
    while at < extents.len() {
        product *= extents[at] as u64;
        at += 1;
    }
    product
}

mod constants;

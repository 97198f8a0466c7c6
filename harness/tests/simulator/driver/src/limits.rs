//! Limits of the architectures.
//!
//! **Source**: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability", read in a copy of the edition
//! whose columns are 7.5 to 9.0, 10.0, 11.0 and 12.0; 10.3 and 12.1 are taken for the like of 10.0 and 12.0.

/// What one multiprocessor and one block may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Threads of a multiprocessor.
    pub threads: u32,
    /// Blocks of a multiprocessor.
    pub blocks: u32,
    /// Shared memory of a multiprocessor, bytes.
    pub shared: u32,
    /// Shared memory of a block that asks for more than [`Limits::SHARED`], bytes.
    pub shared_most: u32,
}

impl Limits {
    /// Threads of a warp.
    pub const WARP: u32 = 32;
    /// Threads of a block.
    pub const THREADS: u32 = 1024;
    /// Extents of a block.
    pub const BLOCK: [u32; 3] = [1024, 1024, 64];
    /// Extents of a grid.
    pub const GRID: [u32; 3] = [0x7fff_ffff, 65_535, 65_535];
    /// Shared memory of a block that asks for nothing, bytes.
    pub const SHARED: u32 = 48 << 10;
    /// Shared memory that the system takes for each block, bytes, from compute capability 8.0 on.
    pub const RESERVED: u32 = 1 << 10;
    /// Registers of a multiprocessor, and of a block.
    pub const REGISTERS: u32 = 64 << 10;

    /// The limits of a compute capability; `None` where they are not in this table.
    pub const fn of(major: u32, minor: u32) -> Option<Self> {
        let (threads, blocks, shared_kib) = match (major, minor) {
            (7, 5) => {
                return Some(Self { threads: 1024, blocks: 16, shared: 64 << 10, shared_most: 64 << 10 });
            }
            (8, 0) => (2048, 32, 164),
            (8, 6) => (1536, 16, 100),
            (8, 7) => (1536, 16, 164),
            (8, 9) => (1536, 24, 100),
            (9, 0) | (10, 0 | 3) => (2048, 32, 228),
            (11, 0) => (1536, 24, 228),
            (12, 0 | 1) => (1536, 24, 100),
            _ => return None,
        };
        Some(Self { threads, blocks, shared: shared_kib << 10, shared_most: (shared_kib - 1) << 10 })
    }

    /// Blocks that a multiprocessor holds at once. Registers are not counted: the simulator has PTX, whose registers
    /// are not the hardware's.
    pub fn occupancy(&self, threads: u32, shared: u32) -> u32 {
        let warps = threads.div_ceil(Self::WARP).max(1);
        let by_warps = self.threads / Self::WARP / warps;
        let by_shared = self.shared / (shared + Self::RESERVED);
        by_warps.min(by_shared).min(self.blocks)
    }
}

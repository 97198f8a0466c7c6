//! Instructions of tensor memory: PTX ISA 9.7.16 (tcgen05).

use super::{Element, Place, Source};

/// Kind of a `tcgen05.mma`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Kind {
    F16,
    Tf32,
    F8f6f4,
    I8,
    /// `mxf4` and `mxf4nvf4`, with so many scales for each row of A.
    Mxf4(usize),
}

impl Kind {
    /// K of one instruction: 32 bytes of the widest elements.
    pub fn k(self) -> usize {
        match self {
            Self::Tf32 => 8,
            Self::F16 => 16,
            Self::F8f6f4 | Self::I8 => 32,
            Self::Mxf4(_) => 64,
        }
    }
}

/// What an instruction descriptor says: PTX ISA 9.7.16.4.2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Columns of D; it has 128 rows.
    pub n: usize,
    /// Elements of A, B and D.
    pub types: [Element; 3],
    /// `.satfinite` of integers.
    pub saturate: bool,
    /// Whether the products are subtracted.
    pub negated: bool,
    /// Whether the scales are `ue4m3` rather than `ue8m0`.
    pub fraction: bool,
    /// First byte of the scales of A and B in their cells.
    pub byte: [usize; 2],
}

/// What `tcgen05` instructions do, for one CTA.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "fields are the operands of the specification, in its order")]
pub enum Tensor {
    Allocate {
        a: Place,
        columns: Source,
    },
    Relinquish,
    Free {
        address: Source,
        columns: Source,
    },
    Multiply {
        kind: Kind,
        d: Place,
        operands: [Source; 2],
        shape: Source,
        scales: Option<[Place; 2]>,
        adds: Source,
    },
    Commit {
        barrier: Place,
    },
    /// `.32x32b`: a cell of each lane and column.
    Load {
        d: Vec<u32>,
        a: Place,
    },
    Store {
        a: Place,
        values: Vec<Source>,
    },
    WaitLoad,
    WaitStore,
    /// `fence`: the order of instructions is kept without it here.
    Fence,
}

impl Tensor {
    /// Whether all threads of the warp must execute it together.
    pub(crate) fn aligned(&self) -> bool {
        !matches!(self, Self::Multiply { .. } | Self::Commit { .. } | Self::Fence)
    }
}

//! Instructions of barrier objects, bulk copies and warpgroups.

use super::{Element, Place, Source};

/// `wgmma.mma_async`: PTX ISA 9.7.15.5.2. M is 64.
#[derive(Debug, Clone, PartialEq)]
pub struct Wgmma {
    /// Extent.
    pub n: usize,
    /// Extent: 32 bytes.
    pub k: usize,
    /// Elements of A.
    pub a_type: Element,
    /// Elements of B.
    pub b_type: Element,
    /// Elements of D.
    pub d_type: Element,
    /// `.satfinite`.
    pub saturate: bool,
    /// Whether A and B lie along M and N instead of K in memory.
    pub across: [bool; 2],
    /// Whether the products are subtracted: the immediate scales have different signs.
    pub negated: bool,
    /// Registers.
    pub d: Vec<u32>,
    /// Descriptors of A and B.
    pub descriptors: [Source; 2],
    /// Whether D is added to.
    pub adds: Source,
}

impl Wgmma {
    /// Bits of an element of A or B in memory.
    pub(crate) fn width(&self) -> usize {
        256 / self.k
    }
}

/// What asynchronous instructions do.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "fields are the operands of the specification, in its order")]
pub enum Asynchronous {
    MbarrierInit {
        a: Place,
        count: Source,
    },
    MbarrierInvalidate {
        a: Place,
    },
    /// `arrive`, `arrive.expect_tx` and, with no arrivals, `expect_tx`.
    MbarrierArrive {
        state: Option<u32>,
        a: Place,
        arrivals: Source,
        bytes: Source,
    },
    MbarrierComplete {
        a: Place,
        bytes: Source,
    },
    /// `test_wait` and, blocking, `try_wait`.
    MbarrierTest {
        p: u32,
        a: Place,
        phase: Source,
        parity: bool,
        blocking: bool,
    },
    /// `fence.mbarrier_init`.
    MbarrierFence,
    /// `cp.async.bulk.tensor` from global to shared memory.
    TensorLoad {
        d: Place,
        map: Place,
        at: Vec<Source>,
        barrier: Place,
    },
    WgmmaFence,
    WgmmaCommit,
    WgmmaWait(u32),
    Wgmma(Box<Wgmma>),
    /// `setmaxnreg`.
    MostRegisters(u32),
}

impl Asynchronous {
    /// Whether all threads of the warp must execute it together.
    pub(crate) fn aligned(&self) -> bool {
        matches!(
            self,
            Self::WgmmaFence
                | Self::WgmmaCommit
                | Self::WgmmaWait(_)
                | Self::Wgmma(_)
                | Self::MostRegisters(_)
        )
    }
}

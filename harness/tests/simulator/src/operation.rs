//! Decoded instructions: what `lower` makes of statements and `execute` performs.

mod asynchronous;
mod kind;
mod tensor;
mod types;

pub use asynchronous::{Asynchronous, Wgmma};
pub use kind::{Combine, Comparison, Convert, Float, How, Integer, Shuffle};
pub use tensor::{Kind, Shape, Tensor};
pub use types::{Element, Type};

use crate::number::Rounding;
use crate::syntax::Special;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// Register slot.
    Register(u32),
    /// Negated predicate in a slot.
    Not(u32),
    /// Bits.
    Immediate(u64),
    /// Special register.
    Special(Special),
}

/// An address: base and offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Base.
    pub base: Source,
    /// Offset in bytes.
    pub offset: i64,
}

/// State space: PTX ISA 5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Space {
    Generic,
    Global,
    Shared,
    Parameter,
}

/// Scales of a block-scaled `mma.sync`: PTX ISA 9.7.14.3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scales {
    /// Scales of one row of A or column of B.
    pub count: usize,
    /// Whether they are `ue4m3` rather than `ue8m0`.
    pub fraction: bool,
    /// Registers of A's and B's.
    pub data: [Source; 2],
    /// First byte in them.
    pub byte: [usize; 2],
    /// Threads of each four that give them: a pair for A, one for B.
    pub thread: [usize; 2],
}

/// `mma.sync`: PTX ISA 9.7.14.5.
#[derive(Debug, Clone, PartialEq)]
pub struct Mma {
    /// Extents.
    pub m: usize,
    /// Extents.
    pub n: usize,
    /// Extents.
    pub k: usize,
    /// Elements of A.
    pub a_type: Element,
    /// Elements of B.
    pub b_type: Element,
    /// Elements of C and D.
    pub c_type: Element,
    /// `.satfinite`.
    pub saturate: bool,
    /// Each fp6 or fp4 element stands in a byte of its own (`kind::f8f6f4`, `kind::mxf8f6f4`).
    pub padded: bool,
    /// Scales of blocks along K.
    pub scales: Option<Scales>,
    /// Registers.
    pub d: Vec<u32>,
    /// Registers.
    pub a: Vec<Source>,
    /// Registers.
    pub b: Vec<Source>,
    /// Registers.
    pub c: Vec<Source>,
}

/// What one instruction does.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "fields are the operands of the specification, in its order")]
pub enum Op {
    Move {
        d: u32,
        a: Source,
        mask: u64,
    },
    Pack {
        d: u32,
        parts: Vec<Source>,
        bits: u32,
    },
    Unpack {
        d: Vec<Option<u32>>,
        a: Source,
        bits: u32,
    },
    ToGeneric {
        d: u32,
        a: Source,
        window: u64,
    },
    FromGeneric {
        d: u32,
        a: Source,
        window: u64,
    },
    Load {
        space: Space,
        ty: Type,
        d: Vec<Option<u32>>,
        a: Place,
    },
    Store {
        space: Space,
        ty: Type,
        values: Vec<Source>,
        a: Place,
    },
    Integer {
        kind: Integer,
        ty: Type,
        d: u32,
        a: [Source; 3],
    },
    Float {
        kind: Float,
        how: How,
        d: u32,
        a: [Source; 3],
    },
    Convert {
        how: Convert,
        d: u32,
        a: Source,
    },
    /// Two binary32 into one register of two narrow numbers; `a` into the upper half.
    ConvertPair {
        to: Element,
        rounding: Rounding,
        saturate: bool,
        d: u32,
        a: Source,
        b: Source,
    },
    Compare {
        test: Comparison,
        unordered: bool,
        ty: Type,
        combine: Option<(Combine, Source)>,
        d: [Option<u32>; 2],
        a: [Source; 2],
    },
    Select {
        ty: Type,
        d: u32,
        a: [Source; 3],
    },
    Branch(u32),
    Exit,
    Trap,
    Nothing,
    Barrier {
        id: Source,
        threads: Option<Source>,
        arrive: bool,
    },
    WarpSync {
        members: Source,
    },
    Shuffle {
        mode: Shuffle,
        d: u32,
        p: Option<u32>,
        a: [Source; 4],
    },
    Elect {
        p: Option<u32>,
        d: Option<u32>,
        members: Source,
    },
    Atomic {
        kind: Integer,
        floating: bool,
        space: Space,
        ty: Type,
        d: Option<u32>,
        a: Place,
        value: Source,
    },
    CopyAsync {
        size: u32,
        d: Place,
        a: Place,
        filled: Option<Source>,
    },
    CopyCommit,
    /// `wait_group` and, for what no group has yet too, `wait_all`.
    CopyWait {
        newest: u32,
        all: bool,
    },
    LoadMatrix {
        count: usize,
        transposed: bool,
        d: Vec<u32>,
        a: Place,
    },
    Mma(Box<Mma>),
    ProxyFence,
    Asynchronous(Asynchronous),
    Tensor(Tensor),
}

impl Op {
    /// Whether all threads of the warp must execute it together.
    pub fn aligned(&self) -> bool {
        match self {
            Self::Asynchronous(op) => op.aligned(),
            Self::Tensor(op) => op.aligned(),
            _ => matches!(self, Self::LoadMatrix { .. } | Self::Mma(_)),
        }
    }
}

/// A decoded instruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Instruction {
    /// Predicate and whether it is negated.
    pub guard: Option<(u32, bool)>,
    /// What it does.
    pub op: Op,
    /// Slots of the registers that it names.
    pub registers: Vec<u32>,
    /// Line in the PTX.
    pub line: u32,
}

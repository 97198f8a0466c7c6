//! Decoded instructions: what `lower` makes of statements and `execute` performs.

use crate::number::Rounding;
use crate::syntax::Special;

/// Type of an operand: PTX ISA 5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Type {
    Pred,
    B8,
    U8,
    S8,
    B16,
    U16,
    S16,
    F16,
    Bf16,
    B32,
    U32,
    S32,
    F32,
    Tf32,
    F16x2,
    Bf16x2,
    F32x2,
    B64,
    U64,
    S64,
    F64,
    B128,
}

impl Type {
    /// Type of this name, without the dot.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "pred" => Self::Pred,
            "b8" => Self::B8,
            "u8" => Self::U8,
            "s8" => Self::S8,
            "b16" => Self::B16,
            "u16" => Self::U16,
            "s16" => Self::S16,
            "f16" => Self::F16,
            "bf16" => Self::Bf16,
            "b32" => Self::B32,
            "u32" => Self::U32,
            "s32" => Self::S32,
            "f32" => Self::F32,
            "tf32" => Self::Tf32,
            "f16x2" => Self::F16x2,
            "bf16x2" => Self::Bf16x2,
            "f32x2" => Self::F32x2,
            "b64" => Self::B64,
            "u64" => Self::U64,
            "s64" => Self::S64,
            "f64" => Self::F64,
            "b128" => Self::B128,
            _ => return None,
        })
    }

    /// Bytes.
    pub fn size(self) -> u32 {
        match self {
            Self::Pred | Self::B8 | Self::U8 | Self::S8 => 1,
            Self::B16 | Self::U16 | Self::S16 | Self::F16 | Self::Bf16 => 2,
            Self::F32x2 | Self::B64 | Self::U64 | Self::S64 | Self::F64 => 8,
            Self::B128 => 16,
            _ => 4,
        }
    }

    /// Whether it is a signed integer.
    pub fn signed(self) -> bool {
        matches!(self, Self::S8 | Self::S16 | Self::S32 | Self::S64)
    }

    /// Whether it is a floating-point number, packed ones too.
    pub fn floating(self) -> bool {
        use Type::{Bf16, Bf16x2, F16, F16x2, F32, F32x2, F64, Tf32};
        matches!(self, F16 | Bf16 | F32 | Tf32 | F64 | F16x2 | Bf16x2 | F32x2)
    }

    /// Bits of its width, all set.
    pub fn mask(self) -> u64 {
        if self.size() >= 8 { u64::MAX } else { (1 << (8 * self.size())) - 1 }
    }
}

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

/// Integer and logic instructions: PTX ISA 9.7.1, 9.7.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Integer {
    Add,
    Sub,
    MulLow,
    MulHigh,
    MulWide,
    MadLow,
    MadHigh,
    MadWide,
    Div,
    Rem,
    Min,
    Max,
    Neg,
    Abs,
    And,
    Or,
    Xor,
    Not,
    Shl,
    Shr,
    Lop3(u8),
    Prmt,
    Bfe,
    /// `bfi`, whose length must be a constant.
    Bfi(u8),
    Popc,
    Clz,
    ShfLeft,
    ShfRight,
}

/// Floating-point instructions: PTX ISA 9.7.3 to 9.7.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Float {
    Add,
    Sub,
    Mul,
    Fma,
    Div,
    Min,
    Max,
    Neg,
    Abs,
    Sqrt,
    Rcp,
}

/// Type and modifiers of a floating-point instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// Type.
    pub ty: Type,
    /// Rounding.
    pub rounding: Rounding,
    /// `.ftz`: subnormal operands and results are flushed to zero of their sign.
    pub flush: bool,
    /// `.sat`: the result is clamped to 0 to 1, NaN is 0.
    pub saturate: bool,
    /// `.relu`: negative results and -0 become +0; NaN stays.
    pub relu: bool,
    /// `.NaN`: min and max of a NaN are NaN.
    pub nan: bool,
}

/// `cvt`: PTX ISA 9.7.9.21.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convert {
    /// Result's type.
    pub to: Type,
    /// Operand's type.
    pub from: Type,
    /// Rounding; to an integer, of the value to a whole number.
    pub rounding: Rounding,
    /// `.sat`.
    pub saturate: bool,
    /// `.ftz`.
    pub flush: bool,
}

/// Comparison of `setp`: PTX ISA 9.7.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Num,
    Nan,
}

/// How `setp` combines its result with a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Combine {
    And,
    Or,
    Xor,
}

/// Mode of `shfl.sync`: PTX ISA 9.7.9.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Shuffle {
    Up,
    Down,
    Butterfly,
    Index,
}

/// Element of a matrix operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Element {
    F64,
    F32,
    Tf32,
    F16,
    Bf16,
    E4m3,
    E5m2,
    E3m2,
    E2m3,
    E2m1,
    S8,
    U8,
    S4,
    U4,
    S32,
}

impl Element {
    /// Element of this name, without the dot.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "f64" => Self::F64,
            "f32" => Self::F32,
            "tf32" => Self::Tf32,
            "f16" => Self::F16,
            "bf16" => Self::Bf16,
            "e4m3" => Self::E4m3,
            "e5m2" => Self::E5m2,
            "e3m2" => Self::E3m2,
            "e2m3" => Self::E2m3,
            "e2m1" => Self::E2m1,
            "s8" => Self::S8,
            "u8" => Self::U8,
            "s4" => Self::S4,
            "u4" => Self::U4,
            "s32" => Self::S32,
            _ => return None,
        })
    }
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
    },
    FromGeneric {
        d: u32,
        a: Source,
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
    CopyWait(u32),
    LoadMatrix {
        count: usize,
        transposed: bool,
        d: Vec<u32>,
        a: Place,
    },
    Mma(Box<Mma>),
    ProxyFence,
}

impl Op {
    /// Whether all threads of the warp must execute it together.
    pub fn aligned(&self) -> bool {
        matches!(self, Self::LoadMatrix { .. } | Self::Mma(_))
    }
}

/// A decoded instruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Instruction {
    /// Predicate and whether it is negated.
    pub guard: Option<(u32, bool)>,
    /// What it does.
    pub op: Op,
    /// Line in the PTX.
    pub line: u32,
}

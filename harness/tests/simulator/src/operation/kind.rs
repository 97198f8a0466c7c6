//! Kinds and modifiers of the instructions that share an [`Op`](super::Op).

use super::Type;
use crate::number::Rounding;

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

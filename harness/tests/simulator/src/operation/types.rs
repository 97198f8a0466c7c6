//! Types of scalar operands and elements of matrices.

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

//! Number formats: what is multiplied and what it is summed in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Format of the operands of a multiply-accumulate.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// IEEE 754 binary64.
    Fp64,
    /// IEEE 754 binary32.
    Fp32,
    /// 8-bit exponent, 10-bit mantissa, stored in 32 bits; never called fp32.
    Tf32,
    /// 8-bit exponent, 7-bit mantissa.
    Bf16,
    /// IEEE 754 binary16.
    Fp16,
    /// OCP 8-bit, 4-bit exponent.
    Fp8e4m3,
    /// OCP 8-bit, 5-bit exponent.
    Fp8e5m2,
    /// OCP 6-bit.
    Fp6,
    /// OCP 4-bit.
    Fp4,
    /// Signed 8-bit integer.
    Int8,
    /// Signed 4-bit integer.
    Int4,
}

impl Precision {
    /// Every format, widest first, integers last.
    pub const ALL: [Self; 11] = [
        Self::Fp64,
        Self::Fp32,
        Self::Tf32,
        Self::Bf16,
        Self::Fp16,
        Self::Fp8e4m3,
        Self::Fp8e5m2,
        Self::Fp6,
        Self::Fp4,
        Self::Int8,
        Self::Int4,
    ];

    /// Width of one operand as the units see it. TF32 has 19 bits of information; its width in rules is disputed.
    ///
    /// Unit: bits.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Fp64 => 64,
            Self::Fp32 => 32,
            Self::Tf32 => 19,
            Self::Bf16 | Self::Fp16 => 16,
            Self::Fp8e4m3 | Self::Fp8e5m2 | Self::Int8 => 8,
            Self::Fp6 => 6,
            Self::Fp4 | Self::Int4 => 4,
        }
    }

    /// Whether rates are counted in OP rather than FLOP.
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::Int8 | Self::Int4)
    }

    /// Name as options and files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp64 => "fp64",
            Self::Fp32 => "fp32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
            Self::Fp16 => "fp16",
            Self::Fp8e4m3 => "fp8e4m3",
            Self::Fp8e5m2 => "fp8e5m2",
            Self::Fp6 => "fp6",
            Self::Fp4 => "fp4",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
        }
    }
}

/// Format in which the products are summed; part of a figure's identity.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Accumulate {
    /// binary64.
    Fp64,
    /// binary32.
    Fp32,
    /// binary16.
    Fp16,
    /// bfloat16.
    Bf16,
    /// 32-bit integer.
    Int32,
}

impl Accumulate {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp64 => "fp64",
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
            Self::Int32 => "int32",
        }
    }

    /// Bytes of one sum as it is stored.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Fp64 => 8,
            Self::Fp32 | Self::Int32 => 4,
            Self::Fp16 | Self::Bf16 => 2,
        }
    }

    /// The sums that a bare name of a format stands for: binary64 for itself, 32 bits for all others.
    pub const fn usual(precision: Precision) -> Self {
        match precision {
            Precision::Fp64 => Self::Fp64,
            Precision::Int8 | Precision::Int4 => Self::Int32,
            _ => Self::Fp32,
        }
    }
}

/// Formats of operands and sums together: what two rates must share to be the same figure. Binary16 summed in
/// binary16 is twice as fast as in binary32 on many parts, and another figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arithmetic {
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { precision, accumulate } = self;
        if *accumulate == Accumulate::usual(*precision) {
            write!(f, "{precision}")
        } else {
            write!(f, "{precision} (sums {accumulate})")
        }
    }
}

/// A number format that does not exist under the given name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown precision '{text}'; one of {}", names())]
pub struct UnknownPrecision {
    /// The name as given.
    pub text: String,
}

fn names() -> String {
    Precision::ALL.map(Precision::name).join(", ")
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, UnknownPrecision> {
        let found = Self::ALL.into_iter().find(|p| p.name() == text);
        found.ok_or_else(|| UnknownPrecision { text: text.to_owned() })
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Accumulate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_the_same_in_options_and_in_json() {
        for precision in Precision::ALL {
            assert_eq!(precision.name().parse::<Precision>().unwrap(), precision);
            assert_eq!(serde_json::to_string(&precision).unwrap(), format!("\"{precision}\""));
        }
    }

    #[test]
    fn a_name_that_is_nearly_right_is_refused_with_the_list() {
        for text in ["FP32", "float", "fp8", "", "fp32 "] {
            let error = text.parse::<Precision>().unwrap_err().to_string();
            assert!(error.contains("fp64, fp32, tf32"), "{error}");
        }
    }
}

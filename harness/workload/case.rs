//! One planned measurement, as far as it is part of the result's identity.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{BufferSize, Distribution, GemmShape, Layout};
use crate::precision::{Accumulate, Precision};

/// How a rate is obtained.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Register-resident multiply-accumulates, no memory traffic.
    Issue,
    /// A dense matrix product.
    Gemm,
    /// A copy between two buffers in memory; its rate is in bytes and never in operations.
    Copy,
}

impl Method {
    /// Name as options and files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Gemm => "gemm",
            Self::Copy => "copy",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Issue, Self::Gemm, Self::Copy]
            .into_iter()
            .find(|method| method.name() == text)
            .ok_or_else(|| format!("unknown method '{text}'; one of issue, gemm, copy"))
    }
}

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", tag = "method", deny_unknown_fields)]
pub enum Work {
    /// Register-resident multiply-accumulates.
    Issue,
    /// A dense matrix product.
    Gemm {
        /// Extents.
        shape: GemmShape,
        /// How A is stored.
        layout: Layout,
        /// Distribution of the operands.
        input: Distribution,
        /// Seed of the operands.
        seed: u64,
    },
    /// A copy between two buffers; see [`super::COPY_FORMAT`] for its `precision`.
    Copy {
        /// Size of each buffer.
        buffer_bytes: BufferSize,
    },
}

impl Work {
    /// How the rate is obtained.
    pub const fn method(&self) -> Method {
        match self {
            Self::Issue => Method::Issue,
            Self::Gemm { .. } => Method::Gemm,
            Self::Copy { .. } => Method::Copy,
        }
    }
}

/// A workload for one implementation; equal cases on equal devices are comparable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Name of the implementation's row in its backend.
    pub implementation: String,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// What is computed.
    pub work: Work,
}

//! Dense matrix product C[m, n] = A[m, k] x B[k, n]: shape, layout, operations and bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::units::Ops;

/// Largest extent of a matrix; past it no index fits the 32-bit arguments of the libraries that are measured.
const EXTENT_LIMIT: u64 = (1 << 31) - 1;

/// A shape that no product has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// An extent of zero, or past what 32-bit library interfaces can index.
    #[error("shape {m},{n},{k}: each of m, n and k must be from 1 to {EXTENT_LIMIT}")]
    Extent {
        /// Rows of C.
        m: u64,
        /// Columns of C.
        n: u64,
        /// Length of the sums.
        k: u64,
    },
    /// The text is no three numbers.
    #[error("'{text}' is no shape; write M,N,K as in 4096,4096,4096")]
    Text {
        /// The text as given.
        text: String,
    },
}

/// Extents of one product.
///
/// **Shape**: A is [m, k], B is [k, n], C is [m, n], each row-major unless the [`Layout`] says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
pub struct GemmShape {
    m: u64,
    n: u64,
    k: u64,
}

impl GemmShape {
    /// The shape m x n x k.
    ///
    /// Errors: [`ShapeError::Extent`] for an extent of zero or past 2^31 - 1.
    pub const fn new(m: u64, n: u64, k: u64) -> Result<Self, ShapeError> {
        if m == 0 || n == 0 || k == 0 || m > EXTENT_LIMIT || n > EXTENT_LIMIT || k > EXTENT_LIMIT {
            return Err(ShapeError::Extent { m, n, k });
        }
        Ok(Self { m, n, k })
    }

    /// Rows of C.
    pub const fn m(self) -> u64 {
        self.m
    }

    /// Columns of C.
    pub const fn n(self) -> u64 {
        self.n
    }

    /// Length of the sums.
    pub const fn k(self) -> u64 {
        self.k
    }

    /// Operations of one product: 2 m n k and nothing else. No alpha, beta or C term is counted.
    pub const fn ops(self) -> Ops {
        // Three extents below 2^31 and the factor 2 fit u128 with room to spare.
        Ops::new(2 * self.m as u128 * self.n as u128 * self.k as u128)
    }

    /// Memory of A, B and C together.
    ///
    /// Unit: bytes, for operands of `operand` and results of `result` bytes an element.
    pub const fn bytes(self, operand: u64, result: u64) -> u128 {
        let (m, n, k) = (self.m as u128, self.n as u128, self.k as u128);
        (m * k + k * n) * operand as u128 + m * n * result as u128
    }

    /// Rows and columns of A as stored: [m, k], or [k, m] when A is transposed.
    pub const fn a_extents(self, layout: Layout) -> (u64, u64) {
        match layout {
            Layout::Nn => (self.m, self.k),
            Layout::Tn => (self.k, self.m),
        }
    }
}

impl<'de> Deserialize<'de> for GemmShape {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Extents {
            m: u64,
            n: u64,
            k: u64,
        }
        let extents = Extents::deserialize(deserializer)?;
        Self::new(extents.m, extents.n, extents.k).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for GemmShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}x{}x{}", self.m, self.n, self.k))
    }
}

impl FromStr for GemmShape {
    type Err = ShapeError;

    fn from_str(text: &str) -> Result<Self, ShapeError> {
        let wrong = || ShapeError::Text { text: text.to_owned() };
        let extents: Result<Vec<u64>, _> = text.split([',', 'x']).map(str::parse).collect();
        match extents.map_err(|_| wrong())?.as_slice() {
            [m, n, k] => Self::new(*m, *n, *k),
            _ => Err(wrong()),
        }
    }
}

/// How A is stored; B and C are row-major in both.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// A is stored as it is used.
    #[default]
    Nn,
    /// A is stored transposed, [k, m].
    Tn,
}

impl Layout {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nn => "nn",
            Self::Tn => "tn",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_zero_or_absurd_extent_is_no_shape() {
        for text in ["0,1,1", "1,0,1", "1,1,0", "1,1,1000000000000"] {
            assert!(matches!(text.parse::<GemmShape>(), Err(ShapeError::Extent { .. })), "{text}");
        }
        for text in ["", "1,2", "1,2,3,4", "a,b,c", "-1,2,3", "1.5,2,3", "99999999999999999999,1,1"] {
            assert!(matches!(text.parse::<GemmShape>(), Err(ShapeError::Text { .. })), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_count_is_two_for_each_multiply_accumulate(m in 1..=EXTENT_LIMIT, n in 1..=EXTENT_LIMIT, k in 1..=EXTENT_LIMIT) {
            let ops = GemmShape::new(m, n, k).unwrap().ops().get();
            prop_assert_eq!(ops / 2 / u128::from(m) / u128::from(n), u128::from(k));
            prop_assert_eq!(ops % 2, 0);
        }
    }
}

//! Seeded operands. Data changes power and with it the clock, so the distribution is part of a case's identity.

use std::fmt;
use std::str::FromStr;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use serde::{Deserialize, Serialize};

use super::{Elements, GemmShape, Layout};
use crate::precision::Precision;

/// Distribution of the operands' elements.
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
pub enum Distribution {
    /// Standard normal; int8 is scaled by 32 and int4 by 2, so that few saturate.
    #[default]
    Normal,
    /// Uniform in [-1, 1); integers over their full range, which finds units that saturate at 16 bits.
    Uniform,
    /// Small integers, so that every partial sum is exact and a wrong bit shows.
    Integers,
    /// All zero.
    Zeros,
    /// All one.
    Ones,
}

impl Distribution {
    /// Every distribution.
    pub const ALL: [Self; 5] = [Self::Normal, Self::Uniform, Self::Integers, Self::Zeros, Self::Ones];

    /// Name as options and files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Uniform => "uniform",
            Self::Integers => "integers",
            Self::Zeros => "zeros",
            Self::Ones => "ones",
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Distribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|d| d.name() == text);
        found.ok_or_else(|| {
            format!("unknown input '{text}'; one of normal, uniform, integers, zeros, ones, all")
        })
    }
}

/// Which operand of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// The left one.
    A,
    /// The right one.
    B,
}

/// Greatest magnitude of the elements of [`Distribution::Integers`].
///
/// With 8, a sum of k products stays below 2^24 up to k = 262,144, so that fp32 sums are exact in any order. Sums of
/// fp16 operands may be kept in fp16, exact to 2^11 only: with 1, up to k = 2048. Sums of fp8 and shorter operands keep
/// some fourteen bits in some units: with 2, a sum of 8192 products stays below 2^10 but for one in 10^7.
const fn integer_bound(precision: Precision) -> i32 {
    match precision {
        Precision::Fp16 => 1,
        Precision::Fp8e4m3 | Precision::Fp8e5m2 | Precision::Fp6 | Precision::Fp4 => 2,
        _ => 8,
    }
}

/// One operand of a product, the same for the same arguments on every machine.
///
/// **Shape**: A as [`GemmShape::a_extents`] says, B [k, n], row-major. `None` past what memory can be addressed.
pub fn operand(
    which: Operand,
    shape: GemmShape,
    layout: Layout,
    precision: Precision,
    (distribution, seed): (Distribution, u64),
) -> Option<Elements> {
    let (rows, columns) = match which {
        Operand::A => shape.a_extents(layout),
        Operand::B => (shape.k(), shape.n()),
    };
    let count = rows.checked_mul(columns).and_then(|count| usize::try_from(count).ok())?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(match which {
        Operand::A => 0,
        Operand::B => 1,
    });
    let values = (0..count).map(|_| {
        let value = element(distribution, precision, &mut random);
        // Libraries multiply e5m2 by e4m3 only, whose least step this is: the values are those that both formats have.
        if precision == Precision::Fp8e5m2 { (value * 512.0).round() / 512.0 } else { value }
    });
    Elements::rounded(precision, values)
}

fn element(distribution: Distribution, precision: Precision, random: &mut impl Rng) -> f64 {
    let integer = precision.is_integer();
    let (scale, least) = if precision == Precision::Int4 { (2.0, -8) } else { (32.0, -128) };
    match distribution {
        Distribution::Normal => {
            let value: f64 = StandardNormal.sample(random);
            if integer { (value * scale).round() } else { value }
        }
        Distribution::Uniform if integer => f64::from(random.random_range(least..=-1 - least)),
        Distribution::Uniform => random.random_range(-1.0..1.0),
        Distribution::Integers => {
            let bound = integer_bound(precision);
            f64::from(random.random_range(-bound..=bound))
        }
        Distribution::Zeros => 0.0,
        Distribution::Ones => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a(distribution: Distribution, seed: u64, precision: Precision) -> Elements {
        let shape = GemmShape::new(30, 40, 50).unwrap();
        operand(Operand::A, shape, Layout::Nn, precision, (distribution, seed)).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_data_and_another_seed_other_data() {
        for distribution in [Distribution::Normal, Distribution::Uniform, Distribution::Integers] {
            let first = a(distribution, 1, Precision::Fp32);
            assert!(first.same_bits(&a(distribution, 1, Precision::Fp32)));
            assert!(!first.same_bits(&a(distribution, 2, Precision::Fp32)));
        }
    }

    #[test]
    fn a_and_b_differ() {
        let shape = GemmShape::new(8, 8, 8).unwrap();
        let data =
            |which| operand(which, shape, Layout::Nn, Precision::Fp64, (Distribution::Normal, 7)).unwrap();
        assert!(!data(Operand::A).same_bits(&data(Operand::B)));
    }

    #[test]
    fn no_format_saturates_on_normal_data() {
        for precision in [Precision::Fp64, Precision::Fp32, Precision::Bf16, Precision::Fp16, Precision::Int8]
        {
            let values = a(Distribution::Normal, 3, precision).to_f64();
            assert!(values.iter().all(|v| v.is_finite()));
            let limit = values.iter().filter(|v| v.abs() >= 127.0).count();
            assert!(limit * 500 < values.len(), "{precision}: {limit} of {} at the limit", values.len());
            let distinct: std::collections::BTreeSet<_> = values.iter().map(|v| v.to_bits()).collect();
            assert!(distinct.len() > 100, "{precision}: nearly constant");
        }
    }

    #[test]
    fn full_range_integers_reach_both_ends() {
        let values = a(Distribution::Uniform, 3, Precision::Int8).to_f64();
        assert!(values.contains(&-128.0) && values.contains(&127.0));
    }
}

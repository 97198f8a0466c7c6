//! A matrix of one number format, as a device is given it or gives it back.

use half::{bf16, f16};

use super::small;
use crate::precision::Precision;

/// Elements of a matrix, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// binary64.
    F64(Vec<f64>),
    /// binary32; also tf32, whose operands are already rounded to it.
    F32(Vec<f32>),
    /// bfloat16.
    Bf16(Vec<bf16>),
    /// binary16.
    F16(Vec<f16>),
    /// 8-bit integers.
    I8(Vec<i8>),
    /// 32-bit integers, as results.
    I32(Vec<i32>),
    /// A format below sixteen bits, one code of [`small`] a byte.
    Small(Precision, Vec<u8>),
}

impl Elements {
    /// `values` rounded to `precision`; `None` where a value is NaN and the format has none.
    pub fn rounded(precision: Precision, values: impl Iterator<Item = f64>) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "rounding to the format is the purpose")]
        match precision {
            Precision::Fp64 => Some(Self::F64(values.collect())),
            Precision::Fp32 => Some(Self::F32(values.map(|v| v as f32).collect())),
            Precision::Tf32 => Some(Self::F32(values.map(|v| to_tf32(v as f32)).collect())),
            Precision::Bf16 => Some(Self::Bf16(values.map(bf16::from_f64).collect())),
            Precision::Fp16 => Some(Self::F16(values.map(f16::from_f64).collect())),
            Precision::Int8 => Some(Self::I8(values.map(|v| v.clamp(-128.0, 127.0) as i8).collect())),
            Precision::Fp8e4m3 | Precision::Fp8e5m2 | Precision::Fp6 | Precision::Fp4 | Precision::Int4 => {
                let codes: Option<Vec<u8>> = values.map(|v| small::encode(precision, v)).collect();
                Some(Self::Small(precision, codes?))
            }
        }
    }

    /// Number of elements.
    pub const fn len(&self) -> usize {
        match self {
            Self::F64(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::Bf16(v) => v.len(),
            Self::F16(v) => v.len(),
            Self::I8(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::Small(_, v) => v.len(),
        }
    }

    /// Whether there is no element.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`, widened; every format that is held fits `f64` exactly.
    pub fn get(&self, index: usize) -> Option<f64> {
        match self {
            Self::F64(v) => v.get(index).copied(),
            Self::F32(v) => v.get(index).map(|x| f64::from(*x)),
            Self::Bf16(v) => v.get(index).map(|x| x.to_f64()),
            Self::F16(v) => v.get(index).map(|x| x.to_f64()),
            Self::I8(v) => v.get(index).map(|x| f64::from(*x)),
            Self::I32(v) => v.get(index).map(|x| f64::from(*x)),
            Self::Small(precision, v) => v.get(index).and_then(|code| small::decode(*precision, *code)),
        }
    }

    /// All elements, widened exactly.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::F64(v) => v.clone(),
            Self::F32(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Self::Bf16(v) => v.iter().map(|x| x.to_f64()).collect(),
            Self::F16(v) => v.iter().map(|x| x.to_f64()).collect(),
            Self::I8(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Self::I32(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Self::Small(precision, v) => {
                v.iter().map(|code| small::decode(*precision, *code).unwrap_or(f64::NAN)).collect()
            }
        }
    }

    /// The elements one after the other as they lie in memory, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::F64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::F32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::Bf16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::F16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::I8(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::I32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::Small(_, v) => v.clone(),
        }
    }

    /// Whether two results agree in every bit, which equality of floating-point numbers does not say.
    pub fn same_bits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::F64(a), Self::F64(b)) => same(a, b, |x| x.to_bits()),
            (Self::F32(a), Self::F32(b)) => same(a, b, |x| u64::from(x.to_bits())),
            (Self::Bf16(a), Self::Bf16(b)) => same(a, b, |x| u64::from(x.to_bits())),
            (Self::F16(a), Self::F16(b)) => same(a, b, |x| u64::from(x.to_bits())),
            (Self::I8(a), Self::I8(b)) => a == b,
            (Self::I32(a), Self::I32(b)) => a == b,
            (Self::Small(p, a), Self::Small(q, b)) => p == q && a == b,
            _ => false,
        }
    }
}

fn same<T: Copy>(a: &[T], b: &[T], bits: impl Fn(T) -> u64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| bits(*x) == bits(*y))
}

/// `value` with its mantissa rounded to ten bits, ties to even.
fn to_tf32(value: f32) -> f32 {
    let bits = value.to_bits();
    let half = 0xfff + ((bits >> 13) & 1);
    if value.is_finite() { f32::from_bits(bits.wrapping_add(half) & !0x1fff) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_with_other_bits_are_not_the_same() {
        assert!(!Elements::F32(vec![0.0]).same_bits(&Elements::F32(vec![-0.0])));
        assert!(Elements::F32(vec![f32::NAN]).same_bits(&Elements::F32(vec![f32::NAN])));
    }

    #[test]
    fn tf32_keeps_ten_bits_of_mantissa() {
        assert_eq!(to_tf32(1.0 + 2.0_f32.powi(-10)).to_bits(), (1.0 + 2.0_f32.powi(-10)).to_bits());
        assert_eq!(to_tf32(1.0 + 2.0_f32.powi(-12)).to_bits(), 1.0_f32.to_bits());
        assert_eq!(to_tf32(1.0 + 3.0 * 2.0_f32.powi(-11)).to_bits(), (1.0 + 2.0_f32.powi(-9)).to_bits());
    }
}

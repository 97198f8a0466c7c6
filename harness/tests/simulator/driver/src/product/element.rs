//! Formats of elements in memory, and their values.

use cudarc::cublaslt::sys::cudaDataType_t as Type;
use float8::{F8E4M3, F8E5M2};
use half::{bf16, f16};

/// Whether a code of the caller's is this type.
pub(super) const fn is(code: u32, kind: Type) -> bool {
    code == kind as u32
}

/// Whether it is floating point of eight bits.
pub(super) const fn is_f8(code: u32) -> bool {
    is(code, Type::CUDA_R_8F_E4M3) || is(code, Type::CUDA_R_8F_E5M2)
}

/// Whether it is floating point of four bits.
pub(super) const fn is_f4(code: u32) -> bool {
    is(code, Type::CUDA_R_4F_E2M1)
}

/// Bits of an element; `None` for a type that is not simulated.
pub(crate) const fn bits(kind: u32) -> Option<u64> {
    if is(kind, Type::CUDA_R_64F) {
        Some(64)
    } else if is(kind, Type::CUDA_R_32F) || is(kind, Type::CUDA_R_32I) {
        Some(32)
    } else if is(kind, Type::CUDA_R_16F) || is(kind, Type::CUDA_R_16BF) {
        Some(16)
    } else if is(kind, Type::CUDA_R_8I) || is_f8(kind) {
        Some(8)
    } else if is_f4(kind) {
        Some(4)
    } else {
        None
    }
}

/// Bytes of an element that has whole ones.
pub(crate) fn bytes(kind: u32) -> Option<usize> {
    bits(kind).filter(|bits| bits.is_multiple_of(8)).map(|bits| (bits / 8) as usize)
}

fn array<const N: usize>(word: &[u8]) -> [u8; N] {
    word.first_chunk().copied().unwrap_or([0xff; N])
}

/// Values of E2M1 by the three bits below the sign: 0, 0.5, 1, 1.5, 2, 3, 4, 6.
const E2M1: [f64; 8] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];

/// The value of a word of this type; of two E2M1 in a byte, that in the low bits.
pub(crate) fn decoded(word: &[u8], kind: u32) -> f64 {
    if is(kind, Type::CUDA_R_64F) {
        f64::from_le_bytes(array(word))
    } else if is(kind, Type::CUDA_R_32F) {
        f64::from(f32::from_le_bytes(array(word)))
    } else if is(kind, Type::CUDA_R_32I) {
        f64::from(i32::from_le_bytes(array(word)))
    } else if is(kind, Type::CUDA_R_16F) {
        f16::from_le_bytes(array(word)).to_f64()
    } else if is(kind, Type::CUDA_R_16BF) {
        bf16::from_le_bytes(array(word)).to_f64()
    } else if is(kind, Type::CUDA_R_8I) {
        f64::from(i8::from_le_bytes(array(word)))
    } else if is(kind, Type::CUDA_R_8F_E4M3) {
        F8E4M3::from_bits(array::<1>(word)[0]).to_f64()
    } else if is_f4(kind) {
        let [code] = array::<1>(word);
        let size = E2M1.get(usize::from(code & 7)).copied().unwrap_or(f64::NAN);
        if code & 8 == 0 { size } else { -size }
    } else {
        F8E5M2::from_bits(array::<1>(word)[0]).to_f64()
    }
}

/// The values of consecutive elements; of two in a byte the first is in the low bits.
pub(super) fn all(memory: &[u8], kind: u32) -> Vec<f64> {
    if is_f4(kind) {
        return memory
            .iter()
            .flat_map(|byte| [*byte, byte >> 4].map(|code| decoded(&[code], kind)))
            .collect();
    }
    memory.chunks_exact(bytes(kind).unwrap_or(1)).map(|word| decoded(word, kind)).collect()
}

/// The word of a value in a format of results.
pub(super) fn encoded(value: f64, kind: u32) -> Vec<u8> {
    if is(kind, Type::CUDA_R_64F) {
        value.to_le_bytes().to_vec()
    } else if is(kind, Type::CUDA_R_32F) {
        (value as f32).to_le_bytes().to_vec()
    } else if is(kind, Type::CUDA_R_32I) {
        (value as i32).to_le_bytes().to_vec()
    } else if is(kind, Type::CUDA_R_16F) {
        f16::from_f64(value).to_le_bytes().to_vec()
    } else {
        bf16::from_f64(value).to_le_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixteen_codes_of_e2m1() {
        let kind = Type::CUDA_R_4F_E2M1 as u32;
        let found: Vec<f64> = all(&[0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe], kind);
        let half = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
        let wanted: Vec<f64> = half.into_iter().chain(half.map(|value: f64| -value)).collect();
        assert_eq!(found, wanted);
        assert!(found[8].is_sign_negative(), "the ninth code is minus zero");
    }
}

//! Instruction-set extensions that issue kernels need, and whether this process may execute them.

use serde::Deserialize;

/// Instruction-set extension of one issue kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isa {
    /// 128-bit multiply and add, not fused.
    Sse2,
    /// 256-bit integers, without dot products.
    Avx2,
    /// 256-bit fused multiply-add.
    Avx2Fma,
    /// 256-bit fused multiply-add with binary16 conversion.
    F16c,
    /// 256-bit int8 dot products.
    AvxVnni,
    /// 512-bit fused multiply-add.
    Avx512f,
    /// 512-bit int8 dot products.
    Avx512Vnni,
    /// 512-bit bfloat16 dot products.
    Avx512Bf16,
    /// 512-bit binary16 arithmetic.
    Avx512Fp16,
    /// int8 tile products.
    AmxInt8,
    /// bfloat16 tile products.
    AmxBf16,
    /// 128-bit fused multiply-add of aarch64.
    Neon,
}

impl Isa {
    /// Name as in kernel rows and in `cpu.toml`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sse2 => "sse2",
            Self::Avx2 => "avx2",
            Self::Avx2Fma => "avx2-fma",
            Self::F16c => "f16c",
            Self::AvxVnni => "avx-vnni",
            Self::Avx512f => "avx512f",
            Self::Avx512Vnni => "avx512-vnni",
            Self::Avx512Bf16 => "avx512-bf16",
            Self::Avx512Fp16 => "avx512-fp16",
            Self::AmxInt8 => "amx-int8",
            Self::AmxBf16 => "amx-bf16",
            Self::Neon => "neon",
        }
    }

    /// Whether the processor has it and the operating system saves its registers.
    ///
    /// The first question about AMX asks Linux for the tile registers, for the whole process and for good.
    #[must_use]
    pub fn available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.available_on_x86_64();
        #[cfg(target_arch = "aarch64")]
        return self == Self::Neon;
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        return false;
    }

    #[cfg(target_arch = "x86_64")]
    fn available_on_x86_64(self) -> bool {
        use std::arch::is_x86_feature_detected as has;
        match self {
            Self::Sse2 => true,
            Self::Avx2 => has!("avx2"),
            Self::Avx2Fma => has!("avx2") && has!("fma"),
            Self::F16c => has!("avx2") && has!("fma") && has!("f16c"),
            Self::AvxVnni => has!("avx2") && has!("avxvnni"),
            Self::Avx512f => has!("avx512f"),
            Self::Avx512Vnni => has!("avx512f") && has!("avx512vnni"),
            Self::Avx512Bf16 => has!("avx512f") && has!("avx512bf16"),
            Self::Avx512Fp16 => has!("avx512f") && has!("avx512fp16"),
            Self::AmxInt8 => super::amx::permitted().is_some_and(|units| units.int8),
            Self::AmxBf16 => super::amx::permitted().is_some_and(|units| units.bf16),
            Self::Neon => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_data_files_spelling() {
        #[derive(Deserialize)]
        struct Line {
            isa: Isa,
        }
        for isa in [Isa::Avx512f, Isa::Avx2Fma, Isa::Avx512Fp16, Isa::AmxInt8, Isa::AvxVnni, Isa::Neon] {
            let line: Line = toml::from_str(&format!("isa = \"{}\"", isa.name())).unwrap();
            assert_eq!(line.isa, isa);
        }
    }
}

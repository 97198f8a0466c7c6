//! Which kernels there are, which of them this machine can run, and which is taken.

#[cfg(target_arch = "x86_64")]
use super::amx;
use std::fmt;

/// Operand type of a product; C is i32 for int8, f64 for f64, and f32 otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// IEEE binary64.
    F64,
    /// IEEE binary32.
    F32,
    /// bfloat16.
    Bf16,
    /// IEEE binary16.
    F16,
    /// Signed 8-bit integers.
    I8,
}

/// Instruction set of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// Plain Rust.
    Portable,
    /// Arm NEON.
    Neon,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512F.
    Avx512,
    /// AVX-512 dot products: VNNI for int8, BF16 for bf16.
    Avx512Dot,
    /// AMX tiles.
    Amx,
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Dot => "avx512-dot",
            Self::Amx => "amx",
        })
    }
}

/// Whether a unit for the operand's own format does the arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Multiplies the format itself.
    Native,
    /// Widens to another format first; such a rate has no theoretical peak.
    Emulated,
}

/// One kernel of the engine.
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    /// Operand type.
    pub operand: Operand,
    /// Instruction set.
    pub isa: Isa,
    /// Tile of C, and the instruction that does the work.
    pub name: &'static str,
    /// Native or emulated.
    pub unit: Unit,
}

use Operand::{Bf16, F16, F32, F64, I8};
use Unit::{Emulated, Native};

const fn kernel(operand: Operand, isa: Isa, unit: Unit, name: &'static str) -> Kernel {
    Kernel { operand, isa, name, unit }
}

/// All kernels; for each operand the preferred one first.
const KERNELS: &[Kernel] = &[
    kernel(F64, Isa::Avx512, Native, "14x16 vfmadd"),
    kernel(F64, Isa::Avx2, Native, "6x8 vfmadd"),
    kernel(F64, Isa::Neon, Native, "12x4 fmla"),
    kernel(F64, Isa::Portable, Native, "4x8"),
    kernel(F32, Isa::Avx512, Native, "14x32 vfmadd"),
    kernel(F32, Isa::Avx2, Native, "6x16 vfmadd"),
    kernel(F32, Isa::Neon, Native, "12x8 fmla"),
    kernel(F32, Isa::Portable, Native, "4x8"),
    kernel(Bf16, Isa::Amx, Native, "32x32 tdpbf16ps"),
    // Half of f32's rate on Intel (AMX is taken there), twice on AMD Zen 4.
    kernel(Bf16, Isa::Avx512Dot, Native, "14x32 vdpbf16ps"),
    kernel(Bf16, Isa::Avx512, Emulated, "14x32 vfmadd"),
    kernel(Bf16, Isa::Avx2, Emulated, "6x16 vfmadd"),
    kernel(Bf16, Isa::Neon, Emulated, "12x8 fmla"),
    kernel(Bf16, Isa::Portable, Emulated, "4x8"),
    kernel(F16, Isa::Avx512, Emulated, "14x32 vfmadd"),
    kernel(F16, Isa::Avx2, Emulated, "6x16 vfmadd"),
    kernel(F16, Isa::Neon, Emulated, "12x8 fmla"),
    kernel(F16, Isa::Portable, Emulated, "4x8"),
    kernel(I8, Isa::Amx, Native, "32x32 tdpbssd"),
    kernel(I8, Isa::Avx512Dot, Native, "14x32 vpdpbusd"),
    kernel(I8, Isa::Avx2, Emulated, "6x16 vpmaddwd"),
    kernel(I8, Isa::Portable, Emulated, "4x8"),
];

/// All kernels of the engine, for each operand the preferred one first.
pub fn kernels() -> &'static [Kernel] {
    KERNELS
}

impl Kernel {
    /// Whether this machine can run it; the reason if not.
    pub fn available(&self) -> Result<(), &'static str> {
        usable(self.isa, self.operand)
    }
}

/// The preferred kernel for `operand` that this machine can run, or exactly `only`.
///
/// Errors: the reason why there is none.
pub(super) fn choose(operand: Operand, only: Option<Isa>) -> Result<Isa, &'static str> {
    let mut reason = "there is no such kernel";
    for kernel in KERNELS.iter().filter(|k| k.operand == operand) {
        if only.is_none_or(|isa| isa == kernel.isa) {
            match kernel.available() {
                Ok(()) => return Ok(kernel.isa),
                Err(why) => reason = why,
            }
        }
    }
    Err(reason)
}

#[cfg(target_arch = "x86_64")]
fn usable(isa: Isa, operand: Operand) -> Result<(), &'static str> {
    let need = |has: bool, reason| if has { Ok(()) } else { Err(reason) };
    match (isa, operand) {
        (Isa::Portable, _) => Ok(()),
        (Isa::Neon, _) => Err("not an Arm CPU"),
        (Isa::Avx2, _) => need(
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            "the CPU has no AVX2 and FMA",
        ),
        (Isa::Avx512, _) => need(is_x86_feature_detected!("avx512f"), "the CPU has no AVX-512F"),
        (Isa::Avx512Dot, Bf16) => need(is_x86_feature_detected!("avx512bf16"), "the CPU has no AVX512-BF16"),
        (Isa::Avx512Dot, _) => need(is_x86_feature_detected!("avx512vnni"), "the CPU has no AVX512-VNNI"),
        (Isa::Amx, Bf16) => amx::usable(amx::BF16),
        (Isa::Amx, _) => amx::usable(amx::INT8),
    }
}

#[cfg(target_arch = "aarch64")]
fn usable(isa: Isa, _operand: Operand) -> Result<(), &'static str> {
    match isa {
        Isa::Portable | Isa::Neon => Ok(()),
        _ => Err("not an x86-64 CPU"),
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn usable(isa: Isa, _operand: Operand) -> Result<(), &'static str> {
    if isa == Isa::Portable { Ok(()) } else { Err("another CPU architecture") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operand_has_a_kernel_on_every_machine() {
        for operand in [F64, F32, Bf16, F16, I8] {
            assert!(choose(operand, None).is_ok());
            assert_eq!(choose(operand, Some(Isa::Portable)), Ok(Isa::Portable));
        }
    }

    #[test]
    fn a_missing_kernel_is_a_reason() {
        assert!(choose(F64, Some(Isa::Amx)).is_err());
    }
}

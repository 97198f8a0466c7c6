//! What cuBLASLt multiplies, and on which architectures.
//!
//! **Source**: cuBLAS 13 documentation, `cublasLtMatmul()` and "Narrow Precision Data Types Usage", read in a copy: the
//! table of compute, scale and matrix types, and the requirements of IMMA, FP8 and block-scaled kernels. Codes are those
//! of the headers (cuBLAS 13.10, CUDA 13.5). Not tried on a device.

use cudarc::cublaslt::sys::{
    cublasComputeType_t as Compute, cublasLtMatmulMatrixScale_t as ScaleMode, cudaDataType_t as Type,
};

use crate::backend::cuda::rows::{Element, Target};
use crate::device::Unit;
use crate::precision::{Accumulate, Precision};

/// A format of products.
#[derive(Debug, Clone, Copy)]
pub(in crate::backend::cuda) struct Format {
    /// Name of the implementation.
    pub name: &'static str,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// First compute capability that has it.
    pub from: u32,
    /// Arithmetic, format of alpha and beta.
    pub compute: (Compute, Type),
    /// Formats of the library's left and right operand, our B and A.
    pub operands: (Type, Type),
    /// Format of the result.
    pub result: (Type, Element),
    /// Words of an operand in memory.
    pub element: Element,
    /// Rules that come with the format.
    pub rules: Rules,
}

/// What a format demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backend::cuda) enum Rules {
    /// Any layout, any extent.
    Free,
    /// K contiguous in both operands, extents multiples of 16: a smaller product is padded with zeros.
    KContiguous,
    /// The same, with one scale for each operand.
    Scaled,
    /// The same, with a scale for each block along K.
    BlockScaled {
        /// How scales are stored.
        mode: ScaleMode,
        /// Elements of a block.
        block: u64,
        /// Code of the scale one.
        one: u8,
    },
}

impl Rules {
    /// Whether both operands must have K contiguous.
    pub const fn k_contiguous(self) -> bool {
        !matches!(self, Self::Free)
    }

    /// What every extent must be a multiple of, so that rows begin at multiples of 16 bytes.
    pub const fn multiple(self) -> u64 {
        match self {
            Self::Free => 1,
            Self::KContiguous | Self::Scaled => 16,
            Self::BlockScaled { .. } => 32,
        }
    }
}

const F32: (Compute, Type) = (Compute::CUBLAS_COMPUTE_32F, Type::CUDA_R_32F);
const TO_F32: (Type, Element) = (Type::CUDA_R_32F, Element::F32);

const fn row(
    (name, precision, accumulate): (&'static str, Precision, Accumulate),
    from: u32,
    compute: (Compute, Type),
    (operand, element): (Type, Element),
    result: (Type, Element),
    rules: Rules,
) -> Format {
    let operands = (operand, operand);
    Format { name, precision, accumulate, from, compute, operands, result, element, rules }
}

use Accumulate as A;
use Precision as P;

/// Every format, in the order of [`Precision::ALL`].
const FORMATS: [Format; 11] = [
    row(
        ("cublaslt-fp64", P::Fp64, A::Fp64),
        75,
        (Compute::CUBLAS_COMPUTE_64F, Type::CUDA_R_64F),
        (Type::CUDA_R_64F, Element::F64),
        (Type::CUDA_R_64F, Element::F64),
        Rules::Free,
    ),
    row(("cublaslt-fp32", P::Fp32, A::Fp32), 75, F32, (Type::CUDA_R_32F, Element::F32), TO_F32, Rules::Free),
    row(
        ("cublaslt-tf32", P::Tf32, A::Fp32),
        80,
        (Compute::CUBLAS_COMPUTE_32F_FAST_TF32, Type::CUDA_R_32F),
        (Type::CUDA_R_32F, Element::F32),
        TO_F32,
        Rules::Free,
    ),
    row(
        ("cublaslt-bf16", P::Bf16, A::Fp32),
        80,
        F32,
        (Type::CUDA_R_16BF, Element::Bf16),
        TO_F32,
        Rules::Free,
    ),
    row(("cublaslt-fp16", P::Fp16, A::Fp32), 75, F32, (Type::CUDA_R_16F, Element::F16), TO_F32, Rules::Free),
    row(
        ("cublaslt-fp16-acc16", P::Fp16, A::Fp16),
        75,
        (Compute::CUBLAS_COMPUTE_16F, Type::CUDA_R_16F),
        (Type::CUDA_R_16F, Element::F16),
        (Type::CUDA_R_16F, Element::F16),
        Rules::Free,
    ),
    row(
        ("cublaslt-fp8e4m3", P::Fp8e4m3, A::Fp32),
        89,
        F32,
        (Type::CUDA_R_8F_E4M3, Element::Byte),
        TO_F32,
        Rules::Scaled,
    ),
    row(
        ("cublaslt-mxfp8", P::Fp8e4m3, A::Fp32),
        100,
        F32,
        (Type::CUDA_R_8F_E4M3, Element::Byte),
        TO_F32,
        Rules::BlockScaled {
            mode: ScaleMode::CUBLASLT_MATMUL_MATRIX_SCALE_VEC32_UE8M0,
            block: 32,
            one: 0x7f,
        },
    ),
    Format {
        // Two e5m2 operands it does not multiply: A is e5m2, and B, which it calls the left one, is e4m3.
        operands: (Type::CUDA_R_8F_E4M3, Type::CUDA_R_8F_E5M2),
        ..row(
            ("cublaslt-fp8e5m2-by-e4m3", P::Fp8e5m2, A::Fp32),
            89,
            F32,
            (Type::CUDA_R_8F_E5M2, Element::Byte),
            TO_F32,
            Rules::Scaled,
        )
    },
    row(
        ("cublaslt-nvfp4", P::Fp4, A::Fp32),
        100,
        F32,
        (Type::CUDA_R_4F_E2M1, Element::Nibble),
        TO_F32,
        Rules::BlockScaled {
            mode: ScaleMode::CUBLASLT_MATMUL_MATRIX_SCALE_VEC16_UE4M3,
            block: 16,
            one: 0x38,
        },
    ),
    row(
        ("cublaslt-int8", P::Int8, A::Int32),
        75,
        (Compute::CUBLAS_COMPUTE_32I, Type::CUDA_R_32I),
        (Type::CUDA_R_8I, Element::I8),
        (Type::CUDA_R_32I, Element::I32),
        Rules::KContiguous,
    ),
];

/// The formats that an architecture has.
pub(in crate::backend::cuda) fn formats(target: &Target) -> impl Iterator<Item = &'static Format> {
    let capability = target.capability;
    FORMATS.iter().filter(move |format| format.from <= capability)
}

/// The format of a name.
pub(in crate::backend::cuda) fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Why the library has no product of a format on an architecture; `None` where it has one.
pub(in crate::backend::cuda) fn absence(target: &Target, precision: Precision) -> Option<&'static str> {
    if formats(target).any(|format| format.precision == precision) {
        return None;
    }
    Some(match precision {
        Precision::Tf32 | Precision::Bf16 => "cuBLASLt has it from compute capability 8.0 on",
        Precision::Fp8e4m3 | Precision::Fp8e5m2 => "cuBLASLt has fp8 from compute capability 8.9 on",
        Precision::Fp4 => "cuBLASLt has fp4 from compute capability 10.0 on",
        _ => "cuBLASLt does not multiply this format",
    })
}

impl Format {
    /// Units that perform it on an architecture: matrix units of fp64 are in the large chips alone, and elsewhere what
    /// there is of them is no faster than the vector units.
    pub const fn unit(&self, target: &Target) -> Unit {
        match (self.precision, target.capability) {
            (Precision::Fp64, 80 | 90 | 100 | 103) => Unit::Matrix,
            (Precision::Fp64 | Precision::Fp32, _) => Unit::Vector,
            _ => Unit::Matrix,
        }
    }

    /// What a reader must know of the product beyond its name.
    pub fn detail(&self) -> String {
        let mut parts = vec![match self.result.1 {
            Element::F64 => "C in binary64",
            Element::F16 => "C in binary16",
            Element::I32 => "C in 32-bit integers",
            _ => "C in binary32",
        }];
        if self.rules.k_contiguous() {
            parts.push("K contiguous in both operands: B is stored transposed");
        }
        match self.rules {
            Rules::Free | Rules::KContiguous => {}
            Rules::Scaled => parts.push("a scale of one for each operand"),
            Rules::BlockScaled { .. } => parts.push("every block's scale is one"),
        }
        if matches!(self.precision, Precision::Fp8e4m3 | Precision::Fp8e5m2) {
            // The library's default. Its header says that the other mode is faster on some devices.
            parts.push("sums promoted to binary32 along the way: fast accumulation is off");
        }
        if self.operands.0 != self.operands.1 {
            parts.push("A in e5m2 and B in e4m3, both of values that either format has");
        }
        parts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::backend::cuda::rows::{ROWS, TARGETS, target};

    #[test]
    fn names_are_unique_and_no_kernel_has_one_of_them() {
        let ours = ROWS.iter().map(|row| row.name);
        let all: Vec<&str> = FORMATS.iter().map(|format| format.name).chain(ours).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    /// From library_types.h of CUDA 13.5, and cublas_api.h and cublasLt.h of cuBLAS 13.10.
    #[test]
    fn codes_are_those_of_nvidias_headers() {
        use cudarc::cublaslt::sys::cublasLtMatmulAlgoConfigAttributes_t as Config;
        use cudarc::cublaslt::sys::cublasLtMatmulDescAttributes_t as Attribute;
        use cudarc::cublaslt::sys::cublasLtMatmulPreferenceAttributes_t as Preference;
        use cudarc::cublaslt::sys::cublasStatus_t as Status;
        macro_rules! codes {
            ($($kind:ident { $($name:ident $code:literal)* })*) => {
                [$($((stringify!($name), $kind::$name as u32, $code)),*),*]
            };
        }
        let all = codes! {
            Type {
                CUDA_R_32F 0 CUDA_R_64F 1 CUDA_R_16F 2 CUDA_R_8I 3 CUDA_R_32I 10 CUDA_R_16BF 14
                CUDA_R_8F_E4M3 28 CUDA_R_8F_E5M2 29 CUDA_R_4F_E2M1 33
            }
            Compute {
                CUBLAS_COMPUTE_16F 64 CUBLAS_COMPUTE_32F 68 CUBLAS_COMPUTE_64F 70 CUBLAS_COMPUTE_32I 72
                CUBLAS_COMPUTE_32F_FAST_TF32 77
            }
            ScaleMode {
                CUBLASLT_MATMUL_MATRIX_SCALE_VEC16_UE4M3 1 CUBLASLT_MATMUL_MATRIX_SCALE_VEC32_UE8M0 2
            }
            Attribute {
                CUBLASLT_MATMUL_DESC_TRANSA 3 CUBLASLT_MATMUL_DESC_TRANSB 4
                CUBLASLT_MATMUL_DESC_A_SCALE_POINTER 17 CUBLASLT_MATMUL_DESC_B_SCALE_POINTER 18
                CUBLASLT_MATMUL_DESC_A_SCALE_MODE 31 CUBLASLT_MATMUL_DESC_B_SCALE_MODE 32
            }
            Preference { CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES 1 }
            Config {
                CUBLASLT_ALGO_CONFIG_ID 0 CUBLASLT_ALGO_CONFIG_TILE_ID 1 CUBLASLT_ALGO_CONFIG_SPLITK_NUM 2
                CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING 4 CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION 5
                CUBLASLT_ALGO_CONFIG_STAGES_ID 6
            }
            Status {
                CUBLAS_STATUS_SUCCESS 0 CUBLAS_STATUS_NOT_INITIALIZED 1 CUBLAS_STATUS_INVALID_VALUE 7
                CUBLAS_STATUS_ARCH_MISMATCH 8 CUBLAS_STATUS_NOT_SUPPORTED 15
            }
        };
        for (name, found, code) in all {
            assert_eq!(found, code, "{name}");
        }
    }

    #[test]
    fn what_a_name_does_not_say_is_in_the_detail() {
        let detail = |name: &str| format(name).unwrap().detail();
        let mixed = detail("cublaslt-fp8e5m2-by-e4m3");
        assert!(mixed.contains("A in e5m2 and B in e4m3") && mixed.contains("C in binary32"), "{mixed}");
        for name in ["cublaslt-fp8e4m3", "cublaslt-fp8e5m2-by-e4m3", "cublaslt-mxfp8"] {
            assert!(detail(name).contains("fast accumulation is off"), "{}", detail(name));
        }
        for name in ["cublaslt-mxfp8", "cublaslt-nvfp4"] {
            assert!(detail(name).contains("every block's scale is one"), "{}", detail(name));
        }
        assert!(detail("cublaslt-fp16-acc16").contains("C in binary16"));
        assert!(!detail("cublaslt-bf16").contains("fast"));
    }

    #[test]
    fn a_product_is_held_against_the_peak_of_the_units_that_compute_it() {
        let unit = |name: &str, major| format(name).unwrap().unit(target(major, 0).unwrap());
        assert_eq!(unit("cublaslt-fp64", 9), Unit::Matrix);
        assert_eq!(unit("cublaslt-fp64", 12), Unit::Vector);
        assert_eq!(unit("cublaslt-fp32", 9), Unit::Vector);
        assert_eq!(unit("cublaslt-tf32", 12), Unit::Matrix);
    }

    #[test]
    fn every_format_has_a_product_or_a_reason_on_every_architecture() {
        for target in &TARGETS {
            for precision in Precision::ALL {
                let has = formats(target).any(|format| format.precision == precision);
                assert_eq!(has, absence(target, precision).is_none(), "{precision} on {}", target.name);
            }
        }
    }
}

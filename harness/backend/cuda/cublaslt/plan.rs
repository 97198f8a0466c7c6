//! Descriptors of one product, made once, and the algorithms that the library offers for it.

use std::ffi::c_void;
use std::ptr::from_ref;

use cudarc::cublaslt::{result, sys};
use sys::cublasLtMatmulAlgoConfigAttributes_t as Config;
use sys::cublasLtMatmulDescAttributes_t as Attribute;

use super::format::{Format, Rules};
use super::library::CublasLt;
use super::mapping::{Mapping, Matrix};

/// Algorithms that are asked for and tried at most.
const CANDIDATES: usize = 16;

/// A failed call.
pub(super) type Refused = result::CublasError;

/// An algorithm, and its configuration in words.
#[derive(Clone)]
pub(super) struct Chosen {
    pub algorithm: sys::cublasLtMatmulAlgo_t,
    pub name: String,
    /// What a reader must know of how it was found.
    pub found: String,
    /// Algorithms that gave a wrong product.
    pub wrong: Vec<String>,
}

/// Descriptors of one product.
pub(super) struct Plan {
    operation: sys::cublasLtMatmulDesc_t,
    layouts: Vec<sys::cublasLtMatrixLayout_t>,
    pub one: [u8; 8],
}

impl Plan {
    /// Describes a product; `scales` are the device addresses of the scales of the left and the right operand.
    #[expect(unsafe_code, reason = "calls cuBLASLt")]
    pub fn new(format: &Format, mapping: &Mapping, scales: Option<[u64; 2]>) -> Result<Self, Refused> {
        let operation = result::create_matmul_desc(format.compute.0, format.compute.1)?;
        // Owned from here on, so that an error below destroys what there is.
        let mut plan = Self { operation, layouts: Vec::new(), one: one(format) };
        let set = |attribute: Attribute, value: *const c_void, size: usize| {
            // SAFETY: the descriptor is live, and the value has the size that the attribute takes.
            unsafe { result::set_matmul_desc_attribute(operation, attribute, value, size) }
        };
        let operations = [Attribute::CUBLASLT_MATMUL_DESC_TRANSA, Attribute::CUBLASLT_MATMUL_DESC_TRANSB];
        for (attribute, matrix) in operations.into_iter().zip([mapping.left, mapping.right]) {
            let transposed = i32::from(matrix.transposed);
            set(attribute, from_ref(&transposed).cast(), size_of::<i32>())?;
        }
        let pointers = [
            Attribute::CUBLASLT_MATMUL_DESC_A_SCALE_POINTER,
            Attribute::CUBLASLT_MATMUL_DESC_B_SCALE_POINTER,
        ];
        for (attribute, address) in pointers.into_iter().zip(scales.into_iter().flatten()) {
            set(attribute, from_ref(&address).cast(), size_of::<u64>())?;
        }
        if let Rules::BlockScaled { mode, .. } = format.rules {
            let mode = mode as i32;
            for attribute in
                [Attribute::CUBLASLT_MATMUL_DESC_A_SCALE_MODE, Attribute::CUBLASLT_MATMUL_DESC_B_SCALE_MODE]
            {
                set(attribute, from_ref(&mode).cast(), size_of::<i32>())?;
            }
        }
        let (left, right) = format.operands;
        for (kind, matrix) in
            [(left, mapping.left), (right, mapping.right), (format.result.0, mapping.result)]
        {
            plan.layouts.push(layout(kind, matrix)?);
        }
        Ok(plan)
    }

    fn layout(&self, at: usize) -> sys::cublasLtMatrixLayout_t {
        self.layouts.get(at).copied().unwrap_or(std::ptr::null_mut())
    }

    /// The algorithms that the library offers, by its own order, with no more than this workspace.
    #[expect(unsafe_code, reason = "calls cuBLASLt")]
    pub fn candidates(
        &self,
        library: &CublasLt,
        workspace: usize,
    ) -> Result<Vec<sys::cublasLtMatmulAlgo_t>, Refused> {
        let preference = Preference(result::create_matmul_pref()?);
        let limit = sys::cublasLtMatmulPreferenceAttributes_t::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
        let size = size_of::<usize>();
        // SAFETY: the preference is live and the attribute takes a size.
        unsafe { result::set_matmul_pref_attribute(preference.0, limit, from_ref(&workspace).cast(), size) }?;
        let empty = sys::cublasLtMatmulHeuristicResult_t {
            algo: sys::cublasLtMatmulAlgo_t { data: [0; 8] },
            workspaceSize: 0,
            state: sys::cublasStatus_t::CUBLAS_STATUS_NOT_SUPPORTED,
            wavesCount: 0.0,
            reserved: [0; 4],
        };
        let mut found = [empty; CANDIDATES];
        let mut count = 0;
        // SAFETY: handle, descriptors, layouts and preference are live, and the array has the number of places told.
        let status = unsafe {
            sys::cublasLtMatmulAlgoGetHeuristic(
                library.handle,
                self.operation,
                self.layout(0),
                self.layout(1),
                self.layout(2),
                self.layout(2),
                preference.0,
                i32::try_from(CANDIDATES).unwrap_or(1),
                found.as_mut_ptr(),
                &raw mut count,
            )
        };
        status.result()?;
        let usable = |offer: &&sys::cublasLtMatmulHeuristicResult_t| {
            offer.state == sys::cublasStatus_t::CUBLAS_STATUS_SUCCESS && offer.workspaceSize <= workspace
        };
        let count = usize::try_from(count).unwrap_or(0);
        let usable: Vec<_> = found.iter().take(count).filter(usable).map(|offer| offer.algo).collect();
        if usable.is_empty() {
            return Err(result::CublasError(sys::cublasStatus_t::CUBLAS_STATUS_NOT_SUPPORTED));
        }
        Ok(usable)
    }

    /// Puts one product into a stream. The addresses are those of the left and the right operand and of C.
    #[expect(unsafe_code, reason = "calls cuBLASLt")]
    pub fn multiply(
        &self,
        library: &CublasLt,
        algorithm: &sys::cublasLtMatmulAlgo_t,
        [left, right, result]: [u64; 3],
        (workspace, size): (u64, usize),
        stream: sys::cudaStream_t,
    ) -> Result<(), Refused> {
        let zero = [0_u8; 8];
        // SAFETY: everything is live; the matrices have the sizes that their layouts say, and alpha and beta are of the
        // scale's format, which has no more than eight bytes.
        unsafe {
            result::matmul(
                library.handle,
                self.operation,
                self.one.as_ptr().cast(),
                zero.as_ptr().cast(),
                left as *const c_void,
                self.layout(0),
                right as *const c_void,
                self.layout(1),
                result as *const c_void,
                self.layout(2),
                result as *mut c_void,
                self.layout(2),
                algorithm,
                workspace as *mut c_void,
                size,
                stream,
            )
        }
    }
}

impl Drop for Plan {
    #[expect(unsafe_code, reason = "calls cuBLASLt")]
    fn drop(&mut self) {
        for layout in &self.layouts {
            // SAFETY: the layout is this value's own and is not used after.
            let _ = unsafe { result::destroy_matrix_layout(*layout) };
        }
        // SAFETY: the same of the descriptor.
        let _ = unsafe { result::destroy_matmul_desc(self.operation) };
    }
}

struct Preference(sys::cublasLtMatmulPreference_t);

impl Drop for Preference {
    #[expect(unsafe_code, reason = "calls cuBLASLt")]
    fn drop(&mut self) {
        // SAFETY: the preference is this value's own and is not used after.
        let _ = unsafe { result::destroy_matmul_pref(self.0) };
    }
}

fn layout(kind: sys::cudaDataType_t, matrix: Matrix) -> Result<sys::cublasLtMatrixLayout_t, Refused> {
    let lead = i64::try_from(matrix.lead).unwrap_or(i64::MAX);
    result::create_matrix_layout(kind, matrix.rows, matrix.columns, lead)
}

/// One in the format of alpha and beta.
fn one(format: &Format) -> [u8; 8] {
    let mut bytes = [0; 8];
    let one: &[u8] = match format.compute.1 {
        sys::cudaDataType_t::CUDA_R_64F => &1_f64.to_le_bytes(),
        sys::cudaDataType_t::CUDA_R_16F => &half::f16::ONE.to_le_bytes(),
        sys::cudaDataType_t::CUDA_R_32I => &1_i32.to_le_bytes(),
        _ => &1_f32.to_le_bytes(),
    };
    for (to, from) in bytes.iter_mut().zip(one) {
        *to = *from;
    }
    bytes
}

/// Configuration of an algorithm in words: what the library tells of it.
pub(super) fn name(library: &CublasLt, algorithm: &sys::cublasLtMatmulAlgo_t) -> String {
    if !library.names_algorithms() {
        return "an algorithm that the library does not name".to_owned();
    }
    let parts = [
        ("algorithm", Config::CUBLASLT_ALGO_CONFIG_ID),
        ("tile", Config::CUBLASLT_ALGO_CONFIG_TILE_ID),
        ("stages", Config::CUBLASLT_ALGO_CONFIG_STAGES_ID),
        ("split-K", Config::CUBLASLT_ALGO_CONFIG_SPLITK_NUM),
        ("swizzle", Config::CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING),
        ("custom", Config::CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION),
    ];
    let told =
        parts.into_iter().filter_map(|(word, which)| Some(format!("{word} {}", ask(algorithm, which)?)));
    told.collect::<Vec<_>>().join(", ")
}

#[expect(unsafe_code, reason = "calls cuBLASLt")]
fn ask(algorithm: &sys::cublasLtMatmulAlgo_t, which: Config) -> Option<u32> {
    let (mut value, mut written) = (0_u32, 0_usize);
    // SAFETY: the function is there; the algorithm came from the library, and the value has the size told.
    let status = unsafe {
        sys::cublasLtMatmulAlgoConfigGetAttribute(
            algorithm,
            which,
            (&raw mut value).cast(),
            size_of::<u32>(),
            &raw mut written,
        )
    };
    status.result().ok().map(|()| value)
}

//! Texts of the kernels, and the one that only moves memory.

/// A kernel's text.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// File in `kernels/`.
    pub file: &'static str,
    /// Its text.
    pub text: &'static str,
    /// Function that is launched.
    pub entry: &'static str,
}

macro_rules! source {
    ($constant:ident, $entry:literal, $file:literal) => {
        pub(super) const $constant: Source =
            Source { file: $file, text: include_str!(concat!("../../../../kernels/", $file)), entry: $entry };
    };
}

source!(FMA, "fma_chains", "fma.cu");
source!(MMA, "mma", "mma.cu");
source!(WGMMA, "wgmma", "wgmma.cu");
source!(TCGEN05, "tcgen05", "tcgen05.cu");
source!(GEMM_SIMT, "gemm_simt", "gemm_simt.cu");
source!(GEMM_MMA, "gemm_mma", "gemm_mma.cu");
source!(GEMM_WGMMA, "gemm_wgmma", "gemm_wgmma.cu");
source!(COPY_TEXT, "copy", "copy.cu");

/// The kernel for the memory's bandwidth: `copy(to, from, quads: u64)` moves 16 bytes a thread and step.
#[derive(Debug, Clone, Copy)]
pub struct Copy {
    /// Its text.
    pub source: Source,
    /// Threads of a block.
    pub threads: u32,
    /// Loads of one thread that are under way at once.
    pub unroll: u32,
}

/// The one copy kernel.
pub const COPY: Copy = Copy { source: COPY_TEXT, threads: 512, unroll: 4 };

impl Copy {
    /// Options of the compiler.
    pub fn options(&self, target: &super::Target) -> Vec<String> {
        let mut options = target.options();
        options.extend([format!("-DTHREADS={}", self.threads), format!("-DUNROLL={}", self.unroll)]);
        options
    }

    /// Traffic of copying `bytes`: each is read and written.
    ///
    /// Unit: bytes.
    pub const fn traffic(bytes: u64) -> u64 {
        bytes * 2
    }
}

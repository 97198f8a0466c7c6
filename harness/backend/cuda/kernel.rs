//! A kernel on the device: machine code first, PTX where the driver takes none, and which of them it was.

use cudarc::driver::sys::CUresult;
use cudarc::driver::{CudaFunction, CudaModule, DriverError};
use cudarc::nvrtc::Ptx;
use sha2::{Digest, Sha256};

use std::sync::Arc;

use super::compile::compile;
use super::gpu::Gpu;
use super::nvrtc::Nvrtc;
use super::rows::{Source, Target};
use crate::backend::LoadError;
use crate::device::{Finding, Severity};

/// Machine code that the static check has read, a line each: digits of its hash, compiler, kernel, architecture. The
/// first line is a hash of all sources and options that it was made of.
pub(super) const CHECKED: &str = include_str!("checked.txt");

/// Digits of a hash that are kept.
pub(super) const DIGITS: usize = 16;

/// A function that can be launched.
pub(super) struct Kernel {
    pub function: CudaFunction,
    /// What it was made of, in words.
    origin: String,
}

impl Kernel {
    /// Compiles a source with these options for a target and loads it.
    ///
    /// Errors: [`LoadError::Unsupported`] with the compiler's words, [`LoadError::Backend`] with the driver's.
    pub fn load(
        gpu: &Gpu,
        nvrtc: &Nvrtc,
        (source, target): (Source, &Target),
        options: &[String],
    ) -> Result<Self, LoadError> {
        let refused = |reason| LoadError::Unsupported { reason };
        let image = compile(nvrtc, source, options).map_err(refused)?;
        let (module, origin) = match gpu.module(Ptx::from_binary(image.cubin.clone())) {
            Ok(module) => (module, machine_code(nvrtc, target, &image.cubin)),
            Err(error) if is_of_another_device(error) => {
                from_ptx(gpu, nvrtc, (source, target), options, &image.ptx)?
            }
            Err(error) => return Err(gpu.error("loading machine code", error).into()),
        };
        let function = module.load_function(source.entry);
        let function = function.map_err(|error| gpu.error("looking for a kernel", error))?;
        Ok(Self { function, origin })
    }

    /// What a reader of the record must know of it.
    pub fn note(&self) -> Finding {
        Finding::new(Severity::Note, "kernels", self.origin.clone(), None)
    }
}

/// The PTX of this chip, and where the driver takes none of it that of the generation, which knows fewer instructions.
fn from_ptx(
    gpu: &Gpu,
    nvrtc: &Nvrtc,
    (source, target): (Source, &Target),
    options: &[String],
    ptx: &str,
) -> Result<(Arc<CudaModule>, String), LoadError> {
    let said = |architecture: &str| {
        let version = nvrtc.version();
        format!("PTX of NVRTC {version} for {architecture}, compiled by the driver; machine code not checked")
    };
    let first = match gpu.module(Ptx::from_src(ptx)) {
        Ok(module) => return Ok((module, said(target.name))),
        Err(error) => gpu.error(&format!("loading the PTX for {}", target.name), error),
    };
    if let Some(lost) = gpu.lost() {
        return Err(LoadError::Backend(gpu.gone(&lost)));
    }
    // A kernel of instructions that only this chip has does not compile so: then the first reason says more.
    let generic = compile(nvrtc, source, &target.virtual_options(options)).map_err(|_| first)?;
    let module = gpu.module(Ptx::from_src(&generic.ptx));
    let architecture = target.virtual_name();
    let module = module.map_err(|error| gpu.error(&format!("loading the PTX for {architecture}"), error))?;
    Ok((module, said(&architecture)))
}

/// Errors that say of an image that it is for other devices or drivers; others are no reason to try another image.
const fn is_of_another_device(error: DriverError) -> bool {
    matches!(error.0, CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU | CUresult::CUDA_ERROR_INVALID_IMAGE)
}

fn machine_code(nvrtc: &Nvrtc, target: &Target, cubin: &[u8]) -> String {
    let hash = digits(cubin);
    let known =
        if is_checked(&hash) { "as the static check read it" } else { "not among those that were checked" };
    format!("machine code of NVRTC {} for {}, SHA-256 {hash}…, {known}", nvrtc.version(), target.name)
}

/// The first digits of the hash of machine code.
pub(super) fn digits(cubin: &[u8]) -> String {
    Sha256::digest(cubin).iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

fn is_checked(hash: &str) -> bool {
    CHECKED.lines().any(|line| line.split_whitespace().next() == Some(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_machine_code_of_the_list_counts_as_checked() {
        let known = CHECKED.lines().skip(1).find_map(|line| line.split_whitespace().next()).unwrap();
        assert!(known.len() == DIGITS && is_checked(known));
        assert!(!is_checked(&digits(b"something else")) && !is_checked("") && !is_checked(&known[1..]));
        assert!(
            CHECKED.starts_with("sources "),
            "no digits of a hash have eight characters, one of them an s"
        );
    }

    #[test]
    fn only_an_image_for_other_devices_is_replaced_by_ptx() {
        assert!(is_of_another_device(DriverError(CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU)));
        for code in [CUresult::CUDA_ERROR_OUT_OF_MEMORY, CUresult::CUDA_ERROR_LAUNCH_FAILED] {
            assert!(!is_of_another_device(DriverError(code)), "{code:?}");
        }
    }
}

//! A product by cuBLASLt as a loaded case: the fastest of its algorithms whose product of integers is exact.

use std::collections::HashMap;

use cudarc::cublaslt::sys::{cublasLtMatmulAlgo_t as Algorithm, cublasStatus_t as Status};
use cudarc::driver::{CudaSlice, DevicePtr, DevicePtrMut};
use sha2::{Digest, Sha256};

use super::format::Format;
use super::library::CublasLt;
use super::mapping::{Mapping, along_k, recoded};
use super::plan::{Chosen, Plan, Refused, name};
use super::scales::scales;
use crate::backend::clocks::Clocks;
use crate::backend::cuda::gpu::Gpu;
use crate::backend::cuda::operands::row_major;
use crate::backend::cuda::product_case::{Images, Multiply, ProductCase, Set, Sets};
use crate::backend::{BackendError, LoadError};
use crate::device::{Finding, Severity};
use crate::precision::Precision;
use crate::workload::{Case, Distribution, Elements, GemmShape, Layout, Operand, Work, operand, verify};

/// Time over which an algorithm is timed.
const TRIAL_S: f64 = 10e-3;

/// Memory that the library may use beside the matrices.
///
/// Unit: bytes. **Source**: cuBLAS 13 documentation, `cublasSetWorkspace()`, read in a copy: 32 MiB are recommended for
/// 9.0, 10.x and 12.x and 4 MiB for others; 11.0, which it does not name, is given what its neighbours are.
const fn workspace_bytes(capability: u32) -> u64 {
    if capability >= 90 { 32 << 20 } else { 4 << 20 }
}

/// A product in one of the library's formats, ready to run.
pub(in crate::backend::cuda) fn load<'a>(
    gpu: &'a Gpu,
    library: &'a CublasLt,
    format: &'static Format,
    case: &Case,
    (capability, cache): (u32, u64),
) -> Result<ProductCase<'a>, LoadError> {
    let Work::Gemm { shape, layout, input, seed } = case.work else {
        return Err(LoadError::Unsupported {
            reason: format!("{} is no other work than a product", format.name),
        });
    };
    let mapping = Mapping::of(format, shape, layout).map_err(|reason| LoadError::Unsupported { reason })?;
    let images = |input| images(format, &mapping, (shape, layout), (input, seed));
    let mut product = LtProduct::new(gpu, library, (format, &mapping), shape, capability)?;
    let mut sets = Sets::upload(gpu, &images(input)?, cache)?;
    let key = (format.name, shape, layout);
    let known = library.chosen.borrow().get(&key).cloned();
    product.chosen = match known {
        Some(chosen) => Some(chosen),
        None => {
            Some(product.choose(gpu, &mut sets, &images(Distribution::Integers)?, (shape, layout, seed))?)
        }
    };
    library.chosen.borrow_mut().extend(product.chosen.clone().map(|chosen| (key, chosen)));
    ProductCase::load(gpu, shape, sets, Box::new(product), cache)
}

/// The operands as the mapping tells them.
fn images(
    format: &Format,
    mapping: &Mapping,
    (shape, layout): (GemmShape, Layout),
    data: (Distribution, u64),
) -> Result<Images, LoadError> {
    let none = || LoadError::Unsupported { reason: format!("no operands of {}", format.precision) };
    let made = |which| operand(which, shape, layout, format.precision, data).ok_or_else(none);
    let (a, b) = (made(Operand::A)?, made(Operand::B)?);
    Ok(Images {
        c: mapping.image(format, shape),
        ..memory(format, mapping, (shape, layout), (a, b)).ok_or_else(none)?
    })
}

/// A and B as they lie in memory.
fn memory(
    format: &Format,
    mapping: &Mapping,
    (shape, layout): (GemmShape, Layout),
    (a, b): (Elements, Elements),
) -> Option<Images> {
    let (m, n, k) = (shape.m(), shape.n(), shape.k());
    let c = mapping.image(format, shape);
    if !format.rules.k_contiguous() {
        let (_, columns) = shape.a_extents(layout);
        return Some(Images {
            a: row_major(&a, columns, format.element),
            b: row_major(&b, n, format.element),
            c,
        });
    }
    // What the library calls the left operand is of its own format where the two differ.
    let b = if format.operands.0 == format.operands.1 { b } else { recoded(b, Precision::Fp8e4m3)? };
    let padded = mapping.padded;
    Some(Images {
        a: along_k((m, k), (padded.m(), padded.k()), format, &a, |row, at| row * k + at),
        b: along_k((n, k), (padded.n(), padded.k()), format, &b, |column, at| at * n + column),
        c,
    })
}

/// A product by the library.
struct LtProduct<'a> {
    library: &'a CublasLt,
    format: &'static Format,
    plan: Plan,
    padded: Option<GemmShape>,
    workspace: CudaSlice<u8>,
    chosen: Option<Chosen>,
    /// Scales that the plan points to.
    _scales: Vec<CudaSlice<u8>>,
}

impl<'a> LtProduct<'a> {
    fn new(
        gpu: &Gpu,
        library: &'a CublasLt,
        (format, mapping): (&'static Format, &Mapping),
        shape: GemmShape,
        capability: u32,
    ) -> Result<Self, LoadError> {
        let padded = mapping.padded;
        let scales = [padded.n(), padded.m()]
            .into_iter()
            .map(|lines| scales(format.rules, lines, padded.k()))
            .filter(|bytes| !bytes.is_empty())
            .map(|bytes| gpu.uploaded(&bytes))
            .collect::<Result<Vec<_>, _>>()?;
        let addresses: Vec<u64> = scales.iter().map(|scale| scale.device_ptr(&gpu.stream).0).collect();
        let plan = Plan::new(format, mapping, addresses.try_into().ok())
            .map_err(|error| refused(library, format, shape, error, gpu))?;
        let workspace = gpu.filled(workspace_bytes(capability), 0)?;
        let padded = (padded != shape).then_some(padded);
        Ok(Self { library, format, plan, padded, workspace, chosen: None, _scales: scales })
    }

    /// Tries every algorithm that is offered: on integers, where its product must be exact, and against time.
    fn choose(
        &self,
        gpu: &Gpu,
        sets: &mut Sets,
        integers: &Images,
        (shape, layout, seed): (GemmShape, Layout, u64),
    ) -> Result<Chosen, LoadError> {
        let offered = self.plan.candidates(self.library, self.workspace.len());
        let offered = offered.map_err(|error| refused(self.library, self.format, shape, error, gpu))?;
        let mut trial = Set {
            a: gpu.uploaded(&integers.a)?,
            b: gpu.uploaded(&integers.b)?,
            c: gpu.filled(integers.c.bytes(), integers.c.poison())?,
        };
        let exact = |bytes: &[u8]| self.exact(integers, bytes, (shape, layout, seed));
        let mut judged: HashMap<[u8; 32], Result<(), String>> = HashMap::new();
        let (mut best, mut wrong): (Option<(f64, Algorithm)>, Vec<String>) = (None, Vec::new());
        for algorithm in &offered {
            gpu.refill(&mut trial.c, integers.c.poison()).map_err(LoadError::Backend)?;
            let ran = self.multiply(gpu, algorithm, &mut trial).and_then(|()| gpu.downloaded(&trial.c));
            let verdict = match ran {
                Ok(bytes) => {
                    judged.entry(Sha256::digest(&bytes).into()).or_insert_with(|| exact(&bytes)).clone()
                }
                Err(error @ BackendError::Lost { .. }) => return Err(LoadError::Backend(error)),
                Err(error) => Err(error.to_string()),
            };
            match verdict {
                Ok(()) => {
                    let seconds = self.seconds(gpu, algorithm, sets).map_err(LoadError::Backend)?;
                    if best.is_none_or(|(fastest, _)| seconds < fastest) {
                        best = Some((seconds, *algorithm));
                    }
                }
                Err(why) => wrong.push(format!("{}: {why}", name(self.library, algorithm))),
            }
        }
        let Some((_, algorithm)) = best else {
            let message = format!("no algorithm of cuBLASLt gives a right product: {}", wrong.join("; "));
            return Err(LoadError::Backend(BackendError::Device { device: gpu.id.clone(), message }));
        };
        let right = offered.len() - wrong.len();
        let found =
            format!("the fastest of {right} that multiply integers exactly, of {} offered", offered.len());
        Ok(Chosen { algorithm, name: name(self.library, &algorithm), found, wrong })
    }

    /// Whether a product of integers is exact.
    fn exact(
        &self,
        integers: &Images,
        bytes: &[u8],
        (shape, layout, seed): (GemmShape, Layout, u64),
    ) -> Result<(), String> {
        let data = (Distribution::Integers, seed);
        let made = |which| operand(which, shape, layout, self.format.precision, data);
        let (a, b) = made(Operand::A).zip(made(Operand::B)).ok_or("no operands")?;
        let c = integers.c.elements(bytes).ok_or("no result")?;
        let product = verify::Product { shape, layout, a: &a, b: &b, c: &c };
        verify::exact_integers(&product, seed).map_err(|error| error.to_string())
    }

    /// Time of one product, on operands as they are measured.
    fn seconds(&self, gpu: &Gpu, algorithm: &Algorithm, sets: &mut Sets) -> Result<f64, BackendError> {
        let mut clocks = Clocks::default();
        let mut time = |launches: u32| {
            let batch = gpu.timed(&mut clocks, launches.into(), || {
                (0..launches).try_for_each(|at| {
                    let count = sets.all.len().max(1);
                    let set = sets.all.get_mut(usize::try_from(at).unwrap_or(0) % count);
                    set.map_or(Ok(()), |set| self.multiply(gpu, algorithm, set))
                })
            })?;
            Ok::<f64, BackendError>(batch.elapsed.get() / f64::from(launches))
        };
        time(1)?;
        let once = time(1)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let launches = (TRIAL_S / once).clamp(1.0, 1000.0) as u32;
        time(launches)
    }

    fn multiply(&self, gpu: &Gpu, algorithm: &Algorithm, set: &mut Set) -> Result<(), BackendError> {
        let stream = &gpu.stream;
        let (left, _left) = set.b.device_ptr(stream);
        let (right, _right) = set.a.device_ptr(stream);
        let (result, _result) = set.c.device_ptr_mut(stream);
        let (workspace, _workspace) = self.workspace.device_ptr(stream);
        let size = self.workspace.len();
        let put = self.plan.multiply(
            self.library,
            algorithm,
            [left, right, result],
            (workspace, size),
            stream.cu_stream().cast(),
        );
        put.map_err(|error| failed(gpu, error))
    }
}

impl Multiply for LtProduct<'_> {
    fn launch(&self, gpu: &Gpu, _: usize, set: &mut Set) -> Result<(), BackendError> {
        match &self.chosen {
            Some(chosen) => self.multiply(gpu, &chosen.algorithm, set),
            None => {
                Err(failed(gpu, cudarc::cublaslt::result::CublasError(Status::CUBLAS_STATUS_NOT_INITIALIZED)))
            }
        }
    }

    fn notes(&self) -> Vec<Finding> {
        let mut notes = Vec::new();
        let mut add = |severity, rule, message| notes.push(Finding::new(severity, rule, message, None));
        let version = self.library.version();
        if let Some(Chosen { name, found, wrong, .. }) = &self.chosen {
            add(Severity::Note, "cublaslt", format!("cuBLASLt {version}: {name}; {found}"));
            for wrong in wrong {
                add(Severity::Warning, "algorithm-rejected", format!("cuBLASLt {version}: {wrong}"));
            }
        }
        if let Some(padded) = self.padded {
            let message = format!("multiplied as {padded}, with zeros around it that are not counted");
            add(Severity::Note, "padded", message);
        }
        if matches!(self.format.precision, Precision::Fp64 | Precision::Fp32) {
            for set in CublasLt::overrides() {
                let message =
                    format!("{set} is set: cuBLASLt may compute this on other units than those named");
                add(Severity::Warning, "library-override", message);
            }
        }
        notes
    }
}

/// A product that the library does not have is unsupported; anything else has failed.
fn refused(library: &CublasLt, format: &Format, shape: GemmShape, error: Refused, gpu: &Gpu) -> LoadError {
    if matches!(
        error.0,
        Status::CUBLAS_STATUS_NOT_SUPPORTED
            | Status::CUBLAS_STATUS_INVALID_VALUE
            | Status::CUBLAS_STATUS_ARCH_MISMATCH
    ) {
        let reason =
            format!("cuBLASLt {} has no {} for {shape}: {:?}", library.version(), format.name, error.0);
        return LoadError::Unsupported { reason };
    }
    LoadError::Backend(failed(gpu, error))
}

/// A failed call; where the device itself is in error, that says more.
fn failed(gpu: &Gpu, error: Refused) -> BackendError {
    match gpu.wait("cuBLASLt") {
        Err(lost @ BackendError::Lost { .. }) => lost,
        _ => BackendError::Device { device: gpu.id.clone(), message: format!("cuBLASLt: {:?}", error.0) },
    }
}

#[cfg(test)]
mod tests;

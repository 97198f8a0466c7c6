//! An adapter as a backend: its rows, and cases on it.

use std::collections::HashMap;

use wgpu::CooperativeScalarType;

use super::adapters::{self, Found};
use super::compiled::Compiled;
use super::copy_case::CopyCase;
use super::faults::Fault;
use super::gpu::Gpu;
use super::issue_case::IssueCase;
use super::loops;
use super::product_case::ProductCase;
use super::table::{Cooperative, Kernel, kernels};
use super::telemetry::Watch;
use super::template::{Variant, sources};
use crate::backend::{Backend, Implementation, LoadError, Loaded, Output};
use crate::device::{Device, DeviceKind, Finding};
use crate::precision::{Accumulate, Precision};
use crate::units::Seconds;
use crate::workload::{BufferSize, Case, Distribution, GemmShape, Layout, Method, Work};

/// Every adapter, as devices.
///
/// Errors: why there is none.
pub fn probe() -> Result<Vec<Device>, String> {
    let found = adapters::all();
    if found.is_empty() {
        return Err("no adapter: neither Vulkan nor Metal nor DX12 has a driver here".to_owned());
    }
    Ok(found.into_iter().map(|found| found.device).collect())
}

/// Opens the adapter of an id; `None` where there is none of that id.
///
/// Errors: why it cannot be opened.
pub fn open(id: &str) -> Option<Result<Box<dyn Backend>, String>> {
    let found = adapters::all().into_iter().find(|found| found.device.id == id)?;
    Some(WgpuBackend::open(found).map(|backend| Box::new(backend) as Box<dyn Backend>))
}

/// A device behind wgpu.
pub(super) struct WgpuBackend {
    gpu: Gpu,
    device: Device,
    kernels: Vec<Kernel>,
    implementations: Vec<Implementation>,
    /// Trusted pipelines, by row and whether A is transposed.
    pipelines: HashMap<(usize, bool), Compiled>,
    watch: Watch,
}

impl WgpuBackend {
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    pub fn kernels(&self) -> &[Kernel] {
        &self.kernels
    }

    pub fn open(found: Found) -> Result<Self, String> {
        let Found { adapter, mut device, info } = found;
        let fault = Fault::asked().filter(|_| device.kind != DeviceKind::Hardware);
        if let Some(fault) = fault {
            device.notes.push(format!("a fault is made for a test: {fault:?}"));
        }
        let gpu = Gpu::open(&adapter, &device.id, fault)?;
        loops::check(&gpu)?;
        let packed_dot = adapters::packed_dot(&adapter);
        let listed = adapter.cooperative_matrix_properties();
        let mut cooperative: Vec<Cooperative> = listed
            .iter()
            .filter(|one| one.m_size == one.n_size && one.n_size == one.k_size)
            .filter_map(|one| {
                let (precision, accumulate) = formats(one.ab_type, one.cr_type)?;
                Some((one.m_size, precision, accumulate))
            })
            .collect();
        cooperative.sort_unstable();
        cooperative.dedup();
        let mut kernels = kernels(&cooperative, info.subgroup_max_size);
        kernels.retain(|kernel| kernel.fits(gpu.features, &gpu.limits));
        let implementations =
            kernels.iter().map(|kernel| row(kernel, &gpu, (device.kind, packed_dot))).collect();
        let watch = Watch::of(&info.device_pci_bus_id, info.vendor);
        device.notes.extend(watch.notes());
        Ok(Self { gpu, device, kernels, implementations, pipelines: HashMap::new(), watch })
    }

    /// The pipeline of a kernel; the first time it must give the same bits as its twin with checks on.
    fn compiled(&mut self, at: usize, kernel: &Kernel, layout: Layout) -> Result<Compiled, LoadError> {
        let transposed = layout == Layout::Tn;
        if let Some(compiled) = self.pipelines.get(&(at, transposed)) {
            return Ok(compiled.clone());
        }
        let variant = Variant { counted: false, transposed };
        let compiled = Compiled::new(&self.gpu, kernel, variant, false)?;
        let twin = Compiled::new(&self.gpu, kernel, variant, true)?;
        let checked = self.trial(kernel, layout, twin)?;
        if checked.is_none() || checked != self.trial(kernel, layout, compiled.clone())? {
            let message = format!("{}: the shader without checks differs from its checked twin", kernel.name);
            return Err(self.gpu.failed(message).into());
        }
        self.pipelines.insert((at, transposed), compiled.clone());
        Ok(compiled)
    }

    /// The bits that one small run leaves.
    fn trial(
        &self,
        kernel: &Kernel,
        layout: Layout,
        compiled: Compiled,
    ) -> Result<Option<Vec<u64>>, LoadError> {
        let output = match kernel.method() {
            Method::Issue => {
                let mut case = IssueCase::load(&self.gpu, kernel, compiled, &self.watch)?;
                // The grid is found by time and need not be the same; the first results are of the same invocations.
                case.run(7)?;
                case.output()?
            }
            Method::Gemm => {
                // More than one tile of the row in both directions and two steps along k, and ragged.
                let (m, n, k) = (kernel.bm() + 6, kernel.bn() + 30, 2 * kernel.bk + 3);
                let Ok(shape) = GemmShape::new(m.into(), n.into(), k.into()) else { return Ok(None) };
                let input = Distribution::Normal;
                let work = Work::Gemm { shape, layout, input, seed: 11 };
                let implementation = kernel.name.clone();
                let case =
                    Case { implementation, precision: kernel.precision, accumulate: kernel.accumulate, work };
                ProductCase::load(&self.gpu, kernel, compiled, &case, &self.watch)?.output()?
            }
            Method::Copy => {
                let Ok(buffer) = BufferSize::new(64 * 37) else { return Ok(None) };
                CopyCase::load(&self.gpu, buffer, compiled, &self.watch)?.output()?
            }
        };
        Ok(Some(bits(&output)))
    }
}

fn bits(output: &Output) -> Vec<u64> {
    /// Results of an issue-rate kernel that are compared; the least grid has more.
    const COMPARED: usize = 1024;
    match output {
        Output::Matrix(elements) => elements.to_f64().iter().map(|v| v.to_bits()).collect(),
        Output::Accumulators { values, .. } => values.iter().take(COMPARED).map(|v| v.to_bits()).collect(),
        Output::Copied(bytes) => bytes.iter().map(|b| u64::from(*b)).collect(),
    }
}

const fn formats(ab: CooperativeScalarType, cr: CooperativeScalarType) -> Option<(Precision, Accumulate)> {
    match (ab, cr) {
        (CooperativeScalarType::F16, CooperativeScalarType::F32) => Some((Precision::Fp16, Accumulate::Fp32)),
        (CooperativeScalarType::F16, CooperativeScalarType::F16) => Some((Precision::Fp16, Accumulate::Fp16)),
        (CooperativeScalarType::F32, CooperativeScalarType::F32) => Some((Precision::Fp32, Accumulate::Fp32)),
        _ => None,
    }
}

fn row(kernel: &Kernel, gpu: &Gpu, (kind, packed_dot): (DeviceKind, Option<bool>)) -> Implementation {
    let hardware = kind == DeviceKind::Hardware;
    let edge = if hardware { 4096 } else { 512 };
    let copied = if hardware { 256 << 20 } else { 32 << 20 };
    let copied = copied.min(gpu.limits.max_storage_buffer_binding_size / 64 * 64);
    let unchecked = "compiled without runtime checks, with the bits of its checked twin";
    Implementation {
        name: kernel.name.clone(),
        method: kernel.method(),
        precision: kernel.precision,
        accumulate: kernel.accumulate,
        unit: kernel.unit(),
        native: kernel.is_native(kind, packed_dot),
        detail: format!("WGSL, {}; {unchecked}{}", kernel.geometry(), kernel.untold(packed_dot)),
        shape: (kernel.method() == Method::Gemm).then(|| GemmShape::new(edge, edge, edge).ok()).flatten(),
        buffer_bytes: (kernel.method() == Method::Copy).then(|| BufferSize::new(copied).ok()).flatten(),
        sample_s: Seconds::new(0.02).unwrap_or_default(),
    }
}

impl Backend for WgpuBackend {
    fn device(&self) -> &Device {
        &self.device
    }

    fn implementations(&self) -> &[Implementation] {
        &self.implementations
    }

    fn lost(&self) -> Option<String> {
        self.gpu.alive().err().map(|error| error.to_string())
    }

    fn findings(&mut self) -> Vec<Finding> {
        self.watch.findings()
    }

    fn sources(&self) -> Option<String> {
        // Without a version of the driver a kept choice would outlive it.
        self.device.driver.as_ref().map(|_| sources(&self.kernels))
    }

    fn load(&mut self, case: &Case) -> Result<Box<dyn Loaded + '_>, LoadError> {
        let fits = |kernel: &usize| {
            self.kernels.get(*kernel).is_some_and(|kernel| {
                kernel.name == case.implementation
                    && kernel.precision == case.precision
                    && kernel.accumulate == case.accumulate
                    && kernel.method() == case.work.method()
            })
        };
        let unknown = || LoadError::Unsupported { reason: format!("no {} here", case.implementation) };
        let at = (0..self.kernels.len()).find(fits).ok_or_else(unknown)?;
        let kernel = self.kernels.get(at).cloned().ok_or_else(unknown)?;
        self.gpu.alive()?;
        let layout = match case.work {
            Work::Gemm { layout, .. } => layout,
            Work::Issue | Work::Copy { .. } => Layout::Nn,
        };
        let compiled = self.compiled(at, &kernel, layout)?;
        let kernel = self.kernels.get(at).ok_or_else(unknown)?;
        let (gpu, watch) = (&self.gpu, &self.watch);
        Ok(match case.work {
            Work::Issue => Box::new(IssueCase::load(gpu, kernel, compiled, watch)?),
            Work::Gemm { .. } => Box::new(ProductCase::load(gpu, kernel, compiled, case, watch)?),
            Work::Copy { buffer_bytes } => Box::new(CopyCase::load(gpu, buffer_bytes, compiled, watch)?),
        })
    }
}

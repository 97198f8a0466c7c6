//! A compiled kernel, and the counter of its instrumented twin.

use wgpu::{BindGroup, Buffer, ComputePipeline};

use super::faults::Fault;
use super::gpu::Gpu;
use super::table::Kernel;
use super::template::{Variant, render};
use crate::backend::{BackendError, LoadError};
use crate::units::Ops;

/// A pipeline, ready to be bound.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub pipeline: ComputePipeline,
    /// Operations that were executed; the last binding of an instrumented kernel.
    counter: Option<Buffer>,
}

impl Compiled {
    /// Compiles a variant of a kernel; `checked` keeps the compiler's own bounds and loop checks.
    pub fn new(gpu: &Gpu, kernel: &Kernel, variant: Variant, checked: bool) -> Result<Self, LoadError> {
        let mut text = render(kernel, variant).map_err(|error| gpu.failed(error.to_string()))?;
        if gpu.fault == Some(Fault::InvalidShader) {
            text.push_str("\nfn spoiled() -> u32 { return 1.5; }");
        }
        let pipeline = gpu.compile(&text, checked)?;
        let counter = if variant.counted { Some(gpu.storage(4)?) } else { None };
        Ok(Self { pipeline, counter })
    }

    /// Binds whole buffers in the order of their numbers, and the counter behind them.
    pub fn bind(&self, gpu: &Gpu, buffers: &[&Buffer]) -> Result<BindGroup, LoadError> {
        let all: Vec<&Buffer> = buffers.iter().copied().chain(&self.counter).collect();
        gpu.bind(&self.pipeline, &all)
    }

    /// Sets the counter to zero.
    pub fn reset(&self, gpu: &Gpu) -> Result<(), LoadError> {
        let Some(counter) = &self.counter else { return Ok(()) };
        gpu.scoped(|| gpu.queue.write_buffer(counter, 0, &[0; 4]))
    }

    /// Operations since then, below 2^32; `None` for a kernel that does not count.
    pub fn executed(&self, gpu: &Gpu) -> Result<Option<Ops>, BackendError> {
        let Some(counter) = &self.counter else { return Ok(None) };
        let bytes = gpu.download(counter)?;
        let count = bytes.first_chunk().map(|word| u32::from_le_bytes(*word));
        Ok(count.map(|count| Ops::new(u128::from(count))))
    }
}

//! Products by the table's kernels.

use cudarc::driver::{LaunchConfig, PushKernelArg};

use super::gpu::Gpu;
use super::kernel::Kernel;
use super::operands::{ResultImage, row_major};
use super::product_case::{Images, Multiply, ProductCase, Set, Sets, allow_shared};
use super::rows::{Form, Row, leading};
use crate::backend::{BackendError, LoadError};
use crate::device::Finding;
use crate::workload::{Case, Operand, Work, operand};

/// A product by a row of the table, ready to run.
pub(super) fn load<'a>(
    gpu: &'a Gpu,
    (row, kernel): (&'static Row, Kernel),
    case: &Case,
    cache: u64,
) -> Result<ProductCase<'a>, LoadError> {
    let (Form::Gemm(gemm), Work::Gemm { shape, layout, input, seed }) = (row.form, case.work) else {
        return Err(LoadError::Unsupported { reason: format!("{} is no product", row.name) });
    };
    let too_large = || LoadError::Unsupported { reason: format!("{shape} has more tiles than a grid") };
    let blocks = row.grid(shape).ok_or_else(too_large)?.blocks;
    allow_shared(gpu, &kernel.function, row.shared_bytes())?;
    let data = |which| {
        let made = operand(which, shape, layout, case.precision, (input, seed));
        made.ok_or_else(|| LoadError::Unsupported { reason: format!("no operands of {}", case.precision) })
    };
    let (_, columns) = shape.a_extents(layout);
    let c = ResultImage::of(shape, gemm.result);
    let images = Images {
        a: row_major(&data(Operand::A)?, columns, gemm.operand),
        b: row_major(&data(Operand::B)?, shape.n(), gemm.operand),
        c,
    };
    let sets = Sets::upload(gpu, &images, cache)?;
    let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let (lead_a, lead_b) = (leading(columns, gemm.operand), leading(shape.n(), gemm.operand));
    let sizes = [shape.m(), shape.n(), shape.k(), lead_a, lead_b, c.lead].map(small);
    let multiply = OwnProduct { row, kernel, blocks, sizes };
    ProductCase::load(gpu, shape, sets, Box::new(multiply), cache)
}

/// A kernel that is given matrices.
struct OwnProduct {
    row: &'static Row,
    kernel: Kernel,
    blocks: u32,
    /// Extents, then leading dimensions.
    sizes: [u32; 6],
}

impl Multiply for OwnProduct {
    #[expect(unsafe_code, reason = "launches a kernel")]
    fn launch(&self, gpu: &Gpu, _: usize, set: &mut Set) -> Result<(), BackendError> {
        let config = LaunchConfig {
            grid_dim: (self.blocks, 1, 1),
            block_dim: (self.row.threads(), 1, 1),
            shared_mem_bytes: self.row.shared_bytes(),
        };
        let mut builder = gpu.stream.launch_builder(&self.kernel.function);
        builder.arg(&mut set.c).arg(&set.a).arg(&set.b);
        for size in &self.sizes {
            builder.arg(size);
        }
        // SAFETY: the arguments are those of `Parameters::Matrices`, and each matrix has its rows times its distance.
        let launched = unsafe { builder.launch(config) };
        launched.map(|_| ()).map_err(|error| gpu.error("launching", error))
    }

    fn notes(&self) -> Vec<Finding> {
        vec![self.kernel.note()]
    }
}

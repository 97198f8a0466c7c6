//! Products by the table's kernels.

use cudarc::driver::{CudaSlice, DevicePtr, LaunchConfig, PushKernelArg};

use super::gpu::Gpu;
use super::kernel::Kernel;
use super::operands::{ResultImage, row_major};
use super::product_case::{Images, Multiply, ProductCase, Set, Sets, allow_shared};
use super::rows::{Form, Parameters, Row, TensorBox, leading};
use super::tensor_map::{Fields, TensorMap};
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
    if row.parameters() == Parameters::TensorMaps {
        let maps = maps(gpu, &sets, gemm.maps(shape, layout))?;
        let sizes = [shape.m(), shape.n(), shape.k(), c.lead].map(small);
        let multiply = FedProduct { row, kernel, blocks, maps, sizes };
        return ProductCase::load(gpu, shape, sets, Box::new(multiply), cache);
    }
    let (lead_a, lead_b) = (leading(columns, gemm.operand), leading(shape.n(), gemm.operand));
    let sizes = [shape.m(), shape.n(), shape.k(), lead_a, lead_b, c.lead].map(small);
    let multiply = OwnProduct { row, kernel, blocks, sizes };
    ProductCase::load(gpu, shape, sets, Box::new(multiply), cache)
}

/// Maps of A and B of every set.
fn maps(gpu: &Gpu, sets: &Sets, boxes: [TensorBox; 2]) -> Result<Vec<[TensorMap; 2]>, LoadError> {
    let fields = boxes.map(|map| Fields::of(&map));
    let [Ok(of_a), Ok(of_b)] = fields else {
        let reasons: Vec<String> = fields.into_iter().filter_map(Result::err).collect();
        return Err(LoadError::Unsupported { reason: reasons.join("; ") });
    };
    let encode = |fields: &Fields, memory: &CudaSlice<u8>| {
        let (address, _guard) = memory.device_ptr(&gpu.stream);
        fields.encode(address).map_err(|error| gpu.error("making a tensor map", error))
    };
    let both = |set: &Set| Ok([encode(&of_a, &set.a)?, encode(&of_b, &set.b)?]);
    sets.all.iter().map(both).collect()
}

/// A kernel that is given matrices.
struct OwnProduct {
    row: &'static Row,
    kernel: Kernel,
    blocks: u32,
    /// Extents, then leading dimensions.
    sizes: [u32; 6],
}

fn configuration(row: &Row, blocks: u32) -> LaunchConfig {
    let (grid_dim, block_dim) = ((blocks, 1, 1), (row.threads(), 1, 1));
    LaunchConfig { grid_dim, block_dim, shared_mem_bytes: row.shared_bytes() }
}

impl Multiply for OwnProduct {
    #[expect(unsafe_code, reason = "launches a kernel")]
    fn launch(&self, gpu: &Gpu, _: usize, set: &mut Set) -> Result<(), BackendError> {
        let mut builder = gpu.stream.launch_builder(&self.kernel.function);
        builder.arg(&mut set.c).arg(&set.a).arg(&set.b);
        for size in &self.sizes {
            builder.arg(size);
        }
        // SAFETY: the arguments are those of `Parameters::Matrices`, and each matrix has its rows times its distance.
        let launched = unsafe { builder.launch(configuration(self.row, self.blocks)) };
        launched.map(|_| ()).map_err(|error| gpu.error("launching", error))
    }

    fn notes(&self) -> Vec<Finding> {
        vec![self.kernel.note()]
    }
}

/// A kernel that is given tensor maps.
struct FedProduct {
    row: &'static Row,
    kernel: Kernel,
    blocks: u32,
    /// Of A and B, for each set.
    maps: Vec<[TensorMap; 2]>,
    /// Extents, then the leading dimension of C.
    sizes: [u32; 4],
}

impl Multiply for FedProduct {
    #[expect(unsafe_code, reason = "launches a kernel")]
    fn launch(&self, gpu: &Gpu, place: usize, set: &mut Set) -> Result<(), BackendError> {
        let none =
            || BackendError::Device { device: gpu.id.clone(), message: format!("no maps of set {place}") };
        let [of_a, of_b] = self.maps.get(place).ok_or_else(none)?;
        let mut builder = gpu.stream.launch_builder(&self.kernel.function);
        builder.arg(of_a).arg(of_b).arg(&mut set.c);
        for size in &self.sizes {
            builder.arg(size);
        }
        // SAFETY: the arguments are those of `Parameters::TensorMaps`; the maps are of this set, whose C has its rows
        // times its distance.
        let launched = unsafe { builder.launch(configuration(self.row, self.blocks)) };
        launched.map(|_| ()).map_err(|error| gpu.error("launching", error))
    }

    fn notes(&self) -> Vec<Finding> {
        vec![self.kernel.note()]
    }
}

//! A matrix product as a loaded case: operands padded to whole tiles, in panels that fit a binding, in dispatches
//! that no desktop takes for a hang.

use wgpu::{Buffer, BufferUsages};

use super::compiled::Compiled;
use super::faults::Fault;
use super::gpu::Gpu;
use super::panels::{Limit, Panels, Part, part, parts};
use super::table::{Kernel, Shader};
use super::telemetry::Watch;
use super::timed::{Launch, SUBMISSION, Timed};
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output};
use crate::device::{Finding, Severity};
use crate::precision::Accumulate;
use crate::units::{Bytes, Ops, Seconds};
use crate::workload::{Case, Elements, GemmShape, Layout, Operand, Work, operand};

/// Most trips of one loop: some drivers end loops there, and a shader that runs on and on is taken for a hang.
const TRIPS: u64 = 65_535;

/// Operations of the first dispatch: a fiftieth of a second of a GPU of 0.1 TFLOP/s.
const FIRST: u64 = 1 << 31;

/// Sums of this many products of bytes can leave 32 bits.
const INT8_K: u64 = 1 << 17;

/// A product, ready to run.
pub(super) struct ProductCase<'a> {
    gpu: &'a Gpu,
    compiled: Compiled,
    shape: GemmShape,
    layout: Layout,
    accumulate: Accumulate,
    panels: Panels,
    /// Panels of A, of B, and of C row by row.
    buffers: (Vec<Buffer>, Vec<Buffer>, Vec<Buffer>),
    launches: Vec<Launch>,
    timed: Timed,
    watch: &'a Watch,
    /// Iterations of a submission.
    times: u64,
    /// Bytes of one operand of the tile and of one result.
    bytes: (u64, u64),
    tile: (u64, u64, u64),
}

impl<'a> ProductCase<'a> {
    pub fn load(
        gpu: &'a Gpu,
        kernel: &'a Kernel,
        compiled: Compiled,
        case: &Case,
        watch: &'a Watch,
    ) -> Result<Self, LoadError> {
        let unsupported = |reason: &str| LoadError::Unsupported { reason: reason.to_owned() };
        let Work::Gemm { shape, layout, input, seed } = case.work else {
            return Err(unsupported("no product"));
        };
        if kernel.shader == Shader::Dot && shape.k() >= INT8_K {
            return Err(unsupported("sums of 131072 products and more can leave 32 bits"));
        }
        let tile = (u64::from(kernel.bm()), u64::from(kernel.bn()), u64::from(kernel.bk));
        let bytes = (u64::from(kernel.precision.bits() / 8), kernel.accumulate.bytes());
        let groups = gpu.limits.max_compute_workgroups_per_dimension.into();
        let limit = Limit { binding: gpu.binding(), groups };
        let panels = Panels::cut(shape, tile, bytes, limit).ok_or_else(|| LoadError::Memory {
            needed: format!("one tile of {} rows of {} numbers", kernel.bm(), shape.k()),
            available: format!("{} a binding", Bytes::new(limit.binding)),
        })?;
        if panels.k / tile.2 > TRIPS {
            let reason = format!("sums of {} products take more than {TRIPS} trips of a loop", shape.k());
            return Err(LoadError::Unsupported { reason });
        }
        let data = |which| operand(which, shape, layout, case.precision, (input, seed));
        let operands = data(Operand::A).zip(data(Operand::B));
        let (a, b) = operands.ok_or_else(|| unsupported("no operands in this format"))?;
        let buffers = upload(gpu, (shape, layout), &panels, (&a, &b), kernel.accumulate)?;
        let timed = Timed::new(gpu)?;
        let mut case = Self {
            gpu,
            compiled,
            shape,
            layout,
            accumulate: kernel.accumulate,
            panels,
            buffers,
            launches: Vec::new(),
            timed,
            watch,
            times: 1,
            bytes,
            tile,
        };
        case.fit()?;
        Ok(case)
    }

    /// Operations of one product with the zeros that pad it to whole tiles, which are executed and not counted.
    pub fn padded_ops(&self) -> Ops {
        let sum = |extents: &[u64]| u128::from(extents.iter().sum::<u64>());
        Ops::new(2 * sum(&self.panels.rows) * sum(&self.panels.columns) * u128::from(self.panels.k))
    }

    /// Finds how many workgroups a dispatch may have, and how many products a submission.
    fn fit(&mut self) -> Result<(), LoadError> {
        let longest = |panels: &[u64], edge| panels.iter().max().copied().unwrap_or(0) / edge;
        let (rows, columns) = (&self.panels.rows, &self.panels.columns);
        let most = longest(rows, self.tile.0) * longest(columns, self.tile.1);
        let ops = 2 * self.tile.0 * self.tile.1 * self.panels.k;
        let mut groups = (FIRST / ops).clamp(1, most);
        self.launches = self.cut(groups, 1)?;
        // The first dispatch also compiles on software drivers, and says nothing of time.
        self.once(1)?;
        loop {
            self.launches = self.cut(groups, 1)?;
            // The shorter of two: one that was held up would cut the product into crumbs.
            let elapsed = self.once(1)?.get().min(self.once(1)?.get());
            let next = next_groups(groups, elapsed).min(most);
            let grows = next > groups;
            groups = next;
            if !grows {
                break;
            }
        }
        if self.gpu.fault == Some(Fault::Small) {
            groups = groups.min(3);
        }
        self.launches = self.cut(groups, usize::MAX)?;
        let elapsed = self.once(1)?.get();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small count, rounded down"
        )]
        let times = (SUBMISSION / elapsed) as u64;
        self.times = times.clamp(1, 4096);
        Ok(())
    }

    /// One product as launches of at most so many workgroups; the first of them where no more are wanted.
    fn cut(&self, most: u64, wanted: usize) -> Result<Vec<Launch>, LoadError> {
        let (a, b, c) = &self.buffers;
        let mut launches = Vec::new();
        let mut results = c.iter();
        for (rows, left) in self.panels.rows.iter().zip(a) {
            for (columns, right) in self.panels.columns.iter().zip(b) {
                let Some(product) = results.next() else { break };
                for part in parts((rows / self.tile.0, columns / self.tile.1), most) {
                    if launches.len() == wanted {
                        return Ok(launches);
                    }
                    launches.push(self.launch((*rows, *columns), &part, [left, right, product])?);
                }
            }
        }
        Ok(launches)
    }

    /// A part of the product of two panels.
    fn launch(
        &self,
        (rows, columns): (u64, u64),
        part: &Part,
        [left, right, product]: [&Buffer; 3],
    ) -> Result<Launch, LoadError> {
        let word = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let line = if self.layout == Layout::Tn { rows } else { self.panels.k };
        let extents = [self.panels.k, line / 4, columns / 4, columns / 4, part.from.0, part.from.1, 0, 0];
        let extents: Vec<u8> = extents.iter().flat_map(|value| word(*value).to_le_bytes()).collect();
        let extents = self.gpu.upload(&extents, BufferUsages::UNIFORM)?;
        let group = self.compiled.bind(self.gpu, &[&extents, left, right, product])?;
        Ok(Launch { group, grid: (word(part.groups.1), word(part.groups.0)) })
    }

    fn once(&mut self, times: u64) -> Result<Seconds, BackendError> {
        if self.gpu.fault == Some(Fault::LostInProduct) {
            self.gpu.device.destroy();
        }
        let mut elapsed = Seconds::default();
        let times = usize::try_from(times).unwrap_or(1);
        if times > 1 || self.launches.len() == 1 {
            let all = std::iter::repeat_n(&self.launches, times).flatten();
            return self.timed.run(self.gpu, &self.compiled.pipeline, all);
        }
        // A product that was cut for its time goes in one submission a launch.
        for launch in &self.launches {
            elapsed = elapsed + self.timed.run(self.gpu, &self.compiled.pipeline, std::iter::once(launch))?;
        }
        Ok(elapsed)
    }

    fn gather(&self) -> Result<Vec<u8>, BackendError> {
        let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let (m, n, element) = (size(self.shape.m()), size(self.shape.n()), size(self.bytes.1));
        let mut all = vec![0; m * n * element];
        let mut buffers = self.buffers.2.iter();
        let mut row = 0;
        for rows in self.panels.rows.iter().map(|rows| size(*rows)) {
            let mut column = 0;
            for columns in self.panels.columns.iter().map(|columns| size(*columns)) {
                let Some(buffer) = buffers.next() else { break };
                let tile = self.gpu.download(buffer)?;
                let width = columns.min(n - column) * element;
                for (at, line) in tile.chunks_exact(columns * element).take(m - row).enumerate() {
                    let start = ((row + at) * n + column) * element;
                    if let (Some(to), Some(from)) = (all.get_mut(start..start + width), line.get(..width)) {
                        to.copy_from_slice(from);
                    }
                }
                column += columns;
            }
            row += rows;
        }
        Ok(all)
    }
}

impl Loaded for ProductCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        self.shape.ops()
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let mut elapsed = Seconds::default();
        let mut left = iterations;
        while left > 0 {
            let now = left.min(self.times);
            elapsed = elapsed + self.once(now)?;
            left -= now;
        }
        Ok(self.timed.batch(elapsed, self.watch.read()))
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        let bytes = self.gather()?;
        Ok(Output::Matrix(match self.accumulate {
            Accumulate::Fp64 => Elements::F64(bytemuck::pod_collect_to_vec(&bytes)),
            Accumulate::Fp32 => Elements::F32(bytemuck::pod_collect_to_vec(&bytes)),
            Accumulate::Fp16 => Elements::F16(bytemuck::pod_collect_to_vec(&bytes)),
            Accumulate::Bf16 => Elements::Bf16(bytemuck::pod_collect_to_vec(&bytes)),
            Accumulate::Int32 => Elements::I32(bytemuck::pod_collect_to_vec(&bytes)),
        }))
    }

    fn findings(&self) -> Vec<Finding> {
        let message = "every product reads the same operands, and the device's caches are not told; a product that \
            fits them is faster than one from memory";
        let warm = Finding::new(Severity::Note, "cache-warm", message.to_owned(), None);
        self.timed.findings().into_iter().chain([warm]).collect()
    }
}

/// How many workgroups a dispatch may have after one of `groups` took so many seconds.
fn next_groups(groups: u64, elapsed: f64) -> u64 {
    let room = SUBMISSION / elapsed;
    if room >= 16.0 {
        groups.saturating_mul(8)
    } else if room >= 2.0 {
        groups.saturating_mul(2)
    } else if room >= 1.0 {
        groups
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a count that becomes smaller, rounded down"
        )]
        let fewer = (groups as f64 * room) as u64;
        fewer.max(1)
    }
}

fn raw(elements: &Elements) -> &[u8] {
    match elements {
        Elements::F64(v) => bytemuck::cast_slice(v),
        Elements::F32(v) => bytemuck::cast_slice(v),
        Elements::Bf16(v) => bytemuck::cast_slice(v),
        Elements::F16(v) => bytemuck::cast_slice(v),
        Elements::I8(v) => bytemuck::cast_slice(v),
        Elements::I32(v) => bytemuck::cast_slice(v),
        Elements::Small(_, v) => v,
    }
}

/// What no right product holds: not a number, or the smallest integer.
fn poison(accumulate: Accumulate, elements: usize) -> Vec<u8> {
    match accumulate {
        Accumulate::Fp64 => f64::NAN.to_le_bytes().repeat(elements),
        Accumulate::Fp32 => f32::NAN.to_le_bytes().repeat(elements),
        Accumulate::Fp16 => half::f16::NAN.to_le_bytes().repeat(elements),
        Accumulate::Bf16 => half::bf16::NAN.to_le_bytes().repeat(elements),
        Accumulate::Int32 => i32::MIN.to_le_bytes().repeat(elements),
    }
}

type Buffers = (Vec<Buffer>, Vec<Buffer>, Vec<Buffer>);

fn upload(
    gpu: &Gpu,
    (shape, layout): (GemmShape, Layout),
    panels: &Panels,
    (a, b): (&Elements, &Elements),
    accumulate: Accumulate,
) -> Result<Buffers, LoadError> {
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let (m, n, k) = (size(shape.m()), size(shape.n()), size(shape.k()));
    let element = raw(a).len() / a.len().max(1);
    let mut buffers: Buffers = (Vec::new(), Vec::new(), Vec::new());
    let mut row = 0;
    for rows in panels.rows.iter().map(|rows| size(*rows)) {
        let most = rows.min(m - row);
        let bytes = match layout {
            Layout::Nn => part(raw(a), element, k, (row, 0, most, k), (rows, size(panels.k))),
            Layout::Tn => part(raw(a), element, m, (0, row, k, most), (size(panels.k), rows)),
        };
        buffers.0.push(gpu.upload(&bytes, BufferUsages::STORAGE)?);
        row += rows;
    }
    let mut column = 0;
    for columns in panels.columns.iter().map(|columns| size(*columns)) {
        let cut = (0, column, k, columns.min(n - column));
        let bytes = part(raw(b), element, n, cut, (size(panels.k), columns));
        buffers.1.push(gpu.upload(&bytes, BufferUsages::STORAGE)?);
        column += columns;
    }
    for rows in &panels.rows {
        for columns in &panels.columns {
            let bytes = poison(accumulate, size(rows * columns));
            buffers.2.push(gpu.upload(&bytes, BufferUsages::STORAGE)?);
        }
    }
    Ok(buffers)
}

#[cfg(test)]
mod tests {
    use super::next_groups;

    #[test]
    fn a_dispatch_grows_while_twice_as_many_workgroups_still_end_in_time_and_shrinks_where_it_does_not() {
        for (elapsed, next) in [(1e-5, 800), (0.006, 800), (0.007, 200), (0.05, 200), (0.06, 100), (0.1, 100)]
        {
            assert_eq!(next_groups(100, elapsed), next, "{elapsed}");
        }
        assert_eq!(next_groups(100, 0.4), 25);
        assert_eq!(next_groups(1, 5.0), 1, "one workgroup is not cut");
    }
}

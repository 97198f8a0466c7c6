//! A column-major product on simulated memory, element by element: formats, their rules, and the arithmetic.
//!
//! **Source**: cuBLAS 13 documentation, `cublasLtMatmul()`: the table of types, and the requirements of int8, fp8 and fp4;
//! read in a copy. "TN" is demanded of fp8 on every device, which the documentation does of 8.9, 9.0 and 12.x alone.

mod element;
mod scale;

use cudarc::cublaslt::sys::{cublasComputeType_t as Compute, cudaDataType_t as Type};
use cudarc::driver::sys::CUresult;
use flopgauge_simulator::memory::Global;

use element::{all, bits, encoded, is, is_f4, is_f8};
pub(crate) use element::{bytes, decoded};
pub(crate) use scale::Mode;
use scale::Scales;

use crate::machine::Outcome;

/// A matrix as the library is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub kind: u32,
    pub rows: u64,
    pub columns: u64,
    pub lead: u64,
}

/// An operation as the library is told of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Operation {
    pub compute: u32,
    pub scale: u32,
    pub transposed: [bool; 2],
    /// Device addresses of the operands' scales, 0 for none.
    pub scales: [u64; 2],
    /// What stands there.
    pub modes: [Mode; 2],
}

/// A product: its operation and the layouts of A, B, C, D.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Problem {
    pub operation: Operation,
    pub layouts: [Layout; 4],
}

impl Problem {
    /// Rows, columns and depth; `None` where the extents do not fit together.
    fn extents(&self) -> Option<[u64; 3]> {
        let [a, b, c, d] = self.layouts;
        let turned = |layout: Layout, turned: bool| {
            if turned { (layout.columns, layout.rows) } else { (layout.rows, layout.columns) }
        };
        let (m, k) = turned(a, self.operation.transposed[0]);
        let (depth, n) = turned(b, self.operation.transposed[1]);
        let fit = k == depth && (d.rows, d.columns) == (m, n) && (c.rows, c.columns) == (m, n);
        (fit && self.layouts.iter().all(|layout| layout.lead >= layout.rows)).then_some([m, n, k])
    }

    /// Whether the library multiplies these types in these layouts on a device of this capability.
    pub(crate) fn supported(&self, capability: (u32, u32)) -> bool {
        self.extents().is_some() && (self.plain(capability) || self.integers() || self.narrow(capability))
    }

    fn computes(&self, compute: Compute, scale: Type) -> bool {
        self.operation.compute == compute as u32 && self.operation.scale == scale as u32
    }

    /// C and D of one of these types.
    fn gives(&self, kinds: &[Type]) -> bool {
        let [.., c, d] = self.layouts.map(|layout| layout.kind);
        c == d && kinds.iter().any(|kind| is(d, *kind))
    }

    fn multiplies(&self, kind: Type) -> bool {
        let [a, b, ..] = self.layouts.map(|layout| layout.kind);
        is(a, kind) && is(b, kind)
    }

    /// Whether nothing is scaled: of a format that is not narrow that is an error.
    fn unscaled(&self) -> bool {
        self.operation.scales == [0; 2] && self.operation.modes == [Mode::Scalar; 2]
    }

    /// Formats of 16 bits and more.
    fn plain(&self, capability: (u32, u32)) -> bool {
        let all = |kind: Type| self.multiplies(kind) && self.gives(&[kind]);
        let f32 = self.computes(Compute::CUBLAS_COMPUTE_32F, Type::CUDA_R_32F);
        let tf32 = self.computes(Compute::CUBLAS_COMPUTE_32F_FAST_TF32, Type::CUDA_R_32F);
        let ampere = capability >= (8, 0);
        let short = |kind: Type| f32 && self.multiplies(kind) && self.gives(&[kind, Type::CUDA_R_32F]);
        let found = self.computes(Compute::CUBLAS_COMPUTE_64F, Type::CUDA_R_64F) && all(Type::CUDA_R_64F)
            || f32 && all(Type::CUDA_R_32F)
            || tf32 && all(Type::CUDA_R_32F) && ampere
            || short(Type::CUDA_R_16F)
            || short(Type::CUDA_R_16BF) && ampere
            || self.computes(Compute::CUBLAS_COMPUTE_16F, Type::CUDA_R_16F) && all(Type::CUDA_R_16F);
        found && self.unscaled()
    }

    /// 8-bit integers: K contiguous, m, k and leading dimensions multiples of 4.
    fn integers(&self) -> bool {
        let [m, _, k] = self.extents().unwrap_or_default();
        let fours = self.layouts.iter().map(|layout| layout.lead).chain([m, k]);
        self.computes(Compute::CUBLAS_COMPUTE_32I, Type::CUDA_R_32I)
            && self.multiplies(Type::CUDA_R_8I)
            && self.gives(&[Type::CUDA_R_32I])
            && self.operation.transposed == [true, false]
            && fours.into_iter().all(|extent| extent.is_multiple_of(4))
            && self.unscaled()
    }

    /// Floating point of 8 and 4 bits: K contiguous, rows and columns in memory at multiples of 16 bytes; block scales
    /// from compute capability 10.0 on, without which there is no fp4.
    fn narrow(&self, capability: (u32, u32)) -> bool {
        let [a, b, ..] = self.layouts.map(|layout| layout.kind);
        let sixteen =
            |extent: u64, kind: u32| bits(kind).is_some_and(|bits| (extent * bits).is_multiple_of(128));
        let aligned =
            |layout: &Layout| sixteen(layout.lead, layout.kind) && sixteen(layout.rows, layout.kind);
        let f8 = is_f8(a) && is_f8(b) && !self.multiplies(Type::CUDA_R_8F_E5M2);
        let scaled = self.operation.scales.iter().all(|address| *address != 0 && address.is_multiple_of(16));
        let formats = match self.operation.modes {
            [Mode::Scalar, Mode::Scalar] => f8 && capability >= (8, 9),
            [Mode::Vec32, Mode::Vec32] => f8 && scaled && capability >= (10, 0),
            [Mode::Vec16, Mode::Vec16] => is_f4(a) && is_f4(b) && scaled && capability >= (10, 0),
            _ => false,
        };
        formats
            && self.computes(Compute::CUBLAS_COMPUTE_32F, Type::CUDA_R_32F)
            && self.gives(&[Type::CUDA_R_32F, Type::CUDA_R_16F, Type::CUDA_R_16BF])
            && self.operation.transposed == [true, false]
            && self.layouts.iter().all(aligned)
    }

    /// Whether matrices may lie at these addresses.
    pub(crate) fn aligned(&self, places: [u64; 4]) -> bool {
        let least = match self.layouts[0].kind {
            kind if is_f8(kind) || is_f4(kind) => 16,
            kind if is(kind, Type::CUDA_R_8I) => 4,
            _ => 1,
        };
        places.iter().all(|address| address.is_multiple_of(least))
    }

    /// Multiplies, and says how many operations that was.
    ///
    /// Errors: what a kernel of the library would end with.
    pub(crate) fn run(&self, memory: &mut Global, places: [u64; 4], factors: [f64; 2]) -> Outcome<u64> {
        let [a, b, c, d] = self.layouts;
        let [m, n, k] = self.extents().ok_or(CUresult::CUDA_ERROR_INVALID_VALUE)?;
        let tf32 = self.operation.compute == Compute::CUBLAS_COMPUTE_32F_FAST_TF32 as u32;
        let left = matrix(memory, places[0], a, tf32)?;
        let right = matrix(memory, places[1], b, tf32)?;
        let old = if factors[1] == 0.0 { Vec::new() } else { matrix(memory, places[2], c, false)? };
        let Operation { modes, scales, transposed: [turned_a, turned_b], .. } = self.operation;
        let of_left = Scales::read(memory, (modes[0], scales[0]), (m, k))?;
        let of_right = Scales::read(memory, (modes[1], scales[1]), (n, k))?;
        let at = |lead: u64, row: u64, column: u64| (row + column * lead) as usize;
        for column in 0..n {
            for row in 0..m {
                let product = |i| {
                    let x = if turned_a { at(a.lead, i, row) } else { at(a.lead, row, i) };
                    let y = if turned_b { at(b.lead, column, i) } else { at(b.lead, i, column) };
                    let scale = of_left.at(row, i) * of_right.at(column, i);
                    scale
                        * left.get(x).copied().unwrap_or(f64::NAN)
                        * right.get(y).copied().unwrap_or(f64::NAN)
                };
                let mut sum = factors[0] * (0..k).map(product).sum::<f64>();
                if let Some(old) = old.get(at(c.lead, row, column)) {
                    sum += factors[1] * old;
                }
                let size = bytes(d.kind).ok_or(CUresult::CUDA_ERROR_INVALID_VALUE)?;
                let to = places[3] + (at(d.lead, row, column) * size) as u64;
                let target = memory.host_write(to, size).ok_or(CUresult::CUDA_ERROR_ILLEGAL_ADDRESS)?;
                target.copy_from_slice(encoded(sum, d.kind).get(..size).unwrap_or_default());
            }
        }
        Ok(2 * m * n * k)
    }
}

/// Every element of a matrix with what stands between its columns.
fn matrix(memory: &mut Global, address: u64, layout: Layout, tf32: bool) -> Outcome<Vec<f64>> {
    let each = bits(layout.kind).ok_or(CUresult::CUDA_ERROR_INVALID_VALUE)?;
    let count = layout.lead * layout.columns.saturating_sub(1) + layout.rows;
    let size = (count * each).div_ceil(8) as usize;
    let found = memory.host_read(address, size).ok_or(CUresult::CUDA_ERROR_ILLEGAL_ADDRESS)?;
    let mut values = all(found, layout.kind);
    if tf32 {
        // 10 bits of the fraction, rounded to nearest, ties away.
        let short = |value: f64| f64::from(f32::from_bits(((value as f32).to_bits() + 0x1000) & !0x1fff));
        values.iter_mut().for_each(|value| *value = short(*value));
    }
    Ok(values)
}

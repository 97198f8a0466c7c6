//! A column-major product on simulated memory, element by element: formats, their rules, and the arithmetic.
//!
//! **Source**: cuBLAS documentation, `cublasLtMatmul()`: the table of types, and the requirements of the 8-bit formats.

use cudarc::cublaslt::sys::{cublasComputeType_t as Compute, cudaDataType_t as Type};
use cudarc::driver::sys::CUresult;
use float8::{F8E4M3, F8E5M2};
use flopgauge_simulator::memory::Global;
use half::{bf16, f16};

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
}

/// A product: its operation and the layouts of A, B, C, D.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Problem {
    pub operation: Operation,
    pub layouts: [Layout; 4],
}

const fn is(code: u32, kind: Type) -> bool {
    code == kind as u32
}

const fn is_f8(code: u32) -> bool {
    is(code, Type::CUDA_R_8F_E4M3) || is(code, Type::CUDA_R_8F_E5M2)
}

/// Bytes of an element; `None` for a type that is not simulated.
pub(crate) const fn bytes(kind: u32) -> Option<usize> {
    if is(kind, Type::CUDA_R_64F) {
        Some(8)
    } else if is(kind, Type::CUDA_R_32F) || is(kind, Type::CUDA_R_32I) {
        Some(4)
    } else if is(kind, Type::CUDA_R_16F) || is(kind, Type::CUDA_R_16BF) {
        Some(2)
    } else if is(kind, Type::CUDA_R_8I) || is_f8(kind) {
        Some(1)
    } else {
        None
    }
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
        let [a, b, c, d] = self.layouts.map(|layout| layout.kind);
        let Operation { compute, scale, transposed, .. } = self.operation;
        let arithmetic =
            |computed: Compute, scaled: Type| compute == computed as u32 && scale == scaled as u32;
        let all = |kind: Type| [a, b, c, d].iter().all(|code| is(*code, kind));
        let operands = |kind: Type| is(a, kind) && is(b, kind);
        let to = |kinds: &[Type]| c == d && kinds.iter().any(|kind| is(d, *kind));
        let f32 = arithmetic(Compute::CUBLAS_COMPUTE_32F, Type::CUDA_R_32F);
        let tf32 = arithmetic(Compute::CUBLAS_COMPUTE_32F_FAST_TF32, Type::CUDA_R_32F);
        let f8 = f32
            && is_f8(a)
            && is_f8(b)
            && !operands(Type::CUDA_R_8F_E5M2)
            && capability >= (8, 9)
            && to(&[Type::CUDA_R_32F, Type::CUDA_R_16F, Type::CUDA_R_16BF]);
        let i8 = arithmetic(Compute::CUBLAS_COMPUTE_32I, Type::CUDA_R_32I)
            && operands(Type::CUDA_R_8I)
            && to(&[Type::CUDA_R_32I]);
        let plain = arithmetic(Compute::CUBLAS_COMPUTE_64F, Type::CUDA_R_64F) && all(Type::CUDA_R_64F)
            || f32 && all(Type::CUDA_R_32F)
            || tf32 && all(Type::CUDA_R_32F) && capability >= (8, 0)
            || f32 && operands(Type::CUDA_R_16F) && to(&[Type::CUDA_R_16F, Type::CUDA_R_32F])
            || f32
                && operands(Type::CUDA_R_16BF)
                && to(&[Type::CUDA_R_16BF, Type::CUDA_R_32F])
                && capability >= (8, 0)
            || arithmetic(Compute::CUBLAS_COMPUTE_16F, Type::CUDA_R_16F) && all(Type::CUDA_R_16F);
        // Eight bits: K contiguous in both operands, and every column at a multiple of 16 bytes.
        let columns = |layout: &Layout| {
            bytes(layout.kind).is_some_and(|size| (layout.lead * size as u64).is_multiple_of(16))
        };
        let strict = transposed == [true, false] && self.layouts.iter().all(columns);
        self.extents().is_some() && (plain || (f8 || i8) && strict)
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
        let mut scale = factors[0];
        for address in self.operation.scales.into_iter().filter(|address| *address != 0) {
            scale *= read(memory, address, Type::CUDA_R_32F as u32)?;
        }
        let [turned_a, turned_b] = self.operation.transposed;
        let at = |lead: u64, row: u64, column: u64| (row + column * lead) as usize;
        for column in 0..n {
            for row in 0..m {
                let product = |i| {
                    let x = if turned_a { at(a.lead, i, row) } else { at(a.lead, row, i) };
                    let y = if turned_b { at(b.lead, column, i) } else { at(b.lead, i, column) };
                    left.get(x).copied().unwrap_or(f64::NAN) * right.get(y).copied().unwrap_or(f64::NAN)
                };
                let mut sum = scale * (0..k).map(product).sum::<f64>();
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
    let size = bytes(layout.kind).ok_or(CUresult::CUDA_ERROR_INVALID_VALUE)?;
    let count = layout.lead * layout.columns.saturating_sub(1) + layout.rows;
    let found =
        memory.host_read(address, count as usize * size).ok_or(CUresult::CUDA_ERROR_ILLEGAL_ADDRESS)?;
    let value = |word| {
        let value = decoded(word, layout.kind);
        // 10 bits of the fraction, rounded to nearest, ties away.
        if tf32 { f64::from(f32::from_bits(((value as f32).to_bits() + 0x1000) & !0x1fff)) } else { value }
    };
    Ok(found.chunks_exact(size).map(value).collect())
}

fn read(memory: &mut Global, address: u64, kind: u32) -> Outcome<f64> {
    let word =
        memory.host_read(address, bytes(kind).unwrap_or(0)).ok_or(CUresult::CUDA_ERROR_ILLEGAL_ADDRESS)?;
    Ok(decoded(word, kind))
}

fn array<const N: usize>(word: &[u8]) -> [u8; N] {
    word.first_chunk().copied().unwrap_or([0xff; N])
}

/// The value of a word of this type.
pub(crate) fn decoded(word: &[u8], kind: u32) -> f64 {
    if is(kind, Type::CUDA_R_64F) {
        f64::from_le_bytes(array(word))
    } else if is(kind, Type::CUDA_R_32F) {
        f64::from(f32::from_le_bytes(array(word)))
    } else if is(kind, Type::CUDA_R_32I) {
        f64::from(i32::from_le_bytes(array(word)))
    } else if is(kind, Type::CUDA_R_16F) {
        f16::from_le_bytes(array(word)).to_f64()
    } else if is(kind, Type::CUDA_R_16BF) {
        bf16::from_le_bytes(array(word)).to_f64()
    } else if is(kind, Type::CUDA_R_8I) {
        f64::from(i8::from_le_bytes(array(word)))
    } else if is(kind, Type::CUDA_R_8F_E4M3) {
        F8E4M3::from_bits(array::<1>(word)[0]).to_f64()
    } else {
        F8E5M2::from_bits(array::<1>(word)[0]).to_f64()
    }
}

fn encoded(value: f64, kind: u32) -> Vec<u8> {
    if is(kind, Type::CUDA_R_64F) {
        value.to_le_bytes().to_vec()
    } else if is(kind, Type::CUDA_R_32F) {
        (value as f32).to_le_bytes().to_vec()
    } else if is(kind, Type::CUDA_R_32I) {
        (value as i32).to_le_bytes().to_vec()
    } else if is(kind, Type::CUDA_R_16F) {
        f16::from_f64(value).to_le_bytes().to_vec()
    } else {
        bf16::from_f64(value).to_le_bytes().to_vec()
    }
}

//! The mapping, checked by a column-major product that knows nothing of row-major matrices.

use cudarc::cublaslt::sys::cudaDataType_t as Type;

use super::super::format::{Format, formats};
use super::super::mapping::{Mapping, Matrix};
use super::*;
use crate::backend::cuda::rows::target;
use crate::workload::{reference, small};

/// Element `at` of a matrix in memory.
fn value(kind: Type, bytes: &[u8], at: usize) -> f64 {
    let code = |precision, code| small::decode(precision, code).unwrap();
    match kind {
        Type::CUDA_R_64F => f64::from_le_bytes(bytes[at * 8..][..8].try_into().unwrap()),
        Type::CUDA_R_32F => f32::from_le_bytes(bytes[at * 4..][..4].try_into().unwrap()).into(),
        Type::CUDA_R_16BF => half::bf16::from_le_bytes(bytes[at * 2..][..2].try_into().unwrap()).into(),
        Type::CUDA_R_16F => half::f16::from_le_bytes(bytes[at * 2..][..2].try_into().unwrap()).into(),
        Type::CUDA_R_8F_E4M3 => code(Precision::Fp8e4m3, bytes[at]),
        Type::CUDA_R_8F_E5M2 => code(Precision::Fp8e5m2, bytes[at]),
        Type::CUDA_R_4F_E2M1 => code(Precision::Fp4, bytes[at / 2] >> (at % 2 * 4) & 15),
        Type::CUDA_R_8I => f64::from(bytes[at].cast_signed()),
        other => panic!("{other:?} is no operand here"),
    }
}

/// Element (row, column) of a column-major matrix with its operation.
fn at(matrix: Matrix, row: u64, column: u64) -> usize {
    let (row, column) = if matrix.transposed { (column, row) } else { (row, column) };
    assert!(row < matrix.rows && column < matrix.columns && matrix.lead >= matrix.rows);
    usize::try_from(row + column * matrix.lead).unwrap()
}

/// Left x right, as the library's documentation defines it, into memory of the result's layout; elements of C with the
/// row index running fastest.
fn column_major(format: &Format, mapping: &Mapping, images: &Images) -> Vec<f64> {
    let (n, m, k) = (mapping.result.rows, mapping.result.columns, mapping.padded.k());
    let mut result = vec![f64::NAN; usize::try_from(mapping.result.lead * m).unwrap()];
    for column in 0..m {
        for row in 0..n {
            let term = |p| {
                value(format.operands.0, &images.b, at(mapping.left, row, p))
                    * value(format.operands.1, &images.a, at(mapping.right, p, column))
            };
            result[at(mapping.result, row, column)] = (0..k).map(term).sum();
        }
    }
    result
}

#[test]
fn every_format_and_layout_tells_the_library_the_product_that_was_asked_for() {
    let blackwell = target(10, 0).unwrap();
    let mut products = 0;
    for format in formats(blackwell) {
        for (m, n, k) in [(5, 7, 3), (33, 17, 40), (1, 20, 16)] {
            let shape = GemmShape::new(m, n, k).unwrap();
            for layout in [Layout::Nn, Layout::Tn] {
                let Ok(mapping) = Mapping::of(format, shape, layout) else {
                    assert!(format.rules.k_contiguous() && layout == Layout::Tn, "{}", format.name);
                    continue;
                };
                let made = |which| {
                    operand(which, shape, layout, format.precision, (Distribution::Normal, 3)).unwrap()
                };
                let (a, b) = (made(Operand::A), made(Operand::B));
                let right = reference(shape, layout, &a, &b).unwrap();
                let images = memory(format, &mapping, (shape, layout), (a, b)).unwrap();
                let c = column_major(format, &mapping, &images);
                for (index, expected) in right.values.iter().enumerate() {
                    let (row, column) = (index as u64 / n, index as u64 % n);
                    let place = row * images.c.lead + column;
                    let found = c[usize::try_from(place).unwrap()];
                    assert!(
                        (found - expected).abs() < 1e-9,
                        "{} {shape} {layout:?} C[{row}, {column}]",
                        format.name
                    );
                }
                products += 1;
            }
        }
    }
    assert!(products > 40, "{products}");
}

#[test]
fn rows_begin_where_the_library_wants_them() {
    for format in formats(target(10, 0).unwrap()) {
        let shape = GemmShape::new(67, 91, 83).unwrap();
        let mapping = Mapping::of(format, shape, Layout::Nn).unwrap();
        let bits = |matrix: Matrix, wide: u64| matrix.lead * wide;
        let wide = match format.operands.0 {
            Type::CUDA_R_64F => 64,
            Type::CUDA_R_32F => 32,
            Type::CUDA_R_16BF | Type::CUDA_R_16F => 16,
            Type::CUDA_R_4F_E2M1 => 4,
            _ => 8,
        };
        for matrix in [mapping.left, mapping.right] {
            assert!(bits(matrix, wide).is_multiple_of(128), "{} {matrix:?}", format.name);
        }
        if format.rules.k_contiguous() {
            assert!(mapping.left.transposed && !mapping.right.transposed, "{}: not TN", format.name);
            let multiple = format.rules.multiple();
            let extents = [mapping.padded.m(), mapping.padded.n(), mapping.padded.k()];
            assert!(extents.iter().all(|extent| extent.is_multiple_of(multiple)), "{}", format.name);
        } else {
            assert_eq!(mapping.padded, shape, "{}: padded without need", format.name);
        }
    }
}

#[test]
fn e5m2_operands_are_numbers_of_e4m3_too() {
    let shape = GemmShape::new(64, 64, 64).unwrap();
    for input in Distribution::ALL {
        let b = operand(Operand::B, shape, Layout::Nn, Precision::Fp8e5m2, (input, 5)).unwrap();
        let same = recoded(b.clone(), Precision::Fp8e4m3).unwrap();
        assert_eq!(b.to_f64(), same.to_f64(), "{input}");
    }
}

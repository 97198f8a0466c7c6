//! Every kernel that this machine can run, against a plain reference. Small integers make each
//! partial sum exact, so floating-point results must be equal, not close.
#![expect(clippy::cast_possible_truncation, reason = "small integers, exact in every format")]

use super::blocking::Blocking;
use super::engine::GemmError;
use super::*;
use half::{bf16, f16};
use proptest::prelude::*;

/// Ragged shapes around the tile sizes (4, 6, 12, 14, 32 rows; 8, 16, 32 columns).
const SHAPES: [(usize, usize, usize); 14] = [
    (1, 1, 1),
    (1, 33, 7),
    (13, 1, 5),
    (14, 32, 64),
    (15, 31, 3),
    (7, 64, 129),
    (33, 65, 130),
    (64, 64, 64),
    (29, 97, 61),
    (100, 50, 1),
    (5, 130, 200),
    (0, 4, 4),
    (4, 0, 4),
    (4, 4, 0),
];

/// Small blocks, so that every loop of the driver runs more than once.
const SMALL: Blocking = Blocking { depth: 64, rows: 28, cols: 64 };

fn numbers(seed: u64, len: usize, span: i64) -> Vec<i64> {
    let mut state = seed | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as i64).rem_euclid(2 * span) - span
        })
        .collect()
}

fn reference(s: Shape, a: &[i64], b: &[i64]) -> Vec<i64> {
    let mut c = vec![0; s.m * s.n];
    for i in 0..s.m {
        for p in 0..s.k {
            let x = if s.a == Layout::RowMajor { a[i * s.k + p] } else { a[p * s.m + i] };
            for j in 0..s.n {
                c[i * s.n + j] += x * b[p * s.n + j];
            }
        }
    }
    c
}

/// One product in every operand type that `isa` has; panics on the first difference.
fn agree(gemm: &mut Gemm, isa: Isa, shape: Shape, seed: u64) {
    gemm.force(Some(isa));
    let (a, b) = (numbers(seed, shape.m * shape.k, 8), numbers(seed + 1, shape.k * shape.n, 8));
    let c = reference(shape, &a, &b);
    macro_rules! compare {
        ($operand:ident, $method:ident, $poison:expr, $from:expr, $a:expr, $b:expr, $c:expr) => {
            if gemm.isa(Operand::$operand).is_ok() {
                let (a, b): (Vec<_>, Vec<_>) =
                    ($a.iter().map($from).collect(), $b.iter().map($from).collect());
                let mut out = vec![$poison; shape.m * shape.n];
                gemm.$method(shape, &a, &b, &mut out).unwrap();
                let same = out.iter().zip(&$c).all(|(x, &y)| *x as i64 == y);
                assert!(same && out.len() == $c.len(), "{isa} {:?} {shape:?}", Operand::$operand);
            }
        };
    }
    compare!(F32, f32, f32::NAN, |&x| x as f32, a, b, c);
    compare!(F64, f64, f64::NAN, |&x| x as f64, a, b, c);
    compare!(Bf16, bf16, f32::NAN, |&x| bf16::from_f32(x as f32), a, b, c);
    compare!(F16, f16, f32::NAN, |&x| f16::from_f32(x as f32), a, b, c);
    let (a, b) = (numbers(seed, a.len(), 128), numbers(seed + 1, b.len(), 128));
    let c = reference(shape, &a, &b);
    compare!(I8, i8, i32::MIN, |&x| x as i8, a, b, c);
}

fn isas() -> Vec<Isa> {
    [Isa::Portable, Isa::Neon, Isa::Avx2, Isa::Avx512, Isa::Avx512Dot, Isa::Amx]
        .into_iter()
        .filter(|&isa| kernels().iter().any(|k| k.isa == isa && k.available().is_ok()))
        .collect()
}

#[test]
fn every_kernel_is_exact_on_ragged_shapes() {
    for threads in 1..=3 {
        let mut gemm = Gemm::new(&vec![0; threads]).unwrap();
        for isa in isas() {
            for a in [Layout::RowMajor, Layout::Transposed] {
                for blocking in [None, Some(SMALL)] {
                    gemm.limit(blocking);
                    for (m, n, k) in SHAPES {
                        agree(&mut gemm, isa, Shape { m, n, k, a }, 7);
                    }
                }
            }
        }
    }
}

#[test]
fn int8_extremes_do_not_saturate() {
    let shape = Shape { m: 17, n: 35, k: 300, a: Layout::RowMajor };
    let mut gemm = Gemm::new(&[]).unwrap();
    for isa in isas() {
        gemm.force(Some(isa));
        for (x, y) in [(-128_i8, -128_i8), (-128, 127), (127, -128), (127, 127)] {
            let mut c = vec![0; shape.m * shape.n];
            let done = gemm.i8(shape, &vec![x; 17 * 300], &vec![y; 300 * 35], &mut c);
            if done.is_ok() {
                assert!(c.iter().all(|&v| v == 300 * i32::from(x) * i32::from(y)), "{isa} {x} {y}");
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_threads_or_repetition() {
    let shape = Shape { m: 150, n: 170, k: 190, a: Layout::RowMajor };
    let fraction = |x: &i64| *x as f32 / 977.0;
    let a: Vec<f32> = numbers(3, 150 * 190, 1000).iter().map(fraction).collect();
    let b: Vec<f32> = numbers(4, 190 * 170, 1000).iter().map(fraction).collect();
    let mut seen: Option<Vec<u32>> = None;
    for threads in [1, 2, 3, 2, 1] {
        let mut gemm = Gemm::new(&vec![0; threads]).unwrap();
        gemm.limit(Some(SMALL));
        let mut c = vec![f32::NAN; 150 * 170];
        gemm.f32(shape, &a, &b, &mut c).unwrap();
        let bits: Vec<u32> = c.iter().map(|x| x.to_bits()).collect();
        assert_eq!(*seen.get_or_insert_with(|| bits.clone()), bits);
    }
}

#[test]
fn random_data_stay_within_the_error_bound() {
    let shape = Shape { m: 61, n: 75, k: 700, a: Layout::Transposed };
    let scaled: Vec<f64> =
        numbers(5, 700 * 75 + 61 * 700, 1 << 20).iter().map(|&x| x as f64 / f64::from(1 << 20)).collect();
    let (a, b) = scaled.split_at(61 * 700);
    let mut gemm = Gemm::new(&[0, 0]).unwrap();
    for isa in isas() {
        gemm.force(Some(isa));
        let narrow: Vec<bf16> = scaled.iter().map(|&x| bf16::from_f64(x)).collect();
        let mut c = vec![f32::NAN; 61 * 75];
        if gemm.bf16(shape, &narrow[..a.len()], &narrow[a.len()..], &mut c).is_ok() {
            close(
                &c,
                |i, j| {
                    (0..700)
                        .map(|p| (narrow[p * 61 + i].to_f64(), narrow[a.len() + p * 75 + j].to_f64()))
                        .collect()
                },
                isa,
            );
        }
        let single: Vec<f32> = scaled.iter().map(|&x| x as f32).collect();
        if gemm.f32(shape, &single[..a.len()], &single[a.len()..], &mut c).is_ok() {
            close(&c, |i, j| (0..700).map(|p| (a[p * 61 + i], b[p * 75 + j])).collect(), isa);
        }
    }
}

/// |c - r| <= 2^-24 * 2 sqrt(k) * sqrt(sum (a b)^2), the bound of the Freivalds check, per element.
fn close(c: &[f32], terms: impl Fn(usize, usize) -> Vec<(f64, f64)>, isa: Isa) {
    for (at, &value) in c.iter().enumerate() {
        let terms = terms(at / 75, at % 75);
        let exact: f64 = terms.iter().map(|(x, y)| x * y).sum();
        let size = terms.iter().map(|(x, y)| (x * y).powi(2)).sum::<f64>().sqrt();
        let bound = 2.0 * 700_f64.sqrt() * size * 2_f64.powi(-24);
        assert!((f64::from(value) - exact).abs() <= bound, "{isa} at {at}: {value} for {exact}");
    }
}

#[test]
fn a_wrong_length_is_an_error_and_leaves_c() {
    let mut gemm = Gemm::new(&[]).unwrap();
    let shape = Shape { m: 2, n: 2, k: 2, a: Layout::RowMajor };
    let mut c = [7.0; 4];
    let error = gemm.f32(shape, &[1.0; 3], &[1.0; 4], &mut c).unwrap_err();
    assert_eq!(error, GemmError::Length { operand: "a", need: 4, have: 3 });
    assert_eq!(c.map(f32::to_bits), [7.0_f32; 4].map(f32::to_bits));
    let huge = Shape { m: usize::MAX, n: 2, k: 2, a: Layout::RowMajor };
    assert!(gemm.f32(huge, &[1.0; 4], &[1.0; 4], &mut c).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]
    #[test]
    fn any_small_product_is_exact(m in 1_usize..70, n in 1_usize..70, k in 1_usize..150, seed in 0_u64..1000, transposed: bool, threads in 1_usize..4) {
        let mut gemm = Gemm::new(&vec![0; threads]).unwrap();
        gemm.limit((seed % 2 == 0).then_some(SMALL));
        let a = if transposed { Layout::Transposed } else { Layout::RowMajor };
        for isa in isas() {
            agree(&mut gemm, isa, Shape { m, n, k, a }, seed);
        }
    }
}

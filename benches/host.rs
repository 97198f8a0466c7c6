//! Our own host code: statistics, verification, start-up.
#![expect(clippy::expect_used, reason = "a bench that cannot go on has failed")]

use std::hint::black_box;
use std::process::Command;

use criterion::{Criterion, criterion_group, criterion_main};
use flopgauge::measure::statistics::rate_statistics;
use flopgauge::measure::verify::{Product, exact_integers, freivalds};
use flopgauge::precision::{Accumulate, Precision};
use flopgauge::workload::{Distribution, GemmShape, Layout, Operand, Tolerance, operand, reference};

fn statistics(criterion: &mut Criterion) {
    let times: Vec<f64> = (0..2000).map(|i| 1e-12 * (1.0 + f64::from(i % 37) / 1000.0)).collect();
    criterion.bench_function("statistics of 2000 samples", |b| b.iter(|| rate_statistics(black_box(&times))));
}

fn verification(criterion: &mut Criterion) {
    let shape = GemmShape::new(256, 256, 256).expect("a shape");
    let data = (Distribution::Integers, 1);
    let a = operand(Operand::A, shape, Layout::Nn, Precision::Fp64, data).expect("operands");
    let b = operand(Operand::B, shape, Layout::Nn, Precision::Fp64, data).expect("operands");
    let c = reference(shape, Layout::Nn, &a, &b).expect("a reference").values;
    let c = flopgauge::workload::Elements::F64(c);
    let product = Product { shape, layout: Layout::Nn, a: &a, b: &b, c: &c };
    let tolerance = Tolerance::of(Accumulate::Fp64, shape.k());
    let mut group = criterion.benchmark_group("verification of 256x256x256");
    group.bench_function("freivalds", |b| b.iter(|| freivalds(black_box(&product), tolerance, 1)));
    group.bench_function("exact integers", |b| b.iter(|| exact_integers(black_box(&product), 1)));
    group.bench_function("full reference", |b| {
        b.iter(|| reference(shape, Layout::Nn, black_box(&a), product.b))
    });
}

fn start_up(criterion: &mut Criterion) {
    let program = env!("CARGO_BIN_EXE_flopgauge");
    let mut group = criterion.benchmark_group("start-up");
    for arguments in [&["--help"][..], &["devices", "--backend", "cpu"]] {
        group.bench_function(arguments.join(" "), |b| {
            b.iter(|| Command::new(program).args(arguments).output().expect("the program starts"));
        });
    }
}

criterion_group!(benches, statistics, verification, start_up);
criterion_main!(benches);

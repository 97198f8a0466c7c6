//! Every implementation of every hardware device, driven through `iter_custom` by the device's own timer.
#![expect(clippy::expect_used, reason = "a bench that cannot go on has failed")]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use flopgauge::backend::{Search, open, probe};
use flopgauge::device::DeviceKind;
use flopgauge::workload::{Case, Distribution, GemmShape, Layout, Method, Work};

fn devices(criterion: &mut Criterion) {
    let search = Search::default();
    let found = probe(&search).expect("the backends answer");
    let devices = found.into_iter().filter_map(|probe| probe.devices.ok()).flatten();
    for device in devices.filter(|device| device.kind == DeviceKind::Hardware) {
        let mut backend = open(&search, &device.id).expect("the device opens");
        let rows = backend.implementations().to_vec();
        let mut group = criterion.benchmark_group(&device.id);
        group.sample_size(10).measurement_time(Duration::from_secs(1));
        for row in rows {
            let shape = GemmShape::new(512, 512, 512).expect("a shape");
            let work = match row.method {
                Method::Issue => Work::Issue,
                Method::Copy => Work::Copy { buffer_bytes: row.buffer_bytes.expect("a copy has a size") },
                Method::Gemm => {
                    Work::Gemm { shape, layout: Layout::Nn, input: Distribution::Normal, seed: 1 }
                }
            };
            let name = format!("{} {} {}", row.precision, row.method, row.name);
            let case =
                Case { implementation: row.name, precision: row.precision, accumulate: row.accumulate, work };
            let mut loaded = backend.load(&case).expect("the case loads");
            group.bench_function(name, |b| {
                b.iter_custom(|iterations| {
                    let batch = loaded.run(iterations).expect("the device runs");
                    Duration::from_secs_f64(batch.elapsed.get())
                });
            });
        }
    }
}

criterion_group!(benches, devices);
criterion_main!(benches);

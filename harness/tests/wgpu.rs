//! The wgpu backend on a software Vulkan driver, and its shaders through the compiler without any driver.
#![cfg(feature = "wgpu")]

mod counts;
mod mesa;
mod runs;

use flopgauge::backend::wgpu::{LOOPS, Shader, Variant, kernels, render};
use flopgauge::backend::{Backend, Implementation, Output as Values, Search, open};
use flopgauge::measure::verify;
use flopgauge::precision::{Accumulate, Precision};
use flopgauge::workload::{
    Case, Distribution, GemmShape, Layout, Method, Operand, Tolerance, Work, operand, reference,
};

const COOPERATIVE: [(u32, Precision, Accumulate); 6] = [
    (8, Precision::Fp16, Accumulate::Fp32),
    (8, Precision::Fp16, Accumulate::Fp16),
    (8, Precision::Fp32, Accumulate::Fp32),
    (16, Precision::Fp16, Accumulate::Fp32),
    (16, Precision::Fp16, Accumulate::Fp16),
    (16, Precision::Fp32, Accumulate::Fp32),
];

fn parsed(name: &str, text: &str) -> (naga::Module, naga::valid::ModuleInfo) {
    let module = naga::front::wgsl::parse_str(text)
        .map_err(|error| format!("{name}: {}", error.emit_to_string(text)))
        .unwrap();
    let flags = naga::valid::ValidationFlags::all();
    let checked = naga::valid::Validator::new(flags, naga::valid::Capabilities::all()).validate(&module);
    let info = checked.map_err(|error| format!("{name}: {}", error.emit_to_string(text))).unwrap();
    (module, info)
}

/// Writes a shader for every API that has what it needs.
fn compile(name: &str, text: &str, (metal, direct3d): (bool, bool)) {
    let (module, info) = parsed(name, text);
    let options = naga::back::spv::Options { lang_version: (1, 6), ..Default::default() };
    naga::back::spv::write_vec(&module, &info, &options, None)
        .unwrap_or_else(|error| panic!("{name} to SPIR-V: {error}"));
    if metal {
        let options = naga::back::msl::Options {
            lang_version: (3, 1),
            fake_missing_bindings: true,
            ..Default::default()
        };
        naga::back::msl::write_string(&module, &info, &options, &Default::default())
            .unwrap_or_else(|error| panic!("{name} to MSL: {error}"));
    }
    if direct3d {
        let model = naga::back::hlsl::ShaderModel::V6_6;
        let options = naga::back::hlsl::Options { shader_model: model, ..Default::default() };
        let (mut text, pipeline) = (String::new(), Default::default());
        naga::back::hlsl::Writer::new(&mut text, &options, &pipeline)
            .write(&module, &info, None)
            .unwrap_or_else(|error| panic!("{name} to HLSL: {error}"));
    }
}

#[test]
fn every_shader_compiles_to_spirv_msl_and_where_it_can_hlsl_without_a_driver() {
    compile("the probe of loops", LOOPS, (true, true));
    for kernel in kernels(&COOPERATIVE, 32) {
        for (counted, transposed) in [(false, false), (true, false), (false, true), (true, true)] {
            let text = render(&kernel, Variant { counted, transposed }).unwrap();
            // Metal has no binary64, and matrices of 8x8 only; the writer of HLSL has no matrices.
            let metal = kernel.precision != Precision::Fp64 && kernel.size != 16;
            compile(&kernel.name, &text, (metal, kernel.size == 0));
        }
    }
}

#[test]
fn every_name_is_one_row_of_its_format() {
    let rows = kernels(&COOPERATIVE, 32);
    let names: std::collections::BTreeSet<_> =
        rows.iter().map(|row| (row.name.clone(), row.precision, row.accumulate)).collect();
    assert_eq!(names.len(), rows.len());
    assert!(rows.iter().any(|row| row.shader == Shader::Coop));
}

/// The first software device, where there must be one or happens to be one. A driver that ends loops early, as Mesa
/// 22 does, does not open.
fn software() -> Option<Box<dyn Backend>> {
    let found = open(&Search::default(), "wgpu:0").map_err(|error| println!("{error}")).ok();
    let found = found.filter(|backend| backend.device().kind == flopgauge::device::DeviceKind::Software);
    if found.is_none() {
        crate::filing_readers::skip("FLOPGAUGE_REQUIRE_VULKAN", "a software Vulkan device");
    }
    found
}

#[test]
fn every_tiling_of_every_precision_agrees_with_the_reference_on_square_and_ragged_shapes() {
    let Some(mut backend) = software() else { return };
    for row in backend.implementations().to_vec() {
        if row.method == Method::Gemm {
            // Compiling takes most of the time; one tiling of every other format has to do for a transposed A.
            agrees(
                backend.as_mut(),
                &row,
                if transposed(&row) { &[Layout::Nn, Layout::Tn] } else { &[Layout::Nn] },
            );
        }
    }
}

/// Each element of products of a row against the reference.
fn agrees(backend: &mut dyn Backend, row: &Implementation, layouts: &[Layout]) {
    for (m, n, k) in [(1, 1, 1), (64, 64, 64), (67, 91, 83), (130, 257, 57)] {
        let shape = GemmShape::new(m, n, k).unwrap();
        for layout in layouts.iter().copied() {
            for input in [Distribution::Normal, Distribution::Integers] {
                let work = Work::Gemm { shape, layout, input, seed: 3 };
                let (implementation, precision, accumulate) =
                    (row.name.clone(), row.precision, row.accumulate);
                let case = Case { implementation, precision, accumulate, work };
                let mut loaded = backend.load(&case).unwrap();
                loaded.run(1).unwrap();
                let Values::Matrix(c) = loaded.output().unwrap() else { panic!("no product") };
                let data = |which| operand(which, shape, layout, precision, (input, 3)).unwrap();
                let right = reference(shape, layout, &data(Operand::A), &data(Operand::B)).unwrap();
                let what = format!("{} {precision} {accumulate} {shape} {layout:?} {input}", row.name);
                let found = verify::elements(shape, &c, &right, Tolerance::of(accumulate, shape.k()));
                assert!(found.is_ok(), "{what}: {found:?}");
                if input == Distribution::Integers && accumulate != Accumulate::Fp16 {
                    let same = c.to_f64().iter().zip(&right.values).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{what}: not exact");
                }
            }
        }
    }
}

/// Rows of which a transposed A is tried.
fn transposed(row: &Implementation) -> bool {
    let every = matches!(row.precision, Precision::Fp32 | Precision::Int8) || row.name.starts_with("coop");
    every || row.name.starts_with("direct-8x64") || row.name.starts_with("tiled-32x64")
}

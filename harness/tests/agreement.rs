//! Every implementation of every hardware device against the reference, and a record that is read for ever.

use std::path::Path;

use flopgauge::backend::{Backend, Implementation, OpenOptions, Output, Search, open};
use flopgauge::measure::verify;
use flopgauge::record::Record;
use flopgauge::workload::{
    Case, Distribution, Elements, GemmShape, Layout, Method, Operand, Tolerance, Work, operand, reference,
};

const SHAPES: [(u64, u64, u64); 4] = [(1, 1, 1), (67, 91, 83), (130, 33, 257), (5, 200, 1)];

fn cpu(threads: Option<usize>) -> Box<dyn Backend> {
    open(&Search { options: OpenOptions { threads }, ..Search::default() }, "cpu:0").unwrap()
}

fn product(backend: &mut dyn Backend, row: &Implementation, work: Work) -> Elements {
    let implementation = row.name.clone();
    let case = Case { implementation, precision: row.precision, accumulate: row.accumulate, work };
    let mut loaded = backend.load(&case).unwrap();
    loaded.run(1).unwrap();
    match loaded.output().unwrap() {
        Output::Matrix(elements) => elements,
        Output::Accumulators { .. } | Output::Copied(_) => unreachable!("{} gives no product", row.name),
    }
}

fn agree(
    backend: &mut dyn Backend,
    row: &Implementation,
    shape: GemmShape,
    layout: Layout,
    input: Distribution,
) {
    let c = product(backend, row, Work::Gemm { shape, layout, input, seed: 3 });
    let data = |which| operand(which, shape, layout, row.precision, (input, 3)).unwrap();
    let expected = reference(shape, layout, &data(Operand::A), &data(Operand::B)).unwrap();
    let tolerance = Tolerance::of(row.accumulate, shape.k());
    let found = verify::elements(shape, &c, &expected, tolerance);
    assert!(found.is_ok(), "{} {} {shape} {layout:?} {input}: {found:?}", row.name, row.precision);
}

#[test]
fn every_product_of_the_cpu_agrees_with_the_reference_in_both_layouts_on_one_thread_and_all() {
    for threads in [Some(1), None] {
        let mut backend = cpu(threads);
        let rows = backend.implementations().to_vec();
        for row in rows.iter().filter(|row| row.method == Method::Gemm) {
            for (m, n, k) in SHAPES {
                let shape = GemmShape::new(m, n, k).unwrap();
                for layout in [Layout::Nn, Layout::Tn] {
                    for input in [Distribution::Normal, Distribution::Uniform, Distribution::Integers] {
                        agree(backend.as_mut(), row, shape, layout, input);
                    }
                }
            }
        }
    }
}

#[test]
fn every_issue_kernel_of_the_cpu_executes_the_steps_that_are_counted() {
    let mut backend = cpu(None);
    let rows = backend.implementations().to_vec();
    for row in rows.iter().filter(|row| row.method == Method::Issue) {
        let implementation = row.name.clone();
        let case =
            Case { implementation, precision: row.precision, accumulate: row.accumulate, work: Work::Issue };
        let mut loaded = backend.load(&case).unwrap();
        loaded.run(1009).unwrap();
        let Output::Accumulators { values, expected, steps } = loaded.output().unwrap() else { panic!() };
        assert_eq!(steps, 1009);
        verify::accumulators(&values, &expected, steps).unwrap();
    }
}

#[test]
fn libraries_of_the_machine_are_found_where_they_must_be() {
    let backend = cpu(Some(1));
    for library in ["openblas", "blis"] {
        let found = backend.implementations().iter().any(|row| row.name == library);
        if !found {
            assert!(std::env::var_os("FLOPGAUGE_REQUIRE_BLAS").is_none(), "{library} is not there");
            println!("skipped: {library} is not on this machine");
        }
    }
}

#[test]
fn the_record_of_version_one_is_still_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/golden/measurement-1");
    let record = Record::read(&folder).unwrap();
    let rates = record.measurements.iter().map(flopgauge::record::Row::of);
    let rates: Vec<_> = rates.map(|row| row.rate_op_per_s.unwrap().display(false)).collect();
    assert_eq!(rates, ["1.000 TFLOP/s", "900.0 GFLOP/s"]);
}

#[test]
fn a_record_that_was_cut_or_edited_is_refused_with_its_line() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/golden/measurement-1");
    let text = std::fs::read_to_string(golden.join("measurements.jsonl")).unwrap();
    let second = text.lines().nth(1).unwrap();
    let cases = [
        (text[..text.len() - 40].to_owned(), "measurements.jsonl:2:"),
        (
            text.replacen("\"steady\"", "\"stedy\"", 1).replacen("\"timer\"", "\"tiemr\"", 1),
            "unknown field `tiemr`",
        ),
        (text.replacen("measurement/1", "measurement/9", 1), "expected format"),
        (
            format!("{text}{}", second.replacen("\"iterations\":[", "\"iterations\":[7,", 1)),
            "differ in length",
        ),
        (text.replacen("\"elapsed_s\":", "\"elapsed_s\":-", 1), "measurements.jsonl:1:"),
    ];
    for (text, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(golden.join("environment.json"), folder.path().join("environment.json")).unwrap();
        std::fs::write(folder.path().join("measurements.jsonl"), text).unwrap();
        let error = Record::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

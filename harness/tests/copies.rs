//! Memory bandwidth by a copy: right values, bytes and never operations, and no way into a figure of compute.

use std::path::{Path, PathBuf};

use flopgauge::backend::{OpenOptions, Output, Search, open};
use flopgauge::measure::{Outcome, verify};
use flopgauge::record::Record;
use flopgauge::workload::{BufferSize, COPY_FORMAT, Case, Method, Work, copy_pattern};

use crate::commands::flopgauge;

const SCRIPT: &str = include_str!("scripts/copy.toml");

fn measure(script: &str, folder: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    let path = folder.join("script.toml");
    std::fs::write(&path, script).unwrap();
    let mut command = flopgauge();
    command.env("FLOPGAUGE_SCRIPT", path);
    command.args(["measure", "--device", "scripted:0", "--quick", "--out"]).arg(out(folder)).args(more);
    command.assert()
}

fn out(folder: &Path) -> PathBuf {
    folder.join("record")
}

fn text(run: &assert_cmd::assert::Assert) -> String {
    String::from_utf8_lossy(&run.get_output().stdout).into_owned()
}

#[test]
fn every_copy_of_the_cpu_moves_every_byte_on_one_thread_and_on_all() {
    for threads in [Some(1), None] {
        let search = Search { options: OpenOptions { threads }, ..Search::default() };
        let mut backend = open(&search, "cpu:0").unwrap();
        let rows: Vec<_> =
            backend.implementations().iter().filter(|row| row.method == Method::Copy).cloned().collect();
        assert!(!rows.is_empty(), "every CPU can copy");
        if cfg!(target_arch = "x86_64") {
            assert_eq!(rows.len(), 3, "non-temporal, ordinary and the C library's");
        }
        for row in rows {
            for lines in [1, 2, 65, 40_009] {
                let buffer_bytes = BufferSize::new(lines * 64).unwrap();
                let work = Work::Copy { buffer_bytes };
                let (precision, accumulate) = COPY_FORMAT;
                let case = Case { implementation: row.name.clone(), precision, accumulate, work };
                let mut loaded = backend.load(&case).unwrap();
                assert_eq!(loaded.bytes_per_iteration().unwrap().get(), 2 * 64 * lines, "read plus written");
                loaded.fill(lines).unwrap();
                let Output::Copied(before) = loaded.output().unwrap() else { panic!() };
                let pattern = copy_pattern(buffer_bytes, lines);
                assert!(
                    verify::copied(&before, &pattern).is_err(),
                    "{}: the destination is poisoned",
                    row.name
                );
                loaded.run(2).unwrap();
                let Output::Copied(after) = loaded.output().unwrap() else { panic!() };
                verify::copied(&after, &pattern).unwrap();
            }
        }
    }
}

#[test]
fn a_copy_has_bytes_and_no_operations_in_every_output() {
    let folder = tempfile::tempdir().unwrap();
    let run = measure(SCRIPT, folder.path(), &["--method", "copy"]).code(0);
    insta::assert_snapshot!("copy_table", text(&run));
    let record = Record::read(&out(folder.path())).unwrap();
    let [copy] = record.measurements.as_slice() else { panic!("one copy a device") };
    let Outcome::Measured(measured) = &copy.result else { panic!("{:?}", copy.result) };
    assert_eq!(measured.implementation.name, "fast-copy", "the fastest verified one, by trial");
    assert!(measured.headline().is_none() && measured.burst().is_none(), "no rate of operations");
    let rate = measured.bandwidth().unwrap().rate_byte_per_s;
    assert!((rate.median.get() / 3.0e12 - 1.0).abs() < 0.003 && rate.low < rate.high, "{rate:?}");
    let read = |name: &str| std::fs::read_to_string(out(folder.path()).join(name)).unwrap();
    let summary = read("summary.csv");
    let line = summary.lines().nth(1).unwrap();
    assert!(line.contains(",simulated,,,copy,fast-copy,,,,,measured,,,,,,,,"), "{line}");
    assert!(read("bandwidth.csv").lines().nth(1).unwrap().contains(",fast-copy,65536,measured,"), "{line}");
}

#[test]
fn json_gives_copies_in_bytes_apart_from_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let run = measure(SCRIPT, folder.path(), &["--method", "copy", "--json"]).code(0);
    let json: serde_json::Value = serde_json::from_str(&text(&run)).unwrap();
    assert_eq!(json["rows"][0]["rate_op_per_s"], serde_json::Value::Null);
    assert_eq!(json["rows"][0]["precision"], serde_json::Value::Null);
    assert_eq!(json["copies"][0]["theoretical_byte_per_s"], 3.35e12, "the catalogue's H100 SXM");
    assert_eq!(json["copies"][0]["memory"], true);
}

#[test]
fn without_a_choice_a_copy_comes_last_and_whoever_names_a_format_gets_none() {
    let outcomes = |more: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        measure(SCRIPT, folder.path(), more);
        let record = Record::read(&out(folder.path())).unwrap();
        record.measurements.iter().map(|m| m.request.work.method()).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&[]), [Method::Issue, Method::Gemm, Method::Copy]);
    assert_eq!(outcomes(&["--precision", "fp32"]), [Method::Issue, Method::Gemm]);
    assert_eq!(outcomes(&["--method", "copy,gemm"]), [Method::Gemm, Method::Copy]);
    assert_eq!(outcomes(&["--method", "copy", "--precision", "fp32"]), [Method::Copy]);
}

#[test]
fn a_byte_that_was_not_copied_fails_the_case() {
    for kind in ["unwritten", "wrong-value", "bit-flip"] {
        let folder = tempfile::tempdir().unwrap();
        let fault =
            format!("\n[[implementation.fault]]\nat_s = 0.0\nkind = \"{kind}\"\nelement = 63\nbit = 3\n");
        measure(
            &(SCRIPT.to_owned() + &fault),
            folder.path(),
            &["--method", "copy", "--implementation", "fast-copy"],
        )
        .code(1);
        let record = Record::read(&out(folder.path())).unwrap();
        let reason = record.measurements[0].result.reason().unwrap();
        assert!(reason.contains("byte 63 of the destination"), "{kind}: {reason}");
    }
}

#[test]
fn a_copy_within_a_cache_says_so_and_is_held_against_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let script = SCRIPT.replace("cache_bytes = 16384", "cache_bytes = 32768");
    let run = measure(&script, folder.path(), &["--method", "copy"]).code(0);
    assert!(text(&run).contains("A CACHE, NOT MEMORY"), "{}", text(&run));
    assert!(text(&run).contains("a cache was measured"), "{}", text(&run));
    let Outcome::Measured(measured) =
        &Record::read(&out(folder.path())).unwrap().measurements[0].result.clone()
    else {
        panic!()
    };
    assert_eq!(measured.working_set.unwrap().bytes.get(), 131_072, "four times and not more");
    assert!(!text(&run).contains("3.350 TB/s"));
    let folder = tempfile::tempdir().unwrap();
    let script = SCRIPT.replace("cache_bytes = 16384\n", "");
    let run = measure(&script, folder.path(), &["--method", "copy"]).code(0);
    assert!(text(&run).contains("memory or cache"), "{}", text(&run));
}

#[test]
fn a_copy_faster_than_the_memory_is_no_credible_result() {
    let folder = tempfile::tempdir().unwrap();
    let script = SCRIPT.replace("rate_byte_per_s = 3.0e12", "rate_byte_per_s = 3.4e12");
    let run = measure(&script, folder.path(), &["--method", "copy"]).code(1);
    assert!(text(&run).contains("NOT CREDIBLE"), "{}", text(&run));
}

#[test]
fn a_copy_enters_no_profile() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/golden/measurement-1");
    let folder = tempfile::tempdir().unwrap();
    measure(SCRIPT, folder.path(), &["--method", "copy"]).code(0);
    let record = out(folder.path());
    // As if the script were hardware: the rule for copies alone must stand between it and a profile.
    let lines = std::fs::read_to_string(record.join("measurements.jsonl")).unwrap();
    std::fs::write(record.join("measurements.jsonl"), lines.replace("\"simulated\"", "\"hardware\""))
        .unwrap();
    let run = flopgauge().arg("profile").arg(&record).args(["-o", "-"]).assert().code(3);
    let notes = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(notes.contains("not-compute: a copy moves bytes"), "{notes}");
    assert!(Record::read(&golden).is_ok(), "records from before there were copies are still read");
}

#[test]
fn sizes_that_cannot_be_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    for size in ["0", "100", "1e9", "-64"] {
        let buffer = format!("--buffer={size}");
        let run = measure(SCRIPT, folder.path(), &["--method", "copy", &buffer]).code(2);
        let error = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(error.contains("a multiple of 64"), "{error}");
    }
    let run = flopgauge()
        .args(["measure", "--device", "cpu:0", "--method", "copy", "--buffer", "1099511627776", "--out"])
        .arg(out(folder.path()))
        .assert()
        .code(2);
    let error = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(error.contains("give a smaller --buffer"), "{error}");
    assert!(!out(folder.path()).exists(), "nothing is written");
    let without = SCRIPT.replace("buffer_bytes = 65536\n", "");
    let run = measure(&without, folder.path(), &["--method", "copy"]).code(2);
    let error = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(error.contains("--buffer"), "{error}");
    measure(&without, folder.path(), &["--method", "copy", "--buffer", "4096"]).code(0);
}

#[test]
fn a_script_whose_copy_has_a_rate_of_operations_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let script = SCRIPT.replace("rate_byte_per_s = 1.5e12", "rate_op_per_s = 1.5e12");
    let run = measure(&script, folder.path(), &[]).code(2);
    let error = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(error.contains("script.toml:18:8: each segment of slow-copy needs rate_byte_per_s"), "{error}");
}

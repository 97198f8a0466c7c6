//! `flopgauge profile` through the real binary, on records that are made here from scripted runs.

mod bench;
mod checked;
mod refused;

use std::path::PathBuf;

use flopgauge::device::DeviceKind;
use flopgauge::profile::Profiles;
use flopgauge::workload::{Distribution, Work};
use serde_json::Value;

use self::bench::{Bench, faster, reseed, tera};
use crate::commands::flopgauge;

#[test]
fn a_profile_names_its_figures_and_lines_and_reads_back_the_same() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert_eq!(code, 0, "{told}");
    let profiles = profiles.unwrap();
    let [profile] = profiles.profiles.as_slice() else { panic!("{profiles:?}") };
    assert_eq!((profile.device.model.as_str(), profile.device.kind), ("Made-up 1", DeviceKind::Hardware));
    let [row] = profile.precisions.as_slice() else { panic!("{profile:?}") };
    assert_eq!(row.theoretical_op_per_s.unwrap().get(), 1_200_000_000_000);
    assert!((tera(row.issue_op_per_s.unwrap().median.get()) - 1.0).abs() < 0.002);
    let sustained = row.sustained_op_per_s.unwrap();
    assert!((tera(sustained.median.get()) - 0.9).abs() < 0.002);
    assert!(sustained.low <= sustained.median && sustained.median <= sustained.high);
    let figure = row.sustained.as_ref().unwrap();
    assert_eq!((figure.case.implementation.as_str(), figure.devices, figure.fastest_of), ("alpha", 1, 1));
    assert!(matches!(figure.case.work, Work::Gemm { input: Distribution::Normal, .. }));
    assert!((figure.conditions.clock_hz.unwrap().median.get() / 1.7e9 - 1.0).abs() < 1e-9);
    assert!((figure.conditions.power_w.unwrap().median.get() / 700.0 - 1.0).abs() < 1e-9);
    assert_eq!((figure.sources[0].line, profiles.method_version.as_str()), (2, "1"));
    let text = std::fs::read_to_string(bench.path("profile.json")).unwrap();
    assert_eq!(profiles.to_text().unwrap(), text, "what was read is written again byte by byte");
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["format"], "flopgauge.profile/1");
    assert_eq!(json["profiles"][0]["precisions"][0]["theoretical_op_per_s"], "1200000000000");
    for records in [&[&record] as &[&PathBuf], &[]] {
        let (code, told) = bench.check("profile.json", records);
        assert_eq!(code, 0, "{told}");
    }
}

#[test]
fn the_table_is_for_people_and_json_goes_to_stdout() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    let mut run = flopgauge();
    let run = run.arg("profile").arg(&record).arg("-o").arg(bench.path("p.json")).assert().code(0);
    insta::assert_snapshot!("profile_table", String::from_utf8_lossy(&run.get_output().stdout));
    let run = flopgauge().arg("profile").arg(&record).arg("--json").assert().code(0);
    let file = std::fs::read(bench.path("p.json")).unwrap();
    assert_eq!(run.get_output().stdout, file, "standard output and file hold the same");
    flopgauge().arg("profile").arg(&record).assert().code(2);
}

#[test]
fn two_identities_are_never_averaged_and_the_fastest_is_named() {
    let bench = Bench::new();
    let mut lines = bench.lines(1, |_| ());
    let mut other = lines[1].clone();
    reseed(&mut other, 77);
    faster(&mut other, 1.1);
    lines.push(other);
    let record = bench.write("a", &lines);
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert_eq!(code, 0, "{told}");
    let row = profiles.unwrap().profiles.remove(0).precisions.remove(0);
    let figure = row.sustained.unwrap();
    assert!((tera(row.sustained_op_per_s.unwrap().median.get()) - 0.99).abs() < 0.002);
    assert!(matches!(figure.case.work, Work::Gemm { seed: 77, .. }));
    assert_eq!((figure.fastest_of, figure.sources.len(), figure.sources[0].line), (2, 1, 3));
}

#[test]
fn two_devices_count_twice_and_one_device_in_two_runs_once() {
    let bench = Bench::new();
    let first = bench.record("first", 1, |_| ());
    let again = bench.record("again", 1, |m| faster(m, 1.02));
    let second = bench.record("second", 2, |m| faster(m, 1.11));
    let (code, profiles, told) = bench.profile(&[&first, &again, &second], &[]);
    assert_eq!(code, 0, "{told}");
    let profiles = profiles.unwrap();
    let row = &profiles.profiles[0].precisions[0];
    let figure = row.sustained.as_ref().unwrap();
    assert_eq!((figure.devices, figure.sources.len(), profiles.profiles[0].devices.len()), (2, 3, 2));
    // Devices at 0.909 and 0.999: median 0.954, apart by 0.09.
    assert!((tera(row.sustained_op_per_s.unwrap().median.get()) - 0.954).abs() < 0.002);
    assert!((figure.spread_between_devices.unwrap().get() - 0.09 / 0.954).abs() < 0.002);
    let (code, told) = bench.check("profile.json", &[&second, &first, &again]);
    assert_eq!(code, 0, "in whatever order: {told}");
    let (code, told) = bench.check("profile.json", &[&first, &second]);
    assert_eq!(code, 3, "{told}");
    assert!(
        told.contains(&format!("record {} ", again.display())) && told.contains("not among those given"),
        "{told}"
    );
}

#[test]
fn models_are_apart_in_one_file_and_in_a_directory_have_one_each() {
    let bench = Bench::new();
    let one = bench.record("one", 1, |_| ());
    let two = bench.record("two", 2, |m| m.device.model = "Made-up 2".to_owned());
    let (code, profiles, told) = bench.profile(&[&two, &one], &[]);
    assert_eq!(code, 0, "{told}");
    let models: Vec<String> = profiles.unwrap().profiles.into_iter().map(|p| p.device.model).collect();
    assert_eq!(models, ["Made-up 1", "Made-up 2"]);
    let mut run = flopgauge();
    run.arg("profile").args([&one, &two]).arg("-o").arg(bench.path("profiles/")).assert().code(0);
    for (number, record) in [(1, &one), (2, &two)] {
        let file = format!("profiles/made-up-{number}-scripted.json");
        let profiles = Profiles::read(&bench.path(&file)).unwrap();
        assert_eq!((profiles.profiles.len(), profiles.records.len()), (1, 1));
        let (code, told) = bench.check(&file, &[record]);
        assert_eq!(code, 0, "{told}");
    }
}

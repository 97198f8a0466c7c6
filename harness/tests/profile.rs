//! `flopgauge profile` through the real binary, on records that are made here from scripted runs.

use std::path::{Path, PathBuf};

use flopgauge::backend::Interference;
use flopgauge::device::{ClockBasis, DeviceKind, Finding, Severity};
use flopgauge::measure::{Measured, Outcome};
use flopgauge::profile::{Profiles, Rule};
use flopgauge::record::{Directory, Ending, Measurement, Record};
use flopgauge::units::{ExactOpRate, Ops, Seconds};
use flopgauge::workload::{Distribution, Work};
use serde_json::Value;
use uuid::Uuid;

use crate::commands::flopgauge;

/// A folder with the record of a scripted run, from which records of made-up hardware are written.
struct Bench {
    folder: tempfile::TempDir,
    scripted: Record,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/scripts/good.toml");
        let out = folder.path().join("scripted");
        let mut run = flopgauge();
        run.env("FLOPGAUGE_SCRIPT", script).args(["measure", "--device", "scripted:0", "--quick", "--out"]);
        run.arg(&out).assert().code(0);
        let scripted = Record::read(&out).unwrap();
        Self { folder, scripted }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Issue rate, then product, of device `uuid`, with `change` made to each.
    fn lines(&self, uuid: u128, change: impl Fn(&mut Measurement)) -> Vec<Measurement> {
        let mut lines = self.scripted.measurements.clone();
        for line in &mut lines {
            line.device.kind = DeviceKind::Hardware;
            line.device.model = "Made-up 1".to_owned();
            line.device.uuid = Uuid::from_u128(uuid);
            change(line);
        }
        lines
    }

    fn write(&self, name: &str, lines: &[Measurement]) -> PathBuf {
        let path = self.path(name);
        let mut environment = self.scripted.environment.clone();
        environment.host.name = Some(name.to_owned());
        let ended = environment.ended.unwrap();
        let mut directory = Directory::create(&path, environment).unwrap();
        for line in lines {
            directory.add(line).unwrap();
        }
        directory.finish(ended, Ending::Complete).unwrap();
        path
    }

    /// A record of one device.
    fn record(&self, name: &str, uuid: u128, change: impl Fn(&mut Measurement)) -> PathBuf {
        self.write(name, &self.lines(uuid, change))
    }

    /// Exit code, profiles where there are any, and what was said on stderr.
    fn profile(&self, records: &[&PathBuf], options: &[&str]) -> (i32, Option<Profiles>, String) {
        let file = self.path("profile.json");
        let _ = std::fs::remove_file(&file);
        let mut run = flopgauge();
        let run = run.arg("profile").args(records).args(options).arg("-o").arg(&file).output().unwrap();
        let told = String::from_utf8(run.stderr).unwrap();
        (run.status.code().unwrap(), file.exists().then(|| Profiles::read(&file).unwrap()), told)
    }

    fn check(&self, file: &str, records: &[&PathBuf]) -> (i32, String) {
        let mut run = flopgauge();
        let run = run.args(["profile", "--check"]).arg(self.path(file)).args(records).output().unwrap();
        (run.status.code().unwrap(), String::from_utf8(run.stderr).unwrap())
    }

    /// That every line is refused by `rule`, and nothing is written.
    fn refuses(&self, rule: &str, words: &str, change: impl Fn(&mut Measurement)) {
        let record = self.record(&format!("{rule}-{}", words.len()), 1, change);
        let (code, profiles, told) = self.profile(&[&record], &[]);
        assert_eq!((code, profiles.is_some()), (3, false), "{rule}: {told}");
        for number in [1, 2] {
            let place = format!("refused {}/measurements.jsonl:{number}: Made-up 1, fp32 ", record.display());
            let line = told.lines().find(|line| line.contains(&place)).unwrap_or_else(|| panic!("{told}"));
            assert!(line.contains(&format!(": {rule}: ")) && line.contains(words), "{line}");
        }
        assert!(told.contains("nothing could be calibrated: 2 lines refused, no file written"), "{told}");
    }
}

fn measured(line: &mut Measurement) -> &mut Measured {
    match &mut line.result {
        Outcome::Measured(measured) => measured,
        other => panic!("{other:?}"),
    }
}

/// Makes a line `factor` times as fast.
fn faster(line: &mut Measurement, factor: f64) {
    for elapsed in &mut measured(line).samples.elapsed_s {
        *elapsed = Seconds::new(elapsed.get() / factor).unwrap();
    }
}

/// Gives a product another seed, and with it another identity.
fn reseed(line: &mut Measurement, new: u64) {
    if let Work::Gemm { seed, .. } = &mut line.request.work {
        *seed = new;
    }
    measured(line).case.work = line.request.work;
}

fn tera(rate: f64) -> f64 {
    (rate / 1e9).round() / 1e3
}

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
fn what_cannot_be_calibrated_is_refused_line_by_line() {
    let bench = Bench::new();
    bench.refuses("not-hardware", "the device is simulated", |m| m.device.kind = DeviceKind::Simulated);
    bench.refuses("not-verified", "no value was checked", |m| measured(m).checks.clear());
    bench.refuses("not-steady", "still moving: clock", |m| measured(m).moving.push("clock".to_owned()));
    bench.refuses("disturbed", "0 of ", |m| {
        let between = Interference { involuntary_switches: 3, ..Interference::default() };
        measured(m).samples.interference.iter_mut().for_each(|entry| *entry = Some(between));
    });
    bench.refuses("not-measured", "failed: the device is lost", |m| {
        m.result = Outcome::Failed { error: "the device is lost".to_owned() };
    });
    bench.refuses("other-method-version", "method version 0", |m| m.method_version = "0".to_owned());
    bench.refuses("error-finding", "ECC", |m| {
        let finding = Finding::new(Severity::Error, "ecc", "ECC errors while sampling".to_owned(), None);
        measured(m).findings.push(finding);
    });
    bench.refuses("few-samples", "fewer than 30", |m| {
        let samples = &mut measured(m).samples;
        samples.start_s.truncate(29);
        samples.iterations.truncate(29);
        samples.elapsed_s.truncate(29);
        samples.interference.truncate(29);
        samples.conditions.truncate(29);
    });
    bench
        .refuses("contradiction", "implementation", |m| measured(m).case.implementation = "other".to_owned());
}

#[test]
fn software_and_failed_checks_are_refused_too() {
    let bench = Bench::new();
    bench.refuses("not-hardware", "the device is software", |m| m.device.kind = DeviceKind::Software);
    bench.refuses("not-verified", "wrong: ", |m| measured(m).checks[0].passed = false);
}

#[test]
fn a_simulated_record_of_the_real_binary_is_refused() {
    let bench = Bench::new();
    let (code, profiles, told) = bench.profile(&[&bench.path("scripted")], &[]);
    assert_eq!((code, profiles), (3, None), "{told}");
    assert_eq!(told.matches("not-hardware: the device is simulated").count(), 2, "{told}");
}

#[test]
fn a_rate_above_the_boost_peak_is_a_finding_and_no_figure() {
    let bench = Bench::new();
    let boost = |rate: u128| {
        move |m: &mut Measurement| {
            let mut peak = m.device.peaks[0].clone();
            peak.clock_basis = ClockBasis::MaximumBoost;
            peak.rate_op_per_s = ExactOpRate::new(rate);
            m.device.peaks.push(peak);
        }
    };
    bench.refuses("above-peak", "of the theoretical peak at maximum boost clock", boost(890_000_000_000));
    let record = bench.record("between", 1, boost(950_000_000_000));
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert_eq!(code, 0, "the product at 0.9e12 is possible: {told}");
    assert!(
        told.contains("measurements.jsonl:1: Made-up 1, fp32 issue by alpha-issue: above-peak: "),
        "{told}"
    );
    let row = profiles.unwrap().profiles.remove(0).precisions.remove(0);
    assert!(row.issue.is_none() && row.issue_op_per_s.is_none() && row.sustained.is_some());
    assert_eq!(row.notes, ["issue: no case was accepted"]);
}

#[test]
fn a_rate_that_the_catalogue_knows_to_be_impossible_is_refused_whatever_the_record_says() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |m| {
        m.device.model = "NVIDIA H100 80GB HBM3".to_owned();
        m.device.peaks.clear();
        // 1000 TFLOP/s of fp32 in fp32, of which an H100 has 67.
        if m.request.work == Work::Issue {
            measured(m).ops_per_iteration = Ops::new(measured(m).ops_per_iteration.get() * 1000);
        }
    });
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains(":1: NVIDIA H100 80GB HBM3, fp32 issue by alpha-issue: above-peak: 1.000 PFLOP/s"),
        "{told}"
    );
    assert_eq!(profiles.unwrap().refused[0].rule, Rule::AbovePeak);
}

#[test]
fn a_product_that_is_counted_otherwise_than_2mnk_is_refused() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |m| {
        let ops = measured(m).ops_per_iteration.get();
        measured(m).ops_per_iteration = Ops::new(ops + 1);
    });
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert!(
        told.contains("contradiction: an iteration is counted as 524289 OP and 2mnk of 64x64x64 is 524288"),
        "{told}"
    );
    assert_eq!((code, profiles.unwrap().profiles[0].precisions[0].sustained.is_none()), (0, true));
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
fn a_record_or_a_line_that_is_given_twice_counts_once() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    let copy = bench.record("copy", 1, |_| ());
    let (code, profiles, told) = bench.profile(&[&record, &record, &copy], &[]);
    assert_eq!(code, 0, "{told}");
    let profiles = profiles.unwrap();
    assert_eq!(profiles.records.len(), 2);
    assert_eq!(profiles.profiles[0].precisions[0].sustained.as_ref().unwrap().sources.len(), 1);
    assert!(
        told.contains(&format!("duplicate: the same line as {}/measurements.jsonl:1", record.display())),
        "{told}"
    );
}

#[test]
fn operands_of_another_distribution_are_left_out_unless_asked_for() {
    let bench = Bench::new();
    let mut lines = bench.lines(1, |_| ());
    let mut zeros = lines[1].clone();
    if let Work::Gemm { input, .. } = &mut zeros.request.work {
        *input = Distribution::Zeros;
    }
    measured(&mut zeros).case.work = zeros.request.work;
    faster(&mut zeros, 1.2);
    lines.push(zeros);
    let record = bench.write("a", &lines);
    let rate = |options: &[&str]| {
        let (code, profiles, told) = bench.profile(&[&record], options);
        assert_eq!(code, 0, "{told}");
        assert!(told.contains("other-input: the operands are "), "{told}");
        let profiles = profiles.unwrap();
        (profiles.input, tera(profiles.profiles[0].precisions[0].sustained_op_per_s.unwrap().median.get()))
    };
    let (normal, zeros) = (rate(&[]), rate(&["--input", "zeros"]));
    assert!(normal.0 == Distribution::Normal && (normal.1 - 0.9).abs() < 0.002, "{normal:?}");
    assert!(zeros.0 == Distribution::Zeros && (zeros.1 - 1.08).abs() < 0.002, "{zeros:?}");
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

#[test]
fn one_edited_byte_of_a_record_is_refused_by_hash() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    assert_eq!(bench.profile(&[&record], &[]).0, 0);
    for (name, needle, with, place) in [
        ("measurements.jsonl", "\"seed\":", "\"sedd\":", "measurements.jsonl:2: SHA-256"),
        ("measurements.jsonl", "alpha-issue", "alphb-issue", "measurements.jsonl:1: SHA-256"),
        ("environment.json", "\"a\"", "\"b\"", "environment.json: SHA-256"),
    ] {
        let path = record.join(name);
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, before.replacen(needle, with, 1)).unwrap();
        assert_ne!(std::fs::read_to_string(&path).unwrap(), before, "{needle}");
        let (code, told) = bench.check("profile.json", &[&record]);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(place) && told.contains("was edited or is another one"), "{told}");
        std::fs::write(&path, before).unwrap();
    }
    assert_eq!(bench.check("profile.json", &[&record]).0, 0);
}

#[test]
fn each_byte_of_a_line_counts() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    assert_eq!(bench.profile(&[&record], &[]).0, 0);
    let path = record.join("measurements.jsonl");
    let before = std::fs::read(&path).unwrap();
    for place in [0, before.len() / 3, before.len() / 2, before.len() - 2, before.len() - 1] {
        let mut edited = before.clone();
        edited[place] ^= 1;
        std::fs::write(&path, &edited).unwrap();
        let (code, told) = bench.check("profile.json", &[&record]);
        assert_eq!(code, 2, "byte {place}: {told}");
        assert!(told.contains("SHA-256 is "), "byte {place}: {told}");
    }
}

#[test]
fn a_truncated_record_is_refused_with_its_line() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    assert_eq!(bench.profile(&[&record], &[]).0, 0);
    let path = record.join("measurements.jsonl");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let (code, _, told) = bench.profile(&[&record], &[]);
    assert!(code == 2 && told.contains("measurements.jsonl:2: the line has no end"), "{code} {told}");
    std::fs::write(&path, &whole[..whole.len() - 400]).unwrap();
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert!(code == 2 && profiles.is_none() && told.contains("measurements.jsonl:2:"), "{code} {told}");
    assert!(told.contains("EOF while parsing"), "{told}");
    let (code, _, told) = bench.profile(&[&bench.path("nowhere")], &[]);
    assert!(code == 2 && told.contains("nowhere/measurements.jsonl"), "{code} {told}");
}

#[test]
fn an_edited_or_strange_profile_is_refused() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    assert_eq!(bench.profile(&[&record], &[]).0, 0);
    let file = bench.path("profile.json");
    let before = std::fs::read_to_string(&file).unwrap();
    for (needle, with, words) in [
        ("\"theoretical_op_per_s\": \"12", "\"theoretical_op_per_s\": \"13", "fp32 of Made-up 1 differs"),
        ("\"refused\"", "\"refuesd\"", "unknown field `refuesd`"),
        ("profile/1\"", "profile/2\"", "expected format = \"flopgauge.profile/1\""),
        ("\"hardware\"", "\"simulated\"", "Made-up 1 is simulated; only hardware can be calibrated"),
        ("\"devices\": 1", "\"devices\": 8", "names 8 devices and has lines of 1"),
    ] {
        std::fs::write(&file, before.replacen(needle, with, 1)).unwrap();
        let (code, told) = bench.check("profile.json", &[&record]);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(words), "{told}");
    }
    std::fs::write(&file, before).unwrap();
    std::fs::rename(&record, bench.path("moved")).unwrap();
    let (code, told) = bench.check("profile.json", &[]);
    assert!(code == 3 && told.contains("not among those given"), "{code} {told}");
    assert_eq!(bench.check("profile.json", &[&bench.path("moved")]).0, 0, "a record may be moved");
}

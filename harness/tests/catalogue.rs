//! The catalogue, its linter and the chip rules from the command line.

use std::path::PathBuf;

use serde_json::Value;

use crate::commands::flopgauge;

fn run(arguments: &[&str], code: i32) -> (String, String) {
    let run = flopgauge().args(arguments).assert().code(code);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&run.get_output().stdout), text(&run.get_output().stderr))
}

fn json(arguments: &[&str], code: i32) -> Value {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&run(&arguments, code).0).unwrap()
}

#[test]
fn the_catalogue_is_browsed_with_provenance_and_recalled_values_stand_out() {
    let (text, _) = run(&["devices", "--catalogue", "H200 NVL"], 0);
    assert!(text.contains("RECALLED") && text.contains("1545 MHz, back-computed"), "{text}");
    assert!(text.contains("[1] ") && text.contains("<https://"), "{text}");
    let all = json(&["devices", "--catalogue"], 0);
    assert_eq!(all["devices"].as_array().unwrap().len(), 77);
    assert_eq!(all["format"], "flopgauge.device-catalogue/1");
    let (text, note) = run(&["devices", "--catalogue", "no such device"], 3);
    assert!(text.is_empty() && note.contains("no such device"));
}

#[test]
fn h100_is_shown_at_both_clocks() {
    let (text, _) = run(&["devices", "--catalogue", "NVIDIA H100 80GB HBM3"], 0);
    let bf16 = text.lines().find(|line| line.contains("bf16")).unwrap();
    for part in ["989.4 TFLOP/s", "1830 MHz, published", "1.07053056 PFLOP/s"] {
        assert!(bf16.contains(part), "{bf16}");
    }
}

#[test]
fn a_part_in_no_catalogue_is_derived_and_an_unknown_architecture_is_not() {
    let found = json(&["devices", "--derive", "sm_90", "--units", "132", "--clock-mhz", "1830"], 0);
    let peaks = found["peaks"].as_array().unwrap();
    let bf16 = peaks.iter().find(|peak| peak["precision"] == "bf16").unwrap();
    assert_eq!(bf16["rate_op_per_s"], "989429760000000");
    assert_eq!(bf16["provenance"]["ops_per_clock"], 4096);
    let ada = ["devices", "--derive", "8.9", "--units", "76", "--clock-mhz", "2505"];
    assert!(run(&ada, 2).1.contains("--rate-class"));
    run(&[&ada[..], &["--rate-class", "geforce"]].concat(), 0);
    assert!(run(&["devices", "--derive", "9.9", "--units", "1", "--clock-mhz", "1"], 3).1.contains("9.9"));
    for wrong in [
        &["devices", "--derive", "9.0", "--units", "0", "--clock-mhz", "1830"][..],
        &["devices", "--derive", "9.0", "--units", "132"],
        &["devices", "--derive", "9.0", "--units", "132", "--clock-mhz", "-1"],
        &["devices", "--derive", "9.0", "--units", "132", "--clock-mhz", "0"],
        &["devices", "--derive", "9.0", "--units", "132", "--clock-mhz", "1e99"],
        &["devices", "--derive", "9.0", "--units", "132", "--clock-mhz", "NaN"],
        &["devices", "--units", "132"],
        &["devices", "--catalogue", "--check", "x.csv"],
    ] {
        run(wrong, 2);
    }
}

const HEADER: &str = "vendor,device_name,aliases,pci_device_id,form_factor,arch,rate_class,units,unit_kind,\
    boost_clock_mhz,tensor_clock_mhz,tensor_clock_basis,dtype,accumulate,dense_peak_tera,unit,\
    published_with_sparsity_and_halved,memory_gb,bandwidth_gb_s,tdp_w,die_area_mm2,interconnect_gb_s,source_title,\
    source_url,source_tier,evidence,note";

/// A table of H100 SXM and A100 rows in bf16, with the H100's figure as given.
fn table(figure: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let h100 = format!(
        "NVIDIA,NVIDIA H100 80GB HBM3,,2330,SXM5,9.0,all,132,SM,1980,1830,published,bf16,fp32,{figure},TFLOP/s,no,\
         80,3350,700,814,900,t,u,quoted,read,"
    );
    let a100 = "NVIDIA,NVIDIA A100-SXM4-80GB,,20B2,SXM4,8.0,all,108,SM,1410,,,bf16,fp32,312,TFLOP/s,no,80,2039,400,\
         826,600,t,u,quoted,read,";
    std::fs::write(&path, format!("{HEADER}\n{h100}\n{a100}\n")).unwrap();
    (folder, path)
}

#[test]
fn a_table_is_checked_and_an_error_finding_is_exit_1() {
    for (figure, rule, expected) in [
        ("1978.9", "sparse-as-dense", "989.4 TFLOP/s"),
        ("989400", "order-of-magnitude", "989.4 TFLOP/s"),
        ("0.9894", "order-of-magnitude", "989.4 TFLOP/s"),
        ("312", "copied-row", "989.4 TFLOP/s"),
    ] {
        let (_folder, path) = table(figure);
        let found = json(&["devices", "--check", path.to_str().unwrap()], 1);
        let finding = &found["findings"][0];
        assert_eq!(finding["line"], 2);
        assert_eq!(finding["device"], "NVIDIA H100 80GB HBM3");
        assert_eq!(finding["precision"], "bf16");
        assert_eq!(finding["severity"], "error");
        assert_eq!((&finding["rule"], &finding["expected"]), (&rule.into(), &expected.into()));
    }
    let (_folder, path) = table("989.4");
    let (text, _) = run(&["devices", "--check", path.to_str().unwrap()], 0);
    assert_eq!(text, "0 errors, 0 warnings, 0 notes\n");
}

#[test]
fn a_wrong_table_is_exit_2_with_file_line_and_column() {
    let (_folder, path) = table("NaN");
    let name = path.to_str().unwrap();
    let (text, error) = run(&["devices", "--check", name], 2);
    assert!(text.is_empty());
    assert!(error.contains(&format!("{name}:2:86: dense_peak_tera: 'NaN'")), "{error}");
    for (content, why) in [
        (Vec::new(), "lacks vendor"),
        (format!("{HEADER}\n").into_bytes(), "no rows"),
        (HEADER.replace("units", "unist").into_bytes(), "lacks units"),
        ([HEADER.as_bytes(), b"\n\xff\n"].concat(), "not UTF-8"),
    ] {
        std::fs::write(&path, content).unwrap();
        assert!(run(&["devices", "--check", name], 2).1.contains(why), "{why}");
    }
    run(&["devices", "--check", "/no/such/file.csv"], 2);
}

#[test]
fn a_table_is_read_from_standard_input() {
    let (_folder, path) = table("1978.9");
    let text = std::fs::read(path).unwrap();
    let run = flopgauge().args(["devices", "--check", "-"]).write_stdin(text).assert().code(1);
    assert!(String::from_utf8_lossy(&run.get_output().stdout).contains("sparse-as-dense"));
}

#[test]
fn a_chip_is_classed_under_each_dated_rule() {
    let h100 = json(&["chip", "NVIDIA H100 80GB HBM3"], 0);
    assert_eq!(h100["format"], "flopgauge.chip-determination/1");
    assert_eq!(h100["tpp"], "15831.2");
    assert_eq!(h100["governing"]["bits"], 8);
    assert_eq!(h100["class"]["3A090-2023"], "3A090.a");
    assert_eq!(h100["devices_above_1e20"]["bf16"], 101_072);
    assert!((h100["performance_density"].as_f64().unwrap() - 19.449).abs() < 0.001);
    let by_id = json(&["chip", "10de:2330"], 0);
    assert_eq!(by_id, h100);
    let (text, _) = run(&["chip", "H200 NVL"], 0);
    assert!(text.contains("RECALLED") && text.contains("not in force"), "{text}");
}

#[test]
fn declared_figures_are_classed_exactly_at_the_limit() {
    let class = |rate: &str| json(&["chip", "--peak", rate], 0)["class"]["3A090-2023"].clone();
    assert_eq!(class("int8=600e12"), "3A090.a");
    assert_eq!(class("fp16=300e12"), "3A090.a");
    assert_eq!(class("int8=599.999e12"), "undetermined");
    assert_eq!(class("fp8=600e12"), "3A090.a");
    let h20 = ["chip", "--peak", "fp16=148e12", "--peak", "int8=296e12", "--die-area", "814"];
    assert_eq!(json(&h20, 0)["tpp"], "2368");
    let rtx = ["chip", "--peak", "fp16=143e12", "--die-area", "628", "--not-datacenter"];
    assert_eq!(json(&rtx, 0)["class"]["3A090-2023"], "none");
}

#[test]
fn an_unknown_chip_is_inconclusive_and_wrong_figures_are_usage_errors() {
    for name in ["NVIDIA L4000", "H100", "NVIDIA GeForce RTX 4090 D", "10de:2339"] {
        let (text, note) = run(&["chip", name], 3);
        assert!(text.is_empty() && note.contains("unknown device"), "{name}: {note}");
    }
    assert_eq!(json(&["chip", "WSE-3"], 3)["tpp"], Value::Null);
    for wrong in [
        &["chip"][..],
        &["chip", "NVIDIA H200", "--peak", "fp16=1e15"],
        &["chip", "--peak", "fp16=989.4"],
        &["chip", "--peak", "fp16"],
        &["chip", "--peak", "fp99=1e15"],
        &["chip", "--peak", "fp16=-1e15"],
        &["chip", "--peak", "fp16=1e15", "--peak", "fp16=2e15"],
        &["chip", "--peak", "fp16=1e15", "--die-area", "0"],
        &["chip", "--peak", "fp16=1e99"],
    ] {
        run(wrong, 2);
    }
}

#[test]
fn the_examples_of_the_help_texts_work() {
    run(&["devices", "--catalogue", "H100"], 0);
    run(
        &["devices", "--derive", "8.9", "--units", "76", "--clock-mhz", "2505", "--rate-class", "geforce"],
        0,
    );
    run(&["chip", "NVIDIA H100 80GB HBM3"], 0);
    run(&["chip", "--peak", "fp16=148e12", "--peak", "int8=296e12", "--die-area", "814"], 0);
    for kind in ["chip-determination", "device-catalogue", "derived-peaks", "catalogue-check"] {
        run(&["schema", kind], 0);
    }
}

#[test]
fn the_catalogue_is_what_the_converter_makes_of_the_tables() {
    let Some(tables) = std::env::var_os("FLOPGAUGE_TABLES") else {
        println!("skipped: set FLOPGAUGE_TABLES to the folder of devices.csv and flops_per_clock.csv");
        return;
    };
    let harness = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("harness");
    let made = tempfile::tempdir().unwrap();
    for folder in ["catalogue", "rates"] {
        std::fs::create_dir(made.path().join(folder)).unwrap();
    }
    let converter = harness.join("tests/convert_catalogue.py");
    let run =
        std::process::Command::new("python3").arg(converter).arg(tables).arg(made.path()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for folder in ["catalogue", "rates"] {
        let names = |root: &std::path::Path| {
            let entries =
                std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
            let toml = |name: &std::ffi::OsString| name.to_string_lossy().ends_with(".toml");
            let mut names: Vec<_> = entries.filter(toml).collect();
            names.sort();
            names
        };
        let device = harness.join("device");
        assert_eq!(names(made.path()), names(&device));
        for name in names(&device) {
            let read =
                |root: &std::path::Path| std::fs::read_to_string(root.join(folder).join(&name)).unwrap();
            assert_eq!(read(made.path()), read(&device), "{name:?}");
        }
    }
}

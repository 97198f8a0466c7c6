//! `flopgauge compare` through the real binary on scripted devices.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::commands::flopgauge;

const SCRIPT: &str = include_str!("scripts/good.toml");
const SUSTAINED: &str = "rate_op_per_s = 0.9e12";

/// A record of what `script` says.
fn record(folder: &Path, name: &str, script: &str) -> PathBuf {
    let (path, out) = (folder.join(format!("{name}.toml")), folder.join(name));
    std::fs::write(&path, script).unwrap();
    let mut command = flopgauge();
    command.env("FLOPGAUGE_SCRIPT", path);
    command.args(["measure", "--device", "scripted:0", "--quick", "--out"]).arg(&out);
    command.output().unwrap();
    assert!(out.join("measurements.jsonl").exists(), "no record of {name}");
    out
}

/// The script with another sustained rate.
fn at(rate: &str) -> String {
    SCRIPT.replace(SUSTAINED, &format!("rate_op_per_s = {rate}"))
}

fn compared(a: &Path, b: &Path, more: &[&str], code: i32) -> (String, String) {
    let run = flopgauge().arg("compare").arg(a).arg(b).args(more).assert().code(code);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&run.get_output().stdout), text(&run.get_output().stderr))
}

fn json(a: &Path, b: &Path, code: i32) -> Value {
    serde_json::from_str(&compared(a, b, &["--json"], code).0).unwrap()
}

#[test]
fn a_record_against_itself_is_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let a = record(folder.path(), "a", SCRIPT);
    let (table, _) = compared(&a, &a, &["--fail-if-slower", "3%"], 0);
    insta::assert_snapshot!("compare_table", table);
    let found = json(&a, &a, 0);
    assert_eq!(found["format"], "flopgauge.comparison/1");
    assert_eq!(found["pairs"].as_array().unwrap().len(), 2, "{found}");
    assert!(found["pairs"].as_array().unwrap().iter().all(|pair| pair["verdict"] == "no-difference"));
    assert_eq!((&found["unpaired"], &found["environment"]), (&Value::Array(vec![]), &Value::Array(vec![])));
}

#[test]
fn a_slower_record_is_found_and_fails_only_beyond_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (record(folder.path(), "a", SCRIPT), record(folder.path(), "b", &at("0.87e12")));
    let found = json(&a, &b, 0);
    let gemm = found["pairs"].as_array().unwrap().iter().find(|p| p["verdict"] == "slower").unwrap();
    let ratio = gemm["ratio"].as_f64().unwrap();
    assert!((ratio / (0.87 / 0.9) - 1.0).abs() < 0.001, "{ratio}");
    assert!(gemm["low"].as_f64().unwrap() < ratio && ratio < gemm["high"].as_f64().unwrap());
    assert!(gemm["joint_low"].as_f64() < gemm["low"].as_f64());
    compared(&a, &b, &["--fail-if-slower", "3%"], 1);
    compared(&a, &b, &["--fail-if-slower", "4%"], 0);
    compared(&b, &a, &["--fail-if-slower", "3%"], 0);
    assert!(compared(&b, &a, &[], 0).0.contains("B is faster"));
}

#[test]
fn a_limit_inside_the_interval_is_neither_pass_nor_fail() {
    let folder = tempfile::tempdir().unwrap();
    let noisy = |rate: &str| at(rate).replace("jitter = 0.002", "jitter = 0.2");
    let (a, b) =
        (record(folder.path(), "a", &noisy("0.9e12")), record(folder.path(), "b", &noisy("0.88e12")));
    let found = json(&a, &b, 0);
    let gemm = &found["pairs"][1];
    assert!(
        gemm["joint_low"].as_f64().unwrap() < 0.97 && gemm["joint_high"].as_f64().unwrap() > 0.97,
        "{gemm}"
    );
    compared(&a, &b, &["--fail-if-slower", "3%"], 3);
    // Equal runs are not shown to be no slower at all, only to be no slower than their intervals are wide.
    compared(&a, &a, &["--fail-if-slower", "0%"], 3);
    compared(&a, &a, &["--fail-if-slower", "50%"], 0);
}

/// A copy of record `a` with one text in its measurements changed.
fn changed(folder: &Path, a: &Path, name: &str, from: &str, to: &str) -> PathBuf {
    let out = folder.join(name);
    std::fs::create_dir(&out).unwrap();
    for file in ["environment.json", "summary.csv"] {
        std::fs::copy(a.join(file), out.join(file)).unwrap();
    }
    let text = std::fs::read_to_string(a.join("measurements.jsonl")).unwrap();
    assert!(text.contains(from), "{from} is not in the record");
    std::fs::write(out.join("measurements.jsonl"), text.replace(from, to)).unwrap();
    out
}

#[test]
fn what_must_not_be_compared_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let a = record(folder.path(), "a", SCRIPT);
    for (name, from, to, reason) in [
        ("software", "\"kind\":\"simulated\"", "\"kind\":\"software\"", "A is simulated and B is software"),
        ("method", "\"method_version\":\"1\"", "\"method_version\":\"0\"", "method versions 1 and 0"),
        ("wrong", "\"passed\":true", "\"passed\":false", "B is NOT VERIFIED"),
        ("device", "6a777a67", "6a777a68", "no case of this identity"),
    ] {
        let b = changed(folder.path(), &a, name, from, to);
        let found = json(&a, &b, 3);
        assert_eq!(found["pairs"], Value::Array(vec![]), "{name}");
        let reasons: Vec<&str> =
            found["unpaired"].as_array().unwrap().iter().map(|row| row["reason"].as_str().unwrap()).collect();
        assert!(
            !reasons.is_empty() && reasons.iter().all(|said| said.contains(reason)),
            "{name}: {reasons:?}"
        );
        let (table, _) = compared(&a, &b, &[], 3);
        assert!(table.starts_with("no pair\n") && table.contains("not compared: "), "{table}");
    }
}

#[test]
fn a_case_without_its_like_is_named_and_leaves_a_limit_undecided() {
    let folder = tempfile::tempdir().unwrap();
    let a = record(folder.path(), "a", SCRIPT);
    let b = record(folder.path(), "b", &SCRIPT.replace("name = \"alpha\"", "name = \"gamma\""));
    let found = json(&a, &b, 0);
    assert_eq!(found["pairs"].as_array().unwrap().len(), 1);
    let of: Vec<&Value> = found["unpaired"].as_array().unwrap().iter().map(|row| &row["of"]).collect();
    assert_eq!(of, ["A", "B"]);
    compared(&a, &b, &["--fail-if-slower", "3%"], 3);
}

#[test]
fn a_wrong_input_is_exit_two_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let a = record(folder.path(), "a", SCRIPT);
    let (_, said) = compared(&a, &folder.path().join("absent"), &[], 2);
    assert!(said.contains("absent"), "{said}");
    for share in ["3", "-1%", "100%", "NaN%", "a%", "%", ""] {
        let (printed, said) = compared(&a, &a, &[&format!("--fail-if-slower={share}")], 2);
        assert!(printed.is_empty() && said.contains("as in 3%"), "{share}: {said}");
    }
    let cut = changed(folder.path(), &a, "cut", "\"outcome\":\"measured\"", "\"outcome\":\"measured");
    let (printed, said) = compared(&a, &cut, &[], 2);
    assert!(printed.is_empty() && said.contains("measurements.jsonl:1"), "{said}");
}

#[test]
fn every_text_of_a_record_is_escaped_in_html_and_markdown() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = SCRIPT
        .replace("name = \"alpha-issue\"", "name = \"<script>alert(1)</script>|*\"")
        .replace("Scripted good", "Scripted <img src=x>");
    let (a, b) = (record(folder.path(), "a", SCRIPT), record(folder.path(), "b", &hostile));
    for other in [&a, &b] {
        let run = |format: &str| {
            let mut command = flopgauge();
            command.current_dir(folder.path()).args(["compare", "b"]).arg(other.file_name().unwrap());
            String::from_utf8(command.args(["--format", format]).output().unwrap().stdout).unwrap()
        };
        let (html, markdown) = (run("html"), run("markdown"));
        assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"), "{html}");
        for text in [&html, &markdown] {
            assert!(text.contains("&lt;script&gt;"), "{text}");
            assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
        }
        assert!(markdown.contains("\\|\\*"), "{markdown}");
        assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("src=\""), "{html}");
    }
}

#[test]
fn a_comparison_is_written_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let (a, _) = (record(folder.path(), "a", SCRIPT), record(folder.path(), "b", &at("0.8e12")));
    let run = |more: &[&str]| {
        let mut command = flopgauge();
        command.current_dir(folder.path()).args(["compare", "a", "b"]).args(more);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    insta::assert_snapshot!("compare_html", run(&["--format", "html"]));
    insta::assert_snapshot!("compare_markdown", run(&["--format", "markdown"]));
    assert_eq!(run(&["--format", "json"]), run(&["--json"]));
    assert_eq!(run(&["--format", "terminal"]), run(&[]));
    compared(&a, &a, &["--format", "json", "--json"], 2);
    compared(&a, &a, &["--format", "pdf"], 2);
}

#[test]
fn another_accumulate_type_is_another_identity() {
    let folder = tempfile::tempdir().unwrap();
    let a = record(folder.path(), "a", SCRIPT);
    let (from, to) =
        ("\"precision\":\"fp32\",\"accumulate\":\"fp32\"", "\"precision\":\"fp32\",\"accumulate\":\"fp16\"");
    let b = changed(folder.path(), &a, "b", from, to);
    let found = json(&a, &b, 3);
    assert_eq!(found["pairs"], Value::Array(vec![]));
    let of: Vec<&Value> = found["unpaired"].as_array().unwrap().iter().map(|row| &row["of"]).collect();
    assert_eq!(of, ["A", "A", "B", "B"]);
}

#[test]
fn a_run_that_was_not_steady_says_so_beside_its_ratio() {
    let folder = tempfile::tempdir().unwrap();
    let a = record(folder.path(), "a", SCRIPT);
    let b = changed(folder.path(), &a, "b", "\"moving\":[]", "\"moving\":[\"clock changes by +1.3 %\"]");
    let words = "B is NOT STEADY: clock changes by +1.3 %";
    for format in ["terminal", "json", "markdown", "html"] {
        assert!(compared(&a, &b, &["--format", format], 0).0.contains(words), "{format}");
        assert!(!compared(&a, &a, &["--format", format], 0).0.contains("NOT STEADY"), "{format}");
    }
}

/// Several records on each side: the script with another seed is another run of the same device.
fn several(folder: &Path, name: &str, rates: &[&str]) -> Vec<PathBuf> {
    let one = |(number, rate): (usize, &&str)| record(folder, &format!("{name}{number}"), &at(rate));
    rates.iter().enumerate().map(one).collect()
}

fn compared_runs(a: &[PathBuf], b: &[PathBuf], code: i32) -> (Value, String) {
    let run = flopgauge().args(["compare", "--json", "--a"]).args(a).arg("--b").args(b).assert().code(code);
    let output = run.get_output();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), said)
}

#[test]
fn what_differs_from_run_to_run_is_in_the_interval_of_several() {
    let folder = tempfile::tempdir().unwrap();
    // Within a run rates are steady to a part of a thousand, from run to run they move by ten per cent.
    let a = several(folder.path(), "a", &["0.90e12", "0.80e12", "0.85e12"]);
    let b = several(folder.path(), "b", &["0.82e12", "0.88e12", "0.79e12"]);
    let one = json(&a[0], &b[0], 0);
    assert_eq!(one["pairs"][1]["verdict"], "slower", "one run each: nothing is known of others: {one}");
    let (found, _) = compared_runs(&a, &b, 0);
    let pair = &found["pairs"][1];
    assert_eq!((&pair["verdict"], &found["records"]), (&"no-difference".into(), &serde_json::json!([3, 3])));
    let mean = |rates: [f64; 3]| rates.map(f64::ln).iter().sum::<f64>() / 3.0;
    let ratio = (mean([0.82, 0.88, 0.79]) - mean([0.90, 0.80, 0.85])).exp();
    assert!((pair["ratio"].as_f64().unwrap() / ratio - 1.0).abs() < 0.002, "{pair}");
    assert!(pair["low"].as_f64().unwrap() < 0.9 && pair["high"].as_f64().unwrap() > 1.05, "{pair}");
    assert!(found["method"].as_str().unwrap().contains("differences from run to run are in it"));
    let slow = several(folder.path(), "slow", &["0.60e12", "0.601e12", "0.602e12"]);
    let steady = several(folder.path(), "steady", &["0.90e12", "0.901e12", "0.902e12"]);
    assert_eq!(compared_runs(&steady, &slow, 0).0["pairs"][1]["verdict"], "slower");
}

#[test]
fn one_run_against_several_and_a_run_named_twice_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let a = several(folder.path(), "a", &["0.90e12", "0.80e12"]);
    let b = several(folder.path(), "b", &["0.82e12", "0.88e12"]);
    let said = compared_runs(&a, &b[..1], 2).1;
    assert!(said.contains("A has 2 and B has 1 records") && said.contains("two or more"), "{said}");
    let said = compared_runs(&[a[0].clone(), a[0].clone()], &b, 2).1;
    assert!(said.contains("A 1 and A 2 are the same run"), "{said}");
    let said = compared_runs(&a, &[a[1].clone(), b[0].clone()], 2).1;
    assert!(said.contains("A 2 and B 1 are the same run"), "{said}");
    let other = record(folder.path(), "other", &SCRIPT.replace("name = \"alpha\"", "name = \"gamma\""));
    let (found, _) = compared_runs(&a, &[b[0].clone(), other], 0);
    let reasons: Vec<&str> =
        found["unpaired"].as_array().unwrap().iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert!(reasons.contains(&"B 2 has no case of this identity"), "{reasons:?}");
}

//! A baseline from nodes that are known to be good.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{RATE, Site, bare, fail, node_file, rate, told};
use flopgauge::accept::{Baseline, Side};
use flopgauge::precision::{Accumulate, Precision};
use flopgauge::workload::Method;

const MODEL: &str = "Scripted accelerator";

/// Nodes n1, n2, … with devices of these rates.
fn site(rates: &[f64]) -> Site {
    let site = Site::new();
    for (number, of_node) in rates.iter().enumerate() {
        site.node(&format!("n{}", number + 1), |file| rate(file, *of_node));
    }
    site
}

/// Runs it on the whole directory: exit code, stdout, stderr and the file.
fn baseline(site: &Site, more: &[&str]) -> (i32, String, PathBuf) {
    let out = site.path().join("made");
    std::fs::create_dir_all(&out).unwrap();
    let file = out.join("baseline.json");
    let mut command = bare();
    command.arg("baseline").arg(site.path()).arg("-o").arg(&file).args(more);
    let (code, stdout, stderr) = told(command);
    assert_eq!(stdout, "");
    (code, stderr, file)
}

#[test]
fn outliers_are_taken_out_until_none_is_left_and_are_named_with_the_reason() {
    // The second outlier is hidden by the first ones until they are gone.
    let mut rates: Vec<f64> = (0..20).map(|n| RATE * (1.0 + 0.004 * f64::from(n))).collect();
    rates.extend((0..6).map(|n| RATE * (0.2 + 0.02 * f64::from(n))));
    rates.push(1.19 * RATE);
    let site = site(&rates);
    let (code, stderr, file) = baseline(&site, &[]);
    assert_eq!(code, 0, "{stderr}");
    let made = Baseline::read(&file).unwrap();
    let rate = made.rate((MODEL, "scripted"), (Method::Gemm, Precision::Fp32, Accumulate::Fp32)).unwrap();
    let removed: Vec<_> = rate.removed.iter().map(|r| (r.node.as_str(), r.round, r.side)).collect();
    let slow = ["n21", "n22", "n23", "n24", "n25", "n26"].map(|node| (node, 1, Side::Slow));
    assert_eq!(removed, [&slow[..], &[("n27", 2, Side::Fast)]].concat());
    for removed in &rate.removed {
        let limit = format!("limit {:.1}", removed.score_limit.get());
        assert!(removed.reason.contains("% of the median") && removed.reason.contains(&limit), "{removed:?}");
        assert!(removed.score.unwrap() > removed.score_limit);
    }
    // The fewer are left, the further out one must lie.
    assert!(rate.removed[6].score_limit > rate.removed[0].score_limit);
    assert!(rate.score_limit > rate.removed[6].score_limit);
    assert!(stderr.contains("taken out of Scripted accelerator gemm fp32: n21 scripted:0"), "{stderr}");
    assert_eq!((rate.devices, rate.nodes, made.node_count, made.device_count), (20, 20, 27, 27));
    assert!((rate.median_op_per_s.get() / (1.038 * RATE) - 1.0).abs() < 1e-12);
    assert_eq!((made.nodes.as_str(), made.sources.len()), ("n[1-27]", 27));
}

#[test]
fn the_same_files_give_the_same_bytes_with_sorted_keys_and_their_hashes() {
    use sha2::{Digest, Sha256};
    let site = site(&[RATE; 6]);
    let text = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
    let (_, _, file) = baseline(&site, &[]);
    let first = text(&file);
    let mut listed = bare();
    listed.arg("baseline").args((1..=6).rev().map(|n| site.path().join(format!("n{n}.json"))));
    let (code, stdout, _) = told({
        listed.args(["-o", "-"]);
        listed
    });
    assert_eq!((code, &stdout), (0, &first), "in whatever order they are given");
    let value: Value = serde_json::from_str(&first).unwrap();
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let lines = first.lines().filter(|line| line.starts_with("  \""));
    assert!(lines.collect::<Vec<_>>().is_sorted(), "the text itself is sorted");
    let made = Baseline::read(&file).unwrap();
    let hash = Sha256::digest(std::fs::read(site.path().join("n3.json")).unwrap());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((made.sources[2].file.as_str(), &made.sources[2].sha256), ("n3.json", &hash));
}

#[test]
fn nodes_that_are_not_known_to_be_good_are_refused_and_nothing_is_written() {
    type Edit = fn(&mut Value);
    let cases: [(Edit, &str); 7] = [
        (|file| fail(file, "gemm_fp32"), "did not pass are not known to be good: n2"),
        (|file| file["devices"][0]["kind"] = json!("simulated"), "software or simulated devices"),
        (|file| file["devices"][0]["kind"] = json!("software"), "software or simulated devices"),
        (|file| file["simulated"] = json!(true), "software or simulated devices"),
        (
            |file| file["devices"][0]["uuid"] = node_file("n1")["devices"][0]["uuid"].clone(),
            "a device counts once",
        ),
        (|file| file["method_version"] = json!("0"), "different method versions"),
        (|file| file["tier"] = json!("full"), "different tiers"),
    ];
    for (edit, says) in cases {
        let site = site(&[RATE; 8]);
        site.node("n2", edit);
        let (code, stderr, file) = baseline(&site, &[]);
        assert!(code == 2 && stderr.contains(says), "{says}: {code} {stderr}");
        assert!(!file.exists());
    }
}

#[test]
fn a_broken_file_is_an_error_and_not_left_out() {
    let site = site(&[RATE; 8]);
    let whole = node_file("n2").to_string();
    site.write("n2.json", &whole.as_bytes()[..whole.len() / 2]);
    let (code, stderr, file) = baseline(&site, &[]);
    assert!(code == 2 && stderr.contains("n2.json:1:") && !file.exists(), "{stderr}");
    site.node("n2", |file| file["colour"] = json!(1));
    let (code, stderr, _) = baseline(&site, &[]);
    assert!(code == 2 && stderr.contains("unknown field `colour`"), "{stderr}");
}

#[test]
fn too_few_devices_give_no_baseline() {
    let few = site(&[RATE; 4]);
    let (code, stderr, file) = baseline(&few, &[]);
    assert!(code == 2 && stderr.contains("4 devices, and at least 5 are needed"), "{stderr}");
    assert!(!file.exists());
    let (code, stderr, _) = baseline(&site(&[RATE; 8]), &["--least-devices", "9"]);
    assert!(code == 2 && stderr.contains("8 devices, and at least 9"), "{stderr}");
    let mut rates = [RATE; 6];
    rates[0] = 0.1 * RATE;
    rates[1] = 0.2 * RATE;
    let (code, stderr, _) = baseline(&site(&rates), &[]);
    assert!(code == 2 && stderr.contains("without 2 outliers"), "{stderr}");
    let (code, stderr, _) = baseline(&site(&[RATE; 8]), &["--least-devices", "4"]);
    assert!(code == 2 && stderr.contains("--least-devices"), "{stderr}");
    let empty = Site::new();
    let (code, stderr, _) = baseline(&empty, &[]);
    assert!(code == 2 && stderr.contains("no node file"), "{stderr}");
}

#[test]
fn an_edited_baseline_is_read_strictly() {
    let site = site(&[RATE; 8]);
    let (_, _, file) = baseline(&site, &[]);
    let whole = std::fs::read_to_string(&file).unwrap();
    for (from, to, says) in [
        ("\"node_count\"", "\"node_counts\"", "unknown field `node_counts`"),
        ("flopgauge.baseline/1", "flopgauge.baseline/2", "flopgauge.baseline/1"),
        ("\"minimum_op_per_s\": 9", "\"minimum_op_per_s\": 99", "in order and above 0"),
        ("\"devices\": 8", "\"devices\": 4", "fewer than least_devices"),
    ] {
        assert!(whole.contains(from), "{from} is not in {whole}");
        std::fs::write(&file, whole.replacen(from, to, 1)).unwrap();
        let error = Baseline::read(&file).unwrap_err().to_string();
        assert!(error.contains("baseline.json") && error.contains(says), "{error}");
    }
}

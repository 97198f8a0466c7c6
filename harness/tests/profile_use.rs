//! Calibrated profiles where they are used: training runs and clusters.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::commands::flopgauge;

/// A profile of a made-up device, with the sustained rate as given.
fn profile(low: f64, median: f64, high: f64) -> Value {
    let rate = json!({ "low": low, "median": median, "high": high });
    let hash = "0".repeat(64);
    let uuid = "6a777a67-72ef-5ee9-9fbd-030b85f650df";
    let shape = json!({ "m": 8192, "n": 8192, "k": 8192 });
    let work = json!({ "method": "gemm", "shape": shape, "layout": "nn", "input": "normal", "seed": 1 });
    let case = json!({ "implementation": "x", "precision": "bf16", "accumulate": "fp32", "work": work });
    let source = json!({ "record": "r", "line": 1, "sha256": hash, "uuid": uuid, "rate_op_per_s": rate });
    let conditions = json!({ "clock_hz": null, "power_w": null, "temperature_c": null, "throttled": null });
    let figure = json!({ "case": case, "details": [], "fastest_of": 1, "devices": 1, "spread_between_devices": null,
        "conditions": conditions, "findings": [], "sources": [source] });
    let theoretical =
        json!({ "clock_basis": "rated", "provenance": { "from": "declared", "by": "a test" }, "note": null });
    let row = json!({ "precision": "bf16", "accumulate": "fp32", "unit": "matrix", "native": true,
        "theoretical_op_per_s": "989400000000000", "theoretical": theoretical, "issue_op_per_s": null, "issue": null,
        "sustained_op_per_s": rate, "sustained": figure, "notes": [] });
    let device = json!({ "model": "H100p", "backend": "cuda", "kind": "hardware", "architecture": null, "units": 132,
        "pci_id": null });
    let runs = json!([{ "uuid": uuid, "drivers": [], "records": ["r"] }]);
    let record = json!({ "record": "r", "started": "2026-11-24T00:00:00Z", "host": null, "version": "0.1.0",
        "commit": null, "measurements_sha256": hash, "environment_sha256": hash });
    json!({ "format": "flopgauge.profile/1", "version": "0.1.0", "commit": null, "method_version": "1",
        "input": "normal", "records": [record], "refused": [],
        "profiles": [{ "device": device, "devices": runs, "precisions": [row] }] })
}

fn run(folder: &TempDir, arguments: &[&str], code: i32) -> (String, String) {
    let mut command = flopgauge();
    command.current_dir(folder.path()).args(arguments).args(["--json", "--as-of", "2026-11-24"]);
    let run = command.assert().code(code);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&run.get_output().stdout), text(&run.get_output().stderr))
}

fn put(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

#[test]
fn a_profile_bounds_utilisation_from_above() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder, "p.json", &profile(790e12, 794.5e12, 799e12).to_string());
    let usage = "[[usage]]\ndevice = \"H100p\"\ndevice_hours = 1\nutilisation = \"profile\"\n";
    put(&folder, "run.toml", &format!("format = \"flopgauge.training/1\"\n{usage}"));
    let (text, _) = run(&folder, &["training", "run.toml", "--profile", "p.json"], 0);
    let judged: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(judged["hardware"]["high"], "2876400000000000000");
    assert_eq!(judged["hardware"]["best"], "1068552000000000000");
    put(&folder, "p.json", &profile(991e12, 992e12, 993e12).to_string());
    let (_, wrong) = run(&folder, &["training", "run.toml", "--profile", "p.json"], 2);
    assert!(wrong.contains("is above the theoretical"), "{wrong}");
}

#[test]
fn a_cluster_shows_the_measured_rate_beside_the_theoretical_one() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder, "p.json", &profile(790e12, 794.5e12, 799e12).to_string());
    let machine =
        "[[machine]]\nname = \"a\"\ncount = 2\naccelerators = [{ device = \"H100p\", count = 4 }]\n";
    let link = "[[switch]]\nname = \"s\"\n[[link]]\nfrom = \"a\"\nto = \"s\"\nrate_gbit_s = \"400\"\n";
    put(&folder, "c.toml", &format!("format = \"flopgauge.cluster/1\"\nname = \"c\"\n{machine}{link}"));
    let (text, _) = run(&folder, &["cluster", "c.toml", "--profile", "p.json"], 0);
    let judged: Value = serde_json::from_str(&text).unwrap();
    let largest = &judged["readings"]["port"]["largest"];
    assert_eq!(largest["r16_op_per_s"], "7915200000000000");
    let measured = &largest["measured_op_per_s"];
    let measured = measured.as_f64().or_else(|| measured.as_str()?.parse().ok()).unwrap();
    assert!((measured / 8.0 / 794.5e12 - 1.0).abs() < 1e-9, "{measured}");
}

#[test]
fn a_profile_with_an_unknown_key_or_of_a_simulated_device_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    put(
        &folder,
        "run.toml",
        "format = \"flopgauge.training/1\"\n[[usage]]\ndevice = \"H100p\"\ndevice_hours = 1\n",
    );
    let good = profile(790e12, 794.5e12, 799e12).to_string();
    for (from, to, words) in [
        ("\"refused\"", "\"refusde\"", "unknown field `refusde`"),
        ("\"hardware\"", "\"simulated\"", "only hardware can be calibrated"),
    ] {
        put(&folder, "p.json", &good.replacen(from, to, 1));
        let (_, error) = run(&folder, &["training", "run.toml", "--profile", "p.json"], 2);
        assert!(error.contains(words), "{error}");
    }
}

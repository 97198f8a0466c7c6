//! Single checks of `flopgauge accept`, each with what makes it pass, fail, and be unknown.

use crate::acceptance::{GOOD, SPEC, accept, judged, node, verdict};
use flopgauge::accept::{CheckResult, NodeFile, Verdict};

/// The check of the only device, or of the node.
fn check(file: &NodeFile, name: &str) -> CheckResult {
    let all = file.checks.iter().chain(file.devices.iter().flat_map(|device| &device.checks));
    all.into_iter().find(|check| check.check == name).expect(name).clone()
}

/// A device whose rate falls in steps while it is sampled: by `share` over ten seconds of its time.
fn falling(share: f64) -> String {
    let start = GOOD.find("[[implementation.segment]]").unwrap();
    let segment = |step: u32| {
        let rate = 0.9e12 * (1.0 - share * (f64::from(step) / 100.0));
        let until =
            if step < 400 { format!("until_s = {}\n", 0.1 * f64::from(step + 1)) } else { String::new() };
        let text =
            GOOD[start..].replace("rate_op_per_s = 0.9e12", &format!("{until}rate_op_per_s = {rate:e}"));
        text + "\n"
    };
    GOOD[..start].to_owned() + &(0..=400).map(segment).collect::<String>()
}

const FULL: [&str; 4] = ["--tier", "full", "--time-limit", "60"];

#[test]
fn a_rate_that_falls_while_it_is_sampled_fails_and_one_that_is_flat_passes() {
    let spec = format!("{SPEC}max_trend = 0.01\n").replace("0.8", "0.1");
    let (code, file) = judged(&spec, GOOD, &FULL);
    let trend = check(&file, "trend_gemm_fp32");
    assert_eq!((code, trend.verdict), (0, Verdict::Pass), "{}", trend.reason);
    let (code, file) = judged(&spec, &falling(0.2), &FULL);
    let trend = check(&file, "trend_gemm_fp32");
    assert_eq!((code, trend.verdict), (1, Verdict::Fail), "{}", trend.reason);
    let found = trend.value.unwrap().number();
    assert!((0.04..0.2).contains(&found), "{found} {}", trend.reason);
}

#[test]
fn a_trend_that_nobody_could_see_is_inconclusive_and_a_short_look_says_that_it_did_not_look() {
    let spec = format!("{SPEC}max_trend = 0.01\n");
    let few = GOOD.replace("sample_s = 0.01", "sample_s = 0.5");
    let (code, file) = judged(&spec, &few, &FULL);
    let trend = check(&file, "trend_gemm_fp32");
    assert_eq!((code, trend.verdict), (3, Verdict::Inconclusive), "{}", trend.reason);
    assert!(trend.reason.as_str().contains("fewer than the 30"), "{}", trend.reason);
    let (code, file) = verdict(&spec, GOOD);
    assert_eq!(code, 0);
    assert_eq!(file.not_checked, ["trend_gemm_fp32: in the full tier alone"]);
}

#[test]
fn what_others_hold_of_a_device_is_inconclusive_above_the_limit_and_when_it_is_not_told() {
    let spec = format!("{SPEC}\n[limits]\nmax_foreign_memory_bytes = 1000\n");
    let with = |bytes: u64, count: u32| {
        let told = format!("throttle = 0\nforeign_memory_bytes = {bytes}\nforeign_processes = {count}\n");
        GOOD.replace("throttle = 0\n", &told)
    };
    for (spec, script, code) in [
        (&*spec, with(1000, 1), 0),
        (&*spec, with(1001, 1), 3),
        (&*spec, GOOD.to_owned(), 3),
        (SPEC, with(0, 0), 0),
        (SPEC, with(10, 1), 3),
    ] {
        let (found, file) = verdict(spec, &script);
        assert_eq!(found, code, "{spec}{script}{}", file.reason);
        let verdict = check(&file, "foreign_load").verdict;
        assert_eq!(verdict == Verdict::Pass, code == 0, "{}", file.reason);
    }
    // A slow device beside others is not known to be slow.
    let slow = with(1001, 1).replace("0.9e12", "0.6e12");
    assert_eq!(verdict(&spec, &slow).0, 3);
}

#[test]
fn a_device_that_is_slow_while_it_is_throttled_is_not_known_to_be_slow() {
    let slow = GOOD.replace("0.9e12", "0.6e12").replace("throttle = 0", "throttle = 64");
    assert_eq!(verdict(SPEC, &slow).0, 3);
    let allowed = format!("{SPEC}\n[limits]\nallow_throttle = true\n");
    assert_eq!(verdict(&allowed, &slow).0, 1);
}

#[test]
fn samples_on_both_sides_of_the_limit_decide_nothing_where_they_are_uneven_or_not_steady() {
    // The limit is 0.8e12.
    let of = |rate: &str, jitter: &str| {
        GOOD.replace("0.9e12", rate).replace("jitter = 0.001", &format!("jitter = {jitter}"))
    };
    for (script, code) in [
        (of("0.85e12", "0.15"), 3),
        (of("0.75e12", "0.15"), 3),
        (of("0.95e12", "0.08"), 0),
        (of("0.6e12", "0.08"), 1),
    ] {
        let (found, file) = verdict(SPEC, &script);
        let rate = check(&file, "gemm_fp32");
        assert_eq!(found, code, "{} {script}", rate.reason);
        assert_eq!(rate.reason.as_str().contains("both sides"), code == 3, "{}", rate.reason);
        assert!(rate.value.is_some() && rate.limit.is_some());
    }
}

#[test]
fn every_accepted_device_has_had_its_values_checked() {
    let (_, file) = verdict(SPEC, GOOD);
    assert_eq!(check(&file, "values").verdict, Verdict::Pass);
    // Before it is timed a single low bit is seen, after it one that matters.
    for (at, bit) in [("0.0", 3), ("1.0", 26)] {
        let kind = "kind = \"bit-flip\"\nelement = 77";
        let flip = format!("\n[[implementation.fault]]\nat_s = {at}\n{kind}\nbit = {bit}\n");
        let (code, file) = verdict(SPEC, &format!("{GOOD}{flip}"));
        assert_eq!((code, check(&file, "gemm_fp32").verdict), (1, Verdict::Fail), "{}", file.reason);
    }
}

#[test]
fn the_duration_bounds_the_load_and_what_its_last_round_has_no_time_for_is_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let slow = format!("{GOOD}\n[[implementation.fault]]\nat_s = 0.0\nkind = \"hang\"\n");
    let (code, _, stderr) = accept(folder.path(), SPEC, &slow, &["--tier", "full", "--duration", "1"]);
    assert_eq!(
        (code, node(folder.path()).cut_short.as_deref()),
        (3, Some("the duration is over")),
        "{stderr}"
    );
    // Without that bound it would hang until the silence of a minute.
    let (code, file) = judged(SPEC, GOOD, &["--duration", "10"]);
    assert_eq!((code, file.cut_short.as_deref()), (0, None), "{}", file.reason);
    assert!(!file.devices[0].figures.is_empty());
}

/// A baseline of the scripted device at a rate, with sums in a format.
fn baseline(rate: &str, accumulate: &str, method: &str) -> String {
    format!(
        r#"{{"format": "flopgauge.baseline/1", "version": "0", "commit": null, "method_version": "{method}",
        "nodes": "n[1-8]", "node_count": 8, "device_count": 8, "least_devices": 5, "least_score_limit": 3.5,
        "least_share_of_rate": 0.01, "sources": [], "facts": [], "rates": [{{"model": "Scripted accelerator",
        "backend": "scripted", "method": "gemm", "precision": "fp32", "accumulate": "{accumulate}", "devices": 8,
        "nodes": 8, "minimum_op_per_s": {rate}, "median_op_per_s": {rate}, "maximum_op_per_s": {rate},
        "median_deviation_op_per_s": 1e9, "score_limit": 8.28, "removed": []}}]}}"#
    )
}

#[test]
fn a_baseline_is_a_floor_for_the_same_case_alone() {
    let folder = tempfile::tempdir().unwrap();
    let spec = SPEC.replace("min_fraction_of_theoretical = 0.8", "baseline = \"good.json\"");
    let wider = format!("{spec}max_below_baseline = 0.2\n");
    let version = verdict(SPEC, GOOD).1.method_version;
    for (spec, text, code) in [
        (&spec, baseline("0.94e12", "fp32", &version), 0),
        (&spec, baseline("0.96e12", "fp32", &version), 1),
        (&wider, baseline("0.96e12", "fp32", &version), 0),
        (&spec, baseline("0.94e12", "fp16", &version), 3),
        (&spec, baseline("0.94e12", "fp32", "0"), 3),
        (&spec, baseline("0.94e12", "fp32", &version).replace("Scripted acc", "Another acc"), 3),
    ] {
        std::fs::write(folder.path().join("good.json"), &text).unwrap();
        let (found, _, stderr) = accept(folder.path(), spec, GOOD, &[]);
        let check = check(&node(folder.path()), "gemm_fp32");
        assert_eq!(found, code, "{text} {} {stderr}", check.reason);
        assert_eq!(check.limit.is_some(), code != 3, "{}", check.reason);
    }
}

#[test]
fn a_baseline_that_cannot_be_read_is_refused_before_anything_is_measured() {
    let spec = SPEC.replace("min_fraction_of_theoretical = 0.8", "baseline = \"good.json\"");
    for (text, said) in [
        (None, "spec.toml:11:13: baseline: cannot read "),
        (Some("{\"format\": \"flopgauge.baseline/1\",\n\"colour\": 1}"), "good.json:2:"),
        (Some("{\"format\": \"flopgauge.profile/1\"}"), "good.json: format is"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            std::fs::write(folder.path().join("good.json"), text).unwrap();
        }
        let (code, _, stderr) = accept(folder.path(), &spec, GOOD, &[]);
        assert!(code == 2 && stderr.contains(said), "{code} {stderr}");
        assert!(!folder.path().join("out").exists());
    }
}

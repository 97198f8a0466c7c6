//! Whole runs of `flopgauge accept`: nodes with no, two, lost or partial devices, workers that die, disks that are
//! full, jobs that share a directory, monitors.

use crate::acceptance::{GOOD, SPEC, accept, node, verdict};
use crate::commands::flopgauge;
use flopgauge::accept::Verdict;

/// The verdict on a node of these devices.
pub(crate) fn of_devices(spec: &str, scripts: &[&str]) -> (i32, flopgauge::accept::NodeFile) {
    let folder = tempfile::tempdir().unwrap();
    let spec_file = folder.path().join("spec.toml");
    std::fs::write(&spec_file, spec).unwrap();
    let paths: Vec<String> = (0..)
        .zip(scripts)
        .map(|(index, script)| {
            let path = folder.path().join(format!("{index}.toml"));
            std::fs::write(&path, script).unwrap();
            path.to_str().unwrap().to_owned()
        })
        .collect();
    let mut command = flopgauge();
    command.env("FLOPGAUGE_SCRIPT", paths.join(":")).args(["accept", "--tier", "smoke", "--node", "n1"]);
    let run = command.arg("--spec").arg(spec_file).arg("--out").arg(folder.path().join("out")).output();
    (run.unwrap().status.code().unwrap(), node(folder.path()))
}

#[test]
fn devices_of_one_model_that_differ_too_much_fail_the_node() {
    let spread = |most: &str| format!("{SPEC}max_spread_across_devices = {most}\n");
    let slower = GOOD.replace("0.9e12", "0.85e12");
    for (most, second, code) in [("0.02", GOOD, 0), ("0.02", &slower, 1), ("0.2", &slower, 0)] {
        let (found, file) = of_devices(&spread(most), &[GOOD, second]);
        assert_eq!(found, code, "{}", file.reason);
        let check = file.checks.iter().find(|check| check.check == "spread_gemm_fp32").unwrap();
        assert_eq!(check.verdict == Verdict::Pass, code == 0);
    }
    // One whose rate is not known leaves the spread unknown.
    let lost = format!("{GOOD}\n[[implementation.fault]]\nat_s = 0.0\nkind = \"crash\"\n");
    let (_, file) = of_devices(&spread("0.02"), &[GOOD, &lost]);
    let check = file.checks.iter().find(|check| check.check == "spread_gemm_fp32").unwrap();
    assert_eq!(check.verdict, Verdict::Inconclusive);
    assert_eq!(file.devices[0].verdict, Verdict::Pass, "the other device keeps its own verdict");
}

#[test]
fn a_node_without_a_device_is_inconclusive_and_one_with_too_few_fails() {
    let hardware = SPEC.replace("\"simulated\"", "\"software\"").replace("Scripted accelerator", "*");
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, _) = accept(folder.path(), &hardware, GOOD, &["--backend", "scripted"]);
    let file = node(folder.path());
    assert_eq!((code, file.verdict), (3, Verdict::Inconclusive), "{stdout}");
    assert!(file.devices.is_empty() && file.reason.as_str().contains("no device to judge"), "{stdout}");
    let (code, file) = of_devices(&SPEC.replace("devices = 1", "devices = 3"), &[GOOD, GOOD]);
    assert_eq!((code, file.verdict), (1, Verdict::Fail), "{}", file.reason);
}

#[test]
fn a_rate_that_says_nothing_of_the_device_is_inconclusive_fast_or_slow() {
    let above = GOOD.replace("0.9e12", "1.3e12");
    let disturbed = GOOD.replace("throttle = 0", "throttle = 0\ndisturbed = true");
    for script in [&above, &disturbed] {
        let (code, file) = verdict(SPEC, script);
        assert_eq!((code, file.verdict), (3, Verdict::Inconclusive), "{}", file.reason);
    }
}

#[test]
fn a_worker_that_dies_fails_its_device_by_name() {
    let crash = format!("{GOOD}\n[[implementation.fault]]\nat_s = 0.0\nkind = \"crash\"\n");
    let (code, file) = verdict(SPEC, &crash);
    assert_eq!((code, file.verdict), (1, Verdict::Fail), "{}", file.reason);
    assert!(file.reason.as_str().contains("gemm_fp32 scripted:0"), "{}", file.reason);
}

#[test]
#[cfg(target_os = "linux")]
fn a_verdict_that_cannot_be_left_is_inconclusive_and_no_line_says_pass() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let Some(_disk) = crate::measure::small_disk(&out) else {
        assert!(std::env::var_os("FLOPGAUGE_REQUIRE_TMPFS").is_none(), "no tmpfs can be mounted");
        eprintln!("skipped: no tmpfs can be mounted here");
        return;
    };
    // Room for the file that says that it has begun, and for nothing else.
    std::fs::write(out.join("filler"), vec![0; 88 << 10]).unwrap();
    let (code, stdout, stderr) = accept(folder.path(), SPEC, GOOD, &[]);
    assert!(code == 3 && stderr.contains("No space left on device"), "{code} {stderr}");
    assert!(!stdout.contains("PASS"), "{stdout}");
    assert!(!out.join("n1.json").exists() && out.join("n1.started.json").exists());
}

#[test]
fn the_file_of_an_earlier_job_does_not_outlive_the_start_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(accept(folder.path(), SPEC, GOOD, &[]).0, 0);
    assert_eq!(node(folder.path()).run.job.as_deref(), Some("7"));
    // The next run ends at once, without any result.
    let (code, _, stderr) = accept(folder.path(), SPEC, GOOD, &["--device", "cuda:99"]);
    assert_eq!(code, 4, "{stderr}");
    for ending in ["json", "junit.xml", "prom"] {
        assert!(!folder.path().join(format!("out/n1.{ending}")).exists(), "{ending} of the earlier job");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn two_jobs_on_one_node_with_one_directory_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("s"), SPEC).unwrap();
    std::fs::write(at("slow"), format!("{GOOD}\n[[implementation.fault]]\nat_s = 0.0\nkind = \"hang\"\n"))
        .unwrap();
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("flopgauge"));
    command.env("FLOPGAUGE_SCRIPT", at("slow")).env("SLURM_JOB_ID", "6").args(["accept", "--node", "n1"]);
    command.args(["--time-limit", "600", "--spec"]).arg(at("s")).arg("--out").arg(at("out"));
    let first =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    while !at("out/n1.started.json").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // Job 7 begins while job 6 runs, and ends before it.
    assert_eq!(accept(folder.path(), SPEC, GOOD, &[]).0, 0);
    std::process::Command::new("kill").args(["-TERM", &first.id().to_string()]).status().unwrap();
    let said = first.wait_with_output().unwrap();
    let stderr = String::from_utf8(said.stderr).unwrap();
    assert!(said.status.code() == Some(3) && stderr.contains("another run of this node"), "{stderr}");
    assert_eq!(node(folder.path()).run.job.as_deref(), Some("7"));
}

#[test]
fn a_monitor_gets_its_own_exit_codes_and_one_line_first() {
    let slow = GOOD.replace("0.9e12", "0.6e12");
    let mute = GOOD.replace("throttle = 0\n", "");
    for (spec, script, code, first) in [
        (SPEC, GOOD, 0, "FLOPGAUGE OK - flopgauge: "),
        (SPEC, &slow, 2, "FLOPGAUGE CRITICAL - flopgauge: simulated: gemm_fp32"),
        (SPEC, &mute, 3, "FLOPGAUGE UNKNOWN - flopgauge: "),
        ("", GOOD, 3, ""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (found, stdout, stderr) = accept(folder.path(), spec, script, &["--nagios"]);
        assert!(found == code && stdout.starts_with(first), "{found} {stdout}{stderr}");
    }
}

#[test]
fn a_spec_that_is_wrong_in_any_way_ends_before_anything_is_measured() {
    let insert = |line: &str| SPEC.replace("min_fraction_of_theoretical = 0.8\n", line);
    for (spec, said) in [
        (String::new(), "format"),
        (SPEC.replace("acceptance/1", "acceptance/9"), "acceptance/1"),
        (SPEC.replace("[node]", "[node"), "spec.toml:3:"),
        (SPEC.replace("devices = 1", "devices = -1"), "spec.toml:4:11: devices"),
        (SPEC.replace("devices = 1", "devices = 0"), "spec.toml:4:1: devices"),
        (SPEC.replace("\"simulated\"", ""), "spec.toml:5:1: kinds"),
        (SPEC.replace("device = \"Scripted accelerator\"", "device = \"\""), "spec.toml:8:"),
        (SPEC.replace("fp32", "fp33"), "spec.toml:9:13: precision"),
        (SPEC.replace("gemm", "guess"), "spec.toml:10:10: method"),
        (insert(""), "exactly one of"),
        (insert("min_op_per_s = \"fast\"\n"), "spec.toml:11:16: min_op_per_s"),
        (insert("min_op_per_s = 1e12\nbaseline = \"b\"\n"), "exactly one of"),
        (insert("min_op_per_s = 1e12\nmax_below_baseline = 0.1\n"), "needs a baseline"),
        (format!("{SPEC}\n[limits]\nmax_noise = 3\n"), "max_noise"),
        (format!("{SPEC}\n[limits]\nallow_throttle = \"yes\"\n"), "spec.toml:14:18: allow_throttle"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, _, stderr) = accept(folder.path(), &spec, GOOD, &[]);
        assert!(code == 2 && stderr.contains(said), "{said}: {code} {stderr}");
        assert!(!folder.path().join("out").exists(), "{said}");
    }
}

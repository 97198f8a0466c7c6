//! Several devices of a node in `flopgauge accept`: measured at the same time, and what is known when it is cut short.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::acceptance::{GOOD, SPEC, node};
use crate::acceptance_exports::agree;
use crate::acceptance_runs::of_devices;
use flopgauge::accept::{NodeDevice, NodeFile, REASON_LIMIT, Verdict};

const HANG: &str = "\n[[implementation.fault]]\nat_s = 0.0\nkind = \"hang\"\n";

/// Begins to judge the node `n1` of job 7 with these devices.
fn begin(folder: &Path, scripts: &[&str], more: &[&str]) -> Child {
    let spec = folder.join("spec.toml");
    std::fs::write(&spec, SPEC).unwrap();
    let write = |(number, script): (usize, &&str)| {
        let path = folder.join(format!("{number}.toml"));
        std::fs::write(&path, script).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let paths: Vec<String> = scripts.iter().enumerate().map(write).collect();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("flopgauge"));
    command.env("FLOPGAUGE_SCRIPT", paths.join(":")).env("SLURM_JOB_ID", "7");
    command.args(["accept", "--node", "n1", "--spec"]).arg(spec).args(more);
    command
        .arg("--out")
        .arg(folder.join("out"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Its measuring processes: how many run, and how many have ended.
fn processes(child: &Child) -> (usize, usize) {
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id()));
    let state = |pid: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')').next()?.trim().chars().next()
    };
    let states: Vec<char> = children.unwrap_or_default().split_whitespace().filter_map(state).collect();
    let ended = states.iter().filter(|state| **state == 'Z').count();
    (states.len() - ended, ended)
}

/// Waits until its measuring processes are so.
#[expect(clippy::disallowed_methods, reason = "a limit on waiting, so that a broken test ends")]
fn wait_for(child: &mut Child, running: usize, ended: usize) {
    let begun = std::time::Instant::now();
    while processes(child) != (running, ended) {
        let gone = child.try_wait().unwrap();
        assert!(gone.is_none() && begun.elapsed().as_secs() < 60, "{gone:?} {:?}", processes(child));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn terminate(child: Child) -> (Option<i32>, String) {
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let ended = child.wait_with_output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stdout).unwrap())
}

/// Files of the node, and nothing that is half written.
fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder.join("out")).unwrap().flatten();
    let mut names: Vec<_> = names.map(|name| name.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const ALL: [&str; 4] = ["n1.json", "n1.junit.xml", "n1.prom", "n1.started.json"];

fn device<'a>(file: &'a NodeFile, id: &str) -> &'a NodeDevice {
    file.devices.iter().find(|device| device.id == id).unwrap()
}

#[test]
fn the_devices_of_a_node_are_measured_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let hang = format!("{GOOD}{HANG}");
    let mut child = begin(folder.path(), &[&*hang; 8], &["--tier", "smoke", "--time-limit", "600"]);
    // One after the other there would never be two, since none comes to its end.
    wait_for(&mut child, 8, 0);
    let (code, stdout) = terminate(child);
    assert_eq!(code, Some(3), "{stdout}");
    let file = node(folder.path());
    assert_eq!(file.devices.len(), 8);
    for device in &file.devices {
        assert_eq!(device.verdict, Verdict::Inconclusive, "{}", device.reason);
        assert!(device.checks.iter().any(|check| check.check == "gemm_fp32"), "{}", device.id);
    }
    agree(folder.path());
}

#[test]
fn sigterm_leaves_all_files_of_the_node_with_what_is_known() {
    for tier in ["smoke", "full"] {
        let folder = tempfile::tempdir().unwrap();
        let slow = GOOD.replace("0.9e12", "0.6e12");
        let scripts = [&*format!("{GOOD}{HANG}"), GOOD, &slow];
        let mut child = begin(folder.path(), &scripts, &["--tier", tier, "--time-limit", "600"]);
        wait_for(&mut child, 1, 2);
        let (code, stdout) = terminate(child);
        let file = node(folder.path());
        // What was measured and is wrong stays so.
        assert_eq!((code, file.verdict), (Some(1), Verdict::Fail), "{stdout}");
        assert_eq!(file.cut_short.as_deref(), Some("interrupted by SIGTERM"));
        let verdicts = ["scripted:0", "scripted:1", "scripted:2"].map(|id| device(&file, id).verdict);
        assert_eq!(verdicts, [Verdict::Inconclusive, Verdict::Pass, Verdict::Fail], "{stdout}");
        assert!(stdout.lines().last().unwrap().starts_with("VERDICT node=n1 FAIL"), "{stdout}");
        assert_eq!(files(folder.path()), ALL);
        agree(folder.path());
    }
}

#[test]
fn a_node_that_is_cut_short_is_no_pass_though_its_other_devices_are_good() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = begin(folder.path(), &[GOOD, &*format!("{GOOD}{HANG}")], &["--time-limit", "600"]);
    wait_for(&mut child, 1, 1);
    let (code, stdout) = terminate(child);
    let file = node(folder.path());
    assert_eq!((code, file.verdict), (Some(3), Verdict::Inconclusive), "{stdout}");
    assert_eq!(device(&file, "scripted:0").verdict, Verdict::Pass);
    agree(folder.path());
}

#[test]
fn the_deadline_leaves_all_files_of_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let hang = format!("{GOOD}{HANG}");
    let child = begin(folder.path(), &[&*hang, &*hang], &["--tier", "smoke", "--time-limit", "4"]);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(3));
    let file = node(folder.path());
    assert_eq!(file.cut_short.as_deref(), Some("the time limit is reached"));
    assert_eq!((files(folder.path()), file.devices.len()), (ALL.map(str::to_owned).to_vec(), 2));
    agree(folder.path());
}

#[test]
fn a_device_that_cannot_do_what_is_asked_takes_nothing_from_the_others() {
    let spec = SPEC.replace("Scripted accelerator", "*");
    let other = GOOD.replace("fp32", "fp16").replace("Scripted accelerator", "Scripted stranger");
    let (code, file) = of_devices(&spec, &[&*other, GOOD]);
    assert_eq!((code, file.verdict), (3, Verdict::Inconclusive), "{}", file.reason);
    let verdicts = ["scripted:0", "scripted:1"].map(|id| device(&file, id).verdict);
    assert_eq!(verdicts, [Verdict::Inconclusive, Verdict::Pass], "{}", file.reason);
}

#[test]
fn one_device_is_no_plural_in_any_word_of_the_node() {
    for (spec, scripts) in [
        (SPEC.to_owned(), vec![GOOD]),
        (SPEC.replace("devices = 1", "devices = 2"), vec![GOOD]),
        (SPEC.to_owned(), vec![GOOD, GOOD]),
    ] {
        let (_, file) = of_devices(&spec, &scripts);
        let text = serde_json::to_string(&file).unwrap();
        for wrong in ["\"1 devices", " 1 devices", " 1 checks", " 1 cases", " 1 ways"] {
            assert!(!text.contains(wrong), "{wrong}: {text}");
        }
    }
}

/// Every text under a key `reason`.
fn reasons(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            found.extend(map.get("reason").and_then(|reason| reason.as_str()).map(str::to_owned));
            map.values().for_each(|value| reasons(value, found));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| reasons(value, found)),
        _ => {}
    }
}

#[test]
fn the_reasons_of_a_node_and_of_its_fleet_are_short_however_long_a_model_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let named = |script: &str| script.replace("Scripted accelerator", &"ä very long näme ".repeat(40));
    let stranger = named(&GOOD.replace("fp32", "fp64"));
    let scripts = [&*named(GOOD), &*stranger, &*format!("{}{HANG}", named(GOOD))];
    let child = begin(folder.path(), &scripts, &["--tier", "smoke", "--time-limit", "3"]);
    let ended = child.wait_with_output().unwrap();
    let last = String::from_utf8(ended.stdout).unwrap().lines().last().unwrap().to_owned();
    let (_, reason) = last.strip_suffix('"').unwrap().split_once(" reason=\"").unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("flopgauge"));
    command.arg("collect").arg(folder.path().join("out")).args(["--expect", "n1,n2", "--job", "7"]);
    assert_eq!(command.output().unwrap().status.code(), Some(3));
    let mut all = vec![reason.to_owned()];
    for name in ["n1.json", "fleet.json"] {
        let text = std::fs::read_to_string(folder.path().join("out").join(name)).unwrap();
        reasons(&serde_json::from_str(&text).unwrap(), &mut all);
    }
    assert!(all.len() > 10, "{all:?}");
    for reason in all {
        let length = reason.chars().count();
        assert!((1..=REASON_LIMIT).contains(&length) && !reason.contains(['\n', '"']), "{length} {reason}");
    }
}

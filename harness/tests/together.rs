//! Several devices of a node at the same time: all begin, a hang or crash takes nothing from the others, and the slow one
//! is named.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::commands::flopgauge;

fn scripts(names: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/scripts");
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(":")
}

/// Options that name every device of these scripts.
fn devices(names: &[&str]) -> Vec<String> {
    let all = (0..names.len()).flat_map(|number| ["--device".to_owned(), format!("scripted:{number}")]);
    ["measure".to_owned(), "--quick".to_owned()].into_iter().chain(all).collect()
}

fn measure(names: &[&str], out: &Path) -> assert_cmd::Command {
    let mut command = flopgauge();
    command.env("FLOPGAUGE_SCRIPT", scripts(names)).args(devices(names)).arg("--out").arg(out);
    command
}

/// Outcomes of a record, each with its device.
fn outcomes(out: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(out.join("measurements.jsonl")).unwrap_or_default();
    // The last line may still be on its way.
    let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    lines.map(|line| (word(&line["device"]["id"]), word(&line["result"]["outcome"]))).collect()
}

fn of(outcomes: &[(String, String)], device: &str) -> Vec<String> {
    outcomes.iter().filter(|(id, _)| id == device).map(|(_, outcome)| outcome.clone()).collect()
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a limit on waiting, so that a broken test ends")]
fn every_device_begins_before_any_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let names = ["hang-in-second.toml"; 3];
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("flopgauge"));
    command.env("FLOPGAUGE_SCRIPT", scripts(&names)).args(devices(&names)).arg("--out").arg(&out);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    // Each hangs after its first case: one after the other, the second would never have one.
    while outcomes(&out).len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", outcomes(&out));
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(ended.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    for number in 0..3 {
        let of = of(&outcomes(&out), &format!("scripted:{number}"));
        assert_eq!(of, ["measured", "skipped", "skipped", "skipped"], "scripted:{number}");
    }
    assert_eq!(stderr(&output).matches("interrupted by SIGTERM").count(), 1, "{}", stderr(&output));
}

#[test]
fn a_hang_is_named_and_takes_nothing_from_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let names = ["node.toml", "hang-in-second.toml", "node.toml"];
    let run = measure(&names, &out).args(["--stall-limit", "1"]).assert().code(1);
    let all = outcomes(&out);
    assert_eq!(of(&all, "scripted:0"), ["measured", "measured"]);
    assert_eq!(of(&all, "scripted:1"), ["measured", "failed", "skipped", "skipped"]);
    assert_eq!(of(&all, "scripted:2"), ["measured", "measured"]);
    let text = stderr(run.get_output());
    assert!(text.contains("cut short: the measuring process of scripted:1 died: no sign of life"), "{text}");
    assert!(!text.contains("straggler"), "{text}");
}

#[test]
fn a_crash_takes_nothing_from_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let run = measure(&["crash-in-second.toml", "node.toml"], &out).assert().code(1);
    assert_eq!(of(&outcomes(&out), "scripted:0"), ["measured", "failed", "skipped", "skipped"]);
    assert_eq!(of(&outcomes(&out), "scripted:1"), ["measured", "measured"]);
    assert!(
        stderr(run.get_output()).contains("the measuring process of scripted:0 died: killed by signal 6")
    );
}

#[test]
fn the_device_that_is_slower_than_its_like_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let names = ["node.toml", "node-slow.toml", "node.toml"];
    let run = measure(&names, &out).arg("--json").assert().code(0);
    let text = stderr(run.get_output());
    let said =
        "straggler: scripted:1 gives 80.0 % of the median of the 2 others of its model in fp32 gemm 64x64x64";
    assert!(text.contains(said), "{text}");
    assert_eq!(text.matches("straggler").count(), 1, "{text}");
    let json: serde_json::Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert_eq!(json["stragglers"][0]["device"], "scripted:1");
}

#[test]
fn of_two_devices_nobody_can_say_which_is_the_slow_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = measure(&["node.toml", "node-slow.toml"], &folder.path().join("record")).assert().code(0);
    assert!(!stderr(run.get_output()).contains("straggler"));
}

#[test]
fn what_no_device_can_is_refused_before_any_begins() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let run = measure(&["node.toml", "node.toml"], &out).args(["--method", "copy"]).assert().code(2);
    assert!(stderr(run.get_output()).contains("give the size of a buffer with --buffer"));
    assert!(!out.exists(), "something was left behind");
}

//! `flopgauge measure` through the real binary on scripted devices: outcomes, exit codes, and records that last.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::commands::flopgauge;

/// Path of a committed script.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/scripts").join(name)
}

const GOOD: &str = "good.toml";

fn measure(script_name: &str, out: &Path) -> assert_cmd::Command {
    let mut command = flopgauge();
    command.env("FLOPGAUGE_SCRIPT", script(script_name));
    command.args(["measure", "--device", "scripted:0", "--quick", "--out"]).arg(out);
    command
}

fn lines(out: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(out.join("measurements.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outcomes(out: &Path) -> Vec<String> {
    lines(out).iter().map(|line| line["result"]["outcome"].as_str().unwrap().to_owned()).collect()
}

fn stderr(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

#[test]
fn a_run_prints_its_three_figures_and_leaves_a_record_that_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let run = measure(GOOD, &out).assert().code(0);
    insta::assert_snapshot!("measure_table", String::from_utf8_lossy(&run.get_output().stdout));
    let record = flopgauge::record::Record::read(&out).unwrap();
    assert_eq!(record.measurements.len(), 2);
    let summary = std::fs::read_to_string(out.join("summary.csv")).unwrap();
    assert_eq!(
        summary.lines().next().unwrap(),
        "device,uuid,model,backend,kind,precision,accumulate,method,implementation,m,n,k,input,outcome,rate_op_per_s,\
         rate_low_op_per_s,rate_high_op_per_s,burst_op_per_s,theoretical_op_per_s,theoretical_basis,efficiency,clock_hz,\
         power_w,steady,verified,reason"
    );
    let environment = std::fs::read_to_string(out.join("environment.json")).unwrap();
    let environment: serde_json::Value = serde_json::from_str(&environment).unwrap();
    assert_eq!(environment["ending"]["how"], "complete");
}

#[test]
fn json_goes_to_stdout_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let run = measure(GOOD, &folder.path().join("record")).arg("--json").assert().code(0);
    let json: serde_json::Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert_eq!(json["format"], "flopgauge.summary/1");
    assert_eq!(json["rows"][1]["outcome"], "measured");
    assert_eq!(json["rows"][1]["kind"], "simulated");
    assert_eq!(json["rows"][1]["m"], 64);
    assert_eq!(json["rows"][1]["steady"], true);
}

#[test]
fn a_failed_case_is_exit_one_and_the_others_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let run = measure("two-rates.toml", &out).assert().code(1);
    assert_eq!(outcomes(&out), ["unsupported", "failed", "measured", "measured"]);
    let table = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
    assert!(table.contains("the device is lost: scripted loss"), "{table}");
    assert!(!table.contains("0.00 "), "nothing prints zero for what did not run: {table}");
}

#[test]
fn a_crash_of_the_measuring_process_fails_its_case_and_keeps_what_was_finished() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let run = measure("crash-in-second.toml", &out).assert().code(1);
    assert_eq!(outcomes(&out), ["measured", "failed", "skipped", "skipped"]);
    let error = lines(&out)[1]["result"]["error"].as_str().unwrap().to_owned();
    assert_eq!(
        error,
        "the measuring process of scripted:0 died during fp32 gemm 64x64x64 normal: killed by signal 6 (SIGABRT)"
    );
    assert!(stderr(&run).contains("cut short"), "{}", stderr(&run));
}

#[test]
fn a_hang_is_killed_after_the_stall_limit() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    measure("hang-in-second.toml", &out).args(["--stall-limit", "1"]).assert().code(1);
    assert_eq!(outcomes(&out), ["measured", "failed", "skipped", "skipped"]);
    let error = lines(&out)[1]["result"]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("died during fp32 gemm 64x64x64 normal: no sign of life for 1 s"), "{error}");
}

#[test]
fn a_time_limit_skips_what_was_not_done_and_is_not_a_success() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let run = measure("hang-in-second.toml", &out).args(["--time-limit", "1"]).assert().code(3);
    assert_eq!(outcomes(&out), ["measured", "skipped", "skipped", "skipped"]);
    assert!(stderr(&run).contains("cut short: the time limit is reached"), "{}", stderr(&run));
}

/// Starts a run that hangs in its second case, and waits until the first is in the record.
#[expect(clippy::disallowed_methods, reason = "a limit on waiting, so that a broken test ends")]
fn start_hanging(out: &Path) -> Child {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("flopgauge"));
    command.env("FLOPGAUGE_SCRIPT", script("hang-in-second.toml"));
    command.args(["measure", "--device", "scripted:0", "--quick", "--out"]).arg(out);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while std::fs::read_to_string(out.join("measurements.jsonl")).unwrap_or_default().lines().count() < 1 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the first case was never done");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn worker_of(parent: &Child) -> u32 {
    let path = format!("/proc/{0}/task/{0}/children", parent.id());
    let children = std::fs::read_to_string(path).unwrap();
    children.split_whitespace().next().expect("no measuring process").parse().unwrap()
}

fn signal(process: u32, name: &str) {
    assert!(
        std::process::Command::new("kill").args([name, &process.to_string()]).status().unwrap().success()
    );
}

fn finish(mut child: Child) -> (Option<i32>, String) {
    let status = child.wait().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (status.code(), text)
}

#[test]
#[cfg(target_os = "linux")]
fn killing_the_measuring_process_fails_the_case_and_keeps_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let parent = start_hanging(&out);
    signal(worker_of(&parent), "-KILL");
    let (code, _) = finish(parent);
    assert_eq!(code, Some(1));
    assert_eq!(outcomes(&out), ["measured", "failed", "skipped", "skipped"]);
    assert!(lines(&out)[1]["result"]["error"].as_str().unwrap().contains("killed by signal 9 (SIGKILL)"));
}

#[test]
#[cfg(target_os = "linux")]
fn terminating_the_parent_ends_the_record_in_order() {
    for name in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("record");
        let parent = start_hanging(&out);
        signal(parent.id(), name);
        let (code, text) = finish(parent);
        assert_eq!(code, Some(3), "{text}");
        assert_eq!(outcomes(&out), ["measured", "skipped", "skipped", "skipped"]);
        assert!(text.contains(&format!("cut short: interrupted by SIG{}", &name[1..])), "{text}");
        let environment = std::fs::read_to_string(out.join("environment.json")).unwrap();
        let environment: serde_json::Value = serde_json::from_str(&environment).unwrap();
        assert_eq!(environment["ending"]["how"], "cut-short");
    }
}

#[test]
#[cfg(unix)]
fn a_closed_stdout_loses_nothing_of_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("flopgauge"));
    command.env("FLOPGAUGE_SCRIPT", script(GOOD));
    command.args(["measure", "--device", "scripted:0", "--quick", "--out"]).arg(&out);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let (code, text) = finish(child);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(outcomes(&out), ["measured", "measured"]);
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let run = measure(GOOD, &file.join("record")).assert().code(1);
    assert!(
        stderr(&run).contains("cannot write") && stderr(&run).contains("file/record"),
        "{}",
        stderr(&run)
    );
}

#[test]
fn a_record_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    measure(GOOD, &out).assert().code(0);
    let before = std::fs::read(out.join("measurements.jsonl")).unwrap();
    let run = measure(GOOD, &out).assert().code(2);
    assert!(stderr(&run).contains("already holds a record; give another --out"), "{}", stderr(&run));
    assert_eq!(std::fs::read(out.join("measurements.jsonl")).unwrap(), before);
}

/// A file system of 64 KiB; `None` where one cannot be mounted.
#[cfg(target_os = "linux")]
pub(crate) fn small_disk(at: &Path) -> Option<Mounted> {
    let mut mount = std::process::Command::new("mount");
    let status =
        mount.args(["-t", "tmpfs", "-o", "size=96k", "tmpfs"]).arg(at).stderr(Stdio::null()).status();
    status.ok().filter(std::process::ExitStatus::success).map(|_| Mounted(at.to_owned()))
}

#[cfg(target_os = "linux")]
pub(crate) struct Mounted(PathBuf);

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_what_was_finished_stays_readable() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = small_disk(folder.path()) else {
        assert!(std::env::var_os("FLOPGAUGE_REQUIRE_TMPFS").is_none(), "no tmpfs can be mounted");
        eprintln!("skipped: no tmpfs can be mounted here");
        return;
    };
    let out = folder.path().join("record");
    let run = measure("many-samples.toml", &out).assert().code(1);
    assert!(stderr(&run).contains("No space left on device"), "{}", stderr(&run));
    let kept = lines(&out);
    assert!(!kept.is_empty(), "nothing was kept");
    flopgauge::record::Record::read(&out).unwrap();
}

#[test]
fn bad_options_are_one_line_that_says_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 12] = [
        (&["--precision", "fp33"], "unknown precision 'fp33'; one of fp64, fp32"),
        (&["--shape", "0,64,64"], "each of m, n and k must be from 1"),
        (&["--shape", "64,64"], "write M,N,K"),
        (&["--shape", "1,1,1000000000000"], "must be from 1 to 2147483647"),
        (&["--seed=-1"], "a seed is a whole number from 0"),
        (&["--seed", "-1"], "a seed is a whole number from 0"),
        (&["--thorough"], "cannot be used with"),
        (&["--threads", "0"], "a whole number from 1"),
        (&["--time-limit", "-3"], "seconds above 0"),
        (&["--time-limit", "nan"], "seconds above 0"),
        (&["--input", "random"], "unknown input 'random'; one of normal"),
        (&["--sweep", "fine", "--shape", "1,1,1"], "cannot be used with"),
    ];
    for (options, words) in cases {
        let out = folder.path().join("record");
        let run = measure(GOOD, &out).args(options).assert().code(2);
        assert!(stderr(&run).contains(words), "{options:?}: {}", stderr(&run));
        assert!(!out.exists(), "{options:?} left something behind");
    }
}

#[test]
fn a_device_or_backend_that_is_not_there_is_exit_four_or_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let mut absent = flopgauge();
    let run = absent.args(["measure", "--device", "cuda:7", "--out"]).arg(&out).assert().code(4);
    assert!(stderr(&run).contains("device 'cuda:7' is not there"), "{}", stderr(&run));
    for command in ["measure", "devices"] {
        // Where there is a GPU, none of it is shown to the program.
        let mut hidden = flopgauge();
        let run =
            hidden.env("CUDA_VISIBLE_DEVICES", "-1").args([command, "--backend", "cuda"]).assert().code(4);
        let text = String::from_utf8_lossy(&run.get_output().stdout).into_owned() + &stderr(&run);
        assert!(text.contains("driver") || text.contains("built without it"), "{text}");
    }
    let run = flopgauge().args(["measure", "--backend", "abacus"]).assert().code(2);
    assert!(stderr(&run).contains("unknown backend 'abacus'"), "{}", stderr(&run));
    let mut unnamed = flopgauge();
    unnamed
        .env("FLOPGAUGE_SCRIPT", script(GOOD))
        .args(["measure", "--backend", "scripted", "--out"])
        .arg(&out);
    let run = unnamed.assert().code(4);
    assert!(stderr(&run).contains("measured only when named"), "{}", stderr(&run));
    assert!(!out.exists());
}

#[test]
fn a_sweep_measures_many_shapes_and_closes_in() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    measure("tiny-gemm.toml", &out).args(["--sweep", "fine", "--method", "gemm"]).assert().code(0);
    assert!(lines(&out).len() > 4, "{}", lines(&out).len());
}

#[test]
fn a_broken_script_is_refused_with_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.toml");
    std::fs::write(&path, "format = \"flopgauge.script/1\"\nmodel = \"x\"\nkind = \"hardware\"\n").unwrap();
    let run = flopgauge().env("FLOPGAUGE_SCRIPT", &path).arg("devices").assert().code(2);
    assert!(stderr(&run).contains("broken.toml:3:8: unknown variant `hardware`"), "{}", stderr(&run));
}

#[test]
fn a_product_that_does_not_fit_the_memory_is_refused_with_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record");
    let mut command = flopgauge();
    command.args([
        "measure",
        "--device",
        "cpu:0",
        "--precision",
        "fp32",
        "--shape",
        "2000000,2000000,8",
        "--out",
    ]);
    let run = command.arg(&out).assert().code(2);
    let text = stderr(&run);
    assert!(text.contains("shape 2000000x2000000x8 in fp32 needs 43.66 TiB of memory"), "{text}");
    assert!(text.contains("give a smaller --shape"), "{text}");
    assert!(!out.exists());
}

#[test]
fn more_threads_than_cores_are_refused_with_the_number_there_are() {
    let run = flopgauge().args(["measure", "--device", "cpu:0", "--threads", "99999"]).assert().code(2);
    assert!(stderr(&run).contains("cannot run 99999 threads"), "{}", stderr(&run));
}

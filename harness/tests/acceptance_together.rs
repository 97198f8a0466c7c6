//! `flopgauge accept --synchronised`: four processes of a job that begin at one moment, and what can go wrong with it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::acceptance::{GOOD, SPEC};
use flopgauge::accept::{Go, NodeFile, Verdict};

/// Rank `rank` of job `job` as node `n<rank>`, started.
fn start(folder: &Path, job: &str, rank: u64, more: &[&str]) -> Child {
    // Each has its own, since another may be reading.
    let (spec, script) = (folder.join(format!("{rank}.spec")), folder.join(format!("{rank}.toml")));
    std::fs::write(&spec, SPEC).unwrap();
    std::fs::write(&script, GOOD).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("flopgauge"));
    for name in ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "JOB_COMPLETION_INDEX", "SLURM_JOB_ID"] {
        command.env_remove(name);
    }
    command.env("FLOPGAUGE_SCRIPT", script).env("RUN_ID", job).env("SLURM_PROCID", rank.to_string());
    command.args(["accept", "--tier", "smoke", "--node", &format!("n{rank}"), "--spec"]).arg(spec);
    command.arg("--out").arg(folder.join(job)).args(more);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The same with the start in `start`.
fn together(folder: &Path, job: &str, rank: u64, more: &[&str]) -> Child {
    let place = folder.join("start");
    let options = ["--synchronised", place.to_str().unwrap()];
    start(folder, job, rank, &[&options, more].concat())
}

fn node(folder: &Path, job: &str, rank: u64) -> NodeFile {
    let text = std::fs::read_to_string(folder.join(format!("{job}/n{rank}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn ended(child: Child) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn four_ranks_begin_at_one_moment_and_each_says_how_late_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let four = ["--ranks", "4"];
    let children: Vec<Child> = (0..4).map(|rank| together(folder.path(), "a", rank, &four)).collect();
    for child in children {
        let (code, stderr) = ended(child);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("step of power"), "{stderr}");
    }
    let starts: Vec<_> = (0..4).map(|rank| node(folder.path(), "a", rank).start.unwrap()).collect();
    assert!(starts.iter().all(|start| (start.ranks, &start.missing) == (4, &Vec::new())));
    assert!(starts.iter().all(|start| start.at == starts[0].at));
    assert!(starts.iter().all(|start| start.late_s.get().is_finite()));
    let ranks: Vec<_> = (0..4).map(|rank| node(folder.path(), "a", rank).run.rank.unwrap()).collect();
    assert_eq!(ranks, [0, 1, 2, 3]);

    // The same directory once more, by the next job: nobody takes the old start for its own.
    let again: Vec<Child> = (0..2).map(|rank| together(folder.path(), "b", rank, &four)).collect();
    for (rank, child) in (0..).zip(again) {
        let (code, stderr) = ended(child);
        let file = node(folder.path(), "b", rank);
        assert_eq!((code, file.verdict), (Some(3), Verdict::Inconclusive), "{stderr}");
        assert!(file.reason.as_str().contains("a.0"), "{}", file.reason);
        assert!(file.start.is_none() && file.devices.is_empty());
    }
    // Nor does a second start of the same job.
    let (code, stderr) = ended(together(folder.path(), "a", 1, &four));
    assert_eq!(code, Some(3), "{stderr}");
    assert!(node(folder.path(), "a", 1).reason.as_str().contains("earlier start"));
}

#[test]
fn a_rank_that_does_not_come_is_named_and_the_others_begin_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--ranks", "4", "--start-limit", "3"];
    let children: Vec<Child> =
        [0, 1, 3].into_iter().map(|rank| together(folder.path(), "a", rank, &more)).collect();
    for child in children {
        let (code, stderr) = ended(child);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("missing at the start: [2]"), "{stderr}");
    }
    assert_eq!(node(folder.path(), "a", 1).start.unwrap().missing, [2]);
    let go: Go =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("start/go")).unwrap()).unwrap();
    assert_eq!((go.ranks, go.missing.as_slice()), (4, [2].as_slice()));
    // It comes after all.
    let (code, stderr) = ended(together(folder.path(), "a", 2, &more));
    assert_eq!(code, Some(3), "{stderr}");
    assert!(node(folder.path(), "a", 2).reason.as_str().contains("too late"));
}

#[test]
fn without_rank_0_the_others_give_up() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stderr) = ended(together(folder.path(), "a", 1, &["--ranks", "2", "--start-limit", "0.2"]));
    assert_eq!(code, Some(3), "{stderr}");
    assert!(node(folder.path(), "a", 1).reason.as_str().contains("rank 0 gave no start"));
    let (code, _) = ended(together(folder.path(), "b", 1, &["--ranks", "2", "--time-limit", "0.2"]));
    assert_eq!(code, Some(3));
    assert!(node(folder.path(), "b", 1).reason.as_str().contains("time limit"));
}

#[test]
fn a_start_of_which_nobody_knows_the_ranks_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (job, rank, more, said) in [
        ("a", 0, &[] as &[&str], "number of --ranks"),
        ("a", 4, &["--ranks", "4"], "rank 4 is not one of 4"),
        ("", 0, &["--ranks", "4"], "RUN_ID"),
        ("a", 0, &["--ranks", "0"], "'0'"),
        ("a", 0, &["--ranks", "few"], "'few'"),
    ] {
        let (code, stderr) = ended(together(folder.path(), job, rank, more));
        assert!(code == Some(2) && stderr.contains(said), "{code:?} {stderr}");
    }
    let (code, stderr) = ended(start(folder.path(), "a", 0, &["--ranks", "4"]));
    assert!(code == Some(2) && stderr.contains("--synchronised"), "{code:?} {stderr}");
    let out = folder.path().join("a");
    assert!(!out.exists(), "nothing is written for a start that cannot be");
}

//! The command line: whom to expect, whose files count, where the verdict goes.

use serde_json::json;

use super::{Site, bare, node_file, template, told};
use flopgauge::accept::{Fleet, Verdict};

#[test]
fn a_list_comes_from_a_file_from_standard_input_or_from_slurm() {
    let site = Site::of(3);
    site.write("expected", b"n1\nn[2-3]\n\n");
    let at = format!("@{}", site.path().join("expected").display());
    assert_eq!(site.collect(&at, &[]).0, 0);
    let mut piped = bare();
    piped.arg("collect").arg(site.path()).args(["--expect", "-", "--job", "7"]).write_stdin("n1 n2,n3\n");
    assert_eq!(told(piped).0, 0);
    let slurm = [("SLURM_JOB_ID", "7"), ("SLURM_JOB_NODELIST", "n[1-3]"), ("SLURM_RESTART_COUNT", "0")];
    assert_eq!(site.run(&[], &slurm).0, 0);
    // The list of the job around is not that of another job.
    let (code, _, stderr) = site.run(&["--job", "8"], &slurm);
    assert!(code == 2 && stderr.contains("--expect"), "{stderr}");
}

#[test]
fn the_job_and_its_restart_come_from_the_engine_and_options_win() {
    let site = Site::of(2);
    let expect = ["--expect", "n[1-2]"];
    assert_eq!(site.run(&expect, &[("SLURM_JOB_ID", "7")]).0, 0);
    assert_eq!(site.run(&expect, &[("RUN_ID", "7")]).0, 0);
    assert_eq!(site.run(&expect, &[("SLURM_JOB_ID", "8")]).0, 3);
    assert_eq!(site.run(&expect, &[("SLURM_JOB_ID", "7"), ("SLURM_RESTART_COUNT", "1")]).0, 3);
    let other = [("SLURM_JOB_ID", "8"), ("SLURM_RESTART_COUNT", "4")];
    assert_eq!(
        site.run(&["--expect", "n[1-2]", "--job", "7"], &other).0,
        0,
        "another job's restarts do not count"
    );
    let (code, _, stderr) = site.run(&expect, &[("SLURM_JOB_ID", "7"), ("SLURM_RESTART_COUNT", "x")]);
    assert!(code == 2 && stderr.contains("SLURM_RESTART_COUNT"), "{stderr}");
}

#[test]
fn without_a_job_only_files_of_no_job_count_and_that_is_said() {
    let site = Site::of(2);
    let (code, stdout, _) = site.run(&["--expect", "n[1-2]"], &[]);
    assert!(code == 3 && stdout.contains("2 node files are of job 7 restart 0"), "{stdout}");
    for name in ["n1", "n2"] {
        site.node(name, |file| file["run"]["job"] = json!(null));
    }
    let (code, stdout, _) = site.run(&["--expect", "n[1-2]"], &[]);
    assert!(code == 0 && stdout.contains("no job id binds these files"), "{stdout}");
    assert!(stdout.lines().last().unwrap().starts_with("VERDICT fleet=none.0 PASS"), "{stdout}");
}

#[test]
fn where_nobody_is_expected_nothing_passes() {
    let site = Site::of(2);
    for expect in ["", " ", "@empty"] {
        let at = site.path().join("empty");
        std::fs::write(&at, "\n").unwrap();
        let expect = expect.replace("@empty", &format!("@{}", at.display()));
        let (code, stdout, _) = site.collect(&expect, &[]);
        assert!(code == 3 && stdout.contains("no node is expected"), "{stdout}");
        assert_eq!(
            (site.fleet().verdict, site.list("passing_nodes.txt").as_str()),
            (Verdict::Inconclusive, "")
        );
    }
}

#[test]
fn a_wrong_command_line_is_named_and_nothing_is_written() {
    let site = Site::of(2);
    for (expect, more, says) in [
        ("n[1-", &[][..], "n[1-"),
        ("n/1", &[], "is no host name"),
        ("../n1", &[], "is no host name"),
        ("n[1-4] - n2", &[], "is no host name"),
        ("@nowhere", &[], "nowhere"),
        ("@all,n1", &[], "all,n1"),
        ("n1", &["--restart", "-1"], "--restart"),
        ("n1", &["--restart", "x"], "--restart"),
        ("n1", &["--colour"], "--colour"),
    ] {
        let (code, _, stderr) = site.collect(expect, more);
        assert!(code == 2 && stderr.contains(says), "{expect} {more:?}: {code} {stderr}");
    }
    let (code, _, stderr) = site.run(&[], &[]);
    assert!(code == 2 && stderr.contains("--expect"), "{stderr}");
    let (code, _, stderr) = site.run(&["--expect", "n1", "--job", ""], &[]);
    assert!(code == 2 && stderr.contains("--job"), "{stderr}");
    assert!(!site.path().join("fleet.json").exists());
    let mut nowhere = bare();
    nowhere.args(["collect", "no/such/directory", "--expect", "n1", "--job", "7"]);
    let (code, _, stderr) = told(nowhere);
    assert!(code == 2 && stderr.contains("no/such/directory"), "{stderr}");
    assert!(!std::path::Path::new("no").exists(), "made for a verdict on nothing");
}

#[test]
fn the_verdict_goes_where_it_is_asked_for_and_json_is_the_same() {
    let site = Site::of(2);
    let out = site.path().join("verdict/today");
    let more = ["--out", out.to_str().unwrap(), "--json"];
    let (code, stdout, _) = site.collect("n[1-3]", &more);
    assert_eq!(code, 3);
    assert!(!site.path().join("fleet.json").exists());
    assert_eq!(stdout, std::fs::read_to_string(out.join("fleet.json")).unwrap());
    let fleet: Fleet = serde_json::from_str(&stdout).unwrap();
    assert_eq!(fleet, Fleet::read(&out.join("fleet.json")).unwrap());
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 4, "nothing beside the four files is left");
}

#[test]
fn an_edited_fleet_file_is_read_strictly() {
    let site = Site::of(2);
    site.verdict("n[1-2]");
    let path = site.path().join("fleet.json");
    let text = site.list("fleet.json").replacen("\"restart\": 0", "\"restarts\": 0", 1);
    std::fs::write(&path, text).unwrap();
    let error = Fleet::read(&path).unwrap_err().to_string();
    assert!(error.contains("fleet.json:") && error.contains("unknown field `restarts`"), "{error}");
}

#[test]
fn a_verdict_that_cannot_be_written_is_no_pass_and_nothing_is_half_written() {
    let site = Site::of(2);
    site.verdict("n[1-2]");
    let before = site.list("fleet.csv");
    site.write("file", b"");
    let under_a_file = site.path().join("file/out");
    let (code, stdout, stderr) = site.collect("n[1-2]", &["--out", under_a_file.to_str().unwrap()]);
    assert!(code == 3 && stderr.contains("cannot write"), "{code} {stderr}");
    assert!(stdout.lines().last().unwrap().contains(" INCONCLUSIVE "), "{stdout}");
    std::fs::remove_file(site.path().join("failing_nodes.txt")).unwrap();
    std::fs::create_dir(site.path().join("failing_nodes.txt")).unwrap();
    let (code, _, stderr) = site.collect("n[1-4]", &[]);
    assert!(code == 3 && stderr.contains("failing_nodes.txt"), "{code} {stderr}");
    assert_eq!(site.list("fleet.csv"), before, "replaced without the others");
    let hidden = std::fs::read_dir(site.path()).unwrap().flatten();
    assert!(hidden.map(|e| e.file_name()).all(|name| !name.to_string_lossy().starts_with('.')));
}

#[test]
fn a_node_that_is_called_fleet_keeps_its_file() {
    let site = Site::new();
    site.node("fleet", |_| {});
    let before = site.list("fleet.json");
    let (code, _, stderr) = site.collect("fleet", &[]);
    assert!(code == 2 && stderr.contains("--out"), "{stderr}");
    assert_eq!(site.list("fleet.json"), before);
    let out = site.path().join("verdict");
    assert_eq!(site.collect("fleet", &["--out", out.to_str().unwrap()]).0, 0);
}

#[test]
fn ten_thousand_nodes_are_judged_and_listed() {
    let site = Site::new();
    let text = serde_json::to_string(&node_file("NODE")).unwrap();
    assert!(template()["node"] == "n1" && text.contains("\"NODE\""));
    for number in 1..=10_000 {
        let node = format!("rack{:03}-{number:05}", number % 200);
        // All but every thousandth.
        if number % 1000 != 0 {
            site.write(&format!("{node}.json"), text.replace("\"NODE\"", &format!("\"{node}\"")).as_bytes());
        }
    }
    let names = (1..=10_000).map(|number| format!("rack{:03}-{number:05}", number % 200));
    let mut names: Vec<String> = names.collect();
    names.reverse();
    site.write("expected", names.join("\n").as_bytes());
    let (code, fleet) = site.verdict(&format!("@{}", site.path().join("expected").display()));
    assert_eq!((code, fleet.counts.pass, fleet.counts.missing), (3, 9990, 10));
    let failing = flopgauge::accept::expand(&site.list("failing_nodes.txt")).unwrap();
    assert_eq!((failing.len(), failing[0].as_str()), (10, "rack000-01000"));
    let passing = flopgauge::accept::expand(&site.list("passing_nodes.txt")).unwrap();
    assert_eq!(passing.len(), 9990);
}

//! Each expected node is in exactly one state, and only a report of this run can pass.

use serde_json::json;

use super::{Site, fail, node, node_file, started};
use flopgauge::accept::{NodeState, Verdict};

#[test]
fn all_good_nodes_pass_and_the_failing_list_is_an_empty_file() {
    let site = Site::of(6);
    let (code, fleet) = site.verdict("n[1-6]");
    assert_eq!((code, fleet.counts.pass), (0, 6));
    assert_eq!(site.list("passing_nodes.txt"), "n[1-6]\n");
    assert_eq!(site.list("failing_nodes.txt"), "");
    assert!(fleet.drift.is_empty() && fleet.outliers.is_empty(), "{:?}", fleet.drift);
    // Once more over its own files: nothing of an earlier verdict is taken for a node's.
    let (code, again) = site.verdict("n[1-6]");
    assert_eq!((code, again.ignored.count, again.counts.unexpected), (0, 0, 0));
}

#[test]
fn a_failed_node_is_named_with_its_check() {
    let site = Site::of(4);
    site.node("n3", |file| fail(file, "gemm_fp32"));
    let (code, fleet) = site.verdict("n[1-4]");
    assert_eq!((code, site.list("failing_nodes.txt").as_str()), (1, "n3\n"));
    assert!(fleet.reason.as_str().contains("n3: gemm_fp32"), "{}", fleet.reason);
    let table = site.list("fleet.csv");
    let line = table.lines().find(|line| line.starts_with("n3,") && line.contains(",FAIL,6")).unwrap();
    assert!(line.contains(",gemm_fp32,FAIL,600000000000,FLOP/s,900000000000,"), "{line}");
    let (_, stdout, _) = site.collect("n[1-4]", &[]);
    assert!(stdout.contains("scontrol update nodename=n3 state=drain reason='flopgauge: FAIL'"), "{stdout}");
    assert!(stdout.contains("/failing_nodes.txt"), "{stdout}");
}

#[test]
fn a_missing_node_is_never_a_pass() {
    let site = Site::of(3);
    let (code, fleet) = site.verdict("n[1-4]");
    assert_eq!((code, node(&fleet, "n4").state), (3, NodeState::Missing));
    assert_eq!(fleet.failing_nodes, "n4");
    let (code, fleet) = Site::new().verdict("n[1-4]");
    assert_eq!((code, fleet.counts.missing), (3, 4));
    assert_eq!(fleet.passing_nodes, "");
}

#[test]
fn a_node_that_began_and_never_ended_is_unfinished_and_not_missing() {
    let site = Site::of(2);
    site.write("n3.started.json", started("n3", "7").as_bytes());
    site.write("n4.started.json", started("n4", "6").as_bytes());
    site.write("n5.started.json", b"{");
    // Begun for this job, with the file of an earlier one beside it.
    site.node("n6", |file| file["run"]["job"] = json!("6"));
    site.write("n6.started.json", started("n6", "7").as_bytes());
    let (code, fleet) = site.verdict("n[1-6]");
    assert_eq!(code, 3);
    let states = ["n3", "n4", "n5", "n6"].map(|name| node(&fleet, name).state);
    use NodeState::{Missing, Unfinished};
    assert_eq!(states, [Unfinished, Missing, Missing, Unfinished]);
}

#[test]
fn two_jobs_in_one_directory_do_not_mix() {
    let site = Site::of(2);
    for name in ["n3", "n4"] {
        site.node(name, |file| file["run"]["job"] = json!("8"));
    }
    let (code, fleet) = site.verdict("n[1-4]");
    assert_eq!((code, fleet.counts.stale, fleet.passing_nodes.as_str()), (3, 2, "n[1-2]"));
    assert!(fleet.notes.iter().any(|note| note.contains("2 node files are of job 8 restart 0")));
    let (code, _) = site.verdict("n[1-2]");
    assert_eq!(code, 0, "the other job's nodes are not this one's strangers");
    let (code, _, _) = site.run(&["--expect", "n[3-4]", "--job", "8"], &[]);
    assert_eq!(code, 0);
}

#[test]
fn a_file_of_an_earlier_restart_is_stale() {
    let site = Site::of(2);
    site.node("n1", |file| file["run"]["restart"] = json!(1));
    let (code, fleet) = site.verdict("n[1-2]");
    assert_eq!((code, node(&fleet, "n1").state), (3, NodeState::Stale));
    assert!(node(&fleet, "n1").reason.as_str().contains("job 7 restart 1"));
    let (code, _, _) = site.collect("n1", &["--restart", "1"]);
    assert_eq!(code, 0);
}

#[test]
fn a_file_that_cannot_be_read_is_stated_with_its_place() {
    let site = Site::of(9);
    let whole = node_file("n1").to_string();
    site.write("n1.json", &whole.as_bytes()[..whole.len() / 2]);
    site.write("n2.json", b"{\"format\":\"flopgauge.node/1\",\n\"node\":\"\xff\"}");
    site.node("n3", |file| file["colour"] = json!("blue"));
    site.node("n4", |file| file["format"] = json!("flopgauge.node/2"));
    site.write("n5.json", b"");
    let huge = std::fs::File::create(site.path().join("n6.json")).unwrap();
    huge.set_len(65 << 20).unwrap();
    std::fs::remove_file(site.path().join("n7.json")).unwrap();
    std::fs::create_dir(site.path().join("n7.json")).unwrap();
    site.node("n8", |file| file["node"] = json!("n99"));
    let (code, fleet) = site.verdict("n[1-9]");
    assert_eq!((code, fleet.counts.unreadable, fleet.passing_nodes.as_str()), (3, 8, "n9"));
    for (name, reason) in [
        ("n1", "n1.json:1:"),
        ("n2", "n2.json:2: not UTF-8"),
        ("n3", "unknown field `colour`"),
        ("n4", "flopgauge.node/2"),
        ("n5", "n5.json:1:"),
        ("n6", "larger than"),
        ("n7", "no file"),
        ("n8", "says that it is of n99"),
    ] {
        let found = node(&fleet, name);
        assert_eq!(found.state, NodeState::Unreadable);
        assert!(found.reason.as_str().contains(reason), "{name}: {}", found.reason);
    }
}

#[test]
fn a_file_that_contradicts_itself_does_not_pass() {
    let site = Site::of(5);
    site.node("n1", |file| {
        fail(file, "gemm_fp32");
        file["verdict"] = json!("PASS");
    });
    site.node("n2", |file| file["devices"] = json!([]));
    site.node("n3", |file| file["cut_short"] = json!("interrupted by SIGTERM"));
    site.node("n4", |file| file["devices"][0]["verdict"] = json!("FAIL"));
    let (_, fleet) = site.verdict("n[1-5]");
    assert_eq!((fleet.counts.unreadable, fleet.passing_nodes.as_str()), (4, "n5"));
}

#[test]
fn two_files_of_one_node_are_a_duplicate_and_neither_counts() {
    let site = Site::of(3);
    site.write("copy.json", node_file("n2").to_string().as_bytes());
    let (code, fleet) = site.verdict("n[1-3]");
    assert_eq!((code, node(&fleet, "n2").state), (3, NodeState::Duplicate));
    std::fs::remove_file(site.path().join("n2.json")).unwrap();
    let (_, fleet) = site.verdict("n[1-3]");
    assert_eq!(node(&fleet, "n2").state, NodeState::Missing);
    assert!(node(&fleet, "n2").reason.as_str().contains("copy.json"));
}

#[test]
fn a_node_that_nobody_expected_is_in_neither_list_and_no_pass() {
    let site = Site::of(3);
    let (code, fleet) = site.verdict("n[1-2]");
    assert_eq!((code, fleet.counts.unexpected, fleet.verdict), (3, 1, Verdict::Inconclusive));
    assert_eq!(
        (node(&fleet, "n3").state, node(&fleet, "n3").verdict),
        (NodeState::Unexpected, Verdict::Inconclusive)
    );
    assert!(!fleet.failing_nodes.contains("n3") && !fleet.passing_nodes.contains("n3"));
}

#[test]
fn other_files_are_counted_and_nothing_is_taken_from_them() {
    let site = Site::of(2);
    for name in ["expected", "slurm-7.out", "notes.json", ".n9.json.12.part", "n1.prom", "n1.junit.xml"] {
        site.write(name, b"n[1-4]");
    }
    std::fs::create_dir(site.path().join("unanswered")).unwrap();
    site.write("unanswered/n9.json", node_file("n9").to_string().as_bytes());
    let (code, fleet) = site.verdict("n[1-2]");
    assert_eq!((code, fleet.ignored.count), (0, 3));
    assert_eq!(fleet.ignored.examples, ["expected", "notes.json", "slurm-7.out"]);
}

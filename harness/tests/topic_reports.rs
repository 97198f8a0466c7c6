//! Reports of fleets, clusters and training runs: whole, inert, strict about what they read.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::flopgauge;
use crate::filing_readers::skip;

const HOSTILE: &str = "<script>alert(1)</script>";

/// What `command` prints.
fn printed(arguments: &[&str]) -> String {
    let mut command = flopgauge();
    let run = command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).assert().code(0);
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

fn cluster() -> String {
    let day = ["--as-of", "2026-11-24", "--headroom", "--what-if", "remove link spine1 spine2", "--json"];
    printed(&[&["cluster", "harness/examples/halls.toml"], day.as_slice()].concat())
}

fn training() -> String {
    printed(&["training", "harness/examples/run.toml", "--as-of", "2026-11-24", "--json"])
}

/// A fleet of simulated nodes; `None` without Python.
fn fleet(nodes: usize) -> Option<String> {
    let python = std::env::var("FLOPGAUGE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/harness/tests/fleet.py");
    let output = Command::new(python).args([program, &nodes.to_string()]).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

fn written(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A report, its exit code, and what it says of an error.
fn report(option: &str, file: &Path, more: &[&str], code: i32) -> (String, String) {
    let mut command = flopgauge();
    command.current_dir(file.parent().unwrap()).args(["report", option]).arg(file.file_name().unwrap());
    let run = command.args(more).assert().code(code);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("&#x2f;", "/");
    (text(&run.get_output().stdout), text(&run.get_output().stderr))
}

fn figure<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<figure id=\"{id}\"")).expect(id);
    page[start..].split("</figure>").next().unwrap()
}

fn drawing<'a>(page: &'a str, id: &str) -> &'a str {
    figure(page, id).split("<svg").nth(1).expect("drawn").split("</svg>").next().unwrap()
}

#[test]
fn a_cluster_is_drawn_with_its_sets_limits_and_groups() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, "cluster.json", &cluster());
    let (page, _) = report("--cluster", &file, &[], 0);
    for text in ["injection: hall1, hall2", "1e20: BIS-2024-proposed, EO-14110", "R16", "Rmax"] {
        assert!(drawing(&page, "sets-1").contains(text), "{text}");
    }
    for text in ["hall1: 7500", "hall2: 7500", "spine1", "7500 x 3.2 Tbit/s", "400 Gbit/s"] {
        assert!(drawing(&page, "topology-1").contains(text), "{text}: {}", drawing(&page, "topology-1"));
    }
    for text in [
        "What the rules say",
        "Headroom of the largest set",
        "remove link spine1 spine2",
        "BIS-2024-proposed",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let (markdown, _) = report("--cluster", &file, &["--format", "markdown"], 0);
    assert!(
        markdown.starts_with("# Cluster: two halls") && markdown.contains("| injection | met |"),
        "{markdown}"
    );
    let (csv, _) = report("--cluster", &file, &["--format", "csv", "--chart", "topology"], 0);
    assert_eq!(csv.lines().count(), 4, "{csv}");
}

/// Four machines linked to three, each to each, and two pairs of a machine and a switch beside them.
const ROWS: &str = r#"
format = "flopgauge.cluster/1"
name = "rows"
machine = [
    { name = "left", count = 4, accelerators = [{ device = "NVIDIA H100 80GB HBM3", count = 8 }] },
    { name = "right", count = 3, accelerators = [{ device = "NVIDIA A100-SXM4-80GB", count = 4 }] },
    { name = "one", accelerators = [{ device = "NVIDIA H100 80GB HBM3", count = 8 }] },
    { name = "other", accelerators = [{ device = "NVIDIA H100 80GB HBM3", count = 8 }] },
]
switch = [{ name = "a$1$" }, { name = "b" }]
link = [
    { from = "left", to = "right", rate_gbit_s = "400", count = 2 },
    { from = "one", to = "other", rate_gbit_s = "200" },
    { from = "one", to = "a$1$", rate_gbit_s = "200", count = 4 },
    { from = "other", to = "b", rate_gbit_s = "200", count = 4 },
]
"#;

/// What flopgauge says of the cluster of `toml`, in a file.
fn answer(folder: &TempDir, toml: &str) -> (PathBuf, Value) {
    let file = written(folder, "cluster.toml", toml);
    let text = printed(&["cluster", file.to_str().unwrap(), "--as-of", "2026-11-24", "--json"]);
    (written(folder, "cluster.json", &text), serde_json::from_str(&text).unwrap())
}

#[test]
fn a_link_between_two_groups_counts_every_pair_of_its_members_and_says_what_it_joins() {
    let folder = tempfile::tempdir().unwrap();
    let (file, answer) = answer(&folder, ROWS);
    let pairs: Vec<&Value> =
        answer["groups"]["links"].as_array().unwrap().iter().map(|link| &link["pairs"]).collect();
    assert_eq!(pairs, [12, 1, 1, 1], "four machines, each linked to each of three");
    let (page, _) = report("--cluster", &file, &[], 0);
    let drawing = drawing(&page, "topology-1");
    for text in [
        ">left: 4<",
        ">right: 3<",
        ">12 x 800 Gbit/s<",
        ">200 Gbit/s; joins by no reading<",
        ">800 Gbit/s; joins by bundle, injection<",
        ">a$1$<",
    ] {
        assert!(drawing.contains(text), "{text}: {drawing}");
    }
    assert_eq!(drawing.matches("<line").count(), 4, "no link but those of the file: {drawing}");
    let (csv, _) = report("--cluster", &file, &["--format", "csv", "--chart", "topology"], 0);
    let row = "\"left: 4 machines, 32 accelerators\",\"right: 3 machines, 12 accelerators\",12,400 Gbit/s,800 Gbit/s";
    assert!(csv.contains(row), "{csv}");
}

#[test]
fn machines_with_more_neighbours_than_others_are_another_group() {
    let folder = tempfile::tempdir().unwrap();
    let more = ROWS.replace(
        "    { name = \"one\",",
        "    { name = \"left2\", count = 4, accelerators = [{ device = \"NVIDIA H100 80GB HBM3\", count = 8 }] },
    { name = \"right2\", count = 5, accelerators = [{ device = \"NVIDIA A100-SXM4-80GB\", count = 4 }] },
    { name = \"one\",",
    );
    let links = "link = [\n    { from = \"left2\", to = \"right2\", rate_gbit_s = \"100\" },";
    let more = more.replace("link = [", links).replace("\"400\", count = 2", "\"100\"");
    let groups = answer(&folder, &more).1["groups"].clone();
    assert_eq!(groups["exact"], true);
    let found: Vec<(&Value, &Value)> =
        groups["groups"].as_array().unwrap().iter().map(|g| (&g["first"], &g["last"])).collect();
    for name in ["left", "right", "left2", "right2"] {
        assert!(found.contains(&(&name.into(), &Value::Null)), "{name}: {found:?}");
    }
    assert_eq!(
        groups["links"][0]["pairs"].as_u64().unwrap() + groups["links"][1]["pairs"].as_u64().unwrap(),
        12 + 20
    );
}

#[test]
fn the_name_of_a_limit_stands_where_there_is_room_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = answer(&folder, ROWS);
    let (page, _) = report("--cluster", &file, &[], 0);
    let name = "1e20: BIS-2024-proposed, EO-14110";
    let text = drawing(&page, "sets-1").split("<text").find(|text| text.contains(name)).unwrap();
    assert!(text.contains("text-anchor=\"end\""), "far right of the sets, its name is left of it: {text}");
    let (page, _) = report("--cluster", &written(&folder, "halls.json", &cluster()), &[], 0);
    let text = drawing(&page, "sets-1").split("<text").find(|text| text.contains(name)).unwrap();
    assert!(text.contains("text-anchor=\"start\""), "left of the sets, its name is right of it: {text}");
}

#[test]
fn a_file_without_sets_and_groups_is_read_and_says_what_is_not_drawn() {
    let mut answer: Value = serde_json::from_str(&cluster()).unwrap();
    answer.as_object_mut().unwrap().remove("groups").unwrap();
    for reading in answer["readings"].as_object_mut().unwrap().values_mut() {
        reading.as_object_mut().unwrap().remove("sets").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = report("--cluster", &written(&folder, "old.json", &answer.to_string()), &[], 0);
    for (id, why) in [("sets-1", "lists no set"), ("topology-1", "has no groups")] {
        assert!(figure(&page, id).contains(&format!("Not drawn: the file {why}")), "{}", figure(&page, id));
    }
}

#[test]
fn a_training_run_is_drawn_against_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, "training.json", &training());
    let (page, _) = report("--training", &file, &[], 0);
    let all: Value = serde_json::from_str(&training()).unwrap();
    let rules = all["determinations"].as_array().unwrap();
    assert!(rules.len() > 5);
    for rule in rules {
        let name = format!("{} {}", rule["rule"].as_str().unwrap(), rule["test"].as_str().unwrap());
        assert!(drawing(&page, "training-1").contains(&name), "{name}");
    }
    assert!(page.contains("How each verdict was reached") && page.contains("No legal advice"));
    let (svg, _) = report("--training", &file, &["--format", "svg", "--chart", "training"], 0);
    assert!(svg.starts_with("<svg") && !svg.contains("var(--"), "{svg}");
}

#[test]
fn a_fleet_names_what_lies_outside_and_has_every_node_in_its_table() {
    let Some(text) = fleet(300) else { return skip("FLOPGAUGE_REQUIRE_SCIPY", "Python") };
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, "fleet.json", &text);
    let (page, _) = report("--fleet", &file, &[], 0);
    assert!(page.contains("<strong>SIMULATED</strong>"), "a simulated fleet says so");
    for text in ["bf16 gemm", "node00017 scripted:3", "node00117 scripted:3", "node00217 scripted:3"] {
        assert!(drawing(&page, "fleet-1").contains(text), "{text}");
    }
    let table = figure(&page, "fleet-1").split("<tbody>").nth(1).unwrap();
    assert_eq!(table.matches("<tr>").count(), 300);
    for text in
        ["Nodes that do not pass", "Devices outside the others", "What should be equal and is not", "575.51"]
    {
        assert!(page.contains(text), "{text}");
    }
    let (csv, _) = report("--fleet", &file, &["--format", "csv", "--chart", "fleet"], 0);
    assert_eq!(csv.lines().count(), 301);
    assert!(csv.contains("node00041,missing,INCONCLUSIVE,no file of this run,no figure"), "{csv}");
}

#[test]
fn a_fleet_of_many_nodes_is_thinned_in_the_drawing_alone() {
    let Some(text) = fleet(4000) else { return skip("FLOPGAUGE_REQUIRE_SCIPY", "Python") };
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = report("--fleet", &written(&folder, "fleet.json", &text), &[], 0);
    assert!(figure(&page, "fleet-1").contains("Of passing nodes 1500 a case are drawn"));
    let table = figure(&page, "fleet-1").split("<tbody>").nth(1).unwrap();
    assert_eq!(table.matches("<tr>").count(), 4000);
    assert!(page.len() < 4_000_000, "{} bytes", page.len());
}

/// Every text of the JSON with the hostile one before it, but those that a reader understands.
fn hostile(value: &mut Value, key: &str) {
    let understood =
        ["name", "node", "model", "reason", "first", "last", "advice", "status_notice", "depends_on"];
    match value {
        Value::String(text) if understood.contains(&key) => *text = format!("{HOSTILE}{text}"),
        Value::Array(all) => all.iter_mut().for_each(|one| hostile(one, key)),
        Value::Object(all) => all.iter_mut().for_each(|(key, one)| hostile(one, key)),
        _ => {}
    }
}

#[test]
fn texts_of_every_file_are_only_text() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![("--cluster", cluster()), ("--training", training())];
    files.extend(fleet(60).map(|text| ("--fleet", text)));
    for (option, text) in files {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        hostile(&mut value, "");
        let file = written(&folder, "<img src=x>.json", &value.to_string());
        let (page, _) = report(option, &file, &[], 0);
        assert_eq!(page.matches("<script>").count(), 1, "{option}: the page's own");
        assert!(!page.contains("<img") && page.contains("&lt;script&gt;alert(1)"), "{option}");
        let (markdown, _) = report(option, &file, &["--format", "markdown"], 0);
        assert!(!markdown.contains("<script") && !markdown.contains("<img"), "{option}: {markdown}");
        let charts = folder.path().join("charts");
        report(option, &file, &["--format", "svg", "-o", "charts"], 0);
        for drawn in std::fs::read_dir(&charts).unwrap() {
            let svg = std::fs::read_to_string(drawn.unwrap().path()).unwrap();
            assert!(!svg.contains("<script") && !svg.contains("<img"), "{option}: {svg}");
        }
        std::fs::remove_dir_all(charts).unwrap();
    }
}

#[test]
fn a_file_that_is_wrong_is_named_with_line_and_key_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut kinds = vec![("--cluster", cluster()), ("--training", training())];
    kinds.extend(fleet(20).map(|text| ("--fleet", text)));
    for (option, text) in kinds {
        let value: Value = serde_json::from_str(&text).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let half = &pretty[..pretty.len() / 2];
        let unknown = pretty.replacen("{\n", "{\n  \"extra\": 1,\n", 1);
        let mut other = value.clone();
        other["format"] = "flopgauge.node/1".into();
        let mut lacking = value.clone();
        lacking.as_object_mut().unwrap().remove("format");
        let key = if option == "--fleet" { "nodes" } else { "determinations" };
        let mut partial = value.clone();
        partial.as_object_mut().unwrap().remove(key);
        for (name, text, wanted) in [
            ("half.json", half, ":"),
            ("unknown.json", &unknown, ":2:9: unknown field `extra`"),
            ("other.json", &other.to_string(), "format is \"flopgauge.node/1\""),
            ("lacking.json", &lacking.to_string(), "no format is named"),
            ("partial.json", &partial.to_string(), &format!("missing field `{key}`")),
        ] {
            let file = written(&folder, name, text);
            let (printed, said) = report(option, &file, &["-o", "out.html"], 2);
            assert!(printed.is_empty() && said.contains(name) && said.contains(wanted), "{option}: {said}");
            assert!(!folder.path().join("out.html").exists());
        }
        let (_, said) = report(option, &folder.path().join("absent.json"), &["-o", "out.html"], 2);
        assert!(said.contains("absent.json"), "{said}");
    }
}

//! The quarterly filing through the command line: dates, plans and bad input; what the other filing tests share.

use std::path::PathBuf;

use serde_json::Value;

use super::commands::flopgauge;

/// A device whose figures are in the file, so that nothing depends on the catalogue.
const DEVICE: &str = "[[device]]\nname = \"Accel-1\"\ndeclared_by = \"the operator\"\n\
    theoretical_op_per_s = { bf16 = \"989.4e12\", fp8e4m3 = \"1979e12\" }\n";

pub struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with calculators' files: a run above the limit, one that may be, one below, a cluster.
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, tokens) in [("big", "5.2e13"), ("open", "4.1e13"), ("small", "1e13")] {
            folder.run(name, tokens);
        }
        folder.hall(7500);
        folder
    }

    pub fn run(&self, name: &str, tokens: &str) {
        let text = format!(
            "format = \"flopgauge.training/1\"\n[model]\nname = \"{name}\"\nparameters = 1.2e12\n\
             active_parameters = 4.0e11\nlayers = 120\nd_model = 16384\nsequence_length = 8192\ncausal = true\n\
             [[phase]]\nkind = \"pretraining\"\ntokens = {tokens}\nprecision = \"bf16\"\n"
        );
        self.write(&format!("{name}.toml"), &text);
    }

    pub fn hall(&self, machines: u32) {
        let text = format!(
            "format = \"flopgauge.cluster/1\"\nname = \"hall\"\n{DEVICE}[[machine]]\nname = \"hall\"\n\
             count = {machines}\nsite = \"Ashburn, VA\"\naccelerators = [{{ device = \"Accel-1\", count = 16 }}]\n\
             [[switch]]\nname = \"spine\"\nfabric = \"ib\"\n[[link]]\nfrom = \"hall\"\nto = \"spine\"\n\
             rate_gbit_s = \"400\"\ncount = 8\nkind = \"infiniband\"\n"
        );
        self.write("hall.toml", &text);
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A filer file with these activities and other tables.
    pub fn filer(&self, more: &str) -> PathBuf {
        let head = "format = \"flopgauge.filer/1\"\n[filer]\nlegal_name = \"Example Compute, Inc.\"\n\
            covered_person_basis = \"us-entity\"\n";
        self.write("filer.toml", &format!("{head}{more}"))
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn plan(&self, more: &str, options: &[&str]) -> Value {
        let filer = self.filer(more);
        let mut command = flopgauge();
        command.args(["filing", "plan"]).arg(filer).args(["--as-of", "2026-04-01", "--json"]).args(options);
        json(&mut command)
    }

    pub fn packet(&self, more: &str, quarter: &str, options: &[&str]) -> Value {
        let filer = self.filer(more);
        let mut command = flopgauge();
        command.args(["filing", "packet"]).arg(filer).args(["--quarter", quarter, "--json"]);
        command.args(["--as-of", "2026-04-01", "--out"]).arg(self.at(quarter)).args(options);
        json(&mut command)
    }
}

pub fn json(command: &mut assert_cmd::Command) -> Value {
    let run = command.assert().code(0);
    serde_json::from_slice(&run.get_output().stdout).unwrap()
}

fn dates(options: &[&str]) -> Value {
    json(flopgauge().args(["filing", "dates", "--json"]).args(options))
}

pub fn training(name: &str, times: &str) -> String {
    format!("[[activity]]\nname = \"{name}\"\nlimb = \"training-run\"\nrun = \"{name}.toml\"\n{times}\n")
}

pub const HALL: &str = "[[activity]]\nname = \"hall\"\nlimb = \"cluster\"\ntopology = \"hall.toml\"\nevent = \"acquire\"\n\
    start = 2025-11-10\ncomplete = 2026-03-01\nowner = \"Example Compute, Inc.\"\n";

/// Due dates of one kind.
fn due(plan: &Value, kind: &str) -> Vec<String> {
    let deadlines = plan["deadlines"].as_array().unwrap();
    let of = deadlines.iter().filter(|deadline| deadline["kind"] == kind);
    of.map(|deadline| deadline["due"].as_str().unwrap_or("none").to_owned()).collect()
}

#[test]
fn the_date_vectors_come_out() {
    assert_eq!(dates(&["--quarter", "2025Q4"])["due"], "2026-01-15");
    let first = dates(&["--quarter", "2026Q1"]);
    assert_eq!(first["due"], "2026-04-15");
    assert_eq!((&first["window_start"], &first["window_end"]), (&"2026-04-15".into(), &"2026-10-15".into()));
    assert_eq!(dates(&["--quarter", "2026Q3"])["window_end"], "2027-04-15");
    assert_eq!(dates(&["--questions-received", "2026-04-20"])["due"], "2026-05-20");
    assert_eq!(dates(&["--clarification-received", "2027-02-25"])["due"], "2027-03-04");
    let after = dates(&["--last-activity", "2027Q3"]);
    let seven = after["affirmations"].as_array().unwrap();
    assert_eq!(
        (seven.len(), &seven[0]["due"], &seven[6]["due"]),
        (7, &"2028-01-15".into(), &"2029-07-15".into())
    );
    assert_eq!(after["silent_from"], "2029-10-15");
    let excluded = dates(&["--quarter", "2026Q1", "--reading", "look_ahead_end=excluded"]);
    assert_eq!(excluded["window_end"], "2026-10-14");
}

#[test]
fn a_planned_run_is_in_scope_to_the_last_day_of_six_months() {
    let folder = Folder::new();
    let first = |start: &str| {
        let times = format!("start = {start}\nend = 2027-03-01\nplanned_since = 2026-03-01");
        due(&folder.plan(&training("big", &times), &[]), "notification")[0].clone()
    };
    assert_eq!(first("2026-10-15"), "2026-04-15");
    assert_eq!(first("2026-10-16"), "2026-07-15");
}

#[test]
fn affirmations_follow_the_last_activity_and_stop() {
    let folder = Folder::new();
    let plan = folder.plan(&training("big", "start = 2027-03-01\nend = 2027-09-10"), &[]);
    let seven =
        ["2028-01-15", "2028-04-15", "2028-07-15", "2028-10-15", "2029-01-15", "2029-04-15", "2029-07-15"];
    assert_eq!(due(&plan, "affirmation_no_activity"), seven);
    assert_eq!(plan["silent_from"], "2029Q3");

    let new = training("big", "start = 2025-01-20\nend = 2025-03-01")
        + &training("big", "start = 2026-02-10\nend = 2026-03-20\nplanned_since = 2026-02-10");
    let plan = folder.plan(&new, &[]);
    assert!(due(&plan, "notification").contains(&"2026-04-15".to_owned()));
    let affirmed = due(&plan, "affirmation_no_activity");
    assert_eq!((affirmed.len(), affirmed[3].as_str()), (10, "2026-07-15"));

    assert!(folder.plan("", &[])["deadlines"].as_array().unwrap().is_empty());
    let small = folder.plan(&training("small", "start = 2026-01-01\nend = 2026-02-01"), &[]);
    assert!(small["deadlines"].as_array().unwrap().is_empty());

    let dropped = training("big", "start = 2026-09-01\nend = 2026-12-01\ncancelled = 2026-05-01");
    let plan = folder.plan(&dropped, &[]);
    assert_eq!(due(&plan, "notification"), ["2026-04-15"]);
    assert_eq!(due(&plan, "affirmation_no_activity").len(), 7);
}

#[test]
fn a_plan_says_why_each_activity_is_in_it() {
    let folder = Folder::new();
    let more = format!(
        "{HALL}{}[[received]]\nkind = \"questions\"\non = 2026-04-20\n[[received]]\nkind = \"clarification\"\n\
         on = 2027-02-25\n[[correction]]\nrefers_to = \"2026Q1\"\nactivity = \"hall\"\ndiscovered = 2026-05-10\n\
         what = \"machines\"\nreason = \"inventory\"\n",
        training("open", "start = 2026-10-15\nend = 2027-03-31\nplanned_since = 2026-03-01")
    );
    let plan = folder.plan(&more, &[]);
    let quarter = |name: &str| {
        let quarters = plan["quarters"].as_array().unwrap();
        quarters.iter().find(|quarter| quarter["quarter"] == name).unwrap()["entries"].clone()
    };
    assert_eq!(quarter("2025Q4")[0]["cause"], "being-acquired");
    assert_eq!(quarter("2026Q1")[0]["cause"], "acquired");
    assert_eq!(quarter("2026Q2")[0]["cause"], "continued-possession");
    let planned = quarter("2026Q1")[1].clone();
    assert_eq!((&planned["phase"], &planned["verdict"]), (&"planned".into(), &"undetermined".into()));
    assert!(planned["why"].as_str().unwrap().contains("may be above the limit, depends on attention"));
    assert_eq!(due(&plan, "answer"), ["2026-05-20"]);
    assert_eq!(due(&plan, "clarification"), ["2027-03-04"]);
    assert_eq!(due(&plan, "correction"), ["none"]);
    let weekdays = folder.plan(&more, &["--reading", "clarification_days=weekdays"]);
    assert_eq!(due(&weekdays, "clarification"), ["2027-03-08"]);
    let once = folder.plan(&more, &["--reading", "continued_possession=event-only"]);
    assert!(once["continues"].is_null() && !plan["continues"].is_null());
    let without = folder.plan(&more, &["--reading", "undetermined=leave-out"]);
    assert!(!without["activities"][1]["reported"].as_bool().unwrap());
}

#[test]
fn bad_input_names_its_place_and_writes_nothing() {
    let folder = Folder::new();
    folder.write("broken.toml", "format = \"flopgauge.training/1\"\n[model]\nparameters = -1\n");
    let overlap = training("big", "start = 2026-02-01") + &training("big", "start = 2026-03-01");
    let row = |name: &str, times: &str| training(name, times);
    for (more, expected) in [
        (overlap, "filer.toml:14:9: start: 'big' overlaps 'big'"),
        (
            row("big", "start = 2026-02-01\nend = 2026-01-01"),
            "filer.toml:10:7: end 2026-01-01 is before start",
        ),
        (row("broken", "start = 2026-02-01"), "broken.toml:3:14:"),
        (row("absent", "start = 2026-02-01"), "absent.toml"),
        (row("big", "start = 2026-02-01\non = \"nowhere\""), "on names 'nowhere', which is no cluster here"),
        (
            row("big", "start = 2026-02-01").replace("training-run", "something"),
            "unknown variant `something`",
        ),
        (
            row(
                "big",
                "start = 2026-02-01\n[[correction]]\nrefers_to = \"2026Q5\"\ndiscovered = 2026-05-01\nwhat = \"\"\nreason = \"\"",
            ),
            "'2026Q5' is no quarter",
        ),
        (
            row(
                "big",
                "start = 2026-02-01\nend = 2026-03-01\n[[correction]]\nrefers_to = \"2036Q1\"\ndiscovered = 2036-05-01\nwhat = \"\"\nreason = \"\"",
            ),
            "nothing is due for that quarter",
        ),
        (row("big", "start = 0226-02-01"), "outside 2000 to 2999"),
        (row("big", "start = 2026-02-01\nend = 2926-02-01"), "check the years"),
        ("[readings]\nlook_ahead_end = \"perhaps\"\n".to_owned(), "unknown variant `perhaps`"),
        ("[[calibration]]\nrecords = \"nowhere\"\n".to_owned() + HALL, "nowhere"),
    ] {
        let filer = folder.filer(&more);
        let mut command = flopgauge();
        command
            .args(["filing", "packet"])
            .arg(filer)
            .args(["--quarter", "2026Q1", "--out"])
            .arg(folder.at("x"));
        let run = command.assert().code(2);
        let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(run.get_output().stdout.is_empty());
        let left = std::fs::read_dir(folder.0.path()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(!left.iter().any(|name| name == "x" || name.ends_with(".part")), "{left:?}");
    }
}

#[test]
fn a_missing_basis_and_a_wrong_option_are_usage_errors() {
    let folder = Folder::new();
    let filer = folder.filer("");
    let text = std::fs::read_to_string(&filer).unwrap();
    std::fs::write(&filer, text.replace("covered_person_basis = \"us-entity\"\n", "")).unwrap();
    let run = flopgauge().args(["filing", "plan"]).arg(&filer).assert().code(2);
    let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(said.contains("filer.toml:2:1: missing field `covered_person_basis`"), "{said}");
    for wrong in
        [&["--quarter", "2026Q5"][..], &["--quarter", "2026"], &[], &["--questions-received", "2026-02-30"]]
    {
        flopgauge().args(["filing", "dates"]).args(wrong).assert().code(2);
    }
}

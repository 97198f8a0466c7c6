//! The quarterly filing through the command line: vectors of dates, plans, packets, the calendar and the printed page.

use std::path::{Path, PathBuf};
use std::process::Command as Process;

use serde_json::Value;

use super::commands::flopgauge;

/// A device whose figures are in the file, so that nothing depends on the catalogue.
const DEVICE: &str = "[[device]]\nname = \"Accel-1\"\ndeclared_by = \"the operator\"\n\
    theoretical_op_per_s = { bf16 = \"989.4e12\", fp8e4m3 = \"1979e12\" }\n";

struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with calculators' files: a run above the limit, one that may be, one below, a cluster.
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, tokens) in [("big", "5.2e13"), ("open", "4.1e13"), ("small", "1e13")] {
            folder.run(name, tokens);
        }
        folder.hall(7500);
        folder
    }

    fn run(&self, name: &str, tokens: &str) {
        let text = format!(
            "format = \"flopgauge.training/1\"\n[model]\nname = \"{name}\"\nparameters = 1.2e12\n\
             active_parameters = 4.0e11\nlayers = 120\nd_model = 16384\nsequence_length = 8192\ncausal = true\n\
             [[phase]]\nkind = \"pretraining\"\ntokens = {tokens}\nprecision = \"bf16\"\n"
        );
        self.write(&format!("{name}.toml"), &text);
    }

    fn hall(&self, machines: u32) {
        let text = format!(
            "format = \"flopgauge.cluster/1\"\nname = \"hall\"\n{DEVICE}[[machine]]\nname = \"hall\"\n\
             count = {machines}\nsite = \"Ashburn, VA\"\naccelerators = [{{ device = \"Accel-1\", count = 16 }}]\n\
             [[switch]]\nname = \"spine\"\nfabric = \"ib\"\n[[link]]\nfrom = \"hall\"\nto = \"spine\"\n\
             rate_gbit_s = \"400\"\ncount = 8\nkind = \"infiniband\"\n"
        );
        self.write("hall.toml", &text);
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A filer file with these activities and other tables.
    fn filer(&self, more: &str) -> PathBuf {
        let head = "format = \"flopgauge.filer/1\"\n[filer]\nlegal_name = \"Example Compute, Inc.\"\n\
            covered_person_basis = \"us-entity\"\n";
        self.write("filer.toml", &format!("{head}{more}"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn plan(&self, more: &str, options: &[&str]) -> Value {
        let filer = self.filer(more);
        let mut command = flopgauge();
        command.args(["filing", "plan"]).arg(filer).args(["--as-of", "2026-04-01", "--json"]).args(options);
        json(&mut command)
    }

    fn packet(&self, more: &str, quarter: &str, options: &[&str]) -> Value {
        let filer = self.filer(more);
        let mut command = flopgauge();
        command.args(["filing", "packet"]).arg(filer).args(["--quarter", quarter, "--json"]);
        command.args(["--as-of", "2026-04-01", "--out"]).arg(self.at(quarter)).args(options);
        json(&mut command)
    }
}

fn json(command: &mut assert_cmd::Command) -> Value {
    let run = command.assert().code(0);
    serde_json::from_slice(&run.get_output().stdout).unwrap()
}

fn dates(options: &[&str]) -> Value {
    json(flopgauge().args(["filing", "dates", "--json"]).args(options))
}

fn training(name: &str, times: &str) -> String {
    format!("[[activity]]\nname = \"{name}\"\nlimb = \"training-run\"\nrun = \"{name}.toml\"\n{times}\n")
}

const HALL: &str = "[[activity]]\nname = \"hall\"\nlimb = \"cluster\"\ntopology = \"hall.toml\"\nevent = \"acquire\"\n\
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
fn a_packet_has_its_files_and_says_what_it_is() {
    let folder = Folder::new();
    let more = format!("{HALL}{}", training("big", "start = 2026-02-01\nend = 2026-08-31"));
    let packet = folder.packet(&more, "2026Q1", &[]);
    let stored = std::fs::read_to_string(folder.at("2026Q1/packet.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), packet);
    assert_eq!(packet["filing"]["kind"], "notification");
    assert_eq!(packet["activity"][0]["cluster"]["r16_op_per_s"], "118728000000000000000");
    assert_eq!(packet["activity"][1]["training_run"]["ops"]["two_figures"], "1.2e26");
    assert_eq!(packet["look_ahead"]["none"], true);
    let html = std::fs::read_to_string(folder.at("2026Q1/packet.html")).unwrap();
    let calendar = std::fs::read_to_string(folder.at("2026Q1/deadlines.ics")).unwrap().replace("\r\n ", "");
    let questions = std::fs::read_to_string(folder.at("2026Q1/questions.toml")).unwrap();
    for (name, text) in [("json", &stored), ("html", &html), ("ics", &calendar), ("toml", &questions)] {
        let plain = text.replace('\\', "");
        assert!(plain.contains("September 11, 2024"), "{name}");
        assert!(plain.contains("not in force; legal basis revoked"), "{name}");
        assert!(plain.contains("not legal advice"), "{name}");
    }
    for mark in ["declared", "recalled", "read", "decided"] {
        assert!(html.contains(&format!("<span class=\"tag {mark}\">{mark}</span>")), "{mark}");
    }
    assert!(!html.contains("src=") && !html.contains("<link") && !html.contains("<script"));
    assert_eq!(std::fs::read_dir(folder.at("2026Q1")).unwrap().count(), 4);
}

#[test]
fn the_same_input_gives_the_same_files() {
    let folder = Folder::new();
    let more = format!("{HALL}{}", training("open", "start = 2026-02-01\nend = 2026-08-31"));
    let read = || {
        folder.packet(&more, "2026Q1", &[]);
        ["packet.json", "packet.html", "deadlines.ics", "questions.toml"]
            .map(|name| std::fs::read_to_string(folder.at("2026Q1").join(name)).unwrap())
    };
    let first = read();
    std::fs::remove_dir_all(folder.at("2026Q1")).unwrap();
    assert_eq!(first, read());
}

#[test]
fn text_from_the_filer_is_escaped_on_the_page() {
    let folder = Folder::new();
    let filer = folder.filer(HALL);
    let text = std::fs::read_to_string(&filer).unwrap();
    std::fs::write(&filer, text.replace("Example Compute, Inc.", "<script>alert(1)</script> & Co")).unwrap();
    let mut command = flopgauge();
    command.args(["filing", "packet"]).arg(filer).args(["--quarter", "2026Q1", "--out"]).arg(folder.at("o"));
    command.assert().code(0);
    let html = std::fs::read_to_string(folder.at("o/packet.html")).unwrap();
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn answers_are_kept_when_a_packet_is_made_again() {
    let folder = Folder::new();
    folder.packet(HALL, "2026Q1", &[]);
    let path = folder.at("2026Q1/questions.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replacen("answer = \"\"\ndone = false", "answer = \"guards\"\ndone = true", 1),
    )
    .unwrap();
    folder.packet(HALL, "2026Q1", &[]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("answer = \"guards\"\ndone = true"), "{text}");
    std::fs::write(&path, text.replace("done = true", "done = maybe")).unwrap();
    let filer = folder.filer(HALL);
    let mut command = flopgauge();
    command
        .args(["filing", "packet"])
        .arg(filer)
        .args(["--quarter", "2026Q1", "--out"])
        .arg(folder.at("2026Q1"));
    let run = command.assert().code(2);
    assert!(
        String::from_utf8_lossy(&run.get_output().stderr).contains("questions.toml:"),
        "answers would be lost"
    );
}

#[test]
fn a_figure_that_moved_drafts_a_correction() {
    let folder = Folder::new();
    let more = format!("{HALL}{}", training("open", "start = 2026-10-01\nend = 2026-12-31"));
    folder.packet(&more, "2026Q1", &[]);
    let before = folder.at("2026Q1").display().to_string();
    let same = folder.packet(&more, "2026Q2", &["--previous", &before]);
    assert!(same["correction"].as_array().unwrap().is_empty());
    assert_eq!(same["activity"][0]["first_reported_quarter"], "2025Q2");
    // More machines were there than were reported, and the planned run grew: only the first is a correction.
    folder.hall(7600);
    folder.run("open", "4.4e13");
    let moved = folder.packet(&more, "2026Q2", &["--previous", &before]);
    let drafts = moved["correction"].as_array().unwrap();
    assert!(drafts.iter().all(|draft| draft["activity"] == "hall" && draft["refers_to"] == "2026Q1"));
    assert!(
        drafts.iter().any(|draft| draft["what_changed"].as_str().unwrap().contains("118728000000000000000"))
    );
    let changes = moved["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["activity"] == "open" && change["corrects"] == false));
    assert_eq!(moved["previous"]["quarter"], "2026Q1");
    let again = folder.packet(&more, "2026Q1", &["--previous", &before]);
    assert_eq!(again["filing"]["kind"], "correction");
    // A packet of a later quarter, and one of somebody else, cannot come before.
    let filer = folder.filer(&more);
    let mut command = flopgauge();
    command.args(["filing", "packet"]).arg(&filer).args(["--quarter", "2025Q4", "--out"]).arg(folder.at("x"));
    command.arg("--previous").arg(&before).assert().code(2);
    assert!(!folder.at("x").exists());
}

#[test]
fn an_affirmation_has_its_own_packet_and_a_silent_quarter_none() {
    let folder = Folder::new();
    let more = training("big", "start = 2025-02-01\nend = 2025-05-01");
    let packet = folder.packet(&more, "2025Q4", &[]);
    assert_eq!(packet["filing"]["kind"], "affirmation_no_activity");
    assert_eq!((&packet["affirmation"]["number"], &packet["affirmation"]["of"]), (&2.into(), &7.into()));
    let filer = folder.filer(&more);
    let mut command = flopgauge();
    command.args(["filing", "packet"]).arg(filer).args(["--quarter", "2029Q1", "--out"]).arg(folder.at("x"));
    let run = command.assert().code(2);
    assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("nothing is due for 2029Q1"));
    assert!(!folder.at("x").exists());
}

#[test]
fn measurements_are_annexed_with_hashed_devices() {
    let folder = Folder::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/scripts/two-rates.toml");
    let record = folder.at("record");
    let mut command = flopgauge();
    command.args([
        "measure",
        "--backend",
        "scripted",
        "--precision",
        "fp32",
        "--quick",
        "--device",
        "scripted:0",
    ]);
    command.arg("--out").arg(&record).env("FLOPGAUGE_SCRIPT", script).assert().code(0);
    let uuid = std::fs::read_to_string(record.join("summary.csv")).unwrap();
    let uuid = uuid.lines().nth(1).unwrap().split(',').nth(1).unwrap().to_owned();
    let packet = folder.packet(&format!("{HALL}[[calibration]]\nrecords = \"record\"\n"), "2026Q1", &[]);
    let annex = &packet["annex"]["calibration"][0];
    assert_eq!(annex["rates"][0]["kind"], "simulated");
    assert_eq!(annex["rates"][0]["device_uuid_sha256"].as_str().unwrap().len(), 64);
    assert!(annex["warnings"][0].as_str().unwrap().contains("no hardware"));
    let html = std::fs::read_to_string(folder.at("2026Q1/packet.html")).unwrap();
    assert!(
        !packet.to_string().contains(&uuid) && !html.contains(&uuid),
        "the UUID itself is not given away"
    );
    assert!(html.contains(annex["rates"][0]["device_uuid_sha256"].as_str().unwrap()));
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

#[test]
fn the_questionnaire_is_answered_and_says_what_would_settle_it() {
    let folder = Folder::new();
    let run = flopgauge().args(["filing", "template", "dual-use"]).assert().code(0);
    let blank = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let path = folder.write("q.toml", &blank);
    let result = json(flopgauge().args(["filing", "dual-use", "--json"]).arg(&path));
    assert_eq!(result["result"], "unknown");
    assert!(!result["would_settle"].as_array().unwrap().is_empty());
    let no = blank.replacen("answer = \"unknown\"", "answer = \"no\"", 1);
    std::fs::write(&path, no.replace("# safeguards = \"\"", "safeguards = \"refusals\"")).unwrap();
    assert_eq!(json(flopgauge().args(["filing", "dual-use", "--json"]).arg(&path))["result"], "no");
    let more =
        HALL.to_owned() + &training("big", "start = 2026-02-01\nend = 2026-08-31\ndual_use = \"q.toml\"");
    let packet = folder.packet(&more, "2026Q1", &[]);
    assert_eq!(packet["activity"][1]["training_run"]["dual_use_foundation_model"], "no");
}

/// Says that a check was skipped, or fails where the tool must be there.
fn skip(variable: &str, what: &str) {
    assert!(
        std::env::var_os(variable).is_none_or(|value| value != "1"),
        "{what} is not there, and {variable}=1"
    );
    println!("skipped: {what} is not there ({variable}=1 makes this a failure)");
}

#[test]
fn an_independent_parser_reads_the_calendar_and_finds_the_plans_dates() {
    let python = std::env::var("FLOPGAUGE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Process::new(&python).args(["-c", "import icalendar"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        return skip("FLOPGAUGE_REQUIRE_ICALENDAR", "Python's icalendar");
    }
    let folder = Folder::new();
    let more = format!(
        "{HALL}end = 2026-12-31\n{}[[received]]\nkind = \"questions\"\non = 2026-04-20\nabout = \"hall; all, of it\"\n",
        training("big", "start = 2026-02-01\nend = 2026-08-31")
    );
    folder.packet(&more, "2026Q1", &[]);
    let plan = folder.plan(&more, &[]);
    let program = "import icalendar, json, sys\n\
        calendar = icalendar.Calendar.from_ical(open(sys.argv[1], 'rb').read())\n\
        events = calendar.walk('VEVENT')\n\
        assert not calendar.errors and not any(event.errors for event in events)\n\
        assert len({str(event['UID']) for event in events}) == len(events)\n\
        assert all(event['DTEND'].dt > event['DTSTART'].dt and event['DTSTAMP'] for event in events)\n\
        print(json.dumps([[event['DTSTART'].dt.isoformat(), str(event['SUMMARY'])] for event in events]))\n";
    let output =
        Process::new(&python).args(["-c", program]).arg(folder.at("2026Q1/deadlines.ics")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Vec<(String, String)> = serde_json::from_slice(&output.stdout).unwrap();
    let deadlines = plan["deadlines"].as_array().unwrap();
    let planned = deadlines.iter().filter_map(|deadline| {
        let what = deadline["what"].as_str().unwrap();
        Some((deadline["due"].as_str()?.to_owned(), format!("{what} due")))
    });
    assert_eq!(read, planned.collect::<Vec<_>>());
}

#[test]
fn the_page_prints_with_page_numbers_and_without_cut_rows() {
    let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Process::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    let pdftotext = Process::new("pdftotext").arg("-v").output().is_ok();
    let (Some(chromium), true) = (chromium, pdftotext) else {
        return skip("FLOPGAUGE_REQUIRE_CHROMIUM", "Chromium or pdftotext");
    };
    let folder = Folder::new();
    let more = format!("{HALL}{}", training("big", "start = 2026-02-01\nend = 2026-08-31"));
    folder.packet(&more, "2026Q1", &[]);
    let pdf = folder.at("packet.pdf");
    let user = tempfile::tempdir().unwrap();
    let output = Process::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", user.path().display()))
        .arg("--no-pdf-header-footer")
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .arg(format!("file://{}", folder.at("2026Q1/packet.html").display()))
        .output()
        .unwrap();
    assert!(pdf.exists(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = Process::new("pdftotext").arg("-layout").arg(&pdf).arg("-").output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    let pages: Vec<&str> = text.trim_end_matches('\u{c}').split('\u{c}').collect();
    assert!(pages.len() >= 4, "{} pages", pages.len());
    for (index, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("Page {} of {}", index + 1, pages.len())), "page {}", index + 1);
        assert!(page.contains("not in force"), "page {}", index + 1);
    }
    for wanted in ["Annex A. Calibration", "Annex D. Sources", "arnoldporter.com", "Attestation", "hall A"] {
        let wanted = wanted.replace("hall A", "hall");
        assert!(text.contains(&wanted), "{wanted}");
    }
}

//! Packets of the quarterly filing through the command line: files, lineage, annex, questionnaires.

use std::path::Path;

use serde_json::Value;

use super::commands::flopgauge;
use super::filings::{Folder, HALL, json, training};

#[test]
fn a_packet_has_its_files_and_says_what_it_is() {
    let folder = Folder::new();
    let more = format!("{HALL}{}", training("big", "start = 2026-02-01\nend = 2026-08-31"));
    let packet = folder.packet(&more, "2026Q1", &[]);
    let stored = std::fs::read_to_string(folder.at("2026Q1/packet.json")).unwrap();
    for figure in ["parameters in all", "active parameters per token"] {
        assert!(stored.contains(figure), "{figure}");
    }
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
    // An acquisition that is reported once is no error when the next notice leaves it out; a run that was denied is.
    folder.hall(7500);
    let once = ["--previous", &before, "--reading", "continued_possession=event-only"];
    let once = folder.packet(&more, "2026Q2", &once);
    assert!(once["correction"].as_array().unwrap().is_empty(), "{}", once["correction"]);
    folder.hall(100);
    let denied = folder.packet(&more, "2026Q2", &["--previous", &before]);
    assert_eq!(denied["correction"][0]["activity"], "hall");
    folder.hall(7600);
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

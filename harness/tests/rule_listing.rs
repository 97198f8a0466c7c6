//! `flopgauge rules` on different days.

use serde_json::Value;

use crate::commands::flopgauge;

fn listed(day: &str) -> Value {
    let run = flopgauge().args(["rules", "--json", "--as-of", day]).assert().code(0);
    serde_json::from_slice(&run.get_output().stdout).unwrap()
}

#[test]
fn status_source_and_evidence_are_shown_for_the_day() {
    let status = |day: &str, id: &str| {
        let listed = listed(day);
        let rule = listed["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap().clone();
        (rule["status"].as_str().unwrap().to_owned(), rule["status_notice"].as_str().unwrap().to_owned())
    };
    let (state, notice) = status("2026-11-24", "BIS-2024-proposed");
    assert_eq!(
        (state.as_str(), notice.as_str()),
        ("proposed", "proposed rule, not in force; legal basis revoked")
    );
    assert_eq!(status("2025-01-19", "EO-14110").0, "in-force");
    assert_eq!(status("2025-01-20", "EO-14110").0, "revoked");
    assert_eq!(status("2026-12-31", "NY-2026").0, "enacted");
    assert_eq!(status("2027-01-01", "NY-2026").0, "in-force");
    assert_eq!(status("2023-11-16", "3A090-2022").0, "in-force");
    assert_eq!(status("2023-11-17", "3A090-2022").0, "superseded");
    let text = String::from_utf8(
        flopgauge().args(["rules", "--as-of", "2025-01-01"]).assert().get_output().stdout.clone(),
    );
    let text = text.unwrap();
    assert!(text.contains("(recalled)") && text.contains("secondary") && text.contains("https://"), "{text}");
    flopgauge().args(["rules", "no such rule"]).assert().code(3);
    flopgauge().args(["rules", "--as-of", "yesterday"]).assert().code(2);
}

#[test]
fn every_limit_has_scenarios_and_a_quotation() {
    for rule in listed("2026-11-24")["rules"].as_array().unwrap() {
        for test in rule["tests"].as_array().unwrap() {
            assert!(test["scenarios"].as_u64().unwrap() >= 3, "{test}");
            assert!(test["quotation"].as_str().unwrap().len() > 10, "{test}");
        }
    }
}

#[test]
fn kinds_of_judging_have_schemas() {
    for kind in ["cluster", "cluster-determination", "rules", "training", "training-determination"] {
        let run = flopgauge().args(["schema", kind]).assert().code(0);
        let schema: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
        assert_eq!(schema["$id"], format!("flopgauge.{kind}/1"));
        assert!(schema["properties"]["format"].is_object(), "{kind}");
    }
}

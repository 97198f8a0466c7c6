//! Records and profiles that are not what was written.

use super::bench::Bench;

#[test]
fn one_edited_byte_of_a_record_is_refused_by_hash() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    assert_eq!(bench.profile(&[&record], &[]).0, 0);
    for (name, needle, with, place) in [
        ("measurements.jsonl", "\"seed\":", "\"sedd\":", "measurements.jsonl:2: SHA-256"),
        ("measurements.jsonl", "alpha-issue", "alphb-issue", "measurements.jsonl:1: SHA-256"),
        ("environment.json", "\"a\"", "\"b\"", "environment.json: SHA-256"),
    ] {
        let path = record.join(name);
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, before.replacen(needle, with, 1)).unwrap();
        assert_ne!(std::fs::read_to_string(&path).unwrap(), before, "{needle}");
        let (code, told) = bench.check("profile.json", &[&record]);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(place) && told.contains("was edited or is another one"), "{told}");
        std::fs::write(&path, before).unwrap();
    }
    assert_eq!(bench.check("profile.json", &[&record]).0, 0);
}

#[test]
fn each_byte_of_a_line_counts() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    assert_eq!(bench.profile(&[&record], &[]).0, 0);
    let path = record.join("measurements.jsonl");
    let before = std::fs::read(&path).unwrap();
    for place in [0, before.len() / 3, before.len() / 2, before.len() - 2, before.len() - 1] {
        let mut edited = before.clone();
        edited[place] ^= 1;
        std::fs::write(&path, &edited).unwrap();
        let (code, told) = bench.check("profile.json", &[&record]);
        assert_eq!(code, 2, "byte {place}: {told}");
        assert!(told.contains("SHA-256 is "), "byte {place}: {told}");
    }
}

#[test]
fn a_truncated_record_is_refused_with_its_line() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    assert_eq!(bench.profile(&[&record], &[]).0, 0);
    let path = record.join("measurements.jsonl");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let (code, _, told) = bench.profile(&[&record], &[]);
    assert!(code == 2 && told.contains("measurements.jsonl:2: the line has no end"), "{code} {told}");
    std::fs::write(&path, &whole[..whole.len() - 400]).unwrap();
    let (code, profiles, told) = bench.profile(&[&record], &[]);
    assert!(code == 2 && profiles.is_none() && told.contains("measurements.jsonl:2:"), "{code} {told}");
    assert!(told.contains("EOF while parsing"), "{told}");
    let (code, _, told) = bench.profile(&[&bench.path("nowhere")], &[]);
    assert!(code == 2 && told.contains("nowhere/measurements.jsonl"), "{code} {told}");
}

#[test]
fn an_edited_or_strange_profile_is_refused() {
    let bench = Bench::new();
    let record = bench.record("a", 1, |_| ());
    assert_eq!(bench.profile(&[&record], &[]).0, 0);
    let file = bench.path("profile.json");
    let before = std::fs::read_to_string(&file).unwrap();
    for (needle, with, words) in [
        ("\"theoretical_op_per_s\": \"12", "\"theoretical_op_per_s\": \"13", "fp32 of Made-up 1 differs"),
        ("\"refused\"", "\"refuesd\"", "unknown field `refuesd`"),
        ("profile/1\"", "profile/2\"", "expected format = \"flopgauge.profile/1\""),
        ("\"hardware\"", "\"simulated\"", "Made-up 1 is simulated; only hardware can be calibrated"),
        ("\"devices\": 1", "\"devices\": 8", "names 8 devices and has lines of 1"),
    ] {
        std::fs::write(&file, before.replacen(needle, with, 1)).unwrap();
        let (code, told) = bench.check("profile.json", &[&record]);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(words), "{told}");
    }
    std::fs::write(&file, before).unwrap();
    std::fs::rename(&record, bench.path("moved")).unwrap();
    let (code, told) = bench.check("profile.json", &[]);
    assert!(code == 3 && told.contains("not among those given"), "{code} {told}");
    assert_eq!(bench.check("profile.json", &[&bench.path("moved")]).0, 0, "a record may be moved");
}

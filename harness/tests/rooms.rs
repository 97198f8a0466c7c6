//! A room uses only rooms above it; the order is that of `lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

/// Every `pub mod` of lib.rs, in order.
fn rooms() -> Vec<String> {
    let lib = fs::read_to_string(root().join("lib.rs")).unwrap();
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("harness")
}

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|e| e == "rs") {
        found.push(path.to_owned());
    }
}

fn sources_of(room: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in [root().join(format!("{room}.rs")), root().join(room)] {
        if path.exists() {
            sources(&path, &mut found);
        }
    }
    assert!(!found.is_empty(), "the room {room} has no source");
    found
}

/// Rooms that a source file names through `crate::`, tests included.
fn used(text: &str, rooms: &[String]) -> Vec<String> {
    let code: String =
        text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let named = |room: &&String| {
        code.match_indices(&format!("crate::{room}")).any(|(at, found)| {
            !code[at + found.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    rooms.iter().filter(named).cloned().collect()
}

#[test]
fn a_room_uses_only_rooms_above_it() {
    let rooms = rooms();
    assert!(rooms.len() > 3, "lib.rs was not understood: {rooms:?}");
    let mut wrong = Vec::new();
    for (place, room) in rooms.iter().enumerate() {
        for path in sources_of(room) {
            let text = fs::read_to_string(&path).unwrap();
            // A braced import would hide its rooms from this test.
            assert!(!text.contains("crate::{"), "{}: name one room in each import", path.display());
            for other in used(&text, &rooms) {
                if rooms.iter().position(|r| *r == other) > Some(place) {
                    wrong.push(format!("{} uses {other}, which is below {room}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_harness_is_a_room_or_holds_tests_or_examples() {
    let mut known = rooms();
    known.extend(["tests".to_owned(), "examples".to_owned()]);
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            known.contains(&name) || ["lib", "main", "build"].contains(&name.as_str()),
            "{name} is no room"
        );
    }
}

#[test]
fn unsafe_code_stays_in_the_backend() {
    for room in rooms().iter().filter(|room| *room != "backend") {
        for path in sources_of(room) {
            let text = fs::read_to_string(&path).unwrap();
            let found = text.lines().any(|line| line.contains("unsafe {") || line.contains("unsafe fn"));
            assert!(!found, "{}", path.display());
        }
    }
}

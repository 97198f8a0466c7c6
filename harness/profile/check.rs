//! A profile held against the records that it was made from: by hash first, then figure by figure.

use std::path::{Path, PathBuf};

use super::source::Hashes;
use super::{ProfileError, Profiles, RecordSource, Source, calibrate};
use crate::record::{ENVIRONMENT, MEASUREMENTS};

/// Checks `profiles`, read from `name`, against `records`; without any, against those at the places that it names.
///
/// Errors: [`ProfileError::Edited`] for a record of other bytes, [`ProfileError::Missing`] for one that was not given,
/// [`ProfileError::Differs`] where the records give other figures.
pub fn check(profiles: &Profiles, name: &str, records: &[PathBuf]) -> Result<(), ProfileError> {
    // Without a name to go by, a record that is no longer there is missing, not unreadable.
    let there =
        profiles.records.iter().map(|record| PathBuf::from(&record.record)).filter(|path| path.is_dir());
    let named: Vec<PathBuf> = if records.is_empty() { there.collect() } else { records.to_vec() };
    let hashes = named.iter().map(|path| Hashes::read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut sources = Vec::new();
    for record in &profiles.records {
        let same = |found: &&Hashes| {
            found.measurements == record.measurements_sha256 && found.environment == record.environment_sha256
        };
        let Some(found) = hashes.iter().find(same) else { return Err(unlike(profiles, record, &hashes)) };
        sources.push(Source::read(Path::new(&found.path))?.named(&record.record));
    }
    compare(profiles, &calibrate(&sources, profiles.input)?, name)
}

/// Which of the given records was meant, and where it differs.
fn unlike(profiles: &Profiles, record: &RecordSource, given: &[Hashes]) -> ProfileError {
    let used = used_lines(profiles, record);
    let folder = |path: &str| Path::new(path).file_name().map(ToOwned::to_owned);
    let meant: [&dyn Fn(&&Hashes) -> bool; 4] = [
        &|found| found.path == record.record,
        &|found| found.measurements == record.measurements_sha256,
        &|found| used.iter().any(|(_, hash)| found.lines.iter().any(|line| line == hash)),
        &|found| {
            found.environment == record.environment_sha256 || folder(&found.path) == folder(&record.record)
        },
    ];
    let Some(found) = meant.iter().find_map(|is| given.iter().find(|hashes| is(hashes))) else {
        return ProfileError::Missing { record: record.record.clone(), started: record.started.to_string() };
    };
    let edited = |place: String, found: &str, expected: &str| ProfileError::Edited {
        place,
        found: found.to_owned(),
        expected: expected.to_owned(),
    };
    let path = &found.path;
    let line_of = |number: usize| number.checked_sub(1).and_then(|at| found.lines.get(at));
    for (number, expected) in used {
        if line_of(number).map(String::as_str) != Some(expected) {
            let found = line_of(number).map_or("of no line, as it is not there", String::as_str);
            return edited(format!("{path}/{MEASUREMENTS}:{number}"), found, expected);
        }
    }
    if found.measurements == record.measurements_sha256 {
        return edited(format!("{path}/{ENVIRONMENT}"), &found.environment, &record.environment_sha256);
    }
    edited(format!("{path}/{MEASUREMENTS}"), &found.measurements, &record.measurements_sha256)
}

/// Lines of a record that figures come from, with their hashes.
fn used_lines<'a>(profiles: &'a Profiles, record: &RecordSource) -> Vec<(usize, &'a str)> {
    let rows = profiles.profiles.iter().flat_map(|profile| &profile.precisions);
    let figures = rows.flat_map(|row| row.issue.iter().chain(&row.sustained));
    let sources = figures.flat_map(|figure| &figure.sources).filter(|source| source.record == record.record);
    let mut lines: Vec<_> = sources.map(|source| (source.line, source.sha256.as_str())).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// A file may hold one model of several in its records; what it holds must be what they give.
fn compare(profiles: &Profiles, again: &Profiles, name: &str) -> Result<(), ProfileError> {
    let differs = |what: String| ProfileError::Differs {
        path: name.to_owned(),
        what,
        version: profiles.version.clone(),
    };
    if profiles.method_version != again.method_version {
        return Err(differs(format!("method version {}", profiles.method_version)));
    }
    if let Some(record) = profiles.records.iter().find(|record| !again.records.contains(record)) {
        return Err(differs(format!("what it says of record {}", record.record)));
    }
    for profile in &profiles.profiles {
        let model = &profile.device.model;
        let Some(other) = again.profiles.iter().find(|other| other.device == profile.device) else {
            return Err(differs(format!("the profile of {model}")));
        };
        if let Some(row) = profile.precisions.iter().find(|row| !other.precisions.contains(row)) {
            return Err(differs(format!("{} of {model}", row.precision)));
        }
        if profile != other {
            return Err(differs(format!("the list of devices or precisions of {model}")));
        }
    }
    match profiles.refused.iter().find(|refusal| !again.refused.contains(refusal)) {
        Some(refusal) => Err(differs(format!("the refusal of {}:{}", refusal.record, refusal.line))),
        None => Ok(()),
    }
}

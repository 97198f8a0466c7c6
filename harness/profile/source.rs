//! A record with the SHA-256 of its files and of every line, line end included, as `sed -n 3p FILE | sha256sum` gives it.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::ProfileError;
use crate::files::FileError;
use crate::record::{ENVIRONMENT, MEASUREMENTS, Record};

/// Hashes of a record, taken before anything of it is parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hashes {
    /// Directory as named by the user.
    pub path: String,
    /// Of `measurements.jsonl`.
    pub measurements: String,
    /// Of `environment.json`.
    pub environment: String,
    /// Of each line of `measurements.jsonl`.
    pub lines: Vec<String>,
    /// Whether the last line has its end.
    pub whole: bool,
}

impl Hashes {
    /// Hashes of the record directory `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ProfileError> {
        let measurements = bytes(&path.join(MEASUREMENTS))?;
        let lines: Vec<&[u8]> = measurements.split_inclusive(|byte| *byte == b'\n').collect();
        Ok(Self {
            path: path.display().to_string(),
            measurements: sha256(&measurements),
            environment: sha256(&bytes(&path.join(ENVIRONMENT))?),
            lines: lines.iter().map(|line| sha256(line)).collect(),
            whole: lines.last().is_none_or(|line| line.ends_with(b"\n")),
        })
    }
}

/// A record that a profile can be made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub(super) hashes: Hashes,
    pub(super) record: Record,
}

impl Source {
    /// Reads a record directory, strictly, with its hashes.
    ///
    /// Errors: [`ProfileError`] with file, line and key.
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let hashes = Hashes::read(path)?;
        let record = Record::read(path)?;
        if !hashes.whole {
            let path = path.join(MEASUREMENTS).display().to_string();
            return Err(ProfileError::Cut { path, line: hashes.lines.len() });
        }
        if hashes.lines.len() != record.measurements.len() {
            return Err(ProfileError::Changed { path: hashes.path });
        }
        Ok(Self { hashes, record })
    }

    /// The same record under the name that a profile knows it by.
    pub(super) fn named(mut self, path: &str) -> Self {
        path.clone_into(&mut self.hashes.path);
        self
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|source| FileError::Read { path: path.display().to_string(), source })
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_standard() {
        // FIPS 180-4, the example of one block.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), expected);
    }

    #[test]
    fn a_line_end_belongs_to_its_line_and_a_missing_one_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(ENVIRONMENT), "{}").unwrap();
        let hashes = |text: &str| {
            fs::write(folder.path().join(MEASUREMENTS), text).unwrap();
            Hashes::read(folder.path()).unwrap()
        };
        let (whole, cut) = (hashes("a\nb\n"), hashes("a\nb"));
        assert_eq!(whole.lines[0], sha256(b"a\n"));
        assert_eq!(whole.lines[0], cut.lines[0]);
        assert_ne!(whole.lines[1], cut.lines[1]);
        assert!(whole.whole && !cut.whole && hashes("").whole);
        assert_ne!(hashes("a\r\nb\n").lines[0], whole.lines[0], "an added carriage return is an edit");
    }
}

//! Files: strict reading with file, line and key in every error, and writing that leaves nothing half-written.
//!
//! Every file carries `"format": "flopgauge.<kind>/<version>"`. What a kind holds is its room's business.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::units::Bytes;

/// Greatest size of a TOML or JSON file that is read whole; a hand-written file is far below it.
pub const TEXT_LIMIT: Bytes = Bytes::new(256 << 20);

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("cannot read {path}: {source}")]
    Read {
        /// File as named by the user.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system refused.
    #[error("cannot write {path}: {source}")]
    Write {
        /// File as named by the user.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Bytes that are no text.
    #[error("{path}:{line}: not UTF-8 text")]
    NotUtf8 {
        /// File as named by the user.
        path: String,
        /// Line, from 1.
        line: usize,
    },
    /// More bytes than such a file can sensibly hold.
    #[error("{path}: larger than {limit}, the most that is read of such a file")]
    TooLarge {
        /// File as named by the user.
        path: String,
        /// The limit.
        limit: Bytes,
    },
    /// Wrong syntax, an unknown key, a wrong type or a value that its unit refuses.
    #[error("{path}:{line}:{column}: {message}")]
    Content {
        /// File as named by the user.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// Another kind or version of file.
    #[error("{path}: {found}; expected format = \"flopgauge.{expected}\"")]
    Format {
        /// File as named by the user.
        path: String,
        /// What the file says of itself.
        found: String,
        /// Kind and version that was expected.
        expected: &'static str,
    },
}

impl FileError {
    /// What is wrong at the byte `offset` of the `text` of the file `name`.
    pub fn content_at(name: &str, text: &str, offset: usize, message: String) -> Self {
        let (line, column) = position(text, offset);
        Self::Content { path: name.to_owned(), line, column, message }
    }
}

/// The text of a file, `-` being standard input.
///
/// Errors: [`FileError`] when it cannot be read, is larger than `limit`, or is not UTF-8.
pub fn read_text(path: &Path, limit: Bytes) -> Result<String, FileError> {
    let name = path.display().to_string();
    let failed = |source| FileError::Read { path: name.clone(), source };
    let mut bytes = Vec::new();
    let most = limit.get() + 1;
    if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        fs::File::open(path).map_err(failed)?.take(most).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() as u64 > limit.get() {
        return Err(FileError::TooLarge { path: name, limit });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count();
        FileError::NotUtf8 { path: name, line }
    })
}

/// What the TOML `text` of the file `name` holds, its `format` being `flopgauge.<expected>`.
///
/// Errors: [`FileError::Format`], or [`FileError::Content`] with line and column.
pub fn parse_toml<T: DeserializeOwned>(
    name: &str,
    text: &str,
    expected: &'static str,
) -> Result<T, FileError> {
    let content = |error: toml::de::Error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        FileError::Content { path: name.to_owned(), line, column, message: one_line(error.message()) }
    };
    let tag: Tag = toml::from_str(text).map_err(content)?;
    check_format(name, tag.format.as_deref(), expected)?;
    toml::from_str(text).map_err(content)
}

/// What the JSON `text` of the file `name` holds, its `format` being `flopgauge.<expected>`.
///
/// Errors: [`FileError::Format`], or [`FileError::Content`] with line and column.
pub fn parse_json<T: DeserializeOwned>(
    name: &str,
    text: &str,
    expected: &'static str,
) -> Result<T, FileError> {
    parse_json_at(name, text, expected, 1)
}

/// The same for one line of a JSON Lines file; `line` is its number, from 1.
pub fn parse_json_at<T: DeserializeOwned>(
    name: &str,
    text: &str,
    expected: &'static str,
    line: usize,
) -> Result<T, FileError> {
    let content = |error: serde_json::Error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
        let line = line + error.line().saturating_sub(1);
        FileError::Content { path: name.to_owned(), line, column: error.column(), message: one_line(message) }
    };
    let tag: Tag = serde_json::from_str(text).map_err(content)?;
    check_format(name, tag.format.as_deref(), expected)?;
    serde_json::from_str(text).map_err(content)
}

/// Writes a file beside its place and renames it, so that nobody ever sees half of it; `-` is standard output.
///
/// Errors: [`FileError::Write`]; the file that was there before is then still there.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: path.display().to_string(), source };
    if path == Path::new("-") {
        return io::stdout().lock().write_all(bytes).map_err(failed);
    }
    let beside = beside(path);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&beside, path)).map_err(|source| {
        // The first error is the one to tell; a temporary file that cannot be removed changes nothing.
        let _ = fs::remove_file(&beside);
        failed(source)
    })
}

/// Where what can be computed again is kept: `FLOPGAUGE_CACHE`, else `flopgauge` in the user's cache directory.
///
/// **Source**: XDG Base Directory Specification 0.8, by which a relative `XDG_CACHE_HOME` is ignored.
pub fn cache_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let absolute = |name: &str| set(name).filter(|path| path.is_absolute());
    set("FLOPGAUGE_CACHE")
        .or_else(|| Some(absolute("XDG_CACHE_HOME")?.join("flopgauge")))
        .or_else(|| Some(absolute("HOME")?.join(".cache").join("flopgauge")))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

/// Only what says which kind of file this is; everything else is left to the kind's own strict reader.
#[derive(Deserialize)]
struct Tag {
    format: Option<String>,
}

fn check_format(name: &str, found: Option<&str>, expected: &'static str) -> Result<(), FileError> {
    if found.and_then(|text| text.strip_prefix("flopgauge.")) == Some(expected) {
        return Ok(());
    }
    let found = found.map_or_else(|| "no format is named".to_owned(), |text| format!("format is {text:?}"));
    Err(FileError::Format { path: name.to_owned(), found, expected })
}

/// Line and column, both from 1, of the byte `offset` of `text`.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or("").chars().count();
    (line, column)
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "read by check_format")]
        format: String,
        #[expect(dead_code, reason = "only its type matters")]
        count: u32,
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = "format = \"flopgauge.sample/1\"\ncount = 1\ncuont = 2\n";
        let error = parse_toml::<Sample>("a.toml", text, "sample/1").unwrap_err().to_string();
        assert!(error.starts_with("a.toml:3:1: unknown field `cuont`"), "{error}");
        let text = "{\"format\":\"flopgauge.sample/1\",\n\"count\":1,\n\"cuont\":2}";
        let error = parse_json::<Sample>("a.json", text, "sample/1").unwrap_err().to_string();
        assert!(error.starts_with("a.json:3:7: unknown field `cuont`"), "{error}");
    }

    #[test]
    fn another_kind_or_version_is_refused_before_its_keys() {
        for text in ["format = \"flopgauge.sample/2\"\nnew = 1", "count = 1", "format = \"sample/1\""] {
            assert!(matches!(parse_toml::<Sample>("a", text, "sample/1"), Err(FileError::Format { .. })));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, b"one\ntwo\n\xff\n").unwrap();
        assert!(matches!(read_text(&path, TEXT_LIMIT), Err(FileError::NotUtf8 { line: 3, .. })));
        assert!(matches!(read_text(&path, Bytes::new(4)), Err(FileError::TooLarge { .. })));
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_atomically(&path, b"old").unwrap();
        assert!(write_atomically(&folder.path().join("no/x"), b"new").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

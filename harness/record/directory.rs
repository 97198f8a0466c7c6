//! The record directory: written line by line, so that a crash loses nothing that was finished.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{CopyRow, Environment, Measurement, Row};
use crate::files::{FileError, TEXT_LIMIT, parse_json, parse_json_at, read_text, write_atomically};

/// Name of the file with one outcome a line.
pub const MEASUREMENTS: &str = "measurements.jsonl";
/// Name of the file that tells where and how the record was made.
pub const ENVIRONMENT: &str = "environment.json";
const SUMMARY: &str = "summary.csv";
const BANDWIDTH: &str = "bandwidth.csv";

/// Why a record cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file of it.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is a record already, and records are never overwritten.
    #[error("{path} already holds a record; give another --out")]
    Exists {
        /// The directory.
        path: String,
    },
    /// A measurement whose columns differ in length: the line was cut or edited.
    #[error("{path}:{line}: the sample columns differ in length; the record was cut or edited")]
    Ragged {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
    },
}

/// A record that is being written.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    lines: File,
    environment: Environment,
    rows: Vec<Row>,
    copies: Vec<CopyRow>,
}

impl Directory {
    /// Makes the directory and begins the record in it.
    ///
    /// Errors: [`RecordError`] when it cannot be written, or holds a record already.
    pub fn create(path: &Path, environment: Environment) -> Result<Self, RecordError> {
        fs::create_dir_all(path).map_err(|source| write_error(path, source))?;
        let lines = path.join(MEASUREMENTS);
        let lines = File::options().append(true).create_new(true).open(&lines).map_err(|source| {
            if source.kind() == std::io::ErrorKind::AlreadyExists {
                RecordError::Exists { path: path.display().to_string() }
            } else {
                write_error(&lines, source)
            }
        })?;
        let directory =
            Self { path: path.to_owned(), lines, environment, rows: Vec::new(), copies: Vec::new() };
        directory.write_environment()?;
        Ok(directory)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an outcome and flushes it to the disk.
    ///
    /// Errors: [`RecordError::File`]; what was added before stays readable, also on a full disk.
    pub fn add(&mut self, measurement: &Measurement) -> Result<(), RecordError> {
        let path = self.path.join(MEASUREMENTS);
        let failed = |source| write_error(&path, source);
        let mut line = serde_json::to_vec(measurement).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let before = self.lines.metadata().map_err(failed)?.len();
        if let Err(source) = self.lines.write_all(&line).and_then(|()| self.lines.sync_data()) {
            // A disk that filled up in the middle of a line must not leave half of it behind.
            let _ = self.lines.set_len(before);
            return Err(failed(source));
        }
        self.rows.push(Row::of(measurement));
        self.copies.extend(CopyRow::of(measurement));
        self.write_summary()
    }

    /// Ends the record.
    ///
    /// Errors: [`RecordError::File`].
    pub fn finish(mut self, ended: jiff::Timestamp, ending: super::Ending) -> Result<(), RecordError> {
        self.environment.ended = Some(ended);
        self.environment.ending = Some(ending);
        self.write_environment()
    }

    fn write_environment(&self) -> Result<(), RecordError> {
        let path = self.path.join(ENVIRONMENT);
        let text = serde_json::to_vec_pretty(&self.environment).map_err(|e| write_error(&path, e.into()))?;
        Ok(write_atomically(&path, &text)?)
    }

    fn write_summary(&self) -> Result<(), RecordError> {
        self.write_csv(SUMMARY, &self.rows)?;
        if self.copies.is_empty() { Ok(()) } else { self.write_csv(BANDWIDTH, &self.copies) }
    }

    fn write_csv(&self, name: &str, rows: &[impl serde::Serialize]) -> Result<(), RecordError> {
        let path = self.path.join(name);
        Ok(write_atomically(&path, &csv_text(rows).map_err(|source| write_error(&path, source))?)?)
    }
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where and how it was made.
    pub environment: Environment,
    /// Outcomes, in the order of the run.
    pub measurements: Vec<Measurement>,
}

impl Record {
    /// Reads a record directory, strictly.
    ///
    /// Errors: [`RecordError`] with file, line and key.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let (environment, lines) = (path.join(ENVIRONMENT), path.join(MEASUREMENTS));
        let name = environment.display().to_string();
        let environment = parse_json(&name, &read_text(&environment, TEXT_LIMIT)?, Environment::KIND)?;
        let name = lines.display().to_string();
        let text = read_text(&lines, TEXT_LIMIT)?;
        let mut measurements = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let measurement: Measurement = parse_json_at(&name, line, Measurement::KIND, index + 1)?;
            if let crate::measure::Outcome::Measured(measured) = &measurement.result
                && !measured.samples.is_whole()
            {
                return Err(RecordError::Ragged { path: name, line: index + 1 });
            }
            measurements.push(measurement);
        }
        Ok(Self { environment, measurements })
    }
}

fn csv_text(rows: &[impl serde::Serialize]) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))
}

fn write_error(path: &Path, source: std::io::Error) -> RecordError {
    RecordError::File(FileError::Write { path: path.display().to_string(), source })
}

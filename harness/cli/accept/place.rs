//! Where a node leaves its files, and how nobody mistakes those of another run for them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::accept::{NodeFile, Started, is_junit, is_prometheus_text, junit, prometheus_text};
use crate::cli::CliError;
use crate::files::{FileError, TEXT_LIMIT, parse_json, read_text, write_atomically};

/// Says of a text whether it is what a node leaves in a file.
type IsOne = fn(&str) -> bool;

/// The files of one node in `--out`.
pub struct Place {
    result: PathBuf,
    junit: PathBuf,
    prometheus: PathBuf,
    begun: PathBuf,
    started: Started,
}

impl Place {
    /// Takes away what an earlier run left of this node, then says that this one has begun.
    ///
    /// In this order, so that whoever looks in between finds nothing rather than an old result under a new start.
    /// Errors: [`CliError::Usage`] where something else than a node's file is in the way; it stays as it is.
    pub fn begin(out: &Path, started: Started) -> Result<Self, CliError> {
        let failed = |path: &Path, source| FileError::Write { path: path.display().to_string(), source };
        std::fs::create_dir_all(out).map_err(|source| failed(out, source))?;
        let file = |ending: &str| out.join(format!("{}.{ending}", started.node));
        let (result, begun) = (file("json"), file("started.json"));
        let place = Self { result, junit: file("junit.xml"), prometheus: file("prom"), begun, started };
        let ours: [(&Path, IsOne); 3] = [
            (&place.result, NodeFile::is_one),
            (&place.junit, is_junit),
            (&place.prometheus, is_prometheus_text),
        ];
        for (path, is_one) in ours {
            is_free(path, is_one)?;
        }
        for (path, _) in ours {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(path, error).into()),
                _ => {}
            }
        }
        write(&place.begun, &json(&place.started)?)?;
        Ok(place)
    }

    /// Leaves the result.
    ///
    /// Errors: [`FileError::Write`], also where another run of the node has begun here since: the place is now its own.
    pub fn leave(&self, file: &NodeFile) -> Result<(), CliError> {
        let name = self.begun.display().to_string();
        let now: Option<Started> = read_text(&self.begun, TEXT_LIMIT)
            .ok()
            .and_then(|text| parse_json(&name, &text, Started::KIND).ok());
        if now.as_ref() != Some(&self.started) {
            let other = "another run of this node has begun there since; give each run its own --out";
            let (path, source) = (self.result.display().to_string(), std::io::Error::other(other));
            return Err(FileError::Write { path, source }.into());
        }
        // The node's file is the last: where it is, the others are too.
        write(&self.junit, &junit(file)?)?;
        write(&self.prometheus, &prometheus_text(file)?)?;
        write(&self.result, &json(file)?)
    }
}

/// Only what is a node's file may be replaced.
fn is_free(path: &Path, is_one: IsOne) -> Result<(), CliError> {
    let other = || {
        let path = path.display();
        CliError::Usage(format!("{path} is no file of a node and is left as it is; give another --out"))
    };
    match read_text(path, TEXT_LIMIT) {
        Ok(text) => is_one(&text).then_some(()).ok_or_else(other),
        Err(FileError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(()),
        Err(FileError::NotUtf8 { .. } | FileError::TooLarge { .. }) => Err(other()),
        Err(error) => Err(error.into()),
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Output(error.into()))?;
    Ok(text + "\n")
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    Ok(write_atomically(path, text.as_bytes())?)
}

//! The files of a packet: all made before any is written, and put in place together.

use std::fs;
use std::path::{Path, PathBuf};

use super::FilingError;
use super::calendar::calendar;
use super::html::html;
use super::packet::Packet;
use super::plan::Plan;
use super::questions::Questions;
use super::rule::FilingRule;
use crate::files::{FileError, write_atomically};

const QUESTIONS: &str = "questions.toml";

/// Files of a packet by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketFiles(Vec<(&'static str, String)>);

impl PacketFiles {
    /// The files of `packet` for the directory `out`, whose answered questions are kept.
    ///
    /// Errors: [`FilingError`] when the questions that stand there cannot be kept.
    pub fn of(rule: &FilingRule, packet: &Packet, plan: &Plan, out: &Path) -> Result<Self, FilingError> {
        let before = Questions::read(&out.join(QUESTIONS), packet.filing.quarter)?;
        let questions = Questions::of(rule, packet, before.as_ref()).text()?;
        let json =
            serde_json::to_string_pretty(packet).map_err(|error| FilingError::Defect(error.to_string()))?;
        Ok(Self(vec![
            ("packet.json", format!("{json}\n")),
            ("packet.html", html(packet)?),
            ("deadlines.ics", calendar(plan)),
            (QUESTIONS, questions),
        ]))
    }

    /// Writes them into `out`; a directory that is not there appears with all of them or not at all.
    ///
    /// Errors: [`FilingError::File`]; what stood there is then still there.
    pub fn write(&self, out: &Path) -> Result<Vec<PathBuf>, FilingError> {
        let failed = |path: &Path, source| FileError::Write { path: path.display().to_string(), source };
        if out.is_dir() {
            for (name, text) in &self.0 {
                write_atomically(&out.join(name), text.as_bytes())?;
            }
        } else {
            let parent = out.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
            let name = out.file_name().unwrap_or_default().to_string_lossy();
            let beside = parent.join(format!(".{name}.{}.part", std::process::id()));
            let written = fs::create_dir(&beside)
                .map_err(|source| failed(&beside, source))
                .and_then(|()| {
                    self.0
                        .iter()
                        .try_for_each(|(name, text)| write_atomically(&beside.join(name), text.as_bytes()))
                })
                .and_then(|()| fs::rename(&beside, out).map_err(|source| failed(out, source)));
            if let Err(error) = written {
                // The first error is the one to tell; what cannot be removed changes nothing.
                let _ = fs::remove_dir_all(&beside);
                return Err(error.into());
            }
        }
        Ok(self.0.iter().map(|(name, _)| out.join(name)).collect())
    }
}

//! Choices between implementations that are kept for the next run: by device, driver and sources of the kernels, so
//! that a change of any of them tries everything again. A file that cannot be read is ignored, and said so.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Candidate, Request};
use crate::backend::{Backend, Implementation};
use crate::device::{Finding, Severity};
use crate::files::{FileError, parse_json, read_text, write_atomically};
use crate::precision::{Accumulate, Precision};
use crate::units::{Bytes, Seconds};
use crate::workload::Work;

/// A longer file was not written here: a choice is a few kilobytes.
const LIMIT: Bytes = Bytes::new(16 << 20);

/// File of the choices that were made on one device, kind `choices/1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choices {
    /// `flopgauge.choices/1`.
    pub format: String,
    /// What the choices hold for.
    pub of: Origin,
    /// One choice a case.
    pub choices: Vec<Kept>,
}

/// What the speed of an implementation depends on beside the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Device.
    pub uuid: Uuid,
    /// Driver and its version.
    pub driver: Option<String>,
    /// Hash of the sources of the kernels.
    pub sources: String,
}

/// The choice of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Option<Accumulate>,
    /// What was computed; the seed, which no speed depends on, is zero.
    pub work: Work,
    /// Device time of each trial.
    pub trial_s: Seconds,
    /// The fastest of those whose values were right.
    pub chosen: String,
    /// All that were tried.
    pub candidates: Vec<Candidate>,
}

impl Choices {
    /// Kind and version of the file.
    pub const KIND: &'static str = "choices/1";
}

/// The choices of one device, and what a reader must know of them.
pub(super) struct Memory {
    path: PathBuf,
    choices: Choices,
    pub findings: Vec<Finding>,
}

impl Memory {
    /// Reads what is kept in `folder` for a device; `None` where nothing is kept for such a backend.
    pub fn of(backend: &dyn Backend, folder: &Path) -> Option<Self> {
        let device = backend.device();
        let of = Origin { uuid: device.uuid, driver: device.driver.clone(), sources: backend.sources()? };
        let path = folder.join("choices").join(file_name(&of));
        let empty = Choices { format: format!("flopgauge.{}", Choices::KIND), of, choices: Vec::new() };
        let mut memory = Self { path, choices: empty, findings: Vec::new() };
        match memory.read() {
            Ok(choices) => memory.choices.choices = choices,
            Err(why) => {
                let message = format!("the choices of earlier runs are ignored and all are tried: {why}");
                memory.findings.push(note("choices-ignored", message));
            }
        }
        Some(memory)
    }

    fn read(&self) -> Result<Vec<Kept>, String> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let name = self.path.display().to_string();
        let text = read_text(&self.path, LIMIT).map_err(|error| error.to_string())?;
        let found: Choices =
            parse_json(&name, &text, Choices::KIND).map_err(|error: FileError| error.to_string())?;
        if found.of != self.choices.of {
            return Err(format!("{name} is of another device, driver or source"));
        }
        Ok(found.choices)
    }

    /// The row that was chosen among equal rows, by trials at least as long.
    pub fn chosen(
        &self,
        request: &Request,
        rows: &[Implementation],
        trial: Seconds,
    ) -> Option<Implementation> {
        let kept = self.choices.choices.iter().find(|kept| is_of(kept, request) && kept.trial_s >= trial)?;
        let same = kept.candidates.len() == rows.len()
            && rows.iter().all(|row| kept.candidates.iter().any(|c| c.implementation == row.name));
        rows.iter().find(|row| same && row.name == kept.chosen).cloned()
    }

    /// What a record says of a choice that was not made in its own run.
    pub fn remembered(rows: usize) -> Finding {
        let message = format!(
            "chosen among {rows} by the trials of an earlier run with this device, driver and sources; \
             --no-cache tries them all again"
        );
        note("choice-kept", message)
    }

    /// Keeps a choice, in place of one that was made of an equal case before.
    pub fn keep(&mut self, request: &Request, chosen: &str, candidates: &[Candidate], trial_s: Seconds) {
        // What another process has kept meanwhile is kept too; what cannot be read is written anew.
        self.choices.choices = self.read().unwrap_or_default();
        self.choices.choices.retain(|kept| !is_of(kept, request));
        self.choices.choices.push(Kept {
            precision: request.precision,
            accumulate: request.accumulate,
            work: without_seed(request.work),
            trial_s,
            chosen: chosen.to_owned(),
            candidates: candidates.to_vec(),
        });
        if let Err(why) = self.write() {
            self.findings.push(note("choice-not-kept", format!("the choice could not be kept: {why}")));
        }
    }

    fn write(&self) -> Result<(), String> {
        let text = serde_json::to_vec_pretty(&self.choices).map_err(|error| error.to_string())?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        write_atomically(&self.path, &text).map_err(|error| error.to_string())
    }
}

fn note(rule: &str, message: String) -> Finding {
    Finding::new(Severity::Note, rule, message, None)
}

fn is_of(kept: &Kept, request: &Request) -> bool {
    (kept.precision, kept.accumulate, kept.work)
        == (request.precision, request.accumulate, without_seed(request.work))
}

const fn without_seed(work: Work) -> Work {
    match work {
        Work::Gemm { shape, layout, input, .. } => Work::Gemm { shape, layout, input, seed: 0 },
        Work::Issue | Work::Copy { .. } => work,
    }
}

fn file_name(of: &Origin) -> String {
    let mut hash = Sha256::new();
    for part in [&of.uuid.to_string(), of.driver.as_deref().unwrap_or(""), &of.sources] {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let name: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{name}.json")
}

#[cfg(test)]
mod tests {
    use super::super::{Control, Measured, Outcome, Pace, Progress, Schedule, Stop, measure};
    use super::*;
    use crate::backend::scripted::{Script, ScriptedBackend};
    use crate::workload::{Distribution, GemmShape, Layout, Method};

    struct World(PathBuf);

    impl Control for World {
        fn stop(&self) -> Option<Stop> {
            None
        }

        fn idle(&self, _: Seconds) {}

        fn progress(&self, _: Progress) {}

        fn choices(&self) -> Option<&Path> {
            Some(&self.0)
        }
    }

    /// A device with two rows of these rates.
    fn run(folder: &Path, sources: &str, (alpha, beta): (&str, &str), pace: Pace, seed: u64) -> Measured {
        let row = |name: &str, rate: &str| {
            format!(
                "[[implementation]]\nname = {name:?}\nmethod = \"gemm\"\nprecision = \"fp32\"\n\
                 accumulate = \"fp32\"\nunit = \"matrix\"\nsample_s = 0.01\n\
                 [[implementation.segment]]\nrate_op_per_s = {rate}\njitter = 0.001\n"
            )
        };
        let head = "format = \"flopgauge.script/1\"\nmodel = \"Scripted 1\"\nkind = \"simulated\"\n";
        let text = format!("{head}{sources}{}{}", row("alpha", alpha), row("beta", beta));
        let script: Script = toml::from_str(&text).unwrap();
        let shape = GemmShape::new(64, 64, 64).unwrap();
        let work = Work::Gemm { shape, layout: Layout::Nn, input: Distribution::Normal, seed };
        let request = Request { precision: Precision::Fp32, accumulate: None, work, implementation: None };
        let mut backend = ScriptedBackend::new(script, 0);
        let schedule = Schedule::of(Method::Gemm, pace);
        match measure(&mut backend, &request, &schedule, &World(folder.to_owned())) {
            Outcome::Measured(measured) => *measured,
            other => panic!("{other:?}"),
        }
    }

    fn rules(measured: &Measured) -> Vec<&str> {
        measured.findings.iter().map(|f| f.rule.as_str()).filter(|rule| rule.starts_with("choice")).collect()
    }

    const SOURCES: &str = "sources = \"one\"\n";

    #[test]
    fn a_choice_is_kept_for_the_next_run_which_says_so_and_tries_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let first = run(folder.path(), SOURCES, ("1.0e12", "2.0e12"), Pace::Normal, 1);
        assert_eq!((first.case.implementation.as_str(), first.candidates.len()), ("beta", 2));
        assert!(rules(&first).is_empty());
        // The other row is the faster one now: nothing but the kept choice can take beta again.
        let next = run(folder.path(), SOURCES, ("3.0e12", "2.0e12"), Pace::Quick, 2);
        assert_eq!((next.case.implementation.as_str(), next.candidates.len()), ("beta", 1));
        assert_eq!(next.candidates[0].trial_op_per_s, None, "no trial of this run");
        assert_eq!(rules(&next), ["choice-kept"]);
        assert!(next.is_verified());
    }

    #[test]
    fn other_sources_or_longer_trials_or_a_backend_without_sources_try_all_again() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), SOURCES, ("1.0e12", "2.0e12"), Pace::Quick, 1);
        for (sources, pace) in
            [("sources = \"two\"\n", Pace::Quick), (SOURCES, Pace::Normal), ("", Pace::Quick)]
        {
            let again = run(folder.path(), sources, ("3.0e12", "2.0e12"), pace, 1);
            assert_eq!(
                (again.case.implementation.as_str(), again.candidates.len()),
                ("alpha", 2),
                "{sources}"
            );
            assert!(rules(&again).is_empty());
        }
    }

    #[test]
    fn a_damaged_file_is_ignored_with_a_finding_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), SOURCES, ("1.0e12", "2.0e12"), Pace::Quick, 1);
        let file = std::fs::read_dir(folder.path().join("choices")).unwrap().next().unwrap().unwrap().path();
        let whole = std::fs::read_to_string(&file).unwrap();
        let foreign = whole.replace("\"sources\": \"one\"", "\"sources\": \"two\"");
        for text in
            ["", "{", "\u{0}", &whole[..whole.len() / 2], &whole.replace("choices/1", "choices/9"), &foreign]
        {
            std::fs::write(&file, text).unwrap();
            let again = run(folder.path(), SOURCES, ("3.0e12", "2.0e12"), Pace::Quick, 1);
            assert_eq!((again.case.implementation.as_str(), again.candidates.len()), ("alpha", 2));
            assert_eq!(rules(&again), ["choices-ignored"], "{text}");
            let next = run(folder.path(), SOURCES, ("1.0e12", "2.0e12"), Pace::Quick, 1);
            assert_eq!((next.case.implementation.as_str(), rules(&next)), ("alpha", vec!["choice-kept"]));
        }
    }

    #[test]
    fn what_is_no_text_or_too_long_or_no_file_is_ignored_with_a_finding() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), SOURCES, ("1.0e12", "2.0e12"), Pace::Quick, 1);
        let file = std::fs::read_dir(folder.path().join("choices")).unwrap().next().unwrap().unwrap().path();
        let again = || {
            let again = run(folder.path(), SOURCES, ("3.0e12", "2.0e12"), Pace::Quick, 1);
            assert_eq!((again.case.implementation.as_str(), again.candidates.len()), ("alpha", 2));
            rules(&again).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        std::fs::write(&file, [b'{', 0xff, 0xfe, b'}']).unwrap();
        assert_eq!(again(), ["choices-ignored"]);
        std::fs::File::options().write(true).open(&file).unwrap().set_len(LIMIT.get() + 1).unwrap();
        assert_eq!(again(), ["choices-ignored"]);
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert_eq!(again(), ["choices-ignored", "choice-not-kept"]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_nothing_but_the_next_trials() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let measured = run(&file, SOURCES, ("1.0e12", "2.0e12"), Pace::Quick, 1);
        assert_eq!(
            (measured.case.implementation.as_str(), rules(&measured)),
            ("beta", vec!["choice-not-kept"])
        );
    }
}

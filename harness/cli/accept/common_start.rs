//! Begins at the same moment as the other nodes of the job, through files that all of them see.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Args;
use crate::accept::{Go, Ready, RunIdentity, StartReport, counted};
use crate::cli::measure::{Clock, now};
use crate::cli::{CliError, Output, engine};
use crate::files::{FileError, TEXT_LIMIT, parse_json, read_text, write_atomically};
use crate::units::Seconds;

/// Time from the go file to the moment: other clients of a network file system see it seconds later.
const LEAD: SignedDuration = SignedDuration::from_secs(5);

/// Time between two looks for a file; ten thousand nodes may ask one file server.
const LOOK: Duration = Duration::from_millis(200);

/// Longest sleep before the moment, so that a signal is soon seen.
const NAP: Duration = Duration::from_millis(20);

/// Time before the moment in which it is looked at without sleep: a sleeper can be late by some milliseconds.
const SPIN: SignedDuration = SignedDuration::from_millis(2);

/// A start that is asked for.
pub struct CommonStart {
    folder: PathBuf,
    ranks: u64,
    own: Ready,
    patience: Seconds,
}

impl CommonStart {
    /// The start that the command line asks for; `None` where it asks for none.
    ///
    /// Errors: [`CliError::Usage`] where the job, the rank or the number of ranks is not known.
    pub fn of(
        args: &Args,
        run: &RunIdentity,
        node: &str,
        began: Timestamp,
    ) -> Result<Option<Self>, CliError> {
        let Some(folder) = &args.synchronised else { return Ok(None) };
        let unknown = |what: &str| CliError::Usage(format!("--synchronised needs {what}"));
        let job =
            run.job.clone().ok_or_else(|| unknown("the job: set RUN_ID to a name of this one start"))?;
        let rank = run.rank.ok_or_else(|| unknown("this process' --rank; no engine tells it"))?;
        let ranks = args.ranks.map_or_else(engine::ranks, |ranks| Ok(Some(ranks)))?;
        let ranks = ranks.ok_or_else(|| unknown("the number of --ranks; no engine tells it"))?;
        if rank >= ranks {
            return Err(CliError::Usage(format!("rank {rank} is not one of {ranks}, which begin at 0")));
        }
        let (format, node) = (format!("flopgauge.{}", Ready::KIND), node.to_owned());
        let own = Ready { format, job, restart: run.restart, rank, node, began };
        Ok(Some(Self { folder: folder.clone(), ranks, own, patience: args.start_limit }))
    }

    /// Waits for the moment; how it went, or why there is none. `cut` says why the wait must end.
    ///
    /// Errors: [`FileError`] where the directory cannot be used.
    pub fn wait(
        &self,
        output: &Output,
        cut: &dyn Fn() -> Option<String>,
    ) -> Result<Result<StartReport, String>, CliError> {
        output.note(
            "--synchronised puts the load of all nodes on at one moment: a step of power that can trip a facility's \
             supply; ask those who run it first",
        );
        let failed = |source| FileError::Write { path: self.folder.display().to_string(), source };
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        let leads = self.own.rank == 0;
        if let (true, Some(go)) = (leads, self.go()?) {
            let (job, restart) = (go.job, go.restart);
            let why = format!(
                "a go file of job {job}.{restart} is there already; each start needs a fresh directory"
            );
            return Ok(Err(why));
        }
        self.put(&format!("ready.{}", self.own.rank), &self.own)?;
        let go = if leads { self.lead(cut)? } else { self.follow(cut)? };
        let go = match go.and_then(|go| go.admits(&self.own, self.ranks).map(|()| go)) {
            Ok(go) => go,
            Err(why) => return Ok(Err(why)),
        };
        if !go.missing.is_empty() {
            output.note(&format!(
                "of {} these are missing at the start: {:?}",
                counted(self.ranks, "rank"),
                go.missing
            ));
        }
        while now() < go.at {
            if let Some(why) = cut() {
                return Ok(Err(why));
            }
            let left = go.at.duration_since(now());
            let sleep = Duration::try_from(left.saturating_sub(SPIN)).unwrap_or_default();
            std::thread::sleep(sleep.min(NAP));
        }
        let late = now().duration_since(go.at).as_secs_f64();
        let late_s = Seconds::new(late.max(0.0)).unwrap_or_default();
        Ok(Ok(StartReport { ranks: self.ranks, missing: go.missing, at: go.at, late_s }))
    }

    /// Rank 0: waits for the others, for a while, and says when.
    fn lead(&self, cut: &dyn Fn() -> Option<String>) -> Result<Result<Go, String>, CliError> {
        let patience = Clock::start(Some(self.patience));
        let mut ready = BTreeMap::new();
        loop {
            ready.extend(self.ready_beside(&ready).into_iter().map(|ready| (ready.rank, ready)));
            let all = u64::try_from(ready.len()).is_ok_and(|count| count >= self.ranks);
            if all || patience.left().is_none_or(|left| left.get() <= 0.0) {
                break;
            }
            if let Some(why) = cut() {
                return Ok(Err(why));
            }
            std::thread::sleep(LOOK);
        }
        let at = now().checked_add(LEAD).map_err(|error| CliError::Defect(error.to_string()))?;
        let go = Go::new(&self.own, self.ranks, &ready.into_values().collect::<Vec<_>>(), at);
        self.put("go", &go)?;
        Ok(Ok(go))
    }

    /// Ranks of the job that are ready beside those that are known; what cannot be read is not ready.
    fn ready_beside(&self, known: &BTreeMap<u64, Ready>) -> Vec<Ready> {
        let names =
            std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let rank_of = |name: std::ffi::OsString| name.to_str()?.strip_prefix("ready.")?.parse::<u64>().ok();
        let new = |rank: &u64| *rank < self.ranks && !known.contains_key(rank);
        let read = |rank: u64| {
            let ready: Ready = read(&self.folder.join(format!("ready.{rank}")), Ready::KIND).ok()??;
            let own = (&self.own.job, self.own.restart, rank);
            ((&ready.job, ready.restart, ready.rank) == own).then_some(ready)
        };
        names.filter_map(rank_of).filter(new).filter_map(read).collect()
    }

    /// Every other rank: waits for rank 0, which may come as late as it waits.
    fn follow(&self, cut: &dyn Fn() -> Option<String>) -> Result<Result<Go, String>, CliError> {
        let twice = 2.0 * self.patience.get();
        let patience = Clock::start(Some(Seconds::new(twice).unwrap_or(self.patience)));
        loop {
            if let Some(go) = self.go()? {
                return Ok(Ok(go));
            }
            if let Some(why) = cut() {
                return Ok(Err(why));
            }
            if patience.left().is_none_or(|left| left.get() <= 0.0) {
                return Ok(Err(format!("rank 0 gave no start within {twice} s")));
            }
            std::thread::sleep(LOOK);
        }
    }

    fn go(&self) -> Result<Option<Go>, FileError> {
        read(&self.folder.join("go"), Go::KIND)
    }

    fn put(&self, name: &str, value: &impl serde::Serialize) -> Result<(), CliError> {
        let text = serde_json::to_vec(value).map_err(|error| CliError::Output(error.into()))?;
        Ok(write_atomically(&self.folder.join(name), &text)?)
    }
}

/// A file, or `None` where it is not there.
fn read<T: serde::de::DeserializeOwned>(path: &Path, kind: &'static str) -> Result<Option<T>, FileError> {
    match read_text(path, TEXT_LIMIT) {
        Ok(text) => parse_json(&path.display().to_string(), &text, kind).map(Some),
        Err(FileError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

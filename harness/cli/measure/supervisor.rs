//! Starts one measuring process a device, all at the same time, listens to them, and ends those that must be ended.

mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::progress::Bars;
use crate::cli::job::Job;
use crate::cli::{CliError, signals};
use crate::units::Seconds;
use watched::{Heard, Keep, Stage, Watched};

/// How a device's process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every planned case has its outcome from the process itself.
    Done,
    /// Cut short, with the reason.
    Cut(String),
}

/// Time that a process gets to end in order once it was asked to; a batch of the slowest product is longer, and is
/// then killed.
const GRACE: Duration = Duration::from_secs(5);

/// Watches measuring processes.
pub struct Supervisor {
    signal: Arc<AtomicUsize>,
    stall_limit: Seconds,
    bars: bool,
    grace: Duration,
    /// Whether jobs differ, so that one that is refused says nothing of the others.
    apart: bool,
    /// How long a device that is ready waits for the others.
    patience: Option<Duration>,
}

impl Supervisor {
    /// A supervisor that remembers SIGINT and SIGTERM.
    pub fn new(stall_limit: Seconds, bars: bool) -> Result<Self, CliError> {
        Ok(Self { signal: signals::watch()?, stall_limit, bars, grace: GRACE, apart: false, patience: None })
    }

    /// The same, with another time to end in order.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// The same for jobs that differ: one that is refused takes nothing from the others, and those that are ready wait
    /// no longer than `patience` for one that is not.
    #[must_use]
    pub fn with_each_apart(self, patience: Duration) -> Self {
        Self { apart: true, patience: Some(patience), ..self }
    }

    /// The signal that came; `None` where none did.
    pub fn interrupted(&self) -> Option<String> {
        signals::name(self.signal.load(Ordering::Relaxed)).map(|name| format!("interrupted by {name}"))
    }

    /// Measures the devices of all jobs at the same time, each outcome goes to `keep`, which says whether to go on: none
    /// begins before each has its plan or is gone. One that hangs, dies or cannot be used takes nothing from the others.
    /// One end a job, in their order.
    ///
    /// Errors: what ends the whole run; a device that cannot be used is its own job's error.
    pub fn together(
        &self,
        jobs: &[Job],
        keep: &mut Keep<'_>,
    ) -> Result<Vec<Result<End, CliError>>, CliError> {
        let bars = Bars::new(self.bars);
        let (sender, heard) = channel();
        let mut all = Vec::new();
        for (number, job) in jobs.iter().enumerate() {
            match Watched::start(job, number, bars.bar(), sender.clone()) {
                Ok(watched) => all.push(watched),
                Err(error) => {
                    all.iter_mut().for_each(Watched::abandon);
                    return Err(error);
                }
            }
        }
        drop(sender);
        let limit = jobs.iter().filter_map(|job| job.time_limit_s).reduce(|a, b| if b < a { b } else { a });
        let deadline = limit.map(|left| now() + Duration::from_secs_f64(left.get()));
        if let Err(error) = self.listen(&heard, &mut all, deadline, keep) {
            all.iter_mut().for_each(Watched::abandon);
            return Err(error);
        }
        let settle = |mut watched: Watched| match watched.refused.take() {
            Some(refused) => {
                watched.abandon();
                Err(refused)
            }
            None => watched.settle(keep),
        };
        Ok(all.into_iter().map(settle).collect())
    }

    /// Listens until every process is gone.
    fn listen(
        &self,
        heard: &Receiver<Heard>,
        all: &mut [Watched],
        deadline: Option<Instant>,
        keep: &mut Keep<'_>,
    ) -> Result<(), CliError> {
        let begun = now();
        while all.iter().any(|watched| watched.stage != Stage::Gone) {
            if let Ok((number, line)) = heard.recv_timeout(Duration::from_millis(50))
                && let Some(watched) = all.get_mut(number)
            {
                match line {
                    Some(line) => watched.hear(&line, keep)?,
                    None => watched.stage = Stage::Gone,
                }
                // What cannot be asked for so is asked of every device alike.
                if let (false, Some(CliError::Usage(message))) = (self.apart, &watched.refused) {
                    return Err(CliError::Usage(message.clone()));
                }
            }
            let impatient = self.patience.is_some_and(|patience| begun.elapsed() > patience);
            if impatient || all.iter().all(|watched| watched.stage != Stage::Planning) {
                all.iter_mut().for_each(Watched::begin);
            }
            let late = deadline.is_some_and(|deadline| now() > deadline + Duration::from_millis(500));
            let late = late.then(|| "the time limit is reached".to_owned());
            if let Some(why) = self.interrupted().or(late) {
                all.iter_mut().for_each(|watched| watched.ask_to_end(&why));
            }
            for watched in all.iter_mut() {
                watched.overdue(self.stall_limit, self.grace)?;
            }
        }
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "watches a process on the user's clock; no figure comes from it"
)]
fn now() -> Instant {
    Instant::now()
}

//! The measuring process: one device, its job on standard input, its events on standard output.

use std::cell::Cell;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::job::{BEGIN, Event, Job};
use super::{CliError, Exit};
use crate::backend::{Backend, OpenError, open};
use crate::measure::plateau::Phase;
use crate::measure::{
    Control, Outcome, Progress, ROUNDS, Request, Schedule, Stop, Sweep, finer, measure, plan,
};
use crate::units::{OpRate, Seconds};

/// Measure one device; started by `flopgauge measure`.
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub struct Args {}

/// Runs the subcommand.
pub fn run() -> Result<Exit, CliError> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock();
    input.read_line(&mut text).map_err(CliError::Output)?;
    let job: Job =
        serde_json::from_str(&text).map_err(|error| CliError::Usage(format!("no job: {error}")))?;
    let world = World::new(job.time_limit_s, job.choices.clone())?;
    let mut backend = match open(&job.search, &job.device) {
        Ok(backend) => backend,
        Err(error) => {
            let absent = matches!(error, OpenError::Absent { .. } | OpenError::Unusable { .. });
            return refuse(error.to_string(), absent);
        }
    };
    let requests = match plan(&job.selection, backend.implementations(), backend.device().memory_bytes) {
        Ok(requests) => requests,
        Err(error) => return refuse(error.to_string(), false),
    };
    let device = Box::new(backend.device().clone());
    tell(&Event::Planned { device, requests: requests.clone() })?;
    let mut word = Vec::new();
    input.read_until(b'\n', &mut word).map_err(CliError::Output)?;
    if word != BEGIN {
        // The parent is gone, or another device's refusal has ended the run.
        return Ok(Exit::Inconclusive);
    }
    measure_all(backend.as_mut(), &requests, &job, &world)
}

fn measure_all(
    backend: &mut dyn Backend,
    requests: &[Request],
    job: &Job,
    world: &World,
) -> Result<Exit, CliError> {
    let mut rates = measure_some(backend, (requests, 0), job, world)?;
    if job.selection.sweep == Some(Sweep::Fine) {
        for round in 0..ROUNDS {
            let more = finer(&rates, round);
            tell(&Event::Planned { device: Box::new(backend.device().clone()), requests: more.clone() })?;
            let begun = rates.len();
            rates.extend(measure_some(backend, (&more, begun), job, world)?);
        }
    }
    Ok(Exit::Done)
}

/// Measures requests, of which `begun` came before, and gives each its rate where it has one.
fn measure_some(
    backend: &mut dyn Backend,
    (requests, begun): (&[Request], usize),
    job: &Job,
    world: &World,
) -> Result<Vec<(Request, Option<OpRate>)>, CliError> {
    let mut rates = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let index = begun + index;
        world.index.set(index);
        let result = match (world.stop(), backend.lost()) {
            (Some(stop), _) => Outcome::Skipped { reason: format!("{stop} before the case began") },
            (None, Some(error)) => {
                Outcome::Failed { error: format!("the device was lost in a case before: {error}") }
            }
            (None, None) => {
                world.progress(Progress::Candidates);
                measure(backend, request, &Schedule::of(request.work.method(), job.pace), world)
            }
        };
        let rate = match &result {
            Outcome::Measured(measured) => measured.headline().map(|h| h.statistics.rate_op_per_s.median),
            _ => None,
        };
        rates.push((request.clone(), rate));
        tell(&Event::Outcome { index, result: Box::new(result) })?;
    }
    Ok(rates)
}

fn refuse(message: String, absent: bool) -> Result<Exit, CliError> {
    tell(&Event::Refused { message, absent })?;
    Ok(if absent { Exit::Absent } else { Exit::Usage })
}

/// When the parent is gone, so is the pipe, and the error ends this process.
fn tell(event: &Event) -> Result<(), CliError> {
    let mut line = serde_json::to_vec(event).map_err(|error| CliError::Output(error.into()))?;
    line.push(b'\n');
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&line).and_then(|()| stdout.flush()).map_err(CliError::Output)
}

/// Signals, the deadline and the way to the parent.
struct World {
    /// Number of the signal that came, or zero.
    signal: Arc<AtomicUsize>,
    deadline: Option<Instant>,
    choices: Option<PathBuf>,
    index: Cell<usize>,
    last: Cell<Option<Instant>>,
    lost: Cell<bool>,
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "the deadline is the user's, on the user's clock")]
    fn new(time_limit: Option<Seconds>, choices: Option<PathBuf>) -> Result<Self, CliError> {
        let signal = super::signals::watch()?;
        let deadline = time_limit.map(|limit| Instant::now() + Duration::from_secs_f64(limit.get()));
        let (index, last, lost) = (Cell::new(0), Cell::new(None), Cell::new(false));
        Ok(Self { signal, deadline, choices, index, last, lost })
    }
}

impl Control for World {
    #[expect(clippy::disallowed_methods, reason = "the deadline is the user's, on the user's clock")]
    fn stop(&self) -> Option<Stop> {
        if let Some(name) = super::signals::name(self.signal.load(Ordering::Relaxed)) {
            return Some(Stop::Signal(name));
        }
        if self.lost.get() {
            return Some(Stop::Signal("the end of its parent"));
        }
        self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Stop::TimeLimit)
    }

    fn idle(&self, time: Seconds) {
        std::thread::sleep(Duration::from_secs_f64(time.get()));
    }

    fn choices(&self) -> Option<&Path> {
        self.choices.as_deref()
    }

    #[expect(clippy::disallowed_methods, reason = "paces what is shown, and no figure")]
    fn progress(&self, progress: Progress) {
        let now = Instant::now();
        // Twenty a second please the eye; more would take time from a CPU that is being measured.
        if self.last.get().is_some_and(|last| now - last < Duration::from_millis(50)) {
            return;
        }
        self.last.set(Some(now));
        let (doing, share) = describe(progress);
        let event = Event::Progress { index: self.index.get(), doing, share };
        self.lost.set(self.lost.get() || tell(&event).is_err());
    }
}

fn describe(progress: Progress) -> (String, f64) {
    match progress {
        Progress::Candidates => ("checking".to_owned(), 0.0),
        Progress::Verify => ("verifying".to_owned(), 0.95),
        Progress::Phase { phase, done_s, expected_s } => {
            let within = (done_s.get() / expected_s.get()).clamp(0.0, 1.0);
            let (name, from, to) = match phase {
                Phase::Burst => ("burst", 0.05, 0.1),
                Phase::Heat => ("heating", 0.1, 0.6),
                Phase::Plateau => ("settling", 0.6, 0.65),
                Phase::Sample => ("sampling", 0.65, 0.95),
            };
            (format!("{name} {:.1} s", done_s.get()), from + (to - from) * within)
        }
    }
}

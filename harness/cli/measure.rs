//! `flopgauge measure`.

mod options;
mod progress;
mod supervisor;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::choice::{Chosen, choose};
use super::host;
use super::job::Job;
use super::{CliError, Exit, Output};
use crate::device::Device;
use crate::measure::Outcome;
use crate::record::{Directory, Ending, Environment, Measurement, Summary, stragglers};
use crate::report::measurement_table;
use crate::units::Seconds;

pub use options::Args;
pub(super) use options::positive;
pub(super) use supervisor::{End, Supervisor};

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let Chosen { search, devices, probes } = choose(&args.search, &args.device, true)?;
    let started = now();
    let environment = Environment::beginning(host::describe(), std::env::args().collect(), probes, started);
    let folder =
        args.out.clone().unwrap_or_else(|| default_folder(started, devices.first().map_or("", |d| &d.model)));
    let mut run = Run { args, record: None, environment, folder, measurements: Vec::new(), lost: None };
    let supervisor = Supervisor::new(args.stall_limit, args.bars())?;
    let clock = Clock::start(args.time_limit);
    let mut ends = Vec::new();
    let mut groups = groups(&devices).into_iter();
    for group in groups.by_ref() {
        let job = |device: &&Device| Job {
            search: search.clone(),
            device: device.id.clone(),
            selection: args.selection(),
            pace: args.pace(),
            choices: args.choices(),
            time_limit_s: clock.left(),
        };
        let jobs: Vec<Job> = group.iter().map(job).collect();
        for end in supervisor.together(&jobs, &mut |measurement| run.keep(measurement))? {
            ends.push(match end {
                // One of several that cannot be used takes nothing from the others.
                Err(CliError::Absent(message)) if devices.len() > 1 => End::Cut(message),
                other => other?,
            });
        }
        let out_of_time = clock.left().is_some_and(|left| left.get() <= 0.0);
        if supervisor.interrupted().is_some() || out_of_time || run.lost.is_some() {
            break;
        }
    }
    let left: Vec<&str> = groups.flatten().map(|device| device.id.as_str()).collect();
    if !left.is_empty() {
        ends.push(End::Cut(format!("not measured: {}", left.join(", "))));
    }
    run.finish(&ends, output)
}

/// Devices that are measured at the same time: those of one backend. Two backends may show one device twice, and the
/// CPU serves all others.
pub(super) fn groups(devices: &[Device]) -> Vec<Vec<&Device>> {
    let mut groups: Vec<Vec<&Device>> = Vec::new();
    for device in devices {
        match groups.iter_mut().find(|group| group.iter().any(|known| known.backend == device.backend)) {
            Some(group) => group.push(device),
            None => groups.push(vec![device]),
        }
    }
    groups
}

/// A run with its record, which begins with the first outcome: a run that is refused leaves no directory behind.
struct Run<'a> {
    args: &'a Args,
    record: Option<Directory>,
    environment: Environment,
    folder: PathBuf,
    measurements: Vec<Measurement>,
    /// Why the record could not be written to its end.
    lost: Option<CliError>,
}

impl Run<'_> {
    fn keep(&mut self, measurement: Measurement) -> bool {
        if self.lost.is_none() {
            let kept = self.record().and_then(|record| Ok(record.add(&measurement)?));
            self.lost = kept.err();
        }
        // What could not be written is still shown on the terminal.
        self.measurements.push(measurement);
        self.lost.is_none()
    }

    fn record(&mut self) -> Result<&mut Directory, CliError> {
        let record = match self.record.take() {
            Some(record) => record,
            None => Directory::create(&self.folder, self.environment.clone())?,
        };
        Ok(self.record.insert(record))
    }

    fn finish(mut self, ends: &[End], output: &mut Output) -> Result<Exit, CliError> {
        let exit = verdict(&self.measurements, ends);
        let cut = reasons(ends);
        if let Some(record) = self.record.take() {
            let ending = cut.clone().map_or(Ending::Complete, Ending::CutShort);
            let finished = record.finish(now(), ending).map_err(CliError::from);
            self.lost = self.lost.take().or(finished.err());
        }
        let folder = self.folder.display().to_string();
        if self.args.json {
            output.json(&Summary::of(&self.measurements, folder.clone()))?;
        } else {
            output.result(&measurement_table(&self.measurements, output.width()))?;
        }
        if let Some(error) = self.lost {
            output.note(&format!(
                "{} finished cases are kept in {folder}",
                self.measurements.len().saturating_sub(1)
            ));
            return Err(error);
        }
        for straggler in stragglers(&self.measurements) {
            output.note(&straggler.to_string());
        }
        if let Some(reason) = cut {
            output.note(&format!("cut short: {reason}; finished cases are kept in {folder}"));
        } else {
            output.note(&format!("record written to {folder}"));
        }
        Ok(exit)
    }
}

/// Failed over inconclusive over done; a case that was planned and not run is never a success.
fn verdict(measurements: &[Measurement], ends: &[End]) -> Exit {
    let any = |wanted: fn(&Outcome) -> bool| measurements.iter().any(|m| wanted(&m.result));
    if any(|outcome| matches!(outcome, Outcome::Failed { .. }) || has_error(outcome)) {
        Exit::Failed
    } else if any(|outcome| matches!(outcome, Outcome::Skipped { .. }))
        || !any(|outcome| matches!(outcome, Outcome::Measured(_)))
        || ends.iter().any(|end| matches!(end, End::Cut(_)))
    {
        Exit::Inconclusive
    } else {
        Exit::Done
    }
}

/// Why devices were cut short, each reason once; `None` where none was.
fn reasons(ends: &[End]) -> Option<String> {
    let mut reasons: Vec<&str> = Vec::new();
    for end in ends {
        match end {
            End::Cut(why) if !reasons.contains(&why.as_str()) => reasons.push(why),
            _ => {}
        }
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// A figure that cannot be, such as one above the peak, is a failure and no measurement.
fn has_error(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Measured(measured) => measured.has_error(),
        _ => false,
    }
}

/// `results/<date>-<model>`, with a number where that is taken.
fn default_folder(started: Timestamp, model: &str) -> PathBuf {
    let date = started.strftime("%Y-%m-%d");
    let plain: String =
        model.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let name = format!("{date}-{}", plain.split_whitespace().collect::<Vec<_>>().join("-"));
    let numbered = |number: u32| match number {
        1 => Path::new("results").join(&name),
        _ => Path::new("results").join(format!("{name}-{number}")),
    };
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "the record says when it was made")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// The user's time limit, on the user's clock.
pub(super) struct Clock {
    end: Option<Instant>,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the time limit is the user's, on the user's clock")]
    pub(super) fn start(limit: Option<Seconds>) -> Self {
        Self { end: limit.map(|limit| Instant::now() + Duration::from_secs_f64(limit.get())) }
    }

    #[expect(clippy::disallowed_methods, reason = "the time limit is the user's, on the user's clock")]
    pub(super) fn left(&self) -> Option<Seconds> {
        self.end.map(|end| end.saturating_duration_since(Instant::now()).into())
    }
}

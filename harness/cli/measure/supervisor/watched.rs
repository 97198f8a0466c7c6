//! One measuring process: what it said, which outcomes it owes, and how it is ended.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::End;
use super::now;
use crate::cli::CliError;
use crate::cli::job::{BEGIN, Event, Job};
use crate::cli::measure::progress::Bar;
use crate::device::Device;
use crate::measure::{Outcome, Request};
use crate::record::Measurement;
use crate::units::Seconds;
use crate::workload::Work;

/// Slowest rate at which a product is still given its time, in operations per second: one slow core.
const SLOWEST: f64 = 1e9;

/// Takes an outcome, and says whether to go on.
pub(super) type Keep<'a> = dyn FnMut(Measurement) -> bool + 'a;

/// What was heard from the process of this number; `None` when it said its last.
pub(super) type Heard = (usize, Option<String>);

/// How far a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It looks for its device and makes its plan.
    Planning,
    /// It has a plan and waits for the word to begin.
    Waiting,
    /// It measures.
    Measuring,
    /// It says nothing more.
    Gone,
}

/// What is known of a process.
pub(super) struct Watched {
    id: String,
    child: Child,
    stdin: Option<ChildStdin>,
    bar: Bar,
    device: Option<Device>,
    requests: Vec<Request>,
    done: usize,
    /// Whether a case was left out by the process itself.
    skipped: bool,
    pub stage: Stage,
    last_heard: Instant,
    /// When and why the process was asked to end.
    asked: Option<(Instant, String)>,
    /// Why it had to be killed.
    killed: Option<String>,
    pub refused: Option<CliError>,
}

impl Watched {
    /// Starts the process of a job; what it says goes to `heard` under this number.
    pub fn start(job: &Job, number: usize, bar: Bar, heard: Sender<Heard>) -> Result<Self, CliError> {
        let program = std::env::current_exe().map_err(CliError::Output)?;
        let mut command = Command::new(program);
        let command = command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(CliError::Output)?;
        let mut text = serde_json::to_vec(job).map_err(|error| CliError::Output(error.into()))?;
        text.push(b'\n');
        let mut stdin = child.stdin.take();
        if let Some(stdin) = &mut stdin {
            // A process that died at once shows in its status; the broken pipe only repeats it.
            let _ = stdin.write_all(&text).and_then(|()| stdin.flush());
        }
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if heard.send((number, Some(line))).is_err() {
                        return;
                    }
                }
                // Nobody listens any more when this fails.
                let _ = heard.send((number, None));
            });
        }
        Ok(Self {
            id: job.device.clone(),
            child,
            stdin,
            bar,
            device: None,
            requests: Vec::new(),
            done: 0,
            skipped: false,
            stage: Stage::Planning,
            last_heard: now(),
            asked: None,
            killed: None,
            refused: None,
        })
    }

    /// Lets it measure.
    pub fn begin(&mut self) {
        if self.stage == Stage::Waiting {
            self.stage = Stage::Measuring;
            self.last_heard = now();
            // A process that died meanwhile shows in its status.
            let _ = self.stdin.take().map(|mut stdin| stdin.write_all(BEGIN));
        }
    }

    /// Ends it now, whatever it does.
    pub fn kill(&mut self, reason: &str) -> Result<(), CliError> {
        self.killed.get_or_insert_with(|| reason.to_owned());
        self.child.kill().map_err(CliError::Output)
    }

    /// Ends it and waits, when nothing of it matters any more.
    pub fn abandon(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Kills it where it said nothing for too long, or did not end within `grace` after it was asked to.
    pub fn overdue(&mut self, limit: Seconds, grace: Duration) -> Result<(), CliError> {
        // Who waits for the others owes no sign of life.
        if matches!(self.stage, Stage::Gone) || self.killed.is_some() {
            return Ok(());
        }
        let silent = self.last_heard.elapsed();
        let stalled = self.stage != Stage::Waiting && silent > self.allowed_silence(limit);
        let late = self.asked.as_ref().is_some_and(|(when, _)| when.elapsed() > grace);
        if stalled || late {
            let stalled = format!("no sign of life for {:.0} s", silent.as_secs_f64());
            let reason = self.asked.as_ref().map_or(stalled, |(_, why)| why.clone());
            self.kill(&reason)?;
        }
        Ok(())
    }

    /// One line of it.
    pub fn hear(&mut self, line: &str, keep: &mut Keep<'_>) -> Result<(), CliError> {
        self.last_heard = now();
        let event = serde_json::from_str(line);
        match event
            .map_err(|error| CliError::Defect(format!("the measuring process said '{line}': {error}")))?
        {
            Event::Planned { device, requests } => {
                self.bar.planned(&device.id, &requests);
                self.device = Some(*device);
                self.requests.extend(requests);
                if self.stage == Stage::Planning {
                    self.stage = Stage::Waiting;
                }
            }
            Event::Refused { message, absent: true } => self.refused = Some(CliError::Absent(message)),
            Event::Refused { message, absent: false } => self.refused = Some(CliError::Usage(message)),
            Event::Progress { index, doing, share } => self.bar.within(index, &doing, share),
            Event::Outcome { index, result } => {
                self.bar.done(index, &result);
                if !self.conclude(*result, keep) {
                    self.ask_to_end("the record could not be written");
                }
            }
        }
        Ok(())
    }

    /// Gives the next request its outcome.
    fn conclude(&mut self, result: Outcome, keep: &mut Keep<'_>) -> bool {
        self.skipped |= matches!(result, Outcome::Skipped { .. });
        let request = self.requests.get(self.done).cloned();
        self.done += 1;
        match (self.device.clone(), request) {
            (Some(device), Some(request)) => keep(Measurement::new(device, request, result)),
            _ => true,
        }
    }

    /// Asks it to end in order.
    pub fn ask_to_end(&mut self, reason: &str) {
        if self.asked.is_none() && self.stage != Stage::Gone {
            self.asked = Some((now(), reason.to_owned()));
            // One that waits for the word to begin ends without it.
            drop(self.stdin.take());
            terminate(&mut self.child);
        }
    }

    /// A product that takes long by its size may be silent for that long.
    fn allowed_silence(&self, limit: Seconds) -> Duration {
        let ops = self.requests.get(self.done).map_or(0.0, |request| match request.work {
            Work::Gemm { shape, .. } => shape.ops().to_f64(),
            Work::Issue | Work::Copy { .. } => 0.0,
        });
        Duration::from_secs_f64(limit.get() + ops / SLOWEST)
    }

    /// Waits for its end. Every planned case that has no outcome gets one: the running one fails, the others were not
    /// run.
    pub fn settle(mut self, keep: &mut Keep<'_>) -> Result<End, CliError> {
        drop(self.stdin.take());
        let status = self.child.wait().map_err(CliError::Output)?;
        let (device, killed) = (self.id.clone(), self.killed.clone());
        // One that had done everything when it was asked has ended by itself.
        let whole = !self.requests.is_empty() && self.done == self.requests.len() && !self.skipped;
        let whole = whole && killed.is_none() && status.success();
        let asked = self.asked.as_ref().filter(|_| !whole).map(|(_, why)| why.clone());
        let died = killed.clone().unwrap_or_else(|| describe_status(status));
        if asked.is_none() && self.done < self.requests.len() {
            let running = self.requests.get(self.done).map_or(String::new(), Request::to_string);
            let error = format!("the measuring process of {device} died during {running}: {died}");
            self.conclude(Outcome::Failed { error }, keep);
        }
        let reason =
            asked.clone().unwrap_or_else(|| format!("the measuring process of {device} died: {died}"));
        while self.done < self.requests.len() {
            self.conclude(Outcome::Skipped { reason: reason.clone() }, keep);
        }
        Ok(match (asked, killed, status.success()) {
            (Some(why), _, _) => End::Cut(why),
            (None, None, true) => End::Done,
            _ => End::Cut(reason),
        })
    }
}

#[cfg(unix)]
fn terminate(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // A process that is gone already needs no signal.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
fn terminate(child: &mut Child) {
    // There is no gentle way here; a process that is gone already needs none.
    let _ = child.kill();
}

fn describe_status(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = signal_hook::low_level::signal_name(signal).unwrap_or("unknown");
        return format!("killed by signal {signal} ({name})");
    }
    format!("{status}")
}

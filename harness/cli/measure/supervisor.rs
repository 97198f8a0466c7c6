//! Starts one measuring process per device, listens to it, and ends it when it must be ended.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::progress::{Bar, describe};
use crate::cli::job::{Event, Job};
use crate::cli::{CliError, signals};
use crate::device::Device;
use crate::measure::{Outcome, Request};
use crate::record::Measurement;
use crate::units::Seconds;
use crate::workload::Work;

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

/// Slowest rate at which a product is still given its time, in operations per second: one slow core.
const SLOWEST: f64 = 1e9;

/// Watches measuring processes.
pub struct Supervisor {
    signal: Arc<AtomicUsize>,
    stall_limit: Seconds,
    bars: bool,
    grace: Duration,
}

/// What is known of the process that is running.
struct Watched<'a> {
    child: Child,
    events: Receiver<String>,
    bar: Bar,
    device: Option<Device>,
    requests: Vec<Request>,
    done: usize,
    keep: &'a mut dyn FnMut(Measurement) -> bool,
    last_heard: Instant,
    /// When and why the process was asked to end.
    asked: Option<(Instant, String)>,
    refused: Option<CliError>,
}

impl Supervisor {
    /// A supervisor that remembers SIGINT and SIGTERM.
    pub fn new(stall_limit: Seconds, bars: bool) -> Result<Self, CliError> {
        Ok(Self { signal: signals::watch()?, stall_limit, bars, grace: GRACE })
    }

    /// The same, with another time to end in order.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// The signal that came; `None` where none did.
    pub fn interrupted(&self) -> Option<String> {
        signals::name(self.signal.load(Ordering::Relaxed)).map(|name| format!("interrupted by {name}"))
    }

    /// Measures the job's device; each outcome goes to `keep`, which says whether to go on.
    pub fn measure(&self, job: &Job, keep: &mut dyn FnMut(Measurement) -> bool) -> Result<End, CliError> {
        let (child, events) = start(job)?;
        let mut watched = Watched {
            child,
            events,
            bar: Bar::new(self.bars),
            device: None,
            requests: Vec::new(),
            done: 0,
            keep,
            last_heard: now(),
            asked: None,
            refused: None,
        };
        let killed = match self.listen(job, &mut watched) {
            Ok(killed) => killed,
            Err(error) => {
                // It may be gone already; what is to be told is the first error.
                let _ = watched.child.kill();
                let _ = watched.child.wait();
                return Err(error);
            }
        };
        let status = watched.child.wait().map_err(CliError::Output)?;
        if let Some(refused) = watched.refused {
            return Err(refused);
        }
        Ok(watched.settle(&job.device, status, killed))
    }

    /// Listens until the process is gone; the reason when it had to be killed.
    fn listen(&self, job: &Job, watched: &mut Watched<'_>) -> Result<Option<String>, CliError> {
        let deadline = job.time_limit_s.map(|left| now() + Duration::from_secs_f64(left.get()));
        loop {
            match watched.events.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => watched.hear(&line)?,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(why) = self.interrupted() {
                watched.ask_to_end(&why);
            }
            if deadline.is_some_and(|deadline| now() > deadline + Duration::from_millis(500)) {
                watched.ask_to_end("the time limit is reached");
            }
            let silent = watched.last_heard.elapsed();
            let allowed = watched.allowed_silence(self.stall_limit);
            let overdue = watched.asked.as_ref().is_some_and(|(when, _)| when.elapsed() > self.grace);
            if overdue || silent > allowed {
                let stalled = format!("no sign of life for {:.0} s", silent.as_secs_f64());
                let reason = watched.asked.as_ref().map_or(stalled, |(_, why)| why.clone());
                watched.child.kill().map_err(CliError::Output)?;
                return Ok(Some(reason));
            }
        }
    }
}

impl Watched<'_> {
    fn hear(&mut self, line: &str) -> Result<(), CliError> {
        self.last_heard = now();
        let event = serde_json::from_str(line);
        match event
            .map_err(|error| CliError::Defect(format!("the measuring process said '{line}': {error}")))?
        {
            Event::Planned { device, requests } => {
                self.bar.planned(&device.id, &requests);
                self.device = Some(*device);
                self.requests.extend(requests);
            }
            Event::Refused { message, absent: true } => self.refused = Some(CliError::Absent(message)),
            Event::Refused { message, absent: false } => self.refused = Some(CliError::Usage(message)),
            Event::Progress { index, doing, share } => self.bar.within(index, &doing, share),
            Event::Outcome { index, result } => {
                self.bar.done(index, &result);
                if !self.conclude(*result) {
                    self.ask_to_end("the record could not be written");
                }
            }
        }
        Ok(())
    }

    /// Gives the next request its outcome.
    fn conclude(&mut self, result: Outcome) -> bool {
        let request = self.requests.get(self.done).cloned();
        self.done += 1;
        match (self.device.clone(), request) {
            (Some(device), Some(request)) => (self.keep)(Measurement::new(device, request, result)),
            _ => true,
        }
    }

    fn ask_to_end(&mut self, reason: &str) {
        if self.asked.is_none() {
            self.asked = Some((now(), reason.to_owned()));
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

    /// Every planned case that has no outcome gets one: the running one fails, the others were not run.
    fn settle(mut self, device: &str, status: ExitStatus, killed: Option<String>) -> End {
        let asked = self.asked.as_ref().map(|(_, why)| why.clone());
        let died = killed.clone().unwrap_or_else(|| describe_status(status));
        if asked.is_none() && self.done < self.requests.len() {
            let running = self.requests.get(self.done).map_or(String::new(), describe);
            let error = format!("the measuring process of {device} died during {running}: {died}");
            self.conclude(Outcome::Failed { error });
        }
        let reason =
            asked.clone().unwrap_or_else(|| format!("the measuring process of {device} died: {died}"));
        while self.done < self.requests.len() {
            self.conclude(Outcome::Skipped { reason: reason.clone() });
        }
        match (asked, killed, status.success()) {
            (Some(why), _, _) => End::Cut(why),
            (None, None, true) => End::Done,
            _ => End::Cut(reason),
        }
    }
}

fn start(job: &Job) -> Result<(Child, Receiver<String>), CliError> {
    let program = std::env::current_exe().map_err(CliError::Output)?;
    let mut command = Command::new(program);
    let command = command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(CliError::Output)?;
    let text = serde_json::to_vec(job).map_err(|error| CliError::Output(error.into()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A process that died at once shows in its status; the broken pipe only repeats it.
        let _ = stdin.write_all(&text);
    }
    let (sender, events) = channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    Ok((child, events))
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

#[expect(
    clippy::disallowed_methods,
    reason = "watches a process on the user's clock; no figure comes from it"
)]
fn now() -> Instant {
    Instant::now()
}

//! Measures the devices of a node one after another, and ends in time.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::Args;
use super::devices::{Found, find};
use crate::accept::{Circumstances, Seen, Spec, Tier};
use crate::backend::Search;
use crate::cli::CliError;
use crate::cli::job::Job;
use crate::cli::measure::{Clock, End, Supervisor};
use crate::device::Device;
use crate::measure::{Pace, Selection};
use crate::precision::Precision;
use crate::units::Seconds;
use crate::workload::Method;

/// What a node's measuring needs.
pub struct Session<'a> {
    pub args: &'a Args,
    pub spec: &'a Spec,
    pub supervisor: &'a Supervisor,
    pub clock: &'a Clock,
}

impl Session<'_> {
    /// Measures device after device, again for as long as the user asked, until it is done or cut short.
    pub fn run(&self, around: &mut Circumstances) -> Result<Vec<Seen>, CliError> {
        let found = match self.find()? {
            Ok(found) => found,
            Err(why) => {
                around.left_out.push(format!("the drivers did not answer: {why}"));
                around.cut_short = Some(why);
                return Ok(Vec::new());
            }
        };
        around.left_out = found.left_out;
        let load = Clock::start(self.args.duration.or_else(|| Seconds::new(0.0).ok()));
        let new = |device: &Device| Seen { device: device.clone(), measurements: Vec::new(), trouble: None };
        let mut seen: Vec<Seen> = found.devices.iter().map(new).collect();
        'load: loop {
            for seen in &mut seen {
                self.device(&found.search, seen);
                around.cut_short = self.cut();
                if around.cut_short.is_some() {
                    break 'load;
                }
            }
            let enough = load.left().is_none_or(|left| left.get() <= 0.0);
            if enough || seen.iter().all(|seen| seen.measurements.is_empty() || seen.trouble.is_some()) {
                break;
            }
        }
        // Only the opened device tells all of itself, such as whether it is a part of another.
        for seen in &mut seen {
            if let Some(first) = seen.measurements.iter().find(|m| m.device.uuid == seen.device.uuid) {
                seen.device = first.device.clone();
            }
        }
        Ok(seen)
    }

    /// Looks for devices in a thread: a driver that hangs must not take the node's file with it. Found, or why not.
    fn find(&self) -> Result<Result<Found, String>, CliError> {
        let (search, named, spec) = (self.args.search.clone(), self.args.device.clone(), self.spec.clone());
        let (sender, found) = channel();
        // When nobody waits any more, the program is at its end.
        std::thread::spawn(move || sender.send(find(&search, &named, &spec)).ok());
        let patience = Clock::start(Some(self.args.stall_limit));
        loop {
            match found.recv_timeout(Duration::from_millis(50)) {
                Ok(found) => return found.map(Ok),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Err("the search for them died".to_owned())),
            }
            if let Some(why) = self.cut() {
                return Ok(Err(why));
            }
            if patience.left().is_some_and(|left| left.get() <= 0.0) {
                return Ok(Err(format!("not within {} s", self.args.stall_limit.get())));
            }
        }
    }

    /// Why it must end now; `None` where it need not.
    fn cut(&self) -> Option<String> {
        let late = self.clock.left().is_some_and(|left| left.get() <= 0.0);
        self.supervisor.interrupted().or_else(|| late.then(|| "the time limit is reached".to_owned()))
    }

    /// Measures everything that the spec wants of one device.
    fn device(&self, search: &Search, seen: &mut Seen) {
        let tier = self.args.tier();
        for method in [Method::Issue, Method::Gemm] {
            let precisions = self.precisions(&seen.device, method);
            if precisions.is_empty() || self.cut().is_some() {
                continue;
            }
            let job = Job {
                search: search.clone(),
                device: seen.device.id.clone(),
                selection: Selection { methods: vec![method], precisions, seed: 1, ..Selection::default() },
                pace: if tier == Tier::Smoke { Pace::Quick } else { Pace::Thorough },
                time_limit_s: self.clock.left(),
            };
            let mut kept = Vec::new();
            let ended = self.supervisor.measure(&job, &mut |measurement| {
                kept.push(measurement);
                true
            });
            let why = match ended {
                Ok(End::Done) => None,
                // Even where every case has its outcome: a process that then dies has not ended in order.
                Ok(End::Cut(why)) => Some(why),
                // The other devices can still be measured.
                Err(error) => Some(error.to_string()),
            };
            seen.trouble = seen.trouble.take().or(why);
            seen.measurements.extend(kept);
        }
    }

    fn precisions(&self, device: &Device, method: Method) -> Vec<Precision> {
        let wanted = self.spec.wanted(device, self.args.tier());
        let of_method = |precision: &Precision| {
            wanted.iter().any(|w| w.requirement.method == method && w.precision == *precision)
        };
        Precision::ALL.into_iter().filter(of_method).collect()
    }
}

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
        let Some(found) = self.find()? else {
            around.cut_short = self.cut();
            around.left_out.push("the drivers did not answer".to_owned());
            return Ok(Vec::new());
        };
        around.left_out = found.left_out;
        let load = Clock::start(self.args.duration.or_else(|| Seconds::new(0.0).ok()));
        let new = |device: &Device| Seen { device: device.clone(), measurements: Vec::new(), trouble: None };
        let mut seen: Vec<Seen> = found.devices.iter().map(new).collect();
        'load: loop {
            for seen in &mut seen {
                self.device(&found.search, seen)?;
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
            if let Some(first) = seen.measurements.first() {
                seen.device = first.device.clone();
            }
        }
        Ok(seen)
    }

    /// Looks for devices in a thread: a driver that hangs must not take the node's file with it.
    fn find(&self) -> Result<Option<Found>, CliError> {
        let (search, named, spec) = (self.args.search.clone(), self.args.device.clone(), self.spec.clone());
        let (sender, found) = channel();
        // When nobody waits any more, the program is at its end.
        std::thread::spawn(move || sender.send(find(&search, &named, &spec)).ok());
        while self.cut().is_none() {
            match found.recv_timeout(Duration::from_millis(50)) {
                Ok(found) => return found.map(Some),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(CliError::Defect("the search for devices ended without a word".to_owned()));
                }
            }
        }
        Ok(None)
    }

    /// Why it must end now; `None` where it need not.
    fn cut(&self) -> Option<String> {
        let late = self.clock.left().is_some_and(|left| left.get() <= 0.0);
        self.supervisor.interrupted().or_else(|| late.then(|| "the time limit is reached".to_owned()))
    }

    /// Measures everything that the spec wants of one device.
    fn device(&self, search: &Search, seen: &mut Seen) -> Result<(), CliError> {
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
                // A verdict rests on nothing but its own run.
                choices: None,
                time_limit_s: self.clock.left(),
            };
            let mut kept = Vec::new();
            let ended = self.supervisor.measure(&job, &mut |measurement| {
                kept.push(measurement);
                true
            });
            match ended {
                Ok(End::Done) => {}
                Ok(End::Cut(why)) if kept.is_empty() => seen.trouble = Some(why),
                // What was running has its outcome, and the other devices can still be measured.
                Ok(End::Cut(_)) => {}
                Err(CliError::Absent(why) | CliError::Usage(why)) => seen.trouble = Some(why),
                Err(error) => return Err(error),
            }
            seen.measurements.extend(kept);
        }
        Ok(())
    }

    fn precisions(&self, device: &Device, method: Method) -> Vec<Precision> {
        let wanted = self.spec.wanted(device, self.args.tier());
        let mut precisions: Vec<Precision> =
            wanted.iter().filter(|w| w.requirement.method == method).map(|w| w.precision).collect();
        let all = Precision::ALL.into_iter();
        precisions = all.filter(|precision| precisions.contains(precision)).collect();
        precisions
    }
}

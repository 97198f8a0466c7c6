//! Measures the devices of a node, those of one backend at the same time, and ends in time.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::Args;
use super::devices::{Found, find};
use crate::accept::{Circumstances, Seen, Spec, Tier};
use crate::backend::Search;
use crate::cli::CliError;
use crate::cli::job::Job;
use crate::cli::measure::{Clock, End, Supervisor, groups};
use crate::device::Device;
use crate::measure::{Outcome, Pace, Schedule, Selection};
use crate::precision::Precision;
use crate::units::Seconds;
use crate::workload::Method;

/// What a node's measuring needs.
pub struct Session<'a> {
    pub args: &'a Args,
    pub spec: &'a Spec,
    pub supervisor: &'a Supervisor,
    pub clock: &'a Clock,
    /// How long the devices may be under load.
    pub load: &'a Clock,
}

/// Why it was cut short where the load was not to last longer.
const DURATION: &str = "the duration is over";

/// Time in seconds that a case takes beside the device's own: to compile, to load and to check. A guess.
const BESIDE: f64 = 5.0;

fn is_over(clock: &Clock) -> bool {
    clock.left().is_some_and(|left| left.get() <= 0.0)
}

/// Why a run must end now, before or under load; `None` where it need not.
pub fn cut(supervisor: &Supervisor, clock: &Clock) -> Option<String> {
    let late = || is_over(clock).then(|| "the time limit is reached".to_owned());
    supervisor.interrupted().or_else(late)
}

impl Session<'_> {
    /// Measures all devices, again for as long as the user asked, until it is done or cut short.
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
        let pace = self.pace(&found.devices);
        let new = |device: &Device| Seen { device: device.clone(), measurements: Vec::new(), trouble: None };
        let mut seen: Vec<Seen> = found.devices.iter().map(new).collect();
        loop {
            let before = self.load.left().unwrap_or_default().get();
            let mut round: Vec<Seen> = found.devices.iter().map(new).collect();
            let mut cut = self.round(&found.search, pace, &mut round);
            let first = seen.iter().all(|seen| seen.measurements.is_empty());
            if !first && cut.as_deref() == Some(DURATION) {
                // Each case has been measured before; what there was no time for is no gap.
                cut = None;
                for seen in &mut round {
                    seen.measurements.retain(|m| !matches!(m.result, Outcome::Skipped { .. }));
                    seen.trouble = None;
                }
            }
            for (seen, round) in seen.iter_mut().zip(round) {
                seen.trouble = seen.trouble.take().or(round.trouble);
                seen.measurements.extend(round.measurements);
            }
            around.cut_short = cut;
            // Another round is begun only where there is time for it.
            let left = self.load.left().unwrap_or_default().get();
            let another = self.args.duration.is_some() && before - left < left && self.cut().is_none();
            if !another || seen.iter().all(|seen| seen.measurements.is_empty() || seen.trouble.is_some()) {
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
        let loaded = || is_over(self.load).then(|| DURATION.to_owned());
        cut(self.supervisor, self.clock).or_else(loaded)
    }

    /// Time that is left to measure in.
    fn left(&self) -> Option<Seconds> {
        match (self.clock.left(), self.load.left()) {
            (Some(a), Some(b)) => Some(if a < b { a } else { b }),
            (a, b) => a.or(b),
        }
    }

    /// The most patient pace at which each case fits the time once. A trend takes more patience than a look has.
    fn pace(&self, devices: &[Device]) -> Pace {
        let tier = self.args.tier();
        let case = |method: Method, pace| Schedule::of(method, pace).longest().get() + BESIDE;
        let of_device = |device: &Device, pace| {
            let wanted = self.spec.wanted(device, tier);
            wanted.iter().map(|wanted| case(wanted.requirement.method, pace)).sum::<f64>()
        };
        // Those of a group are measured at the same time.
        let of_group = |group: Vec<&Device>, pace| {
            group.iter().map(|device| of_device(device, pace)).fold(0.0, f64::max)
        };
        let takes = |pace| groups(devices).into_iter().map(|group| of_group(group, pace)).sum::<f64>();
        let fits = |pace: &Pace| self.left().is_none_or(|left| takes(*pace) <= left.get());
        let trend = self.spec.requirements.iter().any(|need| need.max_trend.is_some());
        let hasty = if trend { Pace::Normal } else { Pace::Quick };
        match tier {
            Tier::Smoke => Pace::Quick,
            Tier::Full => [Pace::Thorough, Pace::Normal].into_iter().find(fits).unwrap_or(hasty),
        }
    }

    /// Measures each device once, those of one backend at the same time; why it was cut short, where it was.
    fn round(&self, search: &Search, pace: Pace, round: &mut [Seen]) -> Option<String> {
        let devices: Vec<Device> = round.iter().map(|seen| seen.device.clone()).collect();
        let mut whole = true;
        for group in groups(&devices) {
            for method in [Method::Issue, Method::Gemm] {
                let job = |device: &&Device| self.job(search, pace, device, method);
                let jobs: Vec<Job> = group.iter().filter_map(job).collect();
                if jobs.is_empty() {
                    continue;
                }
                if let Some(why) = self.cut() {
                    return Some(why);
                }
                whole &= self.together(&jobs, round);
            }
        }
        // What ends just when all is done is not cut short.
        self.cut().filter(|_| !whole)
    }

    /// What is measured by a method on a device; `None` where the spec wants nothing of it.
    fn job(&self, search: &Search, pace: Pace, device: &Device, method: Method) -> Option<Job> {
        let precisions = self.precisions(device, method);
        (!precisions.is_empty()).then(|| Job {
            search: search.clone(),
            device: device.id.clone(),
            selection: Selection { methods: vec![method], precisions, seed: 1, ..Selection::default() },
            pace,
            // A verdict rests on nothing but its own run.
            choices: None,
            time_limit_s: self.left(),
        })
    }

    /// Measures the devices of these jobs at the same time; whether all came to the end.
    fn together(&self, jobs: &[Job], round: &mut [Seen]) -> bool {
        let mut kept = Vec::new();
        let ended = self.supervisor.together(jobs, &mut |measurement| {
            kept.push(measurement);
            true
        });
        let mut whole = !kept.iter().any(|m| matches!(m.result, Outcome::Skipped { .. }));
        let ends: Vec<Option<String>> = match ended {
            Ok(ends) => ends
                .into_iter()
                .map(|end| match end {
                    Ok(End::Done) => None,
                    // Even where every case has its outcome: a process that then dies has not ended in order.
                    Ok(End::Cut(why)) => Some(why),
                    // The other devices have been measured all the same.
                    Err(error) => Some(error.to_string()),
                })
                .collect(),
            Err(error) => vec![Some(error.to_string()); jobs.len()],
        };
        for (job, why) in jobs.iter().zip(ends) {
            whole &= why.is_none();
            for seen in round.iter_mut().filter(|seen| seen.device.id == job.device) {
                seen.trouble = seen.trouble.take().or_else(|| why.clone());
            }
        }
        for measurement in kept {
            if let Some(seen) = round.iter_mut().find(|seen| seen.device.id == measurement.device.id) {
                seen.measurements.push(measurement);
            }
        }
        whole
    }

    fn precisions(&self, device: &Device, method: Method) -> Vec<Precision> {
        let wanted = self.spec.wanted(device, self.args.tier());
        let of_method = |precision: &Precision| {
            wanted.iter().any(|w| w.requirement.method == method && w.precision == *precision)
        };
        Precision::ALL.into_iter().filter(of_method).collect()
    }
}

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
        let over = |clock: &Clock| clock.left().is_some_and(|left| left.get() <= 0.0);
        let late = || over(self.clock).then(|| "the time limit is reached".to_owned());
        let loaded = || over(self.load).then(|| DURATION.to_owned());
        self.supervisor.interrupted().or_else(late).or_else(loaded)
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
        let wanted = devices.iter().flat_map(|device| self.spec.wanted(device, tier));
        let methods: Vec<Method> = wanted.map(|wanted| wanted.requirement.method).collect();
        let takes = |pace| {
            let case = |method: &Method| Schedule::of(*method, pace).longest().get() + BESIDE;
            methods.iter().map(case).sum::<f64>()
        };
        let fits = |pace: &Pace| self.left().is_none_or(|left| takes(*pace) <= left.get());
        let trend = self.spec.requirements.iter().any(|need| need.max_trend.is_some());
        let hasty = if trend { Pace::Normal } else { Pace::Quick };
        match tier {
            Tier::Smoke => Pace::Quick,
            Tier::Full => [Pace::Thorough, Pace::Normal].into_iter().find(fits).unwrap_or(hasty),
        }
    }

    /// Measures each device once; why it was cut short, where it was.
    fn round(&self, search: &Search, pace: Pace, round: &mut [Seen]) -> Option<String> {
        let count = round.len();
        for (index, seen) in round.iter_mut().enumerate() {
            let whole = self.device(search, pace, seen);
            // What ends just when all is done is not cut short.
            if let Some(why) = self.cut().filter(|_| !whole || index + 1 < count) {
                return Some(why);
            }
        }
        None
    }

    /// Measures everything that the spec wants of one device; whether it came to the end.
    fn device(&self, search: &Search, pace: Pace, seen: &mut Seen) -> bool {
        let mut whole = true;
        for method in [Method::Issue, Method::Gemm] {
            let precisions = self.precisions(&seen.device, method);
            if precisions.is_empty() {
                continue;
            }
            if self.cut().is_some() {
                return false;
            }
            let job = Job {
                search: search.clone(),
                device: seen.device.id.clone(),
                selection: Selection { methods: vec![method], precisions, seed: 1, ..Selection::default() },
                pace,
                // A verdict rests on nothing but its own run.
                choices: None,
                time_limit_s: self.left(),
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
            whole &= why.is_none() && !kept.iter().any(|m| matches!(m.result, Outcome::Skipped { .. }));
            seen.trouble = seen.trouble.take().or(why);
            seen.measurements.extend(kept);
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

//! Two clocks side by side: what a device says that a batch took, and what the host saw pass meanwhile.

use crate::device::{Finding, Severity};

/// Batches below this by both clocks are not compared: the host's own overhead is of their length.
const COMPARED: f64 = 5e-3;

/// Disagreement past which one of the clocks is wrong.
const AGREEMENT: f64 = 0.02;

/// Least share of the host's time that the device's may account for in the batch where they differ least. On a loaded
/// machine of two cores 0.92 was seen of all batches together, and 0.22 of the few that are compared among short ones.
const HELD_UP: f64 = 0.5;

/// Sums of both clocks over the batches that are long enough.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Clocks {
    device: f64,
    host: f64,
    /// The host's time in batches that are too short.
    short: f64,
    /// The greatest share of the host's time that the device's was.
    closest: f64,
}

impl Clocks {
    /// One batch, in seconds of the device and of the host around it.
    pub fn add(&mut self, device: f64, host: f64) {
        if host.max(device) <= COMPARED {
            self.short += host;
            return;
        }
        self.device += device;
        self.host += host;
        self.closest = self.closest.max(device / host);
    }

    /// The finding where the clocks differ by more than two parts in a hundred. A device cannot take longer than the
    /// wait around it, and no host is held up for half of every wait: such figures are not credible. Where most of
    /// the time went into short ones, those that the host saw as long are the ones in which it was held up, and nothing is
    /// said.
    pub fn finding(&self) -> Option<Finding> {
        let Self { device, host, short, closest } = *self;
        if host <= short || (device - host).abs() <= AGREEMENT * host {
            return None;
        }
        let message = format!(
            "the device's clock says {device:.4} s where the host's says {host:.4} s; one of them is wrong, or the \
             host was held up"
        );
        let impossible = device > (1.0 + AGREEMENT) * host || closest < HELD_UP;
        let severity = if impossible { Severity::Error } else { Severity::Warning };
        Some(Finding::new(severity, "timers-disagree", message, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(device: f64, host: f64) -> Option<Finding> {
        let mut clocks = Clocks::default();
        clocks.add(device, host);
        clocks.finding()
    }

    #[test]
    fn clocks_that_differ_by_more_than_two_per_cent_are_a_finding() {
        assert_eq!(finding(1.0, 1.019), None);
        assert_eq!(finding(0.0, 0.0), None, "nothing was long enough to compare");
        assert_eq!(finding(2e-3, 4e-3), None, "a batch of the length of the host's overhead says nothing");
        for (device, host, severity) in [
            (1.0, 1.03, Severity::Warning),
            (1.0, 1.9, Severity::Warning),
            (1.03, 1.0, Severity::Error),
            (0.02, 2e-3, Severity::Error),
            (0.1, 1.0, Severity::Error),
            (0.0, 1.0, Severity::Error),
        ] {
            let found = finding(device, host).unwrap();
            let said = (found.rule.as_str(), found.severity);
            assert_eq!(said, ("timers-disagree", severity), "{device} {host}");
        }
    }

    #[test]
    fn a_host_that_is_held_up_in_some_batches_is_no_clock_that_is_wrong() {
        let mut clocks = Clocks::default();
        (0..9).for_each(|_| clocks.add(0.01, 0.1));
        assert_eq!(clocks.finding().map(|finding| finding.severity), Some(Severity::Error), "in each batch");
        clocks.add(0.01, 0.0105);
        assert_eq!(
            clocks.finding().map(|finding| finding.severity),
            Some(Severity::Warning),
            "not in the last"
        );
    }

    #[test]
    fn the_few_batches_in_which_the_host_was_held_up_do_not_speak_for_many_short_ones() {
        let mut clocks = Clocks::default();
        (0..5).for_each(|_| clocks.add(1e-3, 7e-3));
        assert!(clocks.finding().is_some());
        (0..40).for_each(|_| clocks.add(1e-3, 1.1e-3));
        assert_eq!(clocks.finding(), None);
    }
}

//! Two clocks side by side: what a device says that a batch took, and what the host saw pass meanwhile.

use crate::device::{Finding, Severity};

/// Batches below this are not compared: the host's own overhead is of their length.
const COMPARED: f64 = 5e-3;

/// Disagreement past which one of the clocks is wrong.
const AGREEMENT: f64 = 0.02;

/// Least share of the host's time that the device's may account for. On a loaded machine of two cores 0.92 was seen.
const HELD_UP: f64 = 0.5;

/// Sums of both clocks over the batches that are long enough.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Clocks {
    device: f64,
    host: f64,
}

impl Clocks {
    /// One batch, in seconds of the device and of the host around it.
    pub fn add(&mut self, device: f64, host: f64) {
        if host > COMPARED {
            self.device += device;
            self.host += host;
        }
    }

    /// The finding where the clocks differ by more than two parts in a hundred. A device cannot take longer than the
    /// wait around it, and no host is held up for half of all its waits: such figures are not credible.
    pub fn finding(&self) -> Option<Finding> {
        let Self { device, host } = *self;
        if host <= 0.0 || (device - host).abs() <= AGREEMENT * host {
            return None;
        }
        let message = format!(
            "the device's clock says {device:.4} s where the host's says {host:.4} s; one of them is wrong, or the \
             host was held up"
        );
        let impossible = device > (1.0 + AGREEMENT) * host || device < HELD_UP * host;
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
        assert_eq!(finding(9.0, 4e-3), None, "a batch of the length of the host's overhead says nothing");
        for (device, host, severity) in [
            (1.0, 1.03, Severity::Warning),
            (1.0, 1.9, Severity::Warning),
            (1.03, 1.0, Severity::Error),
            (0.1, 1.0, Severity::Error),
            (0.0, 1.0, Severity::Error),
        ] {
            let found = finding(device, host).unwrap();
            let said = (found.rule.as_str(), found.severity);
            assert_eq!(said, ("timers-disagree", severity), "{device} {host}");
        }
    }
}

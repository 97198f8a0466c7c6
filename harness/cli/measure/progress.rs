//! The progress bar of a run, on stderr and only on a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::measure::{Outcome, Request};

/// Steps of the bar in one case, so that it moves within a case.
const STEPS: u64 = 100;

/// The bars of devices that are measured at the same time, one below the other.
pub struct Bars {
    all: MultiProgress,
}

impl Bars {
    /// No bar yet; none is ever shown where they are not wanted or stderr is no terminal.
    pub fn new(wanted: bool) -> Self {
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { all: MultiProgress::with_draw_target(target) }
    }

    /// One more bar, which knows nothing yet.
    pub fn bar(&self) -> Bar {
        let bar = self.all.add(ProgressBar::new(0));
        let style = ProgressStyle::with_template("{prefix} [{bar:24}] {elapsed_precise} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        Bar { bar, requests: Vec::new() }
    }
}

/// One bar over all cases of a device.
pub struct Bar {
    bar: ProgressBar,
    requests: Vec<Request>,
}

impl Bar {
    /// The plan of a device, or more of it.
    pub fn planned(&mut self, device: &str, requests: &[Request]) {
        self.requests.extend_from_slice(requests);
        let cases = u64::try_from(self.requests.len()).unwrap_or(u64::MAX / STEPS);
        self.bar.set_prefix(device.to_owned());
        self.bar.set_length(cases * STEPS);
    }

    /// A sign of life within a case.
    pub fn within(&self, index: usize, doing: &str, share: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let step = (share.clamp(0.0, 1.0) * 100.0) as u64;
        self.bar.set_position(u64::try_from(index).unwrap_or(0) * STEPS + step);
        let name = self.requests.get(index).map_or(String::new(), Request::to_string);
        self.bar.set_message(format!("{}/{} {name}: {doing}", index + 1, self.requests.len()));
    }

    /// A case is done.
    pub fn done(&self, index: usize, outcome: &Outcome) {
        self.within(index, outcome.name(), 1.0);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

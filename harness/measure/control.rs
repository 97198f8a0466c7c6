//! What the measuring loop asks of the world outside: whether to go on, to wait, and to tell somebody.

use std::path::Path;

use crate::units::Seconds;

use super::plateau::Phase;

/// Why the loop must end before it is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// A signal.
    #[error("interrupted by {0}")]
    Signal(&'static str),
    /// The user's time limit.
    #[error("the time limit is reached")]
    TimeLimit,
}

/// Where the loop is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// The implementations are checked and tried.
    Candidates,
    /// Device time of the phase, and its expected length.
    Phase {
        /// Which phase.
        phase: Phase,
        /// Device time in it so far.
        done_s: Seconds,
        /// Device time that it is expected to take.
        expected_s: Seconds,
    },
    /// The result is checked.
    Verify,
}

/// The world outside; the measuring loop reads no clock and prints nothing.
pub trait Control {
    /// Asked between batches.
    fn stop(&self) -> Option<Stop>;

    /// Lets the device rest.
    fn idle(&self, time: Seconds);

    /// Told between batches.
    fn progress(&self, progress: Progress);

    /// Folder in which choices between implementations are kept for the next run; `None` to try all every time.
    fn choices(&self) -> Option<&Path> {
        None
    }
}

/// Nobody watches: never stops, rests as long as asked, tells nobody. For programs that call the library.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unattended;

impl Control for Unattended {
    fn stop(&self) -> Option<Stop> {
        None
    }

    fn idle(&self, time: Seconds) {
        std::thread::sleep(std::time::Duration::from_secs_f64(time.get()));
    }

    fn progress(&self, _: Progress) {}
}

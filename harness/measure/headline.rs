//! The one number of a case, and from which of its samples it comes.

use serde::{Deserialize, Serialize};

use super::statistics::{RateStatistics, rate_statistics};
use super::{Samples, Schedule};
use crate::units::Ops;

/// Samples that the headline is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Those that nothing came between.
    Clean,
    /// All, by the time that the thread really computed: other work took the core, and its marks on the caches stay.
    CpuTime,
    /// All, as timed, with other work on the same cores.
    Disturbed,
}

/// Rate of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Headline {
    /// Which samples it is from.
    pub basis: Basis,
    /// Samples that nothing came between.
    pub clean: usize,
    /// All samples.
    pub of: usize,
    /// The statistics.
    pub statistics: RateStatistics,
}

/// Least share of clean samples that speaks for a case. Of 160 us samples beside a spinning competitor 90 % are
/// clean, of 1 ms ones 53 %; of 10 ms ones none.
const CLEAN_SHARE: f64 = 0.1;

impl Headline {
    /// Headline of `samples`; `None` where there are none.
    pub fn of(samples: &Samples, ops_per_iteration: Ops) -> Option<Self> {
        let Chosen { basis, clean, times } = choose(samples, ops_per_iteration.to_f64());
        let statistics = rate_statistics(&times)?;
        Some(Self { basis, clean, of: samples.len(), statistics })
    }

    /// Whether other work on the same cores is in the number.
    pub fn is_disturbed(&self) -> bool {
        self.basis != Basis::Clean
    }
}

/// The samples that speak for a case.
pub(super) struct Chosen {
    pub basis: Basis,
    /// Samples that nothing came between.
    pub clean: usize,
    /// Time of one piece of work in each that counts.
    pub times: Vec<f64>,
}

/// Chooses the samples that count; an iteration is `pieces` pieces of work, operations or bytes.
pub(super) fn choose(samples: &Samples, pieces: f64) -> Chosen {
    let is_clean = samples.clean();
    let clean = is_clean.iter().filter(|clean| **clean).count();
    let all = samples.seconds_per_piece(pieces);
    #[expect(clippy::cast_precision_loss, reason = "shares of at most some thousand samples")]
    let (count, of) = (clean as f64, all.len() as f64);
    // Where samples are long and few, four of five must do.
    let enough = (clean >= Schedule::SAMPLES && count >= CLEAN_SHARE * of) || count >= 0.8 * of;
    let (basis, times) = if enough {
        let kept = all.into_iter().zip(&is_clean).filter(|(_, clean)| **clean);
        (Basis::Clean, kept.map(|(time, _)| time).collect())
    } else if let Some(corrected) = samples.cpu_seconds_per_piece(pieces) {
        (Basis::CpuTime, corrected)
    } else {
        (Basis::Disturbed, all)
    };
    Chosen { basis, clean, times }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Batch, Interference, Timer};
    use crate::units::Seconds;

    fn samples(clean: usize, disturbed: usize, cpu_known: bool) -> Samples {
        let mut samples = Samples::default();
        let seconds = |v| Seconds::new(v).unwrap();
        for index in 0..clean + disturbed {
            let off_core = index >= clean;
            let elapsed = seconds(if off_core { 2e-3 } else { 1e-3 });
            let interference = Interference {
                involuntary_switches: u64::from(off_core),
                cpu_s: cpu_known.then(|| seconds(1.01e-3).min(elapsed)),
                ..Interference::default()
            };
            let batch =
                Batch { elapsed, timer: Timer::Script, conditions: None, interference: Some(interference) };
            samples.push(seconds(0.0), 1, &batch);
        }
        samples
    }

    trait Min {
        fn min(self, other: Self) -> Self;
    }

    impl Min for Seconds {
        fn min(self, other: Self) -> Self {
            if self < other { self } else { other }
        }
    }

    #[test]
    fn clean_samples_speak_for_a_case_and_disturbed_ones_do_not_move_it() {
        let quiet = Headline::of(&samples(40, 0, true), Ops::new(1_000_000)).unwrap();
        let shared = Headline::of(&samples(40, 60, true), Ops::new(1_000_000)).unwrap();
        assert_eq!((shared.basis, shared.clean, shared.of), (Basis::Clean, 40, 100));
        assert_eq!(shared.statistics, quiet.statistics);
    }

    #[test]
    fn the_time_of_a_thread_that_only_waits_corrects_nothing() {
        let mut waiting = samples(2, 60, true);
        for between in waiting.interference.iter_mut().flatten() {
            between.cpu_s = Seconds::new(1e-6).ok();
        }
        let headline = Headline::of(&waiting, Ops::new(1_000_000)).unwrap();
        assert_eq!(headline.basis, Basis::Disturbed);
        assert!(headline.statistics.rate_op_per_s.median.get() < 1e9, "{headline:?}");
    }

    #[test]
    fn without_clean_samples_the_rate_is_corrected_and_marked() {
        let shared = Headline::of(&samples(2, 60, true), Ops::new(1_000_000)).unwrap();
        assert_eq!(shared.basis, Basis::CpuTime);
        let rate = shared.statistics.rate_op_per_s.median.get();
        assert!((rate / 1e9 - 1.0).abs() < 0.02, "{rate}");
        let several_threads = Headline::of(&samples(2, 60, false), Ops::new(1_000_000)).unwrap();
        assert_eq!(several_threads.basis, Basis::Disturbed);
        assert!(several_threads.is_disturbed());
    }
}

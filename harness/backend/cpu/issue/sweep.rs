//! Rate of a kernel for every chain count, which is how the shipped count is chosen and checked.

use super::loaded_clock::LoadedClock;
use super::row::IssueKernel;
use super::sample::{IssueSample, Sampler};
use crate::backend::cpu::error::CpuError;
use crate::units::Ratio;
use std::time::Duration;

/// Chain counts of one kernel with their rates.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The kernel as shipped.
    pub kernel: IssueKernel,
    /// One point per chain count, from 1 upwards.
    pub points: Vec<SweepPoint>,
}

/// One chain count of a sweep.
#[derive(Debug, Clone)]
pub struct SweepPoint {
    /// Independent accumulators.
    pub chains: usize,
    /// Samples that were taken, clean or not.
    pub samples: Vec<IssueSample>,
}

impl SweepPoint {
    /// Median operations per cycle of the clean samples; `None` without one.
    #[must_use]
    pub fn ops_per_cycle(&self) -> Option<Ratio> {
        let clean = self.samples.iter().filter(|sample| sample.is_clean());
        let mut rates: Vec<f64> =
            clean.filter_map(|sample| Some(sample.ops_per_cycle().ok()?.get())).collect();
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().and_then(|rate| Ratio::new(rate).ok())
    }
}

impl Sweep {
    /// Point of the highest rate; `None` where no sample was clean.
    #[must_use]
    pub fn best(&self) -> Option<&SweepPoint> {
        let known = self.points.iter().filter(|point| point.ops_per_cycle().is_some());
        known.max_by(|a, b| {
            let rate = |point: &SweepPoint| point.ops_per_cycle().map_or(0.0, Ratio::get);
            rate(a).total_cmp(&rate(b))
        })
    }

    /// Rate of the shipped count over that of the best one; `None` where either is not known.
    #[must_use]
    pub fn shipped_over_best(&self) -> Option<Ratio> {
        let shipped = self.points.iter().find(|point| point.chains == self.kernel.chains)?.ops_per_cycle()?;
        Ratio::new(shipped.get() / self.best()?.ops_per_cycle()?.get()).ok()
    }
}

/// Samples every chain count `rounds` times, in turn, so that a drift of the machine meets all counts alike.
///
/// **Errors**: those of [`Sampler`].
pub fn sweep(kernel: &IssueKernel, rounds: usize, length: Duration) -> Result<Sweep, CpuError> {
    let clock = LoadedClock::of(kernel)?;
    let mut prepared = Vec::new();
    for chains in 1..=kernel.most_chains() {
        let sampler = Sampler::with_clock(&kernel.with_chains(chains)?, clock.clone(), length)?;
        prepared.push((sampler, Vec::with_capacity(rounds)));
    }
    for _ in 0..rounds {
        for (sampler, samples) in &mut prepared {
            samples.push(sampler.sample()?);
        }
    }
    let points = prepared.into_iter();
    let points =
        points.map(|(sampler, samples)| SweepPoint { chains: sampler.kernel().chains, samples }).collect();
    Ok(Sweep { kernel: *kernel, points })
}

#[cfg(test)]
mod tests {
    use super::super::kernels;
    use super::*;

    #[test]
    fn a_sweep_has_one_point_per_chain_count() {
        let row = kernels().iter().find(|row| row.available()).unwrap();
        let found = sweep(row, 2, Duration::from_micros(20)).unwrap();
        let counts: Vec<_> = found.points.iter().map(|point| point.chains).collect();
        assert_eq!(counts, (1..=row.most_chains()).collect::<Vec<_>>());
        assert!(found.points.iter().all(|point| point.samples.len() == 2));
    }
}

//! The one number of a copy: bytes per second, read plus written, and its share of what the memory could do.

use serde::{Deserialize, Serialize};

use super::headline::{Chosen, choose};
use super::statistics::byte_rate_statistics;
use super::{Basis, Measured, Samples};
use crate::backend::WorkingSet;
use crate::device::{Device, Finding, Severity, memory_bandwidth};
use crate::units::{ByteRate, Bytes, Estimate, Ratio};
use crate::workload::BufferSize;

/// Rate of a copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    /// Which samples it is from.
    pub basis: Basis,
    /// Samples that nothing came between.
    pub clean: usize,
    /// All samples.
    pub of: usize,
    /// Median with its 95 % bootstrap interval, read plus written.
    pub rate_byte_per_s: Estimate<ByteRate>,
    /// Width from the 5th to the 95th percentile over the median.
    pub spread: Ratio,
}

impl Bandwidth {
    /// Rate of `samples`, whose iterations move `bytes` each; `None` where there are none.
    pub fn of(samples: &Samples, bytes: Bytes) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "a measured rate")]
        let Chosen { basis, clean, times } = choose(samples, bytes.get() as f64);
        let (rate_byte_per_s, spread) = byte_rate_statistics(&times)?;
        Some(Self { basis, clean, of: samples.len(), rate_byte_per_s, spread })
    }

    /// Whether other work on the same cores is in the number.
    pub fn is_disturbed(&self) -> bool {
        self.basis != Basis::Clean
    }
}

/// A rate of a copy over what the memory could do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandwidthShare {
    /// Bandwidth of the memory, by the catalogue.
    pub theoretical: ByteRate,
    /// Rate over it.
    pub ratio: Ratio,
}

/// Share of the memory's bandwidth, and a finding where the copy is above it.
///
/// `None` where the catalogue does not have the device, and for what computes. A copy within a cache is held against
/// nothing: it says nothing of the memory.
pub fn bandwidth_share(device: &Device, measured: &Measured) -> (Option<BandwidthShare>, Vec<Finding>) {
    let Some(bandwidth) = measured.bandwidth().filter(|_| measures_memory(measured.working_set)) else {
        return (None, Vec::new());
    };
    let Some(theoretical) = memory_bandwidth(device) else { return (None, Vec::new()) };
    let rate = bandwidth.rate_byte_per_s.median;
    let Some(ratio) = rate.over(theoretical) else { return (None, Vec::new()) };
    let mut findings = Vec::new();
    if rate > theoretical {
        let message = format!(
            "the copy is {ratio} of the memory's bandwidth: the table, the device's name, the count or the timer is \
             wrong, or a cache was measured"
        );
        findings.push(Finding::new(Severity::Error, "above-peak", message, None));
    }
    (Some(BandwidthShare { theoretical, ratio }), findings)
}

/// A size of which it is not known that it is too small is taken at its word.
fn measures_memory(set: Option<WorkingSet>) -> bool {
    set.is_none_or(|set| set.is_memory())
}

/// What a reader must know where it was not the memory, or may not have been.
pub(super) fn cache_measured(set: Option<WorkingSet>) -> Option<Finding> {
    let times = BufferSize::CACHES;
    match set {
        Some(set) if set.is_memory() => None,
        Some(set) => {
            let (bytes, cache) = (set.bytes, set.cache_bytes);
            let message = format!(
                "a cache was measured: both buffers have {bytes}, not more than {times} times the last-level cache, \
                 told to be {cache}"
            );
            Some(Finding::new(Severity::Warning, "cache-measured", message, None))
        }
        None => {
            let message = "the last-level cache is not known: this may be the rate of a cache".to_owned();
            Some(Finding::new(Severity::Note, "cache-unknown", message, None))
        }
    }
}

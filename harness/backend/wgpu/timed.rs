//! Launches, and how long they take: by timestamps inside the submission, with the host's clock beside them.

use std::time::Instant;

use wgpu::{
    BindGroup, Buffer, BufferUsages, CommandEncoderDescriptor, ComputePassDescriptor,
    ComputePassTimestampWrites, ComputePipeline, Features, QuerySet, QuerySetDescriptor, QueryType,
};

use super::faults::Fault;
use super::gpu::Gpu;
use crate::backend::clocks::Clocks;
use crate::backend::{BackendError, Batch, Conditions, LoadError, Timer};
use crate::device::{Finding, Severity};
use crate::units::Seconds;

/// Device time that one submission may take: desktops reset a GPU that is silent for two seconds, and a tenth of
/// that leaves room for a wrong estimate.
pub(super) const SUBMISSION: f64 = 0.1;

/// One dispatch.
pub(super) struct Launch {
    pub group: BindGroup,
    pub grid: (u32, u32),
}

/// Times submissions, and remembers what both clocks said.
pub(super) struct Timed {
    queries: Option<(QuerySet, Buffer)>,
    clocks: Clocks,
    submissions: u64,
}

impl Timed {
    pub fn new(gpu: &Gpu) -> Result<Self, LoadError> {
        let queries = if gpu.features.contains(Features::TIMESTAMP_QUERY) {
            let descriptor = QuerySetDescriptor { label: None, ty: QueryType::Timestamp, count: 2 };
            let set = gpu.scoped(|| gpu.device.create_query_set(&descriptor))?;
            let usage = BufferUsages::QUERY_RESOLVE;
            Some((set, gpu.upload(&[0; 16], usage)?))
        } else {
            None
        };
        Ok(Self { queries, clocks: Clocks::default(), submissions: 0 })
    }

    /// Runs launches back to back in one pass.
    pub fn run<'a>(
        &mut self,
        gpu: &Gpu,
        pipeline: &ComputePipeline,
        launches: impl Iterator<Item = &'a Launch>,
    ) -> Result<Seconds, BackendError> {
        self.submissions += 1;
        if gpu.fault == Some(Fault::Lost) && self.submissions > 20 {
            gpu.device.destroy();
        }
        let writes = self.queries.as_ref().map(|(set, _)| ComputePassTimestampWrites {
            query_set: set,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        });
        let commands = gpu.scoped(|| {
            let mut encoder = gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
            let descriptor = ComputePassDescriptor { label: None, timestamp_writes: writes };
            let mut pass = encoder.begin_compute_pass(&descriptor);
            pass.set_pipeline(pipeline);
            for launch in launches {
                pass.set_bind_group(0, &launch.group, &[]);
                pass.dispatch_workgroups(launch.grid.0, launch.grid.1, 1);
            }
            drop(pass);
            encoder.finish()
        });
        let commands = commands.map_err(|error| lost_or(gpu, error))?;
        let start = Instant::now();
        gpu.finish(commands)?;
        let host = start.elapsed().as_secs_f64();
        let device = self.stamps(gpu)?;
        if let Some(device) = device {
            self.clocks.add(device, host);
        }
        let elapsed = Seconds::new(device.unwrap_or(host)).unwrap_or_default();
        if elapsed.get() <= 0.0 {
            return Err(BackendError::NoTime { device: gpu.id.clone(), iterations: 1 });
        }
        Ok(elapsed)
    }

    /// Time between the two timestamps; resolved in a submission of its own, so that no copy is timed.
    fn stamps(&self, gpu: &Gpu) -> Result<Option<f64>, BackendError> {
        let Some((set, resolved)) = &self.queries else { return Ok(None) };
        let commands = gpu.scoped(|| {
            let mut encoder = gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
            encoder.resolve_query_set(set, 0..2, resolved, 0);
            encoder.finish()
        });
        gpu.finish(commands.map_err(|error| lost_or(gpu, error))?)?;
        let bytes = gpu.download(resolved)?;
        let ticks: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|tick| u64::from_le_bytes(*tick)).collect();
        let [first, last] = ticks.as_slice() else {
            return Err(gpu.failed("no timestamps came back".to_owned()));
        };
        #[expect(clippy::cast_precision_loss, reason = "ticks of less than a minute")]
        let ticks = ticks_between(*first, *last) as f64;
        let fast = if gpu.fault == Some(Fault::FastTimestamps) { 3.0 } else { 1.0 };
        Ok(Some(ticks * f64::from(gpu.queue.get_timestamp_period()) * 1e-9 * fast))
    }

    /// A batch of so much time.
    pub const fn batch(&self, elapsed: Seconds, conditions: Option<Conditions>) -> Batch {
        let timer = if self.queries.is_some() { Timer::DeviceEvents } else { Timer::HostClock };
        Batch { elapsed, timer, conditions, interference: None }
    }

    /// Whether the two clocks agree.
    pub fn findings(&self) -> Vec<Finding> {
        if self.queries.is_none() {
            let message = "the adapter has no timestamps; the host's clock timed every submission whole";
            return vec![Finding::new(Severity::Note, "host-clock", message.to_owned(), None)];
        }
        self.clocks.finding().into_iter().collect()
    }
}

/// Ticks from one timestamp to the next. A counter may have as few as 36 bits, and no API but Vulkan's tells how many:
/// one that started over was in the last moments before it, so that the highest bit of the first is the counter's.
const fn ticks_between(first: u64, last: u64) -> u64 {
    let ticks = last.wrapping_sub(first);
    if last >= first || first == 0 {
        return ticks;
    }
    ticks & (u64::MAX >> first.leading_zeros())
}

fn lost_or(gpu: &Gpu, error: LoadError) -> BackendError {
    match (gpu.alive(), error) {
        (Err(lost), _) => lost,
        (Ok(()), LoadError::Backend(error)) => error,
        (Ok(()), other) => gpu.failed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::ticks_between;

    #[test]
    fn a_counter_that_starts_over_between_two_timestamps_costs_nothing() {
        assert_eq!(ticks_between(5, 12), 7);
        assert_eq!(ticks_between(0, 0), 0);
        for bits in [36, 40, 48, 63, 64] {
            let most = u64::MAX >> (64 - bits);
            assert_eq!(ticks_between(most - 9, 20), 30, "{bits} bits");
            assert_eq!(ticks_between(most, 0), 1, "{bits} bits");
        }
    }
}

//! An issue-rate kernel as a loaded case. Timed runs take operands that change every bit at every step; what is
//! checked is the same pipeline on operands that make each chain count its own steps.

use wgpu::{Buffer, BufferUsages};

use super::compiled::Compiled;
use super::faults::Fault;
use super::gpu::Gpu;
use super::table::{Kernel, Shader};
use super::telemetry::Watch;
use super::timed::{Launch, SUBMISSION, Timed};
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output};
use crate::device::Finding;
use crate::precision::Precision;
use crate::units::{Ops, Seconds};

/// Invocations of a workgroup of the plain kernels.
const GROUP: u32 = 64;
/// Most trips of one dispatch. Some drivers end loops at 65,535; in fp16, sums are exact to 2048 only, and 8 steps a
/// trip from a start below 32 stay below it for 250 trips.
const TRIPS: u32 = 4000;
const TRIPS_FP16: u32 = 240;

/// An issue-rate kernel, ready to run.
pub(super) struct IssueCase<'a> {
    gpu: &'a Gpu,
    kernel: &'a Kernel,
    compiled: Compiled,
    results: Buffer,
    timed_operands: Buffer,
    counting_operands: Buffer,
    timed: Timed,
    watch: &'a Watch,
    groups: u32,
    trips: u32,
    /// Full dispatches of a submission.
    dispatches: u64,
    steps: u64,
}

impl<'a> IssueCase<'a> {
    pub fn load(
        gpu: &'a Gpu,
        kernel: &'a Kernel,
        compiled: Compiled,
        watch: &'a Watch,
    ) -> Result<Self, LoadError> {
        let trips = if kernel.precision == Precision::Fp16 { TRIPS_FP16 } else { TRIPS };
        let mut case = Self {
            gpu,
            kernel,
            compiled,
            results: gpu.storage(16)?,
            timed_operands: gpu.upload(&operands(kernel, false), BufferUsages::STORAGE)?,
            counting_operands: gpu.upload(&operands(kernel, true), BufferUsages::STORAGE)?,
            timed: Timed::new(gpu)?,
            watch,
            groups: 16,
            trips,
            dispatches: 1,
            steps: 0,
        };
        case.fit()?;
        Ok(case)
    }

    /// Finds the fastest grid, in dispatches well below a submission's limit.
    fn fit(&mut self) -> Result<(), LoadError> {
        self.grow()?;
        // The first dispatch also compiles on software drivers.
        self.dispatch(self.trips / 8 + 1, 1)?;
        let mut tried: Vec<Grid> = Vec::new();
        loop {
            let grid = Grid { groups: self.groups, elapsed: self.shortest()? };
            tried.push(grid);
            if !goes_on(&tried) {
                break;
            }
            self.groups *= 2;
            self.grow()?;
        }
        if let Some(best) = chosen(&tried) {
            self.groups = best.groups;
            self.dispatches = whole(SUBMISSION / best.elapsed).clamp(1, 256);
        }
        self.grow()
    }

    /// Seconds of a dispatch that as little as possible came between.
    fn shortest(&mut self) -> Result<f64, LoadError> {
        let mut shortest = f64::INFINITY;
        for _ in 0..3 {
            shortest = self.dispatch(self.trips, 1)?.get().min(shortest);
        }
        Ok(shortest)
    }

    fn grow(&mut self) -> Result<(), LoadError> {
        let elements = u64::from(self.groups) * self.results_per_group();
        self.results = self.gpu.storage(elements * self.element())?;
        Ok(())
    }

    /// Numbers that one workgroup stores.
    fn results_per_group(&self) -> u64 {
        match self.kernel.shader {
            Shader::IssueCoop => {
                u64::from(self.kernel.chains) * u64::from(self.kernel.size * self.kernel.size)
            }
            _ => u64::from(GROUP) * u64::from(self.kernel.width),
        }
    }

    fn element(&self) -> u64 {
        match (self.kernel.shader, self.kernel.precision) {
            (Shader::IssueCoop, _) => element_bytes(self.kernel),
            (_, Precision::Fp64) => 8,
            _ => 4,
        }
    }

    fn launch(&self, trips: u32, counting: bool) -> Result<Launch, LoadError> {
        let short = u32::from(self.gpu.fault == Some(Fault::ShortLoops));
        let mut control = [0; 16];
        control[..4].copy_from_slice(&trips.saturating_sub(short).to_le_bytes());
        let control = self.gpu.upload(&control, BufferUsages::UNIFORM)?;
        let operands = if counting { &self.counting_operands } else { &self.timed_operands };
        let group = self.compiled.bind(self.gpu, &[&control, operands, &self.results])?;
        Ok(Launch { group, grid: (self.groups, 1) })
    }

    fn dispatch(&mut self, trips: u32, times: u64) -> Result<Seconds, LoadError> {
        let launch = self.launch(trips, false)?;
        let times = usize::try_from(times).unwrap_or(1);
        Ok(self.timed.run(self.gpu, &self.compiled.pipeline, std::iter::repeat_n(&launch, times))?)
    }

    /// Runs the timed pipeline on counting operands, and returns what each chain was left with and should be.
    fn count(&mut self, trips: u32, values: &mut Vec<f64>, expected: &mut Vec<f64>) -> Result<(), LoadError> {
        let launch = self.launch(trips, true)?;
        self.timed.run(self.gpu, &self.compiled.pipeline, std::iter::once(&launch))?;
        let bytes = self.gpu.download(&self.results)?;
        values.extend(numbers(&bytes, self.kernel));
        let invocations = u64::from(self.groups) * u64::from(GROUP);
        match self.kernel.shader {
            Shader::IssueCoop => {
                let grown = f64::from(self.kernel.size) * f64::from(trips * self.kernel.unroll) * COOP_STEP;
                expected.resize(values.len(), grown);
            }
            Shader::IssueDot => {
                let sixteen: Vec<f64> = (0..16).map(|id| dot_replay(self.kernel, id, trips)).collect();
                expected
                    .extend((0..invocations).map(|id| sixteen.get(index(id)).copied().unwrap_or(f64::NAN)));
            }
            _ => {
                let width = usize::try_from(self.kernel.width).unwrap_or(1);
                let of = |id: u64| {
                    let chains = f64::from(self.kernel.chains);
                    #[expect(clippy::cast_precision_loss, reason = "a number below 16")]
                    let start = (id % 16) as f64;
                    chains * (start + f64::from(trips * self.kernel.unroll)) + chains * (chains - 1.0) / 2.0
                };
                expected.extend((0..invocations).flat_map(|id| std::iter::repeat_n(of(id), width)));
            }
        }
        Ok(())
    }

    fn remainder(&self, iterations: u64) -> (u64, u32) {
        let trips = u64::from(self.trips);
        (iterations / trips, u32::try_from(iterations % trips).unwrap_or(0))
    }
}

impl Loaded for IssueCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        let per_group = match self.kernel.shader {
            Shader::IssueCoop => 1,
            _ => u128::from(GROUP),
        };
        Ops::new(u128::from(self.kernel.ops_per_trip()) * per_group * u128::from(self.groups))
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        let (mut full, rest) = self.remainder(iterations);
        let mut elapsed = Seconds::default();
        let failed = |gpu: &Gpu, error| match error {
            LoadError::Backend(error) => error,
            other => gpu.failed(other.to_string()),
        };
        while full > 0 {
            let now = full.min(self.dispatches);
            let took = self.dispatch(self.trips, now).map_err(|error| failed(self.gpu, error))?;
            elapsed = elapsed + took;
            full -= now;
        }
        if rest > 0 {
            elapsed = elapsed + self.dispatch(rest, 1).map_err(|error| failed(self.gpu, error))?;
        }
        self.steps = iterations;
        Ok(self.timed.batch(elapsed, self.watch.read()))
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        let (full, rest) = self.remainder(self.steps);
        let (mut values, mut expected) = (Vec::new(), Vec::new());
        // Each length of dispatch that the last run had, and always that of the long runs that are timed.
        let lengths = [Some(self.trips), (rest > 0).then_some(rest)];
        for trips in lengths.into_iter().flatten() {
            self.count(trips, &mut values, &mut expected).map_err(|error| match error {
                LoadError::Backend(error) => error,
                other => self.gpu.failed(other.to_string()),
            })?;
        }
        let _ = full;
        Ok(Output::Accumulators { values, expected, steps: self.steps })
    }

    fn findings(&self) -> Vec<Finding> {
        self.timed.findings()
    }
}

/// A grid and the seconds of one dispatch of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Grid {
    groups: u32,
    elapsed: f64,
}

impl Grid {
    fn rate(&self) -> f64 {
        f64::from(self.groups) / self.elapsed
    }
}

/// Whether a grid twice as large as the last is worth a trial: until two in a row were no faster than one before them.
/// One alone may have met another process, or the step of a clock that still rises.
fn goes_on(tried: &[Grid]) -> bool {
    const GROUPS_MOST: u32 = 1 << 14;
    const GAIN: f64 = 1.05;
    let Some(last) = tried.last() else { return true };
    let room = last.elapsed < SUBMISSION / 8.0 && last.groups < GROUPS_MOST;
    let Some((earlier, [a, b])) = tried.split_last_chunk::<2>() else { return room };
    let before = earlier.iter().map(Grid::rate).fold(0.0, f64::max);
    room && (before == 0.0 || a.rate().max(b.rate()) > GAIN * before)
}

/// The fastest grid, and the smallest of equals.
fn chosen(tried: &[Grid]) -> Option<Grid> {
    tried.iter().copied().reduce(|best, grid| if grid.rate() > best.rate() { grid } else { best })
}

/// What both operands of a cooperative matrix hold while it counts, squared: an eighth, so that a step of 8 adds 1/8.
const COOP_STEP: f64 = 1.0 / 64.0;

/// x and y, or the elements of both matrices.
fn operands(kernel: &Kernel, counting: bool) -> Vec<u8> {
    use half::f16;
    if kernel.shader == Shader::IssueDot {
        let (x, y): (u32, u32) =
            if counting { (0x0102_0304, 0x0302_0105) } else { (0x5ac3_96e7, 0x7b1d_c4a9) };
        return [x.to_le_bytes(), y.to_le_bytes()].concat();
    }
    if kernel.shader == Shader::IssueCoop {
        let count = kernel.size * kernel.size;
        // Sums of products of -1 ... 1 wander and do not overflow fp16; equal numbers count.
        let value = |i: u32| if counting { 0.125 } else { f64::from((i * 37 + i / 7) % 201) / 100.0 - 1.0 };
        let values = (0..2 * count).map(value);
        return match kernel.precision {
            Precision::Fp16 => values.flat_map(|v| f16::from_f64(v).to_le_bytes()).collect(),
            #[expect(clippy::cast_possible_truncation, reason = "rounding to the format is the purpose")]
            _ => values.flat_map(|v| (v as f32).to_le_bytes()).collect(),
        };
    }
    let pair = |x: f64, y: f64| if counting { [1.0, 1.0] } else { [x, y] };
    match kernel.precision {
        Precision::Fp64 => {
            pair(-0.999_999_999, 0.739_085_133_215_16).iter().flat_map(|v| v.to_le_bytes()).collect()
        }
        Precision::Fp16 => {
            pair(-0.999_511_718_75, 0.739).iter().flat_map(|v| f16::from_f64(*v).to_le_bytes()).collect()
        }
        #[expect(clippy::cast_possible_truncation, reason = "rounding to the format is the purpose")]
        _ => pair(-0.999_999_9, 0.739_085_13).iter().flat_map(|v| (*v as f32).to_le_bytes()).collect(),
    }
}

/// The sum of all chains of one invocation of the packed dot product.
fn dot_replay(kernel: &Kernel, id: u32, trips: u32) -> f64 {
    let sum = (0..kernel.chains).fold(0_i32, |sum, j| {
        let mut c = (id + j).cast_signed();
        for _ in 0..trips * kernel.unroll {
            let x = (0x0102_0304_u32.wrapping_add(j)) ^ c.cast_unsigned();
            let pairs = x.to_le_bytes().into_iter().zip(0x0302_0105_u32.to_le_bytes());
            let dot: i32 = pairs.map(|(a, b)| i32::from(a.cast_signed()) * i32::from(b.cast_signed())).sum();
            c = c.wrapping_add(dot);
        }
        sum.wrapping_add(c)
    });
    f64::from(sum)
}

fn index(id: u64) -> usize {
    usize::try_from(id % 16).unwrap_or(0)
}

const fn element_bytes(kernel: &Kernel) -> u64 {
    match kernel.accumulate {
        crate::precision::Accumulate::Fp64 => 8,
        crate::precision::Accumulate::Fp16 => 2,
        _ => 4,
    }
}

fn numbers(bytes: &[u8], kernel: &Kernel) -> Vec<f64> {
    let coop = kernel.shader == Shader::IssueCoop;
    match kernel.precision {
        Precision::Fp64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        Precision::Int8 => bytes.as_chunks().0.iter().map(|b| f64::from(i32::from_le_bytes(*b))).collect(),
        _ if coop && element_bytes(kernel) == 2 => {
            bytes.as_chunks().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f64()).collect()
        }
        _ => bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count, rounded down")]
fn whole(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grids(rates: &[f64]) -> Vec<Grid> {
        let groups = (4..).map(|power| 1_u32 << power);
        groups.zip(rates).map(|(groups, rate)| Grid { groups, elapsed: f64::from(groups) / rate }).collect()
    }

    /// The grid that is taken where those of 16, 32 … workgroups have these rates.
    fn taken(rates: &[f64]) -> Option<u32> {
        let all = grids(rates);
        let tried = (1..=all.len()).find(|n| !goes_on(&all[..*n])).map_or(all.as_slice(), |n| &all[..n]);
        chosen(tried).map(|grid| grid.groups)
    }

    #[test]
    fn a_grid_grows_while_it_is_faster_and_one_slow_trial_ends_nothing() {
        let (k, flat) = (1e6, [1e6; 12]);
        assert_eq!(taken(&flat), Some(16), "nothing is gained");
        assert_eq!(taken(&[k, 2.0 * k, 4.0 * k, 4.0 * k, 4.0 * k, 9.0 * k]), Some(64));
        assert_eq!(taken(&[k, 0.5 * k, 4.0 * k, 4.1 * k, 4.0 * k, 4.0 * k]), Some(128), "a slow one between");
        assert_eq!(taken(&[k, 4.0 * k, 0.5 * k, 8.0 * k, 8.0 * k, 8.0 * k]), Some(128), "one after a gain");
        assert_eq!(taken(&[k, 2.0 * k, 1.9 * k, 4.0 * k, 8.0 * k, 8.0 * k, 8.0 * k]), Some(256));
    }

    #[test]
    fn a_grid_stops_at_the_limit_of_a_submission_and_of_workgroups() {
        let slow = Grid { groups: 16, elapsed: SUBMISSION / 8.0 };
        assert!(!goes_on(&[slow]) && chosen(&[slow]) == Some(slow));
        assert!(!goes_on(&[Grid { groups: 1 << 14, elapsed: 1e-6 }]));
        assert!(goes_on(&[]) && chosen(&[]).is_none());
    }
}

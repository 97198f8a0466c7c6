//! The scripted device itself: script time advances by the work that is asked for, and by nothing else.

use uuid::Uuid;

use super::{FaultKind, Script, ScriptedRow, Segment};
use crate::backend::{
    Backend, BackendError, Batch, Conditions, Implementation, Interference, LoadError, Loaded, Output, Timer,
    WorkingSet,
};
use crate::device::Device;
use crate::units::{Bytes, Ops, Seconds};
use crate::workload::{
    BufferSize, Case, Elements, Operand, Work, copy_pattern, copy_poison, operand, reference,
};

/// Operations of one iteration of a scripted issue-rate kernel: two per step of each of eight accumulators.
const ISSUE_OPS: u128 = 16;

/// A device that does what its script says.
#[derive(Debug)]
pub struct ScriptedBackend {
    device: Device,
    implementations: Vec<Implementation>,
    script: Script,
}

impl ScriptedBackend {
    /// The device of `script`, as the `index`th of its backend.
    pub fn new(script: Script, index: usize) -> Self {
        let name = format!("scripted:{index}:{}", script.model);
        let device = Device {
            id: format!("scripted:{index}"),
            uuid: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
            model: script.model.clone(),
            backend: "scripted".to_owned(),
            kind: script.kind.into(),
            architecture: None,
            units: None,
            reported_clock_hz: None,
            memory_bytes: None,
            driver: None,
            pci_id: None,
            peaks: script.peaks.clone(),
            notes: vec!["a script; no figure of it says anything of hardware".to_owned()],
        };
        let implementations = script.implementations.iter().map(row).collect();
        Self { device, implementations, script }
    }
}

fn row(row: &ScriptedRow) -> Implementation {
    Implementation {
        name: row.name.clone(),
        method: row.method,
        precision: row.precision,
        accumulate: row.accumulate,
        unit: row.unit,
        native: row.native,
        detail: "scripted".to_owned(),
        shape: row.shape,
        buffer_bytes: row.buffer_bytes,
        sample_s: row.sample_s,
    }
}

impl Backend for ScriptedBackend {
    fn sources(&self) -> Option<String> {
        self.script.sources.clone()
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn implementations(&self) -> &[Implementation] {
        &self.implementations
    }

    fn load(&mut self, case: &Case) -> Result<Box<dyn Loaded + '_>, LoadError> {
        let row = self.script.implementations.iter().find(|row| row.name == case.implementation);
        let unknown =
            || LoadError::Unsupported { reason: format!("no implementation {}", case.implementation) };
        let row = row.ok_or_else(unknown)?;
        let mut copy = None;
        let (ops, matrix) = match case.work {
            Work::Issue => (Ops::new(ISSUE_OPS), None),
            Work::Copy { buffer_bytes } => {
                copy = Some(Copied { buffer: buffer_bytes, source: Vec::new(), destination: Vec::new() });
                (Ops::ZERO, None)
            }
            Work::Gemm { shape, layout, input, seed } => {
                let data = |which| operand(which, shape, layout, case.precision, (input, seed));
                let product = data(Operand::A).zip(data(Operand::B));
                let product =
                    product.and_then(|(a, b)| reference(shape, layout, &a, &b)).ok_or_else(unknown)?;
                #[expect(clippy::cast_possible_truncation, reason = "the rounding that a device does")]
                let values = product.values.iter().map(|v| *v as f32).collect();
                (shape.ops(), Some(values))
            }
        };
        Ok(Box::new(Run {
            device: &self.device.id,
            row,
            ops,
            matrix,
            copy,
            at: Seconds::default(),
            runs: 0,
            steps: 0,
        }))
    }
}

/// What a scripted copy copies.
struct Copied {
    buffer: BufferSize,
    source: Vec<u8>,
    destination: Vec<u8>,
}

struct Run<'a> {
    device: &'a str,
    row: &'a ScriptedRow,
    ops: Ops,
    matrix: Option<Vec<f32>>,
    copy: Option<Copied>,
    at: Seconds,
    runs: u64,
    steps: u64,
}

impl Run<'_> {
    fn segment(&self) -> Option<&Segment> {
        let now = |segment: &&Segment| segment.until_s.is_none_or(|until| self.at < until);
        self.row.segments.iter().find(now).or_else(|| self.row.segments.last())
    }

    fn faulty(&self, kind: FaultKind) -> bool {
        self.row.faults.iter().any(|fault| fault.kind == kind && self.at >= fault.at_s)
    }

    fn check_faults(&self, iterations: u64) -> Result<(), BackendError> {
        let device = self.device.to_owned();
        if self.faulty(FaultKind::Error) {
            return Err(BackendError::Device { device, message: "scripted error".to_owned() });
        }
        if self.faulty(FaultKind::Lost) {
            return Err(BackendError::Lost { device, message: "scripted loss".to_owned() });
        }
        if self.faulty(FaultKind::NoTime) {
            return Err(BackendError::NoTime { device, iterations });
        }
        if self.faulty(FaultKind::Crash) {
            std::process::abort();
        }
        while self.faulty(FaultKind::Hang) {
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        Ok(())
    }

    /// A fixed sequence in [-1, 1] that looks irregular: the fractional part of multiples of the golden ratio.
    fn wobble(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a small counter")]
        let turns = self.runs as f64 * 0.618_033_988_749_895;
        2.0 * turns.fract() - 1.0
    }
}

/// Eight accumulators that went `steps` steps towards 1.
fn accumulators(steps: u64) -> Vec<f64> {
    let replay = |start: u32| (0..steps).fold(f64::from(start), |acc, _| acc.mul_add(0.999, 0.001));
    (0..8).map(replay).collect()
}

impl Loaded for Run<'_> {
    fn ops_per_iteration(&self) -> Ops {
        self.ops
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        self.check_faults(iterations)?;
        let no_time = || BackendError::NoTime { device: self.device.to_owned(), iterations };
        let segment = self.segment().ok_or_else(no_time)?;
        let each = self.copy.as_ref().map_or(self.ops.get(), |copy| copy.buffer.traffic().get().into());
        let pieces = Ops::new(each).checked_times(u128::from(iterations)).ok_or_else(no_time)?;
        let ops = segment.rate_op_per_s.map(|rate| rate.get());
        let rate = ops.or_else(|| Some(segment.rate_byte_per_s?.get())).ok_or_else(no_time)?;
        let rate = rate * (1.0 + segment.jitter.get() * self.wobble());
        let off_core = segment.disturbed && self.runs % 2 == 1;
        let computing = pieces.to_f64() / rate;
        let elapsed =
            Seconds::new(if off_core { 2.0 * computing } else { computing }).map_err(|_| no_time())?;
        let conditions = Conditions {
            clock_hz: segment.clock_hz,
            memory_clock_hz: None,
            power_w: segment.power_w,
            temperature_c: segment.temperature_c,
            throttle: segment.throttle,
            foreign_processes: segment.foreign_processes,
            foreign_memory_bytes: segment.foreign_memory_bytes,
        };
        let interference = Interference {
            involuntary_switches: u64::from(off_core),
            cpu_s: Seconds::new(computing).ok(),
            waiting_s: None,
            quota_throttled: 0,
        };
        self.at = self.at + elapsed;
        self.runs += 1;
        self.steps = iterations;
        if let Some(copy) = &mut self.copy {
            copy.destination.clone_from(&copy.source);
        }
        Ok(Batch {
            elapsed,
            timer: Timer::Script,
            conditions: Some(conditions),
            interference: Some(interference),
        })
    }

    fn bytes_per_iteration(&self) -> Option<Bytes> {
        self.copy.as_ref().map(|copy| copy.buffer.traffic())
    }

    fn working_set(&self) -> Option<WorkingSet> {
        let bytes = self.bytes_per_iteration()?;
        self.row.cache_bytes.map(|cache_bytes| WorkingSet { bytes, cache_bytes })
    }

    fn fill(&mut self, seed: u64) -> Result<(), BackendError> {
        if let Some(copy) = &mut self.copy {
            copy.source = copy_pattern(copy.buffer, seed);
            copy.destination = copy_poison(&copy.source);
        }
        Ok(())
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        if let Some(copy) = &self.copy {
            let mut bytes = copy.destination.clone();
            for fault in self.row.faults.iter().filter(|fault| self.at >= fault.at_s) {
                fault.spoil_bytes(&mut bytes);
            }
            return Ok(Output::Copied(bytes));
        }
        let Some(values) = &self.matrix else {
            let wrong = u64::from(self.faulty(FaultKind::WrongValue));
            let (values, expected) = (accumulators(self.steps + wrong), accumulators(self.steps));
            return Ok(Output::Accumulators { values, expected, steps: self.steps });
        };
        let mut output = Elements::F32(values.clone());
        for fault in self.row.faults.iter().filter(|fault| self.at >= fault.at_s) {
            fault.spoil(&mut output, self.runs, self.steps);
        }
        Ok(Output::Matrix(output))
    }
}

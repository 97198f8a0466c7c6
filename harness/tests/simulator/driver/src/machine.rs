//! One simulated device: memory, a queue of commands in the order of their submission, a clock, and faults.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cudarc::driver::sys::CUresult;
use flopgauge_simulator::launch::{Count, Frame, Module, run};
use flopgauge_simulator::memory::{Global, Violation};

use crate::configuration::{Device, Fault, Kind};
use crate::counter;
use crate::limits::Limits;

/// A result, or the driver's code.
pub(crate) type Outcome<T> = Result<T, CUresult>;

/// Instructions after which a block is taken to run for ever.
const PATIENCE: u64 = 4_000_000_000;

/// How far a device has come, to be read without waiting for it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Launches that were begun.
    pub launches: AtomicU64,
    /// Whether it answers no more.
    pub lost: AtomicBool,
}

/// A kernel to be launched.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub module: Arc<Module>,
    pub kernel: usize,
    pub grid: [u32; 3],
    pub threads: [u32; 3],
    pub dynamic: u32,
    pub parameters: Vec<u8>,
}

/// A product of a library: it works on memory and says how many operations it took.
pub(crate) type Product = Arc<dyn Fn(&mut Global) -> Outcome<u64> + Send + Sync>;

/// What a stream does.
#[derive(Clone)]
pub(crate) enum Command {
    /// What a graph holds, done again.
    Replay(Box<Command>),
    Launch(Arc<Launch>),
    Product {
        name: &'static str,
        output: u64,
        run: Product,
    },
    Set {
        address: u64,
        value: u8,
        count: usize,
    },
    Write {
        address: u64,
        bytes: Arc<[u8]>,
    },
    Copy {
        to: u64,
        from: u64,
        count: usize,
    },
    Record(u64),
    Free(u64),
}

impl Command {
    /// Whether it is a launch.
    fn runs(&self) -> bool {
        match self {
            Self::Replay(command) => command.runs(),
            Self::Launch(_) | Self::Product { .. } => true,
            _ => false,
        }
    }
}

/// A device.
pub(crate) struct Machine {
    /// What it is.
    pub device: Arc<Device>,
    /// Capability: major, minor.
    pub capability: (u32, u32),
    /// Its limits.
    pub limits: Limits,
    /// Its memory.
    pub memory: Global,
    /// How far it has come.
    pub progress: Arc<Progress>,
    queue: VecDeque<(u64, Command)>,
    /// Simulated seconds since the process began.
    clock: f64,
    /// Times at which events were recorded.
    pub recorded: HashMap<u64, f64>,
    /// How often the primary context was retained.
    pub retained: u32,
    /// The error after which the context is of no use.
    pub sticky: Option<CUresult>,
    allocations: u64,
    /// Whether a graph's commands are done.
    replaying: bool,
    number: usize,
}

impl Machine {
    pub(crate) fn new(number: usize, device: Device, capability: (u32, u32), limits: Limits) -> Self {
        Self {
            memory: memory(number, &device),
            device: Arc::new(device),
            capability,
            limits,
            progress: Arc::default(),
            queue: VecDeque::new(),
            clock: 0.0,
            recorded: HashMap::new(),
            retained: 0,
            sticky: None,
            allocations: 0,
            replaying: false,
            number,
        }
    }

    /// The error that this context returns from now on.
    pub(crate) fn usable(&self) -> Outcome<()> {
        self.sticky.map_or(Ok(()), Err)
    }

    /// A destroyed context takes its memory, its queue and its error along.
    pub(crate) fn reset(&mut self) {
        self.memory = memory(self.number, &self.device);
        self.queue.clear();
        self.recorded.clear();
        if !self.progress.lost.load(Ordering::Relaxed) {
            self.sticky = None;
        }
    }

    pub(crate) fn allocate(&mut self, size: usize) -> Outcome<u64> {
        self.usable()?;
        if size == 0 {
            return Err(CUresult::CUDA_ERROR_INVALID_VALUE);
        }
        self.allocations += 1;
        let number = self.allocations;
        let full =
            self.device.faults.iter().any(|fault| fault.kind == Kind::OutOfMemory && fault.holds(number));
        // What waits to be freed is freed before memory is said to be short.
        if !full && size as u64 > self.memory.capacity - self.memory.used {
            self.drain()?;
        }
        let address = if full { None } else { self.memory.allocate(size as u64) };
        address.ok_or(CUresult::CUDA_ERROR_OUT_OF_MEMORY)
    }

    /// Whether these bytes are one allocation's.
    pub(crate) fn inside(&mut self, address: u64, size: usize) -> Outcome<()> {
        self.memory.host_read(address, size).map(|_| ()).ok_or(CUresult::CUDA_ERROR_INVALID_VALUE)
    }

    /// Puts a command behind all others.
    pub(crate) fn push(&mut self, stream: u64, command: Command) -> Outcome<()> {
        self.usable()?;
        self.queue.push_back((stream, command));
        Ok(())
    }

    /// Whether this event waits in the queue.
    pub(crate) fn pending(&self, event: u64) -> bool {
        self.queue.iter().any(|(_, command)| matches!(command, Command::Record(waits) if *waits == event))
    }

    /// Does the next command, whatever its stream: the order of submission is one that every stream allows.
    pub(crate) fn step(&mut self) -> Outcome<bool> {
        self.usable()?;
        let Some((_, command)) = self.queue.pop_front() else { return Ok(false) };
        if let Err(code) = self.perform(command) {
            self.sticky = Some(code);
            self.queue.clear();
            return Err(code);
        }
        Ok(true)
    }

    /// Does all that waits.
    pub(crate) fn drain(&mut self) -> Outcome<()> {
        while self.step()? {}
        Ok(())
    }

    fn perform(&mut self, command: Command) -> Outcome<()> {
        let missing = CUresult::CUDA_ERROR_ILLEGAL_ADDRESS;
        match command {
            Command::Replay(command) => {
                self.replaying = true;
                let done = self.perform(*command);
                self.replaying = false;
                done?;
            }
            Command::Launch(launch) => self.launch(&launch)?,
            Command::Product { name, output, run } => self.product(name, output, &run)?,
            Command::Set { address, value, count } => {
                self.memory.host_write(address, count).ok_or(missing)?.fill(value);
            }
            Command::Write { address, bytes } => {
                self.memory.host_write(address, bytes.len()).ok_or(missing)?.copy_from_slice(&bytes);
            }
            Command::Copy { to, from, count } => {
                let bytes = self.memory.host_read(from, count).ok_or(missing)?.to_vec();
                self.memory.host_write(to, count).ok_or(missing)?.copy_from_slice(&bytes);
            }
            Command::Record(event) => {
                self.recorded.insert(event, self.clock);
            }
            Command::Free(address) => {
                if !self.memory.free(address) {
                    return Err(CUresult::CUDA_ERROR_INVALID_VALUE);
                }
            }
        }
        Ok(())
    }

    /// Faults that befall the launch of this number.
    fn faults(&self, launch: u64) -> impl Iterator<Item = &Fault> {
        self.device.faults.iter().filter(move |fault| fault.holds(launch))
    }

    /// The code with which the next launch is refused at once.
    pub(crate) fn refusal(&self) -> Outcome<()> {
        let waiting = self.queue.iter().filter(|(_, command)| command.runs()).count();
        let next = self.progress.launches.load(Ordering::Relaxed) + waiting as u64 + 1;
        if self.faults(next).any(|fault| fault.kind == Kind::LaunchRefused) {
            return Err(CUresult::CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
        }
        Ok(())
    }

    /// Begins a launch: its number, or the fault that ends it.
    fn begin(&self) -> Outcome<u64> {
        let number = self.progress.launches.fetch_add(1, Ordering::Relaxed) + 1;
        for fault in self.faults(number) {
            match fault.kind {
                Kind::LaunchFailed => return Err(CUresult::CUDA_ERROR_LAUNCH_FAILED),
                Kind::IllegalAddress => return Err(CUresult::CUDA_ERROR_ILLEGAL_ADDRESS),
                Kind::Lost => {
                    self.progress.lost.store(true, Ordering::Relaxed);
                    return Err(CUresult::CUDA_ERROR_UNKNOWN);
                }
                Kind::Hang => loop {
                    std::thread::sleep(std::time::Duration::from_secs(3600));
                },
                _ => {}
            }
        }
        Ok(number)
    }

    fn launch(&mut self, launch: &Launch) -> Outcome<()> {
        let number = self.begin()?;
        let kernel = launch.module.kernels.get(launch.kernel).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)?;
        let frame = Frame {
            kernel,
            grid: launch.grid,
            threads: launch.threads,
            dynamic: launch.dynamic,
            parameters: &launch.parameters,
            seed: number,
            patience: PATIENCE,
            dynamic_offset: 0,
        };
        let count = run(&frame, &mut self.memory).map_err(|fault| {
            crate::say(&fault.to_string());
            match fault.kind {
                Violation::IllegalAddress => CUresult::CUDA_ERROR_ILLEGAL_ADDRESS,
                Violation::Misaligned => CUresult::CUDA_ERROR_MISALIGNED_ADDRESS,
                Violation::IllegalInstruction => CUresult::CUDA_ERROR_ILLEGAL_INSTRUCTION,
                Violation::LaunchFailed => CUresult::CUDA_ERROR_LAUNCH_FAILED,
            }
        })?;
        let output = launch.parameters.first_chunk().map(|word| u64::from_le_bytes(*word));
        self.end(number, (&kernel.name, launch.grid), output, &count);
        Ok(())
    }

    fn product(&mut self, name: &str, output: u64, run: &Product) -> Outcome<()> {
        let number = self.begin()?;
        let operations = run(&mut self.memory)?;
        let count = Count { instructions: 0, operations: [("product".to_owned(), operations)].into() };
        self.end(number, (name, [1, 1, 1]), Some(output), &count);
        Ok(())
    }

    /// Time, count and the faults that show in values.
    fn end(&mut self, number: u64, (name, grid): (&str, [u32; 3]), output: Option<u64>, count: &Count) {
        let operations = count.of("");
        let by_operations = operations as f64 / self.device.operations_per_s;
        let by_instructions = count.instructions as f64 / self.device.instructions_per_s;
        let mut seconds = if operations > 0 { by_operations } else { by_instructions };
        let device = Arc::clone(&self.device);
        for fault in device.faults.iter().filter(|fault| fault.holds(number)) {
            match (fault.kind, output) {
                (Kind::Throttle, _) => seconds *= fault.slowdown.unwrap_or(1.0),
                (Kind::FlippedBit, Some(output)) => {
                    self.memory.host_write(output, 4).into_iter().for_each(|word| word[2] ^= 0x40);
                }
                (Kind::Nan, Some(output)) => {
                    self.memory.host_write(output, 8).into_iter().for_each(|word| word.fill(0xff));
                }
                _ => {}
            }
        }
        self.clock += seconds;
        counter::write(&self.device.uuid, (name, grid, self.replaying), seconds, count);
    }
}

fn memory(number: usize, device: &Device) -> Global {
    Global::new(0x7f00_0000_0000 + ((number as u64) << 38), device.memory_mib << 20)
}

//! The process's view of the driver: devices, contexts, and what every handle stands for.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use cudarc::driver::sys::CUresult;
use flopgauge_simulator::launch::Module;

use crate::configuration::{self, Configuration, capability, version};
use crate::limits::Limits;
use crate::machine::{Command, Machine, Outcome, Progress};

/// A handle's object. Handles are numbers, never addresses: one that was never given out is seen.
pub(crate) enum Object {
    Stream,
    Event { timed: bool },
    Module(Arc<Module>),
    Function { module: Arc<Module>, kernel: usize, dynamic_most: u32 },
    Graph(Vec<Command>),
    Executable(Vec<Command>),
}

/// The driver.
pub(crate) struct State {
    /// CUDA version.
    pub version: i32,
    /// Devices that the process sees.
    pub machines: Vec<Machine>,
    /// Objects, and the devices whose they are.
    pub objects: HashMap<u64, (usize, Object)>,
    /// Commands that streams capture.
    pub captures: HashMap<u64, Vec<Command>>,
    next: u64,
}

/// First handle of a context; that of device n is this and n.
const CONTEXTS: u64 = 0x51_0000;

thread_local! {
    /// Context of this thread, 0 for none.
    pub(crate) static CURRENT: Cell<u64> = const { Cell::new(0) };
}

/// What the file says; `Err` is what is wrong with it.
pub(crate) fn configured() -> &'static Result<Configuration, String> {
    static FOUND: OnceLock<Result<Configuration, String>> = OnceLock::new();
    FOUND.get_or_init(|| configuration::read().inspect_err(|error| crate::say(error)))
}

/// How far each device of the file has come, in the file's order.
pub(crate) fn progress() -> &'static Mutex<HashMap<uuid::Uuid, Arc<Progress>>> {
    static SHARED: OnceLock<Mutex<HashMap<uuid::Uuid, Arc<Progress>>>> = OnceLock::new();
    SHARED.get_or_init(Mutex::default)
}

/// The driver, once `cuInit` was called; one thread at a time.
pub(crate) fn state() -> &'static Mutex<Option<State>> {
    static STATE: Mutex<Option<State>> = Mutex::new(None);
    &STATE
}

impl State {
    /// Reads the configuration.
    pub(crate) fn new() -> Outcome<Self> {
        let refused = CUresult::CUDA_ERROR_NOT_SUPPORTED;
        let found = configured().as_ref().map_err(|_| refused)?;
        let list = std::env::var("CUDA_VISIBLE_DEVICES").ok();
        let seen = configuration::visible(&found.devices, list.as_deref()).map_err(|error| {
            crate::say(&error);
            refused
        })?;
        let mut machines = Vec::new();
        for index in seen {
            let Some(device) = found.devices.get(index) else { continue };
            let (major, minor) = capability(&device.capability).ok_or(refused)?;
            let Some(limits) = Limits::of(major, minor) else {
                crate::say(&format!(
                    "the limits of compute capability {major}.{minor} are not in the simulator"
                ));
                return Err(refused);
            };
            let machine = Machine::new(index, device.clone(), (major, minor), limits);
            if let Ok(mut all) = progress().lock() {
                all.insert(device.uuid, Arc::clone(&machine.progress));
            }
            machines.push(machine);
        }
        if machines.is_empty() {
            return Err(CUresult::CUDA_ERROR_NO_DEVICE);
        }
        let version = version(&found.cuda).ok_or(refused)?;
        Ok(Self { version, machines, objects: HashMap::new(), captures: HashMap::new(), next: 0x1000 })
    }

    /// A device by its ordinal.
    pub(crate) fn machine(&mut self, device: i32) -> Outcome<&mut Machine> {
        let index = usize::try_from(device).map_err(|_| CUresult::CUDA_ERROR_INVALID_DEVICE)?;
        self.machines.get_mut(index).ok_or(CUresult::CUDA_ERROR_INVALID_DEVICE)
    }

    /// Handle of a device's primary context.
    pub(crate) fn context(&mut self, device: i32) -> Outcome<u64> {
        self.machine(device)?;
        Ok(CONTEXTS + device as u64)
    }

    /// Whether a handle is a context's.
    pub(crate) fn is_context(&self, handle: u64) -> bool {
        handle >= CONTEXTS && handle - CONTEXTS < self.machines.len() as u64
    }

    /// Index of the device whose context this thread has.
    pub(crate) fn here(&self) -> Outcome<usize> {
        let handle = CURRENT.get();
        if !self.is_context(handle) {
            return Err(CUresult::CUDA_ERROR_INVALID_CONTEXT);
        }
        Ok((handle - CONTEXTS) as usize)
    }

    /// The device whose context this thread has.
    pub(crate) fn current(&mut self) -> Outcome<&mut Machine> {
        let index = self.here()?;
        self.machines.get_mut(index).ok_or(CUresult::CUDA_ERROR_INVALID_CONTEXT)
    }

    /// A handle for an object of the current device.
    pub(crate) fn add(&mut self, object: Object) -> Outcome<u64> {
        let here = self.here()?;
        self.current()?.usable()?;
        self.next += 16;
        self.objects.insert(self.next, (here, object));
        Ok(self.next)
    }

    /// What a handle stands for.
    pub(crate) fn object(&self, handle: u64) -> Outcome<&Object> {
        self.objects.get(&handle).map(|(_, object)| object).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)
    }

    /// The device that a stream is on; the stream 0 is the current context's.
    pub(crate) fn of_stream(&mut self, stream: u64) -> Outcome<&mut Machine> {
        if stream == 0 {
            return self.current();
        }
        match self.objects.get(&stream) {
            Some((device, Object::Stream)) => {
                self.machines.get_mut(*device).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)
            }
            _ => Err(CUresult::CUDA_ERROR_INVALID_HANDLE),
        }
    }

    /// The device that an event is on, and whether the event has a time.
    pub(crate) fn of_event(&mut self, event: u64) -> Outcome<(&mut Machine, bool)> {
        match self.objects.get(&event) {
            Some((device, Object::Event { timed })) => {
                let machine = self.machines.get_mut(*device).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)?;
                Ok((machine, *timed))
            }
            _ => Err(CUresult::CUDA_ERROR_INVALID_HANDLE),
        }
    }

    /// Takes a handle back.
    pub(crate) fn remove(&mut self, handle: u64) -> Outcome<()> {
        self.objects.remove(&handle).map(|_| ()).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)
    }

    /// Puts a command into a stream, or into what the stream captures.
    pub(crate) fn submit(&mut self, stream: u64, command: Command) -> Outcome<()> {
        self.of_stream(stream)?.usable()?;
        if let Some(captured) = self.captures.get_mut(&stream) {
            if !matches!(command, Command::Launch(_) | Command::Set { .. } | Command::Product { .. }) {
                crate::say("only launches and memory sets are captured into graphs");
                return Err(CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
            }
            captured.push(command);
            return Ok(());
        }
        self.of_stream(stream)?.push(stream, command)
    }

    /// Refuses what must not be done while a stream captures.
    pub(crate) fn not_capturing(&self, stream: u64) -> Outcome<()> {
        if self.captures.contains_key(&stream) {
            return Err(CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        }
        Ok(())
    }
}

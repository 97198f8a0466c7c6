//! One opened device: context, stream, timing events, and the errors that end it.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use cudarc::driver::result::DriverError;
use cudarc::driver::sys::{self, CUresult};
use cudarc::driver::{CudaContext, CudaEvent, CudaGraph, CudaModule, CudaSlice, CudaStream, DevicePtrMut};
use cudarc::nvrtc::Ptx;

use super::driver::{Driver, driver};
use super::telemetry::Telemetry;
use crate::backend::clocks::Clocks;
use crate::backend::{BackendError, Batch, LoadError, Timer};
use crate::units::{Bytes, Seconds};

/// An opened device.
pub(super) struct Gpu {
    pub id: String,
    pub stream: Arc<CudaStream>,
    context: Arc<CudaContext>,
    driver: &'static Driver,
    events: (CudaEvent, CudaEvent),
    pub telemetry: RefCell<Telemetry>,
    /// The error after which this process can use the device no more.
    lost: RefCell<Option<String>>,
}

impl Gpu {
    /// Opens the device of this place in the driver's order.
    ///
    /// Errors: the driver's words.
    #[expect(unsafe_code, reason = "calls the driver")]
    pub fn open(index: usize, id: &str, telemetry: Telemetry) -> Result<Self, String> {
        let said = |error: DriverError| format!("{error:?}");
        let driver = driver()?;
        let context = CudaContext::new(index).map_err(said)?;
        // SAFETY: one stream only is used, so that nothing needs the events that cudarc would record.
        unsafe { context.disable_event_tracking() };
        let stream = context.new_stream().map_err(said)?;
        let event = || context.new_event(Some(sys::CUevent_flags::CU_EVENT_DEFAULT)).map_err(said);
        let events = (event()?, event()?);
        let (telemetry, lost) = (RefCell::new(telemetry), RefCell::new(None));
        Ok(Self { id: id.to_owned(), stream, context, driver, events, telemetry, lost })
    }

    /// Why this process can use the device no more.
    pub fn lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }

    pub fn device(&self) -> sys::CUdevice {
        self.context.cu_device()
    }

    /// An error of the driver as one of the backend; those that stay with the context are remembered.
    pub fn error(&self, doing: &str, error: DriverError) -> BackendError {
        let message = format!("{doing}: {error:?}");
        let device = self.id.clone();
        if stays(error.0) {
            self.lost.replace(Some(message.clone()));
            return BackendError::Lost { device, message };
        }
        BackendError::Device { device, message }
    }

    /// An error while a case is made ready.
    pub fn load_error(&self, doing: &str, needed: u64, error: DriverError) -> LoadError {
        if error.0 == CUresult::CUDA_ERROR_OUT_OF_MEMORY {
            let free = self.context.mem_get_info().ok().and_then(|(free, _)| u64::try_from(free).ok());
            let available =
                free.map_or_else(|| "an unknown amount".to_owned(), |free| Bytes::new(free).to_string());
            return LoadError::Memory { needed: Bytes::new(needed).to_string(), available };
        }
        LoadError::Backend(self.error(doing, error))
    }

    /// The error of a device that was lost before.
    pub fn gone(&self, message: &str) -> BackendError {
        BackendError::Lost { device: self.id.clone(), message: message.to_owned() }
    }

    /// An image, loaded.
    pub fn module(&self, image: Ptx) -> Result<Arc<CudaModule>, DriverError> {
        self.context.load_module(image)
    }

    /// Whether the driver makes tensor maps.
    pub const fn makes_tensor_maps(&self) -> bool {
        self.driver.tensor_maps
    }

    /// Memory with every byte `value`.
    #[expect(unsafe_code, reason = "calls the driver")]
    pub fn filled(&self, bytes: u64, value: u8) -> Result<CudaSlice<u8>, LoadError> {
        let failed = |error| self.load_error("allocating memory", bytes, error);
        let count = usize::try_from(bytes).unwrap_or(usize::MAX);
        // SAFETY: every byte is set before anything reads it.
        let mut memory = unsafe { self.stream.alloc::<u8>(count) }.map_err(failed)?;
        self.refill(&mut memory, value)?;
        Ok(memory)
    }

    /// Every byte of memory becomes `value`.
    #[expect(unsafe_code, reason = "calls the driver")]
    pub fn refill(&self, memory: &mut CudaSlice<u8>, value: u8) -> Result<(), BackendError> {
        let count = memory.len();
        let (address, _guard) = memory.device_ptr_mut(&self.stream);
        // SAFETY: the allocation has `count` bytes and is borrowed for this call alone.
        unsafe { cudarc::driver::result::memset_d8_async(address, value, count, self.stream.cu_stream()) }
            .map_err(|error| self.error("filling memory", error))
    }

    /// Memory with these bytes.
    pub fn uploaded(&self, bytes: &[u8]) -> Result<CudaSlice<u8>, LoadError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.stream.clone_htod(bytes).map_err(|error| self.load_error("copying to the device", length, error))
    }

    /// Writes bytes over memory of the same length.
    pub fn write(&self, bytes: &[u8], memory: &mut CudaSlice<u8>) -> Result<(), BackendError> {
        let copied = self.stream.memcpy_htod(bytes, memory);
        copied.map_err(|error| self.error("copying to the device", error))
    }

    /// What memory holds once everything before is done.
    pub fn downloaded(&self, memory: &CudaSlice<u8>) -> Result<Vec<u8>, BackendError> {
        let copied =
            self.stream.clone_dtoh(memory).and_then(|bytes| self.stream.synchronize().map(|()| bytes));
        copied.map_err(|error| self.error("copying from the device", error))
    }

    /// Waits until the device is idle; errors of kernels come out here.
    pub fn wait(&self, doing: &str) -> Result<(), BackendError> {
        let idle = self.stream.synchronize().and_then(|()| self.context.check_err());
        idle.map_err(|error| self.error(doing, error))
    }

    /// Times what `launch` puts into the stream, by the device's events with the host's clock beside them; reads the
    /// sensors while it runs.
    pub fn timed(
        &self,
        clocks: &mut Clocks,
        iterations: u64,
        launch: impl FnOnce() -> Result<(), BackendError>,
    ) -> Result<Batch, BackendError> {
        let failed = |error| self.error("timing", error);
        let start = Instant::now();
        self.events.0.record(&self.stream).map_err(failed)?;
        launch()?;
        self.events.1.record(&self.stream).map_err(failed)?;
        let conditions = self.telemetry.borrow_mut().due();
        self.wait("running a kernel")?;
        let host = start.elapsed().as_secs_f64();
        let ms = self
            .driver
            .elapsed_ms(&self.events.0, &self.events.1)
            .map_err(|message| BackendError::Device { device: self.id.clone(), message })?;
        let elapsed = Seconds::new(f64::from(ms) * 1e-3).ok().filter(|elapsed| elapsed.get() > 0.0);
        let elapsed = elapsed.ok_or_else(|| BackendError::NoTime { device: self.id.clone(), iterations })?;
        self.telemetry.borrow_mut().after(elapsed);
        // Reading the sensors takes the host longer than some batches take the device. The clock of a stand-in says how
        // much work was done and nothing of time: comparing it with the host's would call every case of it wrong.
        if !self.driver.simulated && conditions.is_none() {
            clocks.add(elapsed.get(), host);
        }
        Ok(Batch { elapsed, timer: Timer::DeviceEvents, conditions, interference: None })
    }

    /// A graph of exactly `launches` launches, which replays with smaller gaps; `None` where the driver makes none.
    pub fn graph(
        &self,
        launches: u64,
        mut launch: impl FnMut() -> Result<(), BackendError>,
    ) -> Result<Option<CudaGraph>, BackendError> {
        let failed = |error| self.error("capturing a graph", error);
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        self.stream.begin_capture(mode).map_err(failed)?;
        let launched: Result<(), BackendError> = (0..launches).try_for_each(|_| launch());
        // Ended in any case: a stream that still captures can do nothing else.
        let graph = self.stream.end_capture(sys::CUgraphInstantiate_flags(0));
        launched?;
        let graph = graph.map_err(failed)?;
        if let Some(graph) = &graph {
            graph.upload().map_err(failed)?;
        }
        Ok(graph)
    }
}

/// Errors after which every call of this process on the device fails.
const fn stays(code: CUresult) -> bool {
    matches!(
        code,
        CUresult::CUDA_ERROR_ILLEGAL_ADDRESS
            | CUresult::CUDA_ERROR_LAUNCH_TIMEOUT
            | CUresult::CUDA_ERROR_LAUNCH_FAILED
            | CUresult::CUDA_ERROR_ASSERT
            | CUresult::CUDA_ERROR_HARDWARE_STACK_ERROR
            | CUresult::CUDA_ERROR_ILLEGAL_INSTRUCTION
            | CUresult::CUDA_ERROR_MISALIGNED_ADDRESS
            | CUresult::CUDA_ERROR_INVALID_ADDRESS_SPACE
            | CUresult::CUDA_ERROR_INVALID_PC
            | CUresult::CUDA_ERROR_ECC_UNCORRECTABLE
            | CUresult::CUDA_ERROR_DEVICE_UNAVAILABLE
            | CUresult::CUDA_ERROR_CONTEXT_IS_DESTROYED
            | CUresult::CUDA_ERROR_UNKNOWN
    )
}

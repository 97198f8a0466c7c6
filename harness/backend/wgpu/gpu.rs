//! One opened device: buffers, pipelines and waits, each in error scopes, so that nothing that a driver says is lost
//! and nothing panics.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferDescriptor, BufferUsages, CommandBuffer,
    CommandEncoderDescriptor, ComputePipeline, ComputePipelineDescriptor, Device, DeviceDescriptor,
    DeviceType, ErrorFilter, ExperimentalFeatures, Features, Limits, MapMode, MemoryHints,
    PipelineCompilationOptions, PollError, PollType, Queue, ShaderModuleDescriptor, ShaderRuntimeChecks,
    ShaderSource, SubmissionIndex, Trace,
};

use super::faults::Fault;
use crate::backend::{BackendError, LoadError};
use crate::units::Bytes;

/// Features that are used where the adapter has them.
const USED: Features = Features::TIMESTAMP_QUERY
    .union(Features::SHADER_F16)
    .union(Features::SHADER_F64)
    .union(Features::SUBGROUP)
    .union(Features::EXPERIMENTAL_COOPERATIVE_MATRIX);

/// Longest wait for one submission, which is sized to a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(40);
/// The same on a software driver, which compiles in the first submission and shares the cores: on two of them with a
/// load of 14, forty seconds were not enough.
const PATIENCE_SOFTWARE: Duration = Duration::from_secs(240);

/// An opened device.
pub(super) struct Gpu {
    /// Its id, for messages.
    pub id: String,
    pub device: Device,
    pub queue: Queue,
    pub features: Features,
    pub limits: Limits,
    pub fault: Option<Fault>,
    patience: Duration,
    lost: Arc<AtomicBool>,
    why_lost: Arc<Mutex<String>>,
    /// What the library said outside every error scope.
    stray: Arc<Mutex<Option<String>>>,
}

impl Gpu {
    /// Opens the adapter with every feature that is used here and all of its limits.
    pub fn open(adapter: &wgpu::Adapter, id: &str, fault: Option<Fault>) -> Result<Self, String> {
        let mut features = adapter.features() & USED;
        if fault == Some(Fault::NoTimestamps) {
            features.remove(Features::TIMESTAMP_QUERY);
        }
        let limits = adapter.limits();
        #[expect(unsafe_code, reason = "cooperative matrices are an experimental feature of wgpu")]
        // SAFETY: the token says that the caller accepts undefined behaviour of experimental features; each result
        // of them is checked on the host, in a process of its own.
        let experimental_features = unsafe { ExperimentalFeatures::enabled() };
        let descriptor = DeviceDescriptor {
            label: None,
            required_features: features,
            required_limits: limits.clone(),
            experimental_features,
            memory_hints: MemoryHints::Performance,
            trace: Trace::Off,
        };
        let opened = pollster::block_on(adapter.request_device(&descriptor));
        let (device, queue) = opened.map_err(|error| one_line(&error.to_string()))?;
        let lost = Arc::new(AtomicBool::new(false));
        let why_lost = Arc::new(Mutex::new(String::new()));
        let (flag, why) = (Arc::clone(&lost), Arc::clone(&why_lost));
        device.set_device_lost_callback(move |reason, message| {
            let text = format!("{reason:?}: {}", one_line(&message));
            *why.lock().unwrap_or_else(PoisonError::into_inner) = text;
            flag.store(true, Ordering::SeqCst);
        });
        // Without a handler of our own, an error outside every scope ends the process.
        let stray = Arc::new(Mutex::new(None));
        let heard = Arc::clone(&stray);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.get_or_insert(one_line(&error.to_string()));
        }));
        let software = adapter.get_info().device_type == DeviceType::Cpu;
        let patience = if software { PATIENCE_SOFTWARE } else { PATIENCE };
        let id = id.to_owned();
        Ok(Self { id, device, queue, features, limits, fault, patience, lost, why_lost, stray })
    }

    /// Bytes that one binding may have.
    pub fn binding(&self) -> u64 {
        let most = if self.fault == Some(Fault::Small) { 64 << 10 } else { u64::MAX };
        most.min(self.limits.max_storage_buffer_binding_size).min(self.limits.max_buffer_size)
    }

    /// Runs `work` in error scopes.
    pub fn scoped<T>(&self, work: impl FnOnce() -> T) -> Result<T, LoadError> {
        let validation = self.device.push_error_scope(ErrorFilter::Validation);
        let memory = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let internal = self.device.push_error_scope(ErrorFilter::Internal);
        let done = work();
        let internal = pollster::block_on(internal.pop());
        let memory = pollster::block_on(memory.pop());
        let validation = pollster::block_on(validation.pop());
        if memory.is_some() {
            return Err(LoadError::Memory {
                needed: "the case".to_owned(),
                available: "less of the device's memory".to_owned(),
            });
        }
        match internal.or(validation) {
            Some(error) => Err(self.failed(one_line(&error.to_string())).into()),
            None => Ok(done),
        }
    }

    /// An error of this device.
    pub fn failed(&self, message: String) -> BackendError {
        BackendError::Device { device: self.id.clone(), message }
    }

    /// The error of a lost device, where it is lost: a wait on one returns as if all were well. Also what was said
    /// outside every error scope, once.
    pub fn alive(&self) -> Result<(), BackendError> {
        if !self.lost.load(Ordering::SeqCst) {
            let stray = self.stray.lock().unwrap_or_else(PoisonError::into_inner).take();
            return stray.map_or(Ok(()), |message| Err(self.failed(message)));
        }
        let message = self.why_lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Err(BackendError::Lost { device: self.id.clone(), message })
    }

    /// Submits and waits until the device is idle.
    pub fn finish(&self, commands: CommandBuffer) -> Result<(), BackendError> {
        let index = self.scoped(|| self.queue.submit([commands])).map_err(|error| match error {
            LoadError::Backend(error) => error,
            other => self.failed(other.to_string()),
        })?;
        self.wait(Some(index))
    }

    /// Waits for a submission, or for all of them.
    fn wait(&self, submission_index: Option<SubmissionIndex>) -> Result<(), BackendError> {
        match self.device.poll(PollType::Wait { submission_index, timeout: Some(self.patience) }) {
            Ok(_) => self.alive(),
            Err(PollError::Timeout) => {
                let limit = self.patience.as_secs();
                Err(self.failed(format!("no answer within {limit} s; the work was given up")))
            }
            Err(error) => {
                // A submission to a lost device is silently dropped; the callback comes with the next poll.
                let _ = self.device.poll(PollType::Poll);
                self.alive()?;
                Err(self.failed(one_line(&error.to_string())))
            }
        }
    }

    /// A buffer for kernels.
    pub fn storage(&self, bytes: u64) -> Result<Buffer, LoadError> {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC;
        self.buffer(bytes, usage)
    }

    /// A buffer with contents, padded to whole words.
    pub fn upload(&self, contents: &[u8], usage: BufferUsages) -> Result<Buffer, LoadError> {
        let bytes = u64::try_from(contents.len()).unwrap_or(u64::MAX).next_multiple_of(4);
        let buffer = self.buffer(bytes, usage | BufferUsages::COPY_DST | BufferUsages::COPY_SRC)?;
        let whole = contents.len() / 4 * 4;
        self.scoped(|| {
            let (words, rest) = contents.split_at(whole);
            self.queue.write_buffer(&buffer, 0, words);
            if !rest.is_empty() {
                let mut last = [0; 4];
                last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                self.queue.write_buffer(&buffer, u64::try_from(whole).unwrap_or(0), &last);
            }
        })?;
        Ok(buffer)
    }

    fn buffer(&self, bytes: u64, usage: BufferUsages) -> Result<Buffer, LoadError> {
        if bytes > self.limits.max_buffer_size {
            return Err(LoadError::Memory {
                needed: Bytes::new(bytes).to_string(),
                available: format!("{} a buffer", Bytes::new(self.limits.max_buffer_size)),
            });
        }
        let descriptor = BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: false };
        self.scoped(|| self.device.create_buffer(&descriptor)).map_err(|error| match error {
            LoadError::Memory { .. } => LoadError::Memory {
                needed: Bytes::new(bytes).to_string(),
                available: "less in one buffer".to_owned(),
            },
            other => other,
        })
    }

    /// The contents of a buffer.
    pub fn download(&self, buffer: &Buffer) -> Result<Vec<u8>, BackendError> {
        let failed = |error: LoadError| self.failed(error.to_string());
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let staging = self.buffer(buffer.size(), usage).map_err(failed)?;
        let commands = self.scoped(|| {
            let mut encoder = self.device.create_command_encoder(&CommandEncoderDescriptor::default());
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
            encoder.finish()
        });
        self.finish(commands.map_err(failed)?)?;
        let (sender, receiver) = std::sync::mpsc::channel();
        staging.slice(..).map_async(MapMode::Read, move |result| {
            // A receiver that is gone asked for nothing any more.
            let _ = sender.send(result);
        });
        self.wait(None)?;
        let mapped = receiver.try_recv().map_err(|_| self.failed("a buffer was not mapped".to_owned()))?;
        mapped.map_err(|error| self.failed(one_line(&error.to_string())))?;
        let view = staging.slice(..).get_mapped_range();
        let bytes = view.map_err(|error| self.failed(one_line(&error.to_string())))?.to_vec();
        staging.unmap();
        Ok(bytes)
    }

    /// Compiles a kernel; `checked` keeps the compiler's own bounds and loop checks.
    pub fn compile(&self, source: &str, checked: bool) -> Result<ComputePipeline, LoadError> {
        let descriptor = ShaderModuleDescriptor { label: None, source: ShaderSource::Wgsl(source.into()) };
        let checks = if checked { ShaderRuntimeChecks::checked() } else { ShaderRuntimeChecks::unchecked() };
        self.scoped(|| {
            #[expect(unsafe_code, reason = "checks in a hot loop cost up to half of the rate")]
            // SAFETY: the shaders are our own; buffers are padded to whole tiles, so that every index lies inside,
            // every loop has a bound, and a twin with checks on must give the same bits.
            let module = unsafe { self.device.create_shader_module_trusted(descriptor, checks) };
            self.device.create_compute_pipeline(&ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: PipelineCompilationOptions {
                    constants: &[],
                    // Every tile is filled before it is read.
                    zero_initialize_workgroup_memory: checked,
                },
                cache: None,
            })
        })
    }

    /// Binds whole buffers in the order of their numbers.
    pub fn bind(&self, pipeline: &ComputePipeline, buffers: &[&Buffer]) -> Result<BindGroup, LoadError> {
        self.scoped(|| {
            let entries: Vec<_> = (0_u32..)
                .zip(buffers)
                .map(|(binding, buffer)| BindGroupEntry { binding, resource: buffer.as_entire_binding() })
                .collect();
            self.device.create_bind_group(&BindGroupDescriptor {
                label: None,
                layout: &pipeline.get_bind_group_layout(0),
                entries: &entries,
            })
        })
    }
}

/// What a library said, without its line breaks.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

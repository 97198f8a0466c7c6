//! One NVIDIA device as a backend.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cudarc::driver::sys::CUdevice_attribute;

use super::copy_case::CopyCase;
use super::cublaslt::{self, CublasLt, Format};
use super::device::{architecture, attribute, devices};
use super::driver::driver;
use super::gpu::Gpu;
use super::issue_case::IssueCase;
use super::kernel::Kernel;
use super::libraries;
use super::nvrtc::Nvrtc;
use super::own_product;
use super::product_case::default_shape;
use super::rows::{self, COPY, Parameters, Row, Target};
use super::telemetry::Telemetry;
use crate::backend::{Backend, Implementation, LoadError, Loaded};
use crate::device::{Device, Finding, Unit};
use crate::precision::Precision;
use crate::units::{Bytes, Seconds};
use crate::workload::{BufferSize, COPY_FORMAT, Case, Layout, Method, Work};

/// Least sample: event clocks tick every half microsecond, so that 20 ms are read to 0.003 %.
const SAMPLE: f64 = 20e-3;

/// One device.
pub struct CudaBackend {
    device: Device,
    /// Before the device, whose context its handle is of.
    library: Result<CublasLt, String>,
    gpu: Gpu,
    target: Option<&'static Target>,
    compiler: Result<Nvrtc, String>,
    implementations: Vec<Implementation>,
    multiprocessors: u32,
    cache: u64,
}

impl CudaBackend {
    /// The devices that the driver shows.
    ///
    /// Errors: why there is none. A panic of a library's binding is one of these too.
    pub fn probe() -> Result<Vec<Device>, String> {
        let seen = catch_unwind(devices);
        seen.unwrap_or_else(|_| Err("the driver's library cannot be used by this program".to_owned()))
    }

    /// Opens a device by its id.
    ///
    /// Errors: why it cannot be opened.
    pub fn open(id: &str) -> Result<Self, String> {
        let opened = catch_unwind(AssertUnwindSafe(|| Self::begin(id)));
        opened.unwrap_or_else(|_| Err("the driver's library cannot be used by this program".to_owned()))
    }

    fn begin(id: &str) -> Result<Self, String> {
        let all = devices()?;
        let place = all.iter().position(|device| device.id == id);
        let (index, mut device) = place
            .and_then(|index| Some((index, all.into_iter().nth(index)?)))
            .ok_or_else(|| format!("the driver shows no device {id}"))?;
        let gpu = Gpu::open(index, id, Telemetry::of(device.uuid))?;
        let told = |error| format!("{error:?}");
        let (_, _, target) = architecture(gpu.device()).map_err(told)?;
        let ask = |which| attribute(gpu.device(), which).map_err(told);
        let multiprocessors = ask(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
        let cache = u64::from(ask(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE)?);
        let major = driver()?.major();
        let compiler = libraries::nvrtc(major);
        device.notes.push(match &compiler {
            Ok(nvrtc) => format!("NVRTC {} ({})", nvrtc.version(), nvrtc.path().display()),
            Err(why) => format!("kernels cannot be compiled: {why}"),
        });
        let library = CublasLt::open(major);
        device.notes.push(match &library {
            Ok(library) => format!("cuBLASLt {}", library.version()),
            Err(why) => why.clone(),
        });
        device.notes.extend(CublasLt::overrides().into_iter().map(|set| format!("cuBLASLt: {set} is set")));
        if !gpu.makes_tensor_maps() {
            device
                .notes
                .push("the driver makes no tensor maps; products that they feed are left out".to_owned());
        }
        let memory = device.memory_bytes.unwrap_or(Bytes::new(0));
        let made = |target| table(target, (&compiler, &library), (memory, cache), gpu.makes_tensor_maps());
        let implementations = target.map(made).unwrap_or_default();
        Ok(Self { device, library, gpu, target, compiler, implementations, multiprocessors, cache })
    }
}

/// Rows that this machine can compile for the device, and the library's.
fn table(
    target: &'static Target,
    (compiler, library): (&Result<Nvrtc, String>, &Result<CublasLt, String>),
    (memory, cache): (Bytes, u64),
    tensor_maps: bool,
) -> Vec<Implementation> {
    let mut all = Vec::new();
    if let Ok(nvrtc) = compiler
        && nvrtc.architectures().contains(&target.capability)
    {
        let callable = |row: &&'static Row| tensor_maps || row.parameters() != Parameters::TensorMaps;
        all.extend(rows::rows(target).filter(callable).map(|row| implementation(row, target, nvrtc)));
        all.push(copy(target, nvrtc, copied(memory, Bytes::new(cache))));
    }
    if let Ok(library) = library {
        all.extend(cublaslt::formats(target).map(|format| of_the_library(format, library)));
    }
    all
}

fn of_the_library(format: &Format, library: &CublasLt) -> Implementation {
    Implementation {
        name: format.name.to_owned(),
        method: Method::Gemm,
        precision: format.precision,
        accumulate: format.accumulate,
        unit: format.unit,
        native: true,
        detail: format!("cuBLASLt {}; {}", library.version(), format.detail()),
        shape: default_shape(format.precision),
        buffer_bytes: None,
        sample_s: Seconds::new(SAMPLE).unwrap_or_default(),
    }
}

/// Whether a row is what a case names, with its formats.
fn answers(row: &Row, case: &Case) -> bool {
    row.method == case.work.method() && row.precision == case.precision && row.accumulate == case.accumulate
}

/// Size of each of the two buffers of a copy: beyond the cache, and no more than an eighth of the memory.
fn copied(memory: Bytes, cache: Bytes) -> Option<BufferSize> {
    /// Large enough for a steady rate of the fastest memory.
    const LEAST: Bytes = Bytes::new(256 << 20);
    let most = memory.get() / 8 / BufferSize::STEP * BufferSize::STEP;
    let wanted = BufferSize::beyond(cache, LEAST)?;
    if most == 0 || wanted.get() <= most { Some(wanted) } else { BufferSize::new(most).ok() }
}

fn copy(target: &Target, nvrtc: &Nvrtc, buffer_bytes: Option<BufferSize>) -> Implementation {
    let detail = format!(
        "16 bytes an access for {}, {} threads a block, {} loads of each under way, NVRTC {}",
        target.name,
        COPY.threads,
        COPY.unroll,
        nvrtc.version()
    );
    Implementation {
        name: "copy".to_owned(),
        method: Method::Copy,
        precision: COPY_FORMAT.0,
        accumulate: COPY_FORMAT.1,
        unit: Unit::Vector,
        native: true,
        detail,
        shape: None,
        buffer_bytes,
        sample_s: Seconds::new(SAMPLE).unwrap_or_default(),
    }
}

fn implementation(row: &Row, target: &Target, nvrtc: &Nvrtc) -> Implementation {
    Implementation {
        name: row.name.to_owned(),
        method: row.method,
        precision: row.precision,
        accumulate: row.accumulate,
        unit: row.unit,
        native: true,
        detail: format!(
            "{} for {}, {} threads a block, NVRTC {}",
            row.hot_loop(target).instruction,
            target.name,
            row.threads(),
            nvrtc.version()
        ),
        shape: (row.method == Method::Gemm).then(|| default_shape(row.precision)).flatten(),
        buffer_bytes: None,
        sample_s: Seconds::new(SAMPLE).unwrap_or_default(),
    }
}

impl Backend for CudaBackend {
    fn device(&self) -> &Device {
        &self.device
    }

    fn implementations(&self) -> &[Implementation] {
        &self.implementations
    }

    fn load(&mut self, case: &Case) -> Result<Box<dyn Loaded + '_>, LoadError> {
        let unsupported = |reason: String| LoadError::Unsupported { reason };
        let absent = || unsupported(format!("{} has no {}", self.device.id, case.implementation));
        let target = self.target.ok_or_else(absent)?;
        if let Some(lost) = self.gpu.lost() {
            return Err(LoadError::Backend(self.gpu.gone(&lost)));
        }
        if let Some(format) = cublaslt::format(&case.implementation) {
            let library = self.library.as_ref().map_err(|why| unsupported(why.clone()))?;
            let place = (target.capability, self.cache);
            return Ok(Box::new(cublaslt::load(&self.gpu, library, format, case, place)?));
        }
        let nvrtc = self.compiler.as_ref().map_err(|why| unsupported(why.clone()))?;
        let gpu = &self.gpu;
        let kernel = |source, options: &[String]| Kernel::load(gpu, nvrtc, (source, target), options);
        let place = (self.multiprocessors, self.cache);
        if let Work::Copy { buffer_bytes } = case.work {
            let kernel = kernel(COPY.source, &COPY.options(target))?;
            return Ok(Box::new(CopyCase::load(gpu, kernel, buffer_bytes, place)?));
        }
        let row = rows::row(&case.implementation).filter(|row| row.runs_on(target) && answers(row, case));
        let row = row.ok_or_else(absent)?;
        let layout = match case.work {
            Work::Gemm { layout, .. } => layout,
            _ => Layout::Nn,
        };
        let kernel = kernel(row.source, &row.options(target, layout))?;
        match case.work {
            Work::Issue => Ok(Box::new(IssueCase::load(gpu, row, kernel, self.multiprocessors)?)),
            _ => Ok(Box::new(own_product::load(gpu, (row, kernel), case, self.cache)?)),
        }
    }

    fn absence(&self, precision: Precision, method: Method) -> Option<String> {
        let Some(target) = self.target else {
            return Some("no kernel was compiled for this compute capability".to_owned());
        };
        let built_in = match (rows::unsupported(target, precision, method), &self.compiler) {
            (Some(lacking), _) => lacking.reason.to_owned(),
            (None, Err(why)) => why.clone(),
            (None, Ok(nvrtc)) if !nvrtc.architectures().contains(&target.capability) => {
                format!("NVRTC {} does not compile for {}", nvrtc.version(), target.name)
            }
            (None, Ok(_)) => return None,
        };
        if method != Method::Gemm {
            return Some(format!("{}: {built_in}", target.name));
        }
        let library = match (cublaslt::absence(target, precision), &self.library) {
            (Some(lacking), _) => lacking.to_owned(),
            (None, Err(why)) => why.clone(),
            (None, Ok(_)) => return None,
        };
        Some(format!("{}: {built_in}; {library}", target.name))
    }

    fn lost(&self) -> Option<String> {
        self.gpu.lost()
    }

    fn findings(&mut self) -> Vec<Finding> {
        self.gpu.telemetry.borrow_mut().findings()
    }
}

//! One NVIDIA device as a backend.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cudarc::driver::sys::CUdevice_attribute;

use super::compile::compile;
use super::device::{architecture, attribute, devices};
use super::driver::driver;
use super::gpu::Gpu;
use super::issue_case::IssueCase;
use super::libraries;
use super::nvrtc::Nvrtc;
use super::product_case::{ProductCase, default_shape};
use super::rows::{self, Parameters, Row, Target};
use super::telemetry::Telemetry;
use crate::backend::{Backend, Implementation, LoadError, Loaded};
use crate::device::{Device, Finding};
use crate::precision::Precision;
use crate::units::Seconds;
use crate::workload::{Case, Layout, Method, Work};

/// Least sample: event clocks tick every half microsecond, so that 20 ms are read to 0.003 %.
const SAMPLE: f64 = 20e-3;

/// One device.
pub struct CudaBackend {
    device: Device,
    gpu: Gpu,
    target: Option<&'static Target>,
    compiler: Result<Nvrtc, String>,
    library: String,
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
        let library = match libraries::cublaslt(major) {
            Ok(path) => format!("{} is there and is not measured by this version", path.display()),
            Err(why) => why,
        };
        device.notes.push(format!("cuBLASLt: {library}"));
        let implementations = target.map(|target| table(target, &compiler)).unwrap_or_default();
        Ok(Self { device, gpu, target, compiler, library, implementations, multiprocessors, cache })
    }
}

/// Rows that this machine can compile for the device.
fn table(target: &'static Target, compiler: &Result<Nvrtc, String>) -> Vec<Implementation> {
    let Ok(nvrtc) = compiler else { return Vec::new() };
    if !nvrtc.architectures().contains(&target.capability) {
        return Vec::new();
    }
    let callable = |row: &&'static Row| row.parameters() != Parameters::TensorMaps;
    rows::rows(target).filter(callable).map(|row| implementation(row, target, nvrtc)).collect()
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
        let row =
            rows::row(&case.implementation).zip(self.target).filter(|(row, target)| row.runs_on(target));
        let (row, target) =
            row.ok_or_else(|| unsupported(format!("{} has no {}", self.device.id, case.implementation)))?;
        let nvrtc = self.compiler.as_ref().map_err(|why| unsupported(why.clone()))?;
        let layout = match case.work {
            Work::Gemm { layout, .. } => layout,
            _ => Layout::Nn,
        };
        let image = compile(nvrtc, row.source, &row.options(target, layout)).map_err(unsupported)?;
        let (function, how) = self.gpu.function(&image, row.source.entry)?;
        let note = format!("kernels: {how}");
        if !self.device.notes.contains(&note) {
            self.device.notes.push(note);
        }
        match case.work {
            Work::Issue => Ok(Box::new(IssueCase::load(&self.gpu, row, function, self.multiprocessors)?)),
            _ => Ok(Box::new(ProductCase::load(&self.gpu, (row, function), case, self.cache)?)),
        }
    }

    fn absence(&self, precision: Precision, method: Method) -> Option<String> {
        let Some(target) = self.target else {
            return Some("no kernel was compiled for this compute capability".to_owned());
        };
        if let Some(lacking) = rows::unsupported(target, precision, method) {
            let library =
                if method == Method::Gemm { format!("; cuBLASLt: {}", self.library) } else { String::new() };
            return Some(format!("{}: {}{library}", target.name, lacking.reason));
        }
        match &self.compiler {
            Err(why) => Some(why.clone()),
            Ok(nvrtc) if !nvrtc.architectures().contains(&target.capability) => {
                Some(format!("NVRTC {} does not compile for {}", nvrtc.version(), target.name))
            }
            Ok(_) => None,
        }
    }

    fn lost(&self) -> Option<String> {
        self.gpu.lost()
    }

    fn findings(&mut self) -> Vec<Finding> {
        self.gpu.telemetry.borrow_mut().findings()
    }
}

//! Which backends there are, and the one way to a device.

use std::path::PathBuf;

use super::cpu::CpuBackend;
use super::scripted::{self, ScriptedBackend};
use super::{Backend, OpenOptions};
use crate::device::Device;
use crate::files::FileError;

/// Where devices are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Backends to ask, by name; all where empty.
    pub backends: Vec<String>,
    /// Scripts of simulated devices, each one device; for tests.
    pub scripts: Vec<PathBuf>,
    /// What is fixed before a device is opened.
    pub options: OpenOptions,
}

/// What one backend sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Name of the backend.
    pub backend: &'static str,
    /// Its devices, or why it has none.
    pub devices: Result<Vec<Device>, String>,
}

/// Why a device cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No backend sees it.
    #[error("there is no device '{id}'; `flopgauge devices` lists those there are")]
    Absent {
        /// The id as given.
        id: String,
    },
    /// Its backend cannot be used.
    #[error("{id}: {reason}")]
    Unusable {
        /// The id as given.
        id: String,
        /// Why.
        reason: String,
    },
    /// An option that the backend cannot follow.
    #[error("{0}")]
    Option(String),
    /// A script that cannot be read.
    #[error(transparent)]
    Script(#[from] FileError),
}

/// Names of all backends, built in or not.
pub const BACKENDS: [&str; 3] = ["cpu", "cuda", "wgpu"];

/// Backends that this version does not have; each is listed with the reason rather than left out.
const NOT_BUILT: [&str; 1] = ["wgpu"];

/// Asks every wanted backend for its devices.
///
/// Errors: [`OpenError`] for a script that cannot be read or an option that cannot be followed.
pub fn probe(search: &Search) -> Result<Vec<Probe>, OpenError> {
    let mut found = Vec::new();
    if !search.scripts.is_empty() && wanted(search, "scripted") {
        let devices = scripts(search)?.into_iter().map(|backend| backend.device().clone()).collect();
        found.push(Probe { backend: "scripted", devices: Ok(devices) });
    }
    if wanted(search, "cpu") {
        let device =
            CpuBackend::probe(search.options).map_err(|error| OpenError::Option(error.to_string()))?;
        found.push(Probe { backend: "cpu", devices: Ok(vec![device]) });
    }
    if wanted(search, "cuda") {
        found.push(Probe { backend: "cuda", devices: super::cuda_devices() });
    }
    for backend in NOT_BUILT.into_iter().filter(|backend| wanted(search, backend)) {
        let reason =
            format!("this version of flopgauge has no {backend} backend; its devices were not looked for");
        found.push(Probe { backend, devices: Err(reason) });
    }
    Ok(found)
}

/// Opens a device by its id.
///
/// Errors: [`OpenError`].
pub fn open(search: &Search, id: &str) -> Result<Box<dyn Backend>, OpenError> {
    if id == "cpu:0" {
        let opened = CpuBackend::open(search.options);
        return Ok(Box::new(opened.map_err(|error| OpenError::Option(error.to_string()))?));
    }
    if id.starts_with("cuda:") {
        return super::cuda_open(id).map_err(|reason| OpenError::Unusable { id: id.to_owned(), reason });
    }
    for backend in scripts(search)? {
        if backend.device().id == id {
            return Ok(Box::new(backend));
        }
    }
    Err(OpenError::Absent { id: id.to_owned() })
}

fn wanted(search: &Search, backend: &str) -> bool {
    search.backends.is_empty() || search.backends.iter().any(|name| name == backend)
}

fn scripts(search: &Search) -> Result<Vec<ScriptedBackend>, OpenError> {
    let devices = search.scripts.iter().enumerate();
    devices.map(|(index, path)| Ok(ScriptedBackend::new(scripted::Script::read(path)?, index))).collect()
}

//! Where NVIDIA's run-time compiler is looked for, and which of several is taken.

use std::path::{Path, PathBuf};

use super::nvrtc::Nvrtc;

/// Major versions of CUDA, newest first, whose libraries have names that are known.
const MAJORS: [u32; 2] = [13, 12];

/// The newest NVRTC that is not of a newer CUDA than the driver, by place: `FLOPGAUGE_CUDA_PATH`, `CUDA_HOME`, the
/// system, Python environments.
///
/// Errors: what was found and why it cannot be used, or that there is none.
pub(super) fn nvrtc(driver_major: u32) -> Result<Nvrtc, String> {
    let mut reasons = Vec::new();
    for major in MAJORS {
        for path in places(&format!("libnvrtc.so.{major}")) {
            if path.is_absolute() && !path.exists() {
                continue;
            }
            match Nvrtc::open(&path) {
                Ok(found) if found.version().major <= driver_major => return Ok(found),
                Ok(found) => reasons.push(format!(
                    "{}: NVRTC {} is newer than the driver's CUDA {driver_major}; install NVRTC {driver_major}",
                    path.display(),
                    found.version()
                )),
                // A name that the system does not have says nothing; a file that is there and fails does.
                Err(error) if path.is_absolute() => reasons.push(error.to_string()),
                Err(_) => {}
            }
        }
    }
    if reasons.is_empty() {
        reasons.push(format!(
            "no NVRTC (libnvrtc.so.{driver_major}) was found; install it, as with `pip install nvidia-cuda-nvrtc`, \
             or name its folder in FLOPGAUGE_CUDA_PATH"
        ));
    }
    Err(reasons.join("; "))
}

/// Opens cuBLASLt of no newer CUDA than the driver, for the life of the process; it is then found by its name.
///
/// Errors: what was found and why it cannot be used, or that there is none.
pub(super) fn cublaslt(driver_major: u32) -> Result<PathBuf, String> {
    let mut reasons = Vec::new();
    for major in MAJORS.into_iter().filter(|major| *major <= driver_major) {
        for path in places(&format!("libcublasLt.so.{major}")) {
            if path.is_absolute() && !path.exists() {
                continue;
            }
            match keep(&path) {
                Ok(()) => return Ok(path),
                Err(error) if path.is_absolute() => reasons.push(format!("{}: {error}", path.display())),
                Err(_) => {}
            }
        }
    }
    if reasons.is_empty() {
        reasons.push(format!("no cuBLASLt (libcublasLt.so.{driver_major}) was found"));
    }
    Err(reasons.join("; "))
}

/// Opens a library so that what is opened later finds it, and never closes it.
#[expect(unsafe_code, reason = "loading a library runs its initialisers")]
fn keep(path: &Path) -> Result<(), libloading::Error> {
    #[cfg(unix)]
    let library = {
        use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
        // SAFETY: the name is cuBLASLt's; its initialisers have no preconditions.
        unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) }?
    };
    #[cfg(not(unix))]
    // SAFETY: the same.
    let library = unsafe { libloading::Library::new(path) }?;
    std::mem::forget(library);
    Ok(())
}

/// Paths at which a library may be, in order; a bare name asks the system's loader.
fn places(name: &str) -> Vec<PathBuf> {
    let set =
        |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let under = |root: PathBuf| ["", "lib64", "lib"].map(|folder| root.join(folder).join(name));
    if let Some(chosen) = set("FLOPGAUGE_CUDA_PATH") {
        let file = chosen.file_name().is_some_and(|file| file == name).then(|| chosen.clone());
        return file.into_iter().chain(under(chosen)).collect();
    }
    let mut found: Vec<PathBuf> =
        ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(set).flat_map(under).collect();
    found.push(PathBuf::from(name));
    found.extend(under(PathBuf::from("/usr/local/cuda")));
    let homes = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(set);
    let homes = homes.chain(set("HOME").map(|home| home.join(".local")));
    let homes = homes.chain([PathBuf::from("/usr/local"), PathBuf::from("/usr")]);
    for packages in homes.flat_map(|home| python_folders(&home)) {
        found.extend(sorted(&packages.join("nvidia")).into_iter().map(|part| part.join("lib").join(name)));
    }
    found
}

/// Folders of installed Python packages of an environment.
fn python_folders(home: &Path) -> Vec<PathBuf> {
    let versions = sorted(&home.join("lib"));
    let python = versions
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3")));
    python.flat_map(|path| ["site-packages", "dist-packages"].map(|part| path.join(part))).collect()
}

/// What a folder holds, in a fixed order; nothing where it is not there.
fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    found.sort();
    found
}

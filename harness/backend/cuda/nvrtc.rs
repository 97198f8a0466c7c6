//! The run-time compiler of CUDA C++, loaded from a file; needs no driver and no toolkit.
//!
//! Every symbol is looked up when the library is opened, so that a missing one is an error there and not later.

use std::ffi::{CStr, CString, c_char, c_int};
use std::fmt;
use std::path::{Path, PathBuf};

use libloading::Library;
use sha2::{Digest, Sha256};

/// Why there is no compiler or no machine code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NvrtcError {
    /// The file cannot be loaded.
    #[error("{path}: cannot be loaded as NVRTC: {reason}")]
    Absent {
        /// The file.
        path: PathBuf,
        /// The loader's words.
        reason: String,
    },
    /// The file is a library, but not this one, or one too old.
    #[error("{path}: the function {symbol} is missing, so this is no usable NVRTC")]
    Symbol {
        /// The file.
        path: PathBuf,
        /// The function.
        symbol: &'static str,
    },
    /// A call that failed without a log.
    #[error("NVRTC {version}: {call} failed with code {code}")]
    Call {
        /// Version of the compiler.
        version: Version,
        /// The function.
        call: &'static str,
        /// What it returned.
        code: i32,
    },
    /// The source did not compile.
    #[error("NVRTC {version} refuses {name}: {log}")]
    Source {
        /// Version of the compiler.
        version: Version,
        /// Name of the source.
        name: String,
        /// The compiler's words.
        log: String,
    },
}

/// Version of NVRTC: that of its CUDA release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// CUDA major version; a driver must not be of an older one.
    pub major: u32,
    /// CUDA minor version.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What one source became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Machine code, an ELF file; empty for a virtual architecture (`compute_XY`).
    pub cubin: Vec<u8>,
    /// PTX text.
    pub ptx: String,
    /// What the compiler and its assembler said.
    pub log: String,
}

impl Compiled {
    /// SHA-256 of the machine code, in hexadecimal digits: equal code has equal speed.
    pub fn cubin_hash(&self) -> String {
        hex(&Sha256::digest(&self.cubin))
    }

    /// Registers of a thread, where the log tells (`--ptxas-options=-v`).
    pub fn registers(&self) -> Option<u32> {
        // Warnings may speak of registers before.
        let used = self.log.get(self.log.find("Used ")?..)?;
        number_before(used, " registers")
    }

    /// Bytes of spill stores and loads together, where the log tells.
    pub fn spill_bytes(&self) -> Option<u32> {
        let stores = number_before(&self.log, " bytes spill stores")?;
        Some(stores + number_before(&self.log, " bytes spill loads")?)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number_before(text: &str, words: &str) -> Option<u32> {
    let before = text.get(..text.find(words)?)?;
    let start = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    before.get(start..)?.parse().ok()
}

/// A program of the library.
type Program = *mut std::ffi::c_void;

#[derive(Clone, Copy)]
struct Calls {
    version: unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int,
    arch_count: unsafe extern "C" fn(*mut c_int) -> c_int,
    archs: unsafe extern "C" fn(*mut c_int) -> c_int,
    create: unsafe extern "C" fn(
        *mut Program,
        *const c_char,
        *const c_char,
        c_int,
        *const *const c_char,
        *const *const c_char,
    ) -> c_int,
    compile: unsafe extern "C" fn(Program, c_int, *const *const c_char) -> c_int,
    destroy: unsafe extern "C" fn(*mut Program) -> c_int,
    log_size: Size,
    log: Text,
    ptx_size: Size,
    ptx: Text,
    cubin_size: Size,
    cubin: Text,
}

type Size = unsafe extern "C" fn(Program, *mut usize) -> c_int;
type Text = unsafe extern "C" fn(Program, *mut c_char) -> c_int;

/// One loaded compiler.
pub struct Nvrtc {
    path: PathBuf,
    version: Version,
    architectures: Vec<u32>,
    calls: Calls,
    /// Keeps the functions of `calls` in memory; last, so that it is dropped last.
    _library: Library,
}

impl fmt::Debug for Nvrtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NVRTC {} at {}", self.version, self.path.display())
    }
}

impl Nvrtc {
    /// Opens the library at `path`: an absolute path, or a file name that the system's loader looks for.
    ///
    /// Errors: [`NvrtcError::Absent`], [`NvrtcError::Symbol`], [`NvrtcError::Call`].
    pub fn open(path: &Path) -> Result<Self, NvrtcError> {
        let absent = |error: libloading::Error| NvrtcError::Absent {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        #[expect(unsafe_code, reason = "loading a library runs its initialisers")]
        // SAFETY: the path is NVRTC's by the caller's choice; its initialisers have no preconditions.
        let library = unsafe { Library::new(path) }.map_err(absent)?;
        let calls = Calls::of(&library, path)?;
        let (mut major, mut minor, mut count): (c_int, c_int, c_int) = (0, 0, 0);
        #[expect(unsafe_code, reason = "calls into NVRTC")]
        // SAFETY: the function writes two integers through valid pointers.
        let code = unsafe { (calls.version)(&raw mut major, &raw mut minor) };
        let version = Version { major: positive(major), minor: positive(minor) };
        done(version, "nvrtcVersion", code)?;
        #[expect(unsafe_code, reason = "calls into NVRTC")]
        // SAFETY: the function writes one integer through a valid pointer.
        let code = unsafe { (calls.arch_count)(&raw mut count) };
        done(version, "nvrtcGetNumSupportedArchs", code)?;
        let mut found: Vec<c_int> = vec![0; usize::try_from(count).unwrap_or(0)];
        #[expect(unsafe_code, reason = "calls into NVRTC")]
        // SAFETY: the function writes as many integers as it announced, and the vector has that length.
        let code = unsafe { (calls.archs)(found.as_mut_ptr()) };
        done(version, "nvrtcGetSupportedArchs", code)?;
        let architectures = found.into_iter().map(positive).collect();
        Ok(Self { path: path.to_owned(), version, architectures, calls, _library: library })
    }

    /// Its version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The file that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Compute capabilities that it compiles for, as 75, 80, 90, 100.
    pub fn architectures(&self) -> &[u32] {
        &self.architectures
    }

    /// Compiles one source; `options` names the architecture (`--gpu-architecture=sm_90a`).
    ///
    /// Errors: [`NvrtcError::Source`] with the log, [`NvrtcError::Call`].
    pub fn compile(&self, source: &str, name: &str, options: &[String]) -> Result<Compiled, NvrtcError> {
        let text = |text: &str| {
            let refused = |_| NvrtcError::Source {
                version: self.version,
                name: name.to_owned(),
                log: "a NUL byte in the source, its name or an option".to_owned(),
            };
            CString::new(text).map_err(refused)
        };
        let (code, called) = (text(source)?, text(name)?);
        let options: Vec<CString> = options.iter().map(|option| text(option)).collect::<Result<_, _>>()?;
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let program = self.create(&code, &called)?;
        #[expect(unsafe_code, reason = "calls into NVRTC")]
        // SAFETY: the program is live, and the options are NUL-terminated and outlive the call.
        let result = unsafe {
            (self.calls.compile)(program.0, c_int::try_from(pointers.len()).unwrap_or(0), pointers.as_ptr())
        };
        let log = self.bytes(&program, "nvrtcGetProgramLog", self.calls.log_size, self.calls.log)?;
        let log = trimmed(&log);
        if result != 0 {
            return Err(NvrtcError::Source { version: self.version, name: name.to_owned(), log });
        }
        let ptx = self.bytes(&program, "nvrtcGetPTX", self.calls.ptx_size, self.calls.ptx)?;
        let cubin = self.bytes(&program, "nvrtcGetCUBIN", self.calls.cubin_size, self.calls.cubin)?;
        Ok(Compiled { cubin, ptx: trimmed(&ptx), log })
    }

    fn create(&self, source: &CStr, name: &CStr) -> Result<Owned, NvrtcError> {
        let mut program: Program = std::ptr::null_mut();
        let none = std::ptr::null();
        #[expect(unsafe_code, reason = "calls into NVRTC")]
        // SAFETY: both texts are NUL-terminated; no header is given; the pointer to write to is valid.
        let code =
            unsafe { (self.calls.create)(&raw mut program, source.as_ptr(), name.as_ptr(), 0, none, none) };
        done(self.version, "nvrtcCreateProgram", code)?;
        Ok(Owned(program, self.calls.destroy))
    }

    /// A text or file of a program, of the size that the library tells.
    fn bytes(
        &self,
        program: &Owned,
        call: &'static str,
        size: Size,
        get: Text,
    ) -> Result<Vec<u8>, NvrtcError> {
        let mut length = 0_usize;
        #[expect(unsafe_code, reason = "calls into NVRTC")]
        // SAFETY: the program is live and the pointer valid.
        let code = unsafe { size(program.0, &raw mut length) };
        done(self.version, call, code)?;
        let mut bytes = vec![0_u8; length];
        if length > 0 {
            #[expect(unsafe_code, reason = "calls into NVRTC")]
            // SAFETY: the function writes exactly the announced number of bytes.
            let code = unsafe { get(program.0, bytes.as_mut_ptr().cast()) };
            done(self.version, call, code)?;
        }
        Ok(bytes)
    }
}

/// A program that is destroyed with this value.
struct Owned(Program, unsafe extern "C" fn(*mut Program) -> c_int);

impl Drop for Owned {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "calls into NVRTC")]
        // SAFETY: the program was created by the same library and is destroyed once. Its code is of no use here.
        let _ = unsafe { (self.1)(&raw mut self.0) };
    }
}

impl Calls {
    fn of(library: &Library, path: &Path) -> Result<Self, NvrtcError> {
        macro_rules! symbol {
            ($name:literal) => {{
                #[expect(unsafe_code, reason = "a symbol of the library, by its documented type")]
                // SAFETY: the type is that of the function in nvrtc.h, and the library outlives the pointer.
                let found = unsafe { library.get(concat!($name, "\0").as_bytes()) };
                *found.map_err(|_| NvrtcError::Symbol { path: path.to_owned(), symbol: $name })?
            }};
        }
        Ok(Self {
            version: symbol!("nvrtcVersion"),
            arch_count: symbol!("nvrtcGetNumSupportedArchs"),
            archs: symbol!("nvrtcGetSupportedArchs"),
            create: symbol!("nvrtcCreateProgram"),
            compile: symbol!("nvrtcCompileProgram"),
            destroy: symbol!("nvrtcDestroyProgram"),
            log_size: symbol!("nvrtcGetProgramLogSize"),
            log: symbol!("nvrtcGetProgramLog"),
            ptx_size: symbol!("nvrtcGetPTXSize"),
            ptx: symbol!("nvrtcGetPTX"),
            cubin_size: symbol!("nvrtcGetCUBINSize"),
            cubin: symbol!("nvrtcGetCUBIN"),
        })
    }
}

fn positive(value: c_int) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn done(version: Version, call: &'static str, code: c_int) -> Result<(), NvrtcError> {
    if code == 0 { Ok(()) } else { Err(NvrtcError::Call { version, call, code }) }
}

/// Text up to its NUL.
fn trimmed(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Nvrtc::open(Path::new("/nowhere/libnvrtc.so.13")).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/libnvrtc.so.13: cannot be loaded"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_library_without_the_functions_is_refused_by_name() {
        let error = Nvrtc::open(Path::new("libc.so.6")).unwrap_err();
        assert!(matches!(error, NvrtcError::Symbol { symbol: "nvrtcVersion", .. }), "{error}");
    }

    #[test]
    fn registers_and_spills_are_read_from_the_log() {
        let log = "ptxas info : 0 bytes gmem\n 16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads\n\
                   ptxas info : Used 60 registers, 368 bytes cmem[0]";
        let compiled = Compiled { cubin: Vec::new(), ptx: String::new(), log: log.to_owned() };
        assert_eq!((compiled.registers(), compiled.spill_bytes()), (Some(60), Some(12)));
        let silent = Compiled { log: String::new(), ..compiled };
        assert_eq!((silent.registers(), silent.spill_bytes()), (None, None));
    }
}

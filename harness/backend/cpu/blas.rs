//! C BLAS libraries found at run time: OpenBLAS, BLIS and MKL, never linked, never required.
//!
//! Each is opened with `RTLD_LOCAL | RTLD_NOW | RTLD_DEEPBIND`, so that all of them can live in
//! one process although they export the same symbols. A library that does not open is a reason.

use super::pin::Pinned;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
use std::env;
use std::ffi::{CStr, c_char, c_int};

/// Colon-separated list of further library files to try first.
pub const PATH_VARIABLE: &str = "FLOPGAUGE_BLAS_PATH";

/// `CBLAS_ORDER::CblasRowMajor`, `CBLAS_TRANSPOSE::CblasNoTrans` and `CblasTrans`.
const ROW_MAJOR: c_int = 101;
const NO_TRANS: c_int = 111;
const TRANS: c_int = 112;

#[rustfmt::skip]
type Gemm<T> = unsafe extern "C" fn(
    c_int, c_int, c_int, c_int, c_int, c_int, T, *const T, c_int, *const T, c_int, T, *mut T, c_int,
);
type SetThreads = unsafe extern "C" fn(c_int);
type SetThreadsLong = unsafe extern "C" fn(i64);
type Text = unsafe extern "C" fn() -> *const c_char;
type TextInto = unsafe extern "C" fn(*mut c_char, c_int);

/// How a library family is recognised and asked.
struct Family {
    name: &'static str,
    files: &'static [&'static str],
    /// Exported by this family only.
    mark: &'static [u8],
}

const FAMILIES: [Family; 3] = [
    Family {
        name: "openblas",
        files: &[
            "libopenblas.so.0",
            "libopenblas.so",
            "/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.so.0",
        ],
        mark: b"openblas_set_num_threads\0",
    },
    Family {
        name: "blis",
        files: &["libblis.so.4", "libblis.so", "/usr/lib/x86_64-linux-gnu/blis-pthread/libblis.so.4"],
        mark: b"bli_thread_set_num_threads\0",
    },
    Family {
        name: "mkl",
        files: &["libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so"],
        mark: b"MKL_Set_Num_Threads\0",
    },
];

/// An opened BLAS library.
pub struct Blas {
    /// `openblas`, `blis` or `mkl`.
    pub name: &'static str,
    /// Version, build and chosen kernel, in the library's own words.
    pub version: String,
    /// The file that opened.
    pub file: String,
    sgemm: Symbol<Gemm<f32>>,
    dgemm: Symbol<Gemm<f64>>,
    threads: Threads,
    /// Threads that it keeps, which it leaves to the scheduler.
    workers: Vec<i32>,
    _library: Library,
}

enum Threads {
    Int(Symbol<SetThreads>),
    Long(Symbol<SetThreadsLong>),
}

/// The shape of a product as CBLAS wants it.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// Inner dimension.
    pub k: usize,
    /// A is stored `[k, m]`.
    pub a_transposed: bool,
}

/// Opens every family that this machine has, with a thread for each of `cores`; the reasons for the others.
pub fn open_all(cores: &[usize]) -> (Vec<Blas>, Vec<String>) {
    let mut found = Vec::new();
    let mut reasons = Vec::new();
    for family in &FAMILIES {
        let before = Pinned::threads();
        match open(family) {
            Ok(mut blas) => {
                blas.set_threads(cores.len());
                blas.wake();
                let after = Pinned::threads();
                blas.workers = after.difference(&before).copied().collect();
                blas.place(cores);
                found.push(blas);
            }
            Err(reason) => reasons.push(reason),
        }
    }
    (found, reasons)
}

fn open(family: &Family) -> Result<Blas, String> {
    let listed = env::var(PATH_VARIABLE).unwrap_or_default();
    let listed = listed.split(':').filter(|s| !s.is_empty()).map(String::from);
    let usual = family.files.iter().map(|s| String::from(*s));
    let mut last = String::from("no candidate file");
    for file in listed.chain(usual) {
        match open_file(family, &file) {
            Ok(blas) => return Ok(blas),
            Err(reason) => last = format!("{file}: {reason}"),
        }
    }
    Err(format!("{}: {last}", family.name))
}

#[expect(unsafe_code, reason = "loading a shared library and its symbols")]
fn open_file(family: &Family, file: &str) -> Result<Blas, String> {
    let flags = RTLD_LOCAL | RTLD_NOW | libc::RTLD_DEEPBIND;
    let text = |e: libloading::Error| e.to_string();
    // SAFETY: running a library's initialisers is the risk that the caller's option accepts; the
    // symbol types are those of cblas.h and of each library's own header.
    unsafe {
        let library = Library::open(Some(file), flags).map_err(text)?;
        let threads = if family.name == "blis" {
            Threads::Long(library.get(family.mark).map_err(text)?)
        } else {
            Threads::Int(library.get(family.mark).map_err(text)?)
        };
        Ok(Blas {
            name: family.name,
            version: version(&library, family.name),
            file: file.to_owned(),
            sgemm: library.get(b"cblas_sgemm\0").map_err(text)?,
            dgemm: library.get(b"cblas_dgemm\0").map_err(text)?,
            threads,
            workers: Vec::new(),
            _library: library,
        })
    }
}

#[expect(unsafe_code, reason = "calling the library's version functions")]
fn version(library: &Library, name: &str) -> String {
    let ask = |symbol: &[u8]| -> Option<String> {
        // SAFETY: a function without arguments that returns a static C string, or null.
        unsafe {
            let text: Symbol<Text> = library.get(symbol).ok()?;
            let raw = text();
            (!raw.is_null()).then(|| CStr::from_ptr(raw).to_string_lossy().trim().to_owned())
        }
    };
    let parts = match name {
        "openblas" => vec![ask(b"openblas_get_config\0"), ask(b"openblas_get_corename\0")],
        "blis" => vec![ask(b"bli_info_get_version_str\0"), arch_of_blis(library)],
        _ => vec![mkl_text(library)],
    };
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The sub-configuration that BLIS chose for this CPU.
#[expect(unsafe_code, reason = "calling the library's version functions")]
fn arch_of_blis(library: &Library) -> Option<String> {
    // SAFETY: `arch_t bli_arch_query_id(void)` and `char* bli_arch_string(arch_t)`, an enum.
    unsafe {
        let id: Symbol<unsafe extern "C" fn() -> c_int> = library.get(b"bli_arch_query_id\0").ok()?;
        let name: Symbol<unsafe extern "C" fn(c_int) -> *const c_char> =
            library.get(b"bli_arch_string\0").ok()?;
        let raw = name(id());
        (!raw.is_null()).then(|| CStr::from_ptr(raw).to_string_lossy().into_owned())
    }
}

#[expect(unsafe_code, reason = "calling the library's version functions")]
fn mkl_text(library: &Library) -> Option<String> {
    let mut text = [0_u8; 256];
    // SAFETY: `void MKL_Get_Version_String(char*, int)` writes at most the given length.
    unsafe {
        let get: Symbol<TextInto> = library.get(b"MKL_Get_Version_String\0").ok()?;
        get(text.as_mut_ptr().cast(), 255);
    }
    let text = CStr::from_bytes_until_nul(&text).ok()?;
    Some(text.to_string_lossy().trim().to_owned())
}

impl Blas {
    /// One product that is large enough for the library to start its threads.
    fn wake(&self) {
        const N: usize = 256;
        let (a, b, mut c) = (vec![1.0; N * N], vec![1.0; N * N], vec![0.0; N * N]);
        // Whether the library computes right is checked on every case; here it only starts its threads.
        let _ = self.sgemm(Shape { m: N, n: N, k: N, a_transposed: false }, &a, &b, &mut c);
    }

    /// Gives each kept thread a core of its own beside the first, which is the caller's.
    fn place(&self, cores: &[usize]) {
        let others = cores.iter().skip(1).cycle();
        for (worker, core) in self.workers.iter().zip(others) {
            Pinned::place(*worker, *core);
        }
    }

    /// Whether it starts its threads anew in each call: they inherit the caller's core if that is pinned, and
    /// BLIS on one core of two fell from 228 to 20.
    pub fn starts_threads_in_calls(&self) -> bool {
        self.workers.is_empty()
    }

    /// Sets the number of threads of later calls.
    #[expect(unsafe_code, reason = "a C function pointer")]
    pub fn set_threads(&self, threads: usize) {
        match &self.threads {
            // SAFETY: takes the count by value.
            Threads::Int(set) => unsafe { set(c_int::try_from(threads).unwrap_or(1)) },
            // SAFETY: takes the count by value (`dim_t`, 64 bits in Debian's build).
            Threads::Long(set) => unsafe { set(i64::try_from(threads).unwrap_or(1)) },
        }
    }

    /// C = A B in f32. Errors: a slice shorter than the shape, or a size beyond `c_int`.
    pub fn sgemm(&self, shape: Shape, a: &[f32], b: &[f32], c: &mut [f32]) -> Result<(), String> {
        call(&self.sgemm, shape, (1.0, 0.0), a, b, c)
    }

    /// C = A B in f64. Errors: as [`Blas::sgemm`].
    pub fn dgemm(&self, shape: Shape, a: &[f64], b: &[f64], c: &mut [f64]) -> Result<(), String> {
        call(&self.dgemm, shape, (1.0, 0.0), a, b, c)
    }
}

#[expect(unsafe_code, reason = "a C function pointer")]
fn call<T>(
    f: &Symbol<Gemm<T>>,
    s: Shape,
    (one, zero): (T, T),
    a: &[T],
    b: &[T],
    c: &mut [T],
) -> Result<(), String> {
    let int = |x: usize| c_int::try_from(x).map_err(|_| format!("dimension {x} is beyond c_int"));
    let fits = |len: usize, rows: usize, cols: usize| rows.checked_mul(cols).is_some_and(|need| need <= len);
    if !(fits(a.len(), s.m, s.k) && fits(b.len(), s.k, s.n) && fits(c.len(), s.m, s.n)) {
        return Err(format!("a slice is shorter than {} x {} x {}", s.m, s.n, s.k));
    }
    let (m, n, k) = (int(s.m)?, int(s.n)?, int(s.k)?);
    let (trans, lda) = if s.a_transposed { (TRANS, m) } else { (NO_TRANS, k) };
    // SAFETY: the lengths were checked against the shape and the leading dimensions.
    unsafe {
        f(
            ROW_MAJOR,
            trans,
            NO_TRANS,
            m,
            n,
            k,
            one,
            a.as_ptr(),
            lda.max(1),
            b.as_ptr(),
            n.max(1),
            zero,
            c.as_mut_ptr(),
            n.max(1),
        );
    }
    Ok(())
}

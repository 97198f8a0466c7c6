//! The exported functions of `libcublasLt` that flopgauge calls. An attribute or a type that is not simulated is
//! `CUBLAS_STATUS_NOT_SUPPORTED`, and named on standard error.
#![expect(unsafe_code, reason = "exported names")]

use std::collections::HashMap;
use std::ffi::c_int;
use std::sync::{Arc, Mutex};

use cudarc::cublaslt::sys::{
    cublasLtMatmulDescAttributes_t as Attribute, cublasLtMatmulHeuristicResult_t as Offer,
    cublasLtMatmulPreferenceAttributes_t as Wish, cublasStatus_t as Status,
};
use cudarc::driver::sys::CUresult;

use crate::driver::call;
use crate::machine::Command;
use crate::pointer::{In, Out};
use crate::product::{Layout, Mode, Operation, Problem, bytes, decoded};

/// Version of the library, as cuBLAS 13 writes it: 13.0.0.
const VERSION: usize = 130_000;

/// Workspace of the second algorithm.
const WORKSPACE: usize = 1 << 20;

#[derive(Debug, Clone, Copy)]
enum Object {
    Operation(Operation),
    Layout(Layout),
    Preference { workspace: u64 },
}

type Outcome<T> = Result<T, Status>;

fn objects<T>(body: impl FnOnce(&mut HashMap<u64, Object>) -> Outcome<T>) -> Outcome<T> {
    static OBJECTS: Mutex<Option<HashMap<u64, Object>>> = Mutex::new(None);
    let mut guard = OBJECTS.lock().map_err(|_| Status::CUBLAS_STATUS_INTERNAL_ERROR)?;
    body(guard.get_or_insert_default())
}

fn add(object: Object, to: Out<u64>) -> Outcome<()> {
    let handle = objects(|all| {
        let handle = all.keys().max().map_or(0x1700, |last| last + 8);
        all.insert(handle, object);
        Ok(handle)
    })?;
    to.put(handle).ok_or(INVALID)
}

const INVALID: Status = Status::CUBLAS_STATUS_INVALID_VALUE;
const UNSUPPORTED: Status = Status::CUBLAS_STATUS_NOT_SUPPORTED;

fn layout(handle: u64) -> Outcome<Layout> {
    objects(|all| match all.get(&handle) {
        Some(Object::Layout(layout)) => Ok(*layout),
        _ => Err(INVALID),
    })
}

fn problem(operation: u64, layouts: [u64; 4]) -> Outcome<Problem> {
    let operation = objects(|all| match all.get(&operation) {
        Some(Object::Operation(operation)) => Ok(*operation),
        _ => Err(INVALID),
    })?;
    let [a, b, c, d] = layouts;
    Ok(Problem { operation, layouts: [layout(a)?, layout(b)?, layout(c)?, layout(d)?] })
}

fn supported(problem: &Problem) -> Outcome<()> {
    let mut found = false;
    let code = call("cublasLt", |state| {
        found = problem.supported(state.current()?.capability);
        Ok(())
    });
    if code != CUresult::CUDA_SUCCESS {
        return Err(Status::CUBLAS_STATUS_NOT_INITIALIZED);
    }
    if found { Ok(()) } else { Err(UNSUPPORTED) }
}

macro_rules! export {
    ($($name:ident($($argument:ident: $kind:ty),* $(,)?) $body:block)*) => { $(
        #[doc = concat!("`", stringify!($name), "` of cublasLt.h.")]
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $kind),*) -> Status {
            let run = || -> Outcome<()> { $body };
            run().map_or_else(|status| status, |()| Status::CUBLAS_STATUS_SUCCESS)
        }
    )* };
}

/// `cublasLtGetVersion` of cublasLt.h.
#[unsafe(no_mangle)]
pub extern "C" fn cublasLtGetVersion() -> usize {
    VERSION
}

export! {
    cublasLtCreate(to: Out<u64>) {
        // The real library, too, starts only on a device.
        match call("cublasLtCreate", |state| state.current().map(|_| ())) {
            CUresult::CUDA_SUCCESS => to.put(1).ok_or(INVALID),
            _ => Err(Status::CUBLAS_STATUS_NOT_INITIALIZED),
        }
    }
    cublasLtDestroy(_handle: u64) { Ok(()) }
    cublasLtMatmulDescCreate(to: Out<u64>, compute: u32, scale: u32) {
        add(Object::Operation(Operation { compute, scale, ..Operation::default() }), to)
    }
    cublasLtMatmulDescDestroy(handle: u64) { remove(handle) }
    cublasLtMatmulDescSetAttribute(handle: u64, which: u32, value: In<u8>, size: usize) {
        let bytes = value.bytes(size).ok_or(INVALID)?;
        let word = || bytes.first_chunk().map(|word| i32::from_le_bytes(*word)).ok_or(INVALID);
        let address = || bytes.first_chunk().map(|word| u64::from_le_bytes(*word)).ok_or(INVALID);
        objects(|all| {
            let Some(Object::Operation(operation)) = all.get_mut(&handle) else { return Err(INVALID) };
            let named = |attribute: Attribute| attribute as u32 == which;
            if named(Attribute::CUBLASLT_MATMUL_DESC_TRANSA) {
                operation.transposed[0] = turned(word()?)?;
            } else if named(Attribute::CUBLASLT_MATMUL_DESC_TRANSB) {
                operation.transposed[1] = turned(word()?)?;
            } else if named(Attribute::CUBLASLT_MATMUL_DESC_A_SCALE_POINTER) {
                operation.scales[0] = address()?;
            } else if named(Attribute::CUBLASLT_MATMUL_DESC_B_SCALE_POINTER) {
                operation.scales[1] = address()?;
            } else if named(Attribute::CUBLASLT_MATMUL_DESC_A_SCALE_MODE) {
                operation.modes[0] = mode(word()?)?;
            } else if named(Attribute::CUBLASLT_MATMUL_DESC_B_SCALE_MODE) {
                operation.modes[1] = mode(word()?)?;
            } else {
                crate::say(&format!("the attribute {which} of a product is not simulated"));
                return Err(UNSUPPORTED);
            }
            Ok(())
        })
    }
    cublasLtMatrixLayoutCreate(to: Out<u64>, kind: u32, rows: u64, columns: u64, lead: i64) {
        let lead = u64::try_from(lead).map_err(|_| INVALID)?;
        add(Object::Layout(Layout { kind, rows, columns, lead }), to)
    }
    cublasLtMatrixLayoutDestroy(handle: u64) { remove(handle) }
    cublasLtMatmulPreferenceCreate(to: Out<u64>) { add(Object::Preference { workspace: 0 }, to) }
    cublasLtMatmulPreferenceDestroy(handle: u64) { remove(handle) }
    cublasLtMatmulPreferenceSetAttribute(handle: u64, which: u32, value: In<u8>, size: usize) {
        if which != Wish::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES as u32 {
            crate::say(&format!("the preference {which} is not simulated"));
            return Err(UNSUPPORTED);
        }
        let bytes = value.bytes(size).ok_or(INVALID)?;
        let most = bytes.first_chunk().map(|word| u64::from_le_bytes(*word)).ok_or(INVALID)?;
        objects(|all| {
            let Some(Object::Preference { workspace }) = all.get_mut(&handle) else { return Err(INVALID) };
            *workspace = most;
            Ok(())
        })
    }
    cublasLtMatmulAlgoGetHeuristic(
        _handle: u64, operation: u64, a: u64, b: u64, c: u64, d: u64, preference: u64, wanted: c_int,
        to: Out<Offer>, found: Out<c_int>
    ) {
        found.put(0).ok_or(INVALID)?;
        supported(&problem(operation, [a, b, c, d])?)?;
        let room = objects(|all| match all.get(&preference) {
            Some(Object::Preference { workspace }) => Ok(*workspace),
            _ => Err(INVALID),
        })?;
        let offers: Vec<Offer> = [0, WORKSPACE]
            .into_iter()
            .filter(|size| *size as u64 <= room)
            .map(offer)
            .take(usize::try_from(wanted).map_err(|_| INVALID)?)
            .collect();
        found.put(offers.len() as c_int).ok_or(INVALID)?;
        to.put_all(&offers).ok_or(INVALID)
    }
    cublasLtMatmul(
        _handle: u64, operation: u64, alpha: In<u8>, a: u64, layout_a: u64, b: u64, layout_b: u64, beta: In<u8>,
        c: u64, layout_c: u64, d: u64, layout_d: u64, algorithm: In<u64>, workspace: u64, room: usize, stream: u64
    ) {
        let problem = problem(operation, [layout_a, layout_b, layout_c, layout_d])?;
        supported(&problem)?;
        if !problem.aligned([a, b, c, d]) || !workspace.is_multiple_of(256) {
            return Err(INVALID);
        }
        let scale = problem.operation.scale;
        let size = bytes(scale).ok_or(UNSUPPORTED)?;
        let factor = |from: In<u8>| from.bytes(size).map(|word| decoded(&word, scale)).ok_or(INVALID);
        let factors = [factor(alpha)?, factor(beta)?];
        let least = match algorithm.get(0) {
            Some(1) | None => 0,
            Some(2) => WORKSPACE,
            Some(_) => return Err(INVALID),
        };
        if room < least {
            return Err(INVALID);
        }
        let run = move |memory: &mut _| problem.run(memory, [a, b, c, d], factors);
        let command = Command::Product { name: "cublasLtMatmul", output: d, run: Arc::new(run) };
        let code = call("cublasLtMatmul", |state| {
            state.of_stream(stream)?.refusal()?;
            state.submit(stream, command)
        });
        if code == CUresult::CUDA_SUCCESS { Ok(()) } else { Err(Status::CUBLAS_STATUS_EXECUTION_FAILED) }
    }
}

fn remove(handle: u64) -> Outcome<()> {
    objects(|all| all.remove(&handle).map(|_| ()).ok_or(INVALID))
}

/// `CUBLAS_OP_N`, `CUBLAS_OP_T`; a conjugate is of complex numbers, of which there are none.
fn turned(code: i32) -> Outcome<bool> {
    match code {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(UNSUPPORTED),
    }
}

fn mode(code: i32) -> Outcome<Mode> {
    let found = Mode::of(code);
    if found.is_none() {
        crate::say(&format!("the mode {code} of scales is not simulated"));
    }
    found.ok_or(UNSUPPORTED)
}

/// The first algorithm needs no workspace, the second one does.
fn offer(workspace: usize) -> Offer {
    let mut algo = cudarc::cublaslt::sys::cublasLtMatmulAlgo_t { data: [0; 8] };
    algo.data[0] = if workspace == 0 { 1 } else { 2 };
    Offer {
        algo,
        workspaceSize: workspace,
        state: Status::CUBLAS_STATUS_SUCCESS,
        wavesCount: 1.0,
        reserved: [0; 4],
    }
}

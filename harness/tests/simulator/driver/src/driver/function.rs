//! Modules, functions and launches.

use std::ffi::{c_int, c_uint};
use std::sync::Arc;

use cudarc::driver::sys::{CUfunction_attribute_enum as Attribute, CUresult};
use flopgauge_simulator::launch::{self, Kernel, Module};

use super::{NULL, export};
use crate::configuration::version;
use crate::limits::Limits;
use crate::machine::{Command, Launch, Machine, Outcome};
use crate::pointer::{In, Out};
use crate::state::{Object, State};

/// First bytes of machine code, of which there is no interpreter.
const ELF: &[u8; 4] = b"\x7fELF";

/// Newest PTX of a driver: 8.0 came with CUDA 12.0, and 12.6 repeated 12.5's.
fn newest_ptx(cuda: c_int) -> (u32, u32) {
    let (major, minor) = ((cuda / 1000) as u32, (cuda % 1000 / 10) as u32);
    let ptx = if major == 12 && minor >= 6 { minor - 1 } else { minor };
    (major.saturating_sub(4), ptx)
}

/// Whether code for this target runs on the device: `sm_90` on all from 9.0 on, `sm_90a` on 9.0 alone.
fn runs(target: &str, (major, minor): (u32, u32)) -> Option<bool> {
    let number = target.strip_prefix("sm_")?;
    let digits = number.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let built: u32 = digits.parse().ok()?;
    let device = 10 * major + minor;
    match &number[digits.len()..] {
        "" => Some(built <= device),
        "a" => Some(built == device),
        "f" => Some(built / 10 == major && built <= device),
        _ => None,
    }
}

/// The driver's compiler of PTX: version, target, text.
fn assemble(text: &str, machine: &Machine, cuda: c_int) -> Outcome<Module> {
    let stated = text.lines().find_map(|line| line.trim().strip_prefix(".version"));
    let stated = stated.and_then(|stated| version(stated.trim()));
    let stated = stated.ok_or(CUresult::CUDA_ERROR_INVALID_PTX)?;
    let (major, minor) = newest_ptx(cuda);
    if stated > (1000 * major + 10 * minor) as c_int {
        return Err(CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
    }
    let module = launch::load(text).map_err(|error| {
        crate::say(&format!("PTX: {error}"));
        CUresult::CUDA_ERROR_INVALID_PTX
    })?;
    match runs(&module.target, machine.capability) {
        Some(true) => Ok(module),
        Some(false) => Err(CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU),
        None => Err(CUresult::CUDA_ERROR_INVALID_PTX),
    }
}

fn function(state: &State, handle: u64) -> Outcome<(Arc<Module>, usize, u32)> {
    match state.object(handle)? {
        Object::Function { module, kernel, dynamic_most } => Ok((Arc::clone(module), *kernel, *dynamic_most)),
        _ => Err(CUresult::CUDA_ERROR_INVALID_HANDLE),
    }
}

fn kernel(module: &Module, at: usize) -> Outcome<&Kernel> {
    module.kernels.get(at).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)
}

/// Blocks of this size that a multiprocessor holds; none of a size that is no block's.
fn occupancy(state: &mut State, handle: u64, threads: c_int, dynamic: usize) -> Outcome<c_int> {
    let (module, at, most) = function(state, handle)?;
    let kernel = kernel(&module, at)?;
    let threads = u32::try_from(threads).ok().filter(|threads| *threads > 0).ok_or(NULL)?;
    let dynamic = u32::try_from(dynamic).map_err(|_| NULL)?;
    let machine = state.current()?;
    machine.usable()?;
    let largest = if kernel.max_threads > 0 { kernel.max_threads } else { Limits::THREADS };
    if threads > largest.min(Limits::THREADS) || dynamic > most {
        return Ok(0);
    }
    let blocks = machine.limits.occupancy(threads, kernel.shared + dynamic);
    Ok(machine.device.blocks_per_multiprocessor.map_or(blocks, |most| blocks.min(most)) as c_int)
}

/// What a driver refuses before it starts a kernel.
fn checked(launch: &Launch, most: u32) -> Outcome<()> {
    let kernel = kernel(&launch.module, launch.kernel)?;
    let fits = |given: &[u32; 3], limits: [u32; 3]| {
        given.iter().zip(limits).all(|(n, limit)| (1..=limit).contains(n))
    };
    let threads: u64 = launch.threads.iter().map(|n| u64::from(*n)).product();
    let largest = if kernel.max_threads > 0 { kernel.max_threads } else { Limits::THREADS };
    let fit = fits(&launch.grid, Limits::GRID)
        && fits(&launch.threads, Limits::BLOCK)
        && threads <= u64::from(largest.min(Limits::THREADS))
        && launch.dynamic <= most;
    if fit { Ok(()) } else { Err(CUresult::CUDA_ERROR_INVALID_VALUE) }
}

export! {
    cuModuleLoadData(to: Out<u64>, image: In<u8>) |state| {
        let cuda = state.version;
        let machine = state.current()?;
        machine.usable()?;
        let mut first = Vec::new();
        while first.len() < ELF.len() && image.get(first.len()).ok_or(NULL)? == ELF[first.len()] {
            first.push(0);
        }
        if first.len() == ELF.len() {
            return Err(CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU);
        }
        let module = assemble(&image.text().ok_or(NULL)?, machine, cuda)?;
        let handle = state.add(Object::Module(Arc::new(module)))?;
        to.put(handle).ok_or(NULL)
    }
    cuModuleGetFunction(to: Out<u64>, module: u64, name: In<u8>) |state| {
        let name = name.text().ok_or(NULL)?;
        let Object::Module(module) = state.object(module)? else { return Err(CUresult::CUDA_ERROR_INVALID_HANDLE) };
        let module = Arc::clone(module);
        let place = module.kernels.iter().position(|kernel| kernel.name == name);
        let kernel = place.ok_or(CUresult::CUDA_ERROR_NOT_FOUND)?;
        let dynamic_most = Limits::SHARED.saturating_sub(self::kernel(&module, kernel)?.shared);
        let handle = state.add(Object::Function { module, kernel, dynamic_most })?;
        to.put(handle).ok_or(NULL)
    }
    cuModuleUnload(module: u64) |state| {
        state.current()?.usable()?;
        state.remove(module)
    }
    cuFuncGetAttribute(to: Out<c_int>, which: c_int, function: u64) |state| {
        let (module, at, most) = self::function(state, function)?;
        let kernel = kernel(&module, at)?;
        let value = if which == Attribute::CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES as c_int {
            kernel.shared
        } else if which == Attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES as c_int {
            most
        } else if which == Attribute::CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK as c_int {
            if kernel.max_threads > 0 { kernel.max_threads } else { Limits::THREADS }
        } else {
            // Registers and local memory are the machine code's, which is not here.
            crate::say(&format!("the function attribute {which} is not simulated"));
            return Err(CUresult::CUDA_ERROR_NOT_SUPPORTED);
        };
        to.put(value as c_int).ok_or(NULL)
    }
    cuFuncSetAttribute(function: u64, which: c_int, value: c_int) |state| {
        if which != Attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES as c_int {
            crate::say(&format!("the function attribute {which} is not simulated"));
            return Err(CUresult::CUDA_ERROR_NOT_SUPPORTED);
        }
        let (module, at, _) = self::function(state, function)?;
        let most = state.current()?.limits.shared_most;
        let wanted = u32::try_from(value).map_err(|_| NULL)?;
        if wanted + kernel(&module, at)?.shared > most {
            return Err(CUresult::CUDA_ERROR_INVALID_VALUE);
        }
        if let Some((_, Object::Function { dynamic_most, .. })) = state.objects.get_mut(&function) {
            *dynamic_most = wanted;
        }
        Ok(())
    }
    cuOccupancyMaxActiveBlocksPerMultiprocessor(
        to: Out<c_int>, function: u64, threads: c_int, dynamic: usize
    ) |state| {
        let blocks = occupancy(state, function, threads, dynamic)?;
        to.put(blocks).ok_or(NULL)
    }
    cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
        to: Out<c_int>, function: u64, threads: c_int, dynamic: usize, flags: c_uint
    ) |state| {
        if flags > 1 {
            return Err(NULL);
        }
        let blocks = occupancy(state, function, threads, dynamic)?;
        to.put(blocks).ok_or(NULL)
    }
    cuLaunchKernel(
        function: u64, grid_x: c_uint, grid_y: c_uint, grid_z: c_uint, block_x: c_uint, block_y: c_uint,
        block_z: c_uint, dynamic: c_uint, stream: u64, parameters: In<In<u8>>, extra: In<u8>
    ) |state| {
        let (module, at, most) = self::function(state, function)?;
        if !extra.is_null() {
            return Err(CUresult::CUDA_ERROR_NOT_SUPPORTED);
        }
        let entry = kernel(&module, at)?;
        let mut block = vec![0; entry.parameter_bytes as usize];
        for (number, parameter) in entry.parameters.iter().enumerate() {
            let (from, size) = (parameter.offset as usize, parameter.size as usize);
            let bytes = parameters.get(number).and_then(|at| at.bytes(size)).ok_or(NULL)?;
            block.get_mut(from..from + size).ok_or(NULL)?.copy_from_slice(&bytes);
        }
        let launch = Launch {
            module,
            kernel: at,
            grid: [grid_x, grid_y, grid_z],
            threads: [block_x, block_y, block_z],
            dynamic,
            parameters: block,
        };
        checked(&launch, most)?;
        let machine = state.of_stream(stream)?;
        machine.usable()?;
        machine.refusal()?;
        state.submit(stream, Command::Launch(Arc::new(launch)))
    }
}

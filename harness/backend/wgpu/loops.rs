//! Whether a driver makes all trips of a loop. Mesa 22's lavapipe ends every loop after 65,535, silently: a rate from
//! such a driver is of operations that were never executed, and a long sum of terms that were never added.

use wgpu::BufferUsages;

use super::faults::Fault;
use super::gpu::Gpu;
use super::timed::{Launch, Timed};
use crate::backend::LoadError;

/// Trips of the probe, well past 2^16.
const TRIPS: u32 = 100_000;
/// Trips after which the simulated driver ends a loop.
const BUDGET: u32 = 65_535;
const SEED: u32 = 0x2545_f491;

/// The probe, which is no row of the table: it has no rate.
pub const LOOPS: &str = include_str!("../../../shaders/loops.wgsl");

/// Runs the probe.
///
/// Errors: how many trips the driver made, or what failed.
pub(super) fn check(gpu: &Gpu) -> Result<(), String> {
    let found = run(gpu).map_err(|error| error.to_string())?;
    let mut state = SEED;
    let mut made = None;
    for trip in 0..=TRIPS {
        if state == found {
            made = Some(trip);
        }
        if trip < TRIPS {
            state = step(state);
        }
    }
    if found == state {
        return Ok(());
    }
    let made = made.map_or("an unknown number of".to_owned(), |trips| trips.to_string());
    Err(format!(
        "the driver ends loops early: {made} of {TRIPS} trips were made, and no figure of it would be right; \
         use a newer one"
    ))
}

const fn step(state: u32) -> u32 {
    (state ^ (state >> 15)).wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
}

fn run(gpu: &Gpu) -> Result<u32, LoadError> {
    let pipeline = gpu.compile(LOOPS, false)?;
    let trips = if gpu.fault == Some(Fault::MiscountedLoops) { BUDGET } else { TRIPS };
    let control: Vec<u8> = [trips, SEED, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
    let control = gpu.upload(&control, BufferUsages::UNIFORM)?;
    let result = gpu.storage(4)?;
    let group = gpu.bind(&pipeline, &[&control, &result])?;
    let launch = Launch { group, grid: (1, 1) };
    Timed::new(gpu)?.run(gpu, &pipeline, std::iter::once(&launch))?;
    let bytes = gpu.download(&result)?;
    bytes
        .first_chunk()
        .map(|word| u32::from_le_bytes(*word))
        .ok_or_else(|| gpu.failed("the probe of loops left nothing".to_owned()).into())
}

//! A launch: limits, blocks one after another, warps in an order that a seed shuffles, and the count of operations.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::lower;
use crate::memory::{Global, Shared, Violation};
use crate::operation::{Element, Float, Instruction, Mma, Type};
use crate::syntax::{self, Parameter};
use crate::warp::{Stop, Warp, World};

/// A decoded kernel.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// Name.
    pub name: String,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Size of the parameter block.
    pub parameter_bytes: u32,
    /// Register slots of a thread; PTX registers are virtual, so this is no count of hardware's.
    pub registers: u32,
    /// Static shared memory, bytes.
    pub shared: u32,
    /// Alignment of dynamic shared memory.
    pub dynamic_alignment: u32,
    /// Most threads of a block, 0 where the kernel does not say.
    pub max_threads: u32,
    /// Instructions.
    pub code: Vec<Instruction>,
}

/// A decoded module.
#[derive(Debug, Clone)]
pub struct Module {
    /// `.target`, such as `sm_90a`.
    pub target: String,
    /// Kernels.
    pub kernels: Vec<Kernel>,
}

/// Reads and decodes a module.
pub fn load(text: &str) -> syntax::Result<Module> {
    let text = syntax::read(text)?;
    let decode = |e: &syntax::Entry| {
        Ok(Kernel {
            name: e.name.clone(),
            parameters: e.parameters.clone(),
            parameter_bytes: e.parameter_bytes,
            registers: e.registers,
            shared: e.shared,
            dynamic_alignment: e.dynamic_alignment.max(16),
            max_threads: e.max_threads,
            code: lower::lower(&e.statements)?,
        })
    };
    let kernels = text.entries.iter().map(decode).collect::<syntax::Result<_>>()?;
    Ok(Module { target: text.target, kernels })
}

/// What was executed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// Instructions of threads.
    pub instructions: u64,
    /// Multiplications and additions by kind: `fma.f32`, `mma.bf16`; a fused pair is two.
    pub operations: BTreeMap<String, u64>,
}

impl Count {
    pub(crate) fn float(&mut self, kind: Float, ty: Type, lanes: u32) {
        let (name, each) = match kind {
            Float::Fma => ("fma", 2),
            Float::Mul => ("mul", 1),
            Float::Add | Float::Sub => ("add", 1),
            _ => return,
        };
        let parts = if matches!(ty, Type::F16x2 | Type::Bf16x2 | Type::F32x2) { 2 } else { 1 };
        let key = format!("{name}.{ty:?}").to_lowercase();
        *self.operations.entry(key).or_default() += u64::from(lanes) * each * parts;
    }

    pub(crate) fn matrix(&mut self, mma: &Mma) {
        let name = |e: Element| format!("{e:?}").to_lowercase();
        *self.operations.entry(format!("mma.{}", name(mma.a_type))).or_default() +=
            2 * (mma.m * mma.n * mma.k) as u64;
    }

    /// Operations of the kinds whose name begins so.
    pub fn of(&self, beginning: &str) -> u64 {
        self.operations.iter().filter(|(name, _)| name.starts_with(beginning)).map(|(_, n)| n).sum()
    }
}

/// What a launch is given.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// Kernel.
    pub kernel: &'a Kernel,
    /// Blocks.
    pub grid: [u32; 3],
    /// Threads of a block.
    pub threads: [u32; 3],
    /// Dynamic shared memory, bytes.
    pub dynamic: u32,
    /// The parameter block.
    pub parameters: &'a [u8],
    /// Shuffles the warps.
    pub seed: u64,
    /// Instructions after which a warp must have ended.
    pub patience: u64,
    /// Where dynamic shared memory begins; set by [`run`].
    pub dynamic_offset: u32,
}

/// A kernel's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kernel}, PTX line {line}, block {block:?}, warp {warp}, seed {seed}: {what}")]
pub struct Fault {
    /// What the driver reports.
    pub kind: Violation,
    /// Kernel.
    pub kernel: String,
    /// Block.
    pub block: [u32; 3],
    /// Warp.
    pub warp: usize,
    /// Line in the PTX.
    pub line: u32,
    /// Seed with which it is seen again.
    pub seed: u64,
    /// What happened.
    pub what: String,
}

#[derive(Default, Clone)]
struct Barrier {
    arrived: u32,
    expected: Option<u32>,
    warps: Vec<usize>,
    waiting: Vec<usize>,
}

/// The sixteen barriers of a block.
pub(crate) struct Barriers(Vec<Barrier>);

impl Barriers {
    pub(crate) fn arrive(&mut self, id: usize, threads: Option<u32>, warp: usize, lanes: u32, only: bool) {
        let barrier = &mut self.0[id];
        barrier.arrived += lanes;
        barrier.expected = threads.or(barrier.expected);
        barrier.warps.push(warp);
        if !only {
            barrier.waiting.push(warp);
        }
    }
}

/// Runs a kernel to its end.
pub fn run(frame: &Frame<'_>, global: &mut Global) -> Result<Count, Box<Fault>> {
    let kernel = frame.kernel;
    let dynamic_offset = kernel.shared.next_multiple_of(kernel.dynamic_alignment);
    let frame = Frame { dynamic_offset, ..frame.clone() };
    let mut count = Count::default();
    let mut random = ChaCha8Rng::seed_from_u64(frame.seed);
    let [x, y, z] = frame.grid;
    for number in 0..u64::from(x) * u64::from(y) * u64::from(z) {
        let (x, y) = (u64::from(x), u64::from(y));
        let place = [(number % x) as u32, (number / x % y) as u32, (number / x / y) as u32];
        block(&frame, place, global, &mut count, &mut random)?;
    }
    Ok(count)
}

fn block(
    frame: &Frame<'_>,
    place: [u32; 3],
    global: &mut Global,
    count: &mut Count,
    random: &mut ChaCha8Rng,
) -> Result<(), Box<Fault>> {
    let threads = frame.threads.iter().product::<u32>() as usize;
    let mut warps: Vec<Warp> =
        (0..threads.div_ceil(32)).map(|w| Warp::new(w, threads - 32 * w, frame.kernel.registers)).collect();
    let mut shared = Shared::new((frame.dynamic_offset + frame.dynamic) as usize, warps.len());
    let mut barriers = Barriers(vec![Barrier::default(); 16]);
    let limit = count.instructions + frame.patience;
    let fault = |warp, line, kind, what| {
        Err(Box::new(Fault {
            kind,
            kernel: frame.kernel.name.clone(),
            block: place,
            warp,
            line,
            seed: frame.seed,
            what,
        }))
    };
    let mut active: Vec<usize> = (0..warps.len()).collect();
    while !active.is_empty() {
        let ready: Vec<usize> = active.iter().copied().filter(|&w| warps[w].ready()).collect();
        if ready.is_empty() {
            return fault(
                active[0],
                0,
                Violation::LaunchFailed,
                "all warps wait at barriers that nobody will complete".into(),
            );
        }
        let number = ready[random.random_range(0..ready.len())];
        let slice = random.random_range(1..400);
        let mut world =
            World { frame, block: place, global, shared: &mut shared, barriers: &mut barriers, count };
        match warps[number].run(&mut world, slice) {
            Ok(Stop::Ended) => active.retain(|w| *w != number),
            Ok(Stop::Slice | Stop::Blocked) => {}
            Err((line, kind, what)) => return fault(number, line, kind, what),
        }
        if count.instructions > limit {
            return fault(number, 0, Violation::LaunchFailed, "the block does not end".into());
        }
        complete(&mut barriers, &mut warps, &mut shared);
    }
    Ok(())
}

/// Opens each barrier at which all have arrived: the number given, or all threads that have not ended.
fn complete(barriers: &mut Barriers, warps: &mut [Warp], shared: &mut Shared) {
    let live: u32 = warps.iter().map(Warp::threads).sum();
    for (id, barrier) in barriers.0.iter_mut().enumerate() {
        if barrier.arrived == 0 || barrier.arrived < barrier.expected.unwrap_or(live) {
            continue;
        }
        let done = std::mem::take(barrier);
        shared.join(&done.warps, &done.waiting);
        for warp in done.waiting {
            warps[warp].release(id as u64);
        }
    }
}

//! A launch: what it is given, its blocks one after another, what was executed, and how it fails.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::block;
use crate::lower;
use crate::memory::{Global, Violation};
use crate::operation::{Element, Float, Instruction, Type};
use crate::syntax;

/// A decoded kernel.
pub type Kernel = syntax::Kernel<Instruction>;

/// A decoded module.
pub type Module = syntax::Module<Instruction>;

/// Reads and decodes a module.
pub fn load(text: &str) -> syntax::Result<Module> {
    let text = syntax::read(text)?;
    let kernels = text.kernels.into_iter().map(|kernel| kernel.with(lower::lower));
    Ok(Module { target: text.target, kernels: kernels.collect::<syntax::Result<_>>()? })
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

    /// One product of an `m` by `k` and a `k` by `n` matrix.
    pub(crate) fn matrix(&mut self, name: &str, element: Element, [m, n, k]: [usize; 3]) {
        let key = format!("{name}.{element:?}").to_lowercase();
        *self.operations.entry(key).or_default() += 2 * (m * n * k) as u64;
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
        block::run(&frame, place, global, &mut count, &mut random)?;
    }
    Ok(count)
}

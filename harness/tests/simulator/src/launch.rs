//! A launch: what it is given, its blocks one after another, what was executed, and how it fails.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::block;
pub use crate::count::Count;
use crate::count::Tally;
use crate::lower;
use crate::memory::{Global, Violation};
use crate::operation::Instruction;
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
    let mut count = Tally::default();
    let mut random = ChaCha8Rng::seed_from_u64(frame.seed);
    let [x, y, z] = frame.grid;
    for number in 0..u64::from(x) * u64::from(y) * u64::from(z) {
        let (x, y) = (u64::from(x), u64::from(y));
        let place = [(number % x) as u32, (number / x % y) as u32, (number / x / y) as u32];
        block::run(&frame, place, global, &mut count, &mut random)?;
    }
    Ok(count.named())
}

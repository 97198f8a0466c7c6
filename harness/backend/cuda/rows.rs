//! The kernel table: one row a kernel. Everything that kernel and host must agree on is here and nowhere else:
//! constants, launch, operands, counted operations, expected machine code. Data only; no device is touched.

mod abi;
mod form;
mod issue_data;
mod number;
mod replay;
mod source;
mod table;
mod target;
mod unsupported;

pub use abi::{Element, Grid, Parameters, TensorBox, leading};
pub use form::{Fma, Form, Gemm, GemmEngine, Mma, Tcgen05, Wgmma};
pub use source::{COPY, Copy, Source};
pub use table::ROWS;
pub use target::{TARGETS, Target, target};
pub use unsupported::{Unsupported, unsupported};

use crate::device::Unit;
use crate::precision::{Accumulate, Precision};
use crate::units::Ops;
use crate::workload::{GemmShape, Layout, Method};

/// One kernel.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Name of the implementation, unique in the table.
    pub name: &'static str,
    /// How it obtains a rate.
    pub method: Method,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Units that perform it.
    pub unit: Unit,
    /// Where its text is.
    pub source: Source,
    /// Constants, and what follows from them.
    pub form: Form,
    /// Compute capabilities on which it runs natively, as in [`Target::capability`].
    pub targets: &'static [u32],
    /// Instruction that the inner loop must consist of, from this compute capability on; ascending.
    pub machine: &'static [(u32, &'static str)],
    /// Most registers of a thread.
    pub registers: u32,
}

impl Row {
    /// Whether it runs on this architecture.
    pub fn runs_on(&self, target: &Target) -> bool {
        self.targets.contains(&target.capability)
    }

    /// Options of the compiler: architecture, and the constants of the row. Equal options and source are equal code.
    pub fn options(&self, target: &Target, layout: Layout) -> Vec<String> {
        let mut options = target.options();
        options
            .extend(self.form.constants(layout).into_iter().map(|(name, value)| format!("-D{name}={value}")));
        options
    }

    /// Threads of one block.
    pub const fn threads(&self) -> u32 {
        self.form.threads()
    }

    /// Blocks that one multiprocessor should hold; an issue kernel takes no more, and as many as the occupancy allows.
    pub const fn blocks_per_multiprocessor(&self) -> u32 {
        self.form.blocks_per_multiprocessor()
    }

    /// Dynamic shared memory of one block. Above 48 KiB the function's attribute must be set first.
    ///
    /// Unit: bytes.
    pub fn shared_bytes(&self) -> u32 {
        self.form.shared_bytes()
    }

    /// Arguments of the kernel, in their order.
    pub const fn parameters(&self) -> Parameters {
        match self.form {
            Form::Gemm(Gemm { engine: GemmEngine::Wgmma, .. }) => Parameters::TensorMaps,
            Form::Gemm(_) => Parameters::Matrices,
            _ => Parameters::Issue,
        }
    }

    /// Blocks of a product; `None` for an issue kernel, or past the grid's limit of 2^31 - 1.
    pub fn grid(&self, shape: GemmShape) -> Option<Grid> {
        match self.form {
            Form::Gemm(gemm) => gemm.grid(shape),
            _ => None,
        }
    }

    /// Operations of one trip of an issue kernel's loop on `blocks` blocks; zero for a product, which has its shape's.
    pub fn ops_per_iteration(&self, blocks: u32) -> Ops {
        Ops::new(u128::from(self.form.ops_per_block_and_trip()) * u128::from(blocks))
    }

    /// What one trip of the inner loop must consist of on this architecture.
    pub fn hot_loop(&self, target: &Target) -> HotLoop {
        let named = self.machine.iter().rev().find(|(from, _)| *from <= target.capability);
        HotLoop {
            instruction: named.map_or("", |(_, instruction)| instruction),
            operations: self.form.ops_per_block_and_trip() / u64::from(self.form.issuers()),
            longest: self.form.longest_loop(),
        }
    }
}

/// What the machine code of a kernel must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HotLoop {
    /// Mnemonic of every multiply-accumulate of the loop, or how it begins.
    pub instruction: &'static str,
    /// Operations of one trip of what issues: one warp, or for tcgen05 one thread for its block.
    pub operations: u64,
    /// Most instructions of the loop, padding of the assembler left out.
    pub longest: usize,
}

/// Rows that run on an architecture.
pub fn rows(target: &Target) -> impl Iterator<Item = &'static Row> {
    let capability = target.capability;
    ROWS.iter().filter(move |row| row.targets.contains(&capability))
}

/// The row of a name.
pub fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

//! One row of the issue-kernel table: identity, counted work, and the compiled bodies by chain count.

use super::accumulators::{Accumulators, Element, Starts};
#[cfg(test)]
use super::replay::replay;
use crate::backend::cpu::error::CpuError;
use crate::backend::cpu::isa::Isa;
use crate::precision::{Accumulate, Precision};
use crate::units::Ops;

/// Compiled kernel: executes `iterations` trips on the accumulators at the pointer, in place.
pub(super) type Run = unsafe fn(u64, *mut u8);

/// Register-resident kernel with `chains` independent accumulator registers.
#[derive(Debug, Clone, Copy)]
pub struct IssueKernel {
    /// Name, unique in the table.
    pub name: &'static str,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the accumulators.
    pub accumulate: Accumulate,
    /// What it needs.
    pub isa: Isa,
    /// Accumulators of one register or tile.
    pub lanes: usize,
    /// Multiply-accumulates of one lane per trip and chain.
    pub macs_per_lane: u64,
    /// Independent accumulator registers.
    pub chains: usize,
    /// Whether the processor has arithmetic for this format; otherwise conversions are timed along.
    pub native: bool,
    pub(super) starts: Starts,
    pub(super) element: Element,
    /// Compiled for 1, 2, ... chains.
    pub(super) plain: &'static [Run],
    /// Compiled for the shipped chain count with this many dependent adds in each trip.
    pub(super) clocked: &'static [(usize, Run)],
}

impl IssueKernel {
    /// Operations of one trip round the loop: 2 per multiply-accumulate.
    #[must_use]
    pub const fn ops_per_iteration(&self) -> Ops {
        Ops::new(2 * self.lanes as u128 * self.macs_per_lane as u128 * self.chains as u128)
    }

    /// Operations of `iterations` trips.
    #[must_use]
    pub const fn ops(&self, iterations: u64) -> Ops {
        Ops::new(self.ops_per_iteration().get() * iterations as u128)
    }

    /// Whether this machine can execute it.
    #[must_use]
    pub fn available(&self) -> bool {
        self.isa.available()
    }

    /// Largest chain count that is compiled.
    #[must_use]
    pub const fn most_chains(&self) -> usize {
        self.plain.len()
    }

    /// The same kernel with another chain count.
    ///
    /// **Errors**: `NoSuchChains` for 0 and above [`Self::most_chains`].
    pub fn with_chains(self, chains: usize) -> Result<Self, CpuError> {
        let most = self.most_chains();
        if (1..=most).contains(&chains) {
            Ok(Self { chains, ..self })
        } else {
            Err(CpuError::NoSuchChains { kernel: self.name, asked: chains, most })
        }
    }

    /// Fresh accumulators.
    #[must_use]
    pub fn start(&self) -> Accumulators {
        Accumulators::start(self.element, self.starts, self.lanes * self.chains)
    }

    /// Executes `iterations` trips; two calls continue each other.
    ///
    /// **Errors**: `Unavailable` without the instruction set, `WrongAccumulators` for those of another kernel.
    pub fn run(&self, iterations: u64, accumulators: &mut Accumulators) -> Result<(), CpuError> {
        self.execute(self.plain[self.chains - 1], iterations, accumulators)
    }

    /// Calls one of this row's bodies, all of which take `chains` x `lanes` elements.
    pub(super) fn execute(
        &self,
        body: Run,
        iterations: u64,
        accumulators: &mut Accumulators,
    ) -> Result<(), CpuError> {
        let (expected, got) = (self.lanes * self.chains, accumulators.len());
        if !self.available() {
            return Err(CpuError::Unavailable { kernel: self.name, isa: self.isa.name() });
        }
        if expected != got || accumulators.element() != self.element {
            return Err(CpuError::WrongAccumulators { kernel: self.name, expected, got });
        }
        #[expect(
            unsafe_code,
            reason = "a kernel takes the accumulators by pointer and needs its instruction set"
        )]
        // SAFETY: the instruction set is there, and the buffer has as many elements of the row's type as the body
        // reads and writes.
        unsafe {
            body(iterations, accumulators.as_mut_ptr());
        }
        Ok(())
    }

    #[cfg(test)]
    /// Executes `iterations` trips from the start values and compares every bit with the scalar replay.
    ///
    /// **Errors**: `WrongValue` at the first difference; those of [`Self::run`].
    pub fn verify(&self, iterations: u64) -> Result<(), CpuError> {
        let mut seen = self.start();
        self.run(iterations, &mut seen)?;
        match replay(self, iterations).first_difference(&seen) {
            None => Ok(()),
            Some(index) => Err(CpuError::WrongValue { kernel: self.name, index, iterations }),
        }
    }

    /// Address of the machine code, for the test that disassembles it.
    #[cfg(all(test, target_arch = "x86_64"))]
    pub(super) fn code(&self) -> *const u8 {
        self.plain[self.chains - 1] as *const u8
    }
}

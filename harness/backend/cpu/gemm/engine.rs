//! The public engine: checks sizes, chooses kernel and blocks, runs the team.

use super::super::memory::OutOfMemory;
use super::super::team::Team;
use super::blocking::Blocking;
use super::driver::{self, Plan, Product};
use super::kernel::{MicroKernel, View};
#[cfg(target_arch = "aarch64")]
use super::neon;
use super::portable;
use super::scratch::Scratch;
use super::select::{Isa, Operand, choose};
use super::widen::Widen;
#[cfg(target_arch = "x86_64")]
use super::{amx, avx2, avx512, avx512_dot};
use half::{bf16, f16};
use std::{fmt, io};

/// How A is stored; B and C are always row-major.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `[m, k]`: NN.
    RowMajor,
    /// `[k, m]`: TN.
    Transposed,
}

/// Sizes of a product and the layout of A.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// How A is stored.
    pub a: Layout,
}

/// Why a product was not computed; C is then untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GemmError {
    /// An operand's length is not that of the shape.
    Length {
        /// `a`, `b` or `c`.
        operand: &'static str,
        /// Elements that the shape needs; `usize::MAX` where it overflows.
        need: usize,
        /// Elements that were passed.
        have: usize,
    },
    /// The kernel asked for cannot run here.
    Unavailable(&'static str),
    /// No memory for the packed panels.
    Memory(OutOfMemory),
}

impl fmt::Display for GemmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { operand, need, have } => {
                write!(f, "operand {operand} has {have} elements, the shape needs {need}")
            }
            Self::Unavailable(reason) => write!(f, "kernel not available: {reason}"),
            Self::Memory(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GemmError {}

/// A team of threads, its panel memory and the choice of kernel.
pub struct Gemm {
    team: Team,
    scratch: Scratch,
    only: Option<Isa>,
    blocking: Option<Blocking>,
}

macro_rules! product {
    ($(#[$doc:meta])* $name:ident, $in:ty, $out:ty, $operand:ident, [$($(#[$cfg:meta])* $isa:ident => $kernel:ty),* $(,)?]) => {
        $(#[$doc])*
        ///
        /// Shape: `a` as in `shape.a`, `b` `[k, n]`, `c` `[m, n]`; every element of C is written.
        /// Errors: `GemmError`.
        pub fn $name(&mut self, shape: Shape, a: &[$in], b: &[$in], c: &mut [$out]) -> Result<(), GemmError> {
            match choose(Operand::$operand, self.only).map_err(GemmError::Unavailable)? {
                $($(#[$cfg])* Isa::$isa => self.multiply::<$kernel>(shape, a, b, c),)*
                _ => Err(GemmError::Unavailable("there is no such kernel")),
            }
        }
    };
}

impl Gemm {
    /// An engine with one thread on each of `cores`; see [`Team::new`].
    ///
    /// Errors: the system's, when a thread cannot start.
    pub fn new(cores: &[usize]) -> io::Result<Self> {
        Ok(Self { team: Team::new(cores)?, scratch: Scratch::default(), only: None, blocking: None })
    }

    /// Takes exactly this instruction set, or the best one again.
    pub fn force(&mut self, isa: Option<Isa>) {
        self.only = isa;
    }

    #[cfg(test)]
    /// Takes these block limits instead of those for the machine's caches (for tests and tuning).
    pub fn limit(&mut self, blocking: Option<Blocking>) {
        self.blocking = blocking;
    }

    /// The threads, for other work on the same cores.
    pub const fn team(&mut self) -> &mut Team {
        &mut self.team
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.team.threads()
    }

    #[cfg(test)]
    /// The instruction set that a product of `operand` will use.
    ///
    /// Errors: `GemmError::Unavailable`.
    pub fn isa(&self, operand: Operand) -> Result<Isa, GemmError> {
        choose(operand, self.only).map_err(GemmError::Unavailable)
    }

    product!(
        /// C = A B in f32.
        f32, f32, f32, F32, [
            #[cfg(target_arch = "x86_64")] Avx512 => avx512::F32,
            #[cfg(target_arch = "x86_64")] Avx2 => avx2::F32,
            #[cfg(target_arch = "aarch64")] Neon => neon::F32,
            Portable => portable::F32,
        ]
    );
    product!(
        /// C = A B in f64.
        f64, f64, f64, F64, [
            #[cfg(target_arch = "x86_64")] Avx512 => avx512::F64,
            #[cfg(target_arch = "x86_64")] Avx2 => avx2::F64,
            #[cfg(target_arch = "aarch64")] Neon => neon::F64,
            Portable => portable::F64,
        ]
    );
    product!(
        /// C = A B for bf16 operands with f32 accumulators.
        bf16, bf16, f32, Bf16, [
            #[cfg(target_arch = "x86_64")] Amx => amx::Bf16,
            #[cfg(target_arch = "x86_64")] Avx512Dot => avx512_dot::Bf16,
            #[cfg(target_arch = "x86_64")] Avx512 => Widen<bf16, avx512::F32>,
            #[cfg(target_arch = "x86_64")] Avx2 => Widen<bf16, avx2::F32>,
            #[cfg(target_arch = "aarch64")] Neon => Widen<bf16, neon::F32>,
            Portable => Widen<bf16, portable::F32>,
        ]
    );
    product!(
        /// C = A B for f16 operands with f32 accumulators.
        f16, f16, f32, F16, [
            #[cfg(target_arch = "x86_64")] Avx512 => Widen<f16, avx512::F32>,
            #[cfg(target_arch = "x86_64")] Avx2 => Widen<f16, avx2::F32>,
            #[cfg(target_arch = "aarch64")] Neon => Widen<f16, neon::F32>,
            Portable => Widen<f16, portable::F32>,
        ]
    );
    product!(
        /// C = A B for int8 operands, exact while the result fits i32 (k <= 131071), else modulo 2^32.
        i8, i8, i32, I8, [
            #[cfg(target_arch = "x86_64")] Amx => amx::I8,
            #[cfg(target_arch = "x86_64")] Avx512Dot => avx512_dot::I8,
            #[cfg(target_arch = "x86_64")] Avx2 => avx2::I8,
            Portable => portable::I8,
        ]
    );

    /// Runs the product with kernel `K`, which this CPU has.
    fn multiply<K: MicroKernel>(
        &mut self,
        s: Shape,
        a: &[K::In],
        b: &[K::In],
        c: &mut [K::Out],
    ) -> Result<(), GemmError> {
        check("a", s.m, s.k, a.len())?;
        check("b", s.k, s.n, b.len())?;
        check("c", s.m, s.n, c.len())?;
        if s.k == 0 {
            c.fill(K::Out::default());
        }
        if c.is_empty() || s.k == 0 {
            return Ok(());
        }
        let threads = self.team.threads();
        let limits = self.blocking.unwrap_or_else(Blocking::for_kernel::<K>);
        let plan = Plan::new::<K>(s.m, s.n, s.k, limits, threads);
        let panels = self.scratch.panels::<K>(&plan, threads).map_err(GemmError::Memory)?;
        let a = match s.a {
            Layout::RowMajor => View { start: a.as_ptr(), rows: s.k, cols: 1 },
            Layout::Transposed => View { start: a.as_ptr(), rows: 1, cols: s.m },
        };
        let b = View { start: b.as_ptr(), rows: s.n, cols: 1 };
        let product = Product { m: s.m, n: s.n, k: s.k, a, b, c: c.as_mut_ptr(), stride: s.n };
        // SAFETY: lengths match the shape, panels are sized by the plan, `choose` found the CPU
        // to have the kernel's instructions, and every member gets the same arguments.
        #[expect(unsafe_code, reason = "hands checked operands to the raw driver")]
        self.team.run(&|member| unsafe { driver::run::<K>(&product, &plan, &panels, member) });
        Ok(())
    }
}

/// Compares an operand's length with its shape.
fn check(operand: &'static str, rows: usize, cols: usize, have: usize) -> Result<(), GemmError> {
    let need = rows.saturating_mul(cols);
    if need == have { Ok(()) } else { Err(GemmError::Length { operand, need, have }) }
}

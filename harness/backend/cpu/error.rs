//! What can fail in the low layer of the CPU backend.

use std::path::PathBuf;

/// Failure of the low layer of the CPU backend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CpuError {
    /// No thread was asked for.
    #[error("cannot run on 0 threads: ask for 1 to {allowed}")]
    NoThreads {
        /// Cores that this process may use.
        allowed: usize,
    },
    /// More threads than cores.
    #[error("cannot run {asked} threads: this process may use {allowed} cores (affinity mask)")]
    TooManyThreads {
        /// Threads asked for.
        asked: usize,
        /// Cores that this process may use.
        allowed: usize,
    },
    /// The platform does not say which cores there are.
    #[error("cannot tell which cores this process may use")]
    UnknownCores,
    /// A kernel that the processor cannot execute.
    #[error("kernel {kernel} needs {isa}, which this machine does not offer")]
    Unavailable {
        /// Name of the row.
        kernel: &'static str,
        /// What it needs.
        isa: &'static str,
    },
    /// A chain count outside the kernel's family.
    #[error("kernel {kernel} exists for 1 to {most} chains, not {asked}")]
    NoSuchChains {
        /// Name of the row.
        kernel: &'static str,
        /// Chains asked for.
        asked: usize,
        /// Largest count.
        most: usize,
    },
    /// Accumulators of another kernel were passed.
    #[error("kernel {kernel} takes {expected} accumulators of its own type, got {got}")]
    WrongAccumulators {
        /// Name of the row.
        kernel: &'static str,
        /// Accumulators that it has.
        expected: usize,
        /// Accumulators that were passed.
        got: usize,
    },
    /// The processor computed something else than the scalar replay.
    #[cfg(test)]
    #[error(
        "kernel {kernel}: accumulator {index} differs from the scalar replay after {iterations} iterations"
    )]
    WrongValue {
        /// Name of the row.
        kernel: &'static str,
        /// First accumulator that differs.
        index: usize,
        /// Iterations executed.
        iterations: u64,
    },
    /// No chain of dependent adds outlasts the kernel.
    #[error("kernel {kernel}: no chain is long enough to tell the clock under its load")]
    NoLoadedClock {
        /// Name of the row.
        kernel: &'static str,
    },
    /// A duration of zero.
    #[error("the clock did not advance during {what}: use more iterations")]
    ZeroDuration {
        /// What was timed.
        what: &'static str,
    },
    /// A worker thread could not be started or is gone.
    #[error("no worker on core {core}: {reason}")]
    NoWorker {
        /// Core of the worker.
        core: usize,
        /// Why.
        reason: String,
    },
    /// The throughput table is malformed.
    #[error("throughput table {table}: {reason}")]
    Table {
        /// File or name of the table.
        table: PathBuf,
        /// What is wrong, with line and key where known.
        reason: String,
    },
}

//! What a device can fail with.

/// A device that did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// The device or its driver reported an error.
    #[error("{device}: {message}")]
    Device {
        /// Device, by its id.
        device: String,
        /// What was reported.
        message: String,
    },
    /// The device is gone and answers no more.
    #[error("{device}: the device is lost: {message}")]
    Lost {
        /// Device, by its id.
        device: String,
        /// What was reported.
        message: String,
    },
    /// The clock did not advance over a batch.
    #[error("{device}: no time passed over {iterations} iterations; the timer is too coarse or broken")]
    NoTime {
        /// Device, by its id.
        device: String,
        /// Iterations of the batch.
        iterations: u64,
    },
}

/// Why a case could not be made ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The device has no such unit, or the implementation not such a form.
    #[error("{reason}")]
    Unsupported {
        /// Why.
        reason: String,
    },
    /// The operands do not fit the memory.
    #[error("needs {needed}, and {available} can be had; give a smaller --shape")]
    Memory {
        /// Memory that the case needs.
        needed: String,
        /// Memory that can be had.
        available: String,
    },
    /// The device failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

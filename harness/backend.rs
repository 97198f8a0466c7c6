//! Where it runs: one folder per backend, and the two traits that they share. The only room with `unsafe`.

mod error;
pub mod scripted;
mod traits;

pub use error::{BackendError, LoadError};
pub use traits::{
    Backend, Batch, Conditions, Implementation, Interference, Loaded, OpenOptions, Output, Timer,
};

//! SIGINT and SIGTERM: remembered, so that what is running can end in order.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use signal_hook::consts::{SIGINT, SIGTERM};

use super::CliError;

/// A cell that holds the number of the first signal that came, or zero.
pub fn watch() -> Result<Arc<AtomicUsize>, CliError> {
    let cell = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM] {
        let number = usize::try_from(signal).unwrap_or(0);
        signal_hook::flag::register_usize(signal, Arc::clone(&cell), number).map_err(CliError::Output)?;
    }
    Ok(cell)
}

/// Name of the signal that came; `None` for zero.
pub fn name(number: usize) -> Option<&'static str> {
    match i32::try_from(number) {
        Ok(SIGINT) => Some("SIGINT"),
        Ok(SIGTERM) => Some("SIGTERM"),
        _ => None,
    }
}

//! Faults on demand, so that what happens then can be seen without a broken GPU. Software adapters only: a hardware
//! device never reads them.

/// What is to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The device is destroyed while it is measured.
    Lost,
    /// The adapter has no timestamps.
    NoTimestamps,
    /// Loops end one trip early, as those of a driver that miscounts.
    ShortLoops,
    /// Every shader fails validation.
    InvalidShader,
}

/// The variable that names one.
const VARIABLE: &str = "FLOPGAUGE_WGPU_FAULT";

impl Fault {
    /// The fault that the environment asks for.
    pub fn asked() -> Option<Self> {
        match std::env::var(VARIABLE).ok()?.as_str() {
            "lost" => Some(Self::Lost),
            "no-timestamps" => Some(Self::NoTimestamps),
            "short-loops" => Some(Self::ShortLoops),
            "invalid-shader" => Some(Self::InvalidShader),
            _ => None,
        }
    }
}

//! Faults on demand, so that what happens then can be seen without a broken GPU. Software adapters only: a hardware
//! device never reads them.

/// What is to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The device is destroyed while it is measured.
    Lost,
    /// The device is destroyed in its first product.
    LostInProduct,
    /// The adapter has no timestamps.
    NoTimestamps,
    /// Timestamps run three times as fast as time.
    FastTimestamps,
    /// Loops end one trip early in every kernel.
    ShortLoops,
    /// Loops end at 65,535 trips, as those of Mesa 22.
    MiscountedLoops,
    /// A binding holds 64 KiB and a dispatch three workgroups.
    Small,
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
            "lost-in-product" => Some(Self::LostInProduct),
            "no-timestamps" => Some(Self::NoTimestamps),
            "fast-timestamps" => Some(Self::FastTimestamps),
            "short-loops" => Some(Self::ShortLoops),
            "miscounted-loops" => Some(Self::MiscountedLoops),
            "small" => Some(Self::Small),
            "invalid-shader" => Some(Self::InvalidShader),
            _ => None,
        }
    }
}

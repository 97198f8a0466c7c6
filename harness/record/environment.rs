//! Where and how a record was made: `environment.json`, kind `environment/1`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::measure::METHOD_VERSION;
use crate::units::Bytes;

/// Everything around a run that a reader needs to judge or repeat it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// `flopgauge.environment/1`.
    pub format: String,
    /// Version of flopgauge.
    pub version: String,
    /// Commit that it was built from; `null` outside a checkout.
    pub commit: Option<String>,
    /// Version of the measuring method.
    pub method_version: String,
    /// The machine.
    pub host: Host,
    /// Arguments as typed.
    pub command_line: Vec<String>,
    /// Facts that each backend tells: drivers, libraries, limits, or why it is absent.
    pub backends: Vec<(String, String)>,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When it ended; `null` while it runs, or when it was killed.
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// How it ended; `null` while it runs, or when it was killed.
    pub ending: Option<Ending>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "how", content = "why", deny_unknown_fields)]
pub enum Ending {
    /// Every planned case has its outcome.
    Complete,
    /// Cut short, with the reason; every planned case still has its outcome.
    CutShort(String),
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Host name.
    pub name: Option<String>,
    /// Operating system and its version.
    pub os: Option<String>,
    /// Kernel version.
    pub kernel: Option<String>,
    /// Processor.
    pub cpu: Option<String>,
    /// Processors that the operating system shows.
    pub logical_cpus: Option<u32>,
    /// Main memory.
    pub memory_bytes: Option<Bytes>,
}

impl Environment {
    /// Kind and version.
    pub const KIND: &'static str = "environment/1";

    /// The environment of a run that begins.
    pub fn beginning(
        host: Host,
        command_line: Vec<String>,
        backends: Vec<(String, String)>,
        started: Timestamp,
    ) -> Self {
        Self {
            format: format!("flopgauge.{}", Self::KIND),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("FLOPGAUGE_COMMIT").map(str::to_owned),
            method_version: METHOD_VERSION.to_owned(),
            host,
            command_line,
            backends,
            started,
            ended: None,
            ending: None,
        }
    }
}

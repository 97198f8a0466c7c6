//! The file of one node, kind `node/1`, and the one that says that it has begun, kind `node-started/1`.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Reason, Tier, Verdict, device_checks};
use crate::device::{Device, DeviceKind};
use crate::measure::{METHOD_VERSION, Measured};
use crate::precision::{Accumulate, Precision};
use crate::record::Host;
use crate::units::{Bytes, Celsius, Estimate, Hertz, OpRate, Ratio, Seconds, Watts};
use crate::workload::{GemmShape, Method, Work};

/// Verdict on one node, with everything that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// `flopgauge.node/1`.
    pub format: String,
    /// Version of flopgauge.
    pub version: String,
    /// Commit that it was built from; `null` outside a checkout.
    pub commit: Option<String>,
    /// Version of the measuring method.
    pub method_version: String,
    /// The node's name.
    pub node: String,
    /// Of which job.
    pub run: RunIdentity,
    /// How much was asked.
    pub tier: Tier,
    /// By which spec.
    pub spec: SpecUsed,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When the verdict was made.
    #[schemars(with = "String")]
    pub ended: Timestamp,
    /// Why it ended before all was measured; `null` where it did not.
    pub cut_short: Option<String>,
    /// Whether any device is no hardware; a verdict on such a node says nothing of a machine.
    pub simulated: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The machine.
    pub host: Host,
    /// How a common start went; `null` where none was asked for.
    pub start: Option<StartReport>,
    /// What the spec asks and was not checked: in this tier, or of devices that are not here.
    pub not_checked: Vec<String>,
    /// Devices that were seen and not judged, and backends that found none; why.
    pub left_out: Vec<String>,
    /// Checks of the node as a whole.
    pub checks: Vec<CheckResult>,
    /// Its devices.
    pub devices: Vec<NodeDevice>,
}

impl NodeFile {
    /// Kind and version.
    pub const KIND: &'static str = "node/1";

    /// Whether a text is a node file, of whatever version.
    pub fn is_one(text: &str) -> bool {
        let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
        let format = value.as_ref().and_then(|value| value.get("format")?.as_str());
        format.is_some_and(|format| format.starts_with("flopgauge.node/"))
    }

    /// The method version that this program measures by.
    pub const fn method() -> &'static str {
        METHOD_VERSION
    }
}

/// Says that a node has begun: what lies there without a node file has died.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// `flopgauge.node-started/1`.
    pub format: String,
    /// Version of flopgauge.
    pub version: String,
    /// The node's name.
    pub node: String,
    /// Of which job.
    pub run: RunIdentity,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
}

impl Started {
    /// Kind and version.
    pub const KIND: &'static str = "node-started/1";
}

/// Which job a node file belongs to.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RunIdentity {
    /// The engine's job id; `null` outside of any.
    pub job: Option<String>,
    /// How often the job was started again.
    pub restart: u64,
    /// This process among those of the job.
    pub rank: Option<u64>,
}

impl RunIdentity {
    /// Whether two files are of one run of one job.
    pub fn is_of(&self, job: &str, restart: u64) -> bool {
        self.job.as_deref() == Some(job) && self.restart == restart
    }
}

impl fmt::Display for RunIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.job {
            Some(job) => write!(f, "job {job} restart {}", self.restart),
            None => write!(f, "no job"),
        }
    }
}

/// The spec of a verdict.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct SpecUsed {
    /// Its file, or `default`.
    pub name: String,
    /// SHA-256 of it.
    pub sha256: String,
}

/// How a common start went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartReport {
    /// Ranks that were to start.
    pub ranks: u64,
    /// Ranks that did not come in time.
    pub missing: Vec<u64>,
    /// The time that was agreed on.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How late this rank was by its own clock.
    pub late_s: Seconds,
}

/// A device's part in a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeDevice {
    /// Short name within the node.
    pub id: String,
    /// Name for good.
    pub uuid: Uuid,
    /// Model, as the driver or the processor spells it.
    pub model: String,
    /// Backend that reached it.
    pub backend: String,
    /// Whether it is real.
    pub kind: DeviceKind,
    /// Verdict on it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What should be equal on all nodes: driver, firmware, clocks, memory, limits.
    pub facts: BTreeMap<String, String>,
    /// Its checks.
    pub checks: Vec<CheckResult>,
    /// What was measured.
    pub figures: Vec<Figure>,
}

impl NodeDevice {
    /// What the driver tells of a device and should be equal on all nodes.
    pub fn facts(device: &Device) -> BTreeMap<String, String> {
        let mut facts = BTreeMap::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                facts.insert(name.to_owned(), value);
            }
        };
        put("driver", device.driver.clone());
        put("architecture", device.architecture.clone());
        put("units", device.units.map(|units| units.to_string()));
        put("reported_clock_hz", device.reported_clock_hz.map(|clock| format!("{:.0}", clock.get())));
        put("memory_bytes", device.memory_bytes.map(|bytes| bytes.get().to_string()));
        put("pci_id", device.pci_id.clone());
        facts
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// Its name, as in `gemm_bf16`.
    pub check: String,
    /// Verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What was found; `null` where nothing was.
    pub value: Option<Quantity>,
    /// What was asked for; `null` where that is no quantity, or not known.
    pub limit: Option<Quantity>,
    /// Where the limit comes from.
    pub limit_from: Option<String>,
}

impl CheckResult {
    /// A check without quantities.
    pub fn plain(check: &str, verdict: Verdict, reason: &str) -> Self {
        let (check, reason) = (check.to_owned(), Reason::new(reason));
        Self { check, verdict, reason, value: None, limit: None, limit_from: None }
    }

    /// Whether it is the check of this name: a second one of the same name has a number behind it.
    pub fn is_named(&self, name: &str) -> bool {
        let rest = self.check.strip_prefix(name);
        let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('_').is_some_and(is_number))
    }

    /// The same with what was found and what was asked for.
    #[must_use]
    pub fn with(self, value: Quantity, limit: Quantity, from: &str) -> Self {
        Self { value: Some(value), limit: Some(limit), limit_from: Some(from.to_owned()), ..self }
    }
}

/// A value with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "unit", content = "value", deny_unknown_fields)]
pub enum Quantity {
    /// Rate of floating-point operations.
    #[serde(rename = "FLOP/s")]
    Flops(OpRate),
    /// Rate of integer operations.
    #[serde(rename = "OP/s")]
    Ops(OpRate),
    /// A share.
    #[serde(rename = "ratio")]
    Share(Ratio),
    /// Temperature.
    #[serde(rename = "degC")]
    Temperature(Celsius),
    /// Memory.
    #[serde(rename = "B")]
    Memory(Bytes),
    /// A number of things.
    #[serde(rename = "count")]
    Count(u64),
}

impl Quantity {
    /// A rate in a number format.
    pub const fn rate(rate: OpRate, precision: Precision) -> Self {
        if precision.is_integer() { Self::Ops(rate) } else { Self::Flops(rate) }
    }

    /// Symbol of the unit.
    pub const fn unit(&self) -> &'static str {
        match self {
            Self::Flops(_) => "FLOP/s",
            Self::Ops(_) => "OP/s",
            Self::Share(_) => "ratio",
            Self::Temperature(_) => "degC",
            Self::Memory(_) => "B",
            Self::Count(_) => "count",
        }
    }

    /// The number alone, in the unit.
    pub const fn number(&self) -> f64 {
        match self {
            Self::Flops(rate) | Self::Ops(rate) => rate.get(),
            Self::Share(ratio) => ratio.get(),
            Self::Temperature(celsius) => celsius.get(),
            #[expect(clippy::cast_precision_loss, reason = "shown, not compared")]
            Self::Memory(bytes) => bytes.get() as f64,
            #[expect(clippy::cast_precision_loss, reason = "shown, not compared")]
            Self::Count(count) => *count as f64,
        }
    }

    /// The number as a plain decimal, with an exponent that is a multiple of three for rates: `970.5e12`.
    pub fn text(&self) -> String {
        match self {
            Self::Flops(rate) | Self::Ops(rate) => engineering(rate.get()),
            Self::Share(ratio) => format!("{:.4}", ratio.get()),
            Self::Temperature(celsius) => format!("{:.1}", celsius.get()),
            Self::Memory(bytes) => bytes.get().to_string(),
            Self::Count(count) => count.to_string(),
        }
    }
}

fn engineering(value: f64) -> String {
    let steps = [(1e18, 18), (1e15, 15), (1e12, 12), (1e9, 9), (1e6, 6), (1e3, 3)];
    // 970.5e12 rather than 0.9705e15: the step is the largest that leaves at least one digit before the point.
    match steps.iter().find(|(step, _)| value >= *step) {
        Some((step, exponent)) => format!("{:.4}e{exponent}", value / step),
        None => format!("{value:.4}"),
    }
}

/// A measured rate with what is needed to compare it with other devices'.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// How it was obtained.
    pub method: Method,
    /// Which implementation.
    pub implementation: String,
    /// Extents of the product.
    pub shape: Option<GemmShape>,
    /// Median with its interval.
    pub rate_op_per_s: Estimate<OpRate>,
    /// Number of samples.
    pub samples: usize,
    /// Median clock while sampling.
    pub clock_hz: Option<Hertz>,
    /// Median power while sampling.
    pub power_w: Option<Watts>,
    /// Highest temperature of the case.
    pub temperature_c: Option<Celsius>,
    /// Whether rate, clock and power were flat.
    pub steady: bool,
    /// Checks of the values that passed.
    pub verified: Vec<String>,
}

impl Figure {
    /// The figure of a measured case; `None` without samples.
    pub fn of(measured: &Measured) -> Option<Self> {
        let headline = measured.headline()?;
        let shape = match measured.case.work {
            Work::Issue | Work::Copy { .. } => None,
            Work::Gemm { shape, .. } => Some(shape),
        };
        Some(Self {
            precision: measured.case.precision,
            accumulate: measured.case.accumulate,
            method: measured.case.work.method(),
            implementation: measured.case.implementation.clone(),
            shape,
            rate_op_per_s: headline.statistics.rate_op_per_s,
            samples: headline.statistics.samples,
            clock_hz: measured.clock(),
            power_w: measured.power(),
            temperature_c: hottest(measured),
            steady: measured.is_steady(),
            verified: measured.checks.iter().filter(|c| c.passed).map(|c| c.name.clone()).collect(),
        })
    }
}

/// Highest temperature that was read at any time of a case.
fn hottest(measured: &Measured) -> Option<Celsius> {
    let readings = device_checks::conditions(measured).filter_map(|conditions| conditions.temperature_c);
    readings.reduce(|most, now| if now > most { now } else { most })
}

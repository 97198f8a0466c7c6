//! What a collection keeps of a node file: the not so good, the rates, the facts, and the rows of its table.

use std::collections::BTreeSet;

use super::{
    CheckResult, DeviceRate, FleetDevice, FleetNode, NodeDevice, NodeFile, NodeState, Quantity, Verdict,
    table,
};
use crate::precision::Precision;
use crate::units::{OpRate, Seconds};
use crate::workload::Method;

/// A fact of a node: model that it is of, what it is, its value.
pub(super) type Fact = (Option<String>, String, String);

/// What is kept of a node.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    /// Its part of the fleet file.
    pub node: FleetNode,
    /// What should be equal on all nodes.
    pub facts: BTreeSet<Fact>,
    /// Its checks as lines of the fleet's table.
    pub rows: Vec<u8>,
}

/// What is kept of a node file that counts.
pub(super) fn summarise(file: &NodeFile) -> Report {
    let not_passed = |checks: &[CheckResult]| -> Vec<CheckResult> {
        checks.iter().filter(|check| check.verdict != Verdict::Pass).cloned().collect()
    };
    let device = |device: &NodeDevice| FleetDevice {
        id: device.id.clone(),
        uuid: device.uuid,
        model: device.model.clone(),
        backend: device.backend.clone(),
        kind: device.kind,
        verdict: device.verdict,
        checks: not_passed(&device.checks),
        rates: rates(device),
    };
    let hardware = |device: &NodeDevice| device.kind == crate::device::DeviceKind::Hardware;
    let node = FleetNode {
        node: file.node.clone(),
        state: NodeState::Reported,
        verdict: file.verdict,
        reason: file.reason.clone(),
        own_verdict: Some(file.verdict),
        tier: Some(file.tier),
        // A clock that was set back in between gives no duration.
        duration_s: Seconds::new(file.ended.duration_since(file.started).as_secs_f64()).ok(),
        simulated: Some(file.simulated || !file.devices.iter().all(hardware)),
        devices: file.devices.iter().map(device).collect(),
        checks: not_passed(&file.checks),
    };
    Report { node, facts: facts(file), rows: table::checks(file) }
}

/// Verified rates of a device: in each case the slowest, since the worst of a node's repeats counts.
pub(super) fn rates(device: &NodeDevice) -> Vec<DeviceRate> {
    let mut rates: Vec<DeviceRate> = Vec::new();
    let figures = device.figures.iter().filter(|f| f.method != Method::Copy && !f.verified.is_empty());
    for figure in figures {
        let rate = DeviceRate {
            method: figure.method,
            precision: figure.precision,
            accumulate: figure.accumulate,
            rate_op_per_s: figure.rate_op_per_s.median,
            floor_op_per_s: floor(device, figure.method, figure.precision),
        };
        match rates.iter_mut().find(|kept| kept.case() == rate.case()) {
            Some(kept) => kept.rate_op_per_s = slower(kept.rate_op_per_s, rate.rate_op_per_s),
            None => rates.push(rate),
        }
    }
    rates.sort_by_key(DeviceRate::case);
    rates
}

/// The greatest rate that the device's checks asked for with a method and a format of operands.
fn floor(device: &NodeDevice, method: Method, precision: Precision) -> Option<OpRate> {
    let name = format!("{method}_{precision}");
    let same = |check: &&CheckResult| check.is_named(&name);
    let limit = |check: &CheckResult| match check.limit {
        Some(Quantity::Flops(rate) | Quantity::Ops(rate)) => Some(rate),
        _ => None,
    };
    device.checks.iter().filter(same).filter_map(limit).reduce(|a, b| if a < b { b } else { a })
}

fn slower(a: OpRate, b: OpRate) -> OpRate {
    if b < a { b } else { a }
}

/// What should be equal on all nodes of a fleet.
fn facts(file: &NodeFile) -> BTreeSet<Fact> {
    let mut facts = BTreeSet::new();
    let host = &file.host;
    // Firmware takes some memory that differs by a page or so; a missing module differs by more.
    let memory = host.memory_bytes.map(|bytes| format!("{} GiB", (bytes.get() + (1 << 29)) >> 30));
    let mut models: Vec<&str> = file.devices.iter().map(|device| device.model.as_str()).collect();
    models.sort_unstable();
    let of_the_node = [
        ("flopgauge_version", Some(file.version.clone())),
        ("flopgauge_commit", file.commit.clone()),
        ("method_version", Some(file.method_version.clone())),
        ("tier", Some(file.tier.name().to_owned())),
        ("spec_sha256", Some(file.spec.sha256.clone())),
        ("devices", Some(counted(&models))),
        ("os", host.os.clone()),
        ("kernel", host.kernel.clone()),
        ("cpu", host.cpu.clone()),
        ("logical_cpus", host.logical_cpus.map(|count| count.to_string())),
        ("memory", memory),
    ];
    for (fact, value) in of_the_node {
        facts.extend(value.map(|value| (None, fact.to_owned(), value)));
    }
    for device in &file.devices {
        let of_the_device = device.facts.iter().map(|(fact, value)| (fact.clone(), value.clone()));
        let kind = ("kind".to_owned(), device.kind.name().to_owned());
        for (fact, value) in of_the_device.chain([kind]) {
            facts.insert((Some(device.model.clone()), fact, value));
        }
    }
    facts
}

/// Sorted names with their number: `8 x A, 1 x B`.
fn counted(names: &[&str]) -> String {
    let runs = names.chunk_by(|a, b| a == b);
    runs.filter_map(|run| Some(format!("{} x {}", run.len(), run.first()?))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_of_no_format_whose_name_only_begins_like_its_own() {
        let named = |check: &str, name: &str| CheckResult::plain(check, Verdict::Pass, "").is_named(name);
        assert!(named("gemm_fp32", "gemm_fp32") && named("gemm_fp32_2", "gemm_fp32"));
        for other in
            ["gemm_fp32_", "gemm_fp32_x", "gemm_fp32_2_3", "gemm_fp32x2", "gemm_fp3", "trend_gemm_fp32"]
        {
            assert!(!named(other, "gemm_fp32"), "{other}");
        }
        // No two cases share a check, whatever formats are added.
        let names: Vec<String> = [Method::Gemm, Method::Issue, Method::Copy]
            .iter()
            .flat_map(|method| Precision::ALL.map(|precision| format!("{method}_{precision}")))
            .collect();
        for (one, other) in names.iter().flat_map(|one| names.iter().map(move |other| (one, other))) {
            for check in [one.clone(), format!("{one}_2")] {
                assert_eq!(named(&check, other), one == other, "{check} {other}");
            }
        }
    }
}

//! The table of a fleet, `fleet.csv`: a line for each node, and below it a line for each of its checks.

use super::{CheckResult, Fleet, FleetDevice, FleetNode, NodeFile, NodeState};

/// Columns of the table, in order; `check` is `node` on the line of a node as a whole.
pub const FLEET_COLUMNS: [&str; 13] = [
    "node",
    "state",
    "device",
    "uuid",
    "model",
    "kind",
    "check",
    "verdict",
    "value",
    "unit",
    "limit",
    "limit_from",
    "reason",
];

/// What a check is of.
struct Subject<'a> {
    node: &'a str,
    state: NodeState,
    device: [&'a str; 4],
}

/// Lines of the checks that a node made, passed ones included.
pub(super) fn checks(file: &NodeFile) -> Vec<u8> {
    let mut lines = Lines::new();
    for check in &file.checks {
        lines.check(&own(file, [""; 4]), check);
    }
    for device in &file.devices {
        let uuid = device.uuid.to_string();
        let who = own(file, [&device.id, &uuid, &device.model, device.kind.name()]);
        for check in &device.checks {
            lines.check(&who, check);
        }
    }
    lines.finish()
}

const fn own<'a>(file: &'a NodeFile, device: [&'a str; 4]) -> Subject<'a> {
    Subject { node: file.node.as_str(), state: NodeState::Reported, device }
}

/// The whole table; `rows` are the lines of the nodes' own checks, in the order of the fleet's nodes.
pub(super) fn table<'a>(fleet: &Fleet, rows: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut head = Lines::new();
    head.write(FLEET_COLUMNS);
    let mut bytes = head.finish();
    for (node, own) in fleet.nodes.iter().zip(rows) {
        let mut lines = Lines::new();
        let name = [&node.node, node.state.name(), "", "", "", "", "node"];
        let rest = [node.verdict.name(), "", "", "", "", node.reason.as_str()];
        lines.write(name.into_iter().chain(rest));
        added(&mut lines, node);
        bytes.extend_from_slice(&lines.finish());
        bytes.extend_from_slice(own);
    }
    bytes
}

/// Checks that the fleet itself made of a node's devices.
fn added(lines: &mut Lines, node: &FleetNode) {
    let outlier = |check: &&CheckResult| check.check.starts_with(super::groups::OUTLIER);
    let checked = |device: &FleetDevice| device.checks.iter().any(|check| outlier(&check));
    for device in node.devices.iter().filter(|device| checked(device)) {
        let uuid = device.uuid.to_string();
        let who = [&*device.id, &uuid, &device.model, device.kind.name()];
        let who = Subject { node: &node.node, state: node.state, device: who };
        for check in device.checks.iter().filter(outlier) {
            lines.check(&who, check);
        }
    }
}

struct Lines {
    writer: csv::Writer<Vec<u8>>,
}

impl Lines {
    fn new() -> Self {
        Self { writer: csv::Writer::from_writer(Vec::new()) }
    }

    fn check(&mut self, of: &Subject<'_>, check: &CheckResult) {
        let number = |quantity: Option<super::Quantity>| quantity.map(|q| q.number().to_string());
        let (value, limit) = (number(check.value), number(check.limit));
        let unit = check.value.or(check.limit).map_or("", |quantity| quantity.unit());
        let [device, uuid, model, kind] = of.device;
        self.write([
            of.node,
            of.state.name(),
            device,
            uuid,
            model,
            kind,
            &check.check,
            check.verdict.name(),
            value.as_deref().unwrap_or(""),
            unit,
            limit.as_deref().unwrap_or(""),
            check.limit_from.as_deref().unwrap_or(""),
            check.reason.as_str(),
        ]);
    }

    fn write<'a>(&mut self, fields: impl IntoIterator<Item = &'a str>) {
        // A vector takes every byte, and every line has the thirteen fields; there is no error to tell.
        let _ = self.writer.write_record(fields);
    }

    fn finish(self) -> Vec<u8> {
        self.writer.into_inner().unwrap_or_default()
    }
}

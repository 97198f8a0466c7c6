//! Which devices of a node are judged: those of the kinds that the spec accepts, each once, and never a CPU by chance.

use crate::accept::Spec;
use crate::backend::{Search, probe};
use crate::cli::CliError;
use crate::cli::choice::{SearchArgs, choose, search};
use crate::device::{Device, DeviceKind};

/// The devices to judge.
pub struct Found {
    /// Where they were looked for.
    pub search: Search,
    /// The devices, in order.
    pub devices: Vec<Device>,
    /// Devices that are there and not judged, and why, then backends that found nothing.
    pub left_out: Vec<String>,
}

/// Those that the user names, or those that the spec is about; there may be none.
pub fn find(args: &SearchArgs, named: &[String], spec: &Spec) -> Result<Found, CliError> {
    if !named.is_empty() {
        let chosen = choose(args, named, false)?;
        return Ok(Found { search: chosen.search, devices: chosen.devices, left_out: Vec::new() });
    }
    let search = search(args)?;
    let probes = probe(&search)?;
    let all: Vec<&Device> = probes.iter().filter_map(|probe| probe.devices.as_ref().ok()).flatten().collect();
    let mut found = Found { search, devices: Vec::new(), left_out: Vec::new() };
    for device in &all {
        match left_out(device, &all, spec) {
            Some(why) => found.left_out.push(why),
            None => found.devices.push((*device).clone()),
        }
    }
    let absent = probes.iter().filter_map(|p| Some(format!("{}: {}", p.backend, p.devices.as_ref().err()?)));
    found.left_out.extend(absent);
    Ok(found)
}

fn left_out(device: &Device, all: &[&Device], spec: &Spec) -> Option<String> {
    let id = &device.id;
    if !spec.node.kinds.contains(&device.kind) {
        return Some(format!("{id} is {}, which the spec does not accept", device.kind));
    }
    let is_named = |device: &Device| {
        spec.requirements.iter().any(|need| need.device.is_a_name() && need.device.matches(&device.model))
    };
    if device.backend == "cpu" && !is_named(device) {
        return Some(format!("{id} is a CPU, which counts only when the spec or --device names it"));
    }
    let twin = all.iter().find(|other| is_same(device, other))?;
    Some(format!("{id} is {} again", twin.id))
}

/// Whether a portable backend shows what a maker's own backend shows too; one device must not count as two.
fn is_same(device: &Device, other: &Device) -> bool {
    let portable = device.backend == "wgpu" && device.kind == DeviceKind::Hardware;
    let own = !matches!(other.backend.as_str(), "wgpu" | "cpu") && other.kind == DeviceKind::Hardware;
    let part = device.pci_id.is_some() && device.pci_id == other.pci_id;
    portable && own && (device.uuid == other.uuid || part || device.model == other.model)
}

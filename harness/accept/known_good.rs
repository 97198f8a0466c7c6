//! A baseline from node files: outliers are taken out one round after another, until none is left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::outliers::{LEAST_SHARE_OF_RATE, LEAST_VALUES, Middle};
use super::reports::{is_of_a_fleet, is_of_another_kind, node_file};
use super::summary::summarise;
use super::{
    AcceptError, Baseline, BaselineFact, BaselineRate, BaselineSource, FleetDevice, NodeFile, OutlierRule,
    Removed, Side, Verdict, counted, drift, hosts,
};
use crate::device::DeviceKind;
use crate::files::FileError;
use crate::precision::{Accumulate, Precision};
use crate::units::OpRate;
use crate::workload::Method;

/// A node file with its SHA-256.
struct Source {
    name: String,
    sha256: String,
    file: NodeFile,
}

/// A device's rate in one case, with where it is.
#[derive(Debug, Clone, Copy)]
struct Member<'a> {
    node: &'a str,
    device: &'a FleetDevice,
    rate: OpRate,
}

impl Baseline {
    /// The baseline of node files, or of all those in a directory; a rate must come from `least` devices.
    ///
    /// Errors: [`AcceptError::File`] for a file that cannot be read; [`AcceptError::NotGood`] for nodes that did not
    /// pass, devices that are no hardware or occur twice, methods that differ, and too few devices.
    pub fn of(paths: &[PathBuf], least: u64) -> Result<Self, AcceptError> {
        let mut sources = read(paths)?;
        sources.sort_by(|a, b| (&a.file.node, &a.sha256).cmp(&(&b.file.node, &b.sha256)));
        let method_version = admit(&sources)?;
        let reports: Vec<_> = sources.iter().map(|source| summarise(&source.file)).collect();
        let facts = drift::device_facts(reports.iter().map(|r| (r.node.node.as_str(), &r.facts)));
        let fact = |(model, fact, values)| BaselineFact { model, fact, values };
        let mut groups: BTreeMap<Key<'_>, Vec<Member<'_>>> = BTreeMap::new();
        for node in reports.iter().map(|report| &report.node) {
            for device in &node.devices {
                for rate in &device.rates {
                    let member = Member { node: &node.node, device, rate: rate.rate_op_per_s };
                    groups.entry((&device.model, &device.backend, rate.case())).or_default().push(member);
                }
            }
        }
        let rates: Vec<BaselineRate> =
            groups.into_iter().map(|(key, members)| pool(key, members, least)).collect::<Result<_, _>>()?;
        if rates.is_empty() {
            return Err(AcceptError::NotGood("there is no verified rate in the node files".to_owned()));
        }
        let names: Vec<String> = reports.iter().map(|report| report.node.node.clone()).collect();
        let devices: BTreeSet<_> =
            reports.iter().flat_map(|r| r.node.devices.iter().map(|d| d.uuid)).collect();
        let rule = OutlierRule::standard();
        Ok(Self {
            format: format!("flopgauge.{}", Self::KIND),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("FLOPGAUGE_COMMIT").map(str::to_owned),
            method_version,
            nodes: hosts::fold(&names),
            node_count: count(names.iter().collect::<BTreeSet<_>>().len()),
            device_count: count(devices.len()),
            least_devices: least,
            least_score_limit: rule.least_score_limit,
            least_share_of_rate: rule.least_share_of_rate,
            sources: sources.iter().map(Source::told).collect(),
            facts: facts.into_iter().map(fact).collect(),
            rates,
        })
    }

    /// Indented JSON with sorted keys.
    ///
    /// Errors: those of `serde_json`, for what no JSON can hold.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        // A map of serde_json keeps its keys sorted.
        Ok(serde_json::to_string_pretty(&serde_json::to_value(self)?)? + "\n")
    }
}

type Key<'a> = (&'a str, &'a str, (Method, Precision, Accumulate));

impl Source {
    fn told(&self) -> BaselineSource {
        let file = &self.file;
        BaselineSource {
            file: self.name.clone(),
            sha256: self.sha256.clone(),
            node: file.node.clone(),
            job: file.run.job.clone(),
            restart: file.run.restart,
            version: file.version.clone(),
            commit: file.commit.clone(),
            tier: file.tier,
            spec: file.spec.clone(),
            started: file.started,
            ended: file.ended,
        }
    }
}

fn read(paths: &[PathBuf]) -> Result<Vec<Source>, AcceptError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(inside(path)?);
        } else {
            files.push(path.clone());
        }
    }
    let one = |path: &PathBuf| {
        let (file, text) = node_file(path)?;
        let sha256 = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Source { name, sha256, file })
    };
    files.par_iter().map(one).collect()
}

/// The node files in a directory; one that is broken is an error further on, and not left out.
fn inside(directory: &Path) -> Result<Vec<PathBuf>, AcceptError> {
    let failed = |source| FileError::Read { path: directory.display().to_string(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let may_be = name.ends_with(".json") && !name.starts_with('.') && !name.ends_with(".started.json");
        if may_be && !is_of_a_fleet(directory, &name) && !is_of_another_kind(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        let (path, reason) = (directory.display().to_string(), "there is no node file in it".to_owned());
        return Err(AcceptError::Directory { path, reason });
    }
    files.sort();
    Ok(files)
}

/// The one version of the method, where every node may be a model for others.
fn admit(sources: &[Source]) -> Result<String, AcceptError> {
    let refuse = |what: &str, bad: Vec<&Source>| match bad.is_empty() {
        true => Ok(()),
        false => {
            let names: Vec<String> = bad.iter().map(|source| source.file.node.clone()).collect();
            Err(AcceptError::NotGood(format!("{what}: {}; leave them out", hosts::fold(&names))))
        }
    };
    let soft = |s: &&Source| {
        s.file.simulated || s.file.devices.iter().any(|device| device.kind != DeviceKind::Hardware)
    };
    refuse("software or simulated devices say nothing of hardware", sources.iter().filter(soft).collect())?;
    let not_passed = |s: &&Source| s.file.verdict != Verdict::Pass;
    refuse("nodes that did not pass are not known to be good", sources.iter().filter(not_passed).collect())?;
    let mut seen = BTreeMap::new();
    for source in sources {
        for device in &source.file.devices {
            if let Some(first) = seen.insert(device.uuid, &source.name) {
                let twice = format!("device {} is in {first} and in {}", device.uuid, source.name);
                return Err(AcceptError::NotGood(format!(
                    "{twice}; a device counts once, give one file of it"
                )));
            }
        }
    }
    let one = |what: &str, of: fn(&NodeFile) -> &str| -> Result<String, AcceptError> {
        let all: BTreeSet<&str> = sources.iter().map(|source| of(&source.file)).collect();
        let joined = all.iter().copied().collect::<Vec<_>>().join(" and ");
        if all.len() == 1 {
            return Ok(joined);
        }
        Err(AcceptError::NotGood(format!(
            "rates of different {what} are not pooled: {joined}; give those of one"
        )))
    };
    one("tiers", |file| file.tier.name())?;
    one("method versions", |file| &file.method_version)
}

/// The rate of a case, without outliers.
fn pool(
    (model, backend, case): Key<'_>,
    mut members: Vec<Member<'_>>,
    least: u64,
) -> Result<BaselineRate, AcceptError> {
    let name = format!("{model} ({backend}) {} {} with sums in {}", case.0, case.1, case.2.name());
    let least = usize::try_from(least).unwrap_or(usize::MAX).max(LEAST_VALUES);
    let few = |left: usize, removed: usize| {
        let out =
            if removed == 0 { String::new() } else { format!(" without {}", counted(removed, "outlier")) };
        AcceptError::NotGood(format!(
            "{name}: {}{out}, and at least {least} are needed",
            counted(left, "device")
        ))
    };
    let mut removed: Vec<Removed> = Vec::new();
    loop {
        if members.len() < least {
            return Err(few(members.len(), removed.len()));
        }
        let rates: Vec<f64> = members.iter().map(|member| member.rate.get()).collect();
        let Some(middle) = Middle::of(&rates) else { return Err(few(0, removed.len())) };
        let round = removed.last().map_or(1, |last| last.round + 1);
        let outside = |member: &Member<'_>| middle.side(member.rate.get(), LEAST_SHARE_OF_RATE);
        let out: Vec<Removed> =
            members.iter().filter_map(|m| Some(take_out(m, outside(m)?, round, &middle))).collect();
        if out.is_empty() {
            return finish((model, backend, case), &members, &middle, removed).ok_or_else(|| few(0, 0));
        }
        removed.extend(out);
        members.retain(|member| outside(member).is_none());
    }
}

fn take_out(member: &Member<'_>, side: Side, round: u64, middle: &Middle) -> Removed {
    let share = 100.0 * member.rate.get() / middle.median;
    let score = middle.score(member.rate.get());
    let limit = middle.limit().unwrap_or_default();
    let by = score.map_or("where most are equal".to_owned(), |score| {
        format!("modified z-score {:.1}, limit {:.1}", score.get(), limit.get())
    });
    Removed {
        node: member.node.to_owned(),
        device: member.device.id.clone(),
        uuid: member.device.uuid,
        round,
        side,
        rate_op_per_s: member.rate,
        median_op_per_s: OpRate::new(middle.median).unwrap_or_default(),
        score,
        score_limit: limit,
        reason: format!("{share:.1} % of the median, {by}"),
    }
}

fn finish(
    (model, backend, (method, precision, accumulate)): Key<'_>,
    members: &[Member<'_>],
    middle: &Middle,
    removed: Vec<Removed>,
) -> Option<BaselineRate> {
    let rates = members.iter().map(|member| member.rate.get());
    let nodes: BTreeSet<&str> = members.iter().map(|member| member.node).collect();
    Some(BaselineRate {
        model: model.to_owned(),
        backend: backend.to_owned(),
        method,
        precision,
        accumulate,
        devices: count(members.len()),
        nodes: count(nodes.len()),
        minimum_op_per_s: OpRate::new(rates.clone().reduce(f64::min)?).ok()?,
        median_op_per_s: OpRate::new(middle.median).ok()?,
        maximum_op_per_s: OpRate::new(rates.reduce(f64::max)?).ok()?,
        median_deviation_op_per_s: OpRate::new(middle.deviation).ok()?,
        score_limit: middle.limit()?,
        removed,
    })
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

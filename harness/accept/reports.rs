//! What nodes left in a directory: each expected node in exactly one state, and nothing counted that is not of the run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::summary::{Report, summarise};
use super::{
    AcceptError, FleetNode, IgnoredFiles, NodeFile, NodeState, Reason, RunIdentity, Started, Verdict,
};
use super::{REASON_PREFIX, hosts};
use crate::files::{FileError, parse_json, read_text};
use crate::units::Bytes;

/// Greatest node file that is read; ten minutes of load on sixteen devices leave a tenth of it.
const NODE_FILE_LIMIT: Bytes = Bytes::new(64 << 20);

/// Bytes of a fleet file in which its format stands.
const HEAD: u64 = 4096;

/// Names of ignored files that are told.
const EXAMPLES: usize = 5;

/// What a collection writes, where it may lie beside the node files.
pub const FLEET_FILES: [&str; 4] = ["fleet.csv", "passing_nodes.txt", "failing_nodes.txt", "fleet.json"];

/// Whose files are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// Nodes that are to have reported, each once, in natural order.
    pub expected: Vec<String>,
    /// Engine's job id; `None` for nodes that were of no job.
    pub job: Option<String>,
    /// Its restart count.
    pub restart: u64,
}

impl Sought {
    fn is_it(&self, run: &RunIdentity) -> bool {
        run.job == self.job && run.restart == self.restart
    }
}

/// What a directory holds of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reports {
    /// Expected nodes, then those that nobody expected.
    pub nodes: Vec<Report>,
    /// Files that nothing was taken from.
    pub ignored: IgnoredFiles,
    /// Other runs whose node files lie there, in words, with their number.
    pub other_runs: BTreeMap<String, u64>,
}

/// What a `.json` file turned out to be.
enum Content {
    /// A node file of the run that is looked for.
    Ours(Box<Report>),
    /// A node file of another run.
    Other(RunIdentity),
    /// A file that cannot be read, and why.
    Bad(String),
}

/// Reads everything that nodes left in a directory; does not look into directories in it.
///
/// Errors: [`AcceptError::File`] where the directory itself cannot be read.
pub(super) fn reports(directory: &Path, sought: &Sought) -> Result<Reports, AcceptError> {
    let listing = Listing::of(directory)?;
    let read = |stem: &String| (stem.clone(), content(directory, stem, sought));
    let mut contents: BTreeMap<String, Content> = listing.stems.par_iter().map(read).collect();
    let expected: BTreeSet<&str> = sought.expected.iter().map(String::as_str).collect();
    let mut found = Reports { ignored: listing.ignored, ..Reports::default() };
    let strangers: Vec<String> =
        contents.keys().filter(|stem| !expected.contains(stem.as_str())).cloned().collect();
    // Files under another name than their node's: each is one more claim to speak for it.
    let mut claims: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut unexpected: BTreeMap<String, Report> = BTreeMap::new();
    for (stem, content) in &contents {
        match content {
            Content::Ours(report) if report.node.node != *stem => {
                claims.entry(report.node.node.clone()).or_default().push(format!("{stem}.json"));
            }
            Content::Other(run) => *found.other_runs.entry(run.to_string()).or_default() += 1,
            Content::Ours(_) | Content::Bad(_) => {}
        }
    }
    for stem in strangers {
        match contents.remove(&stem) {
            Some(Content::Ours(report)) if !expected.contains(report.node.node.as_str()) => {
                unexpected.insert(report.node.node.clone(), stranger(*report));
            }
            Some(Content::Bad(_)) => found.ignore(format!("{stem}.json")),
            _ => {}
        }
    }
    let begun = |node: &String| started(directory, node, sought);
    let state = |(node, own): (&String, Option<Content>)| {
        resolve(node, own, claims.get(node).map_or(&[], Vec::as_slice), begun, sought)
    };
    let pairs: Vec<_> = sought.expected.iter().map(|node| (node, contents.remove(node))).collect();
    found.nodes = pairs.into_par_iter().map(state).collect();
    let names = hosts::sorted(unexpected.keys().cloned().collect());
    found.nodes.extend(names.iter().filter_map(|name| unexpected.remove(name)));
    Ok(found)
}

impl Reports {
    fn ignore(&mut self, name: String) {
        self.ignored.count += 1;
        self.ignored.examples.push(name);
        self.ignored.examples.sort();
        self.ignored.examples.truncate(EXAMPLES);
    }
}

/// Names in a directory.
struct Listing {
    /// `NODE` of each `NODE.json`.
    stems: Vec<String>,
    /// Other files than those that belong to nodes and fleets.
    ignored: IgnoredFiles,
}

impl Listing {
    fn of(directory: &Path) -> Result<Self, AcceptError> {
        let failed = |source| FileError::Read { path: directory.display().to_string(), source };
        let mut found = Reports::default();
        let mut stems = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let companion = [".started.json", ".junit.xml", ".prom"].iter().any(|end| name.ends_with(end));
            // Hidden files are those that are being written.
            if name.starts_with('.') || companion || is_of_a_fleet(directory, &name) {
                continue;
            }
            match name.strip_suffix(".json") {
                Some(stem) => stems.push(stem.to_owned()),
                None if entry.path().is_dir() => {}
                None => found.ignore(name),
            }
        }
        stems.sort_unstable();
        Ok(Self { stems, ignored: found.ignored })
    }
}

/// Whether a file is what an earlier collection left; a node may be called `fleet`, and then its file is its own.
pub(super) fn is_of_a_fleet(directory: &Path, name: &str) -> bool {
    FLEET_FILES.contains(&name) && (name != "fleet.json" || is_fleet_file(&directory.join(name)))
}

/// Whether a file is the verdict on a fleet, by its head alone: it can be large.
pub fn is_fleet_file(path: &Path) -> bool {
    let mut head = Vec::new();
    // A pipe in the place of a file would be waited for without end.
    if !path.is_file() {
        return false;
    }
    let read = std::fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains("\"flopgauge.fleet/")
}

/// Whether a file says that it is something else than a node's; one that says nothing may be a broken one.
pub(super) fn is_of_another_kind(path: &Path) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        format: Option<String>,
    }
    let text = path.is_file().then(|| read_text(path, NODE_FILE_LIMIT).ok()).flatten();
    let head: Option<Head> = text.and_then(|text| serde_json::from_str(&text).ok());
    let format = head.map(|head| head.format.unwrap_or_default());
    format.is_some_and(|format| !format.starts_with("flopgauge.node/"))
}

/// A node file, held against itself.
///
/// Errors: [`FileError`] with line and key; a file that contradicts itself is [`FileError::Content`] too.
pub(super) fn node_file(path: &Path) -> Result<(NodeFile, String), FileError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // A pipe in the place of a file would be waited for without end.
    if !path.is_file() {
        let source = std::io::Error::other("it is no file");
        return Err(FileError::Read { path: name, source });
    }
    let text = read_text(path, NODE_FILE_LIMIT)?;
    let file: NodeFile = parse_json(&name, &text, NodeFile::KIND)?;
    match contradiction(&file) {
        Some(message) => Err(FileError::content_at(&name, &text, 0, message)),
        None => Ok((file, text)),
    }
}

/// What a node file says that cannot be, in words.
fn contradiction(file: &NodeFile) -> Option<String> {
    let devices = file.devices.iter().flat_map(|device| &device.checks);
    let worst = Verdict::worst(file.checks.iter().chain(devices).map(|check| check.verdict));
    if file.verdict < worst {
        return Some(format!("its verdict is {} and its worst check {worst}", file.verdict));
    }
    if let Some(device) = file.devices.iter().find(|device| device.verdict > file.verdict) {
        return Some(format!("its verdict is {} and that of {} {}", file.verdict, device.id, device.verdict));
    }
    if file.verdict == Verdict::Pass && (file.cut_short.is_some() || file.devices.is_empty()) {
        return Some("it says PASS and was cut short or has no device".to_owned());
    }
    (!hosts::is_node_name(&file.node)).then(|| "node: no name of a node".to_owned())
}

fn content(directory: &Path, stem: &str, sought: &Sought) -> Content {
    match node_file(&path_of(directory, stem)) {
        Ok((file, _)) if sought.is_it(&file.run) => Content::Ours(Box::new(summarise(&file))),
        Ok((file, _)) => Content::Other(file.run),
        Err(FileError::Read { source, .. }) => Content::Bad(source.to_string()),
        Err(error) => Content::Bad(error.to_string()),
    }
}

fn path_of(directory: &Path, stem: &str) -> PathBuf {
    directory.join(format!("{stem}.json"))
}

/// Whether a node says that it has begun for the run that is looked for.
fn started(directory: &Path, node: &str, sought: &Sought) -> bool {
    let path = path_of(directory, &format!("{node}.started"));
    let text = path.is_file().then(|| read_text(&path, NODE_FILE_LIMIT).ok()).flatten();
    let begun: Option<Started> = text.and_then(|text| parse_json(node, &text, Started::KIND).ok());
    begun.is_some_and(|begun| begun.node == *node && sought.is_it(&begun.run))
}

/// The one state of an expected node.
fn resolve(
    node: &String,
    own: Option<Content>,
    claims: &[String],
    begun: impl Fn(&String) -> bool,
    sought: &Sought,
) -> Report {
    let run = RunIdentity { job: sought.job.clone(), restart: sought.restart, rank: None };
    let unfinished = || without(node, NodeState::Unfinished, "begun and never ended; it died or still runs");
    match own {
        Some(Content::Ours(report)) if report.node.node != *node => {
            let reason = format!("{node}.json says that it is of {}", report.node.node);
            without(node, NodeState::Unreadable, &reason)
        }
        Some(Content::Ours(report)) => match claims.first() {
            None => *report,
            Some(other) => {
                let reason = format!("{other} says that it is of this node too");
                let mut twice = without(node, NodeState::Duplicate, &reason);
                twice.node.own_verdict = report.node.own_verdict;
                twice
            }
        },
        Some(Content::Bad(reason)) => without(node, NodeState::Unreadable, &reason),
        Some(Content::Other(_)) | None if begun(node) => unfinished(),
        Some(Content::Other(other)) => {
            without(node, NodeState::Stale, &format!("its file is of {other}, not of {run}"))
        }
        None => {
            let reason = match claims.first() {
                Some(other) => format!("no {node}.json; {other} says that it is of this node"),
                None => format!("no file of {run}"),
            };
            without(node, NodeState::Missing, &reason)
        }
    }
}

/// A node without a report that counts.
fn without(node: &str, state: NodeState, reason: &str) -> Report {
    let node = FleetNode {
        node: node.to_owned(),
        state,
        verdict: Verdict::Inconclusive,
        reason: Reason::new(&format!("{REASON_PREFIX} {}: {reason}", state.name())),
        own_verdict: None,
        tier: None,
        duration_s: None,
        simulated: None,
        devices: Vec::new(),
        checks: Vec::new(),
    };
    Report { node, facts: BTreeSet::new(), rows: Vec::new() }
}

/// A node that nobody expected: told, and in neither list.
fn stranger(report: Report) -> Report {
    let said = report.node.verdict;
    let mut node =
        without(&report.node.node, NodeState::Unexpected, &format!("not in --expect; it says {said}"));
    node.node.own_verdict = Some(said);
    node
}

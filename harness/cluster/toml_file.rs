//! Cluster files in TOML, kind `cluster/1`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::figures::{DeviceFigures, Figures, FiguresError, Part, Together, declared_peaks, figures_of};
use super::hardware::{BuildError, build_of};
use super::{Assembly, AssemblyError, Grade, LinkKind, Number, Place, Purpose, Topology, refuse_long_floats};
use crate::files::{FileError, TEXT_LIMIT, parse_toml, read_text};
use crate::precision::Precision;
use crate::units::{BitRate, Decimal, ExactOpRate};

/// A cluster as its file states it.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterFile {
    /// `flopgauge.cluster/1`.
    #[serde(rename = "format")]
    _format: String,
    /// Name of the whole.
    #[serde(default)]
    name: String,
    /// Other cluster files, relative to this one, whose tables are read as if they stood here.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    include: Vec<Spanned<String>>,
    /// Devices whose peaks are declared here.
    #[serde(default)]
    device: Vec<DeviceTable>,
    /// Machines.
    #[serde(default)]
    machine: Vec<MachineTable>,
    /// Switches.
    #[serde(default)]
    switch: Vec<SwitchTable>,
    /// Links.
    #[serde(default)]
    link: Vec<LinkTable>,
}

/// A device that no catalogue has, with its dense peaks.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceTable {
    /// Name that machines and usages give.
    #[schemars(with = "String")]
    pub(crate) name: Spanned<String>,
    /// Who declares the peaks.
    pub(crate) declared_by: String,
    /// Dense peak per precision, in operations per second.
    pub(crate) theoretical_op_per_s: BTreeMap<Precision, Number>,
    /// Whether it is the processor of a machine, which counts at its highest rate only.
    #[serde(default)]
    pub(crate) processor: bool,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct MachineTable {
    #[schemars(with = "String")]
    name: Spanned<String>,
    #[serde(default = "one")]
    #[schemars(with = "u64")]
    count: Spanned<u64>,
    site: Option<String>,
    owner: Option<String>,
    operator: Option<String>,
    tenant: Option<String>,
    #[serde(default)]
    accelerators: Vec<PartTable>,
    /// Processors of one machine; they count in the highest reading only.
    #[serde(default)]
    processors: Vec<PartTable>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct PartTable {
    #[schemars(with = "String")]
    device: Spanned<String>,
    #[serde(default = "one")]
    #[schemars(with = "u64")]
    count: Spanned<u64>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct SwitchTable {
    #[schemars(with = "String")]
    name: Spanned<String>,
    fabric: Option<String>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct LinkTable {
    #[schemars(with = "String")]
    from: Spanned<String>,
    #[schemars(with = "String")]
    to: Spanned<String>,
    #[schemars(with = "Number")]
    rate_gbit_s: Spanned<Number>,
    #[serde(default = "one")]
    #[schemars(with = "u64")]
    count: Spanned<u64>,
    #[serde(default = "other")]
    kind: LinkKind,
    /// What it is there for.
    #[serde(default)]
    purpose: Purpose,
    /// Stated oversubscription, for the path reading.
    #[schemars(with = "Option<Number>")]
    oversubscription: Option<Spanned<Number>>,
    /// Why it is administratively down.
    #[schemars(with = "Option<String>")]
    down: Option<Spanned<String>>,
}

fn one() -> Spanned<u64> {
    Spanned::new(0..0, 1)
}

const fn other() -> LinkKind {
    LinkKind::Other
}

/// The topology that the TOML file at `path` states, its devices known to `devices` or declared in it.
///
/// Errors: [`FileError`] with file, line, column and key.
pub fn read_toml(path: &Path, devices: &dyn DeviceFigures) -> Result<Topology, FileError> {
    let mut files = Vec::new();
    read_included(path, &mut Vec::new(), &mut files)?;
    let mut declared = Vec::new();
    for file in &files {
        for table in &file.content.device {
            declared.push(device(table).map_err(|message| file.at(&table.name, message))?);
        }
    }
    let known = Declared(declared);
    let together = Together(vec![&known, devices]);
    let mut assembly = Assembly::default();
    // Every machine and switch before any link, whichever file each is in.
    for file in &files {
        file.machines(&mut assembly, &together)?;
    }
    for file in &files {
        file.links(&mut assembly)?;
    }
    let title = files.first().map(|file| file.content.name.clone()).unwrap_or_default();
    assembly.finish(title).map_err(|error| placed(&files, error))
}

/// Devices that a file declares.
pub(crate) struct Declared(pub(crate) Vec<Figures>);

impl DeviceFigures for Declared {
    fn find(&self, name: &str) -> Result<Option<Figures>, FiguresError> {
        Ok(self.0.iter().find(|figures| figures.name == name).cloned())
    }
}

/// The figures that a `[[device]]` table declares.
pub(crate) fn device(table: &DeviceTable) -> Result<Figures, String> {
    let peak = |(precision, rate): (&Precision, &Number)| {
        let exact =
            ExactOpRate::try_from(&rate.0).map_err(|error| format!("theoretical_op_per_s: {error}"))?;
        if exact == ExactOpRate::ZERO {
            return Err(format!("theoretical_op_per_s: {precision} is 0; leave it out where there is none"));
        }
        Ok((*precision, exact))
    };
    let peaks = table.theoretical_op_per_s.iter().map(peak).collect::<Result<_, String>>()?;
    let mut figures = declared_peaks(table.name.get_ref(), &table.declared_by, &peaks);
    if table.processor {
        figures.part = Part::Processor;
    }
    Ok(figures)
}

struct Read {
    name: String,
    text: String,
    content: ClusterFile,
}

fn read_included(path: &Path, open: &mut Vec<PathBuf>, files: &mut Vec<Read>) -> Result<(), FileError> {
    let name = path.display().to_string();
    let text = read_text(path, TEXT_LIMIT)?;
    let content: ClusterFile = parse_toml(&name, &text, "cluster/1")?;
    refuse_long_floats(&name, &text)?;
    open.push(same_file(path));
    let includes: Vec<(usize, PathBuf)> =
        content.include.iter().map(|i| (i.span().start, path.with_file_name(i.get_ref()))).collect();
    for (offset, next) in &includes {
        if open.contains(&same_file(next)) {
            let message =
                format!("include: {} is already being read; an include may not lead back", next.display());
            return Err(FileError::content_at(&name, &text, *offset, message));
        }
    }
    files.push(Read { name, text, content });
    for (_, next) in includes {
        read_included(&next, open, files)?;
    }
    open.pop();
    Ok(())
}

fn same_file(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

impl Read {
    fn at<T>(&self, place: &Spanned<T>, message: impl std::fmt::Display) -> FileError {
        FileError::content_at(&self.name, &self.text, place.span().start, message.to_string())
    }

    fn machines(&self, assembly: &mut Assembly, devices: &dyn DeviceFigures) -> Result<(), FileError> {
        for row in &self.content.machine {
            if *row.count.get_ref() == 0 {
                return Err(self.at(&row.count, "count: 0 machines; leave the row out"));
            }
            let mut parts = Vec::new();
            for (part, processor) in
                row.accelerators.iter().map(|p| (p, false)).chain(row.processors.iter().map(|p| (p, true)))
            {
                if *part.count.get_ref() == 0 {
                    return Err(self.at(&part.count, "count: 0 devices; leave the entry out"));
                }
                let found = figures_of(devices, part.device.get_ref());
                let mut found = found.map_err(|error| self.at(&part.device, format!("device: {error}")))?;
                if processor {
                    found.part = Part::Processor;
                }
                parts.push((found, *part.count.get_ref()));
            }
            let build = build_of(&parts).map_err(|error: BuildError| self.at(&row.name, error))?;
            let build = assembly.build(build);
            let place = assembly.place(Place {
                site: row.site.clone(),
                owner: row.owner.clone(),
                operator: row.operator.clone(),
                tenant: row.tenant.clone(),
            });
            let name = filled(row.name.get_ref()).map_err(|message| self.at(&row.name, message))?;
            let added = assembly.machine(name.as_bytes(), *row.count.get_ref(), build, place);
            added.map_err(|error| self.at(&row.name, format!("name: {error}")))?;
        }
        for switch in &self.content.switch {
            let fabric = switch.fabric.as_deref().map(|fabric| assembly.fabric(fabric));
            let name = filled(switch.name.get_ref()).map_err(|message| self.at(&switch.name, message))?;
            let added = assembly.switch(name.as_bytes(), fabric);
            added.map_err(|error| self.at(&switch.name, format!("name: {error}")))?;
        }
        Ok(())
    }

    fn links(&self, assembly: &mut Assembly) -> Result<(), FileError> {
        for link in &self.content.link {
            let rate = BitRate::from_gigabit(&link.rate_gbit_s.get_ref().0);
            let rate = rate.map_err(|error| self.at(&link.rate_gbit_s, format!("rate_gbit_s: {error}")))?;
            let count = u32::try_from(*link.count.get_ref()).ok().filter(|count| *count > 0);
            let count =
                count.ok_or_else(|| self.at(&link.count, "count: from 1 to 4294967295 parallel links"))?;
            if let Some(down) = link.down.as_ref().filter(|down| down.get_ref().trim().is_empty()) {
                return Err(self.at(down, "down: a link is left out only with a reason"));
            }
            let grade = assembly.grade(Grade {
                rate,
                kind: link.kind,
                purpose: link.purpose,
                oversubscription: self.oversubscription(link)?,
                down: link.down.as_ref().map(|down| down.get_ref().clone()),
            });
            let from = assembly.end(link.from.get_ref().as_bytes());
            let from = from.map_err(|error| self.at(&link.from, format!("from: {error}")))?;
            let to = assembly.end(link.to.get_ref().as_bytes());
            let to = to.map_err(|error| self.at(&link.to, format!("to: {error}")))?;
            let added = assembly.link(from, to, grade, count);
            added.map_err(|error| self.at(&link.to, format!("to: {error}")))?;
        }
        Ok(())
    }

    fn oversubscription(&self, link: &LinkTable) -> Result<Decimal, FileError> {
        let one = Decimal::from_integer(1);
        let Some(stated) = &link.oversubscription else { return Ok(one) };
        if stated.get_ref().0 < one {
            return Err(self.at(stated, "oversubscription: at least 1; 1:7 is written as 7"));
        }
        Ok(stated.get_ref().0.clone())
    }
}

fn filled(name: &str) -> Result<&str, &'static str> {
    if name.trim().is_empty() { Err("name: empty") } else { Ok(name) }
}

/// An error of the whole, at the first table that it names.
fn placed(files: &[Read], error: AssemblyError) -> FileError {
    let message = error.to_string();
    let named = match &error {
        AssemblyError::Duplicate(name) | AssemblyError::Nowhere(name) | AssemblyError::SelfLink(name) => {
            name.as_str()
        }
        AssemblyError::TooMany(_) => "",
    };
    for file in files {
        let content = &file.content;
        let links = content.link.iter().filter(|_| matches!(error, AssemblyError::SelfLink(_)));
        let places = links.map(|link| &link.from);
        let names = content.machine.iter().map(|row| &row.name).chain(content.switch.iter().map(|s| &s.name));
        if let Some(place) = places.chain(names).find(|name| name.get_ref() == named) {
            return file.at(place, message);
        }
    }
    let name = files.first().map(|file| file.name.clone()).unwrap_or_default();
    FileError::Content { path: name, line: 1, column: 1, message }
}

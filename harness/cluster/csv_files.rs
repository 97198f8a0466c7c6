//! Clusters in CSV: a million machines and ten million links, read as a stream.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use csv::ByteRecord;
use hashbrown::HashMap;

use super::figures::{DeviceFigures, figures_of};
use super::hardware::build_of;
use super::{Assembly, Grade, LinkKind, Place, Topology};
use crate::files::FileError;
use crate::units::{BitRate, Decimal};

/// Most bytes of one record; names and numbers are far below it, and a file without line ends is no reason to
/// fill the memory.
const RECORD_LIMIT: u64 = 1 << 20;

/// Size of one read from the file.
const BUFFER: usize = 1 << 18;

/// The topology of two CSV files, and of a third that declares fabrics.
///
/// Errors: [`FileError`] with file, line, column and key.
pub fn read_csv(
    machines: &Path,
    links: &Path,
    fabrics: Option<&Path>,
    devices: &dyn DeviceFigures,
) -> Result<Topology, FileError> {
    let mut assembly = Assembly::default();
    read_machines(machines, devices, &mut assembly)?;
    if let Some(path) = fabrics {
        read_fabrics(path, &mut assembly)?;
    }
    read_links(links, &mut assembly)?;
    let whole = |error: super::AssemblyError| FileError::Content {
        path: links.display().to_string(),
        line: 1,
        column: 1,
        message: error.to_string(),
    };
    assembly.finish(machines.display().to_string()).map_err(whole)
}

/// Machines of the file at `path`: `name,device,count[,site,owner]`, one machine a line.
pub(super) fn read_machines(
    path: &Path,
    devices: &dyn DeviceFigures,
    assembly: &mut Assembly,
) -> Result<(), FileError> {
    let mut table = Table::open(path, &["name", "device", "count"], &["site", "owner"])?;
    let mut builds: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut places: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut key = Vec::new();
    while table.next()? {
        table.key(&mut key, &[1, 2]);
        let build = match builds.get(&key) {
            Some(build) => *build,
            None => {
                let build = machine_build(&table, devices, assembly)?;
                builds.insert(key.clone(), build);
                build
            }
        };
        table.key(&mut key, &[3, 4]);
        let place = match places.get(&key) {
            Some(place) => *place,
            None => {
                let text =
                    |column| table.text(column).map(|text| Some(text.to_owned()).filter(|t| !t.is_empty()));
                let place = assembly.place(Place { site: text(3)?, owner: text(4)?, ..Place::default() });
                places.insert(key.clone(), place);
                place
            }
        };
        if table.text(0)?.trim().is_empty() {
            return Err(table.wrong(0, "empty"));
        }
        assembly.machine(table.bytes(0), 1, build, place).map_err(|error| table.wrong(0, error))?;
    }
    Ok(())
}

fn machine_build(
    table: &Table,
    devices: &dyn DeviceFigures,
    assembly: &mut Assembly,
) -> Result<u32, FileError> {
    let (device, count) = (table.text(1)?, table.text(2)?);
    let mut parts = Vec::new();
    if device.is_empty() {
        if !matches!(count, "" | "0") {
            return Err(table.wrong(1, "empty, with a count of devices"));
        }
    } else {
        let count = whole(count).filter(|count| *count > 0);
        let count = count.ok_or_else(|| table.wrong(2, "a whole number of devices from 1 to 4294967295"))?;
        let found = figures_of(devices, device).map_err(|error| table.wrong(1, error))?;
        parts.push((found, u64::from(count)));
    }
    Ok(assembly.build(build_of(&parts).map_err(|error| table.wrong(1, error))?))
}

/// Fabrics of the file at `path`: `switch,fabric`.
pub(super) fn read_fabrics(path: &Path, assembly: &mut Assembly) -> Result<(), FileError> {
    let mut table = Table::open(path, &["switch", "fabric"], &[])?;
    while table.next()? {
        for column in [0, 1] {
            if table.text(column)?.trim().is_empty() {
                return Err(table.wrong(column, "empty"));
            }
        }
        let fabric = assembly.fabric(table.text(1)?);
        assembly.switch(table.bytes(0), Some(fabric)).map_err(|error| table.wrong(0, error))?;
    }
    Ok(())
}

fn read_links(path: &Path, assembly: &mut Assembly) -> Result<(), FileError> {
    let mut table = Table::open(path, &["from", "to", "rate_gbit_s"], &["count", "kind"])?;
    let mut grades: HashMap<Vec<u8>, u32> = HashMap::new();
    let (mut key, mut last, mut grade) = (Vec::new(), None, 0);
    while table.next()? {
        table.key(&mut key, &[2, 4]);
        if last.as_ref() != Some(&key) {
            grade = match grades.get(&key) {
                Some(grade) => *grade,
                None => {
                    let new = assembly.grade(link_grade(&table)?);
                    grades.insert(key.clone(), new);
                    new
                }
            };
            last = Some(key.clone());
        }
        let count = match table.bytes(3) {
            b"" if !table.has(3) => 1,
            b"1" => 1,
            _ => whole(table.text(3)?)
                .filter(|count| *count > 0)
                .ok_or_else(|| table.wrong(3, "a whole number of parallel links from 1 to 4294967295"))?,
        };
        let mut ends = [None; 2];
        for (column, end) in ends.iter_mut().enumerate() {
            let text = table.bytes(column);
            if text.is_empty() {
                return Err(table.wrong(column, "link to nowhere: empty"));
            }
            *end = Some(assembly.end_or_switch(text).map_err(|error| table.wrong(column, error))?);
        }
        let [Some(from), Some(to)] = ends else { continue };
        assembly.link(from, to, grade, count).map_err(|error| table.wrong(1, error))?;
    }
    Ok(())
}

fn link_grade(table: &Table) -> Result<Grade, FileError> {
    let rate = table.text(2)?.parse::<Decimal>().and_then(|rate| BitRate::from_gigabit(&rate));
    let rate = rate.map_err(|error| table.wrong(2, format!("{error}; Gbit/s without a unit")))?;
    let kind = match table.text(4)? {
        "infiniband" => LinkKind::Infiniband,
        "ethernet" => LinkKind::Ethernet,
        "nvlink" => LinkKind::Nvlink,
        "" if !table.has(4) => LinkKind::Other,
        "other" => LinkKind::Other,
        other => {
            return Err(table.wrong(4, format!("'{other}'; one of infiniband, ethernet, nvlink, other")));
        }
    };
    Ok(Grade { rate, kind, ..Grade::default() })
}

fn whole(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A CSV file with a header, whose columns are looked up by their place in the contract.
pub(crate) struct Table {
    name: String,
    keys: Vec<&'static str>,
    columns: Vec<Option<usize>>,
    width: usize,
    reader: csv::Reader<Bounded>,
    since: Rc<Cell<u64>>,
    record: ByteRecord,
}

impl Table {
    /// Opens the file at `path` and reads its header.
    pub(crate) fn open(
        path: &Path,
        required: &[&'static str],
        optional: &[&'static str],
    ) -> Result<Self, FileError> {
        let name = path.display().to_string();
        let failed = |source| FileError::Read { path: name.clone(), source };
        let source: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(failed)?)
        };
        let since = Rc::new(Cell::new(0));
        let bounded = Bounded { source, since: Rc::clone(&since) };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(bounded);
        let keys: Vec<_> = required.iter().chain(optional).copied().collect();
        let columns = vec![None; keys.len()];
        let mut table = Self { name, keys, columns, width: 0, reader, since, record: ByteRecord::new() };
        table.header(required.len())?;
        Ok(table)
    }

    fn header(&mut self, required: usize) -> Result<(), FileError> {
        let wanted = self.keys.join(",");
        if !self.read()? {
            return Err(self.at(1, 1, format!("empty; the first line is {wanted}")));
        }
        self.width = self.record.len();
        for at in 0..self.record.len() {
            let text = String::from_utf8_lossy(&self.record[at]).into_owned();
            let column = self.keys.iter().position(|key| *key == text);
            let free = column.filter(|column| self.columns[*column].is_none());
            match free {
                Some(column) => self.columns[column] = Some(at),
                None => {
                    return Err(self.in_field(at, format!("unknown or repeated column '{text}'; {wanted}")));
                }
            }
        }
        match (0..required).find(|column| self.columns[*column].is_none()) {
            Some(missing) => Err(self.at(1, 1, format!("the column {} is missing", self.keys[missing]))),
            None => Ok(()),
        }
    }

    /// Reads the next record; `false` at the end.
    pub(crate) fn next(&mut self) -> Result<bool, FileError> {
        if !self.read()? {
            return Ok(false);
        }
        if self.record.len() != self.width {
            let message = format!("{} fields where the header has {}", self.record.len(), self.width);
            return Err(self.in_field(self.width.min(self.record.len() - 1), message));
        }
        Ok(true)
    }

    fn read(&mut self) -> Result<bool, FileError> {
        self.since.set(0);
        self.reader.read_byte_record(&mut self.record).map_err(|error| {
            let line = usize::try_from(self.reader.position().line()).unwrap_or(usize::MAX);
            self.at(line, 1, error.to_string())
        })
    }

    /// Whether the file has the column.
    pub(crate) fn has(&self, column: usize) -> bool {
        self.columns[column].is_some()
    }

    /// The field of a column, empty where the file lacks the column.
    pub(crate) fn bytes(&self, column: usize) -> &[u8] {
        self.columns[column].map_or(b"", |at| &self.record[at])
    }

    /// The same as text.
    pub(crate) fn text(&self, column: usize) -> Result<&str, FileError> {
        std::str::from_utf8(self.bytes(column)).map_err(|_| self.wrong(column, "not UTF-8 text"))
    }

    fn key(&self, key: &mut Vec<u8>, columns: &[usize]) {
        key.clear();
        for column in columns {
            key.extend_from_slice(self.bytes(*column));
            key.push(0);
        }
    }

    /// What is wrong in a column of the record that was read last.
    pub(crate) fn wrong(&self, column: usize, message: impl std::fmt::Display) -> FileError {
        self.in_field(self.columns[column].unwrap_or(0), format!("{}: {message}", self.keys[column]))
    }

    fn in_field(&self, at: usize, message: String) -> FileError {
        let line = self.record.position().map_or(1, csv::Position::line);
        // Counted without the quotes of fields before it.
        let before: usize = (0..at).map(|field| self.record[field].len() + 1).sum();
        self.at(usize::try_from(line).unwrap_or(usize::MAX), before + 1, message)
    }

    fn at(&self, line: usize, column: usize, message: String) -> FileError {
        FileError::Content { path: self.name.clone(), line, column, message }
    }
}

/// A reader that refuses to go on without a record's end.
struct Bounded {
    source: Box<dyn Read>,
    since: Rc<Cell<u64>>,
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.since.get() > RECORD_LIMIT {
            let message = format!(
                "no end of the record within {RECORD_LIMIT} bytes; a quote is open or this is no CSV"
            );
            return Err(io::Error::other(message));
        }
        let read = self.source.read(into)?;
        self.since.set(self.since.get() + read as u64);
        Ok(read)
    }
}

//! A table of peaks as CSV: the columns in any order, extra ones ignored, every value of a known kind.

use std::collections::HashMap;
use std::path::Path;

use crate::device::Evidence;
use crate::device::catalogue::SparsityStated;
use crate::device::format::Format;
use crate::files::{FileError, read_text};
use crate::precision::Accumulate;
use crate::units::{Bytes, Decimal};

/// Greatest size of a table; one with every device ever made is far below it.
const TABLE_LIMIT: Bytes = Bytes::new(4 << 20);

/// The columns that a table must have.
pub const COLUMNS: [&str; 27] = [
    "vendor",
    "device_name",
    "aliases",
    "pci_device_id",
    "form_factor",
    "arch",
    "rate_class",
    "units",
    "unit_kind",
    "boost_clock_mhz",
    "tensor_clock_mhz",
    "tensor_clock_basis",
    "dtype",
    "accumulate",
    "dense_peak_tera",
    "unit",
    "published_with_sparsity_and_halved",
    "memory_gb",
    "bandwidth_gb_s",
    "tdp_w",
    "die_area_mm2",
    "interconnect_gb_s",
    "source_title",
    "source_url",
    "source_tier",
    "evidence",
    "note",
];

/// Columns that say something of the device and not of the row.
pub(super) const DEVICE_COLUMNS: [&str; 14] = [
    "vendor",
    "aliases",
    "pci_device_id",
    "form_factor",
    "arch",
    "rate_class",
    "units",
    "unit_kind",
    "boost_clock_mhz",
    "memory_gb",
    "bandwidth_gb_s",
    "tdp_w",
    "die_area_mm2",
    "interconnect_gb_s",
];

/// One row of a table: a device in one number format.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    pub(super) line: u64,
    pub(super) device: String,
    pub(super) architecture: String,
    pub(super) class: String,
    pub(super) vendor: String,
    pub(super) units: Option<u32>,
    pub(super) boost_hz: Option<f64>,
    pub(super) rated_hz: Option<f64>,
    pub(super) dtype: String,
    pub(super) format: Format,
    pub(super) accumulate: Accumulate,
    pub(super) peak_op_per_s: f64,
    pub(super) unit: String,
    pub(super) sparsity: SparsityStated,
    pub(super) source_title: String,
    pub(super) source_url: String,
    pub(super) evidence: Option<Evidence>,
    pub(super) note: String,
    /// The texts of [`DEVICE_COLUMNS`].
    pub(super) of_device: [String; DEVICE_COLUMNS.len()],
}

impl TableRow {
    /// Clock that the row is rated at, in hertz.
    pub(super) fn clock_hz(&self) -> Option<f64> {
        self.rated_hz.or(self.boost_hz)
    }

    /// A text of the device by its column.
    pub(super) fn device_text(&self, column: &str) -> &str {
        let at = DEVICE_COLUMNS.iter().position(|name| *name == column);
        at.and_then(|at| self.of_device.get(at)).map_or("", String::as_str)
    }
}

/// The rows of the table in `path`.
///
/// Errors: [`FileError`] with line and column for a missing column, an empty table, a value that is none of its
/// kind, or a second row for the same device, number format and accumulator.
pub fn read_table(path: &Path) -> Result<Vec<TableRow>, FileError> {
    // Spreadsheets put a byte-order mark first and end lines in two characters, which the reader counts wrong.
    let text = read_text(path, TABLE_LIMIT)?.replace("\r\n", "\n");
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let name = path.display().to_string();
    let place = Place { name: &name, text };
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| place.csv(&error))?.clone();
    let columns = columns(&header, &place)?;
    let mut rows: Vec<TableRow> = Vec::new();
    let mut seen: HashMap<(String, String, Accumulate), u64> = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| place.csv(&error))?;
        let line = place.line(record.position());
        let fields = Fields { place: &place, record: &record, columns: &columns, line };
        let row = fields.row()?;
        let key = (row.device.clone(), row.dtype.clone(), row.accumulate);
        if let Some(first) = seen.insert(key, line) {
            let what = format!("'{}' already has a row for {} in line {first}", row.device, row.dtype);
            return Err(fields.wrong("dtype", &what));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(place.content(1, 1, "the table has no rows"));
    }
    Ok(rows)
}

fn columns(header: &csv::StringRecord, place: &Place<'_>) -> Result<[usize; COLUMNS.len()], FileError> {
    let missing: Vec<_> = COLUMNS.into_iter().filter(|c| !header.iter().any(|h| h.trim() == *c)).collect();
    if !missing.is_empty() {
        let what =
            format!("the header lacks {}; a table has the columns {}", missing.join(", "), COLUMNS.join(","));
        return Err(place.content(1, 1, &what));
    }
    let mut found = [0; COLUMNS.len()];
    for (slot, column) in found.iter_mut().zip(COLUMNS) {
        let mut at = header.iter().enumerate().filter(|(_, h)| h.trim() == column).map(|(at, _)| at);
        *slot = at.next().unwrap_or(0);
        if let Some(second) = at.next() {
            return Err(place.content(
                1,
                place.column(1, second),
                &format!("the column {column} is there twice"),
            ));
        }
    }
    Ok(found)
}

struct Place<'a> {
    name: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn content(&self, line: u64, column: usize, message: &str) -> FileError {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        FileError::Content { path: self.name.to_owned(), line, column, message: message.to_owned() }
    }

    fn csv(&self, error: &csv::Error) -> FileError {
        match error.kind() {
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => self.content(
                self.line(pos.as_ref()),
                1,
                &format!("{len} fields where the header has {expected_len}"),
            ),
            _ => self.content(self.line(error.position()), 1, &error.to_string()),
        }
    }

    /// Line, from 1, of a record; the reader's own is that of the blank lines before it.
    fn line(&self, position: Option<&csv::Position>) -> u64 {
        let Some(position) = position else { return 1 };
        let rest = usize::try_from(position.byte()).ok().and_then(|at| self.text.get(at..)).unwrap_or("");
        let blank = rest.bytes().take_while(|byte| *byte == b'\n').count();
        position.line() + u64::try_from(blank).unwrap_or(0)
    }

    /// Column, from 1, at which field `index` of a line begins.
    fn column(&self, line: u64, index: usize) -> usize {
        let line = usize::try_from(line).unwrap_or(1).saturating_sub(1);
        let text = self.text.lines().nth(line).unwrap_or("");
        let (mut quoted, mut commas) = (false, 0);
        for (at, c) in text.chars().enumerate() {
            if commas == index {
                return at + 1;
            }
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => commas += 1,
                _ => {}
            }
        }
        1 + text.chars().count()
    }
}

struct Fields<'a> {
    place: &'a Place<'a>,
    record: &'a csv::StringRecord,
    columns: &'a [usize; COLUMNS.len()],
    line: u64,
}

impl Fields<'_> {
    fn index(&self, column: &str) -> usize {
        let at = COLUMNS.iter().position(|name| *name == column);
        at.and_then(|at| self.columns.get(at)).copied().unwrap_or(0)
    }

    fn text(&self, column: &str) -> &str {
        self.record.get(self.index(column)).unwrap_or("").trim()
    }

    fn wrong(&self, column: &str, what: &str) -> FileError {
        let at = self.place.column(self.line, self.index(column));
        self.place.content(self.line, at, &format!("{column}: {what}"))
    }

    /// A plain number, or `None` for an empty cell.
    fn number(&self, column: &str) -> Result<Option<f64>, FileError> {
        match self.text(column) {
            "" => Ok(None),
            text => match text.parse::<Decimal>() {
                Ok(value) => Ok(Some(value.to_f64())),
                Err(_) => Err(self.wrong(column, &format!("'{text}' is no plain number of zero or more"))),
            },
        }
    }

    fn positive(&self, column: &str) -> Result<Option<f64>, FileError> {
        match self.number(column)? {
            Some(value) if value <= 0.0 => Err(self.wrong(column, "zero; leave unknown cells empty")),
            other => Ok(other),
        }
    }

    fn one_of<T>(&self, column: &str, known: &[(&str, T)]) -> Result<T, FileError>
    where
        T: Copy,
    {
        let text = self.text(column);
        let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let names: Vec<_> = known.iter().map(|(n, _)| if n.is_empty() { "(empty)" } else { n }).collect();
            self.wrong(column, &format!("'{text}' is none of {}", names.join(", ")))
        })
    }

    fn row(&self) -> Result<TableRow, FileError> {
        let device = self.text("device_name");
        if device.is_empty() {
            return Err(self.wrong("device_name", "empty"));
        }
        for column in ["memory_gb", "bandwidth_gb_s", "tdp_w", "die_area_mm2", "interconnect_gb_s"] {
            self.number(column)?;
        }
        let (vendor, dtype) = (self.text("vendor"), self.text("dtype"));
        let format = Format::of(vendor, dtype);
        let format = format.ok_or_else(|| self.wrong("dtype", &format!("'{dtype}' is no number format")))?;
        let peak = self.positive("dense_peak_tera")?;
        let peak = peak.ok_or_else(|| self.wrong("dense_peak_tera", "empty; leave the row out"))?;
        let hertz = |mhz: Option<f64>| mhz.map(|mhz| mhz * 1e6);
        self.one_of(
            "tensor_clock_basis",
            &[("", ()), ("published", ()), ("assumed", ()), ("back_computed", ())],
        )?;
        Ok(TableRow {
            line: self.line,
            device: device.to_owned(),
            architecture: self.text("arch").to_owned(),
            class: self.text("rate_class").to_owned(),
            vendor: vendor.to_owned(),
            units: self.units()?,
            boost_hz: hertz(self.positive("boost_clock_mhz")?),
            rated_hz: hertz(self.positive("tensor_clock_mhz")?),
            dtype: dtype.to_owned(),
            format,
            accumulate: self.accumulate(format)?,
            peak_op_per_s: peak * 1e12,
            unit: self.one_of("unit", &[("TFLOP/s", "TFLOP/s"), ("TOP/s", "TOP/s")])?.to_owned(),
            sparsity: self.one_of(
                "published_with_sparsity_and_halved",
                &[
                    ("no", SparsityStated::None),
                    ("yes", SparsityStated::Halved),
                    ("unknown", SparsityStated::Unknown),
                ],
            )?,
            source_title: self.text("source_title").to_owned(),
            source_url: self.text("source_url").to_owned(),
            evidence: self.one_of(
                "evidence",
                &[
                    ("read", Some(Evidence::Read)),
                    ("derived", Some(Evidence::Derived)),
                    ("recalled", Some(Evidence::Recalled)),
                    ("", None),
                ],
            )?,
            note: self.text("note").to_owned(),
            of_device: DEVICE_COLUMNS.map(|column| self.text(column).to_owned()),
        })
    }

    fn units(&self) -> Result<Option<u32>, FileError> {
        match self.text("units") {
            "" => Ok(None),
            text => match text.parse::<u32>() {
                Ok(units) if units > 0 => Ok(Some(units)),
                _ => Err(self.wrong("units", &format!("'{text}' is no whole number above zero"))),
            },
        }
    }

    fn accumulate(&self, format: Format) -> Result<Accumulate, FileError> {
        let known = [
            ("fp64", Some(Accumulate::Fp64)),
            ("fp32", Some(Accumulate::Fp32)),
            ("fp16", Some(Accumulate::Fp16)),
            ("int32", Some(Accumulate::Int32)),
            ("", None),
        ];
        let written = self.one_of("accumulate", &known)?;
        let found = written.or_else(|| Format::own_accumulate(format.precision));
        found.ok_or_else(|| self.wrong("accumulate", "empty; say what the products are summed in"))
    }
}

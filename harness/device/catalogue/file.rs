//! A catalogue file as it is written, and the checks that turn it into entries.

use serde::Deserialize;

use super::{CatalogueError, ClockSource, Documents, Entry, Market, Other, Row, SparsityStated};
use crate::device::format::precision_named;
use crate::device::{Evidence, Unit};
use crate::files::parse_toml;
use crate::precision::Accumulate;
use crate::units::{Bytes, Decimal, ExactOpRate, Interval};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "family")]
    _family: String,
    #[serde(default)]
    source: Documents,
    #[serde(default)]
    device: Vec<FileDevice>,
    #[serde(default)]
    other: Vec<FileOther>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOther {
    name: String,
    #[serde(default)]
    pci_ids: Vec<String>,
    #[serde(default)]
    capped: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileDevice {
    vendor: String,
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    pci_ids: Vec<String>,
    form_factor: String,
    market: Market,
    architecture: Option<String>,
    rate_class: Option<String>,
    units: Option<u32>,
    unit_kind: Option<String>,
    boost_clock_mhz: Option<u32>,
    memory_gb: Option<Decimal>,
    bandwidth_gb_s: Option<Decimal>,
    tdp_w: Option<Decimal>,
    die_area_mm2: Option<Decimal>,
    interconnect_gb_s: Option<Decimal>,
    note: Option<String>,
    peaks: Vec<FilePeak>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePeak {
    precision: String,
    unit: Unit,
    accumulate: Accumulate,
    rate_op_per_s: ExactOpRate,
    #[serde(default)]
    sparsity: SparsityStated,
    rated_clock_mhz: Option<u32>,
    rated_clock_basis: Option<ClockSource>,
    source: Option<String>,
    evidence: Evidence,
    range_op_per_s: Option<[ExactOpRate; 2]>,
    deviation: Option<String>,
    #[serde(default)]
    export_capped: bool,
    note: Option<String>,
}

/// Entries of one file, and parts that it tells apart from them.
pub fn read(name: &str, text: &str) -> Result<(Vec<Entry>, Vec<Other>), CatalogueError> {
    let file: File = parse_toml(name, text, "catalogue/1")?;
    let entries = file.device.into_iter().map(|device| {
        let title = device.name.clone();
        entry(device, &file.source).map_err(|what| CatalogueError::entry(name, &title, what))
    });
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    let others = file.other.into_iter().map(|other| {
        let ids = other.pci_ids.iter().try_for_each(|id| pci_id(id));
        ids.map_err(|what| CatalogueError::entry(name, &other.name, what))?;
        Ok(Other { name: other.name, pci_ids: other.pci_ids, capped: other.capped })
    });
    Ok((entries, others.collect::<Result<Vec<_>, CatalogueError>>()?))
}

fn entry(device: FileDevice, documents: &Documents) -> Result<Entry, String> {
    if device.peaks.is_empty() {
        return Err("it has no peaks".to_owned());
    }
    if device.units.is_some() != device.unit_kind.is_some() {
        return Err("units and unit_kind come together".to_owned());
    }
    device.pci_ids.iter().try_for_each(|id| pci_id(id))?;
    let rows = device.peaks.into_iter().map(|peak| row(peak, documents)).collect::<Result<Vec<_>, _>>()?;
    for (place, row) in rows.iter().enumerate() {
        let same = |other: &Row| {
            (other.precision, other.unit, other.accumulate) == (row.precision, row.unit, row.accumulate)
        };
        if rows.iter().take(place).any(same) {
            return Err(format!(
                "two rows for {} on {:?} units into {}",
                row.precision, row.unit, row.accumulate
            ));
        }
    }
    let positive = |value: Option<u32>, what: &str| match value {
        Some(0) => Err(format!("{what} is zero; leave it out where it is unknown")),
        other => Ok(other),
    };
    Ok(Entry {
        vendor: device.vendor,
        name: device.name,
        aliases: device.aliases,
        pci_ids: device.pci_ids,
        form_factor: device.form_factor,
        market: device.market,
        architecture: device.architecture,
        rate_class: device.rate_class,
        units: positive(device.units, "units")?,
        unit_kind: device.unit_kind,
        boost_clock_hz: positive(device.boost_clock_mhz, "boost_clock_mhz")?.map(hertz),
        memory_bytes: device.memory_gb.as_ref().map(memory).transpose()?,
        bandwidth_gb_s: device.bandwidth_gb_s,
        tdp_w: device.tdp_w,
        die_area_mm2: device.die_area_mm2,
        interconnect_gb_s: device.interconnect_gb_s,
        note: device.note,
        rows,
        peaks: Vec::new(),
        variants: Vec::new(),
    })
}

fn row(peak: FilePeak, documents: &Documents) -> Result<Row, String> {
    let wrong = |what: &str| format!("{}: {what}", peak.precision);
    let precision = precision_named(&peak.precision).ok_or_else(|| wrong("unknown precision"))?;
    if peak.rate_op_per_s == ExactOpRate::ZERO {
        return Err(wrong("the rate is zero; leave out what a device lacks"));
    }
    if peak.rated_clock_mhz.is_some() != peak.rated_clock_basis.is_some() {
        return Err(wrong("rated_clock_mhz and rated_clock_basis come together"));
    }
    let source = documents.resolve(peak.source.as_deref(), peak.evidence).map_err(|what| wrong(&what))?;
    let range = peak.range_op_per_s.map(|[low, high]| Interval::new(low, high));
    let range = range.transpose().map_err(|error| wrong(&error.to_string()))?;
    if range.is_some_and(|range| !range.contains(peak.rate_op_per_s)) {
        return Err(wrong("the rate lies outside its own range"));
    }
    Ok(Row {
        precision,
        unit: peak.unit,
        accumulate: peak.accumulate,
        rate_op_per_s: peak.rate_op_per_s,
        sparsity: peak.sparsity,
        rated_clock_hz: peak.rated_clock_mhz.map(hertz),
        rated_clock_basis: peak.rated_clock_basis,
        source,
        evidence: peak.evidence,
        range_op_per_s: range,
        deviation: peak.deviation,
        export_capped: peak.export_capped,
        note: peak.note,
    })
}

fn hertz(megahertz: u32) -> u64 {
    u64::from(megahertz) * 1_000_000
}

fn memory(gigabytes: &Decimal) -> Result<Bytes, String> {
    let bytes = gigabytes.times_power_of_ten(9).to_integer("bytes").map_err(|error| error.to_string())?;
    u64::try_from(bytes).map(Bytes::new).map_err(|_| format!("memory of {gigabytes} GB is out of range"))
}

/// `10de:2330`: four hexadecimal digits, a colon, four more, in lower case.
fn pci_id(text: &str) -> Result<(), String> {
    let half = |part: &str| part.len() == 4 && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let good = text.split_once(':').is_some_and(|(vendor, device)| half(vendor) && half(device));
    if good {
        Ok(())
    } else {
        Err(format!("'{text}' is no PCI id; write vendor:device in lower case, 10de:2330"))
    }
}

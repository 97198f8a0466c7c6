//! From accepted lines to profiles: one per model, one row per precision, accumulate type and kind of unit.

use super::admit::{Line, admit};
use super::pool::fastest;
use super::{
    DeviceProfile, DeviceRuns, Model, PrecisionProfile, ProfileError, Profiles, RecordSource, Source,
    Theoretical,
};
use crate::device::catalogue::Catalogue;
use crate::device::format::rate_text;
use crate::device::{ClockBasis, Device, TheoreticalPeak, Unit};
use crate::measure::METHOD_VERSION;
use crate::precision::{Accumulate, Precision};
use crate::workload::{Distribution, Method};

/// Profiles of every model in the records; none of a model whose lines are all refused.
///
/// Errors: [`ProfileError::Catalogue`] when the built-in catalogue is defective.
pub fn calibrate(sources: &[Source], input: Distribution) -> Result<Profiles, ProfileError> {
    let sources = without_copies(sources);
    let (lines, refused) = admit(&sources, input, Catalogue::builtin()?);
    let mut models: Vec<(Model, Vec<&Line<'_>>)> = Vec::new();
    for line in &lines {
        let model = model(&line.measurement.device);
        match models.iter_mut().find(|(known, _)| *known == model) {
            Some((_, of)) => of.push(line),
            None => models.push((model, vec![line])),
        }
    }
    models.sort_by(|(a, _), (b, _)| (&a.model, &a.backend, a.units).cmp(&(&b.model, &b.backend, b.units)));
    Ok(Profiles {
        format: format!("flopgauge.{}", Profiles::KIND),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("FLOPGAUGE_COMMIT").map(str::to_owned),
        method_version: METHOD_VERSION.to_owned(),
        input,
        records: sources.iter().map(record).collect(),
        profiles: models.into_iter().map(|(model, lines)| profile(model, &lines)).collect(),
        refused,
    })
}

/// A record that was given twice, under one name or two, is one record.
fn without_copies(sources: &[Source]) -> Vec<Source> {
    let mut kept: Vec<Source> = Vec::new();
    for source in sources {
        let hashes = |of: &Source| (of.hashes.measurements.clone(), of.hashes.environment.clone());
        if !kept.iter().any(|known| hashes(known) == hashes(source)) {
            kept.push(source.clone());
        }
    }
    kept
}

fn record(source: &Source) -> RecordSource {
    let environment = &source.record.environment;
    RecordSource {
        record: source.hashes.path.clone(),
        started: environment.started,
        host: environment.host.name.clone(),
        version: environment.version.clone(),
        commit: environment.commit.clone(),
        measurements_sha256: source.hashes.measurements.clone(),
        environment_sha256: source.hashes.environment.clone(),
    }
}

/// A slice of a part has fewer units, and one part reached by two backends is measured in two ways: other models.
fn model(device: &Device) -> Model {
    Model {
        model: device.model.clone(),
        backend: device.backend.clone(),
        kind: device.kind,
        architecture: device.architecture.clone(),
        units: device.units,
        pci_id: device.pci_id.clone(),
    }
}

/// What may stand in one row.
type Key = (Precision, Accumulate, Unit, bool);

fn key(line: &Line<'_>) -> Key {
    let row = &line.measured.implementation;
    (row.precision, row.accumulate, row.unit, row.native)
}

fn profile(device: Model, lines: &[&Line<'_>]) -> DeviceProfile {
    let mut keys: Vec<Key> = lines.iter().map(|line| key(line)).collect();
    keys.sort_unstable();
    keys.dedup();
    let row = |wanted: &Key| {
        let of: Vec<&Line<'_>> = lines.iter().copied().filter(|line| key(line) == *wanted).collect();
        precision(*wanted, &of)
    };
    DeviceProfile { device, devices: devices(lines), precisions: keys.iter().map(row).collect() }
}

fn devices(lines: &[&Line<'_>]) -> Vec<DeviceRuns> {
    let mut found: Vec<DeviceRuns> = Vec::new();
    for line in lines {
        let device = &line.measurement.device;
        let at = found.iter().position(|known| known.uuid == device.uuid).unwrap_or(found.len());
        if at == found.len() {
            found.push(DeviceRuns { uuid: device.uuid, drivers: Vec::new(), records: Vec::new() });
        }
        let Some(runs) = found.get_mut(at) else { continue };
        if let Some(driver) = &device.driver
            && !runs.drivers.contains(driver)
        {
            runs.drivers.push(driver.clone());
        }
        if !runs.records.iter().any(|known| known == line.record) {
            runs.records.push(line.record.to_owned());
        }
    }
    found
}

fn precision(key: Key, lines: &[&Line<'_>]) -> PrecisionProfile {
    let of = |method: Method| {
        let lines = lines.iter().copied().filter(|line| line.measured.case.work.method() == method);
        fastest(&lines.collect::<Vec<_>>())
    };
    let (issue, sustained) = (of(Method::Issue).unzip(), of(Method::Gemm).unzip());
    let mut notes = Vec::new();
    if issue.0.is_none() {
        notes.push("issue: no case was accepted".to_owned());
    }
    if sustained.0.is_none() {
        notes.push("sustained: no case was accepted".to_owned());
    }
    if let (Some(issue), Some(sustained)) = (&issue.0, &sustained.0)
        && sustained.low > issue.high
    {
        notes.push(
            "sustained is above issue: that issue kernel does not show what the units can do".to_owned(),
        );
    }
    let peak = peak(key, lines, &mut notes);
    let (precision, accumulate, unit, native) = key;
    PrecisionProfile {
        precision,
        accumulate,
        unit,
        native,
        theoretical_op_per_s: peak.as_ref().map(|peak| peak.rate_op_per_s),
        theoretical: peak.map(|peak| Theoretical {
            clock_basis: peak.clock_basis,
            provenance: peak.provenance,
            note: peak.note,
        }),
        issue_op_per_s: issue.0,
        sustained_op_per_s: sustained.0,
        issue: issue.1,
        sustained: sustained.1,
        notes,
    }
}

/// The peak as the records have it; where they differ, as by the clock of the day, the greatest and a note.
fn peak(key: Key, lines: &[&Line<'_>], notes: &mut Vec<String>) -> Option<TheoreticalPeak> {
    let (precision, accumulate, unit, native) = key;
    if !native {
        notes.push("theoretical: none, the format is emulated".to_owned());
        return None;
    }
    let fits = |peak: &&TheoreticalPeak| {
        (peak.precision, peak.accumulate, peak.unit) == (precision, accumulate, unit)
    };
    let of_line = |line: &&Line<'_>| {
        let peaks: Vec<&TheoreticalPeak> = line.measurement.device.peaks.iter().filter(fits).collect();
        let at = |basis| peaks.iter().copied().find(|peak| peak.clock_basis == basis).cloned();
        at(ClockBasis::Rated).or_else(|| at(ClockBasis::MaximumBoost)).or_else(|| at(ClockBasis::Observed))
    };
    let peaks: Vec<TheoreticalPeak> = lines.iter().filter_map(of_line).collect();
    let greatest = peaks.iter().max_by_key(|peak| peak.rate_op_per_s);
    let least = peaks.iter().min_by_key(|peak| peak.rate_op_per_s);
    let Some((greatest, least)) = greatest.zip(least) else {
        notes.push("theoretical: no peak is known, so that no rate was held against one".to_owned());
        return None;
    };
    if greatest.rate_op_per_s != least.rate_op_per_s {
        let text = |peak: &TheoreticalPeak| rate_text(peak.rate_op_per_s, precision);
        let (low, high) = (text(least), text(greatest));
        notes.push(format!("theoretical: the records give {low} to {high}; this is the greatest"));
    }
    Some(greatest.clone())
}

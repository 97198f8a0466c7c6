//! The outcomes of one device in one record, which every chart of a run is made of.

use crate::device::{Device, DeviceKind};
use crate::measure::{Measured, Outcome};
use crate::record::Measurement;
use crate::workload::{Method, Work};

/// One device's part of a record.
#[derive(Debug, Clone)]
pub struct DeviceRun<'a> {
    /// Number within the report, from 1.
    pub number: usize,
    /// The record, as named on the command line.
    pub record: &'a str,
    /// The device.
    pub device: &'a Device,
    /// Its outcomes, in the order of the run.
    pub measurements: Vec<&'a Measurement>,
}

impl<'a> DeviceRun<'a> {
    /// Identifier within a page.
    pub fn id(&self) -> String {
        self.number.to_string()
    }

    /// Device and model, with the kind in capitals where it is no hardware.
    pub fn name(&self) -> String {
        let device = self.device;
        match device.kind {
            DeviceKind::Hardware => format!("{} {}", device.id, device.model),
            kind => format!("{} {} [{}]", device.id, device.model, kind.name().to_uppercase()),
        }
    }

    /// Cases that were measured.
    pub fn measured(&self) -> impl Iterator<Item = (&'a Measurement, &'a Measured)> + '_ {
        self.measurements.iter().filter_map(|measurement| match &measurement.result {
            Outcome::Measured(measured) => Some((*measurement, &**measured)),
            _ => None,
        })
    }

    /// The fastest verified copy, whether of memory or of a cache.
    pub fn copy(&self) -> Option<&'a Measured> {
        let rate = |measured: &Measured| measured.bandwidth().map_or(0.0, |b| b.rate_byte_per_s.median.get());
        let copies = self.measured().map(|(_, measured)| measured);
        let credible = copies.filter(|m| m.is_copy() && m.is_verified() && !m.has_error());
        credible.filter(|m| m.bandwidth().is_some()).max_by(|a, b| rate(a).total_cmp(&rate(b)))
    }

    /// Measured products.
    pub fn products(&self) -> impl Iterator<Item = (&'a Measurement, &'a Measured)> + '_ {
        self.measured().filter(|(measurement, _)| measurement.request.work.method() == Method::Gemm)
    }
}

/// A case in words.
pub fn case(measurement: &Measurement) -> String {
    let arithmetic = measurement.arithmetic();
    match measurement.request.work {
        Work::Issue => format!("{arithmetic} issue"),
        Work::Gemm { shape, input, .. } => format!("{arithmetic} gemm {shape} {input}"),
        Work::Copy { buffer_bytes } => format!("copy 2 x {buffer_bytes}"),
    }
}

//! What is to be measured on a device: one request per case, made before anything runs.

use serde::{Deserialize, Serialize};

use super::sweep::{Sweep, coarse};
use crate::backend::Implementation;
use crate::precision::Precision;
use crate::units::Bytes;
use crate::workload::{Distribution, GemmShape, Layout, Method, Work};

/// Why a plan cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The operands do not fit.
    #[error(
        "shape {shape} in {precision} needs {needed} of memory and {available} is there; give a smaller --shape"
    )]
    Memory {
        /// Shape asked for.
        shape: GemmShape,
        /// Format of the operands.
        precision: Precision,
        /// Memory needed for A, B, C and the checks of them.
        needed: String,
        /// Memory of the device.
        available: Bytes,
    },
}

/// What the user chose; an empty list leaves the choice to the device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Methods; both where empty.
    pub methods: Vec<Method>,
    /// Formats; where empty, those that the device has.
    pub precisions: Vec<Precision>,
    /// Shapes; where empty, the implementation's own.
    pub shapes: Vec<GemmShape>,
    /// A set of shapes instead.
    pub sweep: Option<Sweep>,
    /// How A is stored.
    pub layout: Layout,
    /// Distributions of the operands; normal where empty.
    pub inputs: Vec<Distribution>,
    /// Seed of the operands.
    pub seed: u64,
    /// The one implementation to measure; where `None`, the best.
    pub implementation: Option<String>,
}

/// One planned case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Format of the operands.
    pub precision: Precision,
    /// What is computed.
    pub work: Work,
    /// The one implementation to measure; where `null`, the best.
    pub implementation: Option<String>,
}

impl Request {
    /// Rows of the table that can answer the request.
    pub fn rows<'a>(&self, table: &'a [Implementation]) -> Vec<&'a Implementation> {
        let named = |row: &&Implementation| self.implementation.as_ref().is_none_or(|name| *name == row.name);
        let fits =
            |row: &&Implementation| row.method == self.work.method() && row.precision == self.precision;
        table.iter().filter(fits).filter(named).collect()
    }
}

/// Cases for a device with the given rows and memory, in the order of formats, issue rate first.
///
/// Errors: [`PlanError::Memory`] when a shape needs more memory than the device has.
pub fn plan(
    selection: &Selection,
    table: &[Implementation],
    memory: Option<Bytes>,
) -> Result<Vec<Request>, PlanError> {
    let mut requests = Vec::new();
    for precision in precisions(selection, table) {
        for method in [Method::Issue, Method::Gemm] {
            if !selection.methods.is_empty() && !selection.methods.contains(&method) {
                continue;
            }
            match method {
                Method::Issue => requests.push(request(selection, precision, Work::Issue)),
                Method::Gemm => requests.extend(products(selection, table, precision)),
            }
        }
    }
    for request in &requests {
        fits(request, memory)?;
    }
    Ok(requests)
}

fn precisions(selection: &Selection, table: &[Implementation]) -> Vec<Precision> {
    if selection.precisions.is_empty() {
        let has = |precision: &Precision| table.iter().any(|row| row.precision == *precision);
        Precision::ALL.into_iter().filter(has).collect()
    } else {
        let chosen = |precision: &Precision| selection.precisions.contains(precision);
        Precision::ALL.into_iter().filter(chosen).collect()
    }
}

fn request(selection: &Selection, precision: Precision, work: Work) -> Request {
    Request { precision, work, implementation: selection.implementation.clone() }
}

fn products(selection: &Selection, table: &[Implementation], precision: Precision) -> Vec<Request> {
    let own = table.iter().find(|row| row.precision == precision && row.method == Method::Gemm);
    // Where no row has the format, the shape only names the case that is then unsupported.
    let own = own.and_then(|row| row.shape).or_else(|| GemmShape::new(1024, 1024, 1024).ok());
    let shapes: Vec<GemmShape> = match (selection.sweep, own) {
        (Some(_), Some(own)) => coarse(own),
        _ if selection.shapes.is_empty() => own.into_iter().collect(),
        _ => selection.shapes.clone(),
    };
    let normal = [Distribution::Normal];
    let inputs = if selection.inputs.is_empty() { &normal } else { selection.inputs.as_slice() };
    let mut found = Vec::new();
    for shape in shapes {
        for input in inputs {
            let work = Work::Gemm { shape, layout: selection.layout, input: *input, seed: selection.seed };
            found.push(request(selection, precision, work));
        }
    }
    found
}

/// Share of a device's memory that a case may take; the rest is for the system and the libraries.
const MEMORY_SHARE: (u128, u128) = (9, 10);

fn fits(request: &Request, memory: Option<Bytes>) -> Result<(), PlanError> {
    let (Work::Gemm { shape, .. }, Some(available)) = (&request.work, memory) else { return Ok(()) };
    let element = u64::from(request.precision.bits().next_power_of_two().div_ceil(8));
    // The checks hold A, B and C widened to eight bytes beside the operands themselves.
    let needed = shape.bytes(element, element.max(4)).saturating_add(shape.bytes(8, 8));
    if needed * MEMORY_SHARE.1 <= u128::from(available.get()) * MEMORY_SHARE.0 {
        return Ok(());
    }
    let shown =
        u64::try_from(needed).map_or_else(|_| format!("{needed} B"), |bytes| Bytes::new(bytes).to_string());
    Err(PlanError::Memory { shape: *shape, precision: request.precision, needed: shown, available })
}

//! What is to be measured on a device: one request per case, made before anything runs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::sweep::{Sweep, coarse};
use crate::backend::Implementation;
use crate::precision::{Accumulate, Precision};
use crate::units::Bytes;
use crate::workload::{BufferSize, COPY_FORMAT, Distribution, GemmShape, Layout, Method, Work};

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
    /// The buffers do not fit.
    #[error(
        "a copy of {buffer} needs {needed} of memory with its check and {available} is there; give a smaller --buffer"
    )]
    Buffers {
        /// Size of each buffer.
        buffer: BufferSize,
        /// Memory needed for both and their check.
        needed: Bytes,
        /// Memory of the device.
        available: Bytes,
    },
    /// A copy was asked for by name and its size is not known.
    #[error(
        "the device does not tell its last-level cache or has no copy; give the size of a buffer with --buffer"
    )]
    NoBuffer,
}

/// What the user chose; an empty list leaves the choice to the device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Methods; issue and gemm where empty, and a copy where nothing else was chosen either.
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
    /// Sizes of the buffers of a copy; where empty, the implementation's own.
    #[serde(default)]
    pub buffers: Vec<BufferSize>,
}

/// One planned case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums; `null` where no row has the format, and for a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accumulate: Option<Accumulate>,
    /// What is computed.
    pub work: Work,
    /// The one implementation to measure; where `null`, the best.
    pub implementation: Option<String>,
}

/// The case in a few words.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.work {
            Work::Copy { buffer_bytes } => write!(f, "copy of {buffer_bytes}"),
            Work::Issue => write!(f, "{} issue rate", self.precision),
            Work::Gemm { shape, input, .. } => write!(f, "{} gemm {shape} {input}", self.precision),
        }
    }
}

impl Request {
    /// Rows of the table that can answer the request.
    pub fn rows<'a>(&self, table: &'a [Implementation]) -> Vec<&'a Implementation> {
        let named = |row: &&Implementation| self.implementation.as_ref().is_none_or(|name| *name == row.name);
        let fits = |row: &&Implementation| {
            row.method == self.work.method()
                && row.precision == self.precision
                && self.accumulate.is_none_or(|wanted| row.accumulate == wanted)
        };
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
            for accumulate in sums(selection, table, (precision, method)) {
                match method {
                    Method::Issue => {
                        requests.push(request(selection, (precision, accumulate), Work::Issue));
                    }
                    Method::Gemm => requests.extend(products(selection, table, (precision, accumulate))),
                    Method::Copy => {}
                }
            }
        }
    }
    requests.extend(copies(selection, table)?);
    for request in &requests {
        fits(request, memory)?;
    }
    Ok(requests)
}

/// Copies, once a device and after everything else: they have no precision.
fn copies(selection: &Selection, table: &[Implementation]) -> Result<Vec<Request>, PlanError> {
    let asked = selection.methods.contains(&Method::Copy) || !selection.buffers.is_empty();
    // Whoever names a format, a shape or an implementation asks for that and nothing beside it.
    let everything = selection.methods.is_empty()
        && selection.precisions.is_empty()
        && selection.shapes.is_empty()
        && selection.sweep.is_none()
        && selection.inputs.is_empty()
        && selection.implementation.is_none();
    let own = table.iter().filter(|row| row.method == Method::Copy).find_map(|row| row.buffer_bytes);
    if !(asked || everything && own.is_some()) {
        return Ok(Vec::new());
    }
    let buffers = match (selection.buffers.is_empty(), own) {
        (false, _) => selection.buffers.clone(),
        (true, Some(own)) => vec![own],
        (true, None) => return Err(PlanError::NoBuffer),
    };
    let copy = |buffer_bytes| request(selection, (COPY_FORMAT.0, None), Work::Copy { buffer_bytes });
    Ok(buffers.into_iter().map(copy).collect())
}

fn precisions(selection: &Selection, table: &[Implementation]) -> Vec<Precision> {
    if selection.precisions.is_empty() {
        let computes = |row: &&Implementation| row.method != Method::Copy;
        let has =
            |precision: &Precision| table.iter().filter(computes).any(|row| row.precision == *precision);
        Precision::ALL.into_iter().filter(has).collect()
    } else {
        let chosen = |precision: &Precision| selection.precisions.contains(precision);
        Precision::ALL.into_iter().filter(chosen).collect()
    }
}

/// Formats of sums that the rows of a case have, each a figure of its own; one `None` where there is no row.
fn sums(
    selection: &Selection,
    table: &[Implementation],
    (precision, method): (Precision, Method),
) -> Vec<Option<Accumulate>> {
    let named = |row: &&Implementation| selection.implementation.as_ref().is_none_or(|n| *n == row.name);
    let fits = |row: &&Implementation| row.method == method && row.precision == precision;
    let mut found: Vec<_> = table.iter().filter(fits).filter(named).map(|row| Some(row.accumulate)).collect();
    found.sort_unstable();
    found.dedup();
    if found.is_empty() { vec![None] } else { found }
}

fn request(
    selection: &Selection,
    (precision, accumulate): (Precision, Option<Accumulate>),
    work: Work,
) -> Request {
    Request { precision, accumulate, work, implementation: selection.implementation.clone() }
}

fn products(
    selection: &Selection,
    table: &[Implementation],
    (precision, accumulate): (Precision, Option<Accumulate>),
) -> Vec<Request> {
    let own = table.iter().find(|row| {
        row.precision == precision
            && row.method == Method::Gemm
            && accumulate.is_none_or(|sums| row.accumulate == sums)
    });
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
            found.push(request(selection, (precision, accumulate), work));
        }
    }
    found
}

/// Share of a device's memory that a case may take; the rest is for the system and the libraries.
const MEMORY_SHARE: (u128, u128) = (9, 10);

fn fits(request: &Request, memory: Option<Bytes>) -> Result<(), PlanError> {
    let Some(available) = memory else { return Ok(()) };
    let shape = match &request.work {
        Work::Issue => return Ok(()),
        Work::Copy { buffer_bytes } => return buffers_fit(*buffer_bytes, available),
        Work::Gemm { shape, .. } => shape,
    };
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

/// Source, destination, and for the check the pattern and what came out.
fn buffers_fit(buffer: BufferSize, available: Bytes) -> Result<(), PlanError> {
    let needed = u128::from(buffer.get()) * 4;
    if needed * MEMORY_SHARE.1 <= u128::from(available.get()) * MEMORY_SHARE.0 {
        return Ok(());
    }
    let needed = Bytes::new(u64::try_from(needed).unwrap_or(u64::MAX));
    Err(PlanError::Buffers { buffer, needed, available })
}

//! Which checks a case must pass before and after it is timed.

use std::hash::{BuildHasher, Hasher};

use super::runner::{Halt, Runner};
use super::verify::{self, Product, Wrong};
use super::{Check, Control};
use crate::backend::{Backend, Implementation, Output};
use crate::units::Ops;
use crate::workload::{
    BufferSize, Case, Distribution, Elements, GemmShape, Layout, Operand, Tolerance, Work, copy_pattern,
    operand, reference,
};

/// Ragged on every side, no multiple of any tile, and small enough for a reference of each element.
const SMALL: [(u64, u64, u64); 2] = [(67, 91, 83), (1, 17, 129)];

/// Steps of the short run that is replayed on scalars; prime, so that a loop that rounds to its unroll is seen.
const STEPS: [u64; 2] = [997, 1009];

/// Runs the small checks of one row; every check that passed is named.
pub(super) fn before(
    backend: &mut dyn Backend,
    row: &Implementation,
    work: &Work,
    control: &dyn Control,
) -> Result<Vec<Check>, Halt> {
    let (layout, seed) = match *work {
        Work::Issue => return issue_before(backend, row, control),
        Work::Copy { .. } => return copy_before(backend, row, control),
        Work::Gemm { layout, seed, .. } => (layout, seed),
    };
    let mut checks = Vec::new();
    for (m, n, k) in SMALL {
        let Ok(shape) = GemmShape::new(m, n, k) else { continue };
        for input in [Distribution::Normal, Distribution::Integers] {
            let case = case(row, Work::Gemm { shape, layout, input, seed });
            let mut runner = Runner::new(backend.load(&case)?, control);
            let c = product_output(&mut runner, row)?;
            small(&case, shape, layout, (input, seed), &c).map_err(|error| wrong(row, error))?;
        }
    }
    checks.push(passed("each element of ragged products against a binary64 reference, outputs poisoned"));
    Ok(checks)
}

fn issue_before(
    backend: &mut dyn Backend,
    row: &Implementation,
    control: &dyn Control,
) -> Result<Vec<Check>, Halt> {
    let mut runner = Runner::new(backend.load(&case(row, Work::Issue))?, control);
    accumulators(&mut runner, row)
}

/// Sizes of the small copies: one line, and lines that neither threads nor an unroll divide.
const LINES: [u64; 3] = [1, 127, 10_007];

fn copy_before(
    backend: &mut dyn Backend,
    row: &Implementation,
    control: &dyn Control,
) -> Result<Vec<Check>, Halt> {
    for lines in LINES {
        let Ok(buffer_bytes) = BufferSize::new(lines * BufferSize::STEP) else { continue };
        let case = case(row, Work::Copy { buffer_bytes });
        copy_once(&mut Runner::new(backend.load(&case)?, control), row, buffer_bytes)?;
    }
    Ok(vec![passed("each byte of small ragged copies, destinations poisoned")])
}

/// One copy of a pattern that no run before had, over a destination that has no byte of it.
fn copy_once(runner: &mut Runner<'_>, row: &Implementation, buffer: BufferSize) -> Result<(), Halt> {
    if runner.bytes_per_iteration() != Some(buffer.traffic()) {
        return Err(wrong(row, Wrong::Form));
    }
    let seed = std::hash::RandomState::new().build_hasher().finish();
    runner.fill(seed)?;
    runner.batch(1)?;
    let Output::Copied(destination) = runner.output()? else { return Err(wrong(row, Wrong::Form)) };
    verify::copied(&destination, &copy_pattern(buffer, seed)).map_err(|error| wrong(row, error))
}

/// The accumulators after runs of known length against their replay.
pub(super) fn accumulators(runner: &mut Runner<'_>, row: &Implementation) -> Result<Vec<Check>, Halt> {
    for iterations in STEPS {
        runner.batch(iterations)?;
        let Output::Accumulators { values, expected, steps } = runner.output()? else {
            return Err(wrong(row, Wrong::Form));
        };
        verify::accumulators(&values, &expected, steps).map_err(|error| wrong(row, error))?;
    }
    Ok(vec![passed("every accumulator against a scalar replay of the counted steps, bit for bit")])
}

/// The checks of the full-size product that was timed: Freivalds on what the last timed run left, and an equal run.
pub(super) fn after(runner: &mut Runner<'_>, row: &Implementation, full: &Case) -> Result<Vec<Check>, Halt> {
    let (shape, layout, input, seed) = match full.work {
        Work::Issue => return accumulators(runner, row),
        Work::Copy { buffer_bytes } => {
            copy_once(runner, row, buffer_bytes)?;
            return Ok(vec![passed(
                "the full destination against a new pattern in its source, byte for byte",
            )]);
        }
        Work::Gemm { shape, layout, input, seed } => (shape, layout, input, seed),
    };
    let timed = matrix(runner, row)?;
    let again = product_output(runner, row)?;
    verify::repeatable(&timed, &again).map_err(|error| wrong(row, error))?;
    drop(again);
    let mut checks = vec![passed("what the last timed run left against one more run, bit for bit")];
    let tolerance = Tolerance::of_units(row.precision, row.accumulate, shape.k());
    let (a, b) = operands(shape, layout, row, (input, seed))?;
    let product = Product { shape, layout, a: &a, b: &b, c: &timed };
    if tolerance.is_exact() || input == Distribution::Integers {
        verify::exact_integers(&product, seed).map_err(|error| wrong(row, error))?;
        checks.push(passed("the full-size product in whole numbers, residual zero"));
    } else {
        verify::freivalds(&product, tolerance, seed).map_err(|error| wrong(row, error))?;
        checks.push(passed("the full-size product by Freivalds' check in binary64"));
    }
    Ok(checks)
}

/// The full-size product once more on small integers, where any one wrong bit shows.
pub(super) fn integers(
    backend: &mut dyn Backend,
    row: &Implementation,
    full: &Case,
    control: &dyn Control,
) -> Result<Vec<Check>, Halt> {
    let Work::Gemm { shape, layout, input, seed } = full.work else { return Ok(Vec::new()) };
    if input == Distribution::Integers || row.precision.is_integer() {
        return Ok(Vec::new());
    }
    let input = Distribution::Integers;
    let mut runner =
        Runner::new(backend.load(&case(row, Work::Gemm { shape, layout, input, seed }))?, control);
    let c = product_output(&mut runner, row)?;
    let (a, b) = operands(shape, layout, row, (input, seed))?;
    let product = Product { shape, layout, a: &a, b: &b, c: &c };
    verify::exact_integers(&product, seed).map_err(|error| wrong(row, error))?;
    Ok(vec![passed("the full-size product on small integers, residual zero")])
}

/// The case of a row.
pub(super) fn case(row: &Implementation, work: Work) -> Case {
    Case { implementation: row.name.clone(), precision: row.precision, accumulate: row.accumulate, work }
}

fn small(
    case: &Case,
    shape: GemmShape,
    layout: Layout,
    data: (Distribution, u64),
    c: &Elements,
) -> Result<(), Wrong> {
    let operand = |which| operand(which, shape, layout, case.precision, data).ok_or(Wrong::Form);
    let (a, b) = (operand(Operand::A)?, operand(Operand::B)?);
    let reference = reference(shape, layout, &a, &b).ok_or(Wrong::Form)?;
    verify::elements(shape, c, &reference, Tolerance::of_units(case.precision, case.accumulate, shape.k()))
}

fn operands(
    shape: GemmShape,
    layout: Layout,
    row: &Implementation,
    data: (Distribution, u64),
) -> Result<(Elements, Elements), Halt> {
    let operand = |which| operand(which, shape, layout, row.precision, data);
    operand(Operand::A).zip(operand(Operand::B)).ok_or_else(|| wrong(row, Wrong::Form))
}

fn product_output(runner: &mut Runner<'_>, row: &Implementation) -> Result<Elements, Halt> {
    if runner.ops_per_iteration() == Ops::ZERO {
        return Err(wrong(row, Wrong::Form));
    }
    runner.batch(1)?;
    matrix(runner, row)
}

/// What the last run left.
fn matrix(runner: &mut Runner<'_>, row: &Implementation) -> Result<Elements, Halt> {
    match runner.output()? {
        Output::Matrix(elements) => Ok(elements),
        Output::Accumulators { .. } | Output::Copied(_) => Err(wrong(row, Wrong::Form)),
    }
}

fn passed(name: &str) -> Check {
    Check { name: name.to_owned(), passed: true }
}

fn wrong(row: &Implementation, error: Wrong) -> Halt {
    Halt::Wrong { implementation: row.name.clone(), error }
}

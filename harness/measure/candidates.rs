//! Which implementation is measured: the fastest of those whose values are right, by trial and not by rank.

use super::checks::{before, case};
use super::choices::Memory;
use super::runner::{Halt, Runner};
use super::{Candidate, Check, Control, Progress, Request, Schedule};
use crate::backend::{Backend, Implementation};
use crate::device::Finding;
use crate::units::{ByteRate, OpRate, Seconds};
use crate::workload::Work;

/// The chosen row, all that were tried, and the checks that the chosen one passed.
pub(super) struct Choice {
    pub row: Implementation,
    pub candidates: Vec<Candidate>,
    pub checks: Vec<Check>,
    /// How far it rests on earlier runs.
    pub findings: Vec<Finding>,
}

/// Takes the choice of an earlier run where one is kept and its values are still right, and else tries every row.
pub(super) fn choose(
    backend: &mut dyn Backend,
    request: &Request,
    schedule: &Schedule,
    control: &dyn Control,
) -> Result<Choice, Halt> {
    let rows: Vec<Implementation> = request.rows(backend.implementations()).into_iter().cloned().collect();
    let folder = control.choices().filter(|_| rows.len() > 1);
    let Some(mut memory) = folder.and_then(|folder| Memory::of(backend, folder)) else {
        return choose_anew(backend, request, schedule, control);
    };
    if let Some(row) = memory.chosen(request, &rows, schedule.trial) {
        control.progress(Progress::Candidates);
        match before(backend, &row, &request.work, control) {
            Ok(checks) => {
                let name = row.name.clone();
                let only = Candidate {
                    implementation: name,
                    trial_op_per_s: None,
                    trial_byte_per_s: None,
                    rejected: None,
                };
                let findings = vec![Memory::remembered(rows.len())];
                return Ok(Choice { row, candidates: vec![only], checks, findings });
            }
            Err(Halt::Stop(stop)) => return Err(Halt::Stop(stop)),
            // What is wrong with it shows again among the candidates.
            Err(_) => {}
        }
    }
    let mut choice = choose_anew(backend, request, schedule, control)?;
    memory.keep(request, &choice.row.name, &choice.candidates, schedule.trial);
    choice.findings = memory.findings;
    Ok(choice)
}

/// Checks and tries each row that answers the request.
fn choose_anew(
    backend: &mut dyn Backend,
    request: &Request,
    schedule: &Schedule,
    control: &dyn Control,
) -> Result<Choice, Halt> {
    let rows: Vec<Implementation> = request.rows(backend.implementations()).into_iter().cloned().collect();
    if rows.is_empty() {
        let (precision, method) = (request.precision, request.work.method());
        let named = request.implementation.as_ref().map_or(String::new(), |name| format!(" named {name}"));
        let device = &backend.device().id;
        let known = backend.absence(precision, method).filter(|_| request.implementation.is_none());
        let why = known.map_or(String::new(), |why| format!(": {why}"));
        return Err(Halt::Unsupported(format!(
            "{device} has no {method} implementation{named} for {precision}{why}"
        )));
    }
    let (mut best, mut candidates) = (None, Vec::new());
    for row in &rows {
        control.progress(Progress::Candidates);
        match trial(backend, row, &request.work, (schedule, rows.len()), control) {
            Ok((rate, checks)) => {
                candidates.push(Candidate {
                    implementation: row.name.clone(),
                    trial_op_per_s: rate.0,
                    trial_byte_per_s: rate.1,
                    rejected: None,
                });
                if best.as_ref().is_none_or(|(fastest, _, _)| rate > *fastest) {
                    best = Some((rate, row.clone(), checks));
                }
            }
            Err(Halt::Stop(stop)) => return Err(Halt::Stop(stop)),
            // The only row there is says more with its own error than as a rejected candidate.
            Err(halt) if rows.len() == 1 => return Err(halt),
            Err(halt) => candidates.push(Candidate {
                implementation: row.name.clone(),
                trial_op_per_s: None,
                trial_byte_per_s: None,
                rejected: Some(halt.to_string()),
            }),
        }
    }
    let Some((_, row, checks)) = best else {
        let reasons: Vec<_> = candidates.into_iter().filter_map(|candidate| candidate.rejected).collect();
        return Err(Halt::Rejected(reasons.join("; ")));
    };
    Ok(Choice { row, candidates, checks, findings: Vec::new() })
}

/// Rate of a trial: of operations, or of bytes for a copy; neither for the only row.
type Rate = (Option<OpRate>, Option<ByteRate>);

fn trial(
    backend: &mut dyn Backend,
    row: &Implementation,
    work: &Work,
    (schedule, rows): (&Schedule, usize),
    control: &dyn Control,
) -> Result<(Rate, Vec<Check>), Halt> {
    let checks = before(backend, row, work, control)?;
    if rows == 1 {
        return Ok(((None, None), checks));
    }
    let mut runner = Runner::new(backend.load(&case(row, *work))?, control);
    runner.size(row.sample_s)?;
    let window = runner.window(super::plateau::Phase::Burst, schedule.trial)?;
    let (iterations, elapsed): (u64, Seconds) = if window.clean_iterations > 0 {
        (window.clean_iterations, window.clean_elapsed_s)
    } else {
        (window.iterations, window.elapsed_s)
    };
    if let Some(bytes) = runner.bytes_per_iteration() {
        return Ok(((None, ByteRate::of(bytes, iterations, elapsed).ok()), checks));
    }
    let ops = runner.ops_per_iteration().checked_times(u128::from(iterations));
    Ok(((ops.and_then(|ops| OpRate::of(ops, elapsed).ok()), None), checks))
}

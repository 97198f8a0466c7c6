//! The time line of one case: choose, load, burst, heat, plateau, sample, verify.

use super::candidates::{Choice, choose};
use super::plateau::{Phase, still_moving};
use super::runner::{Halt, Runner};
use super::{Control, Measured, Outcome, Progress, Request, Schedule, checks};
use crate::backend::{Backend, Timer};
use crate::device::{Finding, Severity};

/// Measures one request on a device; whatever happens, there is exactly one outcome.
pub fn measure(
    backend: &mut dyn Backend,
    request: &Request,
    schedule: &Schedule,
    control: &dyn Control,
) -> Outcome {
    match attempt(backend, request, schedule, control) {
        Ok(measured) => Outcome::Measured(Box::new(measured)),
        Err(Halt::Unsupported(reason)) => Outcome::Unsupported { reason },
        Err(halt @ (Halt::Stop(_) | Halt::Skipped(_))) => Outcome::Skipped { reason: halt.to_string() },
        Err(halt @ (Halt::Backend(_) | Halt::Wrong { .. } | Halt::Rejected(_))) => {
            Outcome::Failed { error: halt.to_string() }
        }
    }
}

fn attempt(
    backend: &mut dyn Backend,
    request: &Request,
    schedule: &Schedule,
    control: &dyn Control,
) -> Result<Measured, Halt> {
    let Choice { row, candidates, mut checks, findings: of_the_choice } =
        choose(backend, request, schedule, control)?;
    let case = checks::case(&row, request.work);
    let mut runner = Runner::new(backend.load(&case)?, control);
    runner.size(row.sample_s)?;
    control.idle(schedule.idle);
    let mut windows = vec![runner.window(Phase::Burst, schedule.burst)?];
    runner.windows((Phase::Heat, schedule.heat, schedule.window), &mut windows, |_| false)?;
    let settled = |windows: &[super::plateau::Window]| still_moving(windows).is_empty();
    runner.windows((Phase::Plateau, schedule.plateau, schedule.window), &mut windows, settled)?;
    let moving = still_moving(&windows);
    let limits = (schedule.sample, schedule.sample_most);
    let samples = runner.samples(Schedule::SAMPLES, Schedule::SAMPLES_MOST, limits)?;
    control.progress(Progress::Verify);
    checks.extend(checks::after(&mut runner, &row, &case)?);
    let working_set = runner.working_set();
    let bytes_per_iteration = runner.bytes_per_iteration();
    let (ops_per_iteration, timer) = (runner.ops_per_iteration(), runner.timer().unwrap_or(Timer::HostClock));
    let of_the_backend = runner.findings();
    drop(runner);
    checks.extend(checks::integers(backend, &row, &case, control)?);
    let mut measured = Measured {
        case,
        implementation: row,
        ops_per_iteration,
        bytes_per_iteration,
        timer,
        working_set,
        candidates,
        windows,
        samples,
        moving,
        checks,
        findings: Vec::new(),
    };
    measured.findings = findings(&measured);
    measured.findings.extend(of_the_choice);
    measured.findings.extend(of_the_backend);
    measured.findings.extend(backend.findings());
    let (_, above_the_peak) = super::efficiency(backend.device(), &measured);
    let (_, above_the_memory) = super::bandwidth_share(backend.device(), &measured);
    measured.findings.extend(above_the_peak.into_iter().chain(above_the_memory));
    Ok(measured)
}

fn findings(measured: &Measured) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut warn = |rule, message| found.push(Finding::new(Severity::Warning, rule, message, None));
    for candidate in &measured.candidates {
        if let Some(reason) = &candidate.rejected {
            warn("implementation-rejected", format!("{} was rejected: {reason}", candidate.implementation));
        }
    }
    if !measured.is_steady() {
        warn("not-steady", format!("not steady: {}", measured.moving.join(", ")));
    }
    if measured.samples.len() < Schedule::SAMPLES {
        let count = measured.samples.len();
        warn("few-samples", format!("{count} samples, fewer than {}: one takes too long", Schedule::SAMPLES));
    }
    if measured.samples.throttled() {
        warn("throttled", "the device reported throttling while it was sampled".to_owned());
    }
    found.extend(disturbance(measured));
    found.extend(unevenness(measured));
    if measured.is_copy() {
        found.extend(super::bandwidth::cache_measured(measured.working_set));
    } else if let Some(set) = measured.working_set.filter(|set| !set.exceeds_cache()) {
        let (bytes, cache) = (set.bytes, set.cache_bytes);
        let message =
            format!("operands rotate through {bytes}, not twice the last-level cache, told to be {cache}");
        found.push(Finding::new(Severity::Note, "cache-warm", message, None));
    }
    found
}

/// Widest spread of samples, 5th to 95th percentile over the median, that one number still describes. Quiet machines
/// were seen at 1 to 2 %; a neighbour on the same host, which no counter of a guest shows, made it 13 %.
const EVEN: f64 = 0.05;

/// Samples that differ by more than noise, though nothing that can be seen came between.
fn unevenness(measured: &Measured) -> Option<Finding> {
    let compute = measured.headline().map(|headline| headline.statistics.spread);
    let spread = compute.or_else(|| Some(measured.bandwidth()?.spread))?;
    let message =
        format!("uneven: the samples spread by {spread}; look for a neighbour, or for a clock in motion");
    (spread.get() > EVEN).then(|| Finding::new(Severity::Warning, "uneven", message, None))
}

/// Other work on the same cores, as far as it is in the figure.
fn disturbance(measured: &Measured) -> Option<Finding> {
    let compute = measured.headline().map(|h| (h.basis, h.clean, h.of));
    let (basis, clean, of) = compute.or_else(|| measured.bandwidth().map(|b| (b.basis, b.clean, b.of)))?;
    let count = format!("{clean} of {of} samples were clean of other work");
    let (severity, message) = match basis {
        super::Basis::Clean if clean * 2 < of => (Severity::Note, format!("{count}, and only these count")),
        super::Basis::Clean => return None,
        super::Basis::CpuTime => {
            (Severity::Warning, format!("disturbed: {count}; the rate is corrected by CPU time"))
        }
        super::Basis::Disturbed => {
            (Severity::Warning, format!("disturbed: {count}; the rate holds with that work beside it"))
        }
    };
    Some(Finding::new(severity, "disturbed", message, None))
}

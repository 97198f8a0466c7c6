//! Issue rates: against the theoretical peak at the observed clock, against other chain counts, one core and all.

use flopgauge::backend::{Backend, Loaded, chain_sweeps};
use flopgauge::device::{Device, Provenance};
use flopgauge::measure::Pace;
use flopgauge::measure::{Measured, Outcome, Request, Schedule, Unattended, efficiency, measure};
use flopgauge::precision::Precision;
use flopgauge::workload::{Case, Work};

use super::{Failure, cpu, median};

const FORMATS: [Precision; 5] =
    [Precision::Fp64, Precision::Fp32, Precision::Fp16, Precision::Bf16, Precision::Int8];

pub fn table(cores: u32) -> Result<(), Failure> {
    println!("\nIssue rate, one thread, over the theoretical peak at the observed clock");
    let mut one = cpu(Some(1))?;
    for precision in FORMATS {
        let request = Request { precision, accumulate: None, work: Work::Issue, implementation: None };
        let schedule = Schedule::of(request.work.method(), Pace::Normal);
        let outcome = measure(one.as_mut(), &request, &schedule, &Unattended);
        println!("  {precision:<5} {}", line(one.device(), &outcome));
    }
    drop(one);
    println!("\nShipped number of accumulator chains over the best of a sweep, operations per cycle");
    for sweep in chain_sweeps(60)? {
        let share =
            sweep.shipped_over_best.map_or("no clean sample".to_owned(), |r| format!("{:.4}", r.get()));
        let rates: Vec<String> = sweep
            .op_per_cycle
            .iter()
            .enumerate()
            .map(|(at, rate)| {
                format!("{}:{}", at + 1, rate.map_or("-".to_owned(), |r| format!("{:.1}", r.get())))
            })
            .collect();
        println!("  {:<18} {:>2} chains, {share}   {}", sweep.kernel, sweep.shipped, rates.join(" "));
    }
    println!("\n{cores} threads over {cores} times one thread, interleaved, in operations per cycle");
    for precision in [Precision::Fp64, Precision::Fp32] {
        println!("  {precision:<5} {:.4}", scaling(precision, cores)?);
    }
    Ok(())
}

fn line(device: &Device, outcome: &Outcome) -> String {
    let Outcome::Measured(measured) = outcome else {
        return format!("{}: {}", outcome.name(), outcome.reason().unwrap_or_default());
    };
    let rate = measured.headline().map(|h| h.statistics.rate_op_per_s.median);
    let rate = rate.map_or("no samples".to_owned(), |r| r.display(measured.case.precision.is_integer()));
    let share = efficiency(device, measured).0.map(|e| format!("{:.4}", e.ratio.get()));
    let share = share.unwrap_or_else(|| "no peak".to_owned());
    let basis = if emulated(measured) { "emulated" } else { evidence(device, measured) };
    let clock = measured.clock().map_or("unknown".to_owned(), |clock| clock.to_string());
    format!("{:<18} {rate}, clock {clock}, {share} of peak ({basis})", measured.case.implementation)
}

fn emulated(measured: &Measured) -> bool {
    !measured.implementation.native
}

fn evidence(device: &Device, measured: &Measured) -> &'static str {
    let row = &measured.implementation;
    let fits = |precision, unit| precision == row.precision && unit == row.unit;
    let peak = device.peaks.iter().find(|peak| fits(peak.precision, peak.unit));
    match peak.map(|peak| &peak.provenance) {
        Some(Provenance::Derived { evidence, .. }) => evidence.name(),
        _ => "unknown",
    }
}

/// Median over rounds of the rate of all threads over that of one, each over its own clock, divided by their number.
fn scaling(precision: Precision, cores: u32) -> Result<f64, Failure> {
    let (mut one, mut all) = (cpu(Some(1))?, cpu(None)?);
    let mut single = load(one.as_mut(), precision)?;
    let mut team = load(all.as_mut(), precision)?;
    let mut ratios = Vec::new();
    for _ in 0..200 {
        let (alone, together) = (per_cycle(single.as_mut())?, per_cycle(team.as_mut())?);
        if let (Some(alone), Some(together)) = (alone, together) {
            ratios.push(together / alone / f64::from(cores));
        }
    }
    println!("  {precision:<5} {} clean pairs of 200", ratios.len());
    Ok(median(&ratios))
}

fn load(backend: &mut dyn Backend, precision: Precision) -> Result<Box<dyn Loaded + '_>, Failure> {
    let rows = backend.implementations();
    let fits = |row: &&flopgauge::backend::Implementation| {
        row.precision == precision && row.shape.is_none() && row.native
    };
    let row = rows.iter().rfind(fits).ok_or("no kernel")?;
    let (implementation, accumulate) = (row.name.clone(), row.accumulate);
    Ok(backend.load(&Case { implementation, precision, accumulate, work: Work::Issue })?)
}

/// Operations per cycle of one batch of about 5 ms; `None` where other work came between.
fn per_cycle(loaded: &mut dyn Loaded) -> Result<Option<f64>, Failure> {
    const ITERATIONS: u64 = 1_600_000;
    let batch = loaded.run(ITERATIONS)?;
    let clean = batch.interference.is_none_or(|between| between.is_clean(batch.elapsed));
    let ops =
        loaded.ops_per_iteration().checked_times(u128::from(ITERATIONS)).ok_or("too many operations")?;
    let clock = batch.conditions.and_then(|conditions| conditions.clock_hz);
    Ok(clock.filter(|_| clean).map(|clock| ops.to_f64() / batch.elapsed.get() / clock.get()))
}

//! Operations from device hours: devices x seconds x dense peak x utilisation.

use super::{Contribution, Counting, Effect, Method, Route, Run, Three, Treatment};
use crate::units::Decimal;

/// The hardware route.
///
/// Errors: what the file does not say.
pub fn hardware(run: &Run, counting: &Counting) -> Result<Route, String> {
    if run.usage.is_empty() {
        return Err("hardware: no [[usage]] of devices".to_owned());
    }
    let mut sum = Three::zero();
    let mut steps = Vec::new();
    let mut failed = Decimal::from_integer(0);
    let mut width = Decimal::from_integer(0);
    for usage in &run.usage {
        if usage.precision.is_integer() && counting.integer_operations == Treatment::Excluded {
            steps.push(format!("{}: integer operations are not counted", usage.device));
            continue;
        }
        let of = |rate: &Decimal| usage.seconds.times(rate);
        let mut operations =
            Three { low: of(&usage.rate.low), best: of(&usage.rate.best), high: of(&usage.rate.high) };
        steps.push(format!(
            "{}: {} device seconds, {}: low {}, best {}, high {}",
            usage.device, usage.seconds, usage.basis, operations.low, operations.best, operations.high
        ));
        width =
            width.plus(&operations.high.minus(&operations.low).unwrap_or_else(|| Decimal::from_integer(0)));
        let lost = usage.failed_seconds.times(&usage.rate.high);
        match counting.failed_segments {
            Treatment::Excluded => {}
            Treatment::High => operations.high = operations.high.plus(&lost),
            Treatment::Counted => operations = operations.plus(&Three::exactly(&lost)),
        }
        if !lost.is_zero() && counting.failed_segments != Treatment::Excluded {
            steps.push(format!(
                "failed segments: {} device seconds, {lost} in the high end",
                usage.failed_seconds
            ));
            failed = failed.plus(&lost);
        }
        sum = sum.plus(&operations);
    }
    let mut contributions =
        vec![Contribution { name: "utilisation", operations: width, effect: Effect::Width }];
    if !failed.is_zero() {
        contributions.push(Contribution {
            name: "failed-segments",
            operations: failed,
            effect: Effect::HighEnd,
        });
    }
    Ok(Route {
        method: Method::Hardware,
        runs: vec![(format!("{}: device hours", run.name()), sum)],
        contributions,
        steps,
    })
}

//! `flopgauge collect DIR --expect HOSTLIST`.

mod options;
mod place;

use super::measure::now;
use super::{CliError, Exit, Output};
use crate::accept::{Collection, Fleet, Verdict, collect};
use crate::report::fleet_text;
pub use options::Args;
use place::Place;

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let sought = args.sought()?;
    let place = Place::of(args.out())?;
    let found = collect(&args.directory, &sought, now())?;
    if let Err(error) = place.leave(&found) {
        if error.exit() != Exit::Failed {
            return Err(error);
        }
        // A verdict that cannot be left is not known to anybody; 1 would say that a node is bad.
        output.error(&error);
        if !args.json {
            let said =
                line(&found.fleet, Verdict::Inconclusive, "flopgauge: the verdict could not be written");
            output.result(&said)?;
        }
        return Ok(Exit::Inconclusive);
    }
    if args.json {
        output.json(&found.fleet)?;
    } else {
        output.result(&text(&found, &place, output.width()))?;
    }
    Ok(match found.fleet.verdict {
        Verdict::Pass => Exit::Done,
        Verdict::Fail => Exit::Failed,
        Verdict::Inconclusive => Exit::Inconclusive,
    })
}

fn text(found: &Collection, place: &Place, width: Option<u16>) -> String {
    let fleet = &found.fleet;
    fleet_text(fleet, width) + &place.hints(fleet) + &line(fleet, fleet.verdict, fleet.reason.as_str())
}

/// The last line, for scripts.
fn line(fleet: &Fleet, verdict: Verdict, reason: &str) -> String {
    let counts = &fleet.counts;
    let job = fleet.job.as_deref().map_or("none".to_owned(), |job| {
        let plain = |c: char| if c.is_ascii_graphic() && c != '"' { c } else { '_' };
        job.chars().map(plain).collect()
    });
    format!(
        "VERDICT fleet={job}.{} {verdict} expected={} pass={} fail={} inconclusive={} reason=\"{reason}\"\n",
        fleet.restart, counts.expected, counts.pass, counts.fail, counts.inconclusive
    )
}

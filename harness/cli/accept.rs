//! `flopgauge accept`.

mod common_start;
mod devices;
mod options;
mod place;
mod session;

use std::time::Duration;

use jiff::Timestamp;

use super::choice::search;
use super::measure::{Clock, Supervisor, now};
use super::{CliError, Exit, Output, engine, host};
use crate::accept::{
    CheckResult, Circumstances, NodeFile, Quantity, RunIdentity, SpecUsed, Started, Verdict, judge,
};
use crate::device::DeviceKind;
use common_start::CommonStart;
pub use options::Args;
use place::Place;
use session::Session;

/// Time that a measuring process gets to end in order; a scheduler kills three seconds after it asked.
const GRACE: Duration = Duration::from_secs(1);

/// Time that a node's devices wait for one that does not begin: it must not take the time of a short look from them.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    match accept(args, output) {
        // A verdict that cannot be left is not known to anybody; 1 would say that the node is bad. To a monitor, what
        // ended otherwise is unknown too.
        Err(error) if error.exit() == Exit::Failed || args.nagios => {
            output.error(&error);
            Ok(Exit::Inconclusive)
        }
        Ok(Exit::Failed) if args.nagios => Ok(Exit::Critical),
        other => other,
    }
}

fn accept(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let (spec_name, spec) = args.read_spec()?;
    search(&args.search)?;
    let (host, run, started) = (host::describe(), engine::run_identity()?, now());
    let run = RunIdentity { rank: args.rank.or(run.rank), ..run };
    let node = args.node_name(&host)?;
    let common = CommonStart::of(args, &run, &node, started)?;
    let supervisor = Supervisor::new(args.stall_limit, false)?.with_grace(GRACE).with_each_apart(PATIENCE);
    let place = Place::begin(&args.out, begun(&node, &run, started))?;
    let clock = Clock::start(args.limit());
    let mut around = Circumstances {
        chosen: !args.device.is_empty() || !args.search.backend.is_empty(),
        ..Circumstances::default()
    };
    let cut = || session::cut(&supervisor, &clock);
    let start = common.map(|common| common.wait(output, &cut)).transpose()?.transpose();
    let start = start.unwrap_or_else(|why| {
        around.cut_short = Some(format!("no common start: {why}"));
        None
    });
    let load = Clock::start(args.load());
    let session = Session { args, spec: &spec, supervisor: &supervisor, clock: &clock, load: &load };
    let seen = if around.cut_short.is_none() { session.run(&mut around)? } else { Vec::new() };
    let judged = judge(&spec, args.tier(), &seen, &around);
    let file = NodeFile {
        format: format!("flopgauge.{}", NodeFile::KIND),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("FLOPGAUGE_COMMIT").map(str::to_owned),
        method_version: NodeFile::method().to_owned(),
        node,
        run,
        tier: args.tier(),
        spec: SpecUsed { name: spec_name, sha256: spec.sha256.clone() },
        started,
        ended: now(),
        cut_short: around.cut_short,
        left_out: around.left_out,
        simulated: seen.iter().any(|seen| seen.device.kind != DeviceKind::Hardware),
        verdict: judged.verdict,
        reason: judged.reason,
        host,
        start,
        not_checked: judged.not_checked,
        checks: judged.checks,
        devices: judged.devices,
    };
    place.leave(&file)?;
    if args.nagios {
        output.result(&nagios(&file))?;
    }
    output.result(&lines(&file))?;
    Ok(match file.verdict {
        Verdict::Pass => Exit::Done,
        Verdict::Fail => Exit::Failed,
        Verdict::Inconclusive => Exit::Inconclusive,
    })
}

fn begun(node: &str, run: &RunIdentity, started: Timestamp) -> Started {
    let (format, version) = (format!("flopgauge.{}", Started::KIND), env!("CARGO_PKG_VERSION").to_owned());
    Started { format, version, node: node.to_owned(), run: run.clone(), started }
}

/// The line that a monitor shows; what follows a bar would be taken for figures.
fn nagios(file: &NodeFile) -> String {
    let state = match file.verdict {
        Verdict::Pass => "OK",
        Verdict::Fail => "CRITICAL",
        Verdict::Inconclusive => "UNKNOWN",
    };
    format!("FLOPGAUGE {state} - {}\n", file.reason.as_str().replace('|', "/"))
}

/// One line for each check, then the verdict.
fn lines(file: &NodeFile) -> String {
    let mut text = String::new();
    for check in &file.checks {
        text.push_str(&result_line(&file.node, "node", "none", check));
    }
    for device in &file.devices {
        for check in &device.checks {
            text.push_str(&result_line(&file.node, &device.id, &device.uuid.to_string(), check));
        }
    }
    text.push_str(&format!("VERDICT node={} {} reason=\"{}\"\n", file.node, file.verdict, file.reason));
    text
}

fn result_line(node: &str, device: &str, uuid: &str, check: &CheckResult) -> String {
    let number = |quantity: Option<Quantity>| quantity.map_or("none".to_owned(), |quantity| quantity.text());
    let unit = check.value.or(check.limit).map_or("none", |quantity| quantity.unit());
    let (value, limit) = (number(check.value), number(check.limit));
    format!(
        "RESULT node={node} device={device} uuid={uuid} check={} value={value} unit={unit} limit={limit} verdict={}\n",
        check.check, check.verdict
    )
}

//! `flopgauge accept`.

mod devices;
mod options;
mod session;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::choice::search;
use super::measure::{Clock, Supervisor, now};
use super::{CliError, Exit, Output, engine, host};
use crate::accept::{
    CheckResult, Circumstances, NodeFile, Quantity, RunIdentity, SpecUsed, Started, Verdict, judge,
};
use crate::device::DeviceKind;
use crate::files::{FileError, TEXT_LIMIT, read_text, write_atomically};
pub use options::Args;
use session::Session;

/// Time that a measuring process gets to end in order; a scheduler kills three seconds after it asked.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    match accept(args, output) {
        // A verdict that cannot be left is not known to anybody; 1 would say that the node is bad.
        Err(error) if error.exit() == Exit::Failed => {
            output.error(&error);
            Ok(Exit::Inconclusive)
        }
        other => other,
    }
}

fn accept(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let (spec_name, spec) = args.read_spec()?;
    search(&args.search)?;
    let (host, run, started) = (host::describe(), engine::run_identity()?, now());
    let node = args.node_name(&host)?;
    let supervisor = Supervisor::new(args.stall_limit, false)?.with_grace(GRACE);
    let place = Place::begin(&args.out, &node, run.clone(), started)?;
    let clock = Clock::start(args.limit());
    let mut around = Circumstances {
        chosen: !args.device.is_empty() || !args.search.backend.is_empty(),
        ..Circumstances::default()
    };
    let session = Session { args, spec: &spec, supervisor: &supervisor, clock: &clock };
    let seen = session.run(&mut around)?;
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
        start: None,
        not_checked: judged.not_checked,
        checks: judged.checks,
        devices: judged.devices,
    };
    write(&place.file, &file)?;
    output.result(&lines(&file))?;
    Ok(match file.verdict {
        Verdict::Pass => Exit::Done,
        Verdict::Fail => Exit::Failed,
        Verdict::Inconclusive => Exit::Inconclusive,
    })
}

/// Where a node leaves its files.
struct Place {
    file: PathBuf,
}

impl Place {
    /// Says that the node has begun; the result of an earlier run must not be taken for this one's.
    fn begin(out: &Path, node: &str, run: RunIdentity, started: Timestamp) -> Result<Self, CliError> {
        let write_error = |path: &Path, source| FileError::Write { path: path.display().to_string(), source };
        std::fs::create_dir_all(out).map_err(|source| write_error(out, source))?;
        let place = Self { file: out.join(format!("{node}.json")) };
        place.is_free()?;
        let format = format!("flopgauge.{}", Started::KIND);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let begun = Started { format, version, node: node.to_owned(), run, started };
        write(&out.join(format!("{node}.started.json")), &begun)?;
        match std::fs::remove_file(&place.file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(write_error(&place.file, error).into()),
            _ => Ok(place),
        }
    }

    /// Only a node file may be replaced.
    fn is_free(&self) -> Result<(), CliError> {
        let other = || {
            let path = self.file.display();
            CliError::Usage(format!("{path} is no node file and is left as it is; give another --out"))
        };
        match read_text(&self.file, TEXT_LIMIT) {
            Ok(text) => NodeFile::is_one(&text).then_some(()).ok_or_else(other),
            Err(FileError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(()),
            Err(FileError::NotUtf8 { .. } | FileError::TooLarge { .. }) => Err(other()),
            Err(error) => Err(error.into()),
        }
    }
}

fn write(path: &Path, value: &impl serde::Serialize) -> Result<(), CliError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| CliError::Output(error.into()))?;
    text.push(b'\n');
    Ok(write_atomically(path, &text)?)
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

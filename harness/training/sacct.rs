//! Device hours from `sacct -P -o JobID,Start,End,ElapsedRaw,AllocTRES,State`.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::{Date, DateTime};

use crate::files::{FileError, TEXT_LIMIT, read_text};

/// Columns of the export, in any order.
const COLUMNS: [&str; 6] = ["JobID", "Start", "End", "ElapsedRaw", "AllocTRES", "State"];
/// States after which the weights of the last checkpoint live on, or of which the job has not left.
const SURVIVING: [&str; 8] =
    ["COMPLETED", "COMPLETING", "RUNNING", "SUSPENDED", "TIMEOUT", "PREEMPTED", "REQUEUED", "RESIZING"];

/// What an export adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sacct {
    /// Device seconds of jobs whose work survives.
    pub seconds: u128,
    /// Device seconds of jobs that failed or were cancelled.
    pub failed_seconds: u128,
    /// Jobs counted.
    pub jobs: usize,
    /// Jobs without a GPU.
    pub without_devices: usize,
    /// First and last day.
    pub dates: Option<(Date, Date)>,
}

/// The export at `path`.
///
/// Errors: [`FileError`] with file, line, column and key.
pub fn read_sacct(path: &Path) -> Result<Sacct, FileError> {
    let name = path.display().to_string();
    let text = read_text(path, TEXT_LIMIT)?;
    parse(&text).map_err(|(line, message)| FileError::Content { path: name, line, column: 1, message })
}

fn parse(text: &str) -> Result<Sacct, (usize, String)> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate().map(|(at, line)| (at + 1, line));
    let expected = || format!("expected the header {}", COLUMNS.join("|"));
    let (_, header) = lines.next().ok_or_else(|| (1, expected()))?;
    let header: Vec<&str> = header.trim_end().split('|').collect();
    let place = |column: &str| header.iter().position(|name| *name == column).ok_or_else(|| (1, expected()));
    let mut places = [0; 6];
    for (at, column) in COLUMNS.iter().enumerate() {
        places[at] = place(column)?;
    }
    if header.len() != COLUMNS.len() {
        return Err((1, expected()));
    }
    let mut sum = Sacct::default();
    let mut seen = BTreeSet::new();
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        let fields: Vec<&str> = text.trim_end_matches('\r').split('|').collect();
        if fields.len() != COLUMNS.len() {
            return Err((line, format!("{} fields where the header has {}", fields.len(), COLUMNS.len())));
        }
        let fields = places.map(|at| fields[at]);
        if fields[0].is_empty() {
            return Err((line, "JobID: empty".to_owned()));
        }
        // A step (123.0, 123.batch) is inside its job and would count twice.
        if fields[0].contains('.') || !seen.insert((fields[0].to_owned(), fields[1].to_owned())) {
            continue;
        }
        sum.add(fields).map_err(|message| (line, message))?;
    }
    Ok(sum)
}

impl Sacct {
    fn add(&mut self, [_, start, end, elapsed, tres, state]: [&str; 6]) -> Result<(), String> {
        let elapsed: u64 =
            elapsed.parse().map_err(|_| format!("ElapsedRaw: '{elapsed}' is no number of seconds"))?;
        let devices = devices(tres)?;
        self.jobs += 1;
        if devices == 0 {
            self.without_devices += 1;
            return Ok(());
        }
        let seconds = u128::from(elapsed) * u128::from(devices);
        // "CANCELLED by 1000" has its state first.
        let state = state.split_whitespace().next().unwrap_or("");
        let total = if SURVIVING.contains(&state) { &mut self.seconds } else { &mut self.failed_seconds };
        *total = total.checked_add(seconds).ok_or("ElapsedRaw: the device seconds do not fit")?;
        for (key, text) in [("Start", start), ("End", end)] {
            if matches!(text, "Unknown" | "None" | "") {
                continue;
            }
            let day = text.parse::<DateTime>().map_err(|_| format!("{key}: '{text}' is no time"))?.date();
            let (first, last) = self.dates.unwrap_or((day, day));
            self.dates = Some((first.min(day), last.max(day)));
        }
        Ok(())
    }
}

/// GPUs in `billing=8,cpu=96,gres/gpu:h100=8,gres/gpu=8,node=1`: the untyped count, else the sum of types.
fn devices(tres: &str) -> Result<u64, String> {
    let (mut plain, mut typed) = (None, 0_u64);
    for entry in tres.split(',').filter(|entry| entry.starts_with("gres/gpu")) {
        let broken = || format!("AllocTRES: '{entry}' is no count of GPUs");
        let (kind, count) = entry.split_once('=').ok_or_else(broken)?;
        let count: u64 = count.parse().map_err(|_| broken())?;
        match kind {
            "gres/gpu" => plain = Some(count),
            _ if kind.starts_with("gres/gpu:") => typed = typed.checked_add(count).ok_or_else(broken)?,
            // gres/gpuutil and gres/gpumem are measurements.
            _ => {}
        }
    }
    Ok(plain.unwrap_or(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPORT: &str = "JobID|Start|End|ElapsedRaw|AllocTRES|State\n\
        100|2026-01-01T00:00:00|2026-01-02T00:00:00|86400|billing=8,cpu=96,gres/gpu:h100=8,gres/gpu=8,node=1|TIMEOUT\n\
        100.batch|2026-01-01T00:00:00|2026-01-02T00:00:00|86400|cpu=96,gres/gpu:h100=8,gres/gpu=8|CANCELLED\n\
        100.0|2026-01-01T00:00:00|2026-01-02T00:00:00|86400|cpu=96,gres/gpu=8|CANCELLED\n\
        101_3|2026-01-02T00:00:00|2026-01-02T01:00:00|3600|gres/gpu:h100=4,gres/gpu:a100=4|CANCELLED by 1000\n\
        102|Unknown|Unknown|0||PENDING\n103|2026-01-05T00:00:00|Unknown|100|gres/gpu=16|RUNNING\n";

    #[test]
    fn jobs_count_once_and_failed_ones_apart() {
        let sum = parse(EXPORT).unwrap();
        assert_eq!(sum.seconds, 86_400 * 8 + 100 * 16);
        assert_eq!(sum.failed_seconds, 3_600 * 8);
        assert_eq!((sum.jobs, sum.without_devices), (4, 1));
        let (first, last) = sum.dates.unwrap();
        assert_eq!((first.to_string(), last.to_string()), ("2026-01-01".to_owned(), "2026-01-05".to_owned()));
    }

    #[test]
    fn broken_exports_are_refused_with_their_line() {
        for (text, line) in [
            ("", 1),
            ("JobID|Start\n", 1),
            (&EXPORT.replace("|86400|billing", "|1-00:00:00|billing"), 2),
            (&EXPORT.replace("gres/gpu=16", "gres/gpu=lots"), 7),
            (&EXPORT.replace("|PENDING", ""), 6),
        ] {
            assert_eq!(parse(text).unwrap_err().0, line);
        }
    }
}

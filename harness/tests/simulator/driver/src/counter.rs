//! What was executed: one JSON line a launch, appended to `FLOPGAUGE_SIMULATED_COUNTS/<process>.jsonl`.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use flopgauge_simulator::launch::Count;
use serde::Serialize;
use uuid::Uuid;

/// One launch.
#[derive(Serialize)]
struct Line<'a> {
    device: &'a Uuid,
    kernel: &'a str,
    grid: [u32; 3],
    /// Whether a graph launched it.
    graph: bool,
    simulated_s: f64,
    instructions: u64,
    operations: &'a std::collections::BTreeMap<String, u64>,
}

/// Adds a launch to the file, where the environment names a folder.
pub(crate) fn write(
    device: &Uuid,
    (kernel, grid, graph): (&str, [u32; 3], bool),
    simulated_s: f64,
    count: &Count,
) {
    static FILE: Mutex<Option<File>> = Mutex::new(None);
    let Some(folder) = std::env::var_os("FLOPGAUGE_SIMULATED_COUNTS").map(PathBuf::from) else { return };
    let Ok(mut file) = FILE.lock() else { return };
    let line = Line {
        device,
        kernel,
        grid,
        graph,
        simulated_s,
        instructions: count.instructions,
        operations: &count.operations,
    };
    let open = || {
        File::options().append(true).create(true).open(folder.join(format!("{}.jsonl", std::process::id())))
    };
    let written = match &mut *file {
        Some(_) => Ok(()),
        none => open().map(|opened| *none = Some(opened)),
    }
    .and_then(|()| serde_json::to_string(&line).map_err(std::io::Error::other))
    .and_then(|line| file.as_mut().map_or(Ok(()), |file| writeln!(file, "{line}")));
    if let Err(error) = written {
        crate::say(&format!("a count was not written: {error}"));
    }
}

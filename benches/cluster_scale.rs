//! Time and memory of `flopgauge cluster` from ten thousand to ten million links, and of a row of 100,000 machines.
//!
//! Makes its input in a temporary directory, runs the program itself and prints one CSV line per input.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::expect_used, reason = "a bench that cannot go on has failed")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Links of each input; a tenth as many machines.
const LINKS: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

fn main() {
    let folder = std::env::temp_dir().join(format!("flopgauge-cluster-scale-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary directory");
    let (machines, links) = (folder.join("machines.csv"), folder.join("links.csv"));
    println!("input,machines,links,input_bytes,elapsed_s,peak_memory_bytes");
    for count in LINKS {
        write_machines(&machines, count / 10);
        write_links(&links, count / 10);
        let arguments = [Path::new("--machines"), &machines, Path::new("--links"), &links];
        report("csv", count / 10, count, &[&machines, &links], &arguments);
    }
    let group = folder.join("group.toml");
    fs::write(&group, GROUP).expect("the group file");
    report("toml-group", 100_000, 1, &[&group], &[&group]);
    // What is left behind is in the system's temporary directory; a failure to remove it changes no figure.
    let _ = fs::remove_dir_all(&folder);
}

const GROUP: &str = r#"format = "flopgauge.cluster/1"
name = "one row"
[[machine]]
name = "node"
count = 100000
site = "one"
accelerators = [{ device = "NVIDIA H100 80GB HBM3", count = 8 }]
[[switch]]
name = "spine"
[[link]]
from = "node"
to = "spine"
rate_gbit_s = "400"
count = 8
kind = "infiniband"
"#;

fn write_machines(path: &Path, machines: u64) {
    let mut out = BufWriter::new(File::create(path).expect("the machines file"));
    writeln!(out, "name,device,count,site,owner").expect("a line");
    for machine in 0..machines {
        writeln!(
            out,
            "pod{:04}-node{machine:07},NVIDIA H100 80GB HBM3,8,site{},owner",
            machine / 512,
            machine % 3
        )
        .expect("a line");
    }
}

/// Ten links for each machine: eight rails of its pod, and two to storage. Rails hang on spines by 512 machines.
fn write_links(path: &Path, machines: u64) {
    let mut out = BufWriter::new(File::create(path).expect("the links file"));
    writeln!(out, "from,to,rate_gbit_s,count,kind").expect("a line");
    for machine in 0..machines {
        let pod = machine / 512;
        let name = format!("pod{pod:04}-node{machine:07}");
        // One machine in 512 gives its storage links to the trunks of the pod's first two rails.
        let first = machine % 512 == 0;
        for rail in 0..8 {
            writeln!(out, "{name},pod{pod:04}-rail{rail},400,1,infiniband").expect("a line");
        }
        for port in 0..2 {
            if first {
                writeln!(out, "pod{pod:04}-rail{port},spine{port},800,4,infiniband").expect("a line");
            } else {
                writeln!(out, "{name},storage{:03},100,1,ethernet", (machine + port) % 640).expect("a line");
            }
        }
    }
}

fn report(input: &str, machines: u64, links: u64, files: &[&Path], arguments: &[&Path]) {
    let bytes: u64 = files.iter().filter_map(|path| fs::metadata(path).ok()).map(|found| found.len()).sum();
    let start = Instant::now();
    let mut program = Command::new(env!("CARGO_BIN_EXE_flopgauge"));
    program.arg("cluster").args(arguments).args(["--json", "--as-of", "2026-11-24"]);
    let mut program = program.stdout(Stdio::null()).spawn().expect("the program");
    let status = format!("/proc/{}/status", program.id());
    let mut peak = 0;
    let ended = loop {
        peak = peak.max(peak_memory(&status));
        if let Some(ended) = program.try_wait().expect("the program's end") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let elapsed = start.elapsed().as_secs_f64();
    assert!(ended.success(), "the program failed: {ended}");
    println!("{input},{machines},{links},{bytes},{elapsed:.3},{peak}");
}

/// Greatest resident memory so far; zero once the process has gone.
///
/// Unit: bytes.
fn peak_memory(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

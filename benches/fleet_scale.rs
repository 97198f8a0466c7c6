//! Time and memory of `flopgauge collect` and `flopgauge baseline` over 100, 1,000 and 10,000 nodes of eight devices.
//!
//! Takes one node file that `flopgauge accept` writes on a scripted device, gives it eight devices with six figures and
//! six checks each, and writes it once a node with rates that scatter by a per cent. Runs the program itself and prints
//! one CSV line per run.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::expect_used, reason = "a bench that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const NODES: [u32; 3] = [100, 1_000, 10_000];
const DEVICES: u32 = 8;
const FORMATS: [&str; 6] = ["fp64", "fp32", "tf32", "bf16", "fp16", "int8"];

fn main() {
    let folder = std::env::temp_dir().join(format!("flopgauge-fleet-scale-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary directory");
    let template = template(&folder);
    println!("command,nodes,devices,input_bytes,elapsed_s,peak_memory_bytes");
    for nodes in NODES {
        let site = folder.join(nodes.to_string());
        fs::create_dir_all(&site).expect("a directory");
        let bytes: u64 = (1..=nodes).map(|node| write_node(&site, &template, node)).sum();
        let (list, out) = (format!("gpu[00001-{nodes:05}]"), folder.join("out"));
        let mut collect = program();
        collect.arg("collect").arg(&site).args(["--job", "7", "--expect", &list, "--out"]).arg(&out);
        report("collect", nodes, bytes, collect);
        let mut baseline = program();
        baseline.arg("baseline").arg(&site).arg("-o").arg(folder.join("baseline.json"));
        report("baseline", nodes, bytes, baseline);
    }
    // What is left behind is in the system's temporary directory; a failure to remove it changes no figure.
    let _ = fs::remove_dir_all(&folder);
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_flopgauge"))
}

/// The file of one node, as the program leaves it.
fn template(folder: &Path) -> Value {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/slurm");
    let mut accept = program();
    accept.env("FLOPGAUGE_SCRIPT", tests.join("good.toml")).env("SLURM_JOB_ID", "7");
    accept.args(["accept", "--tier", "smoke", "--node", "n1", "--spec"]).arg(tests.join("spec.toml"));
    let ended = accept.arg("--out").arg(folder).stdout(Stdio::null()).status().expect("the program");
    assert!(ended.success(), "no node file: {ended}");
    let text = fs::read_to_string(folder.join("n1.json")).expect("the node's file");
    let mut file: Value = serde_json::from_str(&text).expect("JSON");
    file["simulated"] = json!(false);
    let mut device = file["devices"][0].take();
    device["kind"] = json!("hardware");
    for part in ["figures", "checks"] {
        let one = device[part][0].clone();
        device[part] = FORMATS.iter().map(|format| named(one.clone(), part, format)).collect();
    }
    file["devices"] = (0..DEVICES).map(|_| device.clone()).collect();
    file
}

fn named(mut entry: Value, part: &str, format: &str) -> Value {
    if part == "figures" {
        entry["precision"] = json!(format);
    } else {
        entry["check"] = json!(format!("gemm_{format}"));
    }
    entry
}

/// Writes a node's file as the program does, with its format first; bytes written.
fn write_node(site: &Path, template: &Value, node: u32) -> u64 {
    let mut file = template.clone();
    let name = format!("gpu{node:05}");
    file["node"] = json!(name);
    for place in 0..DEVICES {
        let device = &mut file["devices"][usize::try_from(place).expect("eight")];
        device["id"] = json!(format!("cuda:{place}"));
        device["uuid"] = json!(format!("00000000-0000-4000-8000-{:012x}", node * DEVICES + place));
        for figure in 0..FORMATS.len() {
            // A prime stride, so that rates scatter evenly over a per cent and no two neighbours are alike.
            let scatter = f64::from((node * DEVICES + place) * 7919 % 1000) / 1e5;
            let rate = 900e12 * (1.0 + scatter);
            device["figures"][figure]["rate_op_per_s"] = json!({"low": rate, "median": rate, "high": rate});
        }
    }
    let text = serde_json::to_vec_pretty(&file).expect("JSON");
    fs::write(site.join(format!("{name}.json")), &text).expect("a node's file");
    u64::try_from(text.len()).expect("a size")
}

fn report(command: &str, nodes: u32, bytes: u64, mut program: Command) {
    let start = Instant::now();
    let mut program = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
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
    assert!(ended.success(), "{command} failed: {ended}");
    println!("{command},{nodes},{},{bytes},{elapsed:.3},{peak}", nodes * DEVICES);
}

/// Greatest resident memory so far; zero once the process has gone.
///
/// Unit: bytes.
fn peak_memory(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

//! `flopgauge collect` and `flopgauge baseline` through the real binary, on files that `flopgauge accept` wrote.

mod baselines;
mod files;
mod fleets;
mod lists;

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::commands::flopgauge;
use flopgauge::accept::{Fleet, FleetNode, NodeState, Verdict};

/// Rate of a good device.
const RATE: f64 = 0.9e12;

/// A directory of node files of job 7.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With the passing nodes n1 to n`count`.
    fn of(count: usize) -> Self {
        let site = Self::new();
        (1..=count).for_each(|number| site.node(&format!("n{number}"), |_| {}));
        site
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a passing node's file, edited.
    fn node(&self, node: &str, edit: impl FnOnce(&mut Value)) {
        let mut file = node_file(node);
        edit(&mut file);
        self.write(&format!("{node}.json"), file.to_string().as_bytes());
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).unwrap();
    }

    /// Runs it for job 7: exit code, stdout, stderr.
    fn collect(&self, expect: &str, more: &[&str]) -> (i32, String, String) {
        let mut all = vec!["--expect", expect, "--job", "7"];
        all.extend(more);
        self.run(&all, &[])
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
        let mut command = bare();
        command.arg("collect").arg(self.path()).args(arguments).envs(environment.iter().copied());
        told(command)
    }

    fn fleet(&self) -> Fleet {
        Fleet::read(&self.path().join("fleet.json")).unwrap()
    }

    fn list(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Exit code and fleet, with files, list, counts and last line saying the same.
    fn verdict(&self, expect: &str) -> (i32, Fleet) {
        let (code, stdout, stderr) = self.collect(expect, &[]);
        let fleet = self.fleet();
        let last = stdout.lines().last().expect(&stderr);
        let start = format!("VERDICT fleet=7.0 {} expected={} pass=", fleet.verdict, fleet.counts.expected);
        assert!(last.starts_with(&start), "{last}");
        let wanted = match fleet.verdict {
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Inconclusive => 3,
        };
        assert_eq!(code, wanted, "{stdout}");
        for (name, nodes) in
            [("passing_nodes.txt", &fleet.passing_nodes), ("failing_nodes.txt", &fleet.failing_nodes)]
        {
            assert_eq!(self.list(name).trim_end(), nodes);
        }
        let counts = fleet.counts;
        assert_eq!(counts.pass + counts.fail + counts.inconclusive, counts.expected);
        assert!(
            fleet.nodes.iter().all(|node| node.verdict != Verdict::Pass || node.state == NodeState::Reported)
        );
        (code, fleet)
    }
}

/// The program without anything of a job around the tests.
fn bare() -> assert_cmd::Command {
    let mut command = flopgauge();
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("SLURM") || text == "RUN_ID" {
            command.env_remove(&name);
        }
    }
    command
}

fn told(mut command: assert_cmd::Command) -> (i32, String, String) {
    let run = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

/// What `flopgauge accept` leaves of a node that passes.
fn template() -> &'static Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("spec.toml"), include_str!("slurm/spec.toml")).unwrap();
        std::fs::write(at("device.toml"), include_str!("slurm/good.toml")).unwrap();
        let mut command = bare();
        command.env("FLOPGAUGE_SCRIPT", at("device.toml")).env("SLURM_JOB_ID", "7");
        command.args(["accept", "--tier", "smoke", "--node", "n1", "--spec"]).arg(at("spec.toml"));
        command.arg("--out").arg(folder.path()).assert().code(0);
        serde_json::from_str(&std::fs::read_to_string(at("n1.json")).unwrap()).unwrap()
    })
}

/// The template as the file of a node of hardware with a device of its own.
fn node_file(node: &str) -> Value {
    let mut file = template().clone();
    file["node"] = json!(node);
    file["simulated"] = json!(false);
    file["reason"] = json!("flopgauge: 3 checks of 1 device passed");
    let device = &mut file["devices"][0];
    device["kind"] = json!("hardware");
    device["uuid"] = json!(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, node.as_bytes()));
    rate(&mut file, RATE);
    file
}

/// Gives all figures of the first device a rate.
fn rate(file: &mut Value, rate: f64) {
    for figure in file["devices"][0]["figures"].as_array_mut().unwrap() {
        figure["rate_op_per_s"] = json!({ "low": rate, "median": rate, "high": rate });
    }
}

/// Makes the node fail by a check of its device.
fn fail(file: &mut Value, check: &str) {
    let failed = json!({ "check": check, "verdict": "FAIL", "reason": "66.7 % of the least rate",
        "value": { "unit": "FLOP/s", "value": 0.6e12 }, "limit": { "unit": "FLOP/s", "value": 0.9e12 },
        "limit_from": "min_op_per_s" });
    let device = &mut file["devices"][0];
    device["checks"].as_array_mut().unwrap().push(failed);
    device["verdict"] = json!("FAIL");
    file["verdict"] = json!("FAIL");
    file["reason"] = json!(format!("flopgauge: {check} scripted:0: 66.7 % of the least rate"));
}

/// What a node leaves when it begins.
fn started(node: &str, job: &str) -> String {
    json!({ "format": "flopgauge.node-started/1", "version": "0.1.0", "node": node,
        "run": { "job": job, "restart": 0, "rank": null }, "started": "2026-11-24T10:00:00Z" })
    .to_string()
}

fn node<'a>(fleet: &'a Fleet, name: &str) -> &'a FleetNode {
    fleet.nodes.iter().find(|node| node.node == name).unwrap()
}

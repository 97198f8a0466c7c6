//! Fabrics from the real `ibnetdiscover` on a simulated subnet, and the same text at speeds that the simulator lacks.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

use crate::commands::flopgauge;

/// Four hosts on two leaves, a spine over them; host4 has two ports on one switch.
const NET: &str = r#"
Switch	8 "spine"
[1]	"leaf1"[8]
[2]	"leaf2"[8]

Switch	8 "leaf1"
[1]	"host1"[1]
[2]	"host2"[1]
[8]	"spine"[1]

Switch	8 "leaf2"
[1]	"host3"[1]
[2]	"host4"[1]
[3]	"host4"[2]
[8]	"spine"[2]

Hca	2 "host1"
[1]	"leaf1"[1]

Hca	2 "host2"
[1]	"leaf1"[2]

Hca	2 "host3"
[1]	"leaf2"[1]

Hca	2 "host4"
[1]	"leaf2"[2]
[2]	"leaf2"[3]
"#;

const MACHINES: &str = "name,device,count\nhost1,NVIDIA H100 80GB HBM3,8\nhost2,NVIDIA H100 80GB HBM3,8\n\
    host3,NVIDIA H100 80GB HBM3,8\nhost4,NVIDIA H100 80GB HBM3,8\n";

/// What the real programs print of [`NET`]; `None` where they are not installed.
fn dump(folder: &Path) -> Option<String> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    std::fs::write(folder.join("net"), NET).unwrap();
    // A socket of its own, so that another simulator on the machine is not asked.
    let name = format!("flopgauge-{}", std::process::id());
    let mut simulator = Command::new("ibsim");
    simulator.env("PATH", &path).env("IBSIM_SOCKNAME", &name).args(["-s", "net"]).current_dir(folder);
    let simulator = simulator.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut simulator = match simulator {
        Ok(started) => started,
        Err(_) => return None,
    };
    let mut found = None;
    for _ in 0..40 {
        std::thread::sleep(Duration::from_millis(100));
        let mut discover = Command::new("ibsim-run");
        discover.env("PATH", &path).env("IBSIM_SOCKNAME", &name).arg("ibnetdiscover");
        let Ok(run) = discover.stdin(Stdio::null()).output() else { break };
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        if run.status.success() && text.contains("host4") {
            found = Some(text);
            break;
        }
    }
    simulator.kill().unwrap();
    simulator.wait().unwrap();
    found
}

/// The dump, made once, or a word that it was skipped; a failure where the programs must be there.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn dumped() -> Option<String> {
    static DUMP: OnceLock<Option<String>> = OnceLock::new();
    let found = DUMP.get_or_init(|| dump(tempfile::tempdir().unwrap().path())).clone();
    if found.is_none() {
        let required = std::env::var_os("FLOPGAUGE_REQUIRE_IBSIM").is_some_and(|value| value == "1");
        assert!(!required, "ibsim and ibnetdiscover are required and gave nothing");
        println!("skipped: ibsim and ibnetdiscover are not installed");
    }
    found
}

fn judged(folder: &Path, dump: &str) -> Value {
    std::fs::write(folder.join("dump"), dump).unwrap();
    std::fs::write(folder.join("machines.csv"), MACHINES).unwrap();
    let mut command = flopgauge();
    command.current_dir(folder).args(["cluster", "--ibnetdiscover", "dump", "--machines", "machines.csv"]);
    let run = command.args(["--json", "--as-of", "2026-11-24"]).assert().code(0);
    serde_json::from_slice(&run.get_output().stdout).unwrap()
}

fn largest(judged: &Value) -> [u64; 3] {
    ["port", "bundle", "injection"]
        .map(|name| judged["readings"][name]["largest"]["machines"].as_u64().unwrap())
}

#[test]
fn a_dump_of_the_real_program_is_read_and_each_link_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some(text) = dumped() else { return };
    let judge = |text: &str| largest(&judged(folder.path(), text));
    let printed =
        text.lines().find_map(|line| line.rsplit(' ').next().filter(|word| word.starts_with("4x"))).unwrap();
    assert_eq!(judge(&text), [1, 1, 1], "{printed} is far below the limit");
    let at = |speed: &str| text.replace(printed, speed);
    // host4 has two ports on one leaf: two HDR links exceed 300 Gbit/s together, one listed twice does not.
    for (speed, expected) in [
        ("4xEDR", [1, 1, 1]),
        ("4xHDR", [1, 1, 1]),
        ("2xNDR", [1, 1, 1]),
        ("4xNDR", [4, 4, 4]),
        ("4xXDR", [4, 4, 4]),
    ] {
        assert_eq!(judge(&at(speed)), expected, "{speed}");
    }
}

#[test]
fn a_degraded_link_drops_its_host_only() {
    let folder = tempfile::tempdir().unwrap();
    let Some(text) = dumped() else { return };
    let printed =
        text.lines().find_map(|line| line.rsplit(' ').next().filter(|word| word.starts_with("4x"))).unwrap();
    let degraded = |line: &str| {
        line.contains("\"host1\"")
            || line.starts_with("[1](") && line.contains("\"leaf1\"") && line.contains("[1]\t")
    };
    let lines = text.lines().map(|line| {
        let speed = if degraded(line) { "4xDDR" } else { "4xNDR" };
        line.replace(printed, speed)
    });
    assert_eq!(largest(&judged(folder.path(), &lines.collect::<Vec<_>>().join("\n"))), [3, 3, 3]);
}

#[test]
fn bad_dumps_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("machines.csv"), MACHINES).unwrap();
    let good = "Switch\t8 \"S-1\"\t\t# \"leaf\" base port 0 lid 0 lmc 0\n[1]\t\"H-1\"[1](1) \t\t# \"host1\" lid 0 4xNDR\n\
        Ca\t2 \"H-1\"\t\t# \"host1 mlx5_0\"\n[1](1) \t\"S-1\"[1]\t\t# lid 0 lmc 0 \"leaf\" lid 0 4xNDR\n";
    for (text, words) in [
        (String::new(), "dump:1:1: no Switch or Ca"),
        (good.replacen("4xNDR", "4xZDR", 1), "dump:2:1: '4xZDR' is no link width"),
        (good.replacen("4xNDR", "4xHDR", 1), "dump:4:1: the link has another rate than on line 2"),
        (
            good.replace("host1 mlx5_0", "stranger mlx5_0"),
            "dump:2:1: the host 'stranger' is not in the machines file",
        ),
        (good.replace("\"H-1\"[1](1)", "\"H-9\"[1](1)"), "link to nowhere: the node H-9"),
        (good.replace("\"S-1\"[1]", "S-1[1]"), "dump:4:1: not a port line"),
    ] {
        std::fs::write(folder.path().join("dump"), &text).unwrap();
        let mut command = flopgauge();
        command.current_dir(folder.path()).args([
            "cluster",
            "--ibnetdiscover",
            "dump",
            "--machines",
            "machines.csv",
        ]);
        let run = command.assert().code(2);
        let error = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(error.contains(words), "{words}: {error}");
        assert!(run.get_output().stdout.is_empty());
    }
}

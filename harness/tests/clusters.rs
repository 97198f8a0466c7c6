//! Clusters through the command line: the boundary cases of networks and rates, what-if, headroom, exit codes.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::flopgauge;

/// Devices with round peaks, so that a limit can be met to the operation.
pub const DEVICES: &str = r#"
[[device]]
name = "H100"
declared_by = "the test"
theoretical_op_per_s = { bf16 = "989.4e12", fp8e4m3 = "1979e12" }
[[device]]
name = "exa"
declared_by = "the test"
theoretical_op_per_s = { bf16 = "1e15" }
[[device]]
name = "GB200"
declared_by = "the test"
theoretical_op_per_s = { bf16 = "2500e12", fp8e4m3 = "5000e12" }
[[device]]
name = "one"
declared_by = "the test"
theoretical_op_per_s = { bf16 = "1" }
"#;

pub struct Files(pub TempDir);

impl Files {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn judged(&self, arguments: &[&str]) -> Value {
        let mut command = flopgauge();
        command.current_dir(self.0.path()).arg("cluster").args(arguments);
        let run = command.args(["--json", "--as-of", "2026-11-24"]).assert().code(0);
        serde_json::from_slice(&run.get_output().stdout).unwrap()
    }

    pub fn refused(&self, arguments: &[&str]) -> String {
        let before = std::fs::read_dir(self.0.path()).unwrap().count();
        let mut command = flopgauge();
        let run =
            command.current_dir(self.0.path()).arg("cluster").args(arguments).arg("--json").assert().code(2);
        assert!(run.get_output().stdout.is_empty(), "a refused input must give no result");
        assert_eq!(std::fs::read_dir(self.0.path()).unwrap().count(), before, "something was written");
        String::from_utf8_lossy(&run.get_output().stderr).into_owned()
    }
}

pub fn toml(body: &str) -> String {
    format!("format = \"flopgauge.cluster/1\"\nname = \"test\"\n{DEVICES}\n{body}")
}

pub fn machine(name: &str, count: u64, device: &str, devices: u64, more: &str) -> String {
    format!(
        "[[machine]]\nname = \"{name}\"\ncount = {count}\n{more}\n\
         accelerators = [{{ device = \"{device}\", count = {devices} }}]\n"
    )
}

pub fn switch(name: &str, more: &str) -> String {
    format!("[[switch]]\nname = \"{name}\"\n{more}\n")
}

pub fn link(from: &str, to: &str, rate: &str, more: &str) -> String {
    format!("[[link]]\nfrom = \"{from}\"\nto = \"{to}\"\nrate_gbit_s = \"{rate}\"\n{more}\n")
}

fn determination<'a>(judged: &'a Value, rule: &str) -> &'a Value {
    judged["determinations"].as_array().unwrap().iter().find(|d| d["rule"] == rule).unwrap()
}

/// Machines of the largest set under port, bundle and injection.
pub fn largest(judged: &Value) -> [u64; 3] {
    ["port", "bundle", "injection"]
        .map(|name| judged["readings"][name]["largest"]["machines"].as_u64().unwrap())
}

fn judge(body: &str) -> Value {
    let files = Files::new();
    files.write("c.toml", &toml(body));
    files.judged(&["c.toml"])
}

#[test]
fn networks_join_as_each_reading_says() {
    let pair =
        |links: &str| format!("{}{}{links}", machine("a", 1, "exa", 1, ""), machine("b", 1, "exa", 1, ""));
    let through = |one: &str, other: &str| {
        pair(&format!("{}{}{}", switch("s", ""), link("a", "s", one, ""), link("s", "b", other, "")))
    };
    let cases = [
        ("G1", pair(&link("a", "b", "300", "")), [1, 1, 1]),
        ("G2", pair(&link("a", "b", "300.000000001", "")), [2, 2, 2]),
        ("G3", pair(&link("a", "b", "400", "")), [2, 2, 2]),
        ("G4", pair(&link("a", "b", "200", "")), [1, 1, 1]),
        ("G5", pair(&link("a", "b", "200", "count = 2")), [1, 2, 2]),
        ("G5 in two rows", pair(&(link("a", "b", "200", "") + &link("a", "b", "200", ""))), [1, 2, 2]),
        (
            "one link listed from both ends",
            pair(&(link("a", "b", "200", "") + &link("b", "a", "200", ""))),
            [1, 1, 1],
        ),
        ("G6", through("400", "400"), [2, 2, 2]),
        ("G7", through("400", "200"), [1, 1, 1]),
        (
            "G8",
            pair(&(machine("c", 1, "exa", 1, "") + &link("a", "b", "400", "") + &link("b", "c", "400", ""))),
            [3, 3, 3],
        ),
        ("down", pair(&link("a", "b", "400", "down = \"cable pulled on 3 May\"")), [1, 1, 1]),
    ];
    for (name, body, expected) in cases {
        assert_eq!(largest(&judge(&body)), expected, "{name}");
    }
}

#[test]
fn multi_rail_designs_join_under_injection_alone() {
    let design = |count: u64, rate: &str| {
        let mut body = machine("node", 16, "H100", 8, "");
        for rail in 0..count {
            body += &switch(&format!("rail{rail}"), "fabric = \"net\"");
            body += &link("node", &format!("rail{rail}"), rate, "");
        }
        largest(&judge(&body))
    };
    assert_eq!(design(8, "400"), [16, 16, 16], "DGX H100");
    assert_eq!(design(32, "100"), [1, 1, 16], "P5");
    assert_eq!(design(16, "200"), [1, 1, 16], "P5en");
    assert_eq!(design(4, "100"), [1, 1, 16], "P4d");
    assert_eq!(design(3, "100"), [1, 1, 1], "exactly 300 Gbit/s");
    assert_eq!(design(1, "200"), [1, 1, 1], "one HDR link");
}

fn halls(site1: &str, site2: &str) -> String {
    machine("hall1", 7500, "H100", 8, &format!("site = \"{site1}\""))
        + &machine("hall2", 7500, "H100", 8, &format!("site = \"{site2}\""))
        + &switch("spine1", "")
        + &switch("spine2", "")
        + &link("hall1", "spine1", "400", "count = 8")
        + &link("hall2", "spine2", "400", "count = 8")
        + &link("spine1", "spine2", "400", "")
}

#[test]
fn two_halls_are_one_cluster_unless_one_datacenter_is_asked_for() {
    let judged = judge(&halls("Ashburn, VA", "Ashburn, VA"));
    let bis = determination(&judged, "BIS-2024-proposed");
    assert_eq!((bis["verdict"].as_str(), bis["low"].as_str()), (Some("met"), Some("118728000000000000000")));
    assert_eq!(bis["status"], "proposed");
    assert_eq!(bis["status_notice"], "proposed rule, not in force; legal basis revoked");
    assert_eq!(determination(&judged, "EO-14110")["verdict"], "met");

    let apart = judge(&halls("Ashburn, VA", "Columbus, OH"));
    assert_eq!(determination(&apart, "BIS-2024-proposed")["verdict"], "met");
    let order = determination(&apart, "EO-14110");
    assert_eq!(
        (order["low"].as_str(), order["verdict"].as_str()),
        (Some("59364000000000000000"), Some("undetermined"))
    );
    assert!(apart["warnings"][0].as_str().unwrap().contains("2 sites"));
}

#[test]
fn rates_at_the_limit_fall_on_their_sides() {
    // One row of machines on one switch; `more` adds single operations.
    let rate = |device: &str, machines: u64, ones: u64| {
        let mut body = machine("m", machines, device, 1, "") + &switch("s", "") + &link("m", "s", "400", "");
        if ones > 0 {
            body += &(machine("tail", 1, "one", ones, "") + &link("tail", "s", "400", ""));
        }
        let judged = judge(&body);
        let verdict = |rule| determination(&judged, rule)["verdict"].as_str().unwrap().to_owned();
        let low = determination(&judged, "BIS-2024-proposed")["low"].as_str().unwrap().to_owned();
        (low, verdict("BIS-2024-proposed"), verdict("EO-14110"))
    };
    let expected = |low: &str, bis: &str, order: &str| (low.to_owned(), bis.to_owned(), order.to_owned());
    // B1: 99,999 x 1e15 and 999,999,999,999,999 single operations.
    assert_eq!(
        rate("exa", 99_999, 999_999_999_999_999),
        expected("99999999999999999999", "not-met", "not-met")
    );
    assert_eq!(rate("exa", 100_000, 0), expected("100000000000000000000", "not-met", "met"));
    assert_eq!(rate("exa", 100_000, 1), expected("100000000000000000001", "met", "met"));
    // B2 at R16, where R8 is above: undetermined under the strict limit, met under the other.
    assert_eq!(rate("GB200", 40_000, 0), expected("100000000000000000000", "undetermined", "met"));
    // B4: 100,000 H100.
    assert_eq!(rate("H100", 100_000, 0), expected("98940000000000000000", "undetermined", "undetermined"));
}

#[test]
fn slow_links_make_no_cluster_however_fast_its_machines() {
    // B5: every link 100G, single rail.
    let body = machine("m", 20_000, "H100", 8, "") + &switch("s", "") + &link("m", "s", "100", "");
    let judged = judge(&body);
    for rule in ["BIS-2024-proposed", "EO-14110"] {
        assert_eq!(determination(&judged, rule)["verdict"], "not-met", "{rule}");
    }
    assert_eq!(judged["readings"]["injection"]["components"], 20_000);
}

#[test]
fn the_fewest_devices_above_the_limit_are_those_of_the_table() {
    for (peak, devices) in [
        ("989.4e12", 101_072),
        ("989e12", 101_113),
        ("989.5e12", 101_062),
        ("1979e12", 50_531),
        ("756e12", 132_276),
        ("312e12", 320_513),
        ("2250e12", 44_445),
        ("4500e12", 22_223),
        ("2500e12", 40_001),
        ("5000e12", 20_001),
        ("794.5e12", 125_866),
        ("1402.6e12", 71_297),
    ] {
        let body = |count: u64| {
            format!(
                "[[device]]\nname = \"d\"\ndeclared_by = \"t\"\ntheoretical_op_per_s = {{ bf16 = \"{peak}\" }}\n"
            ) + &machine("m", count, "d", 1, "")
                + &switch("s", "")
                + &link("m", "s", "400", "")
        };
        let files = Files::new();
        files.write("c.toml", &toml(&body(devices)));
        let judged = files.judged(&["c.toml", "--rule", "BIS-2024-proposed"]);
        assert_eq!(determination(&judged, "BIS-2024-proposed")["verdict"], "met", "{peak}");
        files.write("c.toml", &toml(&body(devices - 1)));
        let judged = files.judged(&["c.toml", "--rule", "BIS-2024-proposed", "--headroom"]);
        assert_eq!(determination(&judged, "BIS-2024-proposed")["verdict"], "not-met", "{peak}");
        assert_eq!(judged["headroom"][0]["devices"][0]["devices_that_fit"], 0, "{peak}");
    }
}

#[test]
fn the_reading_of_precision_and_of_networks_is_named_when_it_decides() {
    let rails =
        (0..4).map(|r| switch(&format!("r{r}"), "fabric = \"f\"") + &link("m", &format!("r{r}"), "100", ""));
    let body = machine("m", 12_634, "H100", 8, "") + &rails.collect::<String>();
    let bis = judge(&body);
    let bis = determination(&bis, "BIS-2024-proposed");
    assert_eq!(bis["verdict"], "met");
    assert_eq!(bis["depends_on"], serde_json::json!(["network-reading"]));
    assert_eq!(bis["verdict_by_reading"]["port"], "not-met");
    let body = machine("m", 12_500, "H100", 8, "") + &switch("s", "") + &link("m", "s", "400", "");
    let bis = judge(&body);
    assert_eq!(determination(&bis, "BIS-2024-proposed")["depends_on"], serde_json::json!(["precision"]));
}

#[test]
fn a_fabric_that_its_own_links_do_not_make_one_is_refused() {
    let files = Files::new();
    let body = |rate: &str| {
        machine("m", 2, "exa", 1, "")
            + &switch("s1", "fabric = \"f\"")
            + &switch("s2", "fabric = \"f\"")
            + &link("m", "s1", "400", "")
            + &link("s1", "s2", rate, "")
    };
    files.write("c.toml", &toml(&body("200")));
    let error = files.refused(&["c.toml"]);
    assert!(
        error.contains("c.toml") && error.contains("fabric 'f'") && error.contains("200 Gbit/s"),
        "{error}"
    );
    files.write("c.toml", &toml(&body("400")));
    files.judged(&["c.toml"]);
}

#[test]
fn warnings_name_what_holds_a_component_together() {
    let base = machine("a", 2, "exa", 1, "") + &machine("b", 2, "exa", 1, "") + &switch("s", "");
    let warned = |links: &str| judge(&format!("{base}{links}"))["warnings"].to_string();
    let storage = link("a", "s", "400", "") + &link("b", "s", "400", "purpose = \"storage\"");
    assert!(warned(&storage).contains("held together by storage links"));
    let nvlink = link("a", "s", "7200", "kind = \"nvlink\"") + &link("b", "s", "7200", "kind = \"nvlink\"");
    assert!(warned(&nvlink).contains("NVLink between machines may not be data center networking"));
    let down = link("a", "s", "400", "") + &link("b", "s", "400", "down = \"maintenance\"");
    assert!(warned(&down).contains("left out as down: maintenance"));
    assert_eq!(warned(&(link("a", "s", "400", "") + &link("b", "s", "400", ""))), "[]");
}

#[test]
fn the_path_reading_splits_oversubscribed_pods_and_is_information_only() {
    let body = machine("p1", 4, "exa", 1, "")
        + &machine("p2", 4, "exa", 1, "")
        + &switch("s1", "")
        + &switch("s2", "")
        + &link("p1", "s1", "400", "")
        + &link("p2", "s2", "400", "")
        + &link("s1", "s2", "400", "count = 4\noversubscription = 7");
    let judged = judge(&body);
    assert_eq!(largest(&judged), [8, 8, 8]);
    assert_eq!(judged["readings"]["path"]["largest"]["machines"], 4);
}

#[test]
fn changes_and_headroom_are_answered() {
    let files = Files::new();
    files.write("c.toml", &toml(&halls("A", "A")));
    let judged = files.judged(&[
        "c.toml",
        "--headroom",
        "--what-if",
        "remove link spine1 spine2",
        "--what-if",
        "add 5134 machines to hall1",
    ]);
    let bis = &judged["headroom"][0];
    assert_eq!(bis["cut_r16"]["links"], 1);
    assert_eq!(bis["cut_r16"]["upper_bound"], false);
    assert_eq!(bis["devices"][0]["devices_too_many"], 18_929);
    let verdict =
        |at: usize| judged["what_if"][at]["determinations"][0]["verdict"].as_str().unwrap().to_owned();
    assert_eq!((verdict(0), verdict(1)), ("undetermined".to_owned(), "met".to_owned()));
    assert!(files.refused(&["c.toml", "--what-if", "remove link hall1 spine2"]).contains("no link between"));
    assert!(files.refused(&["c.toml", "--what-if", "remove link hall9 spine2"]).contains("'hall9'"));
    let one = files.judged(&["c.toml", "--what-if", "remove link hall1-17 spine1"]);
    assert_eq!(one["what_if"][0]["determinations"][0]["low"], "118720084800000000000");
}

#[test]
fn verdicts_become_exit_codes_only_when_asked() {
    let files = Files::new();
    files.write("c.toml", &toml(&halls("A", "A")));
    let code = |arguments: &[&str]| {
        let mut command = flopgauge();
        command.current_dir(files.0.path()).args(["cluster", "c.toml"]).args(arguments);
        command.assert().get_output().status.code().unwrap()
    };
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--fail-on", "met"]), 10);
    assert_eq!(code(&["--fail-on", "undetermined"]), 0);
    files.write(
        "c.toml",
        &toml(&(machine("m", 12_500, "H100", 8, "") + &switch("s", "") + &link("m", "s", "400", ""))),
    );
    assert_eq!(code(&["--fail-on", "undetermined"]), 11);
    assert_eq!(code(&["--fail-on", "met"]), 0);
}

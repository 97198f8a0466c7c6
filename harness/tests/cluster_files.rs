//! Cluster files through the command line: TOML, CSV, what is refused and where.

use std::fmt::Write as _;

use crate::clusters::{DEVICES, Files, largest, link, machine, switch, toml};

#[test]
fn bad_cluster_files_are_refused_with_their_place() {
    let files = Files::new();
    let a = machine("a", 1, "exa", 1, "");
    let pair = format!("{a}{}", machine("b", 1, "exa", 1, ""));
    for (body, place, words) in [
        (machine("a", 1, "H999", 1, ""), true, "device: unknown device 'H999'"),
        (format!("{pair}{}", link("a", "c", "400", "")), true, "to: link to nowhere: 'c'"),
        (format!("{pair}{}", link("a", "a", "400", "")), true, "'a' is linked to itself"),
        (
            format!("{}{}", machine("a", 3, "exa", 1, ""), link("a-2", "a", "400", "")),
            true,
            "linked to itself",
        ),
        (format!("{a}{a}"), true, "'a' is declared twice"),
        (
            format!("{}{}", machine("a", 3, "exa", 1, ""), machine("a-2", 1, "exa", 1, "")),
            true,
            "'a-2' is declared twice",
        ),
        (format!("{pair}{}", link("a", "b", "400 Gbit/s", "")), true, "400 Gbit/s"),
        (format!("{pair}{}", link("a", "b", "-400", "")), true, "-400"),
        (format!("{pair}{}", link("a", "b", "400", "count = 0")), true, "count: from 1"),
        (format!("{pair}{}", link("a", "b", "400", "count = 5000000000")), true, "count: from 1"),
        (format!("{pair}{}", link("a", "b", "400", "down = \" \"")), true, "only with a reason"),
        (format!("{pair}{}", link("a", "b", "400", "speed = 1")), true, "unknown field `speed`"),
        (machine("a", 0, "exa", 1, ""), true, "count: 0 machines"),
        (machine("a", 1, "exa", 0, ""), true, "count: 0 devices"),
        (
            machine("a", u64::MAX / 4, "GB200", u64::MAX / 4, "")
                + &switch("s", "")
                + &link("a", "s", "400", ""),
            false,
            "past 3.4e38",
        ),
    ] {
        files.write("c.toml", &toml(&body));
        let error = files.refused(&["c.toml"]);
        assert!(error.contains("c.toml:") && error.contains(words), "{words}: {error}");
        let line = error.split("c.toml:").nth(1).unwrap().split(':').next().unwrap().parse::<usize>();
        assert!(!place || line.is_ok_and(|line| line > 20), "no line: {error}");
    }
}

#[test]
fn includes_are_read_once_and_may_not_lead_back() {
    let files = Files::new();
    let head = "format = \"flopgauge.cluster/1\"\n";
    files.write(
        "a.toml",
        &format!("{head}include = [\"b.toml\"]\n{DEVICES}{}", machine("a", 1, "exa", 1, "")),
    );
    files.write("b.toml", &format!("{head}{}{}", machine("b", 1, "exa", 1, ""), link("a", "b", "400", "")));
    assert_eq!(largest(&files.judged(&["a.toml"])), [2, 2, 2]);
    files.write("b.toml", &format!("{head}include = [\"a.toml\"]\n"));
    let error = files.refused(&["a.toml"]);
    assert!(error.contains("b.toml:2:12: include:") && error.contains("may not lead back"), "{error}");
}

const MACHINES: &str = "name,device,count,site,owner\na,NVIDIA H100 80GB HBM3,8,Ashburn,Acme\nb,NVIDIA H100 80GB HBM3,8,Ashburn,Acme\nstore,,,,\n";
const LINKS: &str = "from,to,rate_gbit_s,count,kind\na,leaf,400,8,infiniband\nb,leaf,400,8,infiniband\nstore,leaf,100,1,ethernet\n";

#[test]
fn csv_is_read_with_a_byte_order_mark_crlf_and_quotes() {
    let files = Files::new();
    let judge = |machines: &str, links: &str| {
        files.write("m.csv", machines);
        files.write("l.csv", links);
        files.judged(&["--machines", "m.csv", "--links", "l.csv"])
    };
    let plain = judge(MACHINES, LINKS);
    assert_eq!(largest(&plain), [2, 2, 2]);
    assert_eq!(plain["readings"]["port"]["largest"]["r16_op_per_s"], "15830400000000000");
    assert_eq!(plain["readings"]["port"]["components"], 2);
    assert_eq!(plain["readings"]["port"]["largest"]["parties"], serde_json::json!(["owner Acme"]));
    let crlf = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let mut other = judge(&crlf(MACHINES), &crlf(LINKS));
    assert_eq!(plain["readings"], other["readings"]);
    other = judge(&MACHINES.replace("a,NVIDIA H100 80GB HBM3", "\"a\",\"NVIDIA H100 80GB HBM3\""), LINKS);
    assert_eq!(plain["readings"], other["readings"]);
}

#[test]
fn fabrics_of_a_csv_file_join_rails() {
    let files = Files::new();
    let mut links = "from,to,rate_gbit_s\n".to_owned();
    let mut fabrics = "switch,fabric\n".to_owned();
    for rail in 0..4 {
        writeln!(links, "a,r{rail},100\nb,r{rail},100").unwrap();
        writeln!(fabrics, "r{rail},net").unwrap();
    }
    files.write("m.csv", MACHINES);
    files.write("l.csv", &links);
    files.write("f.csv", &fabrics);
    assert_eq!(largest(&files.judged(&["--machines", "m.csv", "--links", "l.csv"])), [1, 1, 1]);
    let joined = files.judged(&["--machines", "m.csv", "--links", "l.csv", "--fabrics", "f.csv"]);
    assert_eq!(largest(&joined), [1, 1, 2]);
}

#[test]
fn bad_csv_files_are_refused_with_their_place() {
    let files = Files::new();
    let m = |from: &str, to: &str| (MACHINES.replacen(from, to, 1), LINKS.to_owned());
    let l = |from: &str, to: &str| (MACHINES.to_owned(), LINKS.replacen(from, to, 1));
    for ((machines, links), words) in [
        (m("NVIDIA H100 80GB HBM3", "NVIDIA H999"), "m.csv:2:3: device: unknown device"),
        (m("b,NVIDIA", "a,NVIDIA"), "m.csv:3:1: name: 'a' is declared twice"),
        (m(",8,", ",0,"), "m.csv:2:25: count:"),
        (m(",8,", ",99999999999999999999,"), "m.csv:2:25: count:"),
        (m(",8,", ",-8,"), "m.csv:2:25: count:"),
        (m("name,", "nmae,"), "m.csv:1:1: unknown or repeated column 'nmae'"),
        (l("400,8", "400G,8"), "l.csv:2:8: rate_gbit_s: '400G'"),
        (l("400,8", "-400,8"), "l.csv:2:8: rate_gbit_s: '-400'"),
        (l("400,8", "400,0"), "l.csv:2:12: count:"),
        (l("400,8", "400,4294967296"), "l.csv:2:12: count:"),
        (l("a,leaf", "a,a"), "l.csv:2:3: to: 'a' is linked to itself"),
        (l("a,leaf", "a,"), "l.csv:2:3: to: link to nowhere"),
        (l("a,leaf,400,8,infiniband", "a,leaf,400,8"), "l.csv:2:12: 4 fields where the header has 5"),
        (l("infiniband", "infinband"), "l.csv:2:14: kind: 'infinband'"),
    ] {
        files.write("m.csv", &machines);
        files.write("l.csv", &links);
        let error = files.refused(&["--machines", "m.csv", "--links", "l.csv"]);
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_file_without_line_ends_does_not_fill_the_memory() {
    let files = Files::new();
    files.write("m.csv", MACHINES);
    let endless = files.write("l.csv", "from,to,rate_gbit_s\n\"a");
    // Two gigabytes of nothing, without a block on the disk.
    std::fs::OpenOptions::new().write(true).open(&endless).unwrap().set_len(2 << 30).unwrap();
    let error = files.refused(&["--machines", "m.csv", "--links", "l.csv"]);
    assert!(error.contains("l.csv:2:1:") && error.contains("no end of the record"), "{error}");
    std::fs::rename(&endless, files.0.path().join("c.toml")).unwrap();
    assert!(files.refused(&["c.toml"]).contains("larger than"));
}

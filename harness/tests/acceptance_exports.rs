//! The JUnit and Prometheus files of a node, read back by parsers that are not their writers'.

use std::path::Path;

use openmetrics_parser::prometheus::parse_prometheus;
use openmetrics_parser::{MetricsExposition, PrometheusType, PrometheusValue};

use crate::acceptance::{GOOD, SPEC, accept, node};
use flopgauge::accept::{NodeFile, Verdict};

/// A model with every character that a format has to escape.
const ODD: &str = "A \\\"quoted\\\" <b>&amp; back\\\\slash\\nline";
const ODD_READ: &str = "A \"quoted\" <b>&amp; back\\slash\nline";

type Metrics = MetricsExposition<PrometheusType, PrometheusValue>;

fn text(folder: &Path, ending: &str) -> String {
    std::fs::read_to_string(folder.join(format!("out/n1.{ending}"))).unwrap()
}

fn metrics(folder: &Path) -> Metrics {
    let text = text(folder, "prom");
    parse_prometheus(&text).map_err(|error| format!("{error:?}: {text}")).unwrap()
}

/// The samples of a metric: value, and labels as asked.
fn samples(metrics: &Metrics, name: &str, labels: &[&str]) -> Vec<(Vec<String>, f64)> {
    let Some(family) = metrics.families.get(name) else { return Vec::new() };
    let one = |sample: &openmetrics_parser::Sample<PrometheusValue>| {
        assert!(sample.timestamp.is_none(), "{name} has a time");
        let set = sample.get_labelset().unwrap();
        let values = labels.iter().map(|label| set.get_label_value(label).unwrap().to_owned());
        let gauge = match &sample.value {
            PrometheusValue::Gauge(number) => Some(number),
            _ => None,
        };
        let number = gauge.expect(name);
        (values.collect(), number.as_f64())
    };
    family.iter_samples().map(one).collect()
}

/// Checks of a node with their device.
fn checks(file: &NodeFile) -> Vec<(String, String, Verdict)> {
    let own = file.checks.iter().map(|check| ("node".to_owned(), check.check.clone(), check.verdict));
    let of_devices = file.devices.iter().flat_map(|device| {
        device.checks.iter().map(|check| (device.id.clone(), check.check.clone(), check.verdict))
    });
    own.chain(of_devices).collect()
}

/// Every check is in both files with its verdict, and both agree with the node's file.
pub(crate) fn agree(folder: &Path) {
    let file = node(folder);
    let xml = text(folder, "junit.xml");
    let report = junit_parser::from_reader(xml.as_bytes()).unwrap();
    let suite = report.suites.first().unwrap();
    assert_eq!(report.suites.len(), 1, "{xml}");
    assert_eq!((suite.name.as_str(), suite.skipped), ("n1", 0));
    assert!(!suite.cases.iter().any(|case| case.status.is_skipped()), "{xml}");
    let is = |case: &junit_parser::TestCase| match &case.status {
        junit_parser::TestStatus::Success => Verdict::Pass,
        junit_parser::TestStatus::Failure(_) => Verdict::Fail,
        _ => Verdict::Inconclusive,
    };
    let found: Vec<_> = suite
        .cases
        .iter()
        .map(|case| {
            let class = case.classname.as_deref().unwrap();
            (class.strip_prefix("n1.").unwrap_or("node").to_owned(), case.original_name.clone(), is(case))
        })
        .collect();
    assert_eq!(found, checks(&file), "{xml}");
    let count = |verdict| u64::try_from(checks(&file).iter().filter(|c| c.2 == verdict).count()).unwrap();
    assert_eq!((suite.failures, suite.errors), (count(Verdict::Fail), count(Verdict::Inconclusive)), "{xml}");
    assert_eq!(suite.properties.hashmap["verdict"], file.verdict.name());
    assert_eq!(suite.properties.hashmap["job"], "7");

    let metrics = metrics(folder);
    let code = |verdict| match verdict {
        Verdict::Pass => 0.0,
        Verdict::Fail => 1.0,
        Verdict::Inconclusive => 3.0,
    };
    let mut expected: Vec<_> = checks(&file)
        .into_iter()
        .map(|(device, check, verdict)| (vec![device, check], code(verdict)))
        .collect();
    let mut found = samples(&metrics, "flopgauge_accept_check_verdict", &["device", "check"]);
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(found, expected);
    let of_node = samples(&metrics, "flopgauge_accept_verdict", &["node"]);
    assert_eq!(of_node, [(vec!["n1".to_owned()], code(file.verdict))]);
    assert_eq!(
        samples(&metrics, "flopgauge_accept_info", &["job", "simulated"]),
        [(vec!["7".to_owned(), file.simulated.to_string()], 1.0)]
    );
    promtool(&text(folder, "prom"));
}

/// Prometheus' own checker, where it is installed: `harness/tests/promtool` gets it.
fn promtool(text: &str) {
    use std::io::Write;

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("target/promtool/usr/bin/promtool");
    if !program.exists() {
        return crate::filing_readers::skip("FLOPGAUGE_REQUIRE_PROMTOOL", "promtool");
    }
    let mut command = std::process::Command::new(program);
    command.args(["check", "metrics"]).stdin(std::process::Stdio::piped());
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success(), "{}{}", String::from_utf8_lossy(&said.stderr), text);
}

#[test]
fn both_files_say_of_every_check_what_the_nodes_file_says() {
    let slow = GOOD.replace("0.9e12", "0.6e12");
    let mute = GOOD.replace("throttle = 0\n", "");
    let hang = format!("{GOOD}\n[[implementation.fault]]\nat_s = 0.0\nkind = \"hang\"\n");
    for (script, more, code) in
        [(GOOD, &[] as &[&str], 0), (&slow, &[], 1), (&mute, &[], 3), (&hang, &["--time-limit", "1"], 3)]
    {
        let folder = tempfile::tempdir().unwrap();
        let (found, _, stderr) = accept(folder.path(), SPEC, script, more);
        assert_eq!(found, code, "{stderr}");
        agree(folder.path());
    }
}

#[test]
fn a_value_and_its_limit_are_metrics_and_one_that_is_not_known_has_no_line() {
    let folder = tempfile::tempdir().unwrap();
    accept(folder.path(), SPEC, GOOD, &[]);
    let (file, metrics) = (node(folder.path()), metrics(folder.path()));
    let rate = file.devices[0].checks.iter().find(|check| check.check == "gemm_fp32").unwrap();
    let labels = ["check", "unit"];
    for (name, quantity) in [("value", rate.value), ("limit", rate.limit)] {
        let found = samples(&metrics, &format!("flopgauge_accept_check_{name}"), &labels);
        let of_rate = found.iter().find(|(labels, _)| labels == &["gemm_fp32", "FLOP/s"]).unwrap();
        assert_eq!(of_rate.1.to_bits(), quantity.unwrap().number().to_bits());
        assert!(!found.iter().any(|(labels, _)| labels[0] == "throttle"), "throttle has no quantity");
    }
    let seconds = samples(&metrics, "flopgauge_accept_end_time_seconds", &["node"])[0].1;
    assert!((seconds - file.ended.as_duration().as_secs_f64()).abs() < 1e-3);
}

#[test]
fn a_model_with_every_odd_character_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let spec = SPEC.replace("Scripted accelerator", "*");
    accept(folder.path(), &spec, &GOOD.replace("Scripted accelerator", ODD), &[]);
    agree(folder.path());
    let models = samples(&metrics(folder.path()), "flopgauge_accept_device_info", &["model"]);
    assert_eq!(models, [(vec![ODD_READ.to_owned()], 1.0)]);
    // junit-parser drops references in elements, hence a parser of XML itself.
    let xml = text(folder.path(), "junit.xml");
    let document = roxmltree::Document::parse(&xml).unwrap();
    let outputs: Vec<_> = document.descendants().filter(|node| node.has_tag_name("system-out")).collect();
    assert!(outputs.iter().any(|node| node.text().unwrap().starts_with(ODD_READ)), "{xml}");
}

#[test]
fn files_that_are_not_a_nodes_are_left_as_they_are() {
    for ending in ["json", "junit.xml", "prom"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("out")).unwrap();
        let path = folder.path().join(format!("out/n1.{ending}"));
        std::fs::write(&path, "mine\n").unwrap();
        let (code, _, stderr) = accept(folder.path(), SPEC, GOOD, &[]);
        assert!(code == 2 && stderr.contains("no file of a node"), "{code} {stderr}");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "mine\n");
    }
}

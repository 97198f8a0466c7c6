//! A node's verdict for what reads JUnit's XML: a suite for the node, a case for each device and check.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::{AcceptError, CheckResult, NodeFile, Verdict};

/// Name of every report.
const REPORT: &str = "flopgauge accept";

/// The text of a node's JUnit file.
///
/// FAIL is a `failure` and INCONCLUSIVE an `error`; nothing is `skipped`, which viewers count as good.
/// Errors: [`AcceptError::Form`] where the writer refuses.
pub fn junit(file: &NodeFile) -> Result<String, AcceptError> {
    let mut suite = TestSuite::new(file.node.as_str());
    let took = Duration::try_from(file.ended.duration_since(file.started)).unwrap_or_default();
    suite.set_time(took);
    let (job, rank) = (file.run.job.clone(), file.run.rank.map(|rank| rank.to_string()));
    let properties = [
        ("version", Some(file.version.clone())),
        ("commit", file.commit.clone()),
        ("job", job),
        ("restart", Some(file.run.restart.to_string())),
        ("rank", rank),
        ("tier", Some(file.tier.name().to_owned())),
        ("spec", Some(file.spec.name.clone())),
        ("spec_sha256", Some(file.spec.sha256.clone())),
        ("simulated", Some(file.simulated.to_string())),
        ("started", Some(file.started.to_string())),
        ("ended", Some(file.ended.to_string())),
        ("cut_short", file.cut_short.clone()),
        ("verdict", Some(file.verdict.to_string())),
        ("reason", Some(file.reason.to_string())),
    ];
    let known = properties.into_iter().filter_map(|(name, value)| Some(Property::new(name, value?)));
    suite.add_properties(known);
    suite.add_test_cases(file.checks.iter().map(|check| case(&file.node, "the node", check)));
    for device in &file.devices {
        let (class, what) =
            (format!("{}.{}", file.node, device.id), format!("{} {}", device.model, device.uuid));
        suite.add_test_cases(device.checks.iter().map(|check| case(&class, &what, check)));
    }
    let mut report = Report::new(REPORT);
    report.set_time(took);
    report.add_test_suite(suite);
    report.to_string().map_err(|error| AcceptError::Form { kind: "JUnit", reason: error.to_string() })
}

/// Whether a text is a file of [`junit`].
pub fn is_junit(text: &str) -> bool {
    text.starts_with("<?xml") && text.contains(&format!("<testsuites name=\"{REPORT}\""))
}

fn case(class: &str, what: &str, check: &CheckResult) -> TestCase {
    let kind = match check.verdict {
        Verdict::Pass => None,
        Verdict::Fail => Some(NonSuccessKind::Failure),
        Verdict::Inconclusive => Some(NonSuccessKind::Error),
    };
    let status = kind.map_or_else(TestCaseStatus::success, |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(check.verdict.name()).set_message(check.reason.as_str());
        status
    });
    let mut case = TestCase::new(check.check.as_str(), status);
    let number = |quantity: Option<super::Quantity>| {
        quantity.map_or("none".to_owned(), |quantity| format!("{} {}", quantity.text(), quantity.unit()))
    };
    let from = check.limit_from.as_deref().unwrap_or("none");
    let (value, limit) = (number(check.value), number(check.limit));
    let said = format!("{what}: {}\nvalue: {value}\nlimit: {limit}, from: {from}", check.reason);
    case.set_classname(class).set_system_out(said);
    case
}

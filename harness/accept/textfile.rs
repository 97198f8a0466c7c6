//! A node's verdict for node_exporter's textfile collector, in Prometheus' text format.

use prometheus::{GaugeVec, Opts, Registry, TextEncoder};

use super::{AcceptError, CheckResult, NodeFile, Verdict};

/// The metric that every file has.
const INFO: &str = "flopgauge_accept_info";

/// Labels of what is said of a check.
const CHECK: [&str; 4] = ["node", "device", "uuid", "check"];

/// The same with the unit of a number.
const MEASURED: [&str; 5] = ["node", "device", "uuid", "check", "unit"];

/// The text of a node's Prometheus file.
///
/// Its lines carry no timestamps, which the collector refuses; when the run ended is a metric. A value or limit that
/// there is none of has no line.
/// Errors: [`AcceptError::Form`] where the writer refuses.
pub fn prometheus_text(file: &NodeFile) -> Result<String, AcceptError> {
    write(file).map_err(|error| AcceptError::Form { kind: "Prometheus", reason: error.to_string() })
}

/// Whether a text is a file of [`prometheus_text`].
pub fn is_prometheus_text(text: &str) -> bool {
    text.starts_with("# HELP flopgauge_") && text.contains(INFO)
}

/// A verdict as the exit code that says the same.
const fn code(verdict: Verdict) -> f64 {
    match verdict {
        Verdict::Pass => 0.0,
        Verdict::Fail => 1.0,
        Verdict::Inconclusive => 3.0,
    }
}

fn write(file: &NodeFile) -> Result<String, prometheus::Error> {
    let registry = Registry::new();
    let node = file.node.as_str();
    let restart = file.run.restart.to_string();
    let info = gauge(
        &registry,
        INFO,
        "What was run; always 1.",
        &["node", "version", "commit", "job", "restart", "tier", "spec", "spec_sha256", "simulated"],
    )?;
    info.get_metric_with_label_values(&[
        node,
        &file.version,
        file.commit.as_deref().unwrap_or(""),
        file.run.job.as_deref().unwrap_or(""),
        &restart,
        file.tier.name(),
        &file.spec.name,
        &file.spec.sha256,
        if file.simulated { "true" } else { "false" },
    ])?
    .set(1.0);
    let verdict = "0 PASS, 1 FAIL, 3 INCONCLUSIVE.";
    let of_node = gauge(&registry, "flopgauge_accept_verdict", &format!("The node: {verdict}"), &["node"])?;
    of_node.get_metric_with_label_values(&[node])?.set(code(file.verdict));
    let (started, ended) = (seconds(file.started), seconds(file.ended));
    for (name, help, value) in [
        ("flopgauge_accept_start_time_seconds", "Unix time at which the run began.", started),
        ("flopgauge_accept_end_time_seconds", "Unix time of the verdict.", ended),
        ("flopgauge_accept_duration_seconds", "Time that the run took.", ended - started),
    ] {
        gauge(&registry, name, help, &["node"])?.get_metric_with_label_values(&[node])?.set(value);
    }
    let about = ["node", "device", "uuid", "model", "backend", "kind", "driver"];
    let devices = gauge(&registry, "flopgauge_accept_device_info", "A device; always 1.", &about)?;
    let of_device =
        gauge(&registry, "flopgauge_accept_device_verdict", &format!("A device: {verdict}"), &CHECK[..3])?;
    let checks = Checks::new(&registry, verdict)?;
    for check in &file.checks {
        checks.put([node, "node", "none"], check)?;
    }
    for device in &file.devices {
        let uuid = device.uuid.to_string();
        let driver = device.facts.get("driver").map_or("", String::as_str);
        let labels = [node, &device.id, &uuid, &device.model, &device.backend, device.kind.name(), driver];
        devices.get_metric_with_label_values(&labels)?.set(1.0);
        let labels = [node, &device.id, &uuid];
        of_device.get_metric_with_label_values(&labels)?.set(code(device.verdict));
        for check in &device.checks {
            checks.put(labels, check)?;
        }
    }
    TextEncoder::new().encode_to_string(&registry.gather())
}

fn seconds(at: jiff::Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

fn gauge(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<GaugeVec, prometheus::Error> {
    let gauge = GaugeVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

/// What is said of checks.
struct Checks {
    verdict: GaugeVec,
    value: GaugeVec,
    limit: GaugeVec,
}

impl Checks {
    fn new(registry: &Registry, verdict: &str) -> Result<Self, prometheus::Error> {
        let (name, help) = ("flopgauge_accept_check_verdict", format!("A check: {verdict}"));
        Ok(Self {
            verdict: gauge(registry, name, &help, &CHECK)?,
            value: gauge(registry, "flopgauge_accept_check_value", "What was found, in `unit`.", &MEASURED)?,
            limit: gauge(
                registry,
                "flopgauge_accept_check_limit",
                "What was asked for, in `unit`.",
                &MEASURED,
            )?,
        })
    }

    fn put(&self, [node, device, uuid]: [&str; 3], check: &CheckResult) -> Result<(), prometheus::Error> {
        let name = check.check.as_str();
        self.verdict.get_metric_with_label_values(&[node, device, uuid, name])?.set(code(check.verdict));
        for (gauge, quantity) in [(&self.value, check.value), (&self.limit, check.limit)] {
            let Some(quantity) = quantity.filter(|quantity| quantity.number().is_finite()) else { continue };
            let labels = [node, device, uuid, name, quantity.unit()];
            gauge.get_metric_with_label_values(&labels)?.set(quantity.number());
        }
        Ok(())
    }
}

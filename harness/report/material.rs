//! What a report is made of, and what every format of it shows: findings, figures, charts, provenance.

use serde::Serialize;

use super::chart::{self, Chart, DeviceRun};
use super::copies::copy_rows;
use super::summary::{share, three_figures};
use super::topic::{Topic, found};
use super::{cluster, fleet, training};
use crate::accept::Fleet;
use crate::device::{Device, DeviceKind, Severity};
use crate::measure::Outcome;
use crate::profile::Profiles;
use crate::record::Record;
use crate::threshold::{ClusterDetermination, TrainingDetermination};

/// A file or a record with its name.
#[derive(Debug, Clone)]
pub struct Named<T> {
    /// As named on the command line.
    pub name: String,
    /// SHA-256 of what was read, in hexadecimal.
    pub sha256: String,
    /// What it holds.
    pub value: T,
}

/// Everything that a report is made of.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// Records.
    pub records: Vec<Named<Record>>,
    /// Files of profiles.
    pub profiles: Vec<Named<Profiles>>,
    /// Fleets.
    pub fleets: Vec<Named<Fleet>>,
    /// What the rules say of clusters.
    pub clusters: Vec<Named<ClusterDetermination>>,
    /// What the rules say of training runs.
    pub trainings: Vec<Named<TrainingDetermination>>,
}

/// A finding or a case without a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Found {
    pub severity: &'static str,
    pub device: String,
    pub message: String,
    pub cases: Vec<String>,
}

/// A device with its three figures as shown.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Shown {
    pub name: String,
    pub record: String,
    pub hardware: bool,
    pub kind: &'static str,
    pub uuid: String,
    pub rows: Vec<[String; 8]>,
    pub copies: Vec<[String; 6]>,
    pub notes: Vec<String>,
}

/// Where a record comes from.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Origin {
    pub name: String,
    pub sha256: String,
    pub facts: Vec<(String, String)>,
}

impl Material {
    /// The devices of all records, each record's own.
    pub(super) fn runs(&self) -> Vec<DeviceRun<'_>> {
        let mut runs: Vec<DeviceRun<'_>> = Vec::new();
        for record in &self.records {
            for measurement in &record.value.measurements {
                let same = |run: &&mut DeviceRun<'_>| {
                    run.record == record.name
                        && run.device.uuid == measurement.device.uuid
                        && run.device.id == measurement.device.id
                };
                if let Some(run) = runs.iter_mut().find(same) {
                    run.measurements.push(measurement);
                    continue;
                }
                let number = runs.len() + 1;
                let device: &Device = &measurement.device;
                runs.push(DeviceRun {
                    number,
                    record: &record.name,
                    device,
                    measurements: vec![measurement],
                });
            }
        }
        runs
    }

    /// Every chart, in the order of the page.
    pub fn charts(&self) -> Vec<Chart> {
        let of_topics = self.topics().into_iter().flat_map(|topic| topic.charts);
        of_topics.chain(self.run_charts()).collect()
    }

    /// Fleets, clusters and training runs, each a section of its own.
    pub(super) fn topics(&self) -> Vec<Topic> {
        let fleets = self.fleets.iter().zip(1..).map(|(of, number)| fleet::topic(number, of));
        let clusters = self.clusters.iter().zip(1..).map(|(of, number)| cluster::topic(number, of));
        let trainings = self.trainings.iter().zip(1..).map(|(of, number)| training::topic(number, of));
        fleets.chain(clusters).chain(trainings).collect()
    }

    /// What to call a report that nobody named.
    pub fn title(&self) -> String {
        let topic = self.topics().into_iter().next().filter(|_| self.records.is_empty());
        topic.map_or_else(|| "What the devices deliver".to_owned(), |topic| topic.title)
    }

    /// The charts of devices.
    pub(super) fn run_charts(&self) -> Vec<Chart> {
        let of = |run: &DeviceRun<'_>| {
            [chart::figures, chart::timeline, chart::roofline, chart::shapes, chart::inputs, chart::spread]
                .map(|c| c(run))
        };
        self.runs().iter().flat_map(of).collect()
    }

    /// Kinds of devices that say nothing of hardware.
    pub(super) fn unreal(&self) -> Vec<&'static str> {
        let kinds = self.runs().into_iter().map(|run| run.device.kind);
        let mut names: Vec<_> =
            kinds.filter(|kind| *kind != DeviceKind::Hardware).map(DeviceKind::name).collect();
        if self.fleets.iter().any(|fleet| fleet.value.simulated) {
            names.push(DeviceKind::Simulated.name());
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Findings and warnings of everything, the worst first; `topics` are those of [`Self::topics`].
    pub(super) fn findings(&self, topics: &[Topic]) -> Vec<Found> {
        let mut all: Vec<(Severity, Found)> = Vec::new();
        for run in self.runs() {
            for measurement in &run.measurements {
                let case = chart::case_name(measurement);
                let mut add = |severity: Severity, message: String| {
                    let known = all.iter_mut().find(|(_, f)| f.message == message && f.device == run.name());
                    if let Some((_, found)) = known {
                        found.cases.push(case.clone());
                        return;
                    }
                    let (device, cases) = (run.name(), vec![case.clone()]);
                    all.push((severity, Found { severity: severity.name(), device, message, cases }));
                };
                match &measurement.result {
                    Outcome::Measured(measured) => {
                        for finding in &measured.findings {
                            add(finding.severity, finding.message.clone());
                        }
                    }
                    Outcome::Failed { error } => add(Severity::Error, format!("failed: {error}")),
                    other => add(
                        Severity::Note,
                        format!("{}: {}", other.name(), other.reason().unwrap_or_default()),
                    ),
                }
            }
        }
        all.extend(self.records.iter().flat_map(lacking));
        all.extend(topics.iter().flat_map(|topic| topic.findings.iter().cloned()));
        all.sort_by_key(|found| std::cmp::Reverse(found.0));
        all.into_iter().map(|(_, found)| found).collect()
    }

    pub(super) fn shown(&self) -> Vec<Shown> {
        let one = |run: DeviceRun<'_>| Shown {
            name: run.name(),
            record: run.record.to_owned(),
            hardware: run.device.kind == DeviceKind::Hardware,
            kind: run.device.kind.name(),
            uuid: run.device.uuid.to_string(),
            rows: three_figures(&run)
                .iter()
                .map(|f| {
                    [
                        f.name(),
                        f.theoretical_text(),
                        f.text(&f.issue),
                        share(f.shares[0]),
                        f.text(&f.sustained),
                        share(f.shares[1]),
                        f.burst.map_or_else(|| "none".to_owned(), |r| f.rate(r)),
                        [f.by.as_str(), f.state.as_str()].join("; "),
                    ]
                })
                .collect(),
            copies: copy_rows(&run.measurements),
            notes: run.device.notes.clone(),
        };
        self.runs().into_iter().map(one).collect()
    }

    pub(super) fn origins(&self) -> Vec<Origin> {
        let records = self.records.iter().map(|record| {
            let environment = &record.value.environment;
            let host = &environment.host;
            let none = || "not known".to_owned();
            let mut facts = vec![
                ("flopgauge".to_owned(), environment.version.clone()),
                ("commit".to_owned(), environment.commit.clone().unwrap_or_else(none)),
                ("method version".to_owned(), environment.method_version.clone()),
                ("started".to_owned(), environment.started.to_string()),
                (
                    "ended".to_owned(),
                    environment.ended.map_or_else(
                        || "not recorded: still running, or killed".to_owned(),
                        |t| t.to_string(),
                    ),
                ),
                ("host".to_owned(), host.name.clone().unwrap_or_else(none)),
                ("system".to_owned(), host.os.clone().unwrap_or_else(none)),
                ("kernel".to_owned(), host.kernel.clone().unwrap_or_else(none)),
                ("processor".to_owned(), host.cpu.clone().unwrap_or_else(none)),
                ("command line".to_owned(), environment.command_line.join(" ")),
            ];
            facts.extend(
                environment.backends.iter().map(|(name, fact)| (format!("backend {name}"), fact.clone())),
            );
            let checks = record.value.measurements.iter().filter_map(|m| match &m.result {
                Outcome::Measured(measured) => {
                    Some((measured.checks.len(), measured.checks.iter().filter(|c| c.passed).count()))
                }
                _ => None,
            });
            let (of, passed) = checks.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            facts.push(("checks of values".to_owned(), format!("{passed} of {of} passed")));
            Origin { name: record.name.clone(), sha256: record.sha256.clone(), facts }
        });
        let profiles = self.profiles.iter().map(|profiles| Origin {
            name: profiles.name.clone(),
            sha256: profiles.sha256.clone(),
            facts: vec![("flopgauge".to_owned(), profiles.value.version.clone())],
        });
        records.chain(profiles).chain(self.answers()).collect()
    }

    /// Where fleets, clusters and training runs come from.
    fn answers(&self) -> impl Iterator<Item = Origin> {
        let fleets = self.fleets.iter().map(|fleet| {
            let collected = fleet.value.collected.to_string();
            of_file(fleet, &[("flopgauge", fleet.value.version.clone()), ("collected", collected)])
        });
        let clusters = self.clusters.iter().map(|cluster| {
            let what = format!("cluster {}", cluster.value.name);
            of_file(cluster, &[("what", what), ("as of", cluster.value.as_of.clone())])
        });
        let trainings = self.trainings.iter().map(|run| {
            let what = format!("training run {}", run.value.name);
            of_file(run, &[("what", what), ("as of", run.value.as_of.clone())])
        });
        fleets.chain(clusters).chain(trainings)
    }
}

/// What a record lacks as a whole.
fn lacking(record: &Named<Record>) -> Vec<(Severity, Found)> {
    let mut lacking = Vec::new();
    if record.value.measurements.is_empty() {
        lacking.push("nothing was measured: the record holds no outcome");
    }
    if record.value.environment.ended.is_none() {
        lacking.push("the run has no end: it is still running or was killed, and cases may be missing");
    }
    lacking.into_iter().map(|message| found(Severity::Warning, &record.name, message, Vec::new())).collect()
}

fn of_file<T>(file: &Named<T>, facts: &[(&str, String)]) -> Origin {
    let facts = facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())).collect();
    Origin { name: file.name.clone(), sha256: file.sha256.clone(), facts }
}

/// Names of the columns of [`Shown::rows`].
pub(super) const COLUMNS: [&str; 8] = [
    "precision",
    "theoretical",
    "issue (95 % interval)",
    "of peak",
    "sustained (95 % interval)",
    "of peak",
    "burst",
    "by; state",
];

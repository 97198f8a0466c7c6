//! Putting a packet together from the plan, the judged activities and the packet before.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::FilingError;
use super::annex::Calibration;
use super::dates::Schedule;
use super::dual_use::Answer;
use super::filer::{Activity, ClusterEvent, Filer};
use super::judged::{Figures, InputFile, Judged};
use super::lineage::{ReadPacket, changes, drafts};
use super::packet::{
    Affirmation, Annex, ChosenReading, ClusterHeld, FilingKind, Head, LookAhead, Model, Packet,
    PacketActivity, PacketCorrection, RunLineage, Signature, Statement, TrainingRun, day,
};
use super::plan::{Entry, Plan, QuarterPlan};
use super::quarter::Quarter;
use super::rule::FilingRule;
use super::windows::Phase;
use crate::measure::METHOD_VERSION;
use crate::units::ExactOpRate;

/// Everything that a packet is made from.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The filer.
    pub filer: &'a Filer,
    /// What the calculators say, one for each activity.
    pub judged: &'a [Judged],
    /// The plan.
    pub plan: &'a Plan,
    /// Rule and readings.
    pub schedule: Schedule<'a>,
    /// The packet before.
    pub previous: Option<&'a ReadPacket>,
}

/// The packet of `quarter`.
///
/// Errors: [`FilingError::NothingDue`], and files that cannot be read.
pub fn assemble(material: &Material<'_>, quarter: Quarter) -> Result<Packet, FilingError> {
    let Material { filer, plan, schedule, previous, .. } = *material;
    let as_of = plan.as_of;
    check_previous(filer, previous, quarter)?;
    let due = plan.quarter(quarter);
    let activities = due.map_or(&[][..], |plan| &plan.entries);
    let activity: Vec<_> = activities.iter().map(|entry| material.activity(entry, quarter)).collect();
    let correction = stated_corrections(filer, &schedule, quarter);
    if due.is_none() && correction.is_empty() {
        return Err(nothing_due(plan, quarter));
    }
    let rule = schedule.rule;
    let attested = filer.attestation.as_ref();
    let mut packet = Packet {
        format: format!("flopgauge.{}", Packet::KIND),
        filing: material.head(quarter, kind(due)),
        submitter: filer.submitter.clone(),
        look_ahead: look_ahead(&schedule, quarter, &activity),
        affirmation: due.and_then(|plan| affirmation(rule, plan)),
        activity,
        correction,
        previous: previous.map(|read| read.reference.clone()),
        changes: Vec::new(),
        not_reported: not_reported(plan),
        confidentiality: filer.submitter.claim_confidentiality.then(|| rule.confidentiality.marking.clone()),
        attestation: Signature {
            name: attested.map(|who| who.name.clone()),
            title: attested.map(|who| who.title.clone()),
            date: None,
        },
        annex: material.annex()?,
        readings: material.readings(),
        statements: statements(rule),
        sources: rule.source.clone(),
    };
    if let Some(read) = previous {
        packet.changes = changes(&read.packet, &packet);
        packet.correction.extend(drafts(&packet.changes, read.reference.quarter, day(as_of)));
        for activity in &mut packet.activity {
            if let Some(known) = read.packet.find(&activity.name, activity.start) {
                activity.first_reported_quarter =
                    known.first_reported_quarter.min(activity.first_reported_quarter);
            }
        }
        if read.reference.quarter == quarter {
            packet.filing.kind = FilingKind::Correction;
        }
    }
    Ok(packet)
}

fn check_previous(filer: &Filer, previous: Option<&ReadPacket>, quarter: Quarter) -> Result<(), FilingError> {
    let Some(read) = previous else { return Ok(()) };
    let wrong = |message: String| Err(FilingError::Previous { path: read.path.clone(), message });
    if read.reference.quarter > quarter {
        return wrong(format!("is the packet of {}, which is after {quarter}", read.reference.quarter));
    }
    if read.packet.submitter.legal_name != filer.submitter.legal_name {
        let (theirs, ours) = (&read.packet.submitter.legal_name, &filer.submitter.legal_name);
        return wrong(format!("is a packet of '{theirs}', not of '{ours}'"));
    }
    Ok(())
}

const fn kind(due: Option<&QuarterPlan>) -> FilingKind {
    match due {
        None => FilingKind::Correction,
        Some(plan) if plan.affirmation.is_some() => FilingKind::AffirmationNoActivity,
        Some(_) => FilingKind::Notification,
    }
}

fn nothing_due(plan: &Plan, quarter: Quarter) -> FilingError {
    let hint = match (plan.quarters.first(), plan.quarters.last()) {
        (Some(first), Some(last)) => {
            format!("; notices and affirmations fall between {} and {}", first.quarter, last.quarter)
        }
        _ => "; no activity is above the limit, so nothing is ever due".to_owned(),
    };
    FilingError::NothingDue { quarter, hint }
}

fn stated_corrections(filer: &Filer, schedule: &Schedule<'_>, quarter: Quarter) -> Vec<PacketCorrection> {
    let within = schedule.past(quarter);
    let found = filer.corrections.iter().filter(|correction| within.contains(correction.discovered));
    let stated = found.map(|correction| PacketCorrection {
        refers_to: correction.refers_to,
        activity: correction.activity.clone(),
        what_changed: correction.what.clone(),
        when_discovered: day(correction.discovered),
        reason: correction.reason.clone(),
        draft: false,
    });
    stated.collect()
}

fn look_ahead(schedule: &Schedule<'_>, quarter: Quarter, activities: &[PacketActivity]) -> LookAhead {
    let window = schedule.look_ahead(quarter);
    let planned: Vec<_> = activities
        .iter()
        .filter(|activity| activity.phase == Phase::Planned)
        .map(|activity| activity.name.clone())
        .collect();
    let none = planned.is_empty();
    LookAhead { window_start: day(window.first), window_end: day(window.last), planned, none }
}

fn affirmation(rule: &FilingRule, plan: &QuarterPlan) -> Option<Affirmation> {
    let planned = plan.affirmation?;
    let statement = format!(
        "No applicable activities in {} ({} to {}), and none planned through {}. The duty to affirm is {} only.",
        plan.quarter,
        plan.past.first,
        plan.past.last,
        plan.look_ahead.last,
        rule.affirmations.basis.evidence.name()
    );
    Some(Affirmation {
        last_activity_quarter: planned.last_activity_quarter,
        number: planned.number,
        of: planned.of,
        statement,
    })
}

fn not_reported(plan: &Plan) -> Vec<String> {
    let left_out = plan.activities.iter().filter(|activity| !activity.reported);
    left_out.map(|activity| format!("{}: {}", activity.activity, activity.why)).collect()
}

fn statements(rule: &FilingRule) -> Vec<Statement> {
    let relied = rule.bases().into_iter().filter(|(about, _)| !about.starts_with("reading "));
    let statement = |(about, basis): (String, &super::rule::Basis)| Statement {
        about,
        evidence: basis.evidence,
        source: basis.source.clone(),
        quotation: basis.quotation.clone(),
        note: basis.note.clone(),
    };
    relied.map(statement).collect()
}

impl Material<'_> {
    fn head(&self, quarter: Quarter, kind: FilingKind) -> Head {
        let standing = self.plan.standing.clone();
        let channel = &self.schedule.rule.channel;
        Head {
            kind,
            quarter,
            due_date: day(self.schedule.due(quarter)),
            prepared_at: day(self.plan.as_of),
            past: self.schedule.past(quarter),
            rule_profile: standing.rule_profile.clone(),
            legal_status_notice: standing.legal_status_notice.clone(),
            standing,
            channel: format!(
                "by {} ({}); mailbox {} ({}: check it before anything is sent)",
                channel.by,
                channel.basis.evidence.name(),
                channel.mailbox,
                channel.mailbox_evidence.name()
            ),
        }
    }

    fn activity(&self, entry: &Entry, quarter: Quarter) -> PacketActivity {
        let activity = &self.filer.activities[entry.row];
        let judged = &self.judged[entry.row];
        let summary = &self.plan.activities[entry.row];
        let (training_run, cluster) = match &judged.figures {
            Figures::Training(figures) => (Some(training_run(activity, judged, figures)), None),
            Figures::Cluster(figures) => (None, Some(cluster_held(activity, figures))),
        };
        PacketActivity {
            name: activity.name.clone(),
            limb: activity.limb,
            phase: entry.phase,
            cause: entry.cause,
            why: entry.why.clone(),
            start: day(activity.times.start),
            end: activity.times.end.map(day),
            first_reported_quarter: summary.first_reported_quarter.unwrap_or(quarter),
            verdict: judged.verdict,
            determinations: judged.determinations.clone(),
            training_run,
            cluster,
        }
    }

    fn annex(&self) -> Result<Annex, FilingError> {
        let mut inputs: BTreeSet<InputFile> = self.judged.iter().flat_map(|j| j.inputs.clone()).collect();
        let name = std::path::Path::new(&self.filer.file).file_name().unwrap_or_default();
        let filer = InputFile {
            path: name.to_string_lossy().into_owned(),
            sha256: super::judged::sha256(self.filer.text.as_bytes()),
        };
        inputs.insert(filer);
        let calibration = self.filer.calibration.iter().map(|path| {
            let written = path.file_name().unwrap_or_default().to_string_lossy();
            Calibration::read(path, &written)
        });
        Ok(Annex {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            tool_commit: option_env!("FLOPGAUGE_COMMIT").map(str::to_owned),
            method_version: METHOD_VERSION.to_owned(),
            calibration: calibration.collect::<Result<_, _>>()?,
            inputs: inputs.into_iter().collect(),
        })
    }

    fn readings(&self) -> Vec<ChosenReading> {
        let chosen = serde_json::to_value(self.schedule.readings).unwrap_or_default();
        let open = self.schedule.rule.reading.iter();
        let reading = |open: &super::rule::OpenReading| ChosenReading {
            key: open.key.clone(),
            chosen: chosen[&open.key].as_str().unwrap_or_default().to_owned(),
            options: open.options.clone(),
            evidence: open.basis.evidence,
            note: open.basis.note.clone(),
        };
        open.map(reading).collect()
    }
}

fn training_run(
    activity: &Activity,
    judged: &Judged,
    figures: &super::figures::TrainingFigures,
) -> TrainingRun {
    TrainingRun {
        model: Model { name: figures.model.clone(), version: activity.model_version.clone() },
        dual_use_foundation_model: judged.dual_use.as_ref().map_or(Answer::Unknown, |test| test.result),
        dual_use: judged.dual_use.clone(),
        ops: figures.operations.clone(),
        lineage: RunLineage {
            // The lineage lists the oldest run first; the last one is the run itself.
            parent_run: figures.lineage.iter().rev().nth(1).map(|run| run.name.clone()),
            cumulative_ops: figures.cumulative.clone(),
        },
        site: activity.site.clone(),
        cluster: activity.on.clone(),
        method: figures.clone(),
    }
}

fn cluster_held(activity: &Activity, figures: &super::figures::ClusterFigures) -> ClusterHeld {
    let greatest = |rate: fn(&super::figures::SetFigures) -> ExactOpRate| {
        figures.readings.iter().map(rate).max().unwrap_or(ExactOpRate::ZERO)
    };
    let complete: Date = activity.times.complete.unwrap_or(activity.times.start);
    ClusterHeld {
        name: activity.name.clone(),
        event: activity.event.unwrap_or(ClusterEvent::ComeIntoPossession),
        event_date: day(complete),
        location: activity.site.clone().map_or_else(|| figures.sites.clone(), |site| vec![site]),
        owner: activity.owner.clone(),
        operator: activity.operator.clone(),
        tenant: activity.tenant.clone(),
        machines_in_component: figures.readings.iter().map(|set| set.machines).max().unwrap_or(0),
        r16_op_per_s: greatest(|set| set.r16_op_per_s),
        r8_op_per_s: greatest(|set| set.r8_op_per_s),
        rmax_op_per_s: greatest(|set| set.rmax_op_per_s),
        method: figures.clone(),
    }
}

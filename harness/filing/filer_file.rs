//! Filer files in TOML, kind `filer/1`: read strictly, with every contradiction named at its place.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::day::Day;
use super::filer::{
    Activity, Attestation, ClusterEvent, Correction, Filer, Limb, Receipt, Received, Submitter, Times,
};
use super::quarter::Quarter;
use super::readings::Readings;
use crate::files::{FileError, TEXT_LIMIT, parse_toml, read_text};

/// A filer as the file states it.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilerFile {
    /// `flopgauge.filer/1`.
    #[serde(rename = "format")]
    _format: String,
    /// Who files.
    #[schemars(with = "Submitter")]
    filer: Spanned<Submitter>,
    /// Choices where the text is open.
    #[serde(default)]
    readings: Readings,
    /// Activities done, ongoing and planned.
    #[serde(default)]
    activity: Vec<ActivityTable>,
    /// Questions and requests for clarification that arrived.
    #[serde(default)]
    received: Vec<ReceivedTable>,
    /// What was filed and turned out wrong.
    #[serde(default)]
    correction: Vec<CorrectionTable>,
    /// Measurements for the annex.
    #[serde(default)]
    calibration: Vec<CalibrationTable>,
    /// Who vouches for the filing.
    attestation: Option<Attestation>,
}

/// One activity. Paths are relative to this file.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ActivityTable {
    /// Name; rows of one name are the same thing at different times.
    #[schemars(with = "String")]
    name: Spanned<String>,
    limb: Limb,
    #[schemars(with = "Day")]
    start: Spanned<Day>,
    /// Last day; left out while it goes on or is kept.
    #[schemars(with = "Option<Day>")]
    end: Option<Spanned<Day>>,
    /// Day from which it was planned; left out, every notice that looks ahead to it names it.
    #[schemars(with = "Option<Day>")]
    planned_since: Option<Spanned<Day>>,
    /// Day on which the plan was dropped.
    #[schemars(with = "Option<Day>")]
    cancelled: Option<Spanned<Day>>,
    site: Option<String>,
    /// Training run: file of kind training/1.
    #[schemars(with = "Option<String>")]
    run: Option<Spanned<PathBuf>>,
    /// Training run: name of the cluster activity that it runs on.
    #[schemars(with = "Option<String>")]
    on: Option<Spanned<String>>,
    /// Training run: version of the model.
    #[schemars(with = "Option<String>")]
    model_version: Option<Spanned<String>>,
    /// Training run: questionnaire of kind dual-use/1.
    #[schemars(with = "Option<String>")]
    dual_use: Option<Spanned<PathBuf>>,
    /// Cluster: file of kind cluster/1.
    #[schemars(with = "Option<String>")]
    topology: Option<Spanned<PathBuf>>,
    /// Cluster: how it comes.
    #[schemars(with = "Option<ClusterEvent>")]
    event: Option<Spanned<ClusterEvent>>,
    /// Cluster: last day of the acquisition, development or coming into possession; the first day when left out.
    #[schemars(with = "Option<Day>")]
    complete: Option<Spanned<Day>>,
    #[schemars(with = "Option<String>")]
    owner: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    operator: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    tenant: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReceivedTable {
    kind: Receipt,
    on: Day,
    about: Option<String>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct CorrectionTable {
    #[schemars(with = "Quarter")]
    refers_to: Spanned<Quarter>,
    #[schemars(with = "Option<String>")]
    activity: Option<Spanned<String>>,
    #[schemars(with = "Day")]
    discovered: Spanned<Day>,
    what: String,
    reason: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct CalibrationTable {
    /// Record directory of measurements.
    records: PathBuf,
}

/// The filer that the TOML file at `path` states.
///
/// Errors: [`FileError`] with file, line, column and key.
pub fn read_filer(path: &Path) -> Result<Filer, FileError> {
    parse_filer(path, read_text(path, TEXT_LIMIT)?)
}

/// The filer that `text` states; other files are found from `path`.
///
/// Errors: as [`read_filer`].
pub fn parse_filer(path: &Path, text: String) -> Result<Filer, FileError> {
    let name = path.display().to_string();
    let file: FilerFile = parse_toml(&name, &text, "filer/1")?;
    let reader = Reader { name, text, folder: path.parent().unwrap_or(Path::new("")).to_owned() };
    if file.filer.get_ref().legal_name.trim().is_empty() {
        return Err(reader.at(&file.filer, "legal_name is empty"));
    }
    let mut activities: Vec<Activity> = Vec::new();
    for table in &file.activity {
        let activity = reader.activity(table)?;
        reader.apart(table, &activity, &activities)?;
        activities.push(activity);
    }
    reader.references(&file, &activities)?;
    let received = file.received.into_iter();
    Ok(Filer {
        submitter: file.filer.into_inner(),
        readings: file.readings,
        received: received.map(|r| Received { kind: r.kind, on: r.on.0, about: r.about }).collect(),
        corrections: file.correction.into_iter().map(correction).collect(),
        calibration: file.calibration.into_iter().map(|c| reader.folder.join(c.records)).collect(),
        attestation: file.attestation,
        activities,
        file: reader.name,
        text: reader.text,
    })
}

fn correction(table: CorrectionTable) -> Correction {
    Correction {
        offset: table.refers_to.span().start,
        refers_to: table.refers_to.into_inner(),
        activity: table.activity.map(Spanned::into_inner),
        discovered: table.discovered.into_inner().0,
        what: table.what,
        reason: table.reason,
    }
}

struct Reader {
    name: String,
    text: String,
    folder: PathBuf,
}

impl Reader {
    fn at<T>(&self, place: &Spanned<T>, message: impl Into<String>) -> FileError {
        FileError::content_at(&self.name, &self.text, place.span().start, message.into())
    }

    fn activity(&self, table: &ActivityTable) -> Result<Activity, FileError> {
        if table.name.get_ref().trim().is_empty() {
            return Err(self.at(&table.name, "name is empty"));
        }
        let times = self.times(table)?;
        let file = self.file(table)?;
        let text = |value: &Option<Spanned<String>>| value.as_ref().map(|value| value.get_ref().clone());
        let event = table.event.as_ref().map(|event| *event.get_ref());
        Ok(Activity {
            name: table.name.get_ref().clone(),
            limb: table.limb,
            times,
            file: self.folder.join(file),
            written: file.display().to_string(),
            site: table.site.clone(),
            on: text(&table.on),
            model_version: text(&table.model_version),
            dual_use: table.dual_use.as_ref().map(|path| self.folder.join(path.get_ref())),
            event: (table.limb == Limb::Cluster).then(|| event.unwrap_or(ClusterEvent::ComeIntoPossession)),
            owner: text(&table.owner),
            operator: text(&table.operator),
            tenant: text(&table.tenant),
            offset: table.name.span().start,
        })
    }

    fn times(&self, table: &ActivityTable) -> Result<Times, FileError> {
        let start = table.start.get_ref().0;
        let day = |day: &Option<Spanned<Day>>| day.as_ref().map(|day| day.get_ref().0);
        let wrong = |place: &Option<Spanned<Day>>, message: String| match place {
            Some(place) => self.at(place, message),
            None => self.at(&table.start, message),
        };
        let times = Times {
            start,
            end: day(&table.end),
            complete: day(&table.complete),
            planned_since: day(&table.planned_since),
            cancelled: day(&table.cancelled),
        };
        if let Some(end) = times.end.filter(|end| *end < start) {
            return Err(wrong(&table.end, format!("end {end} is before start {start}")));
        }
        if let Some(complete) = times.complete
            && (complete < start || times.end.is_some_and(|end| complete > end))
        {
            return Err(wrong(&table.complete, format!("complete {complete} is not between start and end")));
        }
        if let Some(since) = times.planned_since.filter(|since| *since > start) {
            return Err(wrong(&table.planned_since, format!("planned_since {since} is after start {start}")));
        }
        if let Some(cancelled) = times.cancelled {
            let message = if cancelled > start {
                format!("cancelled {cancelled} is after start {start}; what has begun has an end instead")
            } else if times.planned_since.is_some_and(|since| cancelled < since) {
                format!("cancelled {cancelled} is before planned_since")
            } else {
                return Ok(times);
            };
            return Err(wrong(&table.cancelled, message));
        }
        Ok(times)
    }

    /// The calculator's file, after the keys of the other kind of activity were refused.
    fn file<'t>(&self, table: &'t ActivityTable) -> Result<&'t PathBuf, FileError> {
        let refuse = |key: &str, place: Option<std::ops::Range<usize>>| match place {
            None => Ok(()),
            Some(span) => {
                let message = format!("{key} does not belong to a {}", table.limb.name());
                Err(FileError::content_at(&self.name, &self.text, span.start, message))
            }
        };
        fn span<T>(value: &Option<Spanned<T>>) -> Option<std::ops::Range<usize>> {
            value.as_ref().map(Spanned::span)
        }
        let (key, file) = match table.limb {
            Limb::TrainingRun => {
                refuse("topology", span(&table.topology))?;
                refuse("event", span(&table.event))?;
                refuse("complete", span(&table.complete))?;
                refuse("owner", span(&table.owner))?;
                refuse("operator", span(&table.operator))?;
                refuse("tenant", span(&table.tenant))?;
                ("run", &table.run)
            }
            Limb::Cluster => {
                refuse("run", span(&table.run))?;
                refuse("on", span(&table.on))?;
                refuse("model_version", span(&table.model_version))?;
                refuse("dual_use", span(&table.dual_use))?;
                ("topology", &table.topology)
            }
        };
        let missing = || {
            let name = table.name.get_ref();
            self.at(&table.name, format!("name: '{name}' is a {} and needs {key}, a file", table.limb.name()))
        };
        file.as_ref().map(Spanned::get_ref).ok_or_else(missing)
    }

    /// Refuses a row that counts again what an earlier one counts.
    fn apart(&self, table: &ActivityTable, new: &Activity, known: &[Activity]) -> Result<(), FileError> {
        for other in known.iter().filter(|other| other.name == new.name || other.file == new.file) {
            if other.name == new.name && other.limb != new.limb {
                let message = format!("name: '{}' is a {} above", new.name, other.limb.name());
                return Err(self.at(&table.name, message));
            }
            let shared = overlap(&new.times, &other.times);
            if let Some(day) = shared {
                let what = if other.name == new.name { "the same name" } else { "the same file" };
                let message =
                    format!("start: '{}' overlaps '{}', which has {what}, on {day}", new.name, other.name);
                return Err(self.at(&table.start, message));
            }
        }
        Ok(())
    }

    fn references(&self, file: &FilerFile, activities: &[Activity]) -> Result<(), FileError> {
        let named = |name: &str| activities.iter().find(|activity| activity.name == name);
        for on in file.activity.iter().filter_map(|table| table.on.as_ref()) {
            if named(on.get_ref()).is_none_or(|activity| activity.limb != Limb::Cluster) {
                return Err(self.at(on, format!("on names '{}', which is no cluster here", on.get_ref())));
            }
        }
        for table in &file.correction {
            if let Some(activity) = table.activity.as_ref().filter(|name| named(name.get_ref()).is_none()) {
                let message = format!("activity names '{}', which is not here", activity.get_ref());
                return Err(self.at(activity, message));
            }
            let (found, quarter) = (table.discovered.get_ref().0, *table.refers_to.get_ref());
            if found < quarter.first_day() {
                let message = format!("discovered {found} is before {quarter}, which it corrects");
                return Err(self.at(&table.discovered, message));
            }
        }
        Ok(())
    }
}

/// The first day that two activities share.
fn overlap(a: &Times, b: &Times) -> Option<Date> {
    let day = a.start.max(b.start);
    let within = |times: &Times| times.end.is_none_or(|end| day <= end);
    (within(a) && within(b)).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "format = \"flopgauge.filer/1\"\n[filer]\nlegal_name = \"Example\"\ncovered_person_basis = \"us-entity\"\n";
    const RUN: &str =
        "[[activity]]\nname = \"a\"\nlimb = \"training-run\"\nrun = \"a.toml\"\nstart = 2026-02-01\n";

    fn error(text: &str) -> String {
        parse_filer(Path::new("f.toml"), text.to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn each_contradiction_is_named_at_its_place() {
        let with = |more: &str| error(&format!("{HEAD}{RUN}{more}"));
        for (more, expected) in [
            ("end = 2026-01-31\n", "f.toml:10:7: end 2026-01-31 is before start 2026-02-01"),
            ("cancelled = 2026-02-02\n", "f.toml:10:13: cancelled 2026-02-02 is after start"),
            ("planned_since = 2026-02-02\n", "f.toml:10:17: planned_since"),
            ("owner = \"x\"\n", "f.toml:10:9: owner does not belong to a training-run"),
            ("on = \"hall\"\n", "f.toml:10:6: on names 'hall', which is no cluster here"),
            ("strat = 1\n", "f.toml:10:1: unknown field `strat`"),
            ("end = 2026-02-30\n", "f.toml:10:"),
            (RUN, "f.toml:14:9: start: 'a' overlaps 'a', which has the same name, on 2026-02-01"),
        ] {
            let found = with(more);
            assert!(found.starts_with(expected), "{found}");
        }
        let other = RUN.replace("\"a\"", "\"b\"");
        assert!(with(&other).contains("'b' overlaps 'a', which has the same file"));
        let unknown = error(&format!("{HEAD}{}", RUN.replace("training-run", "training")));
        assert!(unknown.starts_with("f.toml:7:8: unknown variant `training`"), "{unknown}");
    }

    #[test]
    fn a_filer_without_a_basis_and_a_run_without_a_file_are_refused() {
        let basis = error(&HEAD.replace("covered_person_basis = \"us-entity\"\n", ""));
        assert!(basis.contains("f.toml:2:1: missing field `covered_person_basis`"), "{basis}");
        let file = error(&format!("{HEAD}{}", RUN.replace("run = \"a.toml\"\n", "")));
        assert!(file.contains("needs run, a file"), "{file}");
        let quarter = format!(
            "{HEAD}[[correction]]\nrefers_to = \"2026Q5\"\ndiscovered = 2026-05-01\nwhat = \"x\"\nreason = \"y\"\n"
        );
        assert!(error(&quarter).starts_with("f.toml:6:13: '2026Q5' is no quarter"), "{}", error(&quarter));
    }

    #[test]
    fn one_thing_at_different_times_is_two_rows() {
        let later = RUN.replace("2026-02-01", "2026-06-01");
        let text = format!("{HEAD}{RUN}end = 2026-05-31\n{later}");
        assert_eq!(
            parse_filer(Path::new("x/f.toml"), text).unwrap().activities[1].file,
            Path::new("x/a.toml")
        );
    }
}

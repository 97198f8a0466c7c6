//! Training files in TOML, kind `training/1`.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::run::{Model, Modified, Phase, PhaseKind, Published, Recompute, Run, Usage};
use super::{Sacct, Three};
use crate::cluster::{
    Declared, DeviceFigures, DeviceTable, Number, Together, optional_date, refuse_long_floats,
};
use crate::files::{FileError, TEXT_LIMIT, parse_toml, read_text};
use crate::precision::Precision;
use crate::units::Decimal;

/// A training run as its file states it.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// `flopgauge.training/1`.
    #[serde(rename = "format")]
    _format: String,
    /// What is trained.
    #[schemars(with = "Option<ModelTable>")]
    model: Option<Spanned<ModelTable>>,
    /// Parts of the training.
    #[serde(default)]
    phase: Vec<PhaseTable>,
    /// Devices at work.
    #[serde(default)]
    #[schemars(with = "Vec<UsageTable>")]
    usage: Vec<Spanned<UsageTable>>,
    /// Devices whose peaks are declared here.
    #[serde(default)]
    device: Vec<DeviceTable>,
    /// Somebody's figure for the whole.
    #[schemars(with = "Option<PublishedTable>")]
    published: Option<Spanned<PublishedTable>>,
    /// Training files of the models that this one starts from, relative to this file.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    lineage: Vec<Spanned<String>>,
    /// The model of somebody else that this run modifies.
    #[schemars(with = "Option<OriginalTable>")]
    original: Option<Spanned<OriginalTable>>,
    /// Cost of the compute, in US dollars.
    compute_cost_usd: Option<Number>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ModelTable {
    #[serde(default)]
    name: String,
    #[schemars(with = "Number")]
    parameters: Spanned<Number>,
    #[schemars(with = "Option<Number>")]
    active_parameters: Option<Spanned<Number>>,
    /// Of the active parameters, the input embedding table.
    #[schemars(with = "Option<Number>")]
    embedding_parameters: Option<Spanned<Number>>,
    layers: Option<Number>,
    d_model: Option<Number>,
    sequence_length: Option<Number>,
    /// Whether attention is causal, which halves its operations.
    #[serde(default)]
    causal: bool,
    /// Whether it is a language model; unstated utilisation depends on it.
    #[serde(default = "yes")]
    language: bool,
    /// Whether the training data are primarily biological sequences.
    #[serde(default)]
    primarily_biological: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct PhaseTable {
    #[schemars(with = "PhaseKind")]
    kind: Spanned<PhaseKind>,
    tokens: Number,
    epochs: Option<Number>,
    /// Tokens generated for reinforcement learning; as many as are trained on where it is not stated.
    rollout_tokens: Option<Number>,
    /// Tokens of segments whose weights did not survive.
    failed_tokens: Option<Number>,
    #[serde(default)]
    recompute: Recompute,
    /// Whether generated data are publicly accessible.
    #[serde(default)]
    publicly_accessible: bool,
    precision: Option<Precision>,
    #[serde(default, deserialize_with = "optional_date")]
    #[schemars(with = "Option<String>")]
    start: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    #[schemars(with = "Option<String>")]
    end: Option<Date>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct UsageTable {
    #[schemars(with = "String")]
    device: Spanned<String>,
    #[schemars(with = "Option<Number>")]
    device_hours: Option<Spanned<Number>>,
    precision: Option<Precision>,
    #[schemars(with = "Option<Utilisation>")]
    utilisation: Option<Spanned<Utilisation>>,
}

/// A fraction of the dense peak.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
enum Utilisation {
    /// From low to high.
    Between([Number; 2]),
    /// `"profile"`, or one value.
    Text(String),
    /// One value.
    Value(Number),
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct PublishedTable {
    low: Option<Number>,
    best: Number,
    high: Option<Number>,
    source: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct OriginalTable {
    /// Its operations, or their range.
    operations: Option<OneOrTwo>,
    /// Whether it is a model with systemic risk, where its operations are unknown.
    systemic_risk: Option<bool>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
enum OneOrTwo {
    Two([Number; 2]),
    One(Number),
}

/// The run of the TOML file at `path`; `sacct` stands for the device hours of its one usage without them.
///
/// Errors: [`FileError`] with file, line, column and key.
pub fn read_run(path: &Path, devices: &dyn DeviceFigures, sacct: Option<&Sacct>) -> Result<Run, FileError> {
    read_with(path, devices, sacct, &mut Vec::new())
}

fn read_with(
    path: &Path,
    devices: &dyn DeviceFigures,
    sacct: Option<&Sacct>,
    open: &mut Vec<PathBuf>,
) -> Result<Run, FileError> {
    let name = path.display().to_string();
    let text = read_text(path, TEXT_LIMIT)?;
    let content: RunFile = parse_toml(&name, &text, "training/1")?;
    refuse_long_floats(&name, &text)?;
    let same = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    open.push(same(path));
    let file = Reading { name: &name, text: &text };
    let mut lineage = Vec::new();
    for entry in &content.lineage {
        let next = path.with_file_name(entry.get_ref());
        if open.contains(&same(&next)) {
            let message =
                format!("lineage: {} is already being read; a lineage may not lead back", next.display());
            return Err(file.at(entry.span().start, message));
        }
        lineage.push(read_with(&next, devices, None, open)?);
    }
    open.pop();
    let mut run = file.run(&content, devices, sacct)?;
    run.lineage = lineage;
    Ok(run)
}

struct Reading<'a> {
    name: &'a str,
    text: &'a str,
}

impl Reading<'_> {
    fn at(&self, offset: usize, message: String) -> FileError {
        FileError::content_at(self.name, self.text, offset, message)
    }

    fn run(
        &self,
        content: &RunFile,
        devices: &dyn DeviceFigures,
        sacct: Option<&Sacct>,
    ) -> Result<Run, FileError> {
        let declared = content.device.iter().map(|table| {
            crate::cluster::declared_device(table)
                .map_err(|message| self.at(table.name.span().start, message))
        });
        let declared = Declared(declared.collect::<Result<_, _>>()?);
        let together = Together(vec![&declared, devices]);
        let model = content.model.as_ref().map(|table| self.model(table)).transpose()?;
        let phases = content.phase.iter().map(|table| self.phase(table)).collect::<Result<_, _>>()?;
        let hours = Hours::of(self, content, sacct)?;
        let language = model.as_ref().is_none_or(|model| model.language);
        let mut usage = Vec::new();
        for (table, hours) in content.usage.iter().zip(hours.0) {
            usage.push(self.usage(table, hours, &together, language)?);
        }
        let mut notes = Vec::new();
        if let Some(sacct) = sacct.filter(|sacct| sacct.without_devices > 0) {
            notes.push(format!("{} of {} jobs of the export have no GPU", sacct.without_devices, sacct.jobs));
        }
        Ok(Run {
            source: self.name.to_owned(),
            model,
            phases,
            usage,
            published: content.published.as_ref().map(|table| self.published(table)).transpose()?,
            lineage: Vec::new(),
            original: content.original.as_ref().map(|table| self.original(table)).transpose()?,
            compute_cost_usd: content.compute_cost_usd.as_ref().map(|cost| cost.0.clone()),
            notes,
        })
    }

    fn model(&self, table: &Spanned<ModelTable>) -> Result<Model, FileError> {
        let stated = table.get_ref();
        let whole = |key: &str, number: &Spanned<Number>| {
            let value = number.get_ref().whole("parameters");
            let value = value.map_err(|error| self.at(number.span().start, format!("{key}: {error}")))?;
            let zero = || self.at(number.span().start, format!("{key}: 0 parameters"));
            if value == 0 { Err(zero()) } else { Ok(value) }
        };
        let parameters = whole("parameters", &stated.parameters)?;
        let active = stated.active_parameters.as_ref();
        let active_parameters = active.map_or(Ok(parameters), |number| whole("active_parameters", number))?;
        let embedding = stated.embedding_parameters.as_ref();
        let embedding_parameters = embedding.map_or(Ok(0), |number| whole("embedding_parameters", number))?;
        if let Some(number) = active.filter(|_| active_parameters > parameters) {
            return Err(self.at(number.span().start, "active_parameters: more than parameters".to_owned()));
        }
        if let Some(number) = embedding.filter(|_| embedding_parameters >= active_parameters) {
            let message = "embedding_parameters: not less than the active parameters".to_owned();
            return Err(self.at(number.span().start, message));
        }
        let sizes = [&stated.layers, &stated.d_model, &stated.sequence_length];
        let attention_size = sizes.into_iter().try_fold(Decimal::from_integer(1), |product, size| {
            size.as_ref().map(|size| product.times(&size.0))
        });
        Ok(Model {
            name: stated.name.clone(),
            parameters,
            active_parameters,
            embedding_parameters,
            attention_size,
            causal: stated.causal,
            language: stated.language,
            biological: stated.primarily_biological,
        })
    }

    fn phase(&self, table: &PhaseTable) -> Result<Phase, FileError> {
        let at = |message: &str| self.at(table.kind.span().start, message.to_owned());
        let once = Number(Decimal::from_integer(1));
        let tokens = table.tokens.0.times(&table.epochs.as_ref().unwrap_or(&once).0);
        if table.start.zip(table.end).is_some_and(|(start, end)| end < start) {
            return Err(at("end: before start"));
        }
        let kind = *table.kind.get_ref();
        if table.rollout_tokens.is_some() && kind != PhaseKind::ReinforcementLearning {
            return Err(at("rollout_tokens: only reinforcement learning has rollouts"));
        }
        let stated = |number: &Option<Number>| number.as_ref().map(|number| number.0.clone());
        Ok(Phase {
            kind,
            rollout_tokens: stated(&table.rollout_tokens).unwrap_or_else(|| tokens.clone()),
            failed_tokens: stated(&table.failed_tokens).unwrap_or_else(|| Decimal::from_integer(0)),
            tokens,
            recompute: table.recompute,
            publicly_accessible: table.publicly_accessible,
            precision: table.precision,
            start: table.start,
            end: table.end,
        })
    }

    fn published(&self, table: &Spanned<PublishedTable>) -> Result<Published, FileError> {
        let stated = table.get_ref();
        let or_best = |number: &Option<Number>| number.as_ref().unwrap_or(&stated.best).0.clone();
        let operations =
            Three { low: or_best(&stated.low), best: stated.best.0.clone(), high: or_best(&stated.high) };
        if operations.low > operations.best || operations.best > operations.high {
            return Err(
                self.at(table.span().start, "published: low, best and high are out of order".to_owned())
            );
        }
        Ok(Published { operations, source: stated.source.clone() })
    }

    fn original(&self, table: &Spanned<OriginalTable>) -> Result<Modified, FileError> {
        let at = |message: &str| self.at(table.span().start, message.to_owned());
        match (&table.get_ref().operations, table.get_ref().systemic_risk) {
            (Some(OneOrTwo::One(number)), _) => {
                Ok(Modified::Known { low: number.0.clone(), high: number.0.clone() })
            }
            (Some(OneOrTwo::Two([low, high])), _) if low.0 <= high.0 => {
                Ok(Modified::Known { low: low.0.clone(), high: high.0.clone() })
            }
            (Some(OneOrTwo::Two(_)), _) => Err(at("operations: the low end is above the high end")),
            (None, Some(systemic_risk)) => Ok(Modified::Unknown { systemic_risk }),
            (None, None) => Err(at("original: give operations, or systemic_risk where they are unknown")),
        }
    }

    fn usage(
        &self,
        table: &Spanned<UsageTable>,
        hours: Worked,
        devices: &dyn DeviceFigures,
        language: bool,
    ) -> Result<Usage, FileError> {
        let stated = table.get_ref();
        let at = |offset: usize, message: String| self.at(offset, message);
        let device = stated.device.get_ref();
        let unknown =
            |error: crate::cluster::FiguresError| at(stated.device.span().start, format!("device: {error}"));
        let figures = crate::cluster::figures_of(devices, device).map_err(unknown)?;
        crate::cluster::Rates::of(&figures).map_err(unknown)?;
        let precision = stated.precision.unwrap_or(Precision::Bf16);
        let peak = crate::cluster::best_peak(&figures, precision).ok_or_else(|| {
            at(stated.device.span().start, format!("precision: '{device}' has no dense peak in {precision}"))
        })?;
        let peak = Decimal::from_integer(peak.rate_op_per_s.get());
        let utilisation = super::utilisation::Utilised {
            peak: &peak,
            sustained: figures.sustained.get(&precision).copied(),
            language,
        };
        let place = stated.utilisation.as_ref().map_or_else(|| table.span().start, |u| u.span().start);
        let (rate, how) = match stated.utilisation.as_ref().map(Spanned::get_ref) {
            None => Ok(utilisation.unknown()),
            Some(Utilisation::Text(text)) if text == "profile" => utilisation.by_profile(device),
            Some(Utilisation::Text(text)) => {
                let value = text.parse().map_err(|error: crate::units::UnitError| error.to_string());
                value.and_then(|value| utilisation.between(&value, &value))
            }
            Some(Utilisation::Value(value)) => utilisation.between(&value.0, &value.0),
            Some(Utilisation::Between([low, high])) => utilisation.between(&low.0, &high.0),
        }
        .map_err(|message| at(place, format!("utilisation: {message}")))?;
        Ok(Usage {
            device: figures.name.clone(),
            precision,
            seconds: hours.seconds,
            failed_seconds: hours.failed_seconds,
            rate,
            basis: format!("{precision} peak {peak}, {how}"),
            dates: hours.dates,
        })
    }
}

#[derive(Debug)]
struct Worked {
    seconds: Decimal,
    failed_seconds: Decimal,
    dates: Option<(Date, Date)>,
}

/// Device seconds of each usage.
struct Hours(Vec<Worked>);

impl Hours {
    fn of(file: &Reading<'_>, content: &RunFile, sacct: Option<&Sacct>) -> Result<Self, FileError> {
        let without = content.usage.iter().filter(|usage| usage.get_ref().device_hours.is_none()).count();
        if sacct.is_some() && without != 1 {
            let message = format!(
                "usage: the export needs one [[usage]] without device_hours, and there are {without}"
            );
            let first = content.usage.first().map_or(0, |usage| usage.span().start);
            return Err(file.at(first, message));
        }
        let mut found = Vec::new();
        for usage in &content.usage {
            let worked = match (&usage.get_ref().device_hours, sacct) {
                (Some(hours), _) => Worked {
                    seconds: hours.get_ref().0.times(&Decimal::from_integer(3600)),
                    failed_seconds: Decimal::from_integer(0),
                    dates: None,
                },
                (None, Some(sacct)) => Worked {
                    seconds: Decimal::from_integer(sacct.seconds),
                    failed_seconds: Decimal::from_integer(sacct.failed_seconds),
                    dates: sacct.dates,
                },
                (None, None) => {
                    let message =
                        "device_hours: missing; give them, or an export with --sacct FILE".to_owned();
                    return Err(file.at(usage.span().start, message));
                }
            };
            found.push(worked);
        }
        Ok(Self(found))
    }
}

//! Training files in TOML, kind `training/1`.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use toml::Spanned;

use super::run::{Model, Modified, Phase, PhaseKind, Published, Run, Usage};
use super::run_tables::{
    ModelTable, OneOrTwo, OriginalTable, PhaseTable, PublishedTable, RunFile, UsageTable, Utilisation,
};
use super::{Sacct, Three};
use crate::cluster::{Declared, DeviceFigures, Number, Together, refuse_long_floats};
use crate::files::{FileError, TEXT_LIMIT, parse_toml, read_text};
use crate::precision::Precision;
use crate::units::Decimal;

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
        let parameters = self.count("parameters", &stated.parameters)?;
        let active = stated.active_parameters.as_ref();
        let active_parameters = active
            .map_or_else(|| Ok(parameters.clone()), |number| self.count("active_parameters", number))?;
        if let Some(number) = active.filter(|_| active_parameters.high > parameters.high) {
            return Err(self.at(number.span().start, "active_parameters: more than parameters".to_owned()));
        }
        let without_embedding = match &stated.embedding_parameters {
            None => active_parameters.clone(),
            Some(number) => {
                let less = |end: &Decimal| end.minus(&number.get_ref().0).filter(|left| !left.is_zero());
                let ends =
                    [&active_parameters.low, &active_parameters.best, &active_parameters.high].map(less);
                let [Some(low), Some(best), Some(high)] = ends else {
                    let message = "embedding_parameters: not less than the active parameters".to_owned();
                    return Err(self.at(number.span().start, message));
                };
                Three { low, best, high }
            }
        };
        let sizes = [&stated.layers, &stated.d_model, &stated.sequence_length];
        let attention_size = sizes.into_iter().try_fold(Decimal::from_integer(1), |product, size| {
            size.as_ref().map(|size| product.times(&size.0))
        });
        Ok(Model {
            name: stated.name.clone(),
            sparse: active_parameters.high < parameters.high,
            parameters,
            active_parameters,
            without_embedding,
            attention_size,
            causal: stated.causal,
            language: stated.language,
            biological: stated.primarily_biological,
        })
    }

    /// A whole number of parameters above zero, or a range of them.
    fn count(&self, key: &str, number: &Spanned<OneOrTwo>) -> Result<Three, FileError> {
        let at = |message: String| self.at(number.span().start, format!("{key}: {message}"));
        let range = number.get_ref().three().map_err(|message| at(message.to_owned()))?;
        for end in [&range.low, &range.high] {
            if end.to_integer("parameters").map_err(|error| at(error.to_string()))? == 0 {
                return Err(at("0 parameters".to_owned()));
            }
        }
        Ok(range)
    }

    fn phase(&self, table: &PhaseTable) -> Result<Phase, FileError> {
        let at = |message: &str| self.at(table.kind.span().start, message.to_owned());
        let once = Number(Decimal::from_integer(1));
        let tokens = table.tokens.get_ref().three();
        let tokens =
            tokens.map_err(|message| self.at(table.tokens.span().start, format!("tokens: {message}")))?;
        let tokens = tokens.times(&Three::exactly(&table.epochs.as_ref().unwrap_or(&once).0));
        if table.start.zip(table.end).is_some_and(|(start, end)| end < start) {
            return Err(at("end: before start"));
        }
        let kind = *table.kind.get_ref();
        if table.rollout_tokens.is_some() && kind != PhaseKind::ReinforcementLearning {
            return Err(at("rollout_tokens: only reinforcement learning has rollouts"));
        }
        let stated = |number: &Option<Number>| number.as_ref().map(|number| Three::exactly(&number.0));
        Ok(Phase {
            kind,
            rollout_tokens: stated(&table.rollout_tokens).unwrap_or_else(|| tokens.clone()),
            failed_tokens: stated(&table.failed_tokens).unwrap_or_else(Three::zero),
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
            Some(Utilisation::Profile) => utilisation.by_profile(device),
            Some(Utilisation::Fraction(OneOrTwo::One(value))) => utilisation.between(&value.0, &value.0),
            Some(Utilisation::Fraction(OneOrTwo::Two([low, high]))) => utilisation.between(&low.0, &high.0),
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

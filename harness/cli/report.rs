//! `flopgauge report RECORDS… -o FILE`.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{CliError, Exit, Output};
use crate::accept::Fleet;
use crate::files::{FileError, TEXT_LIMIT, parse_json, read_text, write_atomically};
use crate::profile::Profiles;
use crate::record::{ENVIRONMENT, MEASUREMENTS, Record, Row};
use crate::report::{Chart, Material, Named, markdown, page};
use crate::threshold::{ClusterDetermination, TrainingDetermination};

/// Make a report of records: one self-contained HTML page, Markdown, CSV or SVG.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge report results/2026-11-24-h100 -o report.html\n  \
    flopgauge report results/* --format markdown\n  \
    flopgauge report results/2026-11-24-h100 --format svg -o charts/\n  \
    flopgauge report results/2026-11-24-h100 --format svg --chart figures > figures.svg\n  \
    flopgauge report --fleet fleet.json -o fleet.html\n  \
    flopgauge cluster halls.toml --json > cluster.json && flopgauge report --cluster cluster.json -o cluster.html")]
pub struct Args {
    /// Record directories, as flopgauge measure wrote them.
    #[arg(value_name = "RECORDS", required_unless_present_any = ["profiles", "fleets", "clusters", "trainings"])]
    records: Vec<PathBuf>,
    /// Calibrated profile to name in the provenance; repeatable.
    #[arg(long = "profile", value_name = "FILE")]
    profiles: Vec<PathBuf>,
    /// Fleet file, fleet.json of flopgauge collect; repeatable.
    #[arg(long = "fleet", value_name = "FILE")]
    fleets: Vec<PathBuf>,
    /// What the rules say of a cluster, from flopgauge cluster --json; repeatable.
    #[arg(long = "cluster", value_name = "FILE")]
    clusters: Vec<PathBuf>,
    /// What the rules say of a training run, from flopgauge training --json; repeatable.
    #[arg(long = "training", value_name = "FILE")]
    trainings: Vec<PathBuf>,
    /// File to write, - for standard output; with --format svg and no --chart, a directory for one file per chart.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Format; without it the one that the ending of -o names, else html.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// With svg or csv, only this chart: its kind, as figures, or its identifier, as figures-1.
    #[arg(long, value_name = "NAME")]
    chart: Option<String>,
    /// Heading of the page; without it, what the devices deliver, or what the first other file is of.
    #[arg(long)]
    title: Option<String>,
}

/// A format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A page with charts.
    Html,
    /// Findings, figures and provenance.
    Markdown,
    /// The rows of summary.csv, or the data of a chart.
    Csv,
    /// Drawings.
    Svg,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let material = read(args)?;
    let title = args.title.clone().unwrap_or_else(|| material.title());
    let format = args.format.unwrap_or_else(|| by_ending(args.out.as_deref()));
    if args.chart.is_some() && matches!(format, Format::Html | Format::Markdown) {
        return Err(CliError::Usage("--chart goes with --format svg or csv".to_owned()));
    }
    let text = match (format, &args.chart) {
        (Format::Html, _) => page(&material, &title).map_err(|error| CliError::Defect(error.to_string()))?,
        (Format::Markdown, _) => markdown(&material, &title),
        (Format::Csv, None) => rows(&material)?,
        (Format::Csv, Some(name)) => data(&one(&material, name)?)?,
        (Format::Svg, Some(name)) => {
            let chart = one(&material, name)?;
            let why = || {
                CliError::Usage(format!(
                    "there is no drawing of {name}: {}",
                    chart.absent.clone().unwrap_or_default()
                ))
            };
            chart.file().ok_or_else(why)?
        }
        (Format::Svg, None) => return drawings(args, &material, output),
    };
    let out = args.out.as_deref().filter(|out| *out != Path::new("-"));
    let Some(out) = out else {
        output.result(&text)?;
        return Ok(Exit::Done);
    };
    write_atomically(out, text.as_bytes())?;
    output.note(&format!("report written to {}", out.display()));
    Ok(Exit::Done)
}

fn by_ending(out: Option<&Path>) -> Format {
    match out.and_then(Path::extension).and_then(|ending| ending.to_str()) {
        Some("md" | "markdown") => Format::Markdown,
        Some("csv") => Format::Csv,
        Some("svg") => Format::Svg,
        _ => Format::Html,
    }
}

fn read(args: &Args) -> Result<Material, CliError> {
    let mut material = Material::default();
    for path in &args.records {
        let value = Record::read(path)?;
        let mut hasher = Sha256::new();
        for file in [MEASUREMENTS, ENVIRONMENT] {
            hasher.update(read_text(&path.join(file), TEXT_LIMIT)?);
        }
        material.records.push(Named {
            name: path.display().to_string(),
            sha256: hexadecimal(&hasher.finalize()),
            value,
        });
    }
    for path in &args.profiles {
        let value = Profiles::read(path)?;
        let sha256 = hexadecimal(&Sha256::digest(read_text(path, TEXT_LIMIT)?));
        material.profiles.push(Named { name: path.display().to_string(), sha256, value });
    }
    material.fleets = files(&args.fleets, Fleet::KIND)?;
    material.clusters = files(&args.clusters, ClusterDetermination::KIND)?;
    material.trainings = files(&args.trainings, TrainingDetermination::KIND)?;
    once(&material.records)?;
    once(&material.profiles)?;
    once(&material.fleets)?;
    once(&material.clusters)?;
    once(&material.trainings)?;
    Ok(material)
}

/// Refuses what is given twice: it would look like two runs.
fn once<T>(all: &[Named<T>]) -> Result<(), CliError> {
    for (at, one) in all.iter().enumerate() {
        if let Some(other) = all.iter().skip(at + 1).find(|other| other.sha256 == one.sha256) {
            let (one, other) = (&one.name, &other.name);
            let message =
                format!("{one} and {other} hold the same, which counts once: leave one of them out");
            return Err(CliError::Usage(message));
        }
    }
    Ok(())
}

/// JSON files of one kind, each read once and strictly.
fn files<T: DeserializeOwned>(paths: &[PathBuf], kind: &'static str) -> Result<Vec<Named<T>>, CliError> {
    let one = |path: &PathBuf| {
        let (name, text) = (path.display().to_string(), read_text(path, TEXT_LIMIT)?);
        let value = parse_json(&name, &text, kind)?;
        Ok(Named { name, sha256: hexadecimal(&Sha256::digest(text)), value })
    };
    paths.iter().map(one).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn one(material: &Material, name: &str) -> Result<Chart, CliError> {
    let charts = material.charts();
    let found = charts.iter().find(|chart| chart.id == name || chart.kind == name).cloned();
    found.ok_or_else(|| {
        let known: Vec<_> = charts.iter().map(|chart| chart.id.as_str()).collect();
        CliError::Usage(format!("there is no chart '{name}'; one of {}", known.join(", ")))
    })
}

fn rows(material: &Material) -> Result<String, CliError> {
    let measurements = material.records.iter().flat_map(|record| &record.value.measurements);
    csv_text(|writer| measurements.map(Row::of).try_for_each(|row| writer.serialize(row)))
}

fn data(chart: &Chart) -> Result<String, CliError> {
    csv_text(|writer| {
        writer.write_record(&chart.table.header)?;
        chart.table.rows.iter().try_for_each(|row| writer.write_record(row))
    })
}

fn csv_text(
    fill: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> Result<(), csv::Error>,
) -> Result<String, CliError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let defect = |error: &dyn std::fmt::Display| CliError::Defect(error.to_string());
    fill(&mut writer).map_err(|error| defect(&error))?;
    let bytes = writer.into_inner().map_err(|error| defect(&error))?;
    let mut inert = csv::Writer::from_writer(Vec::new());
    for row in csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice()).records() {
        let row = row.map_err(|error| defect(&error))?;
        inert.write_record(row.iter().map(text)).map_err(|error| defect(&error))?;
    }
    let bytes = inert.into_inner().map_err(|error| defect(&error))?;
    String::from_utf8(bytes).map_err(|error| defect(&error))
}

/// A cell that no spreadsheet takes for a formula: before what begins like one, an apostrophe.
///
/// Source: OWASP, CSV injection.
fn text(cell: &str) -> String {
    let is_number = cell == "-" || cell.parse::<f64>().is_ok();
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// One file per chart that has a drawing.
fn drawings(args: &Args, material: &Material, output: &Output) -> Result<Exit, CliError> {
    let Some(folder) = args.out.as_deref().filter(|out| *out != Path::new("-")) else {
        return Err(CliError::Usage(
            "--format svg needs -o DIRECTORY, or --chart NAME for one drawing".to_owned(),
        ));
    };
    let failed = |source| FileError::Write { path: folder.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    for chart in material.charts() {
        match chart.file() {
            Some(svg) => {
                let path = folder.join(format!("{}.svg", chart.id));
                write_atomically(&path, svg.as_bytes())?;
                output.note(&format!("chart written to {}", path.display()));
            }
            None => output.note(&format!("{} is not drawn: {}", chart.id, chart.absent.unwrap_or_default())),
        }
    }
    Ok(Exit::Done)
}

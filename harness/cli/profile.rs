//! `flopgauge profile RECORDS… -o FILE`.

use std::path::{Path, PathBuf};

use super::{CliError, Exit, Output};
use crate::files::{FileError, write_atomically};
use crate::profile::{Profiles, Source, calibrate, check};
use crate::report::profile_table;
use crate::workload::Distribution;

/// Make calibrated device profiles from records: theoretical, issue and sustained rate per precision.
///
/// Only verified, steady and undisturbed cases of real hardware become a figure; every other line is refused by a
/// named rule. Figures of different identity are never averaged: the sustained rate is that of the fastest verified
/// identity, which is named.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge profile results/2026-11-24-h100 -o h100.json\n  \
    flopgauge profile results/* -o profiles/\n  flopgauge profile results/2026-11-24-h100 --json | jq '.profiles[0]'\n  \
    flopgauge profile --check h100.json results/2026-11-24-h100\n\n\
    Exit codes: 0 done, 2 an input file is wrong or was edited, 3 nothing could be calibrated, or a record is missing.")]
pub struct Args {
    /// Record directories, as flopgauge measure wrote them.
    #[arg(value_name = "RECORDS", required_unless_present = "check")]
    records: Vec<PathBuf>,
    /// File for the profiles, - for standard output; a directory (there already, or with a / at its end) gets a file
    /// per model.
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["check", "json"], conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Distribution of the operands that the sustained figures are for; others are never mixed in.
    #[arg(long, default_value = "normal", conflicts_with = "check")]
    input: Distribution,
    /// Check a file of profiles against its records instead: every byte by hash, then every figure. Without RECORDS
    /// they are looked for where they were.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// Print JSON, kind profile/1.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    if let Some(file) = &args.check {
        return checked(file, args, output);
    }
    let sources = args.records.iter().map(|path| Source::read(path)).collect::<Result<Vec<_>, _>>()?;
    let profiles = calibrate(&sources, args.input)?;
    for refusal in &profiles.refused {
        output.note(&format!("refused {refusal}"));
    }
    if profiles.profiles.is_empty() {
        let lines = profiles.refused.len();
        output.note(&format!("nothing could be calibrated: {lines} lines refused, no file written"));
        return Ok(Exit::Inconclusive);
    }
    let to_stdout = args.out.as_deref() == Some(Path::new("-"));
    if let Some(out) = args.out.as_deref().filter(|_| !to_stdout) {
        for path in write(&profiles, out)? {
            output.note(&format!("profile written to {}", path.display()));
        }
    }
    show(&profiles, args.json || to_stdout, output)?;
    Ok(Exit::Done)
}

fn checked(file: &Path, args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let profiles = Profiles::read(file)?;
    check(&profiles, &file.display().to_string(), &args.records)?;
    output.note(&format!(
        "{}: {} records, every hash and figure as made",
        file.display(),
        profiles.records.len()
    ));
    show(&profiles, args.json, output)?;
    Ok(Exit::Done)
}

fn show(profiles: &Profiles, json: bool, output: &mut Output) -> Result<(), CliError> {
    if json { output.json(profiles) } else { output.text(&profile_table(profiles, output.width())) }
}

/// Writes one file, or one per model into a directory.
fn write(profiles: &Profiles, out: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |path: &Path, source| FileError::Write { path: path.display().to_string(), source };
    let folder = out.is_dir() || out.as_os_str().as_encoded_bytes().ends_with(b"/");
    let mut files: Vec<(PathBuf, Profiles)> = Vec::new();
    if folder {
        std::fs::create_dir_all(out).map_err(|source| failed(out, source))?;
        for one in profiles.split() {
            let path = free_name(out, &one, &files);
            files.push((path, one));
        }
    } else {
        files.push((out.to_owned(), profiles.clone()));
    }
    for (path, one) in &files {
        let text = one.to_text().map_err(|error| failed(path, error.into()))?;
        write_atomically(path, text.as_bytes())?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// `<model>-<backend>.json`, with a number for a second one of that name, as a slice of the same part has.
fn free_name(folder: &Path, profiles: &Profiles, taken: &[(PathBuf, Profiles)]) -> PathBuf {
    let texts = profiles.profiles.iter().flat_map(|p| [p.device.model.as_str(), p.device.backend.as_str()]);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
    let name: String = texts.collect::<Vec<_>>().join(" ").chars().map(plain).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join("-");
    let numbered = |number: usize| match number {
        1 => folder.join(format!("{name}.json")),
        _ => folder.join(format!("{name}-{number}.json")),
    };
    let free = |path: &PathBuf| !taken.iter().any(|(known, _)| known == path);
    (1..=taken.len() + 1).map(numbered).find(free).unwrap_or_default()
}

//! `flopgauge filing packet`.

use std::path::PathBuf;

use super::{Choices, notices, prepare};
use crate::cli::{CliError, Exit, Output};
use crate::filing::{Material, Packet, PacketFiles, Quarter, assemble, read_packet};

/// The packet of a quarter: packet.json, packet.html to print, questions.toml to fill in, deadlines.ics.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge filing packet filer.toml --quarter 2026Q1 --out 2026Q1\n  \
    flopgauge filing packet filer.toml --quarter 2026Q2 --previous 2026Q1 --out 2026Q2\n\n\
    Answers in a questions.toml that stands in the directory are kept.")]
pub struct Args {
    /// Filer file in TOML, `-` for standard input.
    filer: PathBuf,
    /// Quarter of the notice, as 2026Q1.
    #[arg(long, value_name = "QUARTER")]
    quarter: Quarter,
    /// Directory for the files.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Packet before this one: its packet.json, or the directory that holds it. Of the same quarter, this one corrects it.
    #[arg(long, value_name = "PACKET")]
    previous: Option<PathBuf>,
    /// Calibrated profile whose devices may be named; repeatable.
    #[arg(long = "profile", value_name = "FILE")]
    profiles: Vec<PathBuf>,
    #[command(flatten)]
    choices: Choices,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let prepared = prepare(&args.filer, &args.profiles, &args.choices, Some(args.quarter))?;
    let previous = args.previous.as_deref().map(read_packet).transpose()?;
    let material = Material {
        filer: &prepared.filer,
        judged: &prepared.judged,
        plan: &prepared.plan,
        schedule: prepared.schedule(),
        previous: previous.as_ref(),
    };
    let packet = assemble(&material, args.quarter)?;
    let files = PacketFiles::of(&prepared.rule, &packet, &prepared.plan, &args.out)?;
    let written = files.write(&args.out)?;
    if args.choices.json {
        output.json(&packet)?;
    } else {
        output.text(&text(&packet, &written))?;
    }
    Ok(Exit::Done)
}

fn text(packet: &Packet, written: &[PathBuf]) -> String {
    let mut text = format!(
        "{} for {}, due {}: {} activities, {} corrections, {} changes\n",
        match packet.filing.kind {
            crate::filing::FilingKind::Notification => "notification",
            crate::filing::FilingKind::AffirmationNoActivity => "affirmation of no applicable activities",
            crate::filing::FilingKind::Correction => "correction",
        },
        packet.filing.quarter,
        packet.filing.due_date,
        packet.activity.len(),
        packet.correction.len(),
        packet.changes.len()
    );
    for activity in &packet.activity {
        text.push_str(&format!("  {}: {}\n", activity.name, activity.why));
    }
    for change in packet.changes.iter().filter(|change| change.corrects) {
        text.push_str(&format!("  a correction is drafted: {}, {}\n", change.activity, change.field));
    }
    for path in written {
        text.push_str(&format!("{}\n", path.display()));
    }
    text.push('\n');
    text.push_str(&notices(&packet.filing.standing));
    text
}

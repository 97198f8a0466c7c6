//! `flopgauge schema KIND`.

use schemars::schema_for;

use super::{CliError, Exit, Output};
use crate::backend::scripted::Script;
use crate::profile::Profiles;
use crate::record::{Environment, Measurement, Summary};
use crate::report::DeviceList;
use crate::threshold::{ClusterDetermination, TrainingDetermination};

/// Print the JSON Schema of a kind of file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  flopgauge schema measurement > measurement.schema.json")]
pub struct Args {
    /// Kind of file; without one, the kinds are listed.
    kind: Option<String>,
}

/// A kind of file: its name with version, and its schema.
type Kind = (&'static str, fn() -> schemars::Schema);

/// Every kind of file that is written or read, in alphabetical order.
const KINDS: &[Kind] = &[
    (crate::accept::Spec::KIND, || schema_for!(crate::accept::Spec)),
    (crate::accept::Baseline::KIND, || schema_for!(crate::accept::Baseline)),
    ("catalogue-check/1", || schema_for!(super::devices::CatalogueCheck)),
    ("chip-determination/1", || schema_for!(crate::chip::Determination)),
    (crate::measure::Choices::KIND, || schema_for!(crate::measure::Choices)),
    (ClusterDetermination::KIND, || schema_for!(ClusterDetermination)),
    ("cluster/1", || schema_for!(crate::cluster::ClusterFile)),
    ("comparison/1", || schema_for!(crate::compare::Comparison)),
    ("derived-peaks/1", || schema_for!(super::devices::DerivedPeaks)),
    ("device-catalogue/1", || schema_for!(super::devices::CatalogueListing)),
    (DeviceList::KIND, || schema_for!(DeviceList)),
    ("dual-use-result/1", || schema_for!(super::filing::DualUseResult)),
    ("dual-use/1", || schema_for!(crate::filing::DualUseFile)),
    (Environment::KIND, || schema_for!(Environment)),
    ("filer/1", || schema_for!(crate::filing::FilerFile)),
    ("filing-dates/1", || schema_for!(super::filing::Dates)),
    ("filing-packet/1", || schema_for!(crate::filing::Packet)),
    ("filing-plan/1", || schema_for!(crate::filing::Plan)),
    ("filing-questions/1", || schema_for!(crate::filing::Questions)),
    (crate::accept::Fleet::KIND, || schema_for!(crate::accept::Fleet)),
    (Measurement::KIND, || schema_for!(Measurement)),
    (Profiles::KIND, || schema_for!(Profiles)),
    (crate::accept::Started::KIND, || schema_for!(crate::accept::Started)),
    (crate::accept::NodeFile::KIND, || schema_for!(crate::accept::NodeFile)),
    ("rules/1", || schema_for!(super::rules::Listing)),
    (Script::KIND, || schema_for!(Script)),
    (Summary::KIND, || schema_for!(Summary)),
    (TrainingDetermination::KIND, || schema_for!(TrainingDetermination)),
    ("training/1", || schema_for!(crate::training::RunFile)),
];

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let Some(kind) = &args.kind else {
        for (name, _) in KINDS {
            output.result(&format!("{name}\n"))?;
        }
        return Ok(Exit::Done);
    };
    let found = KINDS.iter().find(|(name, _)| name == kind || name.split('/').next() == Some(kind));
    let Some((name, schema)) = found else {
        let known: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
        return Err(CliError::Usage(format!("unknown kind '{kind}'; one of {}", known.join(", "))));
    };
    let mut schema = schema();
    schema.insert("$id".to_owned(), format!("flopgauge.{name}").into());
    output.json(&schema)?;
    Ok(Exit::Done)
}

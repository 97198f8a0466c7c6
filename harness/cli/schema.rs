//! `flopgauge schema KIND`.

use super::{CliError, Exit, Output};

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
    ("catalogue-check/1", || schemars::schema_for!(super::devices::CatalogueCheck)),
    ("chip-determination/1", || schemars::schema_for!(crate::chip::Determination)),
    ("cluster/1", || schemars::schema_for!(crate::cluster::ClusterFile)),
    ("cluster-determination/1", || schemars::schema_for!(super::cluster::ClusterDetermination)),
    ("derived-peaks/1", || schemars::schema_for!(super::devices::DerivedPeaks)),
    ("device-catalogue/1", || schemars::schema_for!(super::devices::CatalogueListing)),
    ("rules/1", || schemars::schema_for!(super::rules::Listing)),
    ("training/1", || schemars::schema_for!(crate::training::RunFile)),
    ("training-determination/1", || schemars::schema_for!(super::training::TrainingDetermination)),
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

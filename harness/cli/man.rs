//! `flopgauge man`.

use std::path::PathBuf;

use super::{CliError, Exit, Output, definition};
use crate::files::{FileError, write_atomically};

/// Print the manual page, or write one page per subcommand into a directory.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  flopgauge man | man -l -\n  flopgauge man --out /usr/local/share/man/man1"
)]
pub struct Args {
    /// Directory to write `flopgauge.1` and a page for each subcommand into.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let command = definition();
    let Some(folder) = &args.out else {
        output.result(&page(command)?)?;
        return Ok(Exit::Done);
    };
    let made = std::fs::create_dir_all(folder);
    made.map_err(|source| FileError::Write { path: folder.display().to_string(), source })?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("flopgauge-{}", sub.get_name());
        let text = page(sub.clone().name(name.clone().leak() as &str))?;
        write_atomically(&folder.join(format!("{name}.1")), text.as_bytes())?;
    }
    write_atomically(&folder.join("flopgauge.1"), page(command)?.as_bytes())?;
    Ok(Exit::Done)
}

fn page(command: clap::Command) -> Result<String, CliError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text).map_err(CliError::Output)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

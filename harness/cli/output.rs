//! Results on stdout, all else on stderr; a reader that has gone away is no failure.

use std::io::{self, IsTerminal, Write};

use super::{CliError, Exit};
use crate::report::fit;

/// Where a subcommand writes.
pub struct Output {
    stdout: Box<dyn Write>,
    closed: bool,
}

impl Output {
    /// The process' own streams.
    pub fn to_stdout() -> Self {
        Self { stdout: Box::new(io::stdout().lock()), closed: false }
    }

    /// Writes a result.
    ///
    /// A closed pipe (`| head -1`) is remembered and not an error: what was measured must still reach its files.
    pub fn result(&mut self, text: &str) -> Result<(), CliError> {
        if self.closed {
            return Ok(());
        }
        match self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => {
                // What it still holds cannot be written either, and the end need not say so again.
                self.closed = other.is_err();
                other.map_err(CliError::Output)
            }
        }
    }

    /// Writes a result for a person: on a terminal no line is wider than it.
    pub fn text(&mut self, text: &str) -> Result<(), CliError> {
        self.result(&fit(text, self.width()))
    }

    /// Writes a value as indented JSON with a line end.
    pub fn json(&mut self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Output(error.into()))?;
        self.result(&format!("{text}\n"))
    }

    /// Tells the user something that is not a result.
    pub fn note(&self, text: &str) {
        // Nobody is left to tell when stderr is gone.
        let _ = writeln!(io::stderr(), "flopgauge: {text}");
    }

    /// Tells the user what went wrong.
    pub fn error(&self, error: &CliError) {
        self.note(&format!("error: {error}"));
    }

    /// Width of the terminal on stdout, as [`terminal_width`] knows it.
    pub fn width(&self) -> Option<u16> {
        terminal_width()
    }

    /// Flushes; the exit code stands unless the output itself could not be written.
    pub fn finish(mut self, exit: Exit) -> Exit {
        match self.stdout.flush() {
            Err(error) if !self.closed && error.kind() != io::ErrorKind::BrokenPipe => {
                self.error(&CliError::Output(error));
                Exit::Failed
            }
            _ => exit,
        }
    }
}

/// Width of the terminal on stdout; `None` for a file or a pipe, whose lines are as long as they are.
pub fn terminal_width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let columns = console::Term::stdout().size_checked().map(|(_, columns)| columns);
    columns.filter(|columns| *columns >= 40)
}

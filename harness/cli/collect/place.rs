//! Where the verdict on a fleet is left: four files, none of them half-written, none of them without the others.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::accept::{Collection, FLEET_FILES, Fleet, FleetNode, NodeState, Verdict, fold, is_fleet_file};
use crate::cli::CliError;
use crate::files::{FileError, write_atomically};

/// The directory of a verdict.
pub struct Place {
    directory: PathBuf,
}

impl Place {
    /// The place `directory`; only an earlier verdict may be replaced.
    ///
    /// Errors: [`CliError::Usage`] where `fleet.json` is something else, as for a node that is called `fleet`.
    pub fn of(directory: &Path) -> Result<Self, CliError> {
        let file = directory.join("fleet.json");
        if file.exists() && !is_fleet_file(&file) {
            let path = file.display();
            let other = "is no verdict on a fleet and is left as it is; give another --out";
            return Err(CliError::Usage(format!("{path} {other}")));
        }
        Ok(Self { directory: directory.to_owned() })
    }

    /// Writes all of it beside, then puts each file in its place, `fleet.json` last.
    ///
    /// Errors: [`FileError::Write`]; what was there before is then still there, unless the last step, a rename, was refused.
    pub fn leave(&self, found: &Collection) -> Result<(), CliError> {
        let failed = |path: &Path, source| FileError::Write { path: path.display().to_string(), source };
        std::fs::create_dir_all(&self.directory).map_err(|source| failed(&self.directory, source))?;
        let beside = self.directory.join(format!(".fleet.{}.part", std::process::id()));
        std::fs::create_dir_all(&beside).map_err(|source| failed(&beside, source))?;
        let written = contents(found).and_then(|contents| {
            for (name, bytes) in &contents {
                write_atomically(&beside.join(name), bytes)?;
            }
            // Nothing is put in its place before everything can be.
            let blocked =
                contents.iter().map(|(name, _)| self.directory.join(name)).find(|path| path.is_dir());
            if let Some(path) = blocked {
                return Err(failed(&path, std::io::Error::other("a directory is in the way")).into());
            }
            for (name, _) in &contents {
                let path = self.directory.join(name);
                std::fs::rename(beside.join(name), &path).map_err(|source| failed(&path, source))?;
            }
            Ok(())
        });
        // The first error is the one to tell; a temporary directory that cannot be removed changes nothing.
        let _ = std::fs::remove_dir_all(&beside);
        written
    }

    /// Lines to copy, for what is not PASS; nothing is done here.
    pub fn hints(&self, fleet: &Fleet) -> String {
        if fleet.failing_nodes.is_empty() {
            return String::new();
        }
        let path = self.directory.join("failing_nodes.txt").display().to_string();
        // Only with a slash in it does srun take it for a file.
        let path = if path.contains('/') { path } else { format!("./{path}") };
        let mut text = format!("leave them out: srun --exclude={} …\n", quoted(&path));
        for (verdict, what) in [(Verdict::Fail, "FAIL"), (Verdict::Inconclusive, "no verdict")] {
            let fits = |node: &&FleetNode| node.verdict == verdict && node.state != NodeState::Unexpected;
            let nodes: Vec<String> = fleet.nodes.iter().filter(fits).map(|node| node.node.clone()).collect();
            if !nodes.is_empty() {
                let update = format!("scontrol update nodename={} state=drain", quoted(&fold(&nodes)));
                text += &format!("drain them, if you so decide: {update} reason='flopgauge: {what}'\n");
            }
        }
        text
    }
}

/// A file of the verdict: its name and its bytes.
type Written<'a> = (&'static str, Cow<'a, [u8]>);

/// What is written, in the order of [`FLEET_FILES`].
fn contents(found: &Collection) -> Result<Vec<Written<'_>>, CliError> {
    let list = |nodes: &str| {
        let line = if nodes.is_empty() { String::new() } else { format!("{nodes}\n") };
        Cow::Owned(line.into_bytes())
    };
    let mut json = serde_json::to_vec_pretty(&found.fleet).map_err(|error| CliError::Output(error.into()))?;
    json.push(b'\n');
    let (passing, failing) = (list(&found.fleet.passing_nodes), list(&found.fleet.failing_nodes));
    let all = [Cow::Borrowed(found.table.as_slice()), passing, failing, Cow::Owned(json)];
    Ok(FLEET_FILES.into_iter().zip(all).collect())
}

/// The word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

//! Changes to a topology that a question names: links taken away, machines added.

use std::str::FromStr;

use super::topology::{MachineClass, Topology, Vertex};

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Every link between two machines, rows or switches goes.
    RemoveLink {
        /// One end.
        from: String,
        /// The other.
        to: String,
    },
    /// Machines like those of a row are added, linked as they are.
    AddMachines {
        /// How many.
        count: u64,
        /// The row; the one with the most machines that have accelerators where none is named.
        row: Option<String>,
    },
}

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Not one of the known sentences.
    #[error(
        "'{0}' is not understood; write \"remove link A B\", \"add N machines\" or \"add N machines to ROW\""
    )]
    Sentence(String),
    /// A name that the topology lacks.
    #[error("what-if: '{0}' is neither a machine nor a switch")]
    Unknown(String),
    /// Two ends without a link.
    #[error("what-if: there is no link between '{0}' and '{1}'")]
    NoLink(String, String),
    /// No row to add to.
    #[error("what-if: no row of machines has an accelerator")]
    NoRow,
    /// More than can be counted.
    #[error("what-if: too many machines in '{0}'")]
    TooMany(String),
}

impl FromStr for Change {
    type Err = ChangeError;

    fn from_str(text: &str) -> Result<Self, ChangeError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let refused = || ChangeError::Sentence(text.to_owned());
        let number = |count: &str| count.parse().ok().filter(|count| *count > 0).ok_or_else(refused);
        match words.as_slice() {
            ["remove", "link", from, to] => Ok(Self::RemoveLink { from: (*from).into(), to: (*to).into() }),
            ["add", count, "machine" | "machines"] => {
                Ok(Self::AddMachines { count: number(count)?, row: None })
            }
            ["add", count, "machine" | "machines", "to", row] => {
                Ok(Self::AddMachines { count: number(count)?, row: Some((*row).into()) })
            }
            _ => Err(refused()),
        }
    }
}

impl Change {
    /// The topology after the change.
    ///
    /// Errors: [`ChangeError`] for names and links that are not there.
    pub fn applied(&self, topology: &Topology) -> Result<Topology, ChangeError> {
        let mut changed = topology.clone();
        match self {
            Self::RemoveLink { from, to } => {
                let one = ends(&mut changed, from)?;
                let other = ends(&mut changed, to)?;
                // Splitting a machine off for the second name moves the switches of the first.
                let one = if one == other { one } else { ends(&mut changed, from)? };
                let between = |a: &Vertex, b: &Vertex| one.contains(a) && other.contains(b);
                let before = changed.links.len();
                changed.links.retain(|link| !between(&link.a, &link.b) && !between(&link.b, &link.a));
                if changed.links.len() == before {
                    return Err(ChangeError::NoLink(from.clone(), to.clone()));
                }
            }
            Self::AddMachines { count, row } => {
                let at = row_to_grow(&changed, row.as_deref())?;
                let name = changed.names.text(changed.classes[at].name);
                let class = &mut changed.classes[at];
                class.count = class.count.checked_add(*count).ok_or(ChangeError::TooMany(name))?;
            }
        }
        Ok(changed)
    }
}

fn row_to_grow(topology: &Topology, row: Option<&str>) -> Result<usize, ChangeError> {
    let classes = topology.classes.iter().enumerate();
    match row {
        Some(row) => {
            let name = topology.names.find(row.as_bytes());
            let mut named = classes.filter(|(_, class)| Some(class.name) == name);
            named.next().map(|(at, _)| at).ok_or_else(|| ChangeError::Unknown(row.to_owned()))
        }
        None => {
            let armed = classes.filter(|(_, class)| topology.build(class).accelerators > 0);
            // The first of equals, so that the answer does not depend on anything that is not in the file.
            let most = armed.rev().max_by_key(|(_, class)| class.count);
            most.map(|(at, _)| at).ok_or(ChangeError::NoRow)
        }
    }
}

/// The vertices that `text` names: a switch, a machine, a row with its split-off machines, or one machine of a row.
fn ends(topology: &mut Topology, text: &str) -> Result<Vec<Vertex>, ChangeError> {
    let unknown = || ChangeError::Unknown(text.to_owned());
    let vertices = || (0..topology.vertices()).filter_map(|at| u32::try_from(at).ok().map(Vertex));
    let mut found: Vec<Vertex> = match topology.names.find(text.as_bytes()) {
        Some(name) => {
            let named = |at: &Vertex| {
                let class = topology.class(*at).map(|class| class.name);
                class.or_else(|| topology.switch(*at).map(|switch| switch.name)) == Some(name)
            };
            vertices().filter(named).collect()
        }
        None => Vec::new(),
    };
    let is_row = found.iter().any(|at| topology.class(*at).is_some());
    let member = |name: &str| {
        let index: Option<u64> = name.strip_prefix(text)?.strip_prefix('-')?.parse().ok();
        index
    };
    if is_row || found.is_empty() {
        let single = |at: &Vertex| {
            topology.class(*at).is_some_and(|class| class.count == 1) && member(&topology.name(*at)).is_some()
        };
        found.extend(vertices().filter(single));
    }
    if found.is_empty() {
        found.push(split_off(topology, text).ok_or_else(unknown)?);
    }
    Ok(found)
}

/// Takes one machine out of its row, with copies of the row's links.
fn split_off(topology: &mut Topology, text: &str) -> Option<Vertex> {
    let (row, index) = text.rsplit_once('-')?;
    let index: u64 = index.parse().ok().filter(|index| *index > 0)?;
    let row = topology.names.find(row.as_bytes())?;
    let at = topology.classes.iter().position(|class| class.name == row && class.count > 1)?;
    // Machines that were split off before are still members of the row.
    let single = topology.classes.iter().filter(|class| class.count == 1).count() as u64;
    if index > topology.classes[at].count + single {
        return None;
    }
    let name = topology.names.intern(text.as_bytes())?;
    topology.classes[at].count -= 1;
    let new = Vertex(u32::try_from(topology.classes.len()).ok()?);
    let from = Vertex(u32::try_from(at).ok()?);
    let class = MachineClass { name, count: 1, ..topology.classes[at] };
    topology.classes.push(class);
    let moved = |end: Vertex| if end >= new { Vertex(end.0 + 1) } else { end };
    for link in &mut topology.links {
        (link.a, link.b) = (moved(link.a), moved(link.b));
    }
    let copies: Vec<_> =
        topology.links.iter().filter(|link| link.a == from || link.b == from).copied().collect();
    for mut link in copies {
        let (stated_a, stated_b) = if link.reversed { (link.b, link.a) } else { (link.a, link.b) };
        let to = |end| if end == from { new } else { end };
        let (a, b) = (to(stated_a), to(stated_b));
        (link.a, link.b, link.reversed) = (a.min(b), a.max(b), a > b);
        topology.links.push(link);
    }
    topology.links.sort_unstable();
    Some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_read_or_refused_with_the_list() {
        assert_eq!(
            "remove link a b".parse::<Change>().unwrap(),
            Change::RemoveLink { from: "a".into(), to: "b".into() }
        );
        assert_eq!(
            "add 12 machines to hall1".parse::<Change>().unwrap(),
            Change::AddMachines { count: 12, row: Some("hall1".into()) }
        );
        for wrong in
            ["", "remove link a", "add 0 machines", "add -1 machines", "add x machines", "remove machine a"]
        {
            assert!(wrong.parse::<Change>().unwrap_err().to_string().contains("remove link A B"), "{wrong}");
        }
    }
}

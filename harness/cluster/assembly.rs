//! From named rows and links to a topology: names resolved, single machines split off their rows where a link
//! names them, links put in order.

use hashbrown::HashMap;

use super::topology::{Link, MachineClass, Switch, Vertex};
use super::{Build, Grade, Name, Names, Place, Topology};

/// Most links that rows may expand to; a row linked to a row is each to each.
const EXPANSION_LIMIT: usize = 200_000_000;

/// Why rows and links make no topology.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssemblyError {
    /// Two things have one name.
    #[error("'{0}' is declared twice")]
    Duplicate(String),
    /// A link to nothing that is declared.
    #[error("link to nowhere: '{0}' is neither a machine nor a switch")]
    Nowhere(String),
    /// A link from a thing to itself.
    #[error("'{0}' is linked to itself; machines of one row join over a switch")]
    SelfLink(String),
    /// More than can be counted.
    #[error("too many {0}")]
    TooMany(&'static str),
}

#[derive(Debug, Clone, Copy)]
struct Row {
    name: Name,
    count: u64,
    build: u32,
    place: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Row(u32),
    Member(u32),
    Switch(u32),
}

#[derive(Debug, Clone, Copy)]
struct RawLink {
    from: Name,
    to: Name,
    grade: u32,
    count: u32,
}

/// A topology in the making.
#[derive(Debug, Default)]
pub struct Assembly {
    names: Names,
    entries: Vec<Entry>,
    rows: Vec<Row>,
    switches: Vec<Switch>,
    links: Vec<RawLink>,
    members: Vec<(u32, u64, Name)>,
    builds: Vec<Build>,
    places: HashMap<Place, u32>,
    fabrics: HashMap<String, u32>,
    grades: HashMap<Grade, u32>,
}

impl Assembly {
    /// Adds a hardware build.
    pub fn build(&mut self, build: Build) -> u32 {
        self.builds.push(build);
        small(self.builds.len() - 1)
    }

    /// The number of a place, new or not.
    pub fn place(&mut self, place: Place) -> u32 {
        let next = small(self.places.len());
        *self.places.entry(place).or_insert(next)
    }

    /// The number of a fabric, new or not.
    pub fn fabric(&mut self, name: &str) -> u32 {
        let next = small(self.fabrics.len());
        *self.fabrics.entry_ref(name).or_insert(next)
    }

    /// The number of a grade, new or not.
    pub fn grade(&mut self, grade: Grade) -> u32 {
        let next = small(self.grades.len());
        *self.grades.entry(grade).or_insert(next)
    }

    /// Adds a row of `count` equal machines.
    pub fn machine(&mut self, name: &[u8], count: u64, build: u32, place: u32) -> Result<(), AssemblyError> {
        let row = u32::try_from(self.rows.len()).map_err(|_| AssemblyError::TooMany("machine rows"))?;
        let name = self.declare(name, Entry::Row(row))?;
        self.rows.push(Row { name, count, build, place });
        Ok(())
    }

    /// Adds a switch.
    pub fn switch(&mut self, name: &[u8], fabric: Option<u32>) -> Result<(), AssemblyError> {
        let switch = u32::try_from(self.switches.len()).map_err(|_| AssemblyError::TooMany("switches"))?;
        let name = self.declare(name, Entry::Switch(switch))?;
        self.switches.push(Switch { name, fabric });
        Ok(())
    }

    /// The end of a link: a row, one machine of a row (`row-17`), or a switch.
    pub fn end(&mut self, text: &[u8]) -> Result<Name, AssemblyError> {
        if let Some(name) = self.names.find(text) {
            return Ok(name);
        }
        let (row, index) = self.member(text).ok_or_else(|| AssemblyError::Nowhere(shown(text)))?;
        let name = self.declare(text, Entry::Member(row))?;
        self.members.push((row, index, name));
        Ok(name)
    }

    /// The end of a link where what is not declared is a switch.
    pub fn end_or_switch(&mut self, text: &[u8]) -> Result<Name, AssemblyError> {
        match self.names.find(text) {
            Some(name) => Ok(name),
            None => self.switch(text, None).and_then(|()| self.end(text)),
        }
    }

    /// Adds `count` parallel links.
    pub fn link(&mut self, from: Name, to: Name, grade: u32, count: u32) -> Result<(), AssemblyError> {
        if from == to {
            return Err(AssemblyError::SelfLink(self.names.text(from)));
        }
        self.links.push(RawLink { from, to, grade, count });
        Ok(())
    }

    /// The topology.
    ///
    /// Errors: [`AssemblyError`] for names that collide and rows that are linked to themselves.
    pub fn finish(mut self, title: String) -> Result<Topology, AssemblyError> {
        if self.rows.iter().any(|row| row.count > 1) {
            let declared = self.rows.iter().map(|row| row.name).chain(self.switches.iter().map(|s| s.name));
            let hidden = declared
                .map(|name| self.names.text(name))
                .find(|text| self.member(text.as_bytes()).is_some());
            if let Some(text) = hidden {
                return Err(AssemblyError::Duplicate(text));
            }
        }
        self.members.sort_unstable();
        let (classes, spans) = self.classes()?;
        let ends = self.ends(&classes, &spans);
        let links = self.expanded(&classes, &ends)?;
        Ok(Topology {
            title,
            classes,
            switches: self.switches,
            builds: self.builds,
            places: in_order(self.places),
            fabrics: in_order(self.fabrics),
            grades: in_order(self.grades),
            names: self.names,
            links,
        })
    }

    fn declare(&mut self, text: &[u8], entry: Entry) -> Result<Name, AssemblyError> {
        let name = self.names.intern(text).ok_or(AssemblyError::TooMany("names"))?;
        if name.index() < self.entries.len() {
            return Err(AssemblyError::Duplicate(shown(text)));
        }
        self.entries.push(entry);
        Ok(name)
    }

    /// `row-17` as the 17th machine of `row`.
    fn member(&self, text: &[u8]) -> Option<(u32, u64)> {
        let at = text.iter().rposition(|byte| *byte == b'-')?;
        let (row, digits) = (&text[..at], &text[at + 1..]);
        if digits.starts_with(b"0") || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let index: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let Entry::Row(row) = self.entries[self.names.find(row)?.index()] else { return None };
        let count = self.rows[row as usize].count;
        (count > 1 && index <= count).then_some((row, index))
    }

    /// Classes, and for each row the range of them: what is left of the row first, then its single machines.
    fn classes(&self) -> Result<(Vec<MachineClass>, Vec<std::ops::Range<u32>>), AssemblyError> {
        let mut classes = Vec::with_capacity(self.rows.len() + self.members.len());
        let mut spans = Vec::with_capacity(self.rows.len());
        let mut members = self.members.as_slice();
        for (row, stated) in self.rows.iter().enumerate() {
            let mine = members.partition_point(|(of, ..)| *of as usize == row);
            let (single, others) = members.split_at(mine);
            members = others;
            let first = small(classes.len());
            let class = |name, count| MachineClass { name, count, build: stated.build, place: stated.place };
            let left = stated.count - single.len() as u64;
            if left > 0 {
                classes.push(class(stated.name, left));
            }
            classes.extend(single.iter().map(|(.., name)| class(*name, 1)));
            spans.push(first..small(classes.len()));
        }
        let vertices = classes.len() + self.switches.len();
        if vertices >= u32::MAX as usize {
            return Err(AssemblyError::TooMany("machines and switches"));
        }
        Ok((classes, spans))
    }

    /// For each name the vertices that it stands for.
    fn ends(&self, classes: &[MachineClass], spans: &[std::ops::Range<u32>]) -> Vec<std::ops::Range<u32>> {
        let switches = small(classes.len());
        let mut single: HashMap<Name, u32> = HashMap::new();
        if !self.members.is_empty() {
            single.extend(classes.iter().enumerate().map(|(at, class)| (class.name, small(at))));
        }
        let range = |(at, entry): (usize, &Entry)| match *entry {
            Entry::Row(row) => spans[row as usize].clone(),
            Entry::Switch(switch) => switches + switch..switches + switch + 1,
            Entry::Member(_) => {
                let vertex = single.get(&Name(small(at))).copied().unwrap_or(0);
                vertex..vertex + 1
            }
        };
        self.entries.iter().enumerate().map(range).collect()
    }

    fn expanded(
        &mut self,
        classes: &[MachineClass],
        ends: &[std::ops::Range<u32>],
    ) -> Result<Vec<Link>, AssemblyError> {
        let raw = std::mem::take(&mut self.links);
        let mut links = Vec::with_capacity(raw.len());
        for link in raw {
            let (from, to) = (&ends[link.from.index()], &ends[link.to.index()]);
            if from.start < to.end && to.start < from.end && (from.start as usize) < classes.len() {
                return Err(AssemblyError::SelfLink(self.names.text(link.from)));
            }
            if links.len() + from.len().saturating_mul(to.len()) > EXPANSION_LIMIT {
                return Err(AssemblyError::TooMany("links"));
            }
            for a in from.clone() {
                for b in to.clone() {
                    let (low, high) = (Vertex(a.min(b)), Vertex(a.max(b)));
                    links.push(Link {
                        a: low,
                        b: high,
                        grade: link.grade,
                        reversed: a > b,
                        count: link.count,
                    });
                }
            }
        }
        links.sort_unstable_by_key(|link| {
            (u64::from(link.a.0) << 32 | u64::from(link.b.0), link.grade, link.reversed)
        });
        Ok(links)
    }
}

fn in_order<K: Default + Clone>(numbered: HashMap<K, u32>) -> Vec<K> {
    let mut found = vec![K::default(); numbered.len()];
    for (key, at) in numbered {
        found[at as usize] = key;
    }
    found
}

/// Indices of vectors that a check keeps below 2^32.
fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(80).collect()
}

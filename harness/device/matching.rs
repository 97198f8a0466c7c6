//! Which entry a device is: by PCI id, then exact name, then the longest name that it contains whole.
//!
//! Never the nearest guess: a word in the name that belongs neither to the entry nor to what every driver adds
//! (maker, brand, code name of the die) means another part, and the device is unknown.

use super::catalogue::{Entry, Other};

/// What is known of a device that looks for its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// Name, as the driver reports it.
    pub name: &'a str,
    /// PCI vendor and device, `10de:2330`, where known.
    pub pci_id: Option<&'a str>,
}

/// What the catalogue says of a device.
#[derive(Debug, Clone, PartialEq)]
pub enum Match<'a> {
    /// This is its entry.
    Found(&'a Entry),
    /// It is none of the entries.
    Unknown {
        /// Why.
        reason: String,
    },
}

impl<'a> Match<'a> {
    /// The entry, where there is one.
    pub fn entry(&self) -> Option<&'a Entry> {
        match self {
            Self::Found(entry) => Some(entry),
            Self::Unknown { .. } => None,
        }
    }
}

/// Words that say nothing of which part it is: makers, brands, and what drivers put around a name.
const PLAIN_WORDS: [&str; 36] = [
    "nvidia",
    "amd",
    "ati",
    "intel",
    "google",
    "cloud",
    "aws",
    "apple",
    "huawei",
    "cerebras",
    "groq",
    "corporation",
    "inc",
    "ltd",
    "corp",
    "r",
    "tm",
    "c",
    "tesla",
    "geforce",
    "instinct",
    "radeon",
    "quadro",
    "graphics",
    "gpu",
    "card",
    "accelerator",
    "device",
    "cuda",
    "hip",
    "rev",
    "a1",
    "radv",
    "nvk",
    "g10",
    "g21",
];

/// Makers that stand before a name or not.
const MAKERS: [&str; 4] = ["nvidia ", "amd ", "intel ", "huawei "];

/// Code names of dies, as Mesa and lspci print them: letters, then digits, then at most one letter.
const DIES: [&str; 14] =
    ["gv", "tu", "ga", "ad", "gh", "gb", "navi", "vega", "aldebaran", "arcturus", "dg", "acm", "bmg", "pvc"];

/// Names and PCI ids in the form that is compared.
#[derive(Debug)]
pub struct Index {
    names: Vec<(String, Place)>,
    ids: Vec<(String, Place)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Entry(usize),
    Other(usize),
}

impl Index {
    /// The index of a sorted catalogue.
    pub fn new(entries: &[Entry], others: &[Other]) -> Self {
        let mut names = Vec::new();
        let mut ids = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            names.extend(
                std::iter::once(&entry.name).chain(&entry.aliases).map(|n| (key(n), Place::Entry(place))),
            );
            ids.extend(entry.pci_ids.iter().map(|id| (id.clone(), Place::Entry(place))));
        }
        for (place, other) in others.iter().enumerate() {
            names.push((key(&other.name), Place::Other(place)));
            ids.extend(other.pci_ids.iter().map(|id| (id.clone(), Place::Other(place))));
        }
        names.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        Self { names, ids }
    }

    /// The entry of a device.
    pub fn find<'a>(&self, query: &Query<'_>, entries: &'a [Entry], others: &'a [Other]) -> Match<'a> {
        let wanted = key(query.name);
        let Some((place, inside)) = self.place(query, &wanted) else {
            let name = if wanted.is_empty() { "it has no name" } else { query.name };
            return unknown(format!("no device of the catalogue is called '{name}'"));
        };
        match place {
            Place::Entry(at) => match entries.get(at) {
                Some(entry) => settle(entry, query, inside.map(|known| (wanted.as_str(), known))),
                None => unknown("the index is out of step with the catalogue".to_owned()),
            },
            Place::Other(at) => {
                let name = others.get(at).map_or("another part", |other| &other.name);
                unknown(format!("'{}' is {name}, which is not in the catalogue", query.name))
            }
        }
    }

    /// The part that is no entry and that a device is.
    pub fn other<'a>(&self, query: &Query<'_>, others: &'a [Other]) -> Option<&'a Other> {
        match self.place(query, &key(query.name))?.0 {
            Place::Other(at) => others.get(at),
            Place::Entry(_) => None,
        }
    }

    /// The place of a device, and the name that its own name contains where it is not that name.
    fn place(&self, query: &Query<'_>, wanted: &str) -> Option<(Place, Option<&str>)> {
        let id = query.pci_id.map(|id| id.trim().to_lowercase());
        if let Some(found) = self.ids.iter().find(|(known, _)| Some(known) == id.as_ref()) {
            return Some((found.1, None));
        }
        if wanted.is_empty() {
            return None;
        }
        let exact = self.names.iter().find(|(known, _)| known == wanted);
        let inside = || self.names.iter().find(|(known, _)| position(wanted, known).is_some());
        exact
            .map(|(_, place)| (*place, None))
            .or_else(|| inside().map(|(known, p)| (*p, Some(known.as_str()))))
    }
}

fn settle<'a>(entry: &'a Entry, query: &Query<'_>, inside: Option<(&str, &str)>) -> Match<'a> {
    let Some((wanted, known)) = inside else { return Match::Found(entry) };
    if let Some(id) = query.pci_id.filter(|id| disagrees(&id.trim().to_lowercase(), entry)) {
        return unknown(format!("'{}' contains {}, but its PCI id {id} is another", query.name, entry.name));
    }
    match strange_word(wanted, known, entry) {
        Some(word) => unknown(format!(
            "'{}' contains {}, but '{word}' tells of another part, a slice of it or a virtual one",
            query.name, entry.name
        )),
        None => Match::Found(entry),
    }
}

fn unknown<'a>(reason: String) -> Match<'a> {
    Match::Unknown { reason }
}

/// Whether the entry has PCI ids of the same maker and `id` is none of them.
fn disagrees(id: &str, entry: &Entry) -> bool {
    let maker = id.split(':').next();
    entry.pci_ids.iter().any(|known| known.split(':').next() == maker)
}

/// The form in which names are compared: lower case, single spaces, no trademark signs, no leading maker.
pub fn key(name: &str) -> String {
    let lower = name.to_lowercase().replace("(r)", " ").replace("(tm)", " ");
    let spaced = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = MAKERS.iter().find_map(|maker| spaced.strip_prefix(maker)).unwrap_or(&spaced);
    let bare = bare.strip_prefix("corporation ").unwrap_or(bare);
    bare.to_owned()
}

/// Where `part` stands in `whole` with no letter or digit on either side.
fn position(whole: &str, part: &str) -> Option<usize> {
    let bounded = |at: usize| {
        let before = whole.get(..at).and_then(|text| text.chars().next_back());
        let after = whole.get(at + part.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    };
    whole.match_indices(part).map(|(at, _)| at).find(|at| bounded(*at))
}

/// A word around the name that is neither the entry's own nor one that every driver adds.
fn strange_word<'a>(whole: &'a str, part: &str, entry: &Entry) -> Option<&'a str> {
    let at = position(whole, part)?;
    let rest = [whole.get(..at)?, whole.get(at + part.len()..)?];
    let own: Vec<String> = std::iter::once(&entry.name)
        .chain(&entry.aliases)
        .chain([&entry.form_factor])
        .chain(&entry.architecture)
        .flat_map(|text| words(&text.to_lowercase()).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let plain = |word: &str| PLAIN_WORDS.contains(&word) || is_die(word) || own.iter().any(|o| o == word);
    rest.into_iter().flat_map(words).find(|word| !plain(word))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn is_die(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = word.strip_suffix(digits).unwrap_or(word);
    let tail = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    DIES.contains(&letters) && tail.len() <= 2
}

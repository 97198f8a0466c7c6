//! The catalogue: what makers say of their devices, with where each figure comes from.
//!
//! One TOML file per device family under `catalogue/`, embedded, strict, sorted by name. An absent device is
//! unknown, never the nearest name; it may still get a derived peak from [`super::theoretical`].

mod document;
mod entry;
mod file;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use document::{Document, Documents};
pub use entry::{ClockSource, Entry, Market, Row, SparsityStated, UnitsError};

use super::matching::Index;
pub use super::matching::{Match, Query};
use super::rates::Rates;
use crate::files::FileError;

/// The embedded files, by name.
const FILES: [(&str, &str); 16] = [
    ("catalogue/amd-instinct.toml", include_str!("catalogue/amd-instinct.toml")),
    ("catalogue/amd-radeon.toml", include_str!("catalogue/amd-radeon.toml")),
    ("catalogue/apple-m.toml", include_str!("catalogue/apple-m.toml")),
    ("catalogue/aws-neuron.toml", include_str!("catalogue/aws-neuron.toml")),
    ("catalogue/cerebras.toml", include_str!("catalogue/cerebras.toml")),
    ("catalogue/google-tpu.toml", include_str!("catalogue/google-tpu.toml")),
    ("catalogue/groq.toml", include_str!("catalogue/groq.toml")),
    ("catalogue/huawei-ascend.toml", include_str!("catalogue/huawei-ascend.toml")),
    ("catalogue/intel-gaudi.toml", include_str!("catalogue/intel-gaudi.toml")),
    ("catalogue/intel-gpu.toml", include_str!("catalogue/intel-gpu.toml")),
    ("catalogue/nvidia-ada.toml", include_str!("catalogue/nvidia-ada.toml")),
    ("catalogue/nvidia-ampere.toml", include_str!("catalogue/nvidia-ampere.toml")),
    ("catalogue/nvidia-blackwell-rtx.toml", include_str!("catalogue/nvidia-blackwell-rtx.toml")),
    ("catalogue/nvidia-blackwell.toml", include_str!("catalogue/nvidia-blackwell.toml")),
    ("catalogue/nvidia-hopper.toml", include_str!("catalogue/nvidia-hopper.toml")),
    ("catalogue/nvidia-volta.toml", include_str!("catalogue/nvidia-volta.toml")),
];

/// Why a catalogue file is refused.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file is not TOML, or has an unknown key or a wrong type.
    #[error(transparent)]
    File(#[from] FileError),
    /// A device or a row of rates that contradicts itself.
    #[error("{file}: {name}: {what}")]
    Entry {
        /// The catalogue file.
        file: String,
        /// Device or architecture.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// One name or PCI id of two devices.
    #[error("'{value}' belongs to both '{first}' and '{second}'; a name or PCI id tells one device")]
    Shared {
        /// The name or PCI id.
        value: String,
        /// One device.
        first: String,
        /// The other.
        second: String,
    },
    /// The catalogue that the program carries cannot be used.
    #[error("the built-in catalogue is defective: {0}")]
    Builtin(String),
}

impl CatalogueError {
    pub(super) fn entry(file: &str, name: &str, what: String) -> Self {
        Self::Entry { file: file.to_owned(), name: name.to_owned(), what }
    }
}

/// A part that a name or PCI id tells apart from every entry, and that is no entry itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// Its PCI ids.
    pub pci_ids: Vec<String>,
    /// Its rates are capped by policy, so that the formula of its architecture does not hold.
    pub capped: bool,
}

/// Devices by name, PCI id and alias.
#[derive(Debug)]
pub struct Catalogue {
    entries: Vec<Entry>,
    others: Vec<Other>,
    index: Index,
}

static BUILTIN: LazyLock<Result<Catalogue, String>> =
    LazyLock::new(|| Catalogue::load(&FILES).map_err(|error| error.to_string()));

impl Catalogue {
    /// The catalogue that the program carries, parsed once.
    ///
    /// Errors: [`CatalogueError::Builtin`] when an embedded file is defective.
    pub fn builtin() -> Result<&'static Self, CatalogueError> {
        BUILTIN.as_ref().map_err(|text| CatalogueError::Builtin(text.clone()))
    }

    /// A catalogue from files, given as name and text, in any order.
    ///
    /// Errors: [`CatalogueError`] naming file, line or device.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, CatalogueError> {
        let rates = Rates::builtin()?;
        let mut entries = Vec::new();
        let mut others = Vec::new();
        for (name, text) in files {
            let (more, not_entries) = file::read(name, text)?;
            entries.extend(more);
            others.extend(not_entries);
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        others.sort_by(|a, b| a.name.cmp(&b.name));
        unique(&entries, &others)?;
        for entry in &mut entries {
            let name = entry.name.clone();
            let peaks = super::theoretical::peaks_of(entry, rates);
            (entry.peaks, entry.variants) =
                peaks.map_err(|error| CatalogueError::entry("catalogue", &name, error.to_string()))?;
        }
        let index = Index::new(&entries, &others);
        Ok(Self { entries, others, index })
    }

    /// Every device, sorted by name.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Parts that are known to be none of the entries.
    pub fn others(&self) -> &[Other] {
        &self.others
    }

    /// The device by PCI id, then by exact name or alias, then by the longest name that it contains whole.
    pub fn find(&self, query: &Query<'_>) -> Match<'_> {
        self.index.find(query, &self.entries, &self.others)
    }

    /// The part that is known to be no entry, where the name or PCI id is that of one.
    pub fn other(&self, query: &Query<'_>) -> Option<&Other> {
        self.index.other(query, &self.others)
    }

    /// The device of a name, as [`Self::find`] without a PCI id.
    pub fn named(&self, name: &str) -> Match<'_> {
        self.find(&Query { name, pci_id: None })
    }
}

fn unique(entries: &[Entry], others: &[Other]) -> Result<(), CatalogueError> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let names = entries.iter().flat_map(|entry| {
        let texts = std::iter::once(&entry.name).chain(&entry.aliases).chain(&entry.pci_ids);
        texts.map(move |text| (text, entry.name.as_str()))
    });
    let rest = others.iter().flat_map(|other| {
        std::iter::once(&other.name).chain(&other.pci_ids).map(move |text| (text, other.name.as_str()))
    });
    for (text, owner) in names.chain(rest) {
        let key = super::matching::key(text);
        match seen.get(&key) {
            Some(first) if *first != owner => {
                return Err(CatalogueError::Shared {
                    value: text.clone(),
                    first: (*first).to_owned(),
                    second: owner.to_owned(),
                });
            }
            _ => seen.insert(key, owner),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests;

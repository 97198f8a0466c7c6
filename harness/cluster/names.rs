//! Names as small numbers: a million of them in one block of bytes.

use std::hash::BuildHasher;

use hashbrown::HashTable;

/// A name within its [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub(super) u32);

impl Name {
    /// Place in the order of first appearance.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Every name that was seen, each once.
#[derive(Debug, Default, Clone)]
pub struct Names {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: foldhash::fast::FixedState,
}

impl Names {
    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a name.
    pub fn text(&self, name: Name) -> String {
        String::from_utf8_lossy(slice(&self.bytes, &self.ends, name.0)).into_owned()
    }

    /// The name of `text`, if it was seen.
    pub fn find(&self, text: &[u8]) -> Option<Name> {
        let same = |name: &u32| slice(&self.bytes, &self.ends, *name) == text;
        self.table.find(self.hasher.hash_one(text), same).map(|name| Name(*name))
    }

    /// The name of `text`, new or not; `None` when there are 2^32 names.
    pub fn intern(&mut self, text: &[u8]) -> Option<Name> {
        let Self { bytes, ends, table, hasher } = self;
        let hash = hasher.hash_one(text);
        if let Some(name) = table.find(hash, |name| slice(bytes, ends, *name) == text) {
            return Some(Name(*name));
        }
        let name = u32::try_from(ends.len()).ok()?;
        bytes.extend_from_slice(text);
        ends.push(bytes.len());
        table.insert_unique(hash, name, |name| hasher.hash_one(slice(bytes, ends, *name)));
        Some(Name(name))
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[usize], name: u32) -> &'a [u8] {
    let at = name as usize;
    let start = if at == 0 { 0 } else { ends[at - 1] };
    &bytes[start..ends[at]]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_name_reads_back_and_has_one_number(texts in prop::collection::vec("[a-c]{0,3}", 0..40)) {
            let mut names = Names::default();
            for text in &texts {
                let name = names.intern(text.as_bytes()).unwrap();
                prop_assert_eq!(&names.text(name), text);
                prop_assert_eq!(names.find(text.as_bytes()), Some(name));
            }
            let different: std::collections::BTreeSet<_> = texts.iter().collect();
            prop_assert_eq!(names.len(), different.len());
        }
    }
}

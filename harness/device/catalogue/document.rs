//! Documents that figures come from, by key within one file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::device::Evidence;

/// A document that a figure was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Title, with section or table where known.
    pub title: String,
    /// Address.
    pub url: String,
    /// How near to the maker it is.
    pub tier: Tier,
}

/// How near a document is to the maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The maker's own text.
    Vendor,
    /// Somebody's quotation of a named document of the maker.
    Quoted,
    /// A database or an article.
    Secondary,
    /// Figures that follow from what the document says.
    Derived,
}

/// The documents of one file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Documents(BTreeMap<String, Document>);

impl Documents {
    /// The document of a key, checked against the evidence that it is cited with.
    ///
    /// Errors: what is wrong, in words, for an unknown key or for evidence that needs a document and has none.
    pub fn resolve(&self, key: Option<&str>, evidence: Evidence) -> Result<Option<Document>, String> {
        match (key, evidence) {
            (None, Evidence::Read) => Err("evidence is 'read' but no source is named".to_owned()),
            (Some(key), Evidence::Recalled) => Err(format!("a recalled figure names the source '{key}'")),
            (None, _) => Ok(None),
            (Some(key), _) => match self.0.get(key) {
                Some(document) => Ok(Some(document.clone())),
                None => Err(format!("source '{key}' is not among the sources of this file")),
            },
        }
    }
}

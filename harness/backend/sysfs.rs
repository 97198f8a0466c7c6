//! Linux' sysfs: small files of one value each. What is not there is `None`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Entries of a directory in the order of their names, or none.
pub(super) fn entries(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The one value of a file.
pub(super) fn value<T: FromStr>(path: &Path) -> Option<T> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

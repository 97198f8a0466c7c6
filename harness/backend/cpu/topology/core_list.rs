//! The kernel's notation for sets of cores, as in `0-3,8,10-11`.

/// Reads a list; `None` where it is malformed, runs backwards or names more than a million cores.
///
/// **Source**: Linux `Documentation/admin-guide/kernel-parameters.rst`, "cpu lists".
pub(super) fn parse_core_list(text: &str) -> Option<Vec<usize>> {
    const MOST: usize = 1 << 20;
    let mut cores = Vec::new();
    let text = text.trim();
    if text.is_empty() {
        return Some(cores);
    }
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        cores.extend(first..=last);
    }
    cores.sort_unstable();
    cores.dedup();
    Some(cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_cores_are_read() {
        assert_eq!(parse_core_list("0-2,8,10-11\n"), Some(vec![0, 1, 2, 8, 10, 11]));
        assert_eq!(parse_core_list("5"), Some(vec![5]));
        assert_eq!(parse_core_list("\n"), Some(vec![]));
        assert_eq!(parse_core_list("1,0-1"), Some(vec![0, 1]));
    }

    #[test]
    fn malformed_lists_are_refused() {
        for bad in ["3-1", "a", "0-", "-1", "0,,1", "0-99999999999", "0x3"] {
            assert_eq!(parse_core_list(bad), None, "{bad}");
        }
    }
}

//! Lists of hosts in the syntax of Slurm and ClusterShell.

use std::collections::BTreeSet;

use nodeset::{IdRangeList, NodeSet, Parser, Resolver};

use super::AcceptError;

/// Most hosts of one list; `n[1-999999999]` is a slip and no cluster.
const MOST: usize = 1_000_000;

/// Longest name of a node, as DNS has it.
const LONGEST: usize = 253;

/// Whether a node can be called so: its name becomes that of files, and part of lists and of `key=value` lines.
pub fn is_node_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    // `n1.started.json` is what n1 leaves when it begins.
    let taken = name.starts_with(['.', '-']) || name.ends_with(".started");
    !taken && !name.is_empty() && name.len() <= LONGEST && name.chars().all(plain)
}

/// The hosts of a list such as `node[01-16,20],login1`, each once, in natural order; commas and white space separate.
///
/// Errors: [`AcceptError::HostList`] for a list that cannot be read, is empty, or names more than a million hosts.
pub fn expand(text: &str) -> Result<Vec<String>, AcceptError> {
    let wrong = |reason: String| AcceptError::HostList { text: shortened(text), reason };
    let words = text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    let list = words.collect::<Vec<_>>().join(",");
    if list.is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    // `@` names groups of a configuration file, and the others are set operators there; a host has none of them.
    if let Some(odd) = list.chars().find(|c| "@!&^%*?()".contains(*c)) {
        return Err(wrong(format!("'{odd}' belongs to no host name")));
    }
    let resolver = Resolver::default();
    let parser = Parser::with_resolver(&resolver, None);
    let set: NodeSet<IdRangeList> = parser.parse(&list).map_err(|error| wrong(error.to_string()))?;
    if set.len() > MOST {
        return Err(wrong(format!("more than {MOST} hosts")));
    }
    let names: Vec<String> = set.iter().map(|name| name.to_string()).collect();
    if let Some(odd) = names.iter().find(|name| !is_node_name(name)) {
        return Err(wrong(format!("'{}' is no host name", shortened(odd))));
    }
    if names.is_empty() { Err(wrong("it names no host".to_owned())) } else { Ok(sorted(names)) }
}

/// The same hosts in the short form; empty for none.
///
/// Slurm reads a range only at the end of a name, so that `gpu1-ib,gpu2-ib` stay as they are.
pub fn fold(names: &[String]) -> String {
    let all = sorted(names.to_vec());
    let (numbered, others): (Vec<&String>, Vec<&String>) =
        all.iter().partition(|name| name.ends_with(|c: char| c.is_ascii_digit()));
    let resolver = Resolver::default();
    let parser = Parser::with_resolver(&resolver, None);
    let list = numbered.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",");
    let folded = parser.parse::<IdRangeList>(&list).map(|set| set.to_string());
    let plain = others.iter().map(|name| name.as_str());
    let text = match folded {
        Ok(text) => {
            plain.clone().chain([text.as_str()]).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(",")
        }
        Err(_) => String::new(),
    };
    // Names that the folder cannot take are still a valid list as they are.
    if expand(&text).ok().as_deref() == Some(&all[..]) { text } else { all.join(",") }
}

/// The names once each, in natural order: node2 before node10.
pub(super) fn sorted(names: Vec<String>) -> Vec<String> {
    let unique: BTreeSet<String> = names.into_iter().collect();
    let mut names: Vec<String> = unique.into_iter().collect();
    names.sort_by_key(|name| natural(name));
    names
}

/// A key that puts node2 before node10.
fn natural(name: &str) -> (String, u64, String) {
    let digits = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let (stem, rest) = name.split_at(digits);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let number = rest.get(..end).and_then(|text| text.parse().ok()).unwrap_or(0);
    (stem.to_owned(), number, name.to_owned())
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.to_owned()
    } else {
        text.chars().take(57).collect::<String>() + "..."
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        expand(text).unwrap()
    }

    #[test]
    fn the_forms_that_slurm_prints_are_understood() {
        assert_eq!(names("node[1-4]"), ["node1", "node2", "node3", "node4"]);
        assert_eq!(names("node[01-03,7],login1"), ["login1", "node01", "node02", "node03", "node7"]);
        assert_eq!(names("gpu-a[9-11]"), ["gpu-a9", "gpu-a10", "gpu-a11"]);
        assert_eq!(names("rack[1-2]n[1-2]"), ["rack1n1", "rack1n2", "rack2n1", "rack2n2"]);
        assert_eq!(names("a.example.org,b"), ["a.example.org", "b"]);
        assert_eq!(names("node1,node1,node2"), ["node1", "node2"]);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_an_error_and_never_a_shorter_list() {
        for text in [
            "",
            " ",
            "node[1-",
            "node[1-3",
            "node]1[",
            "@all",
            "node[3-1",
            "node[a-b]",
            "n[1-99999999999999]",
            "node1 - node2",
            "(node1)",
            "node/1",
            "../node1",
            "-n1",
            "node1.started",
            "nöde1",
        ] {
            assert!(expand(text).is_err(), "{text:?} gave {:?}", expand(text));
        }
    }

    #[test]
    fn a_folded_list_names_the_same_hosts() {
        let hosts = names("node[01-16],login1,rack[1-2]n[1-3]");
        assert_eq!(names(&fold(&hosts)), hosts);
        assert_eq!(fold(&[]), "");
    }

    #[test]
    fn a_range_is_at_the_end_of_a_name_where_slurm_reads_it() {
        let hosts = names("gpu[1-3]-ib,n[1-2].example.org,n[1-3],rack[1-2]n[1-2]");
        let folded = fold(&hosts);
        assert_eq!(names(&folded), hosts);
        for (at, _) in folded.match_indices(']') {
            let next = folded[at + 1..].chars().next();
            assert!(matches!(next, None | Some(',' | 'n')), "{folded}");
        }
        assert!(folded.contains("gpu1-ib,gpu2-ib,gpu3-ib") && folded.contains("n[1-3]"), "{folded}");
    }

    #[test]
    fn names_in_lines_and_with_blanks_are_one_list() {
        assert_eq!(
            names("node1\nnode2\r\n\n node[3-4] ,login1,,\n"),
            ["login1", "node1", "node2", "node3", "node4"]
        );
    }

    proptest! {
        #[test]
        fn folding_loses_no_host(numbers in prop::collection::btree_set(0_u32..3000, 1..60), width in 1_usize..5) {
            let hosts = sorted(numbers.iter().map(|n| format!("n{n:0width$}")).collect());
            prop_assert_eq!(names(&fold(&hosts)), hosts);
        }
    }
}

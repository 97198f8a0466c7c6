//! Lists of hosts in the syntax of Slurm and ClusterShell.

use std::collections::BTreeSet;

use nodeset::{IdRangeList, NodeSet, Parser, Resolver};

use super::AcceptError;

/// Most hosts of one list; `n[1-999999999]` is a slip and no cluster.
const MOST: usize = 1_000_000;

/// The hosts of a list such as `node[01-16,20],login1`, each once, in natural order.
///
/// Errors: [`AcceptError::HostList`] for a list that cannot be read, is empty, or names more than a million hosts.
pub fn expand(text: &str) -> Result<Vec<String>, AcceptError> {
    let wrong = |reason: String| AcceptError::HostList { text: shortened(text), reason };
    if text.trim().is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    // `@` names groups of a configuration file and `!`, `&`, `^` are set operators there; a host has none of them.
    if let Some(odd) = text.chars().find(|c| "@!&^%*?".contains(*c)) {
        return Err(wrong(format!("'{odd}' belongs to no host name")));
    }
    let resolver = Resolver::default();
    let parser = Parser::with_resolver(&resolver, None);
    let set: NodeSet<IdRangeList> = parser.parse(text).map_err(|error| wrong(error.to_string()))?;
    if set.len() > MOST {
        return Err(wrong(format!("more than {MOST} hosts")));
    }
    let names: Vec<String> = set.iter().map(|name| name.to_string()).collect();
    if names.is_empty() { Err(wrong("it names no host".to_owned())) } else { Ok(sorted(names)) }
}

/// The same hosts in the short form; empty for none.
pub fn fold(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let resolver = Resolver::default();
    let parser = Parser::with_resolver(&resolver, None);
    let folded = parser.parse::<IdRangeList>(&names.join(",")).map(|set| set.to_string());
    // Names that the folder cannot take are still a valid list as they are.
    match folded {
        Ok(text) if expand(&text).ok().as_deref() == Some(&sorted(names.to_vec())[..]) => text,
        _ => sorted(names.to_vec()).join(","),
    }
}

/// A host-list file: one host a line, nothing for none. `srun --exclude=./FILE` refuses an empty one.
pub fn lines(names: &[String]) -> String {
    sorted(names.to_vec()).iter().map(|name| format!("{name}\n")).collect()
}

fn sorted(names: Vec<String>) -> Vec<String> {
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

    proptest! {
        #[test]
        fn folding_loses_no_host(numbers in prop::collection::btree_set(0_u32..3000, 1..60), width in 1_usize..5) {
            let hosts = sorted(numbers.iter().map(|n| format!("n{n:0width$}")).collect());
            prop_assert_eq!(names(&fold(&hosts)), hosts);
        }
    }
}

//! What should be equal on all nodes and is not: drivers, firmware, clocks, limits, versions.

use std::collections::{BTreeMap, BTreeSet};

use super::summary::Fact;
use super::{Drift, FactValue, hosts};

/// Who says what of one fact: nodes by value, `None` for those that do not tell it.
type Values<'a> = BTreeMap<Option<&'a str>, BTreeSet<&'a str>>;

/// Every fact of nodes by model, with its values.
fn by_fact<'a>(
    nodes: impl Iterator<Item = (&'a str, &'a BTreeSet<Fact>)>,
) -> BTreeMap<(Option<&'a str>, &'a str), Values<'a>> {
    let mut facts: BTreeMap<(Option<&str>, &str), Values<'_>> = BTreeMap::new();
    let mut having: BTreeMap<Option<&str>, BTreeSet<&str>> = BTreeMap::new();
    for (node, all) in nodes {
        for (model, fact, value) in all {
            let model = model.as_deref();
            facts.entry((model, fact)).or_default().entry(Some(value)).or_default().insert(node);
            having.entry(model).or_default().insert(node);
        }
    }
    for ((model, _), values) in &mut facts {
        let told: BTreeSet<&str> = values.values().flatten().copied().collect();
        let silent: BTreeSet<&str> =
            having.get(model).into_iter().flatten().copied().filter(|node| !told.contains(node)).collect();
        if !silent.is_empty() {
            values.insert(None, silent);
        }
    }
    facts
}

/// Values with their nodes, the more common first.
fn counted(values: &Values<'_>) -> Vec<FactValue> {
    let count = |nodes: &BTreeSet<&str>| u64::try_from(nodes.len()).unwrap_or(u64::MAX);
    let names = |nodes: &BTreeSet<&str>| nodes.iter().map(|node| (*node).to_owned()).collect::<Vec<_>>();
    let one = |(value, nodes): (&Option<&str>, &BTreeSet<&str>)| FactValue {
        value: value.map(str::to_owned),
        count: count(nodes),
        nodes: hosts::fold(&names(nodes)),
    };
    let mut all: Vec<FactValue> = values.iter().map(one).collect();
    // Stable, so that equally common values stay in alphabetical order.
    all.sort_by_key(|value| std::cmp::Reverse(value.count));
    all
}

/// Facts with more than one value among the nodes.
pub(super) fn drift<'a>(nodes: impl Iterator<Item = (&'a str, &'a BTreeSet<Fact>)>) -> Vec<Drift> {
    let facts = by_fact(nodes);
    let differing = facts.iter().filter(|(_, values)| values.len() > 1);
    differing
        .map(|((model, fact), values)| {
            let mut others = counted(values);
            let usual = match others.as_slice() {
                [first, second, ..] if first.count > second.count => Some(others.remove(0)),
                _ => None,
            };
            Drift { model: model.map(str::to_owned), fact: (*fact).to_owned(), usual, others }
        })
        .collect()
}

/// Every fact of the devices, whether or not its values differ.
pub(super) fn device_facts<'a>(
    nodes: impl Iterator<Item = (&'a str, &'a BTreeSet<Fact>)>,
) -> Vec<(String, String, Vec<FactValue>)> {
    let facts = by_fact(nodes);
    let of_devices = facts.iter().filter_map(|((model, fact), values)| Some(((*model)?, fact, values)));
    of_devices.map(|(model, fact, values)| (model.to_owned(), (*fact).to_owned(), counted(values))).collect()
}

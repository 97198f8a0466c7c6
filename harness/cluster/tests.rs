//! Sets of machines against a slow and simple implementation, and the properties that any implementation has.

mod slow;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::units::{BitRate, ExactOpRate};
use slow::{End, Stated};

const LIMIT: u64 = 300;

/// The greatest sum and the number of sets that the slow implementation finds.
fn expected(sets: &BTreeSet<BTreeSet<(usize, u64)>>) -> (u128, u128) {
    let sum = |set: &BTreeSet<(usize, u64)>| set.iter().map(|(row, _)| 1_u128 << (8 * row)).sum::<u128>();
    (sets.iter().map(sum).max().unwrap_or(0), sets.len() as u128)
}

fn found(topology: &Topology, reading: Reading, limit: u64) -> Option<(u128, u128)> {
    let bundles = Bundles::of(topology).unwrap();
    let sets = components(topology, &bundles, BitRate::new(limit.into()), reading).ok()?;
    let totals = super::survey::totals(topology, &sets, reading, false).unwrap();
    Some((totals.greatest_r16.get(), totals.components))
}

fn stated() -> impl Strategy<Value = Stated> {
    let shape =
        (prop::collection::vec(1..4_u64, 1..5), prop::collection::vec(prop::option::of(0..2_u32), 0..5));
    shape.prop_flat_map(|(rows, fabrics)| {
        let (rows2, switches) = (rows.clone(), fabrics.len());
        let end = (0..rows.len() + switches, 0..4_u64).prop_map(move |(at, index)| {
            if at >= rows2.len() {
                End::Switch(at - rows2.len())
            } else if index == 0 || rows2[at] == 1 || index > rows2[at] {
                End::Row(at)
            } else {
                End::Member(at, index)
            }
        });
        let rate = prop::sample::select(vec![100_u64, 150, 200, 300, 301, 400]);
        let link = (end.clone(), end, rate, 1..4_u32);
        (Just(rows), Just(fabrics), prop::collection::vec(link, 0..14)).prop_map(|(rows, fabrics, links)| {
            // A row of one machine and its only machine are the same; links to oneself are refused elsewhere.
            let row = |end: End| match end {
                End::Row(row) | End::Member(row, _) => Some(row),
                End::Switch(_) => None,
            };
            let apart = |a: End, b: End| match (row(a), row(b)) {
                (Some(x), Some(y)) if x == y => {
                    matches!((a, b), (End::Member(_, i), End::Member(_, j)) if i != j)
                }
                _ => a != b,
            };
            let links = links.into_iter().filter(|(a, b, ..)| apart(*a, *b)).collect();
            Stated { rows, fabrics, links }
        })
    })
}

/// The members of a row of one machine are the row itself.
fn normal(stated: &Stated) -> Stated {
    let end = |end: End| match end {
        End::Row(row) if stated.rows[row] == 1 => End::Member(row, 1),
        other => other,
    };
    let links = stated.links.iter().map(|(a, b, rate, count)| (end(*a), end(*b), *rate, *count));
    Stated { links: links.collect(), ..stated.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn sets_agree_with_breadth_first_search_over_single_machines(stated in stated()) {
        let topology = stated.topology().unwrap();
        for reading in [Reading::Port, Reading::Bundle, Reading::Injection] {
            let slow = normal(&stated).sets(reading, LIMIT).map(|sets| expected(&sets));
            prop_assert_eq!(found(&topology, reading, LIMIT), slow, "{:?}", reading);
        }
    }

    #[test]
    fn components_cover_all_machines_and_each_reading_joins_what_the_one_before_does(stated in stated()) {
        let topology = stated.topology().unwrap();
        let all: u64 = stated.rows.iter().sum();
        let sets = |reading| normal(&stated).sets(reading, LIMIT);
        let (port, bundle) = (sets(Reading::Port).unwrap(), sets(Reading::Bundle).unwrap());
        prop_assert_eq!(port.iter().map(BTreeSet::len).sum::<usize>() as u64, all);
        let refines = |fine: &BTreeSet<BTreeSet<_>>, coarse: &BTreeSet<BTreeSet<_>>| {
            fine.iter().all(|set| coarse.iter().any(|other| set.is_subset(other)))
        };
        prop_assert!(refines(&port, &bundle));
        if let Some(injection) = sets(Reading::Injection) {
            prop_assert!(refines(&bundle, &injection));
            prop_assert!(found(&topology, Reading::Bundle, LIMIT).unwrap().0 <= found(&topology, Reading::Injection, LIMIT).unwrap().0);
        }
    }

    #[test]
    fn relabelling_changes_nothing(stated in stated(), seed in any::<u64>()) {
        // Rows, switches and links in another order, with other names.
        let turned = |len: usize| (0..len).map(|at| (at + usize::try_from(seed % 7).unwrap()) % len.max(1)).collect::<Vec<_>>();
        let switches = turned(stated.fabrics.len());
        let end = |end: End| match end {
            End::Switch(switch) => End::Switch(switches[switch]),
            other => other,
        };
        let mut fabrics = stated.fabrics.clone();
        for (at, to) in switches.iter().enumerate() {
            fabrics[*to] = stated.fabrics[at];
        }
        let mut links: Vec<_> = stated.links.iter().map(|(a, b, r, c)| (end(*a), end(*b), *r, *c)).collect();
        links.reverse();
        let other = Stated { fabrics, links, rows: stated.rows.clone() };
        let (one, other) = (stated.topology().unwrap(), other.topology().unwrap());
        for reading in [Reading::Port, Reading::Bundle, Reading::Injection] {
            prop_assert_eq!(found(&one, reading, LIMIT), found(&other, reading, LIMIT));
        }
    }

    #[test]
    fn a_link_more_never_lowers_and_a_machine_less_never_raises_the_greatest_sum(stated in stated()) {
        let whole = stated.topology().unwrap();
        let mut fewer_links = stated.clone();
        fewer_links.links.pop();
        let mut fewer_machines = stated.clone();
        let last = stated.rows.len() - 1;
        let keeps = |end: &End| !matches!(end, End::Row(row) | End::Member(row, _) if *row == last);
        fewer_machines.rows.pop();
        fewer_machines.links.retain(|(a, b, ..)| keeps(a) && keeps(b));
        for reading in [Reading::Port, Reading::Bundle, Reading::Injection] {
            let Some((greatest, _)) = found(&whole, reading, LIMIT) else { continue };
            // A link between switches may make one fabric of two, so the smaller network may be refused.
            if let Some((less, _)) = found(&fewer_links.topology().unwrap(), reading, LIMIT) {
                prop_assert!(less <= greatest, "{:?}", reading);
            }
            if let Some((less, _)) = fewer_machines.topology().and_then(|t| found(&t, reading, LIMIT)) {
                prop_assert!(less <= greatest, "{:?}", reading);
            }
        }
    }

    #[test]
    fn a_higher_limit_only_refines(stated in stated(), low in 50..400_u64, more in 0..200_u64) {
        let topology = stated.topology().unwrap();
        for reading in [Reading::Port, Reading::Bundle, Reading::Injection] {
            let stated = normal(&stated);
            let (Some(coarse), Some(fine)) = (stated.sets(reading, low), stated.sets(reading, low + more)) else { continue };
            prop_assert!(fine.iter().all(|set| coarse.iter().any(|other| set.is_subset(other))));
            prop_assert_eq!(found(&topology, reading, low), Some(expected(&coarse)));
            prop_assert_eq!(found(&topology, reading, low + more), Some(expected(&fine)));
        }
    }

    #[test]
    fn the_cut_of_a_small_network_is_the_least_that_any_removal_reaches(
        links in prop::collection::vec((0..5_usize, 0..5_usize, 1..4_u32), 4..9),
        allowed in 2..5_u128,
    ) {
        // Five machines of rate one and links of 400; every subset of removals is tried.
        let links: Vec<_> = links.into_iter().filter(|(a, b, _)| a != b).collect();
        let net = |links: &[(usize, usize, u32)]| {
            let links = links.iter().map(|(a, b, count)| (End::Row(*a.min(b)), End::Row(*a.max(b)), 400, *count));
            Stated { rows: vec![1; 5], fabrics: Vec::new(), links: links.collect() }
        };
        let topology = net(&links).topology().unwrap();
        let limit = BitRate::new(LIMIT.into());
        let largest = |links: &[(usize, usize, u32)]| {
            let sets = normal(&net(links)).sets(Reading::Port, LIMIT).unwrap();
            sets.iter().map(BTreeSet::len).max().unwrap_or(0) as u128
        };
        let greatest = largest(&links);
        prop_assume!(greatest > allowed);
        let sets = components(&topology, &Bundles::of(&topology).unwrap(), limit, Reading::Injection).unwrap();
        let set = (0..5).find(|at| sets.set.iter().filter(|s| **s == sets.set[*at]).count() as u128 == greatest).unwrap();
        let one = |_: &Build| ExactOpRate::new(1);
        let cut = smallest_cut(&topology, &sets, (sets.set[set], limit), ExactOpRate::new(allowed), one).unwrap().unwrap();
        let mut least = u128::MAX;
        for gone in 0..1_u32 << links.len() {
            let left: Vec<_> = (0..links.len()).filter(|at| gone >> at & 1 == 0).map(|at| links[at]).collect();
            let cost: u128 = (0..links.len()).filter(|at| gone >> at & 1 == 1).map(|at| u128::from(links[at].2)).sum();
            if cost < least && largest(&left) <= allowed {
                least = cost;
            }
        }
        prop_assert!(!cut.upper_bound || cut.links == 1);
        prop_assert_eq!(cut.links, least);
    }
}

#[test]
fn a_switch_without_machines_is_no_component() {
    let stated = Stated {
        rows: vec![1],
        fabrics: vec![None, None],
        links: vec![(End::Switch(0), End::Switch(1), 400, 1)],
    };
    assert_eq!(found(&stated.topology().unwrap(), Reading::Injection, LIMIT), Some((1, 1)));
}

#[test]
fn a_cut_between_pods_is_found_where_every_division_would_be_too_many() {
    // Three pods of eight machines on a leaf each, two links from leaf to spine: taking one pod off takes two.
    let mut links = Vec::new();
    for machine in 0..24 {
        links.push((End::Row(machine), End::Switch(machine / 8), 400, 1));
    }
    for leaf in 0..3 {
        links.push((End::Switch(leaf), End::Switch(3), 400, 2));
    }
    let topology = Stated { rows: vec![1; 24], fabrics: vec![None; 4], links }.topology().unwrap();
    let limit = BitRate::new(LIMIT.into());
    let sets = components(&topology, &Bundles::of(&topology).unwrap(), limit, Reading::Injection).unwrap();
    let one = |_: &Build| ExactOpRate::new(1);
    let cut = |allowed| {
        smallest_cut(&topology, &sets, (sets.set[0], limit), ExactOpRate::new(allowed), one).unwrap().unwrap()
    };
    assert_eq!((cut(16).links, cut(16).upper_bound), (2, true));
    assert_eq!(cut(23).links, 1, "one machine is cheaper than a pod");
}

//! Machines and switches that stand alike, and the links between them: a topology small enough to be drawn.
//!
//! Two vertices stand alike when their hardware, place and set are equal and their links go to vertices that stand
//! alike (colour refinement). It is refined only as far as the number of groups can be drawn.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::reading::{Components, Reading, components, fabrics};
use super::survey::SurveyError;
use super::topology::{Topology, Vertex};
use super::{Bundle, Bundles};
use crate::units::BitRate;

/// Most groups that can be told apart in a drawing.
const MOST: usize = 24;
/// Most rounds; a chain of switches needs as many as it is long.
const ROUNDS: usize = 16;
/// Sets, the greatest first, whose vertices are never put into one group.
const SETS: usize = 6;

/// A topology with what stands alike put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// What a link must exceed, in bits per second.
    pub limit_bit_per_s: BitRate,
    /// Whether everything in a group has the same links; otherwise groups were merged so that they can be drawn.
    pub exact: bool,
    /// Groups, machines first.
    pub groups: Vec<Group>,
    /// Links between and within them.
    pub links: Vec<GroupLink>,
}

/// What a group is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// Machines.
    Machines,
    /// Switches.
    Switches,
}

/// Machines or switches that stand alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Machines or switches.
    pub kind: GroupKind,
    /// First name of its rows, or its only one.
    pub first: String,
    /// Last name of its rows; null for one row.
    pub last: Option<String>,
    /// Machines or switches in it.
    pub members: u128,
    /// Accelerators in it.
    pub accelerators: u128,
}

/// Links of one pair of groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupLink {
    /// Place of one group in the list of groups, from 0.
    pub from: usize,
    /// Place of the other; the same for links within a group.
    pub to: usize,
    /// Pairs of ends that are linked; each machine of a row is an end.
    pub pairs: u128,
    /// Rate of the fastest physical link, in bits per second.
    pub fastest_bit_per_s: BitRate,
    /// Least sum of the parallel links of a pair, in bits per second.
    pub least_pair_bit_per_s: BitRate,
    /// Greatest sum of the parallel links of a pair, in bits per second.
    pub greatest_pair_bit_per_s: BitRate,
    /// Readings under which all of these links join their ends.
    pub joins: Vec<Reading>,
}

/// The groups of `topology` for links above `limit`.
///
/// Errors: [`SurveyError`] for a fabric that is none and for sums that do not fit.
pub fn groups(topology: &Topology, limit: BitRate) -> Result<Groups, SurveyError> {
    let bundles = Bundles::of(topology)?;
    let sets = components(topology, &bundles, limit, Reading::Injection)?;
    let (colours, exact) = refined(topology, &bundles, &sets);
    let injected = injected(topology, &bundles, limit)?;
    let mut links: HashMap<(u32, u32), GroupLink> = HashMap::new();
    for (bundle, injected) in bundles.0.iter().zip(injected) {
        let ends = [colours[bundle.a.index()], colours[bundle.b.index()]];
        let (from, to) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let joins = [
            (Reading::Port, bundle.greatest() > limit),
            (Reading::Bundle, bundle.sum() > limit),
            (Reading::Injection, injected || bundle.sum() > limit),
        ];
        let link = links.entry((from, to)).or_insert_with(|| GroupLink {
            from: from as usize,
            to: to as usize,
            pairs: 0,
            fastest_bit_per_s: bundle.greatest(),
            least_pair_bit_per_s: bundle.sum(),
            greatest_pair_bit_per_s: bundle.sum(),
            joins: joins.iter().map(|(reading, _)| *reading).collect(),
        });
        // A row linked to a row is each machine of the one to each of the other.
        let pairs = u128::from(count(topology, bundle.a)) * u128::from(count(topology, bundle.b));
        link.pairs = link.pairs.checked_add(pairs).ok_or(SurveyError::Overflow("linked pairs"))?;
        link.fastest_bit_per_s = link.fastest_bit_per_s.max(bundle.greatest());
        link.least_pair_bit_per_s = link.least_pair_bit_per_s.min(bundle.sum());
        link.greatest_pair_bit_per_s = link.greatest_pair_bit_per_s.max(bundle.sum());
        link.joins.retain(|reading| joins.contains(&(*reading, true)));
    }
    let mut links: Vec<_> = links.into_values().collect();
    links.sort_by_key(|link| (link.from, link.to));
    Ok(Groups { limit_bit_per_s: limit, exact, groups: described(topology, &colours), links })
}

/// Machines at a vertex; a switch is one.
fn count(topology: &Topology, end: Vertex) -> u64 {
    topology.class(end).map_or(1, |class| class.count)
}

/// For each bundle whether it is a machine's into a fabric into which its links together exceed `limit`.
fn injected(topology: &Topology, bundles: &Bundles, limit: BitRate) -> Result<Vec<bool>, SurveyError> {
    let fabrics = fabrics(topology, bundles, limit)?;
    let into = |bundle: &Bundle| {
        topology.class(bundle.a)?;
        let fabric = *fabrics.get(bundle.b.index().checked_sub(topology.classes.len())?)?;
        Some((bundle.a.0, fabric))
    };
    let mut sums: HashMap<(u32, u32), u128> = HashMap::new();
    for bundle in &bundles.0 {
        if let Some(key) = into(bundle) {
            *sums.entry(key).or_default() += bundle.sum().get();
        }
    }
    let above = |bundle: &Bundle| into(bundle).is_some_and(|key| sums[&key] > limit.get());
    Ok(bundles.0.iter().map(above).collect())
}

/// The finest colours that can be drawn, and whether refining them further changes nothing.
fn refined(topology: &Topology, bundles: &Bundles, sets: &Components) -> (Vec<u32>, bool) {
    let vertices = topology.vertices();
    let machine = |at: usize| topology.classes.get(at);
    let fabric = |at: usize| topology.switches.get(at.checked_sub(topology.classes.len())?)?.fabric;
    let great = great_sets(topology, sets);
    let kind = |at: usize| machine(at).is_some();
    let hardware = |at: usize| (kind(at), machine(at).map(|class| class.build), fabric(at));
    let place = |at: usize| {
        let set = great.iter().position(|set| *set == sets.set[at]);
        (hardware(at), machine(at).map(|class| class.place), set)
    };
    let mut best = numbered(vertices, |at| !kind(at)).unwrap_or_default();
    for next in [numbered(vertices, hardware), numbered(vertices, place)] {
        let Some(next) = next else { return (best, false) };
        best = next;
    }
    for _ in 0..ROUNDS {
        let sums = neighbours(topology, bundles, &best);
        let Some(next) = numbered(vertices, |at| (best[at], sums[at])) else { return (best, false) };
        if next == best {
            return (best, true);
        }
        best = next;
    }
    (best, false)
}

/// Numbers of equal keys in order of first appearance; `None` for more than can be drawn.
fn numbered<K: Hash + Eq>(vertices: usize, key: impl Fn(usize) -> K) -> Option<Vec<u32>> {
    let mut known: HashMap<K, u32> = HashMap::new();
    let mut numbers = Vec::with_capacity(vertices);
    for at in 0..vertices {
        let next = u32::try_from(known.len()).ok()?;
        let number = *known.entry(key(at)).or_insert(next);
        if number as usize >= MOST {
            return None;
        }
        numbers.push(number);
    }
    Some(numbers)
}

/// For each vertex a sum over its links, to each machine of a row, that is equal for equal neighbours in any order.
fn neighbours(topology: &Topology, bundles: &Bundles, colours: &[u32]) -> Vec<u64> {
    let hasher = foldhash::quality::FixedState::default();
    let mut sums = vec![0_u64; colours.len()];
    for bundle in &bundles.0 {
        for (end, other) in [(bundle.a, bundle.b), (bundle.b, bundle.a)] {
            let seen = (colours[other.index()], bundle.greatest().get(), bundle.sum().get());
            let all = hasher.hash_one(seen).wrapping_mul(count(topology, other));
            sums[end.index()] = sums[end.index()].wrapping_add(all);
        }
    }
    sums
}

/// The sets with the most accelerators, greatest first.
fn great_sets(topology: &Topology, sets: &Components) -> Vec<u32> {
    let mut sums: HashMap<u32, u128> = HashMap::new();
    for (at, class) in topology.classes.iter().enumerate().filter(|(at, _)| sets.joined[*at]) {
        let accelerators = u128::from(topology.build(class).accelerators) * u128::from(class.count);
        *sums.entry(sets.set[at]).or_default() += accelerators;
    }
    let mut all: Vec<(u32, u128)> = sums.into_iter().collect();
    all.sort_by(|x, y| y.1.cmp(&x.1).then(x.0.cmp(&y.0)));
    all.into_iter().take(SETS).map(|(set, _)| set).collect()
}

fn described(topology: &Topology, colours: &[u32]) -> Vec<Group> {
    let most = colours.iter().max().map_or(0, |colour| *colour as usize + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); most];
    for (at, colour) in colours.iter().enumerate() {
        members[*colour as usize].push(at);
    }
    let one = |members: &Vec<usize>| {
        let classes = || members.iter().filter_map(|at| topology.classes.get(*at));
        let name =
            |at: &usize| u32::try_from(*at).map_or_else(|_| String::new(), |at| topology.name(Vertex(at)));
        let machines = classes().next().is_some();
        let count: u128 = classes().map(|class| u128::from(class.count)).sum();
        let accelerators =
            classes().map(|class| u128::from(class.count) * u128::from(topology.build(class).accelerators));
        Group {
            kind: if machines { GroupKind::Machines } else { GroupKind::Switches },
            first: members.first().map(name).unwrap_or_default(),
            last: members.last().filter(|_| members.len() > 1).map(name),
            members: if machines { count } else { members.len() as u128 },
            accelerators: accelerators.sum(),
        }
    };
    members.iter().map(one).collect()
}

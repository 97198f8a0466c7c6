//! The smallest set of links whose removal brings the largest set of machines under a limit.
//!
//! Exact for up to nine machines and switches, all single: every division into parts is tried. Above that the
//! least of minimum cuts between heavy parts and of taking machines off one by one, which is a bound.

use petgraph::algo::dinics;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Bfs, EdgeRef};

use super::reading::{FabricSplit, fabrics};
use super::topology::{Topology, Vertex};
use super::{Bundles, Components};
use crate::units::{BitRate, ExactOpRate};

/// Most parts for which every division is tried: 21,147 of them.
const EXACT_PARTS: usize = 9;
/// Most parts for which minimum cuts are computed.
const FLOW_PARTS: usize = 20_000;
/// Heavy parts between which minimum cuts are computed, each pair once.
const HEAVY: usize = 6;
/// Places of a cut that are named.
const LISTED: usize = 20;

/// Links to remove.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// How many physical links.
    pub links: u128,
    /// Whether fewer might do.
    pub upper_bound: bool,
    /// Where they are: `from`, `to`, how many; at most twenty entries.
    pub between: Vec<(String, String, u128)>,
}

/// Several machines, or switches of one fabric, that no cut tells apart.
#[derive(Debug, Clone)]
struct Part {
    name: String,
    rate: u128,
    machines: u64,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    a: usize,
    b: usize,
    links: u128,
}

#[derive(Debug, Default)]
struct Parts {
    parts: Vec<Part>,
    edges: Vec<Edge>,
    /// Whether an edge counts all its links where fewer might do.
    loose: bool,
}

/// The smallest cut of the set `set` of the injection reading after which no part sums to more than `allowed`.
///
/// `rate` is what of a machine is summed. `None` when it is under it already or one machine alone is not.
/// Errors: [`FabricSplit`] as of the reading.
pub fn smallest_cut(
    topology: &Topology,
    components: &Components,
    (set, limit): (u32, BitRate),
    allowed: ExactOpRate,
    rate: impl Fn(&super::Build) -> ExactOpRate,
) -> Result<Option<Cut>, FabricSplit> {
    // A bundle that does not fit was refused when the set was made.
    let bundles = Bundles::of(topology).unwrap_or_default();
    let fabrics = fabrics(topology, &bundles, limit)?;
    let parts = parts(topology, components, (set, limit), (&bundles, &fabrics), rate);
    let total = parts.parts.iter().try_fold(0_u128, |sum, part| sum.checked_add(part.weight()?));
    if total.is_none_or(|total| total <= allowed.get()) {
        return Ok(None);
    }
    let single = parts.parts.iter().all(|part| part.machines <= 1) && !parts.loose;
    let mut best = if parts.parts.len() <= EXACT_PARTS { divisions(&parts, allowed.get()) } else { None };
    let exact = single && best.is_some();
    if !exact {
        let flows = if parts.parts.len() <= FLOW_PARTS { flow_cut(&parts, allowed.get()) } else { None };
        let taken = take_off(&parts, allowed.get(), &|_| true);
        best = [best, flows, taken].into_iter().flatten().min_by_key(|cut| cut.links);
    }
    Ok(best.map(|mut cut| {
        cut.between.truncate(LISTED);
        Cut { upper_bound: !exact && cut.links > 1, ..cut }
    }))
}

impl Part {
    fn weight(&self) -> Option<u128> {
        self.rate.checked_mul(u128::from(self.machines))
    }

    fn sum(&self) -> u128 {
        self.weight().unwrap_or(u128::MAX)
    }
}

fn parts(
    topology: &Topology,
    components: &Components,
    (set, limit): (u32, BitRate),
    (bundles, fabrics): (&Bundles, &[u32]),
    rate: impl Fn(&super::Build) -> ExactOpRate,
) -> Parts {
    let classes = topology.classes.len();
    let mut found = Parts::default();
    let mut part_of = vec![usize::MAX; topology.vertices()];
    let mut of_fabric = vec![usize::MAX; topology.fabrics.len()];
    // A class without a qualifying link is as many sets as it has machines, and no cut divides a machine.
    let inside = |at: &usize| components.set[*at] == set && components.joined[*at];
    for (at, class) in topology.classes.iter().enumerate().filter(|(at, _)| inside(at)) {
        part_of[at] = found.parts.len();
        let (name, rate) = (topology.names.text(class.name), rate(topology.build(class)).get());
        found.parts.push(Part { name, rate, machines: class.count });
    }
    for (at, switch) in
        topology.switches.iter().enumerate().filter(|(at, _)| components.set[classes + at] == set)
    {
        let known = switch.fabric.map(|fabric| fabric as usize).filter(|f| of_fabric[*f] != usize::MAX);
        part_of[classes + at] = known.map_or(found.parts.len(), |fabric| of_fabric[fabric]);
        if known.is_none() {
            let name = switch.fabric.map(|fabric| topology.fabrics[fabric as usize].clone());
            let name = name.unwrap_or_else(|| topology.names.text(switch.name));
            found.parts.push(Part { name, rate: 0, machines: 1 });
            if let Some(fabric) = switch.fabric {
                of_fabric[fabric as usize] = part_of[classes + at];
            }
        }
    }
    for links in bundles.0.chunk_by(|x, y| x.a == y.a) {
        found.edges_from(topology, links, &part_of, fabrics, limit);
    }
    found
}

impl Parts {
    /// Edges of one vertex, its links into one declared fabric taken together.
    fn edges_from(
        &mut self,
        topology: &Topology,
        links: &[super::Bundle],
        part_of: &[usize],
        fabrics: &[u32],
        limit: BitRate,
    ) {
        let classes = topology.classes.len();
        let a = links[0].a;
        let from = part_of[a.index()];
        let mut ends: Vec<(usize, Vertex)> = links.iter().map(|l| (part_of[l.b.index()], l.b)).collect();
        ends.retain(|(to, _)| *to != usize::MAX && *to != from && from != usize::MAX);
        ends.sort_unstable();
        // Links of a machine into one fabric count together; between switches each pair stands alone.
        for same in ends.chunk_by(|x, y| x.0 == y.0 && a.index() < classes) {
            let to = same[0].0;
            let in_it = |end: Vertex| same.iter().any(|(_, other)| *other == end);
            let sum: u128 = links.iter().filter(|l| in_it(l.b)).map(|l| l.sum().get()).sum();
            let fabric = |end: &Vertex| end.index().checked_sub(classes).map(|switch| fabrics[switch]);
            let mine = |end: &Vertex| fabric(end).is_some() && fabric(end) == fabric(&same[0].1);
            let alone =
                a.index() >= classes || ends.iter().filter(|(_, end)| mine(end)).count() <= same.len();
            if alone && sum <= limit.get() {
                continue;
            }
            let ends: Vec<Vertex> = same.iter().map(|(_, end)| *end).collect();
            // Into switches of one undeclared fabric the links count together, so each is taken whole.
            let links =
                if alone { links_to_cut(topology, a, &ends, limit) } else { all_links(topology, a, &ends) };
            self.loose |= !alone;
            let times = |vertex: Vertex| topology.class(vertex).map_or(1, |class| u128::from(class.count));
            self.edges.push(Edge { a: from, b: to, links: links * times(a) * times(same[0].1) });
        }
    }
}

/// Links from `a` to `ends` by rate, fastest first, each listed once.
fn rates(topology: &Topology, a: Vertex, ends: &[Vertex]) -> Vec<(u128, u128)> {
    let start = topology.links.partition_point(|link| link.a < a);
    let mine = topology.links[start..].iter().take_while(|link| link.a == a);
    let mine: Vec<_> = mine.filter(|link| ends.contains(&link.b)).collect();
    let mut found = Vec::new();
    for same in mine.chunk_by(|x, y| (x.b, x.grade) == (y.b, y.grade)) {
        let grade = &topology.grades[same[0].grade as usize];
        let counted =
            |reversed| same.iter().filter(|l| l.reversed == reversed).map(|l| u128::from(l.count)).sum();
        let count = u128::max(counted(false), counted(true));
        if grade.down.is_none() {
            found.push((grade.rate.get(), count));
        }
    }
    found.sort_unstable_by(|x, y| y.cmp(x));
    found
}

fn all_links(topology: &Topology, a: Vertex, ends: &[Vertex]) -> u128 {
    rates(topology, a, ends).iter().map(|(_, count)| count).sum()
}

/// Fewest links whose removal leaves no more than `limit`.
fn links_to_cut(topology: &Topology, a: Vertex, ends: &[Vertex], limit: BitRate) -> u128 {
    let rates = rates(topology, a, ends);
    let sum: u128 = rates.iter().map(|(rate, count)| rate * count).sum();
    let mut over = sum.saturating_sub(limit.get());
    let mut removed = 0;
    for (rate, count) in rates.into_iter().filter(|(rate, _)| *rate > 0) {
        let need = over.div_ceil(rate).min(count);
        removed += need;
        over = over.saturating_sub(need * rate);
    }
    removed
}

impl Parts {
    fn cut(&self, side: &[usize]) -> Cut {
        let crossing: Vec<&Edge> = self.edges.iter().filter(|edge| side[edge.a] != side[edge.b]).collect();
        let name = |part: usize| self.parts[part].name.clone();
        Cut {
            links: crossing.iter().map(|edge| edge.links).sum(),
            upper_bound: true,
            between: crossing.iter().map(|edge| (name(edge.a), name(edge.b), edge.links)).collect(),
        }
    }
}

/// The best of all divisions of the parts into groups of at most `allowed`.
fn divisions(parts: &Parts, allowed: u128) -> Option<Cut> {
    let mut best: Option<Cut> = None;
    let mut side = vec![0; parts.parts.len()];
    divide(parts, allowed, 0, 0, &mut side, &mut best);
    best
}

fn divide(
    parts: &Parts,
    allowed: u128,
    at: usize,
    groups: usize,
    side: &mut [usize],
    best: &mut Option<Cut>,
) {
    if at == side.len() {
        let cut = parts.cut(side);
        if best.as_ref().is_none_or(|best| cut.links < best.links) {
            *best = Some(cut);
        }
        return;
    }
    for group in 0..=groups {
        side[at] = group;
        let mine = (0..=at).filter(|part| side[*part] == group);
        let sum = mine.fold(0_u128, |sum, part| sum.saturating_add(parts.parts[part].sum()));
        if sum <= allowed {
            divide(parts, allowed, at + 1, groups.max(group + 1), side, best);
        }
    }
}

/// The least of minimum cuts between pairs of heavy parts and between two halves, each side then brought under
/// `allowed` by taking machines off.
fn flow_cut(parts: &Parts, allowed: u128) -> Option<Cut> {
    let mut graph: DiGraph<(), u64> = DiGraph::new();
    let nodes: Vec<NodeIndex> = parts.parts.iter().map(|_| graph.add_node(())).collect();
    for edge in &parts.edges {
        let links = u64::try_from(edge.links).unwrap_or(u64::MAX);
        graph.add_edge(nodes[edge.a], nodes[edge.b], links);
        graph.add_edge(nodes[edge.b], nodes[edge.a], links);
    }
    let mut heavy: Vec<usize> = (0..parts.parts.len()).filter(|part| parts.parts[*part].rate > 0).collect();
    heavy.sort_by_key(|part| std::cmp::Reverse(parts.parts[*part].sum()));
    heavy.truncate(HEAVY);
    let mut pairs: Vec<(NodeIndex, NodeIndex)> = Vec::new();
    for (at, one) in heavy.iter().enumerate() {
        pairs.extend(heavy[at + 1..].iter().map(|other| (nodes[*one], nodes[*other])));
    }
    pairs.extend(halves(parts, allowed, &nodes, &mut graph));
    let mut best: Option<Cut> = None;
    for (one, other) in pairs {
        let (_, flows) = dinics(&graph, one, other);
        let side = reachable(&graph, &flows, one.index(), graph.node_count());
        let mut cut = parts.cut(&side);
        // A side that is still above the limit loses machines one by one.
        let rests = [0, 1].map(|group| take_off(parts, allowed, &|part| side[part] == group));
        let [Some(one), Some(other)] = rests else { continue };
        cut.links += one.links + other.links;
        cut.between.extend(one.between.into_iter().chain(other.between));
        if best.as_ref().is_none_or(|best| cut.links < best.links) {
            best = Some(cut);
        }
    }
    best
}

/// Two new nodes that hold the machines of two halves together: in the order in which a search from the first
/// machine meets them, just so many on the one side that the other is at most `allowed`.
fn halves(
    parts: &Parts,
    allowed: u128,
    nodes: &[NodeIndex],
    graph: &mut DiGraph<(), u64>,
) -> Option<(NodeIndex, NodeIndex)> {
    let start = parts.parts.iter().position(|part| part.rate > 0)?;
    let mut search = Bfs::new(&*graph, nodes[start]);
    let mut order = Vec::new();
    while let Some(node) = search.next(&*graph) {
        order.push(node.index());
    }
    let mut left = parts.parts.iter().fold(0_u128, |sum, part| sum.saturating_add(part.sum()));
    let (one, other) = (graph.add_node(()), graph.add_node(()));
    for part in order.into_iter().filter(|part| parts.parts[*part].rate > 0) {
        let half = if left > allowed { one } else { other };
        left = left.saturating_sub(parts.parts[part].sum());
        // More than all links of a cut together, so that no machine leaves its half.
        graph.add_edge(half, nodes[part], u64::MAX / 4);
        graph.add_edge(nodes[part], half, u64::MAX / 4);
    }
    Some((one, other))
}

/// One for each part that can be reached from `start` through edges with flow to spare.
fn reachable(graph: &DiGraph<(), u64>, flows: &[u64], start: usize, parts: usize) -> Vec<usize> {
    let mut side = vec![0; parts];
    let mut left = vec![start];
    side[start] = 1;
    while let Some(part) = left.pop() {
        for edge in graph.edges(NodeIndex::new(part)) {
            let to = edge.target().index();
            if side[to] == 0 && *edge.weight() > flows[edge.id().index()] {
                side[to] = 1;
                left.push(to);
            }
        }
    }
    side
}

/// Takes machines off, those with the most rate for each link first, until the rest of the `inside` parts is at
/// most `allowed`; `None` when one machine alone is above it.
fn take_off(parts: &Parts, allowed: u128, inside: &dyn Fn(usize) -> bool) -> Option<Cut> {
    let mut cost = vec![0_u128; parts.parts.len()];
    for edge in &parts.edges {
        cost[edge.a] += edge.links;
        cost[edge.b] += edge.links;
    }
    let armed = |part: &usize| inside(*part) && parts.parts[*part].rate > 0;
    let mut order: Vec<usize> = (0..parts.parts.len()).filter(armed).collect();
    if order.iter().any(|part| parts.parts[*part].rate > allowed) {
        return None;
    }
    let each = |part: usize| cost[part] / u128::from(parts.parts[part].machines.max(1));
    // Compared as rate per link without dividing; a rate of 1e17 times a count of links fits.
    order.sort_by(|x, y| {
        let worth = |part: usize, other: usize| parts.parts[part].rate.saturating_mul(each(other));
        worth(*y, *x).cmp(&worth(*x, *y))
    });
    let total = order.iter().fold(0_u128, |sum, part| sum.saturating_add(parts.parts[*part].sum()));
    let mut over = total.saturating_sub(allowed);
    let mut cut = Cut { links: 0, upper_bound: true, between: Vec::new() };
    for part in order {
        if over == 0 {
            break;
        }
        let taken = &parts.parts[part];
        let machines = over.div_ceil(taken.rate).min(taken.machines.into());
        let links = machines * each(part);
        cut.links += links;
        cut.between.push((format!("{machines} machines of {}", taken.name), "everything".to_owned(), links));
        over = over.saturating_sub(machines * taken.rate);
    }
    Some(cut)
}

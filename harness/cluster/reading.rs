//! Sets of machines that qualifying links connect, under each reading of "networking of greater than".

use petgraph::unionfind::UnionFind;
use serde::{Deserialize, Serialize};

use super::topology::{Topology, Vertex};
use super::{Bundle, Bundles};
use crate::units::BitRate;

/// What must be faster than the limit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// One physical link.
    Port,
    /// Parallel links between the same two ends.
    Bundle,
    /// All links of one machine into one fabric; other ends as [`Self::Bundle`].
    Injection,
    /// The narrowest bundle of a path after oversubscription; for information only.
    Path,
}

impl Reading {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Bundle => "bundle",
            Self::Injection => "injection",
            Self::Path => "path",
        }
    }
}

/// Why a declared fabric is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "fabric '{fabric}': its switches '{one}' and '{other}' are joined only by {rate}, which is not above {limit}; \
     declare them as two fabrics"
)]
pub struct FabricSplit {
    /// The fabric.
    pub fabric: String,
    /// A switch.
    pub one: String,
    /// Another.
    pub other: String,
    /// What joins them.
    pub rate: BitRate,
    /// What would have to be exceeded.
    pub limit: BitRate,
}

/// For each vertex the set that it belongs to.
#[derive(Debug, Clone)]
pub struct Components {
    /// A vertex that stands for the set.
    pub set: Vec<u32>,
    /// Whether a class has a qualifying link; one without is as many sets as it has machines.
    pub joined: Vec<bool>,
}

/// The sets under `reading`; for [`Reading::Path`] the bundles must be the oversubscribed ones.
///
/// Errors: [`FabricSplit`] for a declared fabric that its own links do not make one, under [`Reading::Injection`].
pub fn components(
    topology: &Topology,
    bundles: &Bundles,
    limit: BitRate,
    reading: Reading,
) -> Result<Components, FabricSplit> {
    let mut sets = Sets::new(topology);
    let above = |bundle: &Bundle| bundle.sum() > limit;
    match reading {
        Reading::Port => sets.join_where(bundles, |bundle| bundle.greatest() > limit),
        Reading::Bundle | Reading::Path => sets.join_where(bundles, above),
        Reading::Injection => {
            let fabrics = fabrics(topology, bundles, limit)?;
            let classes = topology.classes.len();
            sets.join_where(bundles, |bundle| {
                let one_machine = bundle.a.index() < classes && bundle.b.index() >= classes;
                !one_machine && above(bundle)
            });
            sets.join_fabrics(topology, &fabrics);
            sets.inject(bundles, &fabrics, limit);
        }
    }
    Ok(Components { set: sets.sets.into_labeling(), joined: sets.joined })
}

struct Sets {
    sets: UnionFind<u32>,
    joined: Vec<bool>,
}

impl Sets {
    fn new(topology: &Topology) -> Self {
        Self { sets: UnionFind::new(topology.vertices()), joined: vec![false; topology.classes.len()] }
    }

    fn join(&mut self, a: Vertex, b: Vertex) {
        self.sets.union(a.0, b.0);
        for end in [a, b] {
            if let Some(joined) = self.joined.get_mut(end.index()) {
                *joined = true;
            }
        }
    }

    fn join_where(&mut self, bundles: &Bundles, qualifies: impl Fn(&Bundle) -> bool) {
        for bundle in bundles.0.iter().filter(|bundle| qualifies(bundle)) {
            self.join(bundle.a, bundle.b);
        }
    }

    /// All switches of one declared fabric are one vertex.
    fn join_fabrics(&mut self, topology: &Topology, fabrics: &[u32]) {
        let classes = topology.classes.len();
        let mut first: Vec<Option<u32>> = vec![None; topology.fabrics.len() + topology.switches.len()];
        for (switch, fabric) in fabrics.iter().enumerate() {
            let vertex = vertex(classes + switch);
            match first[*fabric as usize] {
                Some(other) => {
                    self.sets.union(other, vertex);
                }
                None => first[*fabric as usize] = Some(vertex),
            }
        }
    }

    /// Joins each machine to the fabrics into which its links together exceed the limit.
    fn inject(&mut self, bundles: &Bundles, fabrics: &[u32], limit: BitRate) {
        let classes = self.joined.len();
        let mut into: Vec<(u32, Vertex, u128)> = Vec::new();
        for links in bundles.0.chunk_by(|x, y| x.a == y.a) {
            let machine = links[0].a;
            if machine.index() >= classes {
                break;
            }
            into.clear();
            let to_switches = links.iter().filter(|bundle| bundle.b.index() >= classes);
            into.extend(to_switches.map(|l| (fabrics[l.b.index() - classes], l.b, l.sum().get())));
            into.sort_unstable();
            for same in into.chunk_by(|x, y| x.0 == y.0) {
                let sum: u128 = same.iter().map(|(.., sum)| sum).sum();
                if sum > limit.get() {
                    self.join(machine, same[0].1);
                }
            }
        }
    }
}

/// For each switch the number of its fabric: a declared one, or the set that qualifying links make of others.
pub(super) fn fabrics(
    topology: &Topology,
    bundles: &Bundles,
    limit: BitRate,
) -> Result<Vec<u32>, FabricSplit> {
    let classes = topology.classes.len();
    let mut trunks = UnionFind::<u32>::new(topology.switches.len());
    let mut own = UnionFind::<u32>::new(topology.switches.len());
    let between = |bundle: &&Bundle| bundle.a.index() >= classes;
    let number = |end: Vertex| vertex(end.index() - classes);
    let declared = |end: Vertex| topology.switch(end).and_then(|switch| switch.fabric);
    // Bundles are in order of their lower end, so those between switches come last.
    let start = bundles.0.partition_point(|bundle| bundle.a.index() < classes);
    for bundle in bundles.0[start..].iter().filter(between).filter(|bundle| bundle.sum() > limit) {
        trunks.union(number(bundle.a), number(bundle.b));
        if declared(bundle.a).is_none() && declared(bundle.b).is_none() {
            own.union(number(bundle.a), number(bundle.b));
        }
    }
    for bundle in bundles.0[start..].iter().filter(between) {
        let (Some(fabric), Some(other)) = (declared(bundle.a), declared(bundle.b)) else { continue };
        if fabric == other && !trunks.equiv(number(bundle.a), number(bundle.b)) {
            return Err(FabricSplit {
                fabric: topology.fabrics[fabric as usize].clone(),
                one: topology.name(bundle.a),
                other: topology.name(bundle.b),
                rate: bundle.sum(),
                limit,
            });
        }
    }
    let first_undeclared = vertex(topology.fabrics.len());
    let fabric = |(at, switch): (usize, &super::topology::Switch)| {
        switch.fabric.unwrap_or_else(|| first_undeclared + own.find(vertex(at)))
    };
    Ok(topology.switches.iter().enumerate().map(fabric).collect())
}

fn vertex(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

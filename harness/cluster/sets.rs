//! The greatest sets of a reading, as files carry them.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::reading::Components;
use super::survey::Totals;
use super::topology::Topology;
use crate::units::ExactOpRate;

/// Most sets that are listed for one reading.
pub(super) const LISTED: usize = 12;
/// Most rows that name a set.
const ROWS: usize = 3;

/// A set of machines with its sums, or several equal ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineSet {
    /// How many equal sets this stands for: more than one for unlinked machines of one row.
    pub count: u128,
    /// Machines of one of them.
    pub machines: u128,
    /// Accelerators of one of them.
    pub accelerators: u128,
    /// 16-bit reading of one of them.
    pub r16_op_per_s: ExactOpRate,
    /// 8-bit reading of one of them.
    pub r8_op_per_s: ExactOpRate,
    /// Highest reading of one of them.
    pub rmax_op_per_s: ExactOpRate,
    /// Its site, where sets are cut at the borders of sites.
    pub site: Option<String>,
    /// Its rows with the machines of each, greatest first, at most three.
    pub rows: Vec<(String, u64)>,
    /// How many rows there are.
    pub rows_in_all: u64,
}

/// A set that was seen while summing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) totals: Totals,
    pub(super) set: u32,
    pub(super) site: Option<u32>,
    pub(super) count: u64,
}

/// The greatest of the sets that were seen, greatest first; of equals the first stays first.
#[derive(Debug, Default)]
pub(super) struct Greatest(pub(super) Vec<Seen>);

impl Greatest {
    pub(super) fn see(&mut self, seen: Seen) {
        let place = self.0.partition_point(|known| known.totals.rank() >= seen.totals.rank());
        if place < LISTED {
            self.0.insert(place, seen);
            self.0.truncate(LISTED);
        }
    }

    /// The same with the names of their rows; `numbers` are those of the sites where sets are cut by them.
    pub(super) fn named(
        &self,
        topology: &Topology,
        found: &Components,
        numbers: Option<&HashMap<&str, u32>>,
    ) -> Vec<MachineSet> {
        let site_of = |at: usize| {
            let site = topology.place(&topology.classes[at]).site.as_deref()?;
            numbers?.get(site).copied()
        };
        let mut places: HashMap<(u32, Option<u32>), Vec<usize>> = HashMap::new();
        for (at, seen) in self.0.iter().enumerate() {
            places.entry((seen.set, seen.site)).or_default().push(at);
        }
        let mut rows: Vec<Vec<(u64, usize)>> = vec![Vec::new(); self.0.len()];
        let mut in_all = vec![0_u64; self.0.len()];
        for (at, class) in topology.classes.iter().enumerate() {
            let (site, machines) = if found.joined[at] { (site_of(at), class.count) } else { (None, 1) };
            for place in places.get(&(found.set[at], site)).into_iter().flatten() {
                in_all[*place] += 1;
                let known = &mut rows[*place];
                let rank = known.partition_point(|(other, _)| *other >= machines);
                if rank < ROWS {
                    known.insert(rank, (machines, at));
                    known.truncate(ROWS);
                }
            }
        }
        let name =
            |(machines, at): &(u64, usize)| (topology.names.text(topology.classes[*at].name), *machines);
        let one = |seen: &Seen, rows: &[(u64, usize)], rows_in_all| MachineSet {
            count: seen.count.into(),
            machines: seen.totals.machines,
            accelerators: seen.totals.accelerators,
            r16_op_per_s: seen.totals.r16,
            r8_op_per_s: seen.totals.r8,
            rmax_op_per_s: seen.totals.rmax,
            site: rows
                .first()
                .filter(|_| seen.site.is_some())
                .and_then(|(_, at)| topology.place(&topology.classes[*at]).site.clone()),
            rows: rows.iter().map(name).collect(),
            rows_in_all,
        };
        self.0.iter().zip(&rows).zip(in_all).map(|((seen, rows), all)| one(seen, rows, all)).collect()
    }
}

//! Which set of operands each launch takes, so that none is still in the cache, and which launches one graph replays.

/// Launches of one graph at least: between two launches by the host lie some microseconds, within a graph about one.
const GRAPH: u64 = 32;

/// Most sets; past it they are so small that no figure of them means anything.
const MOST: u64 = 4096;

/// Sets that launches go through in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rotation {
    sets: u64,
    next: u64,
}

/// What one batch launches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// First graph; those after it follow in turn.
    pub graph: u64,
    /// Replays of graphs.
    pub replays: u64,
    /// Set of the first launch after them; the others follow in turn.
    pub set: u64,
    /// Launches after them.
    pub launches: u64,
    /// Set of the last launch of all.
    pub last: u64,
}

impl Rotation {
    /// As many sets of so many bytes as are more than twice the cache; two where the cache is not known.
    pub fn beyond(cache: u64, set_bytes: u64) -> Self {
        let wanted = (2 * cache / set_bytes.max(1) + 2).min(MOST);
        // Whole graphs go through all sets.
        let sets = if wanted > GRAPH { wanted.next_multiple_of(GRAPH) } else { wanted };
        Self { sets, next: 0 }
    }

    /// Number of sets.
    pub const fn sets(&self) -> u64 {
        self.sets
    }

    /// Number of different graphs.
    pub fn graphs(&self) -> u64 {
        (self.sets / GRAPH).max(1)
    }

    /// Launches of each graph.
    pub fn graph_launches(&self) -> u64 {
        if self.sets < GRAPH { GRAPH / self.sets * self.sets } else { GRAPH }
    }

    /// Set of a graph's first launch.
    pub fn graph_set(&self, graph: u64) -> u64 {
        graph * self.graph_launches() % self.sets
    }

    /// The set after `set`.
    pub const fn after(&self, set: u64) -> u64 {
        (set + 1) % self.sets
    }

    /// Divides a batch into replays and launches, and goes on from there.
    pub fn plan(&mut self, iterations: u64, graphs: bool) -> Plan {
        let each = self.graph_launches();
        let replays = if graphs { iterations / each } else { 0 };
        if replays > 0 {
            // A graph begins at its own set: those that are skipped only stay out of the cache longer.
            let aligned = self.next.next_multiple_of(each.min(self.sets));
            self.next = aligned % self.sets;
        }
        let graph = if replays > 0 { self.next / each } else { 0 };
        let set = (self.next + replays * each) % self.sets;
        let launches = iterations - replays * each;
        self.next = (set + launches) % self.sets;
        let last = (self.next + self.sets - 1) % self.sets;
        Plan { graph, replays, set, launches, last }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every launch of a batch, by its set.
    fn launched(rotation: &Rotation, plan: &Plan) -> Vec<u64> {
        let mut all = Vec::new();
        for replay in 0..plan.replays {
            let mut set = rotation.graph_set((plan.graph + replay) % rotation.graphs());
            for _ in 0..rotation.graph_launches() {
                all.push(set);
                set = rotation.after(set);
            }
        }
        let mut set = plan.set;
        for _ in 0..plan.launches {
            all.push(set);
            set = rotation.after(set);
        }
        all
    }

    #[test]
    fn sets_together_are_more_than_twice_the_cache() {
        for (cache, set) in [(50 << 20, 384 << 20), (50 << 20, 1 << 20), (50 << 20, 30_000), (4 << 20, 4096)]
        {
            let rotation = Rotation::beyond(cache, set);
            assert!(rotation.sets() * set > 2 * cache, "{cache} {set}: {rotation:?}");
        }
        assert_eq!(Rotation::beyond(0, 1 << 20).sets(), 2);
        assert_eq!(Rotation::beyond(u64::MAX / 4, 1).sets(), MOST);
    }

    proptest! {
        #[test]
        fn a_batch_launches_what_it_counts_and_each_set_in_its_turn(
            cache in 0_u64..5000,
            batches in prop::collection::vec((1_u64..3000, any::<bool>()), 1..6),
        ) {
            let mut rotation = Rotation::beyond(cache, 7);
            for (iterations, graphs) in batches {
                let plan = rotation.plan(iterations, graphs);
                let sets = launched(&rotation, &plan);
                prop_assert_eq!(sets.len() as u64, iterations);
                prop_assert_eq!(sets.last().copied(), Some(plan.last));
                for pair in sets.windows(2) {
                    prop_assert_eq!(rotation.after(pair[0]), pair[1]);
                }
                prop_assert_eq!(rotation.next, rotation.after(plan.last));
            }
        }
    }
}

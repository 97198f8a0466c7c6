//! Sets of machines the slow way: every machine by itself, every cable listed, breadth-first search.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::hardware::build_of;
use crate::cluster::{Assembly, Grade, Place, Reading, Topology};
use crate::units::{BitRate, ExactOpRate};

/// A small network as a file would state it; ends are rows, single machines of rows, or switches.
#[derive(Debug, Clone)]
pub struct Stated {
    pub rows: Vec<u64>,
    pub fabrics: Vec<Option<u32>>,
    pub links: Vec<(End, End, u64, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Row(usize),
    Member(usize, u64),
    Switch(usize),
}

impl Stated {
    fn name(end: End) -> String {
        match end {
            End::Row(row) => format!("m{row}"),
            End::Member(row, index) => format!("m{row}-{index}"),
            End::Switch(switch) => format!("s{switch}"),
        }
    }

    /// `None` where the file would be refused.
    pub fn topology(&self) -> Option<Topology> {
        let mut assembly = Assembly::default();
        let place = assembly.place(Place::default());
        for (row, count) in self.rows.iter().enumerate() {
            let mut build = build_of(&[]).ok()?;
            build.r16 = ExactOpRate::new(1 << (8 * row.min(15)));
            build.rmax = build.r16;
            let build = assembly.build(build);
            assembly.machine(format!("m{row}").as_bytes(), *count, build, place).ok()?;
        }
        for (switch, fabric) in self.fabrics.iter().enumerate() {
            let fabric = fabric.map(|fabric| assembly.fabric(&format!("f{fabric}")));
            assembly.switch(format!("s{switch}").as_bytes(), fabric).ok()?;
        }
        for (from, to, rate, count) in &self.links {
            let grade = assembly.grade(Grade { rate: BitRate::new((*rate).into()), ..Grade::default() });
            let from = assembly.end(Self::name(*from).as_bytes()).ok()?;
            let to = assembly.end(Self::name(*to).as_bytes()).ok()?;
            assembly.link(from, to, grade, *count).ok()?;
        }
        assembly.finish("stated".to_owned()).ok()
    }

    /// Every machine by itself: (row, index), and links between single vertices with each side's listings.
    fn singles(&self, end: End) -> Vec<End> {
        match end {
            End::Row(row) => (1..=self.rows[row]).map(|index| End::Member(row, index)).collect(),
            other => vec![other],
        }
    }

    /// Rates of the physical links between each two vertices, a link listed from both ends being one.
    fn cables(&self) -> Cables {
        let mut listed: BTreeMap<(End, End, u64), [u64; 2]> = BTreeMap::new();
        for (from, to, rate, count) in &self.links {
            for a in self.singles(*from) {
                for b in self.singles(*to) {
                    let side = usize::from(a > b);
                    listed.entry((a.min(b), a.max(b), *rate)).or_default()[side] += u64::from(*count);
                }
            }
        }
        let mut cables: Cables = BTreeMap::new();
        for ((a, b, rate), sides) in listed {
            let count = sides[0].max(sides[1]);
            cables.entry((a, b)).or_default().extend((0..count).map(|_| rate));
        }
        cables
    }

    /// The sets of machines by breadth-first search; `None` where a declared fabric is refused.
    pub fn sets(&self, reading: Reading, limit: u64) -> Option<BTreeSet<BTreeSet<(usize, u64)>>> {
        let cables = self.cables();
        let mut near = Near::default();
        for ((a, b), rates) in &cables {
            let fits = match reading {
                Reading::Port => rates.iter().any(|rate| *rate > limit),
                _ => rates.iter().sum::<u64>() > limit,
            };
            let injected =
                reading == Reading::Injection && matches!((a, b), (End::Member(..), End::Switch(_)));
            if fits && !injected {
                near.join(*a, *b);
            }
        }
        if reading == Reading::Injection {
            if self.is_refused(&cables, limit) {
                return None;
            }
            self.inject(&cables, limit, &mut near);
        }
        let machines =
            (0..self.rows.len()).flat_map(|row| (1..=self.rows[row]).map(move |index| (row, index)));
        Some(machines.map(|(row, index)| near.machines(End::Member(row, index))).collect())
    }

    /// Switches that trunks above the limit reach from `start` over those that are `allowed`.
    fn reach(
        &self,
        cables: &Cables,
        limit: u64,
        start: usize,
        allowed: &dyn Fn(usize) -> bool,
    ) -> BTreeSet<usize> {
        let trunk = |x: usize, y: usize| {
            let key = (End::Switch(x.min(y)), End::Switch(x.max(y)));
            cables.get(&key).is_some_and(|rates| rates.iter().sum::<u64>() > limit)
        };
        let mut seen = BTreeSet::from([start]);
        let mut left = vec![start];
        while let Some(at) = left.pop() {
            for next in
                (0..self.fabrics.len()).filter(|next| *next != at && allowed(*next) && trunk(at, *next))
            {
                if seen.insert(next) {
                    left.push(next);
                }
            }
        }
        seen
    }

    fn is_refused(&self, cables: &Cables, limit: u64) -> bool {
        cables.keys().any(|(a, b)| {
            let (End::Switch(x), End::Switch(y)) = (*a, *b) else { return false };
            let same = self.fabrics[x].is_some() && self.fabrics[x] == self.fabrics[y];
            same && !self.reach(cables, limit, x, &|_| true).contains(&y)
        })
    }

    /// Joins the switches of each fabric, and each machine to the fabrics that its links exceed the limit into.
    fn inject(&self, cables: &Cables, limit: u64, near: &mut Near) {
        for switch in 0..self.fabrics.len() {
            let group = match self.fabrics[switch] {
                Some(_) => {
                    (0..self.fabrics.len()).filter(|s| self.fabrics[*s] == self.fabrics[switch]).collect()
                }
                None => self.reach(cables, limit, switch, &|next| self.fabrics[next].is_none()),
            };
            for other in &group {
                near.join(End::Switch(switch), End::Switch(*other));
            }
            for row in 0..self.rows.len() {
                for machine in (1..=self.rows[row]).map(|index| End::Member(row, index)) {
                    let links = group.iter().filter_map(|s| cables.get(&(machine, End::Switch(*s))));
                    if links.flatten().sum::<u64>() > limit {
                        near.join(machine, End::Switch(switch));
                    }
                }
            }
        }
    }
}

/// Rates of the physical links between each two vertices.
type Cables = BTreeMap<(End, End), Vec<u64>>;

#[derive(Default)]
struct Near(BTreeMap<End, BTreeSet<End>>);

impl Near {
    fn join(&mut self, a: End, b: End) {
        self.0.entry(a).or_default().insert(b);
        self.0.entry(b).or_default().insert(a);
    }

    fn machines(&self, start: End) -> BTreeSet<(usize, u64)> {
        let mut seen = BTreeSet::from([start]);
        let mut left = vec![start];
        while let Some(at) = left.pop() {
            for next in self.0.get(&at).into_iter().flatten() {
                if seen.insert(*next) {
                    left.push(*next);
                }
            }
        }
        let machine = |end| match end {
            End::Member(row, index) => Some((row, index)),
            _ => None,
        };
        seen.into_iter().filter_map(machine).collect()
    }
}

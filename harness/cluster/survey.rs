//! What the connected sets sum to under each reading, for one limit of a link.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::reading::{Components, FabricSplit, Reading, components};
use super::sets::{Greatest, MachineSet, Seen};
use super::topology::{MachineClass, Topology};
use super::{AssemblyError, Bundles};
use crate::units::{BitRate, ExactOpRate, OpRate};

/// Why a topology has no sums.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SurveyError {
    /// A declared fabric is none.
    #[error(transparent)]
    Fabric(#[from] FabricSplit),
    /// More links than can be counted.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// A sum is past `u128`.
    #[error("the sum of {0} is past 3.4e38")]
    Overflow(&'static str),
}

/// Exact sums over machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Machines.
    pub machines: u128,
    /// Accelerators.
    pub accelerators: u128,
    /// 16-bit reading.
    pub r16: ExactOpRate,
    /// 8-bit reading.
    pub r8: ExactOpRate,
    /// Highest reading.
    pub rmax: ExactOpRate,
}

impl Totals {
    fn of(topology: &Topology, class: &MachineClass, machines: u64) -> Option<Self> {
        let build = topology.build(class);
        let times = |rate: ExactOpRate| rate.checked_times(machines.into());
        Some(Self {
            machines: machines.into(),
            accelerators: u128::from(build.accelerators) * u128::from(machines),
            r16: times(build.r16)?,
            r8: times(build.r8)?,
            rmax: times(build.rmax)?,
        })
    }

    fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            machines: self.machines.checked_add(other.machines)?,
            accelerators: self.accelerators.checked_add(other.accelerators)?,
            r16: self.r16.checked_add(other.r16)?,
            r8: self.r8.checked_add(other.r8)?,
            rmax: self.rmax.checked_add(other.rmax)?,
        })
    }

    /// Greatest first by what a limit looks at; more machines break a tie.
    pub(super) fn rank(&self) -> (ExactOpRate, ExactOpRate, u128) {
        (self.r16, self.rmax, self.machines)
    }
}

/// The greatest set of one reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Largest {
    /// Its sums.
    pub totals: Totals,
    /// Measured sustained rate, when every accelerator in it has one.
    pub measured: Option<OpRate>,
    /// Sites, in order; machines without one are left out.
    pub sites: Vec<String>,
    /// Owners, operators and tenants, in order.
    pub parties: Vec<String>,
    /// Its rows, greatest first, at most eight.
    pub rows: Vec<(String, u64)>,
    /// A vertex that stands for the set.
    pub set: u32,
}

/// What one reading gives.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingTotals {
    /// The reading.
    pub reading: Reading,
    /// Number of sets that hold a machine.
    pub components: u128,
    /// The greatest of them; `None` when there is no machine.
    pub largest: Option<Largest>,
    /// The greatest sets, the first of them the largest.
    pub sets: Vec<MachineSet>,
    /// The greatest 16-bit sum of any.
    pub greatest_r16: ExactOpRate,
    /// The greatest sum at the highest rate of any.
    pub greatest_rmax: ExactOpRate,
}

/// What all readings give for one limit of a link.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// What a link must exceed.
    pub limit: BitRate,
    /// Whether only machines of one site count together.
    pub co_located: bool,
    /// Port, bundle, injection.
    pub readings: [ReadingTotals; 3],
    /// Path, for information.
    pub path: ReadingTotals,
}

/// Sums for links above `limit`; with `co_located` only machines of one site count together.
///
/// Errors: [`SurveyError`] for a fabric that is none and for sums that do not fit.
pub fn survey(topology: &Topology, limit: BitRate, co_located: bool) -> Result<Survey, SurveyError> {
    let bundles = Bundles::of(topology)?;
    let of = |reading| {
        let found = components(topology, &bundles, limit, reading)?;
        totals(topology, &found, reading, co_located)
    };
    let readings = [of(Reading::Port)?, of(Reading::Bundle)?, of(Reading::Injection)?];
    let one = crate::units::Decimal::from_integer(1);
    let path = if topology.grades.iter().all(|grade| grade.oversubscription == one) {
        ReadingTotals { reading: Reading::Path, ..readings[1].clone() }
    } else {
        let narrowed = Bundles::oversubscribed(topology)?;
        let found = components(topology, &narrowed, limit, Reading::Path)?;
        totals(topology, &found, Reading::Path, co_located)?
    };
    Ok(Survey { limit, co_located, readings, path })
}

pub(super) fn totals(
    topology: &Topology,
    found: &Components,
    reading: Reading,
    co_located: bool,
) -> Result<ReadingTotals, SurveyError> {
    let sited = co_located && topology.places.iter().any(|place| place.site.is_some());
    let groups = if sited { by_site(topology, found) } else { by_set(topology, found) };
    let groups = groups.ok_or(SurveyError::Overflow("theoretical rates"))?;
    let numbers = site_numbers(topology);
    let largest = groups.greatest.0.first().map(|greatest| describe(topology, found, *greatest, sited));
    Ok(ReadingTotals {
        reading,
        components: groups.components,
        largest,
        sets: groups.greatest.named(topology, found, sited.then_some(&numbers)),
        greatest_r16: groups.r16,
        greatest_rmax: groups.rmax,
    })
}

#[derive(Debug, Default)]
struct Groups {
    components: u128,
    greatest: Greatest,
    r16: ExactOpRate,
    rmax: ExactOpRate,
}

impl Groups {
    fn see(&mut self, totals: Totals, set: u32, site: Option<u32>, count: u64) {
        self.r16 = self.r16.max(totals.r16);
        self.rmax = self.rmax.max(totals.rmax);
        self.greatest.see(Seen { totals, set, site, count });
    }
}

fn by_set(topology: &Topology, found: &Components) -> Option<Groups> {
    let mut sums = vec![Totals::default(); topology.vertices()];
    let mut groups = Groups::default();
    for (at, class) in topology.classes.iter().enumerate() {
        if found.joined[at] {
            let sum = &mut sums[found.set[at] as usize];
            *sum = sum.plus(&Totals::of(topology, class, class.count)?)?;
        } else {
            groups.components += u128::from(class.count);
            groups.see(Totals::of(topology, class, 1)?, found.set[at], None, class.count);
        }
    }
    for (set, sum) in sums.into_iter().enumerate().filter(|(_, sum)| sum.machines > 0) {
        groups.components += 1;
        groups.see(sum, u32::try_from(set).ok()?, None, 1);
    }
    Some(groups)
}

/// Sets cut at the borders of sites. A machine without a site may stand at any: it is a group of its own for the
/// 16-bit sum, which bounds from below, and joins each site for the highest sum, which bounds from above.
fn by_site(topology: &Topology, found: &Components) -> Option<Groups> {
    let mut sums: HashMap<(u32, Option<u32>), Totals> = HashMap::new();
    let mut groups = Groups::default();
    let numbers = site_numbers(topology);
    for (at, class) in topology.classes.iter().enumerate() {
        if !found.joined[at] {
            groups.components += u128::from(class.count);
            groups.see(Totals::of(topology, class, 1)?, found.set[at], None, class.count);
            continue;
        }
        let site = topology.place(class).site.as_deref().map(|site| numbers[site]);
        let sum = sums.entry((found.set[at], site)).or_default();
        *sum = sum.plus(&Totals::of(topology, class, class.count)?)?;
    }
    let mut keys: Vec<_> = sums.keys().copied().collect();
    keys.sort_unstable();
    for (set, site) in keys {
        groups.components += 1;
        let sum = sums[&(set, site)];
        groups.see(sum, set, site, 1);
        if let Some(unstated) = sums.get(&(set, None)).filter(|_| site.is_some()) {
            groups.rmax = groups.rmax.max(sum.plus(unstated)?.rmax);
        }
    }
    Some(groups)
}

fn describe(topology: &Topology, found: &Components, greatest: Seen, sited: bool) -> Largest {
    let numbers = site_numbers(topology);
    let inside = |(at, class): &(usize, &MachineClass)| {
        let site = topology.place(class).site.as_deref().map(|site| numbers[site]);
        found.set[*at] == greatest.set && (!sited || !found.joined[*at] || site == greatest.site)
    };
    let mut places = BTreeSet::new();
    let mut rows: Vec<(u64, &MachineClass)> = Vec::new();
    let mut measured = Some(0.0);
    for (at, class) in topology.classes.iter().enumerate().filter(inside) {
        let machines = if found.joined[at] { class.count } else { 1 };
        places.insert(class.place);
        rows.push((machines, class));
        // Only accelerators are asked for a measured rate.
        if topology.build(class).accelerators > 0 {
            let rate = topology.build(class).measured_op_per_s;
            measured = measured.zip(rate).map(|(sum, rate)| sum + rate * count(machines));
        }
    }
    rows.sort_by(|x, y| y.0.cmp(&x.0).then(x.1.name.cmp(&y.1.name)));
    let place = |at: &u32| &topology.places[*at as usize];
    let sites: BTreeSet<_> = places.iter().filter_map(|at| place(at).site.clone()).collect();
    let parties: BTreeSet<String> = places.iter().flat_map(|at| parties(place(at))).collect();
    let row = |(machines, class): &(u64, &MachineClass)| (topology.names.text(class.name), *machines);
    Largest {
        totals: greatest.totals,
        measured: measured.filter(|rate| *rate > 0.0).and_then(|rate| OpRate::new(rate).ok()),
        sites: sites.into_iter().collect(),
        parties: parties.into_iter().collect(),
        rows: rows.iter().take(8).map(row).collect(),
        set: greatest.set,
    }
}

fn site_numbers(topology: &Topology) -> HashMap<&str, u32> {
    topology.places.iter().filter_map(|place| place.site.as_deref()).zip(0..).collect()
}

fn parties(place: &super::Place) -> Vec<String> {
    let named = [("owner", &place.owner), ("operator", &place.operator), ("tenant", &place.tenant)];
    named.into_iter().filter_map(|(role, name)| Some(format!("{role} {}", name.as_ref()?))).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a measured rate has far fewer digits than a count below 2^53"
)]
const fn count(machines: u64) -> f64 {
    machines as f64
}

//! Machines, switches and links as every importer leaves them: few bytes for each, names and details shared.

use serde::{Deserialize, Serialize};

use super::{Name, Names};
use crate::units::{BitRate, Decimal, ExactOpRate};

/// Technology of a link.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// InfiniBand.
    Infiniband,
    /// Ethernet, RoCE included.
    Ethernet,
    /// NVLink between machines; whether it is data center networking is open.
    Nvlink,
    /// Anything else.
    Other,
}

/// What a link is there for; each kind counts when it is fast enough.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Traffic of the computation.
    #[default]
    Compute,
    /// Traffic to file systems.
    Storage,
    /// Traffic to users and services.
    FrontEnd,
    /// Control.
    Management,
}

/// What links of one sort have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grade {
    /// Nominal rate of one physical link, per direction.
    pub rate: BitRate,
    /// Technology.
    pub kind: LinkKind,
    /// What it is there for.
    pub purpose: Purpose,
    /// Stated oversubscription; one when none is stated.
    pub oversubscription: Decimal,
    /// Why it is administratively down; such a link joins nothing.
    pub down: Option<String>,
}

/// Hardware of a machine, summed.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// Accelerators of one machine.
    pub accelerators: u64,
    /// Sum of the 16-bit reading.
    pub r16: ExactOpRate,
    /// Sum of the 8-bit reading.
    pub r8: ExactOpRate,
    /// Sum of the highest reading, processors included.
    pub rmax: ExactOpRate,
    /// Sum of measured rates, when every accelerator has one. Unit: operations per second.
    pub measured_op_per_s: Option<f64>,
    /// Devices and their counts in one machine.
    pub devices: Vec<(String, u64)>,
    /// What each device's readings rest on.
    pub basis: Vec<String>,
    /// One of its accelerators: name, and its 16-bit, 8-bit and highest rate.
    pub one: Option<(String, [ExactOpRate; 3])>,
}

/// Where a machine stands and whose it is; what is not stated is not guessed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// Site.
    pub site: Option<String>,
    /// Owner.
    pub owner: Option<String>,
    /// Operator.
    pub operator: Option<String>,
    /// Tenant.
    pub tenant: Option<String>,
}

/// A machine, or many equal ones that no link tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineClass {
    /// Name of the row, or of the one machine.
    pub name: Name,
    /// How many machines.
    pub count: u64,
    /// Index into the builds.
    pub build: u32,
    /// Index into the places.
    pub place: u32,
}

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// Its name.
    pub name: Name,
    /// Index into the fabrics, where one is declared.
    pub fabric: Option<u32>,
}

/// A machine class or a switch: classes come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vertex(pub u32);

impl Vertex {
    /// Place in arrays over all vertices.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Parallel links of one grade between two vertices, from each machine where an end is a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The lower end.
    pub a: Vertex,
    /// The higher end.
    pub b: Vertex,
    /// Index into the grades.
    pub grade: u32,
    /// Whether the file names the higher end first; a link may be listed from both its ends.
    pub reversed: bool,
    /// How many.
    pub count: u32,
}

/// Everything that an input says, links in order of their ends.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    /// Name of the whole.
    pub title: String,
    /// Names of machines and switches.
    pub names: Names,
    /// Machines.
    pub classes: Vec<MachineClass>,
    /// Switches.
    pub switches: Vec<Switch>,
    /// Hardware.
    pub builds: Vec<Build>,
    /// Places.
    pub places: Vec<Place>,
    /// Names of declared fabrics.
    pub fabrics: Vec<String>,
    /// Sorts of links.
    pub grades: Vec<Grade>,
    /// Links.
    pub links: Vec<Link>,
}

impl Topology {
    /// How many vertices there are.
    pub fn vertices(&self) -> usize {
        self.classes.len() + self.switches.len()
    }

    /// The machine class at a vertex; `None` for a switch.
    pub fn class(&self, vertex: Vertex) -> Option<&MachineClass> {
        self.classes.get(vertex.index())
    }

    /// The switch at a vertex; `None` for a machine.
    pub fn switch(&self, vertex: Vertex) -> Option<&Switch> {
        self.switches.get(vertex.index().checked_sub(self.classes.len())?)
    }

    /// The name of a vertex.
    pub fn name(&self, vertex: Vertex) -> String {
        let name = self.class(vertex).map(|c| c.name).or_else(|| self.switch(vertex).map(|s| s.name));
        name.map_or_else(String::new, |name| self.names.text(name))
    }

    /// Hardware of a class.
    pub fn build(&self, class: &MachineClass) -> &Build {
        &self.builds[class.build as usize]
    }

    /// Place of a class.
    pub fn place(&self, class: &MachineClass) -> &Place {
        &self.places[class.place as usize]
    }

    /// All machines.
    pub fn machines(&self) -> u128 {
        self.classes.iter().map(|class| u128::from(class.count)).sum()
    }
}

impl Default for Grade {
    fn default() -> Self {
        Self {
            rate: BitRate::ZERO,
            kind: LinkKind::Other,
            purpose: Purpose::Compute,
            oversubscription: Decimal::from_integer(1),
            down: None,
        }
    }
}

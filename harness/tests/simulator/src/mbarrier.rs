//! Barrier objects in shared memory: PTX ISA 9.7.13.15 (mbarrier). A phase ends when all arrivals and all bytes that
//! were announced have come; what came before them comes before whatever follows a wait for that phase.

use std::collections::BTreeMap;

use crate::memory::{Checked, Known, Shared, Violation, violation};

/// Most arrivals of a phase, and most bytes outstanding: PTX ISA, mbarrier, limits of the counts.
pub const MOST: i64 = (1 << 20) - 1;

struct Object {
    /// Agent in whose time the phases are counted.
    agent: usize,
    /// Warp that initialised it, and when.
    made: (usize, u32),
    /// Whether a fence has shown it to the asynchronous proxy.
    shown: bool,
    count: i64,
    pending: i64,
    bytes: i64,
    /// Phases that have ended.
    phase: u32,
    gathered: Known,
    ended: Known,
}

/// The barrier objects of a block.
#[derive(Default)]
pub struct Mbarriers {
    objects: BTreeMap<u64, Object>,
    /// Whether a phase has ended since this was last cleared.
    pub changed: bool,
}

fn wrong<T>(what: impl Into<String>) -> Checked<T> {
    violation(Violation::LaunchFailed, what)
}

impl Mbarriers {
    fn object(&mut self, shared: &Shared, warp: usize, address: u64) -> Checked<&mut Object> {
        let Some(object) = self.objects.get_mut(&address) else {
            return wrong(format!("no mbarrier was initialised at {address:#x}"));
        };
        let (maker, time) = object.made;
        if maker != warp && shared.known(warp).order.at(maker) < time {
            return wrong(format!(
                "race: mbarrier at {address:#x}, initialised by warp {maker} with no barrier between"
            ));
        }
        Ok(object)
    }

    /// `mbarrier.init`.
    pub fn init(&mut self, shared: &mut Shared, warp: usize, address: u64, count: i64) -> Checked<()> {
        if !(1..=MOST).contains(&count) {
            return wrong(format!("mbarrier of {count} arrivals"));
        }
        if self.objects.contains_key(&address) {
            return wrong(format!("mbarrier at {address:#x} is initialised again without inval"));
        }
        shared.reserve(warp, address, true)?;
        let object = Object {
            agent: shared.agent(),
            made: (warp, shared.tick(warp)),
            shown: false,
            count,
            pending: count,
            bytes: 0,
            phase: 0,
            gathered: Known::default(),
            ended: Known::default(),
        };
        self.objects.insert(address, object);
        Ok(())
    }

    /// `mbarrier.inval`.
    pub fn invalidate(&mut self, shared: &mut Shared, warp: usize, address: u64) -> Checked<()> {
        self.object(shared, warp, address)?;
        self.objects.remove(&address);
        shared.reserve(warp, address, false)
    }

    /// Shows the objects that this warp knows of, or only those that it made, to the asynchronous proxy.
    pub fn show(&mut self, shared: &Shared, warp: usize, own: bool) {
        let order = &shared.known(warp).order;
        for object in self.objects.values_mut() {
            let (maker, time) = object.made;
            object.shown |= maker == warp || !own && order.at(maker) >= time;
        }
    }

    /// Arrives so many times and announces so many bytes before; the phase that was arrived at.
    pub fn arrive(
        &mut self,
        shared: &mut Shared,
        warp: usize,
        (address, arrivals, bytes): (u64, i64, i64),
    ) -> Checked<u32> {
        let object = self.object(shared, warp, address)?;
        object.bytes += bytes;
        object.pending -= arrivals;
        if !(-MOST..=MOST).contains(&object.bytes) {
            return wrong(format!("mbarrier at {address:#x} is told of {} bytes", object.bytes));
        }
        if object.pending < 0 {
            return wrong(format!(
                "mbarrier at {address:#x}: more than {} arrivals in a phase",
                object.count
            ));
        }
        let phase = object.phase;
        if arrivals > 0 {
            object.gathered.join(shared.known(warp));
            shared.tick(warp);
        }
        self.end(address);
        Ok(phase)
    }

    /// The agent and time at which asynchronous work that completes on this object in its present phase is done.
    pub fn completes_at(&mut self, shared: &Shared, warp: usize, address: u64) -> Checked<(usize, u32)> {
        let object = self.object(shared, warp, address)?;
        if !object.shown {
            return wrong(format!(
                "mbarrier at {address:#x} was not shown to the asynchronous proxy by a fence"
            ));
        }
        Ok((object.agent, object.phase + 1))
    }

    /// Asynchronous work is done: so many bytes, or so many arrivals; `known` is what came with it.
    pub fn complete(&mut self, address: u64, (bytes, arrivals): (i64, i64), known: &Known) -> Checked<()> {
        let Some(object) = self.objects.get_mut(&address) else {
            return wrong(format!("an asynchronous operation completes on no mbarrier, at {address:#x}"));
        };
        object.bytes -= bytes;
        object.pending -= arrivals;
        if object.pending < 0 {
            return wrong(format!(
                "mbarrier at {address:#x}: more than {} arrivals in a phase",
                object.count
            ));
        }
        object.gathered.order.raise(object.agent, object.phase + 1);
        object.gathered.join(known);
        self.end(address);
        Ok(())
    }

    fn end(&mut self, address: u64) {
        let Some(object) = self.objects.get_mut(&address) else { return };
        if object.pending == 0 && object.bytes == 0 {
            let gathered = std::mem::take(&mut object.gathered);
            object.ended.join(&gathered);
            object.phase += 1;
            object.pending = object.count;
            self.changed = true;
        }
    }

    /// Whether the phase of this parity, or the phase of this number, has ended; what it brought is known from then on.
    pub fn ended(&mut self, shared: &mut Shared, warp: usize, address: u64, phase: Phase) -> Checked<bool> {
        let object = self.object(shared, warp, address)?;
        let ended = match phase {
            Phase::Parity(parity) if parity > 1 => {
                return wrong(format!("mbarrier at {address:#x}: parity {parity}"));
            }
            Phase::Parity(parity) => u64::from(object.phase & 1) != parity,
            Phase::Number(number) => u64::from(object.phase) != number,
        };
        if ended {
            shared.known_mut(warp).join(&object.ended);
        }
        Ok(ended)
    }
}

/// How a wait names its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// By parity of its number.
    Parity(u64),
    /// By the state that an arrival gave.
    Number(u64),
}

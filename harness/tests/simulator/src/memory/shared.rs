//! Shared memory of a block. What comes before what is kept byte by byte, in vector clocks that barriers join.

use std::cell::RefCell;

use super::{Checked, Known, POISON, Violation, aligned, little, violation};

/// Who wrote a byte, and when in its own time; nobody at time 0.
#[derive(Debug, Clone, Copy, Default)]
struct Stamp {
    agent: u16,
    time: u32,
}

thread_local! {
    /// Memory of the last block: asking the system for pages anew takes longer than many a block.
    static SPARE: RefCell<Pages> = RefCell::default();
}

/// What is kept of each byte.
#[derive(Default)]
struct Pages {
    bytes: Vec<u8>,
    written: Vec<bool>,
    /// Asynchronous copies of threads that are not waited for yet.
    in_flight: Vec<u16>,
    /// Bytes of barrier objects, which no load or store may touch.
    reserved: Vec<bool>,
    writer: Vec<Stamp>,
    /// Times of the last reads, by agent; empty for one that never read.
    readers: Vec<Vec<u32>>,
}

impl Pages {
    /// As new: nothing is written, nobody has read.
    fn reset(&mut self, size: usize, warps: usize) {
        fn fill<T: Copy>(all: &mut Vec<T>, size: usize, value: T) {
            all.clear();
            all.resize(size, value);
        }
        fill(&mut self.bytes, size, POISON);
        fill(&mut self.written, size, false);
        fill(&mut self.in_flight, size, 0);
        fill(&mut self.reserved, size, false);
        fill(&mut self.writer, size, Stamp::default());
        self.readers.iter_mut().for_each(Vec::clear);
        if self.readers.len() < warps {
            self.readers.resize(warps, Vec::new());
        }
    }
}

/// Shared memory of a block.
pub struct Shared {
    pages: Pages,
    known: Vec<Known>,
    agents: usize,
}

impl Drop for Shared {
    fn drop(&mut self) {
        SPARE.set(std::mem::take(&mut self.pages));
    }
}

impl Shared {
    /// Memory of this size for a block of this many warps.
    pub fn new(size: usize, warps: usize) -> Self {
        let size = size.next_multiple_of(4);
        let mut known = vec![Known::default(); warps];
        for (warp, known) in known.iter_mut().enumerate() {
            known.order.raise(warp, 1);
        }
        let mut pages = SPARE.take();
        pages.reset(size, warps);
        Self { pages, known, agents: warps }
    }

    /// A new agent that is no warp.
    pub fn agent(&mut self) -> usize {
        self.agents += 1;
        if self.pages.readers.len() < self.agents {
            self.pages.readers.push(Vec::new());
        }
        self.agents - 1
    }

    /// What a warp may rely on.
    pub fn known(&self, warp: usize) -> &Known {
        &self.known[warp]
    }

    /// What a warp may rely on, to be added to.
    pub fn known_mut(&mut self, warp: usize) -> &mut Known {
        &mut self.known[warp]
    }

    /// Separates what a warp does next from what it did before.
    pub fn tick(&mut self, warp: usize) -> u32 {
        let time = self.known[warp].order.at(warp);
        self.known[warp].order.raise(warp, time + 1);
        time
    }

    /// What a warp knows now is shown to the asynchronous proxy.
    pub fn fence(&mut self, warp: usize) {
        let known = &mut self.known[warp];
        known.fenced = known.order.clone();
        self.tick(warp);
    }

    /// What each of these warps did before is seen by all of `waiting` from now on.
    pub fn join(&mut self, arrived: &[usize], waiting: &[usize]) {
        let mut joined = Known::default();
        arrived.iter().for_each(|warp| joined.join(&self.known[*warp]));
        waiting.iter().for_each(|warp| self.known[*warp].join(&joined));
        for &warp in arrived {
            self.tick(warp);
        }
    }

    fn range(&self, address: u64, size: usize) -> Checked<usize> {
        match usize::try_from(address) {
            Ok(from) if from.checked_add(size).is_some_and(|end| end <= self.pages.bytes.len()) => Ok(from),
            _ => {
                violation(Violation::IllegalAddress, format!("shared access of {size} bytes at {address:#x}"))
            }
        }
    }

    fn name(&self, agent: usize) -> String {
        if agent < self.known.len() { format!("warp {agent}") } else { "an asynchronous operation".into() }
    }

    /// Whether the agent that knows this may read, or write, these bytes.
    fn order(&self, agent: usize, known: &Known, (from, size): (usize, usize), writes: bool) -> Checked<()> {
        let what = if writes { "write" } else { "read" };
        let race = |byte: usize, how: &str, other: usize| {
            let (agent, other) = (self.name(agent), self.name(other));
            violation(
                Violation::LaunchFailed,
                format!(
                    "race: shared {what} by {agent} at {byte:#x}, {how} by {other} with no barrier between"
                ),
            )
        };
        let mut seen = Stamp::default();
        for (i, stamp) in self.pages.writer[from..from + size].iter().enumerate() {
            if (stamp.agent, stamp.time) == (seen.agent, seen.time) {
                continue;
            }
            seen = *stamp;
            let writer = usize::from(stamp.agent);
            let own = writer == agent && agent < self.known.len();
            if !own && stamp.time > known.order.at(writer) {
                return race(from + i, "written", writer);
            }
        }
        if !writes {
            return Ok(());
        }
        for (reader, times) in self.pages.readers.iter().enumerate() {
            let limit = known.order.at(reader);
            if times.is_empty() || reader == agent {
                continue;
            }
            if let Some(i) = times[from..from + size].iter().position(|time| *time > limit) {
                return race(from + i, "read", reader);
            }
        }
        Ok(())
    }

    fn readable(&self, address: u64, (from, size): (usize, usize)) -> Checked<()> {
        let range = from..from + size;
        if self.pages.in_flight[range.clone()].iter().any(|n| *n != 0) {
            return violation(
                Violation::LaunchFailed,
                format!("shared read at {address:#x} before cp.async is waited for"),
            );
        }
        if self.pages.reserved[range.clone()].contains(&true) {
            return violation(
                Violation::LaunchFailed,
                format!("shared read at {address:#x} of a barrier object"),
            );
        }
        if self.pages.written[range].contains(&false) {
            return violation(
                Violation::LaunchFailed,
                format!("shared read at {address:#x} of bytes never written"),
            );
        }
        Ok(())
    }

    fn note_read(&mut self, agent: usize, time: u32, (from, size): (usize, usize)) {
        let times = &mut self.pages.readers[agent];
        if times.is_empty() {
            times.resize(self.pages.bytes.len(), 0);
        }
        times[from..from + size].fill(time);
    }

    fn claim(&mut self, agent: usize, time: u32, known: &Known, span: (usize, usize)) -> Checked<()> {
        self.order(agent, known, span, true)?;
        let range = span.0..span.0 + span.1;
        if self.pages.reserved[range.clone()].contains(&true) {
            return violation(
                Violation::LaunchFailed,
                format!("shared write at {:#x} to a barrier object", span.0),
            );
        }
        self.pages.writer[range].fill(Stamp { agent: agent as u16, time });
        Ok(())
    }

    /// A thread's load of at most 8 bytes.
    pub fn load(&mut self, warp: usize, address: u64, size: usize) -> Checked<u64> {
        self.read(warp, address, size).map(little)
    }

    /// Bytes that a thread reads, at a multiple of their number.
    pub fn read(&mut self, warp: usize, address: u64, size: usize) -> Checked<&[u8]> {
        aligned(address, size)?;
        let span = (self.range(address, size)?, size);
        self.order(warp, &self.known[warp], span, false)?;
        self.readable(address, span)?;
        self.note_read(warp, self.known[warp].order.at(warp), span);
        Ok(&self.pages.bytes[span.0..span.0 + size])
    }

    /// A thread's store, of at most 16 bytes.
    pub fn store(&mut self, warp: usize, address: u64, bytes: &[u8]) -> Checked<()> {
        aligned(address, bytes.len())?;
        let from = self.range(address, bytes.len())?;
        self.claim_for(warp, (from, bytes.len()))?;
        self.fill(from, bytes);
        Ok(())
    }

    fn claim_for(&mut self, warp: usize, span: (usize, usize)) -> Checked<()> {
        let known = std::mem::take(&mut self.known[warp]);
        let claimed = self.claim(warp, known.order.at(warp), &known, span);
        self.known[warp] = known;
        claimed
    }

    fn fill(&mut self, from: usize, bytes: &[u8]) {
        self.pages.bytes[from..from + bytes.len()].copy_from_slice(bytes);
        self.pages.written[from..from + bytes.len()].fill(true);
    }

    /// Marks what a thread's asynchronous copy will write.
    pub fn begin_copy(&mut self, warp: usize, address: u64, size: usize) -> Checked<()> {
        aligned(address, size)?;
        let from = self.range(address, size)?;
        self.claim_for(warp, (from, size))?;
        self.pages.in_flight[from..from + size].iter_mut().for_each(|n| *n += 1);
        Ok(())
    }

    /// Writes what a thread's asynchronous copy brought.
    pub fn end_copy(&mut self, warp: usize, address: u64, bytes: &[u8]) -> Checked<()> {
        let from = self.range(address, bytes.len())?;
        self.pages.in_flight[from..from + bytes.len()].iter_mut().for_each(|n| *n -= 1);
        self.store(warp, address, bytes)
    }

    /// Read of the asynchronous proxy. What a thread wrote must have been shown to it by a fence.
    pub fn read_asynchronously(
        &mut self,
        (agent, time): (usize, u32),
        known: &Known,
        (address, size): (u64, usize),
    ) -> Checked<&[u8]> {
        let span = (self.range(address, size)?, size);
        self.order(agent, known, span, false)?;
        self.readable(address, span)?;
        let warps = self.known.len();
        let unseen = self.pages.writer[span.0..span.0 + size].iter().position(|stamp| {
            usize::from(stamp.agent) < warps && stamp.time > known.fenced.at(stamp.agent.into())
        });
        if let Some(i) = unseen {
            return violation(
                Violation::LaunchFailed,
                format!(
                    "asynchronous read at {:#x} of what a thread wrote, with no fence.proxy.async between",
                    span.0 + i
                ),
            );
        }
        self.note_read(agent, time, span);
        Ok(&self.pages.bytes[span.0..span.0 + size])
    }

    /// Write of the asynchronous proxy.
    pub fn write_asynchronously(
        &mut self,
        (agent, time): (usize, u32),
        known: &Known,
        address: u64,
        bytes: &[u8],
    ) -> Checked<()> {
        let from = self.range(address, bytes.len())?;
        self.claim(agent, time, known, (from, bytes.len()))?;
        self.fill(from, bytes);
        Ok(())
    }

    /// Makes 8 bytes a barrier object, or memory again.
    pub fn reserve(&mut self, warp: usize, address: u64, reserved: bool) -> Checked<()> {
        aligned(address, 8)?;
        let from = self.range(address, 8)?;
        if reserved {
            self.claim_for(warp, (from, 8))?;
        }
        self.pages.reserved[from..from + 8].fill(reserved);
        self.pages.written[from..from + 8].fill(false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_bytes_of_one_word_do_not_race_and_equal_ones_do() {
        let mut shared = Shared::new(8, 2);
        shared.store(0, 0, &[1]).unwrap();
        shared.store(1, 1, &[2]).unwrap();
        assert!(shared.load(1, 0, 2).unwrap_err().1.contains("race"));
        shared.join(&[0, 1], &[0, 1]);
        assert_eq!(shared.load(1, 0, 2), Ok(0x0201));
        assert!(shared.store(0, 1, &[3]).unwrap_err().1.contains("race"));
        assert!(shared.store(0, 2, &[3]).is_ok());
    }

    #[test]
    fn a_new_block_knows_nothing_of_the_last() {
        let mut shared = Shared::new(16, 2);
        shared.store(0, 0, &[7; 16]).unwrap();
        shared.join(&[0, 1], &[0, 1]);
        assert!(shared.load(1, 0, 8).is_ok());
        shared.reserve(0, 8, true).unwrap();
        drop(shared);
        let mut shared = Shared::new(32, 2);
        assert!(shared.load(0, 0, 4).unwrap_err().1.contains("never written"));
        // Neither a writer, nor a reader, nor a barrier object of then is in the way.
        assert_eq!((shared.store(1, 0, &[1; 16]), shared.store(0, 16, &[1; 16])), (Ok(()), Ok(())));
        assert_eq!(shared.load(1, 8, 8), Ok(0x0101_0101_0101_0101));
    }

    #[test]
    fn the_asynchronous_proxy_sees_only_what_a_fence_showed_it() {
        let mut shared = Shared::new(16, 1);
        let unit = shared.agent();
        shared.store(0, 0, &[7]).unwrap();
        let known = shared.known(0).clone();
        assert!(shared.read_asynchronously((unit, 1), &known, (0, 1)).unwrap_err().1.contains("fence.proxy"));
        shared.fence(0);
        let known = shared.known(0).clone();
        assert_eq!(shared.read_asynchronously((unit, 1), &known, (0, 1)), Ok(&[7][..]));
        // It still reads, as far as anyone knows; and what is written after the fence is not shown.
        assert!(shared.store(0, 0, &[8]).unwrap_err().1.contains("race"));
        shared.known_mut(0).order.raise(unit, 1);
        shared.store(0, 0, &[8]).unwrap();
        let known = shared.known(0).clone();
        assert!(shared.read_asynchronously((unit, 2), &known, (0, 1)).is_err());
    }
}

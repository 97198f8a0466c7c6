//! Global memory of a device, and shared memory of a block with its race detector.

use std::collections::BTreeMap;

/// First address of the window in which generic addresses mean shared memory.
pub const SHARED_WINDOW: u64 = 0x0100_0000_0000_0000;
/// Bytes of the window.
pub const SHARED_WINDOW_BYTES: u64 = 1 << 24;
/// What memory holds before anyone writes to it.
pub const POISON: u8 = 0xa5;

/// What a kernel did wrong, as the driver will report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the driver's errors")]
pub enum Violation {
    IllegalAddress,
    Misaligned,
    IllegalInstruction,
    LaunchFailed,
}

/// A violation and its description.
pub type Checked<T> = Result<T, (Violation, String)>;

pub(crate) fn violation<T>(kind: Violation, what: impl Into<String>) -> Checked<T> {
    Err((kind, what.into()))
}

struct Allocation {
    bytes: Vec<u8>,
    written: Vec<u64>,
}

/// Global memory. Addresses are never given out twice, so that a use after free is always seen.
pub struct Global {
    allocations: BTreeMap<u64, Allocation>,
    next: u64,
    /// Bytes that may be allocated in all.
    pub capacity: u64,
    /// Bytes that are allocated.
    pub used: u64,
}

impl Global {
    /// Memory of this size, with addresses from `base` on.
    pub fn new(base: u64, capacity: u64) -> Self {
        Self { allocations: BTreeMap::new(), next: base, capacity, used: 0 }
    }

    /// Address of new memory, aligned to 512 bytes and followed by a gap; `None` where too little is left.
    pub fn allocate(&mut self, size: u64) -> Option<u64> {
        if size > self.capacity.saturating_sub(self.used) {
            return None;
        }
        let address = self.next;
        let bytes = vec![POISON; usize::try_from(size).ok()?];
        let written = vec![0; bytes.len().div_ceil(64)];
        self.next = (address + size + 4096).next_multiple_of(512);
        self.used += size;
        self.allocations.insert(address, Allocation { bytes, written });
        Some(address)
    }

    /// Gives memory back; false where the address is no allocation's.
    pub fn free(&mut self, address: u64) -> bool {
        let Some(gone) = self.allocations.remove(&address) else { return false };
        self.used -= gone.bytes.len() as u64;
        true
    }

    fn find(&mut self, address: u64, size: usize) -> Option<(&mut Allocation, usize)> {
        let (base, allocation) = self.allocations.range_mut(..=address).next_back()?;
        let from = usize::try_from(address - base).ok()?;
        (from.checked_add(size)? <= allocation.bytes.len()).then_some((allocation, from))
    }

    /// Bytes for a copy by the host; `None` outside an allocation.
    pub fn host_read(&mut self, address: u64, size: usize) -> Option<&[u8]> {
        let (allocation, from) = self.find(address, size)?;
        Some(&allocation.bytes[from..from + size])
    }

    /// Memory that a copy by the host fills; `None` outside an allocation.
    pub fn host_write(&mut self, address: u64, size: usize) -> Option<&mut [u8]> {
        let (allocation, from) = self.find(address, size)?;
        mark(&mut allocation.written, from, size);
        Some(&mut allocation.bytes[from..from + size])
    }

    /// A thread's load.
    pub fn load(&mut self, address: u64, size: usize) -> Checked<u64> {
        aligned(address, size)?;
        let Some((allocation, from)) = self.find(address, size) else {
            return violation(
                Violation::IllegalAddress,
                format!("global load of {size} bytes at {address:#x}"),
            );
        };
        if (from..from + size).any(|i| allocation.written[i / 64] >> (i % 64) & 1 == 0) {
            return violation(
                Violation::LaunchFailed,
                format!("global load at {address:#x} of bytes never written"),
            );
        }
        Ok(little(&allocation.bytes[from..from + size]))
    }

    /// A thread's store.
    pub fn store(&mut self, address: u64, size: usize, value: u64) -> Checked<()> {
        aligned(address, size)?;
        let Some(target) = self.host_write(address, size) else {
            return violation(
                Violation::IllegalAddress,
                format!("global store of {size} bytes at {address:#x}"),
            );
        };
        target.copy_from_slice(&value.to_le_bytes()[..size]);
        Ok(())
    }
}

fn mark(written: &mut [u64], from: usize, size: usize) {
    let mut i = from;
    while i < from + size {
        if i.is_multiple_of(64) && i + 64 <= from + size {
            written[i / 64] = u64::MAX;
            i += 64;
        } else {
            written[i / 64] |= 1 << (i % 64);
            i += 1;
        }
    }
}

fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

pub(crate) fn aligned(address: u64, size: usize) -> Checked<()> {
    if address.is_multiple_of(size as u64) {
        return Ok(());
    }
    violation(Violation::Misaligned, format!("address {address:#x} is not a multiple of {size}"))
}

/// Shared memory of a block. Happens-before is kept as vector clocks of warps, joined by barriers.
pub struct Shared {
    bytes: Vec<u8>,
    written: Vec<bool>,
    in_flight: Vec<u16>,
    writer: Vec<(u16, u32)>,
    readers: Vec<u32>,
    clocks: Vec<Vec<u32>>,
}

impl Shared {
    /// Memory of this size for a block of this many warps.
    pub fn new(size: usize, warps: usize) -> Self {
        let words = size.div_ceil(4);
        let clocks = (0..warps).map(|w| (0..warps).map(|v| u32::from(v == w)).collect()).collect();
        Self {
            bytes: vec![POISON; words * 4],
            written: vec![false; words * 4],
            in_flight: vec![0; words],
            writer: vec![(0, 0); words],
            readers: vec![0; words * warps],
            clocks,
        }
    }

    /// What each of these warps did before is seen by all of `waiting` from now on.
    pub fn join(&mut self, arrived: &[usize], waiting: &[usize]) {
        let mut joined = vec![0; self.clocks.len()];
        for &warp in arrived {
            for (all, own) in joined.iter_mut().zip(&self.clocks[warp]) {
                *all = (*all).max(*own);
            }
        }
        for &warp in waiting {
            for (own, all) in self.clocks[warp].iter_mut().zip(&joined) {
                *own = (*own).max(*all);
            }
        }
        for &warp in arrived {
            self.clocks[warp][warp] += 1;
        }
    }

    fn range(&self, address: u64, size: usize) -> Checked<usize> {
        aligned(address, size)?;
        match usize::try_from(address) {
            Ok(from) if from.checked_add(size).is_some_and(|end| end <= self.bytes.len()) => Ok(from),
            _ => {
                violation(Violation::IllegalAddress, format!("shared access of {size} bytes at {address:#x}"))
            }
        }
    }

    fn order(&self, warp: usize, word: usize, writes: bool) -> Checked<()> {
        let clock = &self.clocks[warp];
        let (writer, at) = self.writer[word];
        let writer = usize::from(writer);
        if at > clock[writer] && writer != warp {
            let what = if writes { "write" } else { "read" };
            let place = 4 * word;
            return violation(
                Violation::LaunchFailed,
                format!(
                    "race: shared {what} by warp {warp} at {place:#x}, written by warp {writer} with no barrier between"
                ),
            );
        }
        let readers = &self.readers[word * self.clocks.len()..(word + 1) * self.clocks.len()];
        let early = readers.iter().zip(clock).position(|(read, seen)| read > seen);
        match early {
            Some(reader) if writes && reader != warp => violation(
                Violation::LaunchFailed,
                format!(
                    "race: shared write by warp {warp} at {:#x}, read by warp {reader} with no barrier between",
                    4 * word
                ),
            ),
            _ => Ok(()),
        }
    }

    /// A thread's load.
    pub fn load(&mut self, warp: usize, address: u64, size: usize) -> Checked<u64> {
        let from = self.range(address, size)?;
        for word in from / 4..(from + size).div_ceil(4) {
            if self.in_flight[word] != 0 {
                return violation(
                    Violation::LaunchFailed,
                    format!("shared load at {address:#x} before cp.async is waited for"),
                );
            }
            self.order(warp, word, false)?;
            self.readers[word * self.clocks.len() + warp] = self.clocks[warp][warp];
        }
        if !self.written[from..from + size].iter().all(|w| *w) {
            return violation(
                Violation::LaunchFailed,
                format!("shared load at {address:#x} of bytes never written"),
            );
        }
        Ok(little(&self.bytes[from..from + size]))
    }

    /// A thread's store, of at most 16 bytes.
    pub fn store(&mut self, warp: usize, address: u64, bytes: &[u8]) -> Checked<()> {
        let from = self.range(address, bytes.len())?;
        self.claim(warp, from, bytes.len())?;
        self.bytes[from..from + bytes.len()].copy_from_slice(bytes);
        self.written[from..from + bytes.len()].fill(true);
        Ok(())
    }

    fn claim(&mut self, warp: usize, from: usize, size: usize) -> Checked<()> {
        for word in from / 4..(from + size).div_ceil(4) {
            self.order(warp, word, true)?;
            self.writer[word] = (warp as u16, self.clocks[warp][warp]);
        }
        Ok(())
    }

    /// Marks what an asynchronous copy will write.
    pub fn begin_copy(&mut self, warp: usize, address: u64, size: usize) -> Checked<()> {
        let from = self.range(address, size)?;
        self.claim(warp, from, size)?;
        self.in_flight[from / 4..(from + size).div_ceil(4)].iter_mut().for_each(|n| *n += 1);
        Ok(())
    }

    /// Writes what an asynchronous copy brought.
    pub fn end_copy(&mut self, warp: usize, address: u64, bytes: &[u8]) -> Checked<()> {
        let from = self.range(address, bytes.len())?;
        self.in_flight[from / 4..(from + bytes.len()).div_ceil(4)].iter_mut().for_each(|n| *n -= 1);
        self.store(warp, address, bytes)
    }
}

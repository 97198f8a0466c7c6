//! Global memory of a device, and shared memory of a block with its race detector.

mod clock;
mod shared;

use std::collections::BTreeMap;

pub use clock::{Clock, Known};
pub use shared::Shared;

/// First address of the window in which generic addresses mean shared memory.
pub const SHARED_WINDOW: u64 = 0x0100_0000_0000_0000;
/// Bytes of the window.
pub const SHARED_WINDOW_BYTES: u64 = 1 << 24;
/// First address of the window in which generic addresses mean the kernel's parameters.
pub const PARAMETER_WINDOW: u64 = 0x0200_0000_0000_0000;
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

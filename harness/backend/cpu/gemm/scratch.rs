//! Panel memory that is kept between calls: page faults on fresh memory cost more than packing.

use super::super::memory::{HugeBuffer, OutOfMemory};
use super::driver::{Panels, Plan};
use super::kernel::MicroKernel;

/// Distance between two threads' areas, against false sharing and for prefetch beyond the end.
const GAP: usize = 4096;

/// Packed panels of the last calls; grows, never shrinks.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bytes: Option<HugeBuffer<u8>>,
}

impl Scratch {
    /// Panels for `plan` on `threads` threads.
    ///
    /// Errors: `OutOfMemory`.
    pub(super) fn panels<K: MicroKernel>(
        &mut self,
        plan: &Plan,
        threads: usize,
    ) -> Result<Panels<K::A, K::B>, OutOfMemory> {
        let b = (plan.b_len::<K>() * size_of::<K::B>()).next_multiple_of(GAP) + GAP;
        let a = (plan.a_len::<K>() * size_of::<K::A>()).next_multiple_of(GAP) + GAP;
        let need = 2 * b + threads * a;
        let buffer = match self.bytes.take() {
            Some(buffer) if buffer.len() >= need => buffer,
            _ => HugeBuffer::zeroed(need)?,
        };
        let start = self.bytes.insert(buffer).as_mut_ptr();
        Ok(Panels {
            b: [start.cast(), start.wrapping_add(b).cast()],
            a: start.wrapping_add(2 * b).cast(),
            a_len: a / size_of::<K::A>(),
        })
    }
}

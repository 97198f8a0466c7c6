//! Copies of tiles by the tensor memory accelerator: PTX ISA 9.7.9.27.1. They run by themselves, in any order, and tell
//! a barrier when their bytes have come.

use crate::mbarrier::Mbarriers;
use crate::memory::{Checked, Global, Known, Shared, Violation, violation};
use crate::tensor_map::TensorMap;

/// One copy under way.
pub(crate) struct Transfer {
    pub(crate) map: TensorMap,
    /// Coordinates of the box, innermost first; what lies outside the tensor is zero.
    pub(crate) at: [i64; 2],
    /// Where it goes.
    pub(crate) to: u64,
    pub(crate) barrier: u64,
    /// In whose time, and when, it is done.
    pub(crate) stamp: (usize, u32),
    /// What came before it was issued.
    pub(crate) known: Known,
    /// Who issued it, to be named where it fails.
    pub(crate) issuer: (usize, u32),
}

impl Transfer {
    /// Does it.
    pub(crate) fn run(
        &self,
        global: &mut Global,
        shared: &mut Shared,
        mbarriers: &mut Mbarriers,
    ) -> Checked<()> {
        let size = self.map.element_bytes().unwrap_or(1);
        let ([columns, rows], [width, height]) = (&self.map.extents[..], &self.map.tile[..]) else {
            return violation(
                Violation::LaunchFailed,
                "a copy of two dimensions by a tensor map of another rank",
            );
        };
        let pitch = u64::from(*width) * size;
        // Rows of boxes stand one below the other; the swizzle is of the address itself.
        if !self.to.is_multiple_of(128) {
            return violation(Violation::Misaligned, format!("a box at {:#x}, no multiple of 128", self.to));
        }
        for line in 0..u64::from(*height) {
            let row = self.at[1] + line as i64;
            let inside_row = u64::try_from(row).ok().filter(|row| row < rows);
            let mut bytes = vec![0; pitch as usize];
            for (i, element) in bytes.chunks_exact_mut(size as usize).enumerate() {
                let column = u64::try_from(self.at[0] + i as i64).ok().filter(|column| column < columns);
                let (Some(row), Some(column)) = (inside_row, column) else { continue };
                let address = self.map.address + row * self.map.strides[0] + column * size;
                let bits = global.load(address, size as usize)?;
                element.copy_from_slice(&bits.to_le_bytes()[..size as usize]);
            }
            for (i, chunk) in bytes.chunks_exact(16).enumerate() {
                let place = self.map.swizzle.place(self.to + line * pitch + 16 * i as u64);
                shared.write_asynchronously(self.stamp, &self.known, place, chunk)?;
            }
        }
        mbarriers.complete(self.barrier, (self.map.box_bytes() as i64, 0), &self.known)
    }
}

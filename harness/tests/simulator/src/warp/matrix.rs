//! `mma.sync` on the registers of a warp.

use super::Warp;
use crate::block::World;
use crate::matrix;
use crate::memory::{Checked, Violation, violation};
use crate::operation::Mma;

impl Warp {
    /// Executes the instruction that stands at `place`. In a loop its operands are often those of the last time.
    pub(super) fn mma(&mut self, world: &mut World<'_>, mma: &Mma, mask: u32, place: usize) -> Checked<()> {
        if mask != u32::MAX {
            return violation(Violation::LaunchFailed, format!("mma.sync by lanes {mask:#x} only"));
        }
        world.count.matrix("mma", mma.a_type, [mma.m, mma.n, mma.k]);
        let scales = mma.scales.iter().flat_map(|scales| &scales.data);
        let sources = || mma.a.iter().chain(&mma.b).chain(scales.clone());
        let remembered = world.operands.remove(&place);
        let same = |registers: &[[u64; 32]]| {
            sources().zip(registers).all(|(source, known)| self.gather(world, *source) == *known)
        };
        let (registers, operands, again) = match remembered {
            Some((registers, operands)) if same(&registers) => (registers, operands, true),
            _ => {
                let registers: Vec<_> = sources().map(|source| self.gather(world, *source)).collect();
                let operands = matrix::operands(mma, &registers);
                (registers, operands, false)
            }
        };
        let c: Vec<_> = mma.c.iter().map(|source| self.gather(world, *source)).collect();
        let result = matrix::multiply(mma, &operands, again, &c);
        world.operands.insert(place, (registers, operands));
        for (d, values) in mma.d.iter().zip(result) {
            self.registers[*d as usize] = values;
        }
        Ok(())
    }
}

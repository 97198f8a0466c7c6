//! Loads, stores and asynchronous copies.

use super::{Copy, Warp, lanes};
use crate::arithmetic;
use crate::block::World;
use crate::memory::{Checked, PARAMETER_WINDOW, SHARED_WINDOW, SHARED_WINDOW_BYTES, Violation, violation};
use crate::operation::{Place, Source, Space, Type};

impl Warp {
    pub(super) fn read(
        &self,
        world: &mut World<'_>,
        space: Space,
        address: u64,
        size: usize,
    ) -> Checked<u64> {
        match space {
            Space::Shared => world.shared.load(self.number, address, size),
            Space::Parameter => {
                let bytes = parameter(world, address, size)?;
                Ok(bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)))
            }
            Space::Generic if address.wrapping_sub(PARAMETER_WINDOW) < SHARED_WINDOW_BYTES => {
                self.read(world, Space::Parameter, address - PARAMETER_WINDOW, size)
            }
            Space::Generic if address.wrapping_sub(SHARED_WINDOW) < SHARED_WINDOW_BYTES => {
                world.shared.load(self.number, address - SHARED_WINDOW, size)
            }
            Space::Generic | Space::Global => world.global.load(address, size),
        }
    }

    pub(super) fn write(
        &self,
        world: &mut World<'_>,
        space: Space,
        address: u64,
        bytes: &[u8],
    ) -> Checked<()> {
        let shared = match space {
            Space::Shared => Some(address),
            Space::Generic if address.wrapping_sub(SHARED_WINDOW) < SHARED_WINDOW_BYTES => {
                Some(address - SHARED_WINDOW)
            }
            _ => None,
        };
        if let Some(address) = shared {
            return world.shared.store(self.number, address, bytes);
        }
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        world.global.store(address, bytes.len(), u64::from_le_bytes(word))
    }

    pub(super) fn load(
        &mut self,
        world: &mut World<'_>,
        mask: u32,
        space: Space,
        ty: Type,
        d: &[Option<u32>],
        a: Place,
    ) -> Checked<()> {
        let size = ty.size() as usize;
        for lane in lanes(mask) {
            let address = self.address(world, a, lane);
            crate::memory::aligned(address, size * d.len())?;
            // The address may be in a register that the load itself overwrites.
            for (i, target) in d.iter().enumerate() {
                let bits = self.read(world, space, address + (i * size) as u64, size)?;
                let bits = if ty.signed() { arithmetic::signed(ty, bits) as u64 } else { bits };
                if let Some(target) = target {
                    self.registers[*target as usize][lane] = bits;
                }
            }
        }
        Ok(())
    }

    pub(super) fn store(
        &mut self,
        world: &mut World<'_>,
        mask: u32,
        space: Space,
        ty: Type,
        values: &[Source],
        a: Place,
    ) -> Checked<()> {
        let size = ty.size() as usize;
        for lane in lanes(mask) {
            let address = self.address(world, a, lane);
            crate::memory::aligned(address, size * values.len())?;
            for (i, value) in values.iter().enumerate() {
                let bits = self.value(world, *value, lane);
                self.write(world, space, address + (i * size) as u64, &bits.to_le_bytes()[..size])?;
            }
        }
        Ok(())
    }

    pub(super) fn copy(
        &mut self,
        world: &mut World<'_>,
        mask: u32,
        size: u32,
        (d, a): (Place, Place),
        filled: Option<Source>,
    ) -> Checked<()> {
        for lane in lanes(mask) {
            let (to, from) = (self.address(world, d, lane), self.address(world, a, lane));
            crate::memory::aligned(to, size as usize)?;
            crate::memory::aligned(from, size as usize)?;
            let count = filled.map_or(u64::from(size), |f| self.value(world, f, lane));
            if count > u64::from(size) {
                return violation(
                    Violation::IllegalInstruction,
                    format!("cp.async of {count} bytes into {size}"),
                );
            }
            let mut bytes = vec![0; size as usize];
            for (i, byte) in bytes.iter_mut().enumerate().take(count as usize) {
                *byte = world.global.load(from + i as u64, 1)? as u8;
            }
            for part in (0..u64::from(size)).step_by(4) {
                world.shared.begin_copy(self.number, to + part, 4)?;
            }
            self.copies[lane].open.push(Copy { address: to, bytes });
        }
        Ok(())
    }

    /// Each eight lanes give the row addresses of one 8 x 8 matrix of 16-bit elements.
    pub(super) fn load_matrix(
        &mut self,
        world: &mut World<'_>,
        count: usize,
        transposed: bool,
        d: &[u32],
        a: Place,
    ) -> Checked<()> {
        if self.live != u32::MAX {
            return violation(Violation::LaunchFailed, "ldmatrix by a part of a warp");
        }
        let mut rows = vec![[0u64; 8]; 8 * count];
        for (lane, row) in rows.iter_mut().enumerate() {
            let address = self.address(world, a, lane);
            crate::memory::aligned(address, 16)?;
            for (i, element) in row.iter_mut().enumerate() {
                *element = world.shared.load(self.number, address + 2 * i as u64, 2)?;
            }
        }
        for (i, target) in d.iter().enumerate() {
            let matrix = &rows[8 * i..8 * i + 8];
            self.registers[*target as usize] = std::array::from_fn(|lane| {
                let (g, t) = (lane / 4, lane % 4 * 2);
                if transposed {
                    matrix[t][g] | matrix[t + 1][g] << 16
                } else {
                    matrix[g][t] | matrix[g][t + 1] << 16
                }
            });
        }
        Ok(())
    }
}

/// Bytes of the parameters.
pub(super) fn parameter<'a>(world: &World<'a>, address: u64, size: usize) -> Checked<&'a [u8]> {
    let from = usize::try_from(address).unwrap_or(usize::MAX);
    let end = from.saturating_add(size);
    match world.frame.parameters.get(from..end) {
        Some(bytes) => Ok(bytes),
        None => violation(Violation::IllegalAddress, format!("parameter at {address}")),
    }
}

//! Registers of the lanes, and the operands that are read from them.

use super::{Warp, lanes};
use crate::block::World;
use crate::operation::{Place, Source};
use crate::syntax::Special;

impl Warp {
    pub(super) fn value(&self, world: &World<'_>, source: Source, lane: usize) -> u64 {
        match source {
            Source::Register(r) => self.registers[r as usize][lane],
            Source::Not(r) => u64::from(self.registers[r as usize][lane] == 0),
            Source::Immediate(bits) => bits,
            Source::Special(special) => self.special(world, special, lane),
        }
    }

    pub(super) fn special(&self, world: &World<'_>, special: Special, lane: usize) -> u64 {
        let frame = world.frame;
        let thread = (self.number * 32 + lane) as u32;
        let [x, y, _] = frame.threads;
        u64::from(match special {
            Special::Tid(0) => thread % x,
            Special::Tid(1) => thread / x % y,
            Special::Tid(_) => thread / x / y,
            Special::Ntid(axis) => frame.threads[usize::from(axis)],
            Special::Ctaid(axis) => world.block[usize::from(axis)],
            Special::Nctaid(axis) => frame.grid[usize::from(axis)],
            Special::Laneid => lane as u32,
            Special::Warpid => self.number as u32,
            Special::Clock => world.count.instructions as u32,
            Special::Dynamic => frame.dynamic_offset,
        })
    }

    pub(super) fn set(&mut self, d: u32, mask: u32, values: &[u64; 32]) {
        let register = &mut self.registers[d as usize];
        if mask == u32::MAX {
            *register = *values;
            return;
        }
        for lane in lanes(mask) {
            register[lane] = values[lane];
        }
    }

    pub(super) fn gather(&self, world: &World<'_>, source: Source) -> [u64; 32] {
        match source {
            Source::Register(r) => self.registers[r as usize],
            Source::Immediate(bits) => [bits; 32],
            other => std::array::from_fn(|lane| self.value(world, other, lane)),
        }
    }

    pub(super) fn map(
        &mut self,
        world: &World<'_>,
        mask: u32,
        d: u32,
        a: &[Source],
        f: impl Fn([u64; 3]) -> u64,
    ) {
        let mut inputs = [[0; 32]; 3];
        for (input, source) in inputs.iter_mut().zip(a) {
            *input = self.gather(world, *source);
        }
        let of = |lane: usize| f([inputs[0][lane], inputs[1][lane], inputs[2][lane]]);
        let register = &mut self.registers[d as usize];
        if mask == u32::MAX {
            register.iter_mut().enumerate().for_each(|(lane, value)| *value = of(lane));
            return;
        }
        for lane in lanes(mask) {
            register[lane] = of(lane);
        }
    }

    pub(super) fn address(&self, world: &World<'_>, place: Place, lane: usize) -> u64 {
        self.value(world, place.base, lane).wrapping_add_signed(place.offset)
    }
}

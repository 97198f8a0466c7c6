//! What each instruction does to the lanes that execute it.

use super::{Warp, lanes};
use crate::arithmetic;
use crate::block::World;
use crate::memory::{Checked, Violation, violation};
use crate::number;
use crate::operation::*;

impl Warp {
    pub(super) fn perform(
        &mut self,
        world: &mut World<'_>,
        op: &Op,
        (mask, place): (u32, usize),
    ) -> Checked<()> {
        match op {
            Op::Move { d, a, mask: bits } => self.map(world, mask, *d, &[*a], |[a, ..]| a & bits),
            Op::ToGeneric { d, a, window } => self.map(world, mask, *d, &[*a], |[a, ..]| a + window),
            Op::FromGeneric { d, a, window } => {
                self.map(world, mask, *d, &[*a], |[a, ..]| a.wrapping_sub(*window))
            }
            Op::Integer { kind, ty, d, a } => {
                self.map(world, mask, *d, a, |a| arithmetic::integer(*kind, *ty, a))
            }
            Op::Float { kind, how, d, a } => {
                world.count.float(*kind, how.ty, mask.count_ones());
                self.map(world, mask, *d, a, |a| arithmetic::float(*kind, *how, a));
            }
            Op::Convert { how, d, a } => {
                self.map(world, mask, *d, &[*a], |[a, ..]| arithmetic::convert(*how, a))
            }
            Op::ConvertPair { to, rounding, saturate, d, a, b } => {
                let (format, bits) = match to {
                    Element::F16 => (number::F16, 16),
                    Element::Bf16 => (number::BF16, 16),
                    Element::E4m3 => (number::E4M3, 8),
                    _ => (number::E5M2, 8),
                };
                let one = |x: u64| format.encode(f64::from(f32::from_bits(x as u32)), *rounding, *saturate);
                self.map(world, mask, *d, &[*a, *b], |[a, b, _]| u64::from(one(a) << bits | one(b)));
            }
            Op::Select { ty, d, a } => {
                self.map(world, mask, *d, a, |[a, b, p]| if p != 0 { a } else { b } & ty.mask())
            }
            Op::Compare { test, unordered, ty, combine, d, a } => {
                let third = combine.map_or(Source::Immediate(0), |c| c.1);
                for (target, negated) in [(d[0], false), (d[1], true)] {
                    let Some(target) = target else { continue };
                    self.map(world, mask, target, &[a[0], a[1], third], |[a, b, p]| {
                        let found = arithmetic::compare(*test, *unordered, *ty, a, b) != negated;
                        u64::from(match combine {
                            None => found,
                            Some((Combine::And, _)) => found && p != 0,
                            Some((Combine::Or, _)) => found || p != 0,
                            Some((Combine::Xor, _)) => found != (p != 0),
                        })
                    });
                }
            }
            Op::Pack { d, parts, bits } => {
                let mut values = [0; 32];
                for (i, part) in parts.iter().enumerate() {
                    let input = self.gather(world, *part);
                    lanes(mask).for_each(|l| values[l] |= (input[l] & low(*bits)) << (i as u32 * bits));
                }
                self.set(*d, mask, &values);
            }
            Op::Unpack { d, a, bits } => {
                let input = self.gather(world, *a);
                for (i, target) in d.iter().enumerate() {
                    if let Some(target) = target {
                        self.set(*target, mask, &input.map(|v| v >> (i as u32 * bits) & low(*bits)));
                    }
                }
            }
            Op::Trap => return violation(Violation::LaunchFailed, "trap"),
            Op::Nothing => {}
            Op::ProxyFence => {
                world.mbarriers.show(&world.shared, self.number, false);
                world.shared.fence(self.number);
            }
            Op::WarpSync { members } => {
                let lane = mask.trailing_zeros() as usize;
                if self.value(world, *members, lane) as u32 & self.live != mask {
                    return violation(Violation::LaunchFailed, "bar.warp.sync without all its members");
                }
            }
            Op::Elect { p, d, members } => {
                let first = mask.trailing_zeros() as usize;
                if self.value(world, *members, first) as u32 != mask {
                    return violation(Violation::LaunchFailed, "elect.sync without all its members");
                }
                if let Some(p) = p {
                    self.set(*p, mask, &std::array::from_fn(|l| u64::from(l == first)));
                }
                if let Some(d) = d {
                    self.set(*d, mask, &[first as u64; 32]);
                }
            }
            Op::Shuffle { mode, d, p, a } => self.shuffle(world, mask, *mode, (*d, *p), a)?,
            Op::Load { space, ty, d, a } => self.load(world, mask, *space, *ty, d, *a)?,
            Op::Store { space, ty, values, a } => self.store(world, mask, *space, *ty, values, *a)?,
            Op::Atomic { kind, floating, space, ty, d, a, value } => {
                for lane in lanes(mask) {
                    let address = self.address(world, *a, lane);
                    let old = self.read(world, *space, address, ty.size() as usize)?;
                    let value = self.value(world, *value, lane);
                    let new = if *floating {
                        let how = How {
                            ty: *ty,
                            rounding: number::Rounding::Nearest,
                            flush: false,
                            saturate: false,
                            relu: false,
                            nan: false,
                        };
                        arithmetic::float(Float::Add, how, [old, value, 0])
                    } else {
                        arithmetic::integer(*kind, *ty, [old, value, 0])
                    };
                    self.write(world, *space, address, &new.to_le_bytes()[..ty.size() as usize])?;
                    if let Some(d) = d {
                        self.registers[*d as usize][lane] = old;
                    }
                }
            }
            Op::CopyAsync { size, d, a, filled } => self.copy(world, mask, *size, (*d, *a), *filled)?,
            Op::CopyCommit => {
                for lane in lanes(mask) {
                    let copies = &mut self.copies[lane];
                    let group = std::mem::take(&mut copies.open);
                    copies.groups.push_back(group);
                }
            }
            Op::CopyWait { newest, all } => {
                for lane in lanes(mask) {
                    let copies = &mut self.copies[lane];
                    if *all {
                        let group = std::mem::take(&mut copies.open);
                        copies.groups.push_back(group);
                    }
                    while copies.groups.len() > *newest as usize {
                        for copy in copies.groups.pop_front().unwrap_or_default() {
                            world.shared.end_copy(self.number, copy.address, &copy.bytes)?;
                        }
                    }
                }
            }
            Op::LoadMatrix { count, transposed, d, a } => {
                self.load_matrix(world, *count, *transposed, d, *a)?
            }
            Op::Mma(mma) => self.mma(world, mma, mask, place)?,
            Op::Branch(_) | Op::Exit | Op::Barrier { .. } | Op::Asynchronous(_) | Op::Tensor(_) => {}
        }
        Ok(())
    }

    pub(super) fn shuffle(
        &mut self,
        world: &World<'_>,
        mask: u32,
        mode: Shuffle,
        (d, p): (u32, Option<u32>),
        a: &[Source; 4],
    ) -> Checked<()> {
        let first = mask.trailing_zeros() as usize;
        let members = self.value(world, a[3], first) as u32;
        if members & self.live != mask {
            return violation(Violation::LaunchFailed, "shfl.sync without all its members");
        }
        let input = self.gather(world, a[0]);
        let (mut values, mut inside) = ([0; 32], [0; 32]);
        for lane in lanes(mask) {
            let b = (self.value(world, a[1], lane) & 31) as usize;
            let c = self.value(world, a[2], lane) as usize;
            let (clamp, segment) = (c & 31, c >> 8 & 31);
            let most = (lane & segment) | (clamp & !segment);
            let from = match mode {
                Shuffle::Up => lane.checked_sub(b),
                Shuffle::Down => Some(lane + b),
                Shuffle::Butterfly => Some(lane ^ b),
                Shuffle::Index => Some((lane & segment) | (b & !segment)),
            };
            let from = from.filter(|&j| if mode == Shuffle::Up { j >= most } else { j <= most });
            let source = from.unwrap_or(lane);
            if mask >> source & 1 == 0 {
                return violation(
                    Violation::LaunchFailed,
                    format!("shfl.sync reads lane {source}, which is not active"),
                );
            }
            (values[lane], inside[lane]) = (input[source], u64::from(from.is_some()));
        }
        self.set(d, mask, &values);
        if let Some(p) = p {
            self.set(p, mask, &inside);
        }
        Ok(())
    }
}

fn low(bits: u32) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

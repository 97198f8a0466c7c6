//! One warp: registers of its lanes, groups of lanes that stand at one instruction, and what each instruction does.

use std::collections::VecDeque;

use crate::arithmetic;
use crate::launch::{Barriers, Count, Frame};
use crate::matrix;
use crate::memory::{Checked, Global, SHARED_WINDOW, SHARED_WINDOW_BYTES, Shared, Violation, violation};
use crate::number;
use crate::operation::*;
use crate::syntax::Special;

/// Lanes that stand at one instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Group {
    place: usize,
    mask: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    /// Waits for the other lanes before an instruction of the whole warp.
    Parked,
    /// Waits at a barrier.
    Waiting(u64),
}

/// Why a warp stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Its slice is over.
    Slice,
    /// It waits at a barrier.
    Blocked,
    /// All lanes have ended.
    Ended,
}

struct Copy {
    address: u64,
    bytes: Vec<u8>,
}

/// A warp's state.
pub(crate) struct Warp {
    number: usize,
    live: u32,
    groups: Vec<Group>,
    registers: Vec<[u64; 32]>,
    open: Vec<Copy>,
    copies: VecDeque<Vec<Copy>>,
}

/// What a warp works on.
pub(crate) struct World<'a> {
    pub frame: &'a Frame<'a>,
    pub block: [u32; 3],
    pub global: &'a mut Global,
    pub shared: &'a mut Shared,
    pub barriers: &'a mut Barriers,
    pub count: &'a mut Count,
}

fn lanes(mask: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |lane| mask >> lane & 1 == 1)
}

impl Warp {
    pub(crate) fn new(number: usize, threads: usize, registers: u32) -> Self {
        let live = if threads >= 32 { u32::MAX } else { (1 << threads) - 1 };
        Self {
            number,
            live,
            groups: vec![Group { place: 0, mask: live, state: State::Ready }],
            registers: vec![[0; 32]; registers as usize],
            open: Vec::new(),
            copies: VecDeque::new(),
        }
    }

    pub(crate) fn threads(&self) -> u32 {
        self.live.count_ones()
    }

    /// Lets the lanes at this barrier go on.
    pub(crate) fn release(&mut self, barrier: u64) {
        for group in &mut self.groups {
            if group.state == State::Waiting(barrier) {
                group.state = State::Ready;
            }
        }
    }

    pub(crate) fn ready(&self) -> bool {
        self.groups.iter().any(|g| g.state != State::Waiting(0) && !matches!(g.state, State::Waiting(_)))
    }

    /// The group to run next: the one that is furthest behind, so that lanes meet again where their paths do.
    fn choose(&mut self) -> Option<usize> {
        let mut i = 0;
        while i < self.groups.len() {
            let (group, mut j) = (self.groups[i], i + 1);
            while j < self.groups.len() {
                let other = self.groups[j];
                let waits = |g: Group| matches!(g.state, State::Waiting(_));
                if other.place == group.place && !waits(group) && !waits(other) {
                    self.groups[i].mask |= other.mask;
                    self.groups[i].state = State::Ready;
                    self.groups.remove(j);
                } else {
                    j += 1;
                }
            }
            i += 1;
        }
        let ready = |g: &&(usize, &Group)| g.1.state == State::Ready;
        self.groups
            .iter()
            .enumerate()
            .collect::<Vec<_>>()
            .iter()
            .filter(ready)
            .min_by_key(|g| g.1.place)
            .map(|g| g.0)
    }

    /// Runs at most this many instructions.
    pub(crate) fn run(
        &mut self,
        world: &mut World<'_>,
        slice: u32,
    ) -> Result<Stop, (u32, Violation, String)> {
        let code = &world.frame.kernel.code;
        let mut left = slice;
        loop {
            let Some(chosen) = self.choose() else {
                if self.groups.is_empty() {
                    return Ok(Stop::Ended);
                }
                if let Some(parked) = self.groups.iter().find(|g| g.state == State::Parked) {
                    let line = code.get(parked.place).map_or(0, |i| i.line);
                    return Err((
                        line,
                        Violation::LaunchFailed,
                        format!(
                            "warp {} is diverged (lanes {:#x}) at an instruction of the whole warp",
                            self.number, parked.mask
                        ),
                    ));
                }
                return Ok(Stop::Blocked);
            };
            loop {
                if left == 0 {
                    return Ok(Stop::Slice);
                }
                left -= 1;
                let group = self.groups[chosen];
                let Some(instruction) = code.get(group.place) else {
                    self.end(chosen, group.mask);
                    break;
                };
                if instruction.op.aligned() && group.mask != self.live {
                    self.groups[chosen].state = State::Parked;
                    break;
                }
                let several = self.groups.len() > 1;
                let again = self.step(world, chosen, instruction);
                let again = again.map_err(|(kind, what)| (instruction.line, kind, what))?;
                if several || again || self.groups.len() != 1 {
                    break;
                }
            }
        }
    }

    fn end(&mut self, chosen: usize, mask: u32) {
        self.live &= !mask;
        self.groups[chosen].mask &= !mask;
        if self.groups[chosen].mask == 0 {
            self.groups.remove(chosen);
        }
    }

    /// Executes one instruction; true where the groups have to be looked at again.
    fn step(&mut self, world: &mut World<'_>, chosen: usize, instruction: &Instruction) -> Checked<bool> {
        let group = self.groups[chosen];
        let mut mask = group.mask;
        if let Some((p, negated)) = instruction.guard {
            let values = &self.registers[p as usize];
            mask = lanes(mask).filter(|&l| (values[l] != 0) != negated).fold(0, |m, l| m | 1 << l);
        }
        world.count.instructions += u64::from(mask.count_ones());
        match &instruction.op {
            Op::Branch(target) => {
                let rest = group.mask & !mask;
                if mask == 0 {
                    self.groups[chosen].place += 1;
                    return Ok(false);
                }
                self.groups[chosen] = Group { place: *target as usize, mask, ..group };
                if rest != 0 {
                    self.groups.push(Group { place: group.place + 1, mask: rest, ..group });
                }
                return Ok(rest != 0);
            }
            Op::Exit => {
                self.groups[chosen].place += 1;
                self.end(chosen, mask);
                return Ok(mask != 0);
            }
            Op::Barrier { id, threads, arrive } => {
                self.groups[chosen].place += 1;
                if mask == 0 {
                    return Ok(false);
                }
                let lane = mask.trailing_zeros() as usize;
                let id = self.value(world, *id, lane);
                let threads = threads.map(|t| self.value(world, t, lane) as u32);
                if id > 15 || threads.is_some_and(|t| t == 0 || t % 32 != 0) {
                    return violation(
                        Violation::IllegalInstruction,
                        format!("barrier {id} of {threads:?} threads"),
                    );
                }
                if mask != group.mask {
                    return violation(
                        Violation::LaunchFailed,
                        "barrier under a predicate that is not the warp's",
                    );
                }
                world.barriers.arrive(id as usize, threads, self.number, mask.count_ones(), *arrive);
                if !arrive {
                    self.groups[chosen].state = State::Waiting(id);
                }
                return Ok(true);
            }
            op => {
                self.groups[chosen].place += 1;
                if mask != 0 {
                    self.perform(world, op, mask)?;
                }
            }
        }
        Ok(false)
    }

    fn value(&self, world: &World<'_>, source: Source, lane: usize) -> u64 {
        match source {
            Source::Register(r) => self.registers[r as usize][lane],
            Source::Not(r) => u64::from(self.registers[r as usize][lane] == 0),
            Source::Immediate(bits) => bits,
            Source::Special(special) => self.special(world, special, lane),
        }
    }

    fn special(&self, world: &World<'_>, special: Special, lane: usize) -> u64 {
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

    fn set(&mut self, d: u32, mask: u32, values: &[u64; 32]) {
        let register = &mut self.registers[d as usize];
        if mask == u32::MAX {
            *register = *values;
            return;
        }
        for lane in lanes(mask) {
            register[lane] = values[lane];
        }
    }

    fn gather(&self, world: &World<'_>, source: Source) -> [u64; 32] {
        match source {
            Source::Register(r) => self.registers[r as usize],
            Source::Immediate(bits) => [bits; 32],
            other => std::array::from_fn(|lane| self.value(world, other, lane)),
        }
    }

    fn map(&mut self, world: &World<'_>, mask: u32, d: u32, a: &[Source], f: impl Fn([u64; 3]) -> u64) {
        let mut inputs = [[0; 32]; 3];
        for (input, source) in inputs.iter_mut().zip(a) {
            *input = self.gather(world, *source);
        }
        let mut values = [0; 32];
        for lane in lanes(mask) {
            values[lane] = f([inputs[0][lane], inputs[1][lane], inputs[2][lane]]);
        }
        self.set(d, mask, &values);
    }

    fn address(&self, world: &World<'_>, place: Place, lane: usize) -> u64 {
        self.value(world, place.base, lane).wrapping_add_signed(place.offset)
    }

    fn perform(&mut self, world: &mut World<'_>, op: &Op, mask: u32) -> Checked<()> {
        match op {
            Op::Move { d, a, mask: bits } => self.map(world, mask, *d, &[*a], |[a, ..]| a & bits),
            Op::ToGeneric { d, a } => self.map(world, mask, *d, &[*a], |[a, ..]| a + SHARED_WINDOW),
            Op::FromGeneric { d, a } => {
                self.map(world, mask, *d, &[*a], |[a, ..]| a.wrapping_sub(SHARED_WINDOW))
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
            Op::Nothing | Op::ProxyFence => {}
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
                let group = std::mem::take(&mut self.open);
                self.copies.push_back(group);
            }
            Op::CopyWait(newest) => {
                while self.copies.len() > *newest as usize {
                    for copy in self.copies.pop_front().unwrap_or_default() {
                        world.shared.end_copy(self.number, copy.address, &copy.bytes)?;
                    }
                }
            }
            Op::LoadMatrix { count, transposed, d, a } => {
                self.load_matrix(world, *count, *transposed, d, *a)?
            }
            Op::Mma(mma) => {
                if mask != u32::MAX {
                    return violation(Violation::LaunchFailed, format!("mma.sync by lanes {mask:#x} only"));
                }
                world.count.matrix(mma);
                let inputs = [&mma.a, &mma.b, &mma.c]
                    .map(|s| s.iter().map(|s| self.gather(world, *s)).collect::<Vec<_>>());
                let result = matrix::multiply(mma, |lane, operand, register| inputs[operand][register][lane]);
                for (i, d) in mma.d.iter().enumerate() {
                    self.registers[*d as usize] = std::array::from_fn(|lane| result[lane][i]);
                }
            }
            Op::Branch(_) | Op::Exit | Op::Barrier { .. } => {}
        }
        Ok(())
    }

    fn read(&self, world: &mut World<'_>, space: Space, address: u64, size: usize) -> Checked<u64> {
        match space {
            Space::Shared => world.shared.load(self.number, address, size),
            Space::Parameter => match world.frame.parameters.get(address as usize..address as usize + size) {
                Some(bytes) => Ok(bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))),
                None => violation(Violation::IllegalAddress, format!("parameter at {address}")),
            },
            Space::Generic if address.wrapping_sub(SHARED_WINDOW) < SHARED_WINDOW_BYTES => {
                world.shared.load(self.number, address - SHARED_WINDOW, size)
            }
            Space::Generic | Space::Global => world.global.load(address, size),
        }
    }

    fn write(&self, world: &mut World<'_>, space: Space, address: u64, bytes: &[u8]) -> Checked<()> {
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

    fn load(
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

    fn store(
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

    fn copy(
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
            self.open.push(Copy { address: to, bytes });
        }
        Ok(())
    }

    /// Each eight lanes give the row addresses of one 8 x 8 matrix of 16-bit elements.
    fn load_matrix(
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

    fn shuffle(
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

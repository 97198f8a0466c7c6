//! Barrier objects, bulk copies and the instructions of a warpgroup.

use rand::RngExt;

use super::access::parameter;
use super::{Warp, lanes};
use crate::block::World;
use crate::matrix::{element, place_c, rounded};
use crate::mbarrier::Phase;
use crate::memory::{Checked, PARAMETER_WINDOW, SHARED_WINDOW_BYTES, Violation, violation};
use crate::operation::{Asynchronous, Element, Op, Place, Source, Wgmma};
use crate::product::Exact;
use crate::tensor_map::{BYTES, TensorMap};
use crate::transfer::Transfer;
use crate::wgmma::Product;

impl Warp {
    /// Executes one; false where it has to be tried again.
    pub(super) fn asynchronous(
        &mut self,
        world: &mut World<'_>,
        op: &Asynchronous,
        mask: u32,
        (place, line): (usize, u32),
    ) -> Checked<bool> {
        if op.aligned() && mask != u32::MAX {
            return violation(
                Violation::LaunchFailed,
                format!("an instruction of the whole warp by lanes {mask:#x} only"),
            );
        }
        match op {
            Asynchronous::MbarrierFence => world.mbarriers.show(&world.shared, self.number, true),
            Asynchronous::MbarrierTest { p, a, phase, parity, blocking } => {
                return self.test(world, mask, (*p, *a, *phase), (*parity, *blocking));
            }
            Asynchronous::TensorLoad { d, map, at, barrier } => {
                for lane in lanes(mask) {
                    self.tensor_load(world, lane, (*d, *map, *barrier), (at, line))?;
                }
            }
            Asynchronous::MostRegisters(count) => self.most_registers(world, *count)?,
            Asynchronous::WgmmaFence => self.flight.fence(),
            Asynchronous::WgmmaCommit => self.flight.commit(),
            Asynchronous::WgmmaWait(newest) => return self.wait(world, *newest as usize),
            Asynchronous::Wgmma(wgmma) => self.issue(world, wgmma, (place, line))?,
            Asynchronous::MbarrierInit { .. }
            | Asynchronous::MbarrierInvalidate { .. }
            | Asynchronous::MbarrierArrive { .. }
            | Asynchronous::MbarrierComplete { .. } => {
                lanes(mask).try_for_each(|lane| self.mbarrier(world, op, lane))?;
            }
        }
        Ok(true)
    }

    fn mbarrier(&mut self, world: &mut World<'_>, op: &Asynchronous, lane: usize) -> Checked<()> {
        let (warp, at) = (self.number, |place: Place| self.address(world, place, lane));
        let word = |source: Source| i64::from(self.value(world, source, lane) as u32);
        match op {
            Asynchronous::MbarrierInit { a, count } => {
                let (address, count) = (at(*a), word(*count));
                world.mbarriers.init(&mut world.shared, warp, address, count)
            }
            Asynchronous::MbarrierInvalidate { a } => {
                let address = at(*a);
                world.mbarriers.invalidate(&mut world.shared, warp, address)
            }
            Asynchronous::MbarrierArrive { state, a, arrivals, bytes } => {
                let arguments = (at(*a), word(*arrivals), word(*bytes));
                let phase = world.mbarriers.arrive(&mut world.shared, warp, arguments)?;
                if let Some(state) = state {
                    self.registers[*state as usize][lane] = phase.into();
                }
                Ok(())
            }
            Asynchronous::MbarrierComplete { a, bytes } => {
                let (address, bytes) = (at(*a), word(*bytes));
                let known = world.shared.known(warp).clone();
                world.mbarriers.complete(address, (bytes, 0), &known)
            }
            _ => Ok(()),
        }
    }

    /// A try may give up before the phase has ended, as hardware's may; else it waits.
    fn test(
        &mut self,
        world: &mut World<'_>,
        mask: u32,
        (p, a, phase): (u32, Place, Source),
        (parity, blocking): (bool, bool),
    ) -> Checked<bool> {
        let mut ended = [0; 32];
        for lane in lanes(mask) {
            let (address, phase) = (self.address(world, a, lane), self.value(world, phase, lane));
            let phase = if parity { Phase::Parity(phase & 0xffff_ffff) } else { Phase::Number(phase) };
            ended[lane] = u64::from(world.mbarriers.ended(&mut world.shared, self.number, address, phase)?);
        }
        let all = lanes(mask).all(|lane| ended[lane] == 1);
        if blocking && !all && world.random.random_ratio(7, 8) {
            return Ok(false);
        }
        self.set(p, mask, &ended);
        Ok(true)
    }

    fn tensor_load(
        &self,
        world: &mut World<'_>,
        lane: usize,
        (d, map, barrier): (Place, Place, Place),
        (at, line): (&[Source], u32),
    ) -> Checked<()> {
        let place = self.address(world, map, lane).wrapping_sub(PARAMETER_WINDOW);
        if place >= SHARED_WINDOW_BYTES || !place.is_multiple_of(64) {
            return violation(
                Violation::IllegalAddress,
                "a tensor map elsewhere than in the parameters, at a multiple of 64",
            );
        }
        let map = TensorMap::decode(parameter(world, place, BYTES)?)
            .or_else(|error| violation(Violation::LaunchFailed, error.to_string()))?;
        let coordinate = |i: usize| i64::from(self.value(world, at[i], lane) as i32);
        let (at, to, barrier) = (
            [coordinate(0), coordinate(1)],
            self.address(world, d, lane),
            self.address(world, barrier, lane),
        );
        let stamp = world.mbarriers.completes_at(&world.shared, self.number, barrier)?;
        let known = world.shared.known(self.number).clone();
        let issuer = (self.number, line);
        world.transfers.push(Transfer { map, at, to, barrier, stamp, known, issuer });
        Ok(())
    }

    /// A multiprocessor has 65536 registers.
    fn most_registers(&self, world: &mut World<'_>, count: u32) -> Checked<()> {
        world.claimed[self.number] = count;
        let all: u32 = world.claimed.iter().map(|count| count * 32).sum();
        if all > 1 << 16 {
            return violation(Violation::LaunchFailed, format!("setmaxnreg: {all} registers in all"));
        }
        Ok(())
    }

    fn issue(&mut self, world: &mut World<'_>, wgmma: &Wgmma, (place, line): (usize, u32)) -> Checked<()> {
        let mut same = [0; 3];
        for (same, source) in same.iter_mut().zip([wgmma.descriptors[0], wgmma.descriptors[1], wgmma.adds]) {
            let values = self.gather(world, source);
            if values.iter().any(|value| *value != values[0]) {
                return violation(Violation::LaunchFailed, "wgmma with another operand in some lanes");
            }
            *same = values[0];
        }
        let Some(unit) = world.units.get_mut(self.number / 4) else {
            return violation(Violation::LaunchFailed, "wgmma by a part of a warpgroup");
        };
        let number = self.flight.next();
        self.flight.issue(wgmma, place)?;
        let ([a, b, adds], who) = (same, (self.number, number, line));
        world.changed |= unit.issue(&mut world.shared, who, wgmma, ([a, b], adds != 0))?;
        world.count.matrix("wgmma", wgmma.a_type, [16, wgmma.n, wgmma.k]);
        Ok(())
    }

    /// Waits until at most this many groups are under way.
    fn wait(&mut self, world: &mut World<'_>, newest: usize) -> Checked<bool> {
        let unit = self.number / 4;
        let kernel = world.frame.kernel;
        while let Some(group) = self.flight.oldest(newest) {
            if !group.iter().all(|(number, _)| world.units[unit].done(*number)) {
                return Ok(false);
            }
            for (number, place) in self.flight.land() {
                let product = world.units[unit].take(&mut world.shared, self.number, number);
                let op = kernel.code.get(place).map(|instruction| &instruction.op);
                if let (Some(product), Some(Op::Asynchronous(Asynchronous::Wgmma(wgmma)))) = (product, op) {
                    self.flight.release(wgmma);
                    self.add(wgmma, &product);
                }
            }
        }
        Ok(true)
    }

    /// Adds the product's 16 rows of this warp to its registers.
    fn add(&mut self, wgmma: &Wgmma, product: &Product) {
        let exact = if product.again && product.adds { product.operands.exact() } else { None };
        if let Some(values) = exact.and_then(|exact| self.add_exactly(wgmma, exact)) {
            for (register, lanes) in wgmma.d.iter().zip(values) {
                self.registers[*register as usize] = lanes;
            }
            return;
        }
        let (kind, halves) = (wgmma.d_type, if wgmma.d_type == Element::F16 { 2 } else { 1 });
        let place = |lane: usize, i: usize| {
            let (row, column) = place_c(lane, i % 4);
            row * wgmma.n + i / 4 * 8 + column
        };
        let mut sums = vec![0.0; 16 * wgmma.n];
        if product.adds {
            for (word, register) in wgmma.d.iter().enumerate() {
                for (lane, old) in self.registers[*register as usize].iter().enumerate() {
                    for half in 0..halves {
                        let c = if halves == 2 { old >> (16 * half) & 0xffff } else { *old };
                        sums[place(lane, word * halves + half)] = element(kind, c);
                    }
                }
            }
        }
        let (first, chained) = (self.number % 4 * 16, kind == Element::F64);
        if product.again {
            product.operands.add_again(first, &mut sums, chained);
        } else {
            product.operands.add(first, &mut sums, chained);
        }
        for (word, register) in wgmma.d.iter().enumerate() {
            let of = |lane: usize, half: usize| {
                rounded((kind, wgmma.saturate), sums[place(lane, word * halves + half)]) << (16 * half)
            };
            self.registers[*register as usize] =
                std::array::from_fn(|lane| (0..halves).fold(0, |bits, half| bits | of(lane, half)));
        }
    }

    /// The registers with a product that is known added, where all sums are exact: what [`add`](Self::add) gives.
    fn add_exactly(&self, wgmma: &Wgmma, exact: &Exact) -> Option<Vec<[u64; 32]>> {
        let first = self.number % 4 * 16 * wgmma.n;
        let place = |word: usize, lane: usize| {
            let (row, column) = place_c(lane, word % 4);
            first + row * wgmma.n + word / 4 * 8 + column
        };
        let mut values = vec![[0; 32]; wgmma.d.len()];
        for (word, (register, new)) in wgmma.d.iter().zip(&mut values).enumerate() {
            for (lane, old) in self.registers[*register as usize].iter().enumerate() {
                // Kinds by name, so that the compiler makes a loop of each.
                let (read, round) = match wgmma.d_type {
                    Element::F32 => (element(Element::F32, *old), Element::F32),
                    Element::S32 => (element(Element::S32, *old), Element::S32),
                    _ => return None,
                };
                new[lane] = rounded((round, wgmma.saturate), exact.sum(place(word, lane), read)?);
            }
        }
        Some(values)
    }
}

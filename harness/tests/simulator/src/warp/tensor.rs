//! Tensor memory and the matrix unit on it.

use rand::RngExt;

use super::{Warp, lanes};
use crate::block::World;
use crate::memory::{Checked, Violation, violation};
use crate::operation::{Kind, Place, Source, Tensor};
use crate::tensor_memory::{LANES, Task, instruction_descriptor, matrix_descriptor};

fn wrong<T>(what: impl Into<String>) -> Checked<T> {
    violation(Violation::LaunchFailed, what)
}

impl Warp {
    /// Executes one; false where it has to be tried again.
    pub(super) fn tensor(
        &mut self,
        world: &mut World<'_>,
        op: &Tensor,
        mask: u32,
        line: u32,
    ) -> Checked<bool> {
        if op.aligned() && mask != u32::MAX {
            return wrong(format!("an instruction of the whole warp by lanes {mask:#x} only"));
        }
        let first = mask.trailing_zeros() as usize;
        match op {
            Tensor::Allocate { a, columns } => {
                let columns = self.value(world, *columns, first) as u32 as usize;
                let random = &mut *world.random;
                let Some(place) = world.tensor.allocate(columns, |n| random.random_range(0..n))? else {
                    return Ok(false);
                };
                let address = self.address(world, *a, first);
                world.shared.store(self.number, address, &(place as u32).to_le_bytes())?;
            }
            Tensor::Relinquish => world.tensor.relinquish(),
            Tensor::Free { address, columns } => {
                let (at, columns) = (self.value(world, *address, first), self.value(world, *columns, first));
                world.tensor.free(at as u32 as usize, columns as u32 as usize)?;
                world.changed = true;
            }
            Tensor::Load { d, a } => {
                let at = self.cells(world, *a)?;
                let values = world.tensor.load(&world.shared, self.number, (at, d.len()))?;
                for (register, lanes) in d.iter().zip(values) {
                    self.registers[*register as usize] = lanes;
                }
                self.flight.load(d);
            }
            Tensor::Store { a, values } => {
                let at = self.cells(world, *a)?;
                let values: Vec<_> = values.iter().map(|value| self.gather(world, *value)).collect();
                world.tensor.store(self.number, at, &values)?;
            }
            Tensor::WaitLoad => self.flight.loaded(),
            Tensor::WaitStore => world.tensor.stored(&mut world.shared, self.number),
            Tensor::Fence => {}
            Tensor::Commit { barrier } => {
                for lane in lanes(mask) {
                    let barrier = self.address(world, *barrier, lane);
                    world.mbarriers.completes_at(&world.shared, self.number, barrier)?;
                    let known = world.shared.known(self.number).clone();
                    world.tensor.tell(Task::Arrive { barrier }, known, (self.number, line));
                }
            }
            Tensor::Multiply { kind, d, operands, shape, scales, adds } => {
                if mask.count_ones() != 1 {
                    return wrong(format!("tcgen05.mma by lanes {mask:#x}, which would multiply once each"));
                }
                let given = (*d, *operands, *shape, scales.as_ref(), *adds);
                self.multiply(world, *kind, first, given, line)?;
            }
        }
        Ok(true)
    }

    /// First column of an access to the 32 lanes of this warp.
    fn cells(&self, world: &World<'_>, a: Place) -> Checked<usize> {
        let addresses: [u64; 32] = std::array::from_fn(|lane| self.address(world, a, lane));
        let address = addresses[0] as u32;
        if addresses.iter().any(|other| *other as u32 != address) {
            return wrong("a different address of tensor memory in some lanes");
        }
        if (address >> 16) as usize != self.number % 4 * 32 {
            return wrong(format!("warp {} at lane {} of tensor memory", self.number, address >> 16));
        }
        Ok((address & 0xffff) as usize)
    }

    fn multiply(
        &self,
        world: &mut World<'_>,
        kind: Kind,
        lane: usize,
        (d, operands, shape, scales, adds): (Place, [Source; 2], Source, Option<&[Place; 2]>, Source),
        line: u32,
    ) -> Checked<()> {
        let column = |place: Place| match self.address(world, place, lane) as u32 {
            address if address >> 16 == 0 => Ok((address & 0xffff) as usize),
            address => wrong(format!("tcgen05.mma at lane {} of tensor memory", address >> 16)),
        };
        let shape = instruction_descriptor(kind, self.value(world, shape, lane) as u32)?;
        let [a, b] = operands.map(|operand| matrix_descriptor(self.value(world, operand, lane)));
        let scales = match scales {
            Some([a, b]) => Some([column(*a)?, column(*b)?]),
            None => None,
        };
        let adds = self.value(world, adds, lane) != 0;
        let task = Task::Multiply { kind, shape, d: column(d)?, descriptors: [a?, b?], scales, adds };
        let known = world.shared.known(self.number).clone();
        world.tensor.tell(task, known, (self.number, line));
        world.count.matrix("tcgen05", shape.types[0], [LANES, shape.n, kind.k()]);
        Ok(())
    }
}

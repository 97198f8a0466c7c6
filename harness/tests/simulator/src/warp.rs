//! One warp: registers of its lanes, groups of lanes that stand at one instruction, and what each instruction does.

mod access;
mod asynchronous;
mod flight;
mod matrix;
mod perform;
mod register;
mod tensor;

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::block::World;
use crate::launch::Kernel;
use crate::memory::{Checked, Violation, violation};
use crate::operation::{Instruction, Op};
use flight::Flight;

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
    /// Waits for asynchronous work, then tries its instruction again.
    Polling,
}

impl State {
    fn waits(self) -> bool {
        matches!(self, Self::Waiting(_) | Self::Polling)
    }
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

/// Asynchronous copies of one thread: those that no group has yet, and the groups, oldest first.
#[derive(Default)]
struct Copies {
    open: Vec<Copy>,
    groups: VecDeque<Vec<Copy>>,
}

thread_local! {
    /// Registers of warps that have ended: asking the system for pages anew takes longer than many a block.
    static SPARE: RefCell<Vec<Vec<[u64; 32]>>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Warp {
    fn drop(&mut self) {
        SPARE.with_borrow_mut(|spare| spare.push(std::mem::take(&mut self.registers)));
    }
}

/// A warp's state.
pub(crate) struct Warp {
    number: usize,
    live: u32,
    groups: Vec<Group>,
    registers: Vec<[u64; 32]>,
    /// By lane.
    copies: Vec<Copies>,
    flight: Flight,
}

fn lanes(mask: u32) -> impl Iterator<Item = usize> {
    let next = |left: &u32| Some(left & left.wrapping_sub(1)).filter(|left| *left != 0);
    let first = Some(mask).filter(|mask| *mask != 0);
    std::iter::successors(first, next).map(|left| left.trailing_zeros() as usize)
}

impl Warp {
    pub(crate) fn new(number: usize, threads: usize, kernel: &Kernel) -> Self {
        let live = if threads >= 32 { u32::MAX } else { (1 << threads) - 1 };
        let mut registers = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
        registers.clear();
        registers.resize(kernel.registers as usize, [0; 32]);
        Self {
            number,
            live,
            groups: vec![Group { place: 0, mask: live, state: State::Ready }],
            registers,
            copies: std::iter::repeat_with(Copies::default).take(32).collect(),
            flight: Flight::new(kernel),
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

    /// Lets lanes that wait for asynchronous work look again.
    pub(crate) fn wake(&mut self) {
        for group in &mut self.groups {
            if group.state == State::Polling {
                group.state = State::Ready;
            }
        }
    }

    /// Whether it can do something, or fail for lanes that will never meet.
    pub(crate) fn ready(&self) -> bool {
        self.groups.iter().any(|g| g.state == State::Ready) || !self.groups.iter().any(|g| g.state.waits())
    }

    /// The group to run next: the one that is furthest behind, so that lanes meet again where their paths do.
    fn choose(&mut self) -> Option<usize> {
        let mut i = 0;
        while i < self.groups.len() {
            let (group, mut j) = (self.groups[i], i + 1);
            while j < self.groups.len() {
                let other = self.groups[j];
                if other.place == group.place && !group.state.waits() && !other.state.waits() {
                    self.groups[i].mask |= other.mask;
                    self.groups[i].state = State::Ready;
                    self.groups.remove(j);
                } else {
                    j += 1;
                }
            }
            i += 1;
        }
        let ready = |g: &(usize, &Group)| g.1.state == State::Ready;
        self.groups.iter().enumerate().filter(ready).min_by_key(|g| g.1.place).map(|g| g.0)
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
                if self.groups.iter().any(|g| g.state.waits()) {
                    return Ok(Stop::Blocked);
                }
                if let Some(parked) = self.groups.first() {
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
                    self.end(chosen, group.mask).map_err(|(kind, what)| (0, kind, what))?;
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

    fn end(&mut self, chosen: usize, mask: u32) -> Checked<()> {
        if mask != 0 {
            self.flight.landed()?;
        }
        self.live &= !mask;
        self.groups[chosen].mask &= !mask;
        if self.groups[chosen].mask == 0 {
            self.groups.remove(chosen);
        }
        Ok(())
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
        if mask != 0 {
            self.flight.touch(instruction)?;
        }
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
                self.end(chosen, mask)?;
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
            Op::Asynchronous(op) => {
                if mask != 0 && !self.asynchronous(world, op, mask, (group.place, instruction.line))? {
                    self.groups[chosen].state = State::Polling;
                    return Ok(true);
                }
                self.groups[chosen].place += 1;
            }
            Op::Tensor(op) => {
                if mask != 0 && !self.tensor(world, op, mask, instruction.line)? {
                    self.groups[chosen].state = State::Polling;
                    return Ok(true);
                }
                self.groups[chosen].place += 1;
            }
            op => {
                self.groups[chosen].place += 1;
                if mask != 0 {
                    self.perform(world, op, (mask, group.place))?;
                }
            }
        }
        Ok(false)
    }
}

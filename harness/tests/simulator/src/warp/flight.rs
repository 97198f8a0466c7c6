//! Registers of a warp that matrix instructions of its warpgroup add to by themselves.

use std::collections::VecDeque;

use crate::launch::Kernel;
use crate::memory::{Checked, Violation, violation};
use crate::operation::{Asynchronous, Instruction, Op, Wgmma};

/// An instruction under way: its number in the warpgroup, and its place in the code.
pub(super) type Entry = (usize, usize);

/// What a warp has under way; empty vectors where the kernel has no such instructions.
pub(super) struct Flight {
    /// Instructions under way that add to a register.
    busy: Vec<u16>,
    /// Number of fences after which a register was touched last, plus one.
    touched: Vec<u32>,
    fences: u32,
    issued: usize,
    open: Vec<Entry>,
    groups: VecDeque<Vec<Entry>>,
    /// Registers of the newest instruction.
    newest: Vec<u32>,
    /// Registers that loads from tensor memory fill.
    loading: Vec<u32>,
}

fn wrong<T>(what: &str) -> Checked<T> {
    violation(Violation::LaunchFailed, what)
}

impl Flight {
    pub(super) fn new(kernel: &Kernel) -> Self {
        let multiplies = |i: &Instruction| matches!(i.op, Op::Asynchronous(Asynchronous::Wgmma(_)));
        let registers = if kernel.code.iter().any(multiplies) { kernel.registers as usize } else { 0 };
        Self {
            busy: vec![0; registers],
            // Everything is as if touched before the first fence, which the specification demands.
            touched: vec![1; registers],
            fences: 0,
            issued: 0,
            open: Vec::new(),
            groups: VecDeque::new(),
            newest: Vec::new(),
            loading: Vec::new(),
        }
    }

    /// Loads from tensor memory fill these registers.
    pub(super) fn load(&mut self, registers: &[u32]) {
        self.loading.extend_from_slice(registers);
    }

    /// The loads have been waited for.
    pub(super) fn loaded(&mut self) {
        self.loading.clear();
    }

    /// An instruction that is no wgmma uses its registers.
    pub(super) fn touch(&mut self, instruction: &Instruction) -> Checked<()> {
        let loading = !self.loading.is_empty();
        if loading && instruction.registers.iter().any(|register| self.loading.contains(register)) {
            return wrong("a register that tcgen05.ld fills is used before tcgen05.wait::ld");
        }
        if self.busy.is_empty() || matches!(instruction.op, Op::Asynchronous(Asynchronous::Wgmma(_))) {
            return Ok(());
        }
        for register in &instruction.registers {
            if self.busy[*register as usize] != 0 {
                return wrong("a register that wgmma adds to is used before wgmma.wait_group");
            }
            self.touched[*register as usize] = self.fences + 1;
        }
        Ok(())
    }

    pub(super) fn fence(&mut self) {
        self.fences += 1;
    }

    /// Number of the next instruction.
    pub(super) fn next(&self) -> usize {
        self.issued
    }

    /// Issues an instruction.
    pub(super) fn issue(&mut self, wgmma: &Wgmma, place: usize) -> Checked<()> {
        let mut sums = wgmma.d.iter();
        if sums.any(|register| self.touched[*register as usize] > self.fences) {
            return wrong("wgmma on registers that were used since the last wgmma.fence");
        }
        // Instructions of one shape may add to the same registers one after another.
        if self.newest != wgmma.d && wgmma.d.iter().any(|register| self.busy[*register as usize] != 0) {
            return wrong("wgmma on a part of the registers that another adds to");
        }
        wgmma.d.iter().for_each(|register| self.busy[*register as usize] += 1);
        self.newest.clone_from(&wgmma.d);
        self.open.push((self.issued, place));
        self.issued += 1;
        Ok(())
    }

    pub(super) fn commit(&mut self) {
        let group = std::mem::take(&mut self.open);
        self.groups.push_back(group);
    }

    /// The oldest group, where more than this many are under way.
    pub(super) fn oldest(&self, newest: usize) -> Option<&[Entry]> {
        if self.groups.len() > newest { self.groups.front().map(Vec::as_slice) } else { None }
    }

    /// The oldest group is done.
    pub(super) fn land(&mut self) -> Vec<Entry> {
        self.groups.pop_front().unwrap_or_default()
    }

    pub(super) fn release(&mut self, wgmma: &Wgmma) {
        wgmma.d.iter().for_each(|register| self.busy[*register as usize] -= 1);
    }

    /// Fails where a thread may not end yet.
    pub(super) fn landed(&self) -> Checked<()> {
        if self.open.is_empty() && self.groups.iter().all(Vec::is_empty) {
            return Ok(());
        }
        wrong("a thread ends while its wgmma is under way")
    }
}

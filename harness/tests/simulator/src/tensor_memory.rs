//! Tensor memory of a block, and the matrix unit that works on it in the order in which it is told to: PTX ISA 9.7.16.

mod descriptor;

use std::collections::{BTreeMap, VecDeque};

use crate::matrix::{rounded, scale};
use crate::mbarrier::Mbarriers;
use crate::memory::{Checked, Known, POISON, Shared, Violation, violation};
use crate::operation::{Element, Kind, Shape};
use crate::product::Operands;
use crate::wgmma::{Descriptor, Layout};
pub(crate) use descriptor::{instruction_descriptor, matrix_descriptor};

/// Rows of cells.
pub const LANES: usize = 128;
/// Columns of cells, 32 bits each.
pub const COLUMNS: usize = 512;

fn wrong<T>(what: impl Into<String>) -> Checked<T> {
    violation(Violation::LaunchFailed, what)
}

/// What the unit has been told to do.
pub(crate) enum Task {
    Multiply {
        kind: Kind,
        shape: Shape,
        /// Column of D.
        d: usize,
        descriptors: [Descriptor; 2],
        /// Columns of the scales of A and B.
        scales: Option<[usize; 2]>,
        adds: bool,
    },
    /// Tells a barrier that what stands before is done.
    Arrive { barrier: u64 },
}

struct Told {
    task: Task,
    time: u32,
    known: Known,
    issuer: (usize, u32),
}

#[derive(Clone, Copy, Default)]
struct Stamp {
    agent: usize,
    time: u32,
    /// Whether a store has not been waited for.
    open: bool,
    written: bool,
}

/// Cells, allocations, and the unit's queue.
pub(crate) struct TensorMemory {
    agent: usize,
    cells: Vec<u32>,
    /// Of each column, the last write to each 32 lanes.
    stamps: Vec<[Stamp; 4]>,
    allocated: Vec<(usize, usize)>,
    relinquished: bool,
    queue: VecDeque<Told>,
    time: u32,
    /// Operands by the places where they began.
    known: BTreeMap<[u64; 2], (Made, Operands)>,
}

impl TensorMemory {
    pub(crate) fn new(shared: &mut Shared) -> Self {
        Self {
            agent: shared.agent(),
            cells: Vec::new(),
            stamps: vec![[Stamp::default(); 4]; COLUMNS],
            allocated: Vec::new(),
            relinquished: false,
            queue: VecDeque::new(),
            time: 0,
            known: BTreeMap::new(),
        }
    }

    /// First column of so many new ones, at `choice` of the places that fit; `None` while there is no room.
    pub(crate) fn allocate(
        &mut self,
        columns: usize,
        choice: impl FnOnce(usize) -> usize,
    ) -> Checked<Option<usize>> {
        if !columns.is_power_of_two() || !(32..=COLUMNS).contains(&columns) {
            return wrong(format!("tcgen05.alloc of {columns} columns"));
        }
        if self.relinquished {
            return wrong("tcgen05.alloc after relinquish_alloc_permit");
        }
        let free =
            |at: &usize| self.allocated.iter().all(|(from, n)| at + columns <= *from || from + n <= *at);
        let places: Vec<usize> = (0..COLUMNS).step_by(columns).filter(free).collect();
        let Some(&place) = (!places.is_empty()).then(|| choice(places.len())).and_then(|i| places.get(i))
        else {
            return Ok(None);
        };
        self.allocated.push((place, columns));
        if self.cells.is_empty() {
            self.cells = vec![u32::from_le_bytes([POISON; 4]); LANES * COLUMNS];
        }
        Ok(Some(place))
    }

    pub(crate) fn relinquish(&mut self) {
        self.relinquished = true;
    }

    pub(crate) fn free(&mut self, at: usize, columns: usize) -> Checked<()> {
        let Some(i) = self.allocated.iter().position(|a| *a == (at, columns)) else {
            return wrong(format!("tcgen05.dealloc of {columns} columns at {at}, which were not allocated"));
        };
        self.allocated.swap_remove(i);
        self.stamps[at..at + columns].fill([Stamp::default(); 4]);
        Ok(())
    }

    /// Fails where the block may not end yet.
    pub(crate) fn ended(&self) -> Checked<()> {
        if !self.queue.is_empty() {
            return wrong("the block ends while tcgen05 is under way");
        }
        if let Some((at, columns)) = self.allocated.first() {
            return wrong(format!(
                "the block ends with {columns} columns of tensor memory at {at} allocated"
            ));
        }
        Ok(())
    }

    fn inside(&self, at: usize, columns: usize) -> Checked<()> {
        if self.allocated.iter().any(|(from, n)| *from <= at && at + columns <= from + n) {
            return Ok(());
        }
        violation(
            Violation::IllegalAddress,
            format!("{columns} columns of tensor memory at {at} are not allocated"),
        )
    }

    fn readable(
        &self,
        known: &Known,
        reader: usize,
        at: usize,
        columns: usize,
        quarters: &[usize],
    ) -> Checked<()> {
        self.inside(at, columns)?;
        for (column, stamps) in self.stamps.iter().enumerate().skip(at).take(columns) {
            for quarter in quarters {
                let stamp = stamps[*quarter];
                if !stamp.written {
                    return wrong(format!("tensor memory read at column {column}, never written"));
                }
                if stamp.open || stamp.agent != reader && stamp.time > known.order.at(stamp.agent) {
                    return wrong(format!(
                        "race: tensor memory read at column {column} before its write is waited for"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Cells of 32 lanes, column by column.
    pub(crate) fn load(
        &self,
        shared: &Shared,
        warp: usize,
        (at, columns): (usize, usize),
    ) -> Checked<Vec<[u64; 32]>> {
        let quarter = warp % 4;
        self.readable(shared.known(warp), warp, at, columns, &[quarter])?;
        let cell = |column: usize, lane: usize| u64::from(self.cells[column * LANES + quarter * 32 + lane]);
        Ok((at..at + columns).map(|column| std::array::from_fn(|lane| cell(column, lane))).collect())
    }

    /// Writes cells of 32 lanes; nobody may read them before [`stored`](Self::stored).
    pub(crate) fn store(&mut self, warp: usize, at: usize, values: &[[u64; 32]]) -> Checked<()> {
        self.inside(at, values.len())?;
        for (i, lanes) in values.iter().enumerate() {
            self.stamps[at + i][warp % 4] = Stamp { agent: warp, time: 0, open: true, written: true };
            for (lane, value) in lanes.iter().enumerate() {
                self.cells[(at + i) * LANES + warp % 4 * 32 + lane] = *value as u32;
            }
        }
        Ok(())
    }

    /// A warp's stores have been waited for.
    pub(crate) fn stored(&mut self, shared: &mut Shared, warp: usize) {
        let time = shared.tick(warp);
        for stamp in self.stamps.iter_mut().flatten().filter(|stamp| stamp.open && stamp.agent == warp) {
            (stamp.open, stamp.time) = (false, time);
        }
    }

    /// Tells the unit what to do next.
    pub(crate) fn tell(&mut self, task: Task, known: Known, issuer: (usize, u32)) {
        self.time += 1;
        self.queue.push_back(Told { task, time: self.time, known, issuer });
    }

    pub(crate) fn idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Does the oldest task: who issued it, and how it went.
    pub(crate) fn work(
        &mut self,
        shared: &mut Shared,
        mbarriers: &mut Mbarriers,
    ) -> ((usize, u32), Checked<()>) {
        let Some(told) = self.queue.pop_front() else { return ((0, 0), Ok(())) };
        let done = match &told.task {
            Task::Arrive { barrier } => {
                let mut known = told.known.clone();
                known.order.raise(self.agent, told.time);
                mbarriers.complete(*barrier, (0, 1), &known)
            }
            Task::Multiply { .. } => self.multiply(shared, &told),
        };
        (told.issuer, done)
    }

    fn multiply(&mut self, shared: &mut Shared, told: &Told) -> Checked<()> {
        let Task::Multiply { shape, d, descriptors, adds, .. } = &told.task else { return Ok(()) };
        let n = shape.n;
        self.inside(*d, n)?;
        if *adds {
            self.readable(&told.known, self.agent, *d, n, &[0, 1, 2, 3])?;
        }
        let again = self.read(shared, told)?;
        let Some((_, operands)) = self.known.get(&(descriptors.map(|descriptor| descriptor.start))) else {
            return Ok(());
        };
        let d_type = shape.types[2];
        // D stands column by column, sums row by row.
        let mut sums = vec![0.0; LANES * n];
        let cells = &mut self.cells[d * LANES..(d + n) * LANES];
        if *adds {
            for (at, cell) in cells.iter().enumerate() {
                sums[at % LANES * n + at / LANES] = crate::matrix::element(d_type, (*cell).into());
            }
        }
        if again {
            operands.add_again(0, &mut sums, false)
        } else {
            operands.add(0, &mut sums, false)
        }
        for (at, cell) in cells.iter_mut().enumerate() {
            *cell = rounded((d_type, shape.saturate), sums[at % LANES * n + at / LANES]) as u32;
        }
        let stamp = Stamp { agent: self.agent, time: told.time, open: false, written: true };
        self.stamps[*d..d + n].fill([stamp; 4]);
        Ok(())
    }

    /// Reads the operands; true where they are those that stood in their places the last time.
    fn read(&mut self, shared: &mut Shared, told: &Told) -> Checked<bool> {
        let Task::Multiply { kind, shape, descriptors, scales, .. } = &told.task else { return Ok(false) };
        let agent = (self.agent, told.time);
        let mut read = |address: u64, bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(shared.read_asynchronously(agent, &told.known, (address, 16))?);
            Ok(())
        };
        // Elements of 6 and 4 bits stand sixteen to 16 bytes, unless the kind packs them.
        let layout = |element, rows| {
            let width = width(element);
            let per = if matches!(kind, Kind::Mxf4(_)) || width >= 8 { 128 / width } else { 16 };
            Layout { element, width, per, across: false, rows, k: kind.k() }
        };
        let [a, b] = [layout(shape.types[0], LANES), layout(shape.types[1], shape.n)];
        let mut bytes = Vec::with_capacity(a.size() + b.size());
        a.read(&descriptors[0], &mut bytes, &mut read)?;
        b.read(&descriptors[1], &mut bytes, &mut read)?;
        let mut factors = [Vec::new(), Vec::new()];
        if let Some(places) = scales {
            for ((factors, at), rows) in factors.iter_mut().zip(places).zip([LANES, shape.n]) {
                self.readable(&told.known, self.agent, *at, rows.div_ceil(32), &[0])?;
                factors.extend((0..rows).map(|row| self.cells[(at + row / 32) * LANES + row % 32]));
            }
        }
        let (places, made) =
            (descriptors.map(|descriptor| descriptor.start), (*kind, *shape, bytes, factors));
        if self.known.get(&places).is_some_and(|(known, _)| *known == made) {
            return Ok(true);
        }
        let (_, _, bytes, factors) = &made;
        let (first, second) = bytes.split_at(a.size());
        let mut values = [a.decode(first), b.decode(second)];
        if let Kind::Mxf4(count) = kind {
            for (which, values) in
                values.iter_mut().enumerate().filter(|(which, _)| !factors[*which].is_empty())
            {
                let (rows, given) = (factors[which].len(), (*count, shape.fraction, shape.byte[which]));
                scale(given, values, rows, |row| u64::from(factors[which][row]));
            }
        }
        let [mut a, b] = values;
        if shape.negated {
            a.iter_mut().for_each(|value| *value = -*value);
        }
        self.known.insert(places, (made, Operands::new(kind.k(), a, &b)));
        Ok(false)
    }
}

/// What operands were made of: their kind and form, their bytes, and those of their scales.
type Made = (Kind, Shape, Vec<u8>, [Vec<u32>; 2]);

fn width(element: Element) -> usize {
    match element {
        Element::Tf32 => 32,
        Element::F16 | Element::Bf16 => 16,
        Element::E3m2 | Element::E2m3 => 6,
        Element::E2m1 => 4,
        _ => 8,
    }
}

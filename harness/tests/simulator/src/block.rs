//! One block: its warps and its asynchronous work, in an order that a seed shuffles.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::count::Tally;
use crate::launch::{Fault, Frame};
use crate::mbarrier::Mbarriers;
use crate::memory::{Global, Shared, Violation};
use crate::product::Operands;
use crate::tensor_memory::TensorMemory;
use crate::transfer::Transfer;
use crate::warp::{Stop, Warp};
use crate::wgmma::Unit;

#[derive(Default, Clone)]
struct Barrier {
    arrived: u32,
    expected: Option<u32>,
    warps: Vec<usize>,
    waiting: Vec<usize>,
}

/// The sixteen barriers of a block.
pub(crate) struct Barriers(Vec<Barrier>);

impl Barriers {
    pub(crate) fn arrive(&mut self, id: usize, threads: Option<u32>, warp: usize, lanes: u32, only: bool) {
        let barrier = &mut self.0[id];
        barrier.arrived += lanes;
        barrier.expected = threads.or(barrier.expected);
        barrier.warps.push(warp);
        if !only {
            barrier.waiting.push(warp);
        }
    }
}

/// What the warps of a block work on.
pub(crate) struct World<'a> {
    pub(crate) frame: &'a Frame<'a>,
    pub(crate) block: [u32; 3],
    pub(crate) global: &'a mut Global,
    pub(crate) count: &'a mut Tally,
    pub(crate) random: &'a mut ChaCha8Rng,
    pub(crate) shared: Shared,
    pub(crate) barriers: Barriers,
    pub(crate) mbarriers: Mbarriers,
    /// Matrix units of the warpgroups.
    pub(crate) units: Vec<Unit>,
    /// Copies under way.
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) tensor: TensorMemory,
    /// Registers of the operands of matrix instructions, by place in the code, and what they are.
    pub(crate) operands: BTreeMap<usize, (Vec<[u64; 32]>, Operands)>,
    /// Registers that warps asked for by `setmaxnreg`.
    pub(crate) claimed: Vec<u32>,
    /// Whether a warp may find now what it waits for.
    pub(crate) changed: bool,
}

impl<'a> World<'a> {
    fn new(
        frame: &'a Frame<'a>,
        block: [u32; 3],
        (global, count, random): (&'a mut Global, &'a mut Tally, &'a mut ChaCha8Rng),
        warps: usize,
    ) -> Self {
        let dynamic = if frame.dynamic == 0 { 0 } else { frame.dynamic_offset + frame.dynamic };
        let mut shared = Shared::new(dynamic.max(frame.kernel.shared) as usize, warps);
        let tensor = TensorMemory::new(&mut shared);
        let units = (0..warps / 4).map(|_| Unit::new(&mut shared)).collect();
        Self {
            frame,
            block,
            global,
            count,
            random,
            shared,
            barriers: Barriers(vec![Barrier::default(); 16]),
            mbarriers: Mbarriers::default(),
            units,
            transfers: Vec::new(),
            tensor,
            operands: BTreeMap::new(),
            claimed: vec![0; warps],
            changed: false,
        }
    }

    fn fault(&self, (warp, line): (usize, u32), kind: Violation, what: String) -> Box<Fault> {
        Box::new(Fault {
            kind,
            kernel: self.frame.kernel.name.clone(),
            block: self.block,
            warp,
            line,
            seed: self.frame.seed,
            what,
        })
    }

    /// Pieces of asynchronous work of which any may be next.
    fn choices(&self) -> usize {
        self.transfers.len().min(1) + usize::from(!self.tensor.idle())
    }

    /// Does one of them.
    fn work(&mut self, choice: usize) -> Result<(), Box<Fault>> {
        if choice >= self.transfers.len().min(1) {
            let (issuer, done) = self.tensor.work(&mut self.shared, &mut self.mbarriers);
            return done.map_err(|(kind, what)| self.fault(issuer, kind, what));
        }
        let any = self.random.random_range(0..self.transfers.len());
        let transfer = self.transfers.swap_remove(any);
        let done = transfer.run(self.global, &mut self.shared, &mut self.mbarriers);
        done.map_err(|(kind, what)| self.fault(transfer.issuer, kind, what))
    }

    /// Fails where asynchronous work is left when all threads have ended.
    fn ended(&self) -> Result<(), Box<Fault>> {
        if let Some(transfer) = self.transfers.first() {
            let what = "the block ends while copies to its shared memory are under way";
            return Err(self.fault(transfer.issuer, Violation::LaunchFailed, what.into()));
        }
        self.tensor.ended().map_err(|(kind, what)| self.fault((0, 0), kind, what))
    }

    /// Opens each barrier at which all have arrived: the number given, or all threads that have not ended.
    fn open(&mut self, warps: &mut [Warp]) {
        let live: u32 = warps.iter().map(Warp::threads).sum();
        for (id, barrier) in self.barriers.0.iter_mut().enumerate() {
            if barrier.arrived == 0 || barrier.arrived < barrier.expected.unwrap_or(live) {
                continue;
            }
            let done = std::mem::take(barrier);
            self.shared.join(&done.warps, &done.waiting);
            for warp in done.waiting {
                warps[warp].release(id as u64);
            }
        }
        if std::mem::take(&mut self.changed) | std::mem::take(&mut self.mbarriers.changed) {
            warps.iter_mut().for_each(Warp::wake);
        }
    }
}

/// Runs one block to its end.
pub(crate) fn run(
    frame: &Frame<'_>,
    place: [u32; 3],
    global: &mut Global,
    count: &mut Tally,
    random: &mut ChaCha8Rng,
) -> Result<(), Box<Fault>> {
    let threads = frame.threads.iter().product::<u32>() as usize;
    let mut warps: Vec<Warp> =
        (0..threads.div_ceil(32)).map(|w| Warp::new(w, threads - 32 * w, frame.kernel)).collect();
    let limit = count.instructions + frame.patience;
    let mut world = World::new(frame, place, (global, count, random), warps.len());
    let mut active: Vec<usize> = (0..warps.len()).collect();
    while !active.is_empty() {
        let ready: Vec<usize> = active.iter().copied().filter(|&w| warps[w].ready()).collect();
        let choices = ready.len() + world.choices();
        if choices == 0 {
            let what = "all warps wait at barriers that nobody will complete";
            return Err(world.fault((active[0], 0), Violation::LaunchFailed, what.into()));
        }
        let choice = world.random.random_range(0..choices);
        match ready.get(choice) {
            None => world.work(choice - ready.len())?,
            Some(&number) => {
                let slice = world.random.random_range(1..400);
                match warps[number].run(&mut world, slice) {
                    Ok(Stop::Ended) => active.retain(|w| *w != number),
                    Ok(Stop::Slice | Stop::Blocked) => {}
                    Err((line, kind, what)) => return Err(world.fault((number, line), kind, what)),
                }
                if world.count.instructions > limit {
                    let what = "the block does not end";
                    return Err(world.fault((number, 0), Violation::LaunchFailed, what.into()));
                }
            }
        }
        world.open(&mut warps);
    }
    world.ended()
}

//! A matrix product as a loaded case: operands rotated so that none is still in the cache, short launches replayed from
//! graphs.

use cudarc::driver::sys::CUfunction_attribute;
use cudarc::driver::{CudaFunction, CudaGraph, CudaSlice};

use super::gpu::Gpu;
use super::operands::ResultImage;
use super::rotation::Rotation;
use super::session::Session;
use crate::backend::{BackendError, Batch, LoadError, Loaded, Output, WorkingSet};
use crate::device::{Finding, Severity};
use crate::precision::Precision;
use crate::units::{Bytes, Ops, Seconds};
use crate::workload::GemmShape;

/// Products shorter than this are replayed from graphs.
const SHORT_S: f64 = 1e-3;

/// One A, B and C.
pub(super) struct Set {
    pub a: CudaSlice<u8>,
    pub b: CudaSlice<u8>,
    pub c: CudaSlice<u8>,
}

/// What multiplies.
pub(super) trait Multiply {
    /// Puts one product on a set, which has this place in the rotation, into the stream.
    fn launch(&self, gpu: &Gpu, place: usize, set: &mut Set) -> Result<(), BackendError>;

    /// What a reader must know of it.
    fn notes(&self) -> Vec<Finding>;
}

/// Operands in memory, and where the result goes.
pub(super) struct Images {
    pub a: Vec<u8>,
    pub b: Vec<u8>,
    pub c: ResultImage,
}

/// Sets of operands in the device's memory.
pub(super) struct Sets {
    pub all: Vec<Set>,
    rotation: Rotation,
    bytes: u64,
    result: ResultImage,
}

impl Sets {
    /// Uploads as many as are more than twice the cache, results poisoned.
    pub fn upload(gpu: &Gpu, images: &Images, cache: u64) -> Result<Self, LoadError> {
        let length = |memory: &[u8]| u64::try_from(memory.len()).unwrap_or(u64::MAX);
        let bytes = length(&images.a) + length(&images.b) + images.c.bytes();
        let rotation = Rotation::beyond(cache, bytes);
        let set = |_| {
            Ok(Set {
                a: gpu.uploaded(&images.a)?,
                b: gpu.uploaded(&images.b)?,
                c: gpu.filled(images.c.bytes(), images.c.poison())?,
            })
        };
        let all = (0..rotation.sets()).map(set).collect::<Result<Vec<_>, LoadError>>()?;
        Ok(Self { all, rotation, bytes, result: images.c })
    }
}

/// A product, ready to run.
pub(super) struct ProductCase<'a> {
    session: Session<'a>,
    multiply: Box<dyn Multiply + 'a>,
    shape: GemmShape,
    sets: Sets,
    cache: u64,
    last: u64,
    /// Whether launches are so short that the gaps between them count, and the driver makes graphs.
    short: bool,
    graphs: Vec<CudaGraph>,
    /// Time of one product.
    once: Seconds,
    /// Products since it was made, and those of them that were replayed from graphs.
    launches: u64,
    replayed: u64,
}

impl<'a> ProductCase<'a> {
    /// Runs once, and once more to see how long a launch is.
    pub fn load(
        gpu: &'a Gpu,
        shape: GemmShape,
        sets: Sets,
        multiply: Box<dyn Multiply + 'a>,
        cache: u64,
    ) -> Result<Self, LoadError> {
        let session = Session::new(gpu, multiply.notes());
        let (last, short, graphs, once, launches, replayed) =
            (0, false, Vec::new(), Seconds::default(), 0, 0);
        let mut case =
            Self { session, multiply, shape, sets, cache, last, short, graphs, once, launches, replayed };
        case.run(1)?;
        case.once = case.run(1)?.elapsed;
        case.short = case.once.get() < SHORT_S;
        if cache == 0 {
            let message = "the driver does not tell the size of the L2 cache; operands may still be in it";
            case.session.note(Finding::new(Severity::Note, "cache-unknown", message.to_owned(), None));
        }
        Ok(case)
    }

    /// What short products mean for the figure. Only batches of at least one graph are replayed, so it tells what was.
    fn gaps(&self) -> Option<Finding> {
        let (once, each) = (self.once, self.sets.rotation.graph_launches());
        let message = match self.replayed {
            0 if once.get() >= SHORT_S => return None,
            0 => format!(
                "one product takes about {once} and none was replayed from a graph: the gaps between launches, of \
                 some microseconds, are in the figure"
            ),
            replayed => format!(
                "one product takes about {once}: {replayed} of {} were replayed from graphs of {each}, and the gaps \
                 within them, of about a microsecond, are in the figure",
                self.launches
            ),
        };
        Some(Finding::new(Severity::Note, "short-launches", message, None))
    }

    /// The graphs of a whole rotation, made when they are first needed and never while a batch is timed.
    fn prepare(&mut self) -> Result<(), BackendError> {
        let Self { session, multiply, sets, graphs, .. } = self;
        for number in 0..sets.rotation.graphs() {
            let mut set = sets.rotation.graph_set(number);
            let launches = sets.rotation.graph_launches();
            let graph = session.gpu.graph(launches, || {
                launch(session.gpu, multiply.as_ref(), &mut sets.all, set)?;
                set = sets.rotation.after(set);
                Ok(())
            })?;
            match graph {
                Some(graph) => graphs.push(graph),
                // A driver that makes no graph: every launch is the host's.
                None => {
                    graphs.clear();
                    self.short = false;
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// One product on the set of this number.
fn launch(gpu: &Gpu, multiply: &dyn Multiply, sets: &mut [Set], number: u64) -> Result<(), BackendError> {
    let place = usize::try_from(number).unwrap_or(usize::MAX);
    match sets.get_mut(place) {
        Some(set) => multiply.launch(gpu, place, set),
        None => Err(BackendError::Device { device: gpu.id.clone(), message: format!("no set {number}") }),
    }
}

impl Loaded for ProductCase<'_> {
    fn ops_per_iteration(&self) -> Ops {
        self.shape.ops()
    }

    fn working_set(&self) -> Option<WorkingSet> {
        let bytes = Bytes::new(self.sets.bytes.saturating_mul(self.sets.rotation.sets()));
        (self.cache > 0).then(|| WorkingSet { bytes, cache_bytes: Bytes::new(self.cache) })
    }

    fn run(&mut self, iterations: u64) -> Result<Batch, BackendError> {
        if self.short && self.graphs.is_empty() && iterations >= self.sets.rotation.graph_launches() {
            self.prepare()?;
        }
        let plan = self.sets.rotation.plan(iterations, !self.graphs.is_empty());
        self.last = plan.last;
        self.launches += iterations;
        self.replayed += plan.replays * self.sets.rotation.graph_launches();
        let Self { session, multiply, sets, graphs, .. } = self;
        let gpu = session.gpu;
        session.run(iterations, || {
            let turns = graphs.iter().cycle().skip(usize::try_from(plan.graph).unwrap_or(0));
            for graph in turns.take(usize::try_from(plan.replays).unwrap_or(usize::MAX)) {
                graph.launch().map_err(|error| gpu.error("replaying", error))?;
            }
            let mut set = plan.set;
            for _ in 0..plan.launches {
                launch(gpu, multiply.as_ref(), &mut sets.all, set)?;
                set = sets.rotation.after(set);
            }
            Ok(())
        })
    }

    fn output(&mut self) -> Result<Output, BackendError> {
        let gpu = self.session.gpu;
        let none = || BackendError::Device { device: gpu.id.clone(), message: "no output".to_owned() };
        let last = usize::try_from(self.last).ok().and_then(|last| self.sets.all.get(last));
        let bytes = gpu.downloaded(&last.ok_or_else(none)?.c)?;
        self.sets.result.elements(&bytes).map(Output::Matrix).ok_or_else(none)
    }

    fn findings(&self) -> Vec<Finding> {
        self.session.findings().into_iter().chain(self.gaps()).collect()
    }
}

/// Lets a kernel have more than 48 KiB of shared memory.
pub(super) fn allow_shared(gpu: &Gpu, function: &CudaFunction, bytes: u32) -> Result<(), LoadError> {
    const FREE: u32 = 48 * 1024;
    if bytes <= FREE {
        return Ok(());
    }
    let attribute = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    let wanted = i32::try_from(bytes).unwrap_or(i32::MAX);
    function
        .set_attribute(attribute, wanted)
        .map_err(|error| gpu.load_error("asking for shared memory", 0, error))
}

/// Shape where the user names none: large enough to fill any device, small enough for a batch of milliseconds.
pub(super) fn default_shape(precision: Precision) -> Option<GemmShape> {
    let n = if matches!(precision, Precision::Fp64 | Precision::Fp32) { 4096 } else { 8192 };
    GemmShape::new(n, n, n).ok()
}

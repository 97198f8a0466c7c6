//! A persistent team of pinned threads that run one job together.
//!
//! The calling thread is member 0: handing a 1 ms product to another thread and sleeping would
//! cost 1-5 % in wake-ups. It is pinned during a job only (two system calls, about 1 us), because
//! threads that it starts later inherit its cores: BLIS on one core of two fell from 380 to 20.
//! Workers spin for about 100 us after a job, then sleep.

use super::barrier::{Barrier, wait_until};
use super::pin::Pinned;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Looks at the job counter before a worker goes to sleep.
const IDLE_SPINS: u32 = 1 << 11;

/// A job as the workers see it: the borrow's lifetime is erased, `Team::run` upholds it.
type Job = *const (dyn Fn(&Member<'_>) + Sync);

/// What a thread knows about its place in the team during one job.
pub struct Member<'t> {
    /// 0 for the calling thread.
    pub index: usize,
    /// Number of threads taking part.
    pub count: usize,
    barrier: &'t Barrier,
}

impl Member<'_> {
    /// Waits for all members of the job.
    pub fn wait(&self) {
        self.barrier.wait();
    }
}

/// State shared between the caller and the workers.
struct Shared {
    barrier: Barrier,
    /// Counts jobs; a change wakes the workers.
    epoch: AtomicU32,
    /// Workers that have not finished the current job.
    running: AtomicUsize,
    stop: AtomicBool,
    job: Mutex<Option<SendJob>>,
    wake: Condvar,
    sleepers: AtomicUsize,
}

#[derive(Clone, Copy)]
struct SendJob(Job);
// SAFETY: the closure is Sync, and `Team::run` returns only when no worker uses it any more.
#[expect(unsafe_code, reason = "a borrowed job crosses to the workers")]
unsafe impl Send for SendJob {}

/// Threads pinned one to a core, alive until dropped; the calling thread is pinned during jobs.
pub struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    first: Option<usize>,
}

impl Team {
    /// One thread on each of `cores` (operating-system numbers; an empty list means one thread,
    /// pinned nowhere).
    ///
    /// Errors: the system's, when a thread cannot start. A refused pin (a core outside the
    /// process's set) leaves that thread free.
    pub fn new(cores: &[usize]) -> io::Result<Self> {
        let members = u32::try_from(cores.len().max(1)).map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            barrier: Barrier::new(members),
            epoch: AtomicU32::new(0),
            running: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            job: Mutex::new(None),
            wake: Condvar::new(),
            sleepers: AtomicUsize::new(0),
        });
        let mut team = Self { shared, workers: Vec::new(), first: cores.first().copied() };
        for (index, &core) in cores.iter().enumerate().skip(1) {
            let shared = Arc::clone(&team.shared);
            let builder = std::thread::Builder::new().name(format!("gemm-{index}"));
            let count = cores.len();
            team.workers.push(builder.spawn(move || work(&shared, index, count, core))?);
        }
        Ok(team)
    }

    /// Number of threads, the caller included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `job` on the calling thread, pinned to the first core.
    pub fn on_first<T>(&self, job: impl FnOnce() -> T) -> T {
        let _pinned = Pinned::to(self.first);
        job()
    }

    /// Runs `job` on every member and returns when all have finished.
    pub fn run(&mut self, job: &(dyn Fn(&Member<'_>) + Sync)) {
        let shared = &*self.shared;
        let count = self.threads();
        let _pinned = Pinned::to(self.first);
        let me = Member { index: 0, count, barrier: &shared.barrier };
        if count == 1 {
            job(&me);
            return;
        }
        let guard = AbortOnUnwind;
        {
            let mut slot = shared.job.lock().unwrap_or_else(PoisonError::into_inner);
            *slot = Some(SendJob(erase(job)));
            shared.running.store(count - 1, Ordering::Relaxed);
            shared.epoch.fetch_add(1, Ordering::SeqCst);
        }
        if shared.sleepers.load(Ordering::SeqCst) > 0 {
            shared.wake.notify_all();
        }
        job(&me);
        wait_until(|| shared.running.load(Ordering::Acquire) == 0);
        std::mem::forget(guard);
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        {
            let _slot = self.shared.job.lock().unwrap_or_else(PoisonError::into_inner);
            self.shared.stop.store(true, Ordering::SeqCst);
            self.shared.epoch.fetch_add(1, Ordering::SeqCst);
        }
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that unwound has already aborted the process.
            let _ = worker.join();
        }
    }
}

/// A job that unwinds would leave the others at the barrier with a dangling borrow.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Forgets the lifetime of the borrow, so that it fits into the shared slot.
#[expect(unsafe_code, reason = "lifetime erasure for a scoped job")]
fn erase<'j>(job: &'j (dyn Fn(&Member<'_>) + Sync + 'j)) -> Job {
    // SAFETY: only the lifetime changes; `Team::run` keeps the borrow alive until every worker
    // has reported the end of the job, and aborts if it cannot.
    unsafe {
        std::mem::transmute::<
            *const (dyn Fn(&Member<'_>) + Sync + 'j),
            *const (dyn Fn(&Member<'_>) + Sync + 'static),
        >(job)
    }
}

/// A worker's life: wait for a job, run it, report.
fn work(shared: &Shared, index: usize, count: usize, core: usize) {
    let _pinned = Pinned::to(Some(core));
    let guard = AbortOnUnwind;
    let mut seen = 0;
    while let Some(SendJob(job)) = next_job(shared, &mut seen) {
        let me = Member { index, count, barrier: &shared.barrier };
        // SAFETY: `Team::run` keeps the closure alive until `running` reaches zero.
        #[expect(unsafe_code, reason = "the borrow that `Team::run` upholds")]
        let job = unsafe { &*job };
        job(&me);
        shared.running.fetch_sub(1, Ordering::Release);
    }
    std::mem::forget(guard);
}

/// The job after epoch `seen`, or nothing when the team is dropped.
fn next_job(shared: &Shared, seen: &mut u32) -> Option<SendJob> {
    for _ in 0..IDLE_SPINS {
        if shared.epoch.load(Ordering::Acquire) != *seen {
            break;
        }
        std::hint::spin_loop();
    }
    let mut slot = shared.job.lock().unwrap_or_else(PoisonError::into_inner);
    shared.sleepers.fetch_add(1, Ordering::SeqCst);
    while shared.epoch.load(Ordering::SeqCst) == *seen {
        slot = shared.wake.wait(slot).unwrap_or_else(PoisonError::into_inner);
    }
    shared.sleepers.fetch_sub(1, Ordering::SeqCst);
    *seen = shared.epoch.load(Ordering::SeqCst);
    if shared.stop.load(Ordering::SeqCst) { None } else { *slot }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_runs_every_job_once() {
        let mut team = Team::new(&[0, 0, 0]).unwrap();
        let hits: Vec<AtomicUsize> = (0..3).map(|_| AtomicUsize::new(0)).collect();
        for round in 1..=50 {
            team.run(&|me| {
                hits[me.index].fetch_add(1, Ordering::Relaxed);
                me.wait();
                assert!(hits.iter().all(|h| h.load(Ordering::Relaxed) == round));
                me.wait();
            });
            if round % 10 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        }
    }

    #[test]
    fn an_empty_core_list_is_one_unpinned_thread() {
        let team = Team::new(&[]).unwrap();
        assert_eq!(team.threads(), 1);
    }
}

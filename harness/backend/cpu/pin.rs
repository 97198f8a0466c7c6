//! Pinning the current thread to a core, and giving its affinity back.

use std::collections::BTreeSet;

/// The affinity that the current thread had before it was pinned.
#[derive(Debug)]
pub(super) struct Pinned {
    #[cfg(target_os = "linux")]
    before: Option<Box<libc::cpu_set_t>>,
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the scheduler's affinity calls")]
impl Pinned {
    /// Threads of this process, by the kernel's numbers.
    pub(super) fn threads() -> BTreeSet<i32> {
        let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
    }

    /// Pins a thread of this process for good; a refusal leaves it free.
    pub(super) fn place(thread: i32, core: usize) {
        let size = size_of::<libc::cpu_set_t>();
        if core >= size * 8 {
            return;
        }
        // SAFETY: the all-zero set is a value, passed with its true size; `core` is in range.
        unsafe {
            let mut wanted: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(core, &mut wanted);
            libc::sched_setaffinity(thread, size, &raw const wanted);
        }
    }

    /// Pins the current thread to `core`; a refusal (a core outside the cpuset) leaves it free.
    pub(super) fn to(core: Option<usize>) -> Self {
        let Some(core) = core else { return Self { before: None } };
        let size = size_of::<libc::cpu_set_t>();
        if core >= size * 8 {
            return Self { before: None };
        }
        // SAFETY: the all-zero set is a value; both calls get its true size; `core` is in range.
        unsafe {
            let mut before: libc::cpu_set_t = std::mem::zeroed();
            let mut wanted: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(core, &mut wanted);
            let pinned = libc::sched_getaffinity(0, size, &raw mut before) == 0
                && libc::sched_setaffinity(0, size, &raw const wanted) == 0;
            Self { before: pinned.then(|| Box::new(before)) }
        }
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the scheduler's affinity calls")]
impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // SAFETY: a set that the kernel filled in, with its true size. A refusal leaves the
            // thread pinned, which is harmless.
            unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const **before) };
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Pinned {
    /// No list of threads on this system.
    pub(super) fn threads() -> BTreeSet<i32> {
        BTreeSet::new()
    }

    /// No pinning on this system.
    pub(super) fn place(_thread: i32, _core: usize) {}

    /// No pinning on this system.
    pub(super) fn to(_core: Option<usize>) -> Self {
        Self {}
    }
}

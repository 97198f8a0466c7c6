//! Cores that this process may run on, and pinning to one of them.

use std::collections::BTreeSet;

use crate::backend::cpu::error::CpuError;

/// Cores in the affinity mask of the process, ascending.
///
/// Read it once, early: a process that has pinned its first thread sees that thread's core only.
///
/// **Errors**: `UnknownCores` where neither /proc nor the platform's interface tells.
pub fn allowed_cores() -> Result<Vec<usize>, CpuError> {
    // The text form has no limit of 1,024 cores, as `cpu_set_t` has.
    let by_proc = std::fs::read_to_string("/proc/self/status").ok().and_then(|text| parse_allowed(&text));
    let by_platform = || core_affinity::get_core_ids().map(|ids| ids.into_iter().map(|id| id.id).collect());
    let mut cores: Vec<usize> = by_proc.or_else(by_platform).ok_or(CpuError::UnknownCores)?;
    cores.sort_unstable();
    if cores.is_empty() { Err(CpuError::UnknownCores) } else { Ok(cores) }
}

/// Logical cores to run on, and how many physical cores they are, as far as the platform tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsableCores {
    /// Logical cores, one for each thread.
    pub logical: Vec<usize>,
    /// Distinct physical cores among them; two threads on one share its arithmetic units.
    pub physical: usize,
}

/// The cores for `threads` threads; without a number, one for each physical core that is allowed.
///
/// **Errors**: `NoThreads` for 0, `TooManyThreads` for more than are allowed; those of [`allowed_cores`].
pub fn usable_cores(threads: Option<usize>) -> Result<UsableCores, CpuError> {
    select(&allowed_cores()?, threads, siblings)
}

/// Cores of different physical cores come first, their siblings after all of them.
fn select(
    allowed: &[usize],
    threads: Option<usize>,
    siblings: impl Fn(usize) -> Vec<usize>,
) -> Result<UsableCores, CpuError> {
    let mut taken = BTreeSet::new();
    let (first, second): (Vec<usize>, Vec<usize>) = allowed.iter().partition(|core| {
        let new = !taken.contains(*core);
        taken.insert(**core);
        taken.extend(siblings(**core));
        new
    });
    let count = match threads {
        Some(0) => return Err(CpuError::NoThreads { allowed: allowed.len() }),
        Some(asked) if asked > allowed.len() => {
            return Err(CpuError::TooManyThreads { asked, allowed: allowed.len() });
        }
        Some(asked) => asked,
        None => first.len(),
    };
    let physical = count.min(first.len());
    Ok(UsableCores { logical: first.into_iter().chain(second).take(count).collect(), physical })
}

/// Logical cores of the same physical core, as the system describes it; none where it does not.
fn siblings(core: usize) -> Vec<usize> {
    let path = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
    let text = std::fs::read_to_string(path).ok();
    text.and_then(|text| super::core_list::parse_core_list(&text)).unwrap_or_default()
}

/// Line `Cpus_allowed_list` of /proc/self/status.
fn parse_allowed(status: &str) -> Option<Vec<usize>> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    super::core_list::parse_core_list(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowed_list_is_found_among_other_lines() {
        let status = "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-1,4\nMems_allowed:\t1\n";
        assert_eq!(parse_allowed(status), Some(vec![0, 1, 4]));
        for bad in ["", "Cpus_allowed:\tff\n", "Cpus_allowed_list:\tnone\n"] {
            assert_eq!(parse_allowed(bad), None, "{bad}");
        }
    }

    #[test]
    fn zero_and_too_many_threads_are_errors() {
        let choose = |threads| select(&[2, 3, 5], threads, |_| Vec::new());
        assert!(matches!(choose(Some(0)), Err(CpuError::NoThreads { allowed: 3 })));
        assert!(matches!(choose(Some(4)), Err(CpuError::TooManyThreads { asked: 4, allowed: 3 })));
        assert_eq!(choose(Some(2)).unwrap().logical, [2, 3]);
        assert_eq!(choose(None).unwrap(), UsableCores { logical: vec![2, 3, 5], physical: 3 });
    }

    #[test]
    fn two_threads_of_one_core_are_one_core() {
        let pairs = |core: usize| vec![core % 4, core % 4 + 4];
        let choose = |threads| select(&[0, 1, 4, 5, 6], threads, pairs).unwrap();
        assert_eq!(choose(None), UsableCores { logical: vec![0, 1, 6], physical: 3 });
        assert_eq!(choose(Some(5)), UsableCores { logical: vec![0, 1, 6, 4, 5], physical: 3 });
        assert_eq!(choose(Some(1)), UsableCores { logical: vec![0], physical: 1 });
    }

    #[test]
    fn some_core_is_allowed_here() {
        assert!(!allowed_cores().unwrap().is_empty());
    }
}

//! CPU quota of the control group, both versions, and how often it was used up.
//!
//! A quota of half a core is invisible to samples of 1 ms and plain at 300 ms, so it is read, not measured.

use crate::units::Ratio;
use std::path::{Path, PathBuf};

/// CPU time that the control group may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CpuQuota {
    /// As much as there is.
    Unlimited,
    /// This many cores' worth per period.
    Cores(Ratio),
}

/// Tightest quota of this process's group and the groups above it; `None` where the platform has none to read.
#[must_use]
pub fn quota() -> Option<CpuQuota> {
    let known = groups().into_iter().filter_map(|group| read_quota(&group));
    known.reduce(|a, b| match (a, b) {
        (CpuQuota::Cores(x), CpuQuota::Cores(y)) => CpuQuota::Cores(if y < x { y } else { x }),
        (CpuQuota::Unlimited, other) | (other, CpuQuota::Unlimited) => other,
    })
}

/// Periods in which this process's group or one above was throttled, since the group began.
#[must_use]
pub fn throttled_periods() -> Option<u64> {
    let known = groups()
        .into_iter()
        .filter_map(|group| parse_throttled(&std::fs::read_to_string(group.join("cpu.stat")).ok()?));
    known.reduce(u64::saturating_add)
}

fn read_quota(group: &Path) -> Option<CpuQuota> {
    let read = |file: &str| std::fs::read_to_string(group.join(file)).ok();
    match read("cpu.max") {
        Some(text) => parse_quota_v2(&text),
        None => parse_quota_v1(&read("cpu.cfs_quota_us")?, &read("cpu.cfs_period_us")?),
    }
}

/// Directories of this process's cpu groups, its own first, then those above.
///
/// In a container the path may be that of the host, so the mount's root is always among them.
fn groups() -> Vec<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut groups = Vec::new();
    for (mounts, path) in parse_groups(&text) {
        for mount in mounts {
            let inner = path.trim_start_matches('/');
            let own = Path::new(mount).join(inner);
            let above = own.ancestors().take_while(|group| group.starts_with(mount));
            groups.extend(above.map(Path::to_path_buf).filter(|group| group.is_dir()));
        }
    }
    groups
}

/// Mount points and path of each line of /proc/self/cgroup that governs the CPU.
///
/// **Source**: cgroups(7), "/proc/pid/cgroup"; hierarchy 0 is version 2.
fn parse_groups(text: &str) -> Vec<(&'static [&'static str], &str)> {
    let line = |line| -> Option<(&'static [&'static str], &str)> {
        let mut fields = str::splitn(line, 3, ':');
        let (hierarchy, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        if hierarchy == "0" && controllers.is_empty() {
            return Some((&["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], path));
        }
        let governs = controllers.split(',').any(|name| name == "cpu");
        governs.then_some((&["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"], path))
    };
    text.lines().filter_map(line).collect()
}

/// `cpu.max`: quota (or `max`) and period, in microseconds.
fn parse_quota_v2(text: &str) -> Option<CpuQuota> {
    let mut fields = text.split_whitespace();
    let (quota, period) = (fields.next()?, fields.next()?);
    if quota == "max" {
        return period.parse::<u64>().ok().map(|_| CpuQuota::Unlimited);
    }
    cores(quota.parse().ok()?, period.parse().ok()?)
}

/// `cpu.cfs_quota_us` (-1 for none) and `cpu.cfs_period_us`.
fn parse_quota_v1(quota: &str, period: &str) -> Option<CpuQuota> {
    let quota: i64 = quota.trim().parse().ok()?;
    if quota == -1 {
        return Some(CpuQuota::Unlimited);
    }
    cores(u32::try_from(quota).ok()?, period.trim().parse().ok()?)
}

fn cores(quota: u32, period: u32) -> Option<CpuQuota> {
    (quota > 0 && period > 0)
        .then(|| f64::from(quota) / f64::from(period))
        .and_then(|cores| Ratio::new(cores).ok())
        .map(CpuQuota::Cores)
}

/// `nr_throttled` of `cpu.stat`, the same in both versions.
fn parse_throttled(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("nr_throttled "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half() -> Option<CpuQuota> {
        Some(CpuQuota::Cores(Ratio::new(0.5).unwrap()))
    }

    #[test]
    fn both_versions_give_the_same_half_core() {
        assert_eq!(parse_quota_v2("50000 100000\n"), half());
        assert_eq!(parse_quota_v1("50000\n", "100000\n"), half());
    }

    #[test]
    fn no_quota_is_unlimited_in_both() {
        assert_eq!(parse_quota_v2("max 100000\n"), Some(CpuQuota::Unlimited));
        assert_eq!(parse_quota_v1("-1\n", "100000\n"), Some(CpuQuota::Unlimited));
    }

    #[test]
    fn malformed_quotas_are_unknown() {
        for bad in ["", "max", "50000", "x 100000", "0 100000", "50000 0", "-1 100000"] {
            assert_eq!(parse_quota_v2(bad), None, "{bad}");
        }
        assert_eq!(parse_quota_v1("-2", "100000"), None);
        assert_eq!(parse_quota_v1("", "100000"), None);
    }

    #[test]
    fn the_throttle_count_is_read_from_either_version() {
        assert_eq!(parse_throttled("nr_periods 9\nnr_throttled 4\nthrottled_time 1\n"), Some(4));
        assert_eq!(parse_throttled("usage_usec 1\nnr_throttled 0\nthrottled_usec 0\n"), Some(0));
        for bad in ["", "nr_throttled\n", "nr_throttled many\n"] {
            assert_eq!(parse_throttled(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_lines_that_govern_the_cpu_are_taken() {
        let text = "4:memory:/m\n2:cpuacct:/a\n1:cpu,cpuacct:/c\n0::/u\nnonsense\n";
        let paths: Vec<_> = parse_groups(text).into_iter().map(|(_, path)| path).collect();
        assert_eq!(paths, ["/c", "/u"]);
    }
}

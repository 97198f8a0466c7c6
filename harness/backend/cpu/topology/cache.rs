//! Sizes of the caches that one core uses.

use std::collections::BTreeMap;
use std::path::Path;

use crate::units::Bytes;

/// Cache sizes as told; `None` where not told.
///
/// **Unit**: bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheSizes {
    /// First-level data cache.
    pub l1d_bytes: Option<u64>,
    /// Second level.
    pub l2_bytes: Option<u64>,
    /// Third level, shared with other cores.
    pub l3_bytes: Option<u64>,
}

/// Sizes by sysfs for a core, else by CPUID.
#[must_use]
pub fn cache_sizes(core: usize) -> CacheSizes {
    let root = format!("/sys/devices/system/cpu/cpu{core}/cache");
    let told = sizes_under(Path::new(&root));
    if told == CacheSizes::default() { sizes_by_cpuid() } else { told }
}

/// Last-level caches of `cores` together, each counted once however many cores share it; one where the platform does
/// not tell which share it.
#[must_use]
pub fn last_level_caches(cores: &[usize]) -> Option<Bytes> {
    let one = |core: &usize| {
        let sizes = cache_sizes(*core);
        let level = if sizes.l3_bytes.is_some() { 3 } else { 2 };
        let root = format!("/sys/devices/system/cpu/cpu{core}/cache");
        let shared_by = shared_by(Path::new(&root), level).unwrap_or_default();
        Some((shared_by, sizes.l3_bytes.or(sizes.l2_bytes)?))
    };
    let caches: Option<BTreeMap<String, u64>> = cores.iter().map(one).collect();
    caches.filter(|caches| !caches.is_empty()).map(|caches| Bytes::new(caches.values().sum()))
}

/// The cores that share a core's cache of a level, as the platform writes them.
fn shared_by(root: &Path, level: u8) -> Option<String> {
    (0..8).find_map(|index| {
        let directory = root.join(format!("index{index}"));
        let read = |file: &str| Some(std::fs::read_to_string(directory.join(file)).ok()?.trim().to_owned());
        let is_it = read("level")?.parse() == Ok(level) && read("type")? != "Instruction";
        if is_it { read("shared_cpu_list") } else { None }
    })
}

fn sizes_under(root: &Path) -> CacheSizes {
    let mut sizes = CacheSizes::default();
    for index in 0..8 {
        let directory = root.join(format!("index{index}"));
        let read = |file: &str| std::fs::read_to_string(directory.join(file)).ok();
        let (Some(level), Some(kind), Some(size)) = (read("level"), read("type"), read("size")) else {
            continue;
        };
        sizes.put(level.trim().parse().unwrap_or(0), kind.trim() != "Instruction", parse_size(&size));
    }
    sizes
}

impl CacheSizes {
    fn put(&mut self, level: u8, holds_data: bool, bytes: Option<u64>) {
        match (level, holds_data) {
            (1, true) => self.l1d_bytes = bytes,
            (2, true) => self.l2_bytes = bytes,
            (3, true) => self.l3_bytes = bytes,
            _ => {}
        }
    }
}

/// sysfs writes `48K`, some systems `2M`; the units are powers of two.
fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = match text.strip_suffix(['K', 'M', 'G']) {
        Some(digits) => (digits, &text[digits.len()..]),
        None => (text, ""),
    };
    let shift = match unit {
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => 0,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(target_arch = "x86_64")]
fn sizes_by_cpuid() -> CacheSizes {
    let mut sizes = CacheSizes::default();
    let caches = raw_cpuid::CpuId::new().get_cache_parameters();
    for cache in caches.into_iter().flatten() {
        let bytes = cache.sets() * cache.associativity() * cache.coherency_line_size();
        let holds_data = cache.cache_type() != raw_cpuid::CacheType::Instruction;
        sizes.put(cache.level(), holds_data, u64::try_from(bytes).ok());
    }
    sizes
}

#[cfg(not(target_arch = "x86_64"))]
fn sizes_by_cpuid() -> CacheSizes {
    CacheSizes::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_with_and_without_a_unit_are_read() {
        assert_eq!(parse_size("48K\n"), Some(48 << 10));
        assert_eq!(parse_size("2M"), Some(2 << 20));
        assert_eq!(parse_size("512"), Some(512));
        for bad in ["", "K", "many", "-1K", "48k", "99999999999999999999G"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_instruction_cache_is_not_taken_for_data() {
        let root = tempfile::tempdir().unwrap();
        for (index, level, kind, size) in
            [(0, "1", "Data", "48K"), (1, "1", "Instruction", "64K"), (2, "2", "Unified", "2048K")]
        {
            let directory = root.path().join(format!("index{index}"));
            std::fs::create_dir(&directory).unwrap();
            for (file, text) in [("level", level), ("type", kind), ("size", size)] {
                std::fs::write(directory.join(file), text).unwrap();
            }
        }
        let expected = CacheSizes { l1d_bytes: Some(48 << 10), l2_bytes: Some(2 << 20), l3_bytes: None };
        assert_eq!(sizes_under(root.path()), expected);
    }

    #[test]
    fn a_cache_that_cores_share_counts_once() {
        let core = super::super::allowed_cores().unwrap()[0];
        let one = last_level_caches(&[core]);
        assert_eq!(last_level_caches(&[core, core, core]), one);
        assert_eq!(last_level_caches(&[]), None);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn cpuid_and_sysfs_agree_where_both_tell() {
        let (told, by_cpuid) = (cache_sizes(0), sizes_by_cpuid());
        if let (Some(told), Some(by_cpuid)) = (told.l1d_bytes, by_cpuid.l1d_bytes) {
            assert_eq!(told, by_cpuid);
        }
    }
}

//! Settings of the host that move a CPU's rate: microcode, governor, huge pages.

use std::path::Path;

/// What the host has set, in its own words; `None` where it does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostSettings {
    /// Microcode revision, as /proc/cpuinfo writes it.
    pub microcode: Option<String>,
    /// Frequency governor of the first core.
    pub governor: Option<String>,
    /// Transparent huge pages: `always`, `madvise` or `never`.
    pub huge_pages: Option<String>,
    /// Whether the system may run two threads per physical core: `on`, `off`, `notsupported`, ...
    pub smt: Option<String>,
}

/// Reads the settings.
#[must_use]
pub fn host_settings() -> HostSettings {
    let read = |file: &str| std::fs::read_to_string(Path::new(file)).ok();
    let word = |file: &str| read(file).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    HostSettings {
        microcode: read("/proc/cpuinfo").and_then(|text| parse_microcode(&text)),
        governor: word("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        huge_pages: read("/sys/kernel/mm/transparent_hugepage/enabled").and_then(|text| parse_chosen(&text)),
        smt: word("/sys/devices/system/cpu/smt/control"),
    }
}

/// First `microcode` line of /proc/cpuinfo.
fn parse_microcode(cpuinfo: &str) -> Option<String> {
    let value = cpuinfo.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "microcode").then(|| value.trim())
    })?;
    (!value.is_empty()).then(|| value.to_owned())
}

/// The word in brackets, as in `always [madvise] never`.
fn parse_chosen(text: &str) -> Option<String> {
    let chosen = text.split_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'))?;
    (!chosen.is_empty()).then(|| chosen.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_word_stands_in_brackets() {
        assert_eq!(parse_chosen("always [madvise] never\n").as_deref(), Some("madvise"));
        for bad in ["", "always madvise never", "[]", "[always"] {
            assert_eq!(parse_chosen(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_first_microcode_line_counts() {
        let cpuinfo = "processor\t: 0\nmicrocode\t: 0x2b000603\nprocessor\t: 1\nmicrocode\t: 0x1\n";
        assert_eq!(parse_microcode(cpuinfo).as_deref(), Some("0x2b000603"));
        for bad in ["", "microcode\n", "microcode\t:\n", "model name: microcode\n"] {
            assert_eq!(parse_microcode(bad), None, "{bad}");
        }
    }
}

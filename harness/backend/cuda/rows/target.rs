//! Architectures that the kernels are compiled for.

/// One architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Name for the compiler. The letter `a` gives the instructions of this chip alone, and code that runs on it alone.
    pub name: &'static str,
    /// Compute capability, ten times major plus minor.
    pub capability: u32,
    /// The same without a letter, for PTX that a later driver may compile.
    pub generic: &'static str,
}

impl Target {
    /// Options that say the architecture and ask for registers and spills in the log.
    pub(super) fn options(&self) -> Vec<String> {
        let fixed = ["-std=c++17", "-default-device", "--ptxas-options=-v"];
        let mut options = vec![format!("--gpu-architecture={}", self.name)];
        options.extend(fixed.map(str::to_owned));
        options
    }

    /// The architecture of which later drivers compile the PTX.
    pub fn virtual_name(&self) -> String {
        self.generic.replace("sm_", "compute_")
    }

    /// The same options for [`Self::virtual_name`], of which there is PTX and no machine code.
    pub fn virtual_options(&self, options: &[String]) -> Vec<String> {
        let architecture = format!("--gpu-architecture={}", self.virtual_name());
        let others = options.iter().filter(|option| !option.starts_with("--gpu-architecture="));
        std::iter::once(architecture).chain(others.cloned()).collect()
    }
}

macro_rules! targets {
    ($($capability:literal $name:literal $generic:literal),* $(,)?) => {
        [$(Target { name: $name, capability: $capability, generic: $generic }),*]
    };
}

/// Every architecture, oldest first.
pub const TARGETS: [Target; 12] = targets![
    75 "sm_75" "sm_75",
    80 "sm_80" "sm_80",
    86 "sm_86" "sm_86",
    87 "sm_87" "sm_87",
    89 "sm_89" "sm_89",
    90 "sm_90a" "sm_90",
    100 "sm_100a" "sm_100",
    103 "sm_103a" "sm_103",
    107 "sm_107a" "sm_107",
    110 "sm_110a" "sm_110",
    120 "sm_120a" "sm_120",
    121 "sm_121a" "sm_121",
];

/// The architecture of a compute capability; `None` for one that no kernel was ever compiled for.
pub fn target(major: u32, minor: u32) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.capability == major * 10 + minor && minor < 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_that_is_not_listed_is_none_rather_than_the_nearest() {
        assert_eq!(target(9, 0).unwrap().name, "sm_90a");
        assert_eq!(target(12, 1).unwrap().name, "sm_121a");
        for (major, minor) in [(7, 0), (9, 1), (8, 20), (13, 0)] {
            assert!(target(major, minor).is_none(), "{major}.{minor}");
        }
    }

    #[test]
    fn the_options_for_later_drivers_differ_in_the_architecture_alone() {
        let target = target(9, 0).unwrap();
        let options = target.virtual_options(&target.options());
        assert_eq!(options[0], "--gpu-architecture=compute_90");
        assert_eq!(options[1..], target.options()[1..]);
    }
}

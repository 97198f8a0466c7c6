//! What the processor says of itself through CPUID, or nothing on other architectures.

use std::collections::BTreeSet;

/// Identity of the processor as CPUID tells it; a hypervisor may have changed any of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// `GenuineIntel`, `AuthenticAMD`, ...
    pub vendor: Option<String>,
    /// Family with the extended family added.
    pub family: Option<u32>,
    /// Model with the extended model in its upper half.
    pub model: Option<u32>,
    /// Stepping.
    pub stepping: Option<u32>,
    /// Marketing name.
    pub brand: Option<String>,
    /// Whether a hypervisor announces itself: then nothing above is beyond doubt.
    pub hypervisor: bool,
    /// Instruction-set extensions that matter here, in the spelling of /proc/cpuinfo.
    pub features: BTreeSet<&'static str>,
}

impl Identity {
    /// Reads CPUID; empty on other architectures.
    #[must_use]
    pub fn read() -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self::by_cpuid();
        #[cfg(not(target_arch = "x86_64"))]
        return Self::default();
    }

    #[cfg(target_arch = "x86_64")]
    fn by_cpuid() -> Self {
        let cpuid = raw_cpuid::CpuId::new();
        let versions = cpuid.get_feature_info();
        let version = |part: fn(&raw_cpuid::FeatureInfo) -> u8| versions.as_ref().map(part).map(u32::from);
        Self {
            vendor: cpuid.get_vendor_info().map(|vendor| vendor.as_str().to_owned()),
            family: version(raw_cpuid::FeatureInfo::family_id),
            model: version(raw_cpuid::FeatureInfo::model_id),
            stepping: version(raw_cpuid::FeatureInfo::stepping_id),
            brand: cpuid.get_processor_brand_string().map(|brand| brand.as_str().trim().to_owned()),
            hypervisor: versions.as_ref().is_some_and(raw_cpuid::FeatureInfo::has_hypervisor),
            features: features(),
        }
    }
}

/// Extensions that this process may use, plus those of AMX that the processor has.
#[cfg(target_arch = "x86_64")]
fn features() -> BTreeSet<&'static str> {
    use std::arch::is_x86_feature_detected as has;
    let tiles = super::amx::present();
    let known = [
        ("sse2", true),
        ("avx", has!("avx")),
        ("avx2", has!("avx2")),
        ("fma", has!("fma")),
        ("f16c", has!("f16c")),
        ("avx_vnni", has!("avxvnni")),
        ("avx512f", has!("avx512f")),
        ("avx512_vnni", has!("avx512vnni")),
        ("avx512_bf16", has!("avx512bf16")),
        ("avx512_fp16", has!("avx512fp16")),
        ("amx_tile", tiles.is_some()),
        ("amx_int8", tiles.is_some_and(|units| units.int8)),
        ("amx_bf16", tiles.is_some_and(|units| units.bf16)),
    ];
    known.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn every_x86_64_has_a_vendor_and_sse2() {
        let identity = Identity::read();
        assert!(identity.vendor.is_some_and(|vendor| !vendor.is_empty()));
        assert!(identity.features.contains("sse2"));
    }
}

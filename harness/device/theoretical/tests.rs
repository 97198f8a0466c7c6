use super::*;
use crate::device::Unit;
use crate::precision::{Accumulate, Precision};

fn entry(name: &str) -> &'static Entry {
    Catalogue::builtin().unwrap().named(name).entry().unwrap_or_else(|| panic!("{name}"))
}

fn rates_of(peaks: &[TheoreticalPeak], precision: Precision, unit: Unit) -> Vec<(ClockBasis, u128)> {
    let fits = |p: &&TheoreticalPeak| p.precision == precision && p.unit == unit;
    peaks.iter().filter(fits).map(|p| (p.clock_basis, p.rate_op_per_s.get())).collect()
}

#[test]
fn h100_has_one_peak_at_its_rated_clock_and_one_at_its_highest() {
    let h100 = entry("NVIDIA H100 80GB HBM3");
    assert_eq!(
        rates_of(&h100.peaks(), Precision::Bf16, Unit::Matrix),
        [(ClockBasis::Rated, 989_400_000_000_000), (ClockBasis::MaximumBoost, 1_070_530_560_000_000)]
    );
    let stated = h100.peak(Precision::Bf16, None).unwrap();
    assert!(stated.note.as_ref().unwrap().starts_with("rated at 1830 MHz (published)"));
    assert_eq!(h100.headline(Precision::Bf16, None), Some(stated));
    assert_eq!(h100.ceiling(Precision::Bf16, None).unwrap().get(), 1_070_530_560_000_000);
}

#[test]
fn the_headline_never_needs_a_clock_that_the_device_lacks() {
    let rate = |name, precision| entry(name).headline(precision, None).unwrap().rate_op_per_s.get();
    assert_eq!(rate("Intel Gaudi 3", Precision::Bf16), 8 * 131_072 * 1_600_000_000);
    assert_eq!(rate("NVIDIA H20", Precision::Fp32), 78 * 256 * 1_980_000_000);
    assert_eq!(rate("NVIDIA GB10", Precision::Fp4), 48 * 4096 * 2_418_000_000);
    assert_eq!(rate("NVIDIA A100-SXM4-80GB", Precision::Bf16), 312_000_000_000_000, "rounding is no excess");
}

#[test]
fn a_part_in_no_catalogue_gets_the_peaks_of_its_architecture() {
    let peaks = derive("sm_90", 132, 1_830_000_000, None).unwrap();
    assert_eq!(
        rates_of(&peaks, Precision::Bf16, Unit::Matrix),
        [(ClockBasis::MaximumBoost, 989_429_760_000_000)]
    );
    assert_eq!(rates_of(&peaks, Precision::Fp8e5m2, Unit::Matrix).len(), 1, "both encodings");
    let zen = derive("Zen 4", 96, 3_700_000_000, None).unwrap();
    assert_eq!(rates_of(&zen, Precision::Fp64, Unit::Vector)[0].1, 96 * 16 * 3_700_000_000);
    let spr = derive("Sapphire Rapids", 56, 2_000_000_000, None).unwrap();
    assert_eq!(rates_of(&spr, Precision::Bf16, Unit::Matrix)[0].1, 56 * 1024 * 2_000_000_000);
    assert_eq!(rates_of(&spr, Precision::Fp32, Unit::Vector)[0].1, 56 * 64 * 2_000_000_000);
    for (arch, class) in [("gfx942", None), ("gfx1201", None), ("Xe-HPC", None), ("Gaudi", Some("Gaudi3"))] {
        let peaks = derive(arch, 2, 1_000_000_000, class).unwrap();
        assert!(peaks.iter().any(|p| p.precision == Precision::Bf16), "{arch}");
    }
}

#[test]
fn an_architecture_with_several_classes_wants_one_named() {
    assert!(matches!(derive("8.9", 76, 2_400_000_000, None), Err(DeriveError::Class { .. })));
    assert!(matches!(derive("8.9", 76, 2_400_000_000, Some("titan")), Err(DeriveError::Class { .. })));
    assert!(derive("8.9", 76, 2_400_000_000, Some("GeForce")).is_ok());
    assert!(matches!(derive("9.1", 1, 1, None), Err(DeriveError::UnknownArchitecture { .. })));
    assert!(matches!(derive("9.0", 0, 1, None), Err(DeriveError::Nothing { .. })));
    assert!(matches!(derive("9.0", 132, 0, None), Err(DeriveError::Nothing { .. })));
    assert!(derive("9.0", u32::MAX, u64::MAX, None).is_ok(), "no overflow");
}

#[test]
fn halves_and_partitions_are_scaled_and_too_many_units_refused() {
    let half = entry("AMD Instinct MI250X").with_units(110).unwrap();
    assert_eq!(half.peak(Precision::Fp16, None).unwrap().rate_op_per_s.get(), 191_500_000_000_000);
    let eighth = entry("AMD Instinct MI300X").with_units(38).unwrap();
    assert_eq!(eighth.peak(Precision::Fp8e4m3, None).unwrap().rate_op_per_s.get(), 2_614_900_000_000_000 / 8);
    assert!(matches!(entry("NVIDIA H100 PCIe").with_units(132), Err(UnitsError::TooMany { .. })));
    assert!(matches!(entry("Ascend 910B1").with_units(1), Err(UnitsError::Unknown { .. })));
}

#[test]
fn a_device_without_an_entry_is_computed_and_says_so() {
    let query = Query { name: "NVIDIA GeForce RTX 4080", pci_id: None };
    let (peaks, how) = of_device(&query, Some("8.9"), Some(76), Some(2_505_000_000));
    assert!(how.contains("computed from architecture"), "{how}");
    let fits = |p: &&TheoreticalPeak| p.precision == Precision::Bf16 && p.accumulate == Accumulate::Fp32;
    assert_eq!(peaks.iter().find(fits).unwrap().rate_op_per_s.get(), 76 * 512 * 2_505_000_000);
    let h100 = Query { name: "NVIDIA H100 80GB HBM3", pci_id: None };
    let (peaks, how) = of_device(&h100, Some("sm_90"), Some(132), Some(1_980_000_000));
    assert_eq!(
        (peaks.len(), how.as_str()),
        (entry(h100.name).peaks().len(), "catalogue entry NVIDIA H100 80GB HBM3")
    );
    let slice = of_device(&h100, Some("9.0"), Some(16), None).0;
    assert_eq!(rates_of(&slice, Precision::Bf16, Unit::Matrix)[0].1, 989_400_000_000_000 * 16 / 132);
    let (peaks, how) = of_device(&h100, Some("8.0"), Some(108), Some(1_410_000_000));
    assert!(how.contains("another part; computed"), "{how}");
    assert_eq!(rates_of(&peaks, Precision::Bf16, Unit::Matrix)[0].1, 108 * 2048 * 1_410_000_000);
    let (none, why) = of_device(&Query { name: "NVIDIA L4000", pci_id: None }, None, None, None);
    assert!(none.is_empty() && why.contains("no device"), "{why}");
}

#[test]
fn a_capped_part_without_an_entry_is_not_computed() {
    for name in ["NVIDIA H20-3e", "NVIDIA H800 PCIe", "NVIDIA H20 NVL16"] {
        let (peaks, why) =
            of_device(&Query { name, pci_id: None }, Some("9.0"), Some(78), Some(1_980_000_000));
        assert!(peaks.is_empty() && why.contains("capped by policy"), "{name}: {why}");
    }
    let d = Query { name: "NVIDIA GeForce RTX 4090 D", pci_id: Some("10de:2685") };
    assert!(!of_device(&d, Some("8.9"), Some(114), Some(2_520_000_000)).0.is_empty(), "silicon, not policy");
}

#[test]
fn the_clock_that_was_observed_gives_a_third_peak() {
    let peaks = observed(entry("NVIDIA H100 80GB HBM3"), 1_500_000_000).unwrap();
    let bf16 = rates_of(&peaks, Precision::Bf16, Unit::Matrix);
    assert_eq!(bf16, [(ClockBasis::Observed, 132 * 4096 * 1_500_000_000)]);
    assert!(observed(entry("TPU v4"), 1_000_000_000).unwrap().is_empty());
    let h800 = observed(entry("NVIDIA H800"), 1_755_000_000).unwrap();
    assert!(!h800.iter().any(|peak| peak.precision == Precision::Fp64), "a cap is no product of clocks");
}

#[test]
fn every_computed_row_is_what_its_formula_gives() {
    let rates = Rates::builtin().unwrap();
    for entry in Catalogue::builtin().unwrap().entries() {
        for row in entry.rows.iter().filter(|row| row.evidence == Evidence::Derived) {
            assert!(rate_of(entry, row, rates).is_some(), "{} {}", entry.name, row.precision);
        }
    }
}

use super::*;
use crate::device::catalogue::Catalogue;
use crate::precision::Precision;
use crate::units::{Decimal, ExactOpRate};

fn of(name: &str) -> Determination {
    let entry = Catalogue::builtin().unwrap().named(name).entry().unwrap_or_else(|| panic!("{name}"));
    determine(&Figures::of_entry(entry)).unwrap()
}

fn declared(peaks: &[(Precision, &str)], die_area: Option<&str>) -> Figures {
    let figure = |(precision, rate): &(Precision, &str)| Figure {
        precision: *precision,
        accumulate: None,
        rate: rate.parse().unwrap(),
        range: None,
        known: Known::Declared,
    };
    Figures {
        device: "declared".to_owned(),
        figures: peaks.iter().map(figure).collect(),
        die_area_mm2: die_area.map(|text| text.parse().unwrap()),
        memory_bandwidth_gb_s: None,
        interconnect_gb_s: None,
        datacenter: Some(true),
        warnings: Vec::new(),
    }
}

fn class(figures: &Figures) -> String {
    determine(figures).unwrap().class["3A090-2023"].clone()
}

#[test]
fn tpp_and_density_are_those_of_the_cross_check() {
    for (name, tpp, governing, density, class) in [
        ("Tesla V100-SXM2-16GB", "2000", Precision::Fp16, Some(2.45), "none"),
        ("NVIDIA A100-SXM4-80GB", "4992", Precision::Bf16, Some(6.04), "3A090.a"),
        ("NVIDIA L40S", "5864", Precision::Fp8e4m3, Some(9.63), "3A090.a"),
        ("NVIDIA H100 80GB HBM3", "15831.2", Precision::Fp8e4m3, Some(19.45), "3A090.a"),
        ("NVIDIA H100 PCIe", "12104", Precision::Fp8e4m3, Some(14.87), "3A090.a"),
        ("NVIDIA H20", "2368", Precision::Bf16, Some(2.91), "none"),
        ("NVIDIA B200", "36000", Precision::Bf16, None, "3A090.a"),
        ("NVIDIA GeForce RTX 4090", "5284.8", Precision::Int8, Some(8.68), "3A090.a"),
        ("NVIDIA GeForce RTX 5090", "6704", Precision::Int8, Some(8.94), "3A090.a"),
        ("AMD Instinct MI300X", "20919.2", Precision::Fp8e4m3, Some(20.57), "3A090.a"),
        ("Intel Gaudi 3", "29360", Precision::Bf16, None, "3A090.a"),
        ("TPU v6 lite", "14688", Precision::Bf16, None, "3A090.a"),
        ("NVIDIA B300 SXM6 AC", "56000", Precision::Fp4, None, "3A090.a"),
    ] {
        let found = of(name);
        assert_eq!(found.tpp.as_ref().unwrap().to_string(), tpp, "{name}");
        assert_eq!(found.governing.as_ref().unwrap().precision, governing, "{name}");
        assert_eq!(found.performance_density.is_some(), density.is_some(), "{name}");
        if let (Some(found), Some(density)) = (found.performance_density, density) {
            assert!((found.get() - density).abs() < 0.006, "{name}: {}", found.get());
        }
        if name == "NVIDIA H20" {
            assert_eq!(found.class["3A090-2023"], "none", "TPP 2368 is below 2400, density below 3.2");
        } else {
            assert_eq!(found.class["3A090-2023"], class, "{name}");
        }
    }
}

#[test]
fn exactly_4800_is_in_and_one_below_is_not() {
    assert_eq!(class(&declared(&[(Precision::Int8, "600e12")], None)), "3A090.a");
    assert_eq!(class(&declared(&[(Precision::Fp16, "300e12")], None)), "3A090.a");
    let below = declared(&[(Precision::Int8, "599.999e12")], None);
    assert_eq!(class(&below), "undetermined", "not by TPP alone, and the area is not known");
    assert_eq!(class(&declared(&[(Precision::Int8, "599999999999999")], Some("1000"))), "3A090.b");
    assert_eq!(determine(&below).unwrap().tpp.unwrap().to_string(), "4799.992");
}

#[test]
fn density_limits_are_exact() {
    // 5.92 x 814 = 4818.88; at 500 mm2 the limit is 2960.
    let at = |rate| class(&declared(&[(Precision::Fp16, rate)], Some("500")));
    assert_eq!(at("185e12"), "3A090.a");
    assert_eq!(at("184999999999999"), "3A090.b");
    let small = |rate| class(&declared(&[(Precision::Fp16, rate)], Some("312.5")));
    assert_eq!(small("100e12"), "3A090.b", "TPP 1600 at density 5.12");
    assert_eq!(small("99999999999999"), "none");
    let large = |rate, area| class(&declared(&[(Precision::Fp16, rate)], Some(area)));
    assert_eq!(large("150e12", "1500"), "3A090.b", "TPP 2400 at density 1.6");
    assert_eq!(large("150e12", "1500.01"), "none");
    assert_eq!(large("100e12", "500"), "3A090.b", "TPP 1600 at density 3.2");
    assert_eq!(large("100e12", "500.01"), "none");
}

#[test]
fn parts_not_for_data_centres_are_out_below_4800_only() {
    let mut part = declared(&[(Precision::Fp16, "143e12"), (Precision::Int8, "284e12")], Some("628"));
    assert_eq!(determine(&part).unwrap().tpp.unwrap().to_string(), "2288");
    assert_eq!(class(&part), "3A090.b");
    part.datacenter = Some(false);
    assert_eq!(class(&part), "none");
    part.datacenter = None;
    assert_eq!(class(&part), "undetermined");
    let rtx = of("NVIDIA GeForce RTX 4090");
    assert!(rtx.warnings.iter().any(|warning| warning.contains("NAC")), "{:?}", rtx.warnings);
}

#[test]
fn the_rule_of_2022_asks_for_the_interconnect() {
    let class = |name: &str| of(name).class["3A090-2022"].clone();
    assert_eq!(class("NVIDIA A100-SXM4-80GB"), "3A090.a");
    assert_eq!(class("NVIDIA A800-SXM4-80GB"), "none", "400 GB/s");
    assert_eq!(class("NVIDIA H800"), "none");
    assert_eq!(class("NVIDIA H100 80GB HBM3"), "3A090.a");
    assert_eq!(class("Intel Gaudi 2"), "undetermined");
    assert_eq!(of("NVIDIA H800").class["3A090-2023"], "3A090.a");
}

#[test]
fn the_review_of_2026_is_strict_on_both_sides() {
    let review = |name: &str| of(name).rules.into_iter().find(|r| r.rule == "3A090-2026").unwrap().review;
    assert_eq!(review("NVIDIA H200").as_deref(), Some("case-by-case review"));
    assert_eq!(review("NVIDIA B200").as_deref(), Some("presumption of denial"));
    assert_eq!(review("Tesla V100-SXM2-16GB"), None);
    let mut part = declared(&[(Precision::Fp16, "1312.5e12")], None);
    part.memory_bandwidth_gb_s = Some("6499.999".parse().unwrap());
    let of = |part: &Figures| determine(part).unwrap().rules.pop().unwrap().review.unwrap();
    assert_eq!(of(&part), "presumption of denial", "TPP 21000 is not below 21000");
    part.figures[0].rate = ExactOpRate::new(1_312_499_999_999_999);
    assert_eq!(of(&part), "case-by-case review");
    part.memory_bandwidth_gb_s = Some("6500".parse().unwrap());
    assert_eq!(of(&part), "presumption of denial");
    part.memory_bandwidth_gb_s = None;
    assert!(of(&part).starts_with("undetermined"));
}

#[test]
fn counts_are_strictly_above_ten_to_the_twenty() {
    let counts = |name: &str, precision: &str| of(name).devices_above_1e20[precision];
    assert_eq!(counts("NVIDIA H100 80GB HBM3", "bf16"), 101_072);
    assert_eq!(counts("NVIDIA H200", "fp8e4m3"), 50_531);
    assert_eq!(counts("NVIDIA H200", "fp8e5m2"), 50_531);
    assert_eq!(counts("NVIDIA H800", "int8"), 50_531);
    assert_eq!(counts("NVIDIA H100 PCIe", "bf16"), 132_276);
    assert_eq!(counts("NVIDIA A100-SXM4-80GB", "bf16"), 320_513);
    assert_eq!(counts("NVIDIA B200", "bf16"), 44_445);
    assert_eq!(counts("NVIDIA B200", "fp8e4m3"), 22_223);
    assert_eq!(counts("NVIDIA GB200", "bf16"), 40_001);
    assert_eq!(counts("NVIDIA GB200", "fp8e4m3"), 20_001);
    let even = determine(&declared(&[(Precision::Bf16, "1e15")], None)).unwrap();
    assert_eq!(even.devices_above_1e20["bf16"], 100_001, "100,000 are exactly 10^20");
    assert!(even.devices_above_1e20_rule.contains("not in force"));
}

#[test]
fn conflicting_sources_leave_the_class_open_where_they_decide() {
    let l40 = of("NVIDIA L40");
    assert_eq!(l40.class["3A090-2023"], "undetermined");
    let reason = &l40.rules[1].reason;
    assert!(reason.contains("3A090.b at TPP 2896.8") && reason.contains("3A090.a"), "{reason}");
    let gb200 = of("NVIDIA GB200");
    assert_eq!(gb200.class["3A090-2023"], "3A090.a", "both ends are");
    assert!(gb200.warnings.iter().any(|warning| warning.contains("2.25 P")), "{:?}", gb200.warnings);
    let gb10 = of("NVIDIA GB10");
    assert_eq!(gb10.tpp_range, None, "fp8 governs, whatever bf16 is");
    let a10g = of("NVIDIA A10G").tpp_range.unwrap().map(|end: Decimal| end.to_string());
    assert_eq!(a10g, ["1120", "2240"]);
}

#[test]
fn a_figure_of_unknown_sparsity_gives_nothing() {
    let wse = of("WSE-3");
    assert!(wse.tpp.is_none() && wse.governing.is_none() && wse.devices_above_1e20.is_empty());
    assert!(wse.class.values().all(|class| class == "undetermined"));
}

#[test]
fn a_recalled_figure_that_governs_is_named() {
    let a800 = of("NVIDIA A800-SXM4-80GB");
    assert_eq!(a800.governing.as_ref().unwrap().evidence, Known::Recalled);
    assert!(a800.warnings.iter().any(|w| w.contains("TPP 4989.92 from fp16")), "{:?}", a800.warnings);
}

#[test]
fn tf32_does_not_govern() {
    let only = declared(&[(Precision::Tf32, "1000e12"), (Precision::Fp16, "100e12")], None);
    let found = determine(&only).unwrap();
    assert_eq!(found.governing.unwrap().precision, Precision::Fp16);
    assert!(found.warnings.iter().any(|warning| warning.starts_with("tf32")));
}

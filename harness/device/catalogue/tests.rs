use proptest::prelude::*;

use super::*;
use crate::device::Evidence;
use crate::device::theoretical::rate_of;
use crate::precision::Precision;

fn builtin() -> &'static Catalogue {
    Catalogue::builtin().unwrap()
}

fn found(name: &str) -> Option<&'static str> {
    builtin().named(name).entry().map(|entry| entry.name.as_str())
}

#[test]
fn every_row_of_the_tables_is_there_with_its_evidence() {
    let rows: Vec<_> = builtin().entries().iter().flat_map(|entry| &entry.rows).collect();
    let count = |evidence| rows.iter().filter(|row| row.evidence == evidence).count();
    assert_eq!((builtin().entries().len(), rows.len()), (77, 372));
    assert_eq!([Evidence::Read, Evidence::Derived, Evidence::Recalled].map(count), [304, 40, 28]);
    let halved = rows.iter().filter(|row| row.sparsity == SparsityStated::Halved).count();
    let unknown = rows.iter().filter(|row| row.sparsity == SparsityStated::Unknown).count();
    assert_eq!((halved, unknown), (42, 1));
}

#[test]
fn every_recomputable_row_agrees_within_one_percent_or_says_why_not() {
    let rates = Rates::builtin().unwrap();
    let (mut with_rate, mut agree) = (0, 0);
    for entry in builtin().entries() {
        for row in &entry.rows {
            let clock = row.rated_clock_hz.or(entry.boost_clock_hz);
            let (Some(rate), Some(units), Some(clock)) = (rate_of(entry, row, rates), entry.units, clock)
            else {
                continue;
            };
            with_rate += 1;
            let formula = u128::from(units) * u128::from(rate.ops_per_clock) * u128::from(clock);
            if row.rate_op_per_s.get().abs_diff(formula) * 100 <= formula {
                agree += 1;
            } else {
                assert!(row.deviation.is_some(), "{} {} stands apart", entry.name, row.precision);
            }
        }
    }
    assert_eq!((with_rate, agree), (326, 318));
}

#[test]
fn each_part_resolves_to_itself() {
    for entry in builtin().entries() {
        for text in std::iter::once(&entry.name).chain(&entry.aliases) {
            assert_eq!(found(text), Some(entry.name.as_str()), "{text}");
            assert_eq!(found(&format!(" {} ", text.to_uppercase())), Some(entry.name.as_str()));
        }
        for id in &entry.pci_ids {
            let query = Query { name: "", pci_id: Some(id) };
            assert_eq!(builtin().find(&query).entry(), Some(entry), "{id}");
        }
    }
}

#[test]
fn names_that_contain_another_name_are_not_taken_for_it() {
    for name in [
        "NVIDIA GH200 480GB",
        "NVIDIA H200",
        "NVIDIA H200 NVL",
        "NVIDIA H100 PCIe",
        "NVIDIA L40",
        "NVIDIA L40S",
        "NVIDIA B200",
        "NVIDIA GB200",
        "NVIDIA GB300",
        "NVIDIA H20",
        "NVIDIA A10",
        "NVIDIA A10G",
        "NVIDIA H800",
        "Apple M4",
        "Apple M4 Pro",
        "Apple M4 Max",
    ] {
        assert_eq!(found(name), Some(name));
    }
}

#[test]
fn other_parts_are_unknown_and_never_the_nearest() {
    for name in [
        "NVIDIA L4000",
        "NVIDIA L4",
        "NVIDIA GeForce RTX 4090 D",
        "NVIDIA GeForce RTX 4090 Laptop GPU",
        "NVIDIA GeForce RTX 5090 D",
        "NVIDIA GeForce RTX 5090 D v2",
        "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
        "NVIDIA RTX A6000",
        "Quadro RTX 6000",
        "H100",
        "NVIDIA H100",
        "NVIDIA H100 NVL",
        "NVIDIA H800 PCIe",
        "NVIDIA H800 NVL",
        "NVIDIA H20-3e",
        "NVIDIA H20 NVL16",
        "NVIDIA A100X",
        "NVIDIA A10-24Q",
        "NVIDIA H100 80GB HBM3 MIG 1g.10gb",
        "GRID V100S-8Q",
        "Apple M4 Ultra",
        "AMD Instinct MI250X / MI250",
        "AMD Instinct MI300X VF",
        "gfx942",
        "Ascend 910B",
        "NVIDIA",
        "SM",
        "",
    ] {
        assert_eq!(found(name), None, "{name}");
    }
}

#[test]
fn what_drivers_put_around_a_name_does_not_hide_it() {
    for (name, entry) in [
        ("H100 80GB HBM3", "NVIDIA H100 80GB HBM3"),
        ("NVIDIA Corporation GH100 [H100 SXM5 80GB] (rev a1)", "NVIDIA H100 80GB HBM3"),
        ("AMD Radeon RX 7900 XTX (RADV NAVI31)", "AMD Radeon RX 7900 XTX"),
        ("Intel(R) Arc(tm) A770 Graphics (DG2)", "Intel(R) Arc(TM) A770 Graphics"),
        ("nvidia  h200", "NVIDIA H200"),
        ("GeForce RTX 4090", "NVIDIA GeForce RTX 4090"),
        ("NVIDIA H200 SXM", "NVIDIA H200"),
        ("NVIDIA GeForce RTX 5090 (NVK GB202)", "NVIDIA GeForce RTX 5090"),
        ("Intel(R) Arc(TM) B580 Graphics (BMG G21)", "Intel(R) Arc(TM) B580 Graphics"),
        ("AMD Instinct MI300X (RADV GFX942)", "AMD Instinct MI300X"),
    ] {
        assert_eq!(found(name), Some(entry), "{name}");
    }
}

#[test]
fn a_pci_id_decides_and_one_that_no_entry_has_forbids_a_guess() {
    let find = |name, id| builtin().find(&Query { name, pci_id: Some(id) });
    let name = |m: Match<'_>| m.entry().map(|entry| entry.name.clone());
    assert_eq!(name(find("whatever", "10DE:2330")).as_deref(), Some("NVIDIA H100 80GB HBM3"));
    assert_eq!(name(find("NVIDIA H100 80GB HBM3", "10de:2339")), None, "a bare H100 is none of them");
    assert_eq!(name(find("NVIDIA GeForce RTX 4090", "10de:2685")), None, "4090 D");
    assert_eq!(name(find("NVIDIA H200 SXM", "10de:ffff")), None, "contained, and the id is another");
    assert_eq!(name(find("NVIDIA H200", "10de:ffff")).as_deref(), Some("NVIDIA H200"), "exact name");
    let Match::Unknown { reason } = find("NVIDIA GeForce RTX 4090 D", "10de:2685") else { panic!() };
    assert!(reason.contains("RTX 4090 D"), "{reason}");
}

#[test]
fn a_part_sold_with_conflicting_figures_says_so() {
    for name in ["NVIDIA GB200", "NVIDIA B300 SXM6 AC", "NVIDIA L40", "NVIDIA A10G", "NVIDIA GB10", "WSE-3"] {
        assert!(builtin().named(name).entry().unwrap().is_ambiguous(), "{name}");
    }
    let gb200 = builtin().named("NVIDIA GB200").entry().unwrap();
    let range = gb200.range(Precision::Bf16).unwrap();
    assert_eq!((range.low().get(), range.high().get()), (2_250_000_000_000_000, 2_500_000_000_000_000));
}

const GOOD: &str = r#"format = "flopgauge.catalogue/1"
family = "x"
[source.s]
title = "t"
url = "u"
tier = "vendor"
[[device]]
vendor = "NVIDIA"
name = "X1"
form_factor = "PCIe"
market = "datacenter"
peaks = [ { precision = "bf16", unit = "matrix", accumulate = "fp32", rate_op_per_s = "1e12", source = "s", evidence = "read" } ]
"#;

#[test]
fn a_file_is_read_strictly() {
    assert_eq!(Catalogue::load(&[("x", GOOD)]).unwrap().entries().len(), 1);
    for (from, to, why) in [
        ("family", "famliy", "unknown key"),
        ("precision = \"bf16\"", "precision = \"bf17\"", "unknown precision"),
        ("\"1e12\"", "1e12", "a number is not exact"),
        ("\"1e12\"", "\"0\"", "no rate"),
        ("\"1e12\"", "\"-1\"", "negative"),
        ("\"1e12\"", "\"NaN\"", "no number"),
        ("source = \"s\", ", "", "read without a source"),
        ("source = \"s\"", "source = \"z\"", "unknown source"),
        ("evidence = \"read\"", "evidence = \"recalled\"", "recalled with a source"),
        ("evidence = \"read\"", "evidence = \"known\"", "unknown evidence"),
        ("form_factor = \"PCIe\"\n", "", "missing key"),
        ("market", "units = 3\nmarket", "units without their kind"),
        ("market", "pci_ids = [\"2330\"]\nmarket", "no PCI id"),
        ("catalogue/1", "catalogue/2", "another version"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{why}");
        assert!(Catalogue::load(&[("x", &text)]).is_err(), "{why}");
    }
}

#[test]
fn one_name_of_two_devices_is_refused() {
    let second = GOOD.replace("\"X1\"", "\"X2\"\naliases = [\"x1\"]");
    let error = Catalogue::load(&[("a", GOOD), ("b", &second)]).unwrap_err();
    assert!(matches!(error, CatalogueError::Shared { .. }), "{error}");
}

#[test]
fn the_order_of_files_does_not_matter() {
    let second = GOOD.replace("X1", "A1");
    let forth = Catalogue::load(&[("a", GOOD), ("b", &second)]).unwrap();
    let back = Catalogue::load(&[("b", &second), ("a", GOOD)]).unwrap();
    assert_eq!(forth.entries(), back.entries());
}

proptest! {
    #[test]
    fn any_name_gives_an_answer_and_a_found_one_contains_the_name(text in "[ A-Za-z0-9()İß-]{0,12}", at in 0..77_usize) {
        let entry = &builtin().entries()[at];
        for name in [text.clone(), format!("{text} {}", entry.name), format!("{} {text}", entry.name)] {
            if let Some(found) = builtin().named(&name).entry() {
                let texts = std::iter::once(&found.name).chain(&found.aliases);
                let lower = crate::device::matching::key(&name);
                prop_assert!(texts.map(|t| crate::device::matching::key(t)).any(|key| lower.contains(&key)));
            }
        }
    }

    #[test]
    fn a_digit_after_a_name_makes_it_another(at in 0..77_usize, digit in 0..10_u8) {
        let name = format!("{}{digit}", builtin().entries()[at].name);
        let found = builtin().named(&name).entry().map(|entry| entry.name.clone());
        // "NVIDIA H20" and a zero is a device of its own; no other name swallows a digit.
        let known = builtin().entries().iter().any(|entry| entry.name == name);
        prop_assert_eq!(found, known.then_some(name));
    }
}

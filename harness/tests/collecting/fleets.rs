//! What only all nodes together show: outliers, drift, stragglers.

use proptest::prelude::*;
use serde_json::json;

use super::{RATE, Site, fail, node, rate};
use flopgauge::accept::{Fleet, NodeState, Side, Verdict};

/// Nodes with devices of these rates, in this order.
fn site(rates: &[f64]) -> Site {
    let site = Site::new();
    for (number, of_node) in rates.iter().enumerate() {
        site.node(&format!("n{}", number + 1), |file| rate(file, *of_node));
    }
    site
}

/// Rates that differ by a few tenths of a per cent.
fn noisy(count: u32) -> Vec<f64> {
    (0..count).map(|number| RATE * (1.0 + 0.001 * f64::from(number % 5))).collect()
}

#[test]
fn a_device_that_is_slow_beside_the_others_fails_its_node_even_above_its_floor() {
    let mut rates = noisy(12);
    rates[4] = 0.9 * RATE;
    let site = site(&rates);
    let (code, fleet) = site.verdict("n[1-12]");
    assert_eq!((code, fleet.failing_nodes.as_str()), (1, "n5"));
    let slow = node(&fleet, "n5");
    assert_eq!(
        (slow.verdict, slow.own_verdict, slow.state),
        (Verdict::Fail, Some(Verdict::Pass), NodeState::Reported)
    );
    let check = &slow.devices[0].checks[0];
    assert_eq!((check.check.as_str(), check.verdict), ("outlier_gemm_fp32_fp32", Verdict::Fail));
    assert!(check.value.unwrap().number() < check.limit.unwrap().number());
    let outlier = &fleet.outliers[0];
    assert!(outlier.fails && outlier.side == Side::Slow && outlier.score.unwrap() > outlier.score_limit);
    assert_eq!(fleet.groups[0].score_limit, Some(outlier.score_limit));
    assert!(outlier.score_limit.get() > fleet.outlier_rule.least_score_limit.get(), "twelve devices are few");
    let limit = format!("limit {:.1}", outlier.score_limit.get());
    assert!(check.reason.as_str().ends_with(&limit), "{}", check.reason);
    assert!(slow.reason.as_str().ends_with(&limit), "{}", slow.reason);
    assert!(fleet.reason.as_str().contains("n5: outlier_gemm_fp32"), "{}", fleet.reason);
    assert!(
        site.list("fleet.csv")
            .lines()
            .any(|line| line.starts_with("n5,reported,") && line.contains(",outlier_gemm_fp32_fp32,FAIL,"))
    );
}

#[test]
fn a_fast_device_is_a_finding_and_fails_nobody() {
    let mut rates = noisy(12);
    rates[4] = 1.2 * RATE;
    let site = site(&rates);
    let (code, fleet) = site.verdict("n[1-12]");
    assert_eq!((code, fleet.outliers.len(), fleet.outliers[0].side), (0, 1, Side::Fast));
    assert!(!fleet.outliers[0].fails);
    let (_, stdout, _) = site.collect("n[1-12]", &[]);
    assert!(stdout.contains("outlier: n5 scripted:0 gemm fp32"), "{stdout}");
}

#[test]
fn among_equal_devices_a_difference_that_matters_is_found_and_another_is_not() {
    let mut rates = vec![RATE; 9];
    rates[2] = 0.995 * RATE;
    assert_eq!(site(&rates).verdict("n[1-9]").0, 0);
    rates[2] = 0.95 * RATE;
    let (code, fleet) = site(&rates).verdict("n[1-9]");
    assert_eq!((code, fleet.failing_nodes.as_str(), fleet.outliers[0].score), (1, "n3", None));
}

#[test]
fn of_four_devices_nothing_is_said_and_that_is_said() {
    let (code, fleet) = site(&[RATE, RATE, RATE, 0.5 * RATE]).verdict("n[1-4]");
    assert_eq!((code, fleet.outliers.len()), (0, 0));
    assert_eq!(fleet.groups[0].not_judged.as_deref(), Some("4 devices; of fewer than 5 nothing is said"));
    assert!(fleet.notes.iter().any(|note| note.contains("4 devices")));
}

#[test]
fn devices_of_another_model_or_format_of_sums_are_not_held_against_each_other() {
    let site = site(&noisy(6));
    for name in ["n7", "n8"] {
        site.node(name, |file| {
            rate(file, 0.5 * RATE);
            file["devices"][0]["model"] = json!("Scripted smaller");
        });
    }
    site.node("n9", |file| {
        rate(file, 0.5 * RATE);
        file["devices"][0]["figures"][0]["accumulate"] = json!("fp16");
    });
    let (code, fleet) = site.verdict("n[1-9]");
    assert_eq!((code, fleet.groups.len(), fleet.outliers.len()), (0, 3, 0));
}

#[test]
fn devices_that_failed_are_no_measure_for_the_others() {
    let site = site(&noisy(8));
    for number in 9..=30 {
        site.node(&format!("n{number}"), |file| {
            rate(file, 0.5 * RATE);
            fail(file, "gemm_fp32");
        });
    }
    let (_, fleet) = site.verdict("n[1-30]");
    assert_eq!(
        (fleet.passing_nodes.as_str(), fleet.outliers.len(), fleet.groups[0].devices),
        ("n[1-8]", 0, 8)
    );
}

#[test]
fn where_no_device_passed_an_outlier_is_a_finding_alone() {
    let mut rates = noisy(8);
    rates[3] = 0.5 * RATE;
    let site = Site::new();
    for (number, of_node) in rates.iter().enumerate() {
        site.node(&format!("n{}", number + 1), |file| {
            rate(file, *of_node);
            for part in ["/verdict", "/devices/0/verdict", "/devices/0/checks/0/verdict"] {
                *file.pointer_mut(part).unwrap() = json!("INCONCLUSIVE");
            }
        });
    }
    let (code, fleet) = site.verdict("n[1-8]");
    assert_eq!((code, fleet.outliers.len(), fleet.outliers[0].fails), (3, 1, false));
    assert_eq!(node(&fleet, "n4").verdict, Verdict::Inconclusive);
}

#[test]
fn what_differs_between_nodes_is_a_finding_with_the_usual_value_and_who_has_another() {
    let site = Site::of(9);
    for name in ["n3", "n4"] {
        site.node(name, |file| file["devices"][0]["facts"]["driver"] = json!("2"));
    }
    for name in ["n1", "n2", "n5", "n6", "n7", "n8"] {
        site.node(name, |file| file["devices"][0]["facts"]["driver"] = json!("1"));
    }
    site.node("n9", |file| {
        file["version"] = json!("0.0.9");
        file["devices"][0]["facts"].as_object_mut().unwrap().remove("driver");
    });
    let (code, fleet) = site.verdict("n[1-9]");
    assert_eq!(code, 0, "drift is a finding");
    let of = |fact: &str| fleet.drift.iter().find(|drift| drift.fact == fact).unwrap();
    let usual = of("driver").usual.as_ref().unwrap();
    assert_eq!((usual.value.as_deref(), usual.nodes.as_str()), (Some("1"), "n[1-2,5-8]"));
    let others: Vec<_> = of("driver").others.iter().map(|v| (v.value.as_deref(), v.nodes.as_str())).collect();
    assert_eq!(others, [(Some("2"), "n[3-4]"), (None, "n9")]);
    assert_eq!(of("flopgauge_version").others[0].nodes, "n9");
    let (_, stdout, _) = site.collect("n[1-9]", &[]);
    assert!(stdout.contains("driver: usually 1 (6 nodes); 2 on n[3-4], not told on n9"), "{stdout}");
}

#[test]
fn of_two_equally_common_values_none_is_the_usual_one() {
    let site = Site::of(2);
    site.node("n2", |file| file["version"] = json!("9.9.9"));
    let (_, fleet) = site.verdict("n[1-2]");
    let drift = fleet.drift.iter().find(|drift| drift.fact == "flopgauge_version").unwrap();
    assert_eq!((drift.usual.is_none(), drift.others.len()), (true, 2));
}

#[test]
fn a_node_that_takes_long_is_a_finding() {
    let site = Site::new();
    for number in 1..=8 {
        site.node(&format!("n{number}"), |file| {
            file["started"] = json!("2026-11-24T10:00:00Z");
            let end = if number == 6 { "10:05:00".to_owned() } else { format!("10:01:0{}", number % 3) };
            file["ended"] = json!(format!("2026-11-24T{end}Z"));
        });
    }
    let (code, fleet) = site.verdict("n[1-8]");
    assert_eq!((code, fleet.stragglers.len(), fleet.stragglers[0].node.as_str()), (0, 1, "n6"));
    assert!((fleet.stragglers[0].duration_s.get() - 300.0).abs() < 1e-9);
}

#[test]
fn simulated_nodes_are_labelled_and_pass_only_among_their_like() {
    let simulated = |file: &mut serde_json::Value| {
        file["simulated"] = json!(true);
        file["devices"][0]["kind"] = json!("simulated");
    };
    let site = Site::new();
    (1..=3).for_each(|number| site.node(&format!("n{number}"), simulated));
    let (code, fleet) = site.verdict("n[1-3]");
    assert_eq!((code, fleet.simulated), (0, true));
    assert!(fleet.reason.as_str().contains("no hardware"), "{}", fleet.reason);
    assert!(site.collect("n[1-3]", &[]).1.contains("says nothing of machines"));
    site.node("n1", |_| {});
    let (code, fleet) = site.verdict("n[1-3]");
    assert_eq!(
        (code, fleet.passing_nodes.as_str(), node(&fleet, "n2").verdict),
        (3, "n1", Verdict::Inconclusive)
    );
}

/// What a fleet says of its rates, apart from who has which.
fn said(fleet: &Fleet) -> (Vec<String>, Verdict, String) {
    let mut outliers: Vec<_> =
        fleet.outliers.iter().map(|o| format!("{:?} {:?} {:?}", o.rate_op_per_s, o.side, o.score)).collect();
    outliers.sort();
    (outliers, fleet.verdict, format!("{:?}", fleet.groups))
}

#[test]
fn which_node_has_which_rate_changes_nothing_about_the_outliers() {
    let rates = prop::collection::vec(0.5e12..1.5e12, 5..9);
    let pairs = rates.prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle()));
    proptest!(ProptestConfig::with_cases(8), |((one, other) in pairs)| {
        let list = format!("n[1-{}]", one.len());
        let (first, second) = (site(&one).verdict(&list).1, site(&other).verdict(&list).1);
        prop_assert_eq!(said(&first), said(&second));
        for outlier in &second.outliers {
            let place = other.iter().position(|rate| rate.to_bits() == outlier.rate_op_per_s.get().to_bits());
            prop_assert_eq!(&outlier.node, &format!("n{}", place.unwrap() + 1));
        }
    });
}

#[test]
fn the_floor_of_the_spec_stands_beside_the_limits_of_the_fleet() {
    let (_, fleet) = site(&noisy(8)).verdict("n[1-8]");
    let group = &fleet.groups[0];
    // The spec asks for 0.8 of a peak of 1e12.
    assert_eq!(group.floor_op_per_s.map(|floor| floor.display(false)), Some("800.0 GFLOP/s".to_owned()));
    assert!(group.floor_op_per_s < group.low_limit_op_per_s, "{group:?}");
}

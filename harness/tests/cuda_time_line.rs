//! What happens in the middle of a run on a simulated device: launches from graphs, throttling, a flipped bit.
#![cfg(all(target_os = "linux", feature = "cuda"))]

use std::process::Output;

use serde_json::Value;

use crate::cuda_simulated::{Simulated, device, rates, said};

/// A device of so many operations a second.
fn faster(operations_per_s: &str, faults: &str) -> String {
    let rate = format!("operations-per-s = {operations_per_s}");
    format!("{}{faults}\n", device(0, "8.0").replace("operations-per-s = 1e6", &rate))
}

/// A machine on which one tile of 128 x 128 x 32 takes 10 ms.
fn slow(faults: &str) -> Option<Simulated> {
    Simulated::new(&faster("1e8", faults))
}

const ONE_TILE: [&str; 6] = ["--device", "cuda:0", "--method", "gemm", "--shape", "64,64,32"];

fn measure(machine: &Simulated, precision: &str) -> Output {
    machine.measure(&[&ONE_TILE[..], &["--precision", precision]].concat())
}

fn fault(lines: &str) -> String {
    format!("[[device.fault]]\n{lines}\n")
}

fn findings(row: &Value) -> String {
    row["result"]["findings"].to_string()
}

/// One short product by the double of cuBLASLt, which takes 0.4 ms: a batch has more of them than a graph.
fn short(faults: &str) -> Option<(Simulated, Output)> {
    let libraries = ["libcuda.so", "libnvidia-ml.so.1", "libcublasLt.so.13"];
    let machine = Simulated::with(&faster("6.5e8", faults), &libraries)?;
    let mut command = machine.command(&["measure", "--quick", "--no-progress", "--out", "record"]);
    machine.by_the_loader(&mut command);
    command.args(ONE_TILE).args(["--precision", "bf16", "--implementation", "cublaslt-bf16"]);
    let output = command.output().unwrap();
    Some((machine, output))
}

#[test]
fn short_launches_are_replayed_from_graphs_counted_once_each_and_fail_as_others_do() {
    let Some((machine, output)) = short("") else { return };
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let record = machine.record();
    let launches = machine.launches();
    let replayed = launches.iter().filter(|launch| launch["graph"] == true).count();
    let told = findings(&record[0]);
    assert!(told.contains("were replayed from graphs of 30"), "{told}");
    assert!(replayed >= 30 && replayed % 30 == 0, "{replayed} of {}", launches.len());
    // A replay that is counted twice, or not, would show.
    let rate = rates(&record)[0].2;
    assert!((rate / 6.5e8 - 1.0).abs() < 1e-4, "{rate}");
    let tenth = launches.iter().position(|launch| launch["graph"] == true).unwrap() + 10;
    for (kind, words) in [
        ("launch-refused", "replaying: DriverError(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"),
        ("launch-failed", "CUDA_ERROR_LAUNCH_FAILED"),
    ] {
        let Some((machine, output)) = short(&fault(&format!("kind = '{kind}'\nfrom = {tenth}"))) else {
            return;
        };
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let result = &machine.record()[0]["result"];
        assert_eq!(result["outcome"], "failed", "{result}");
        assert!(result["error"].to_string().contains(words), "{result}");
        // What was done is counted: none of a graph that was refused, nine of one that failed.
        let done = machine.launches().iter().filter(|launch| launch["graph"] == true).count();
        assert_eq!(done, if kind == "launch-failed" { 9 } else { 0 });
    }
}

/// Launches of the first of two cases, and of both, where nothing goes wrong.
fn undisturbed() -> Option<(u64, u64)> {
    let machine = slow("")?;
    let output = measure(&machine, "bf16,int8");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let record = machine.record();
    assert!(record.iter().all(|row| row["result"]["moving"] == serde_json::json!([])), "{}", said(&output));
    assert!(!record.iter().map(findings).any(|text| text.contains("throttl")), "{}", said(&output));
    let launches = machine.launches();
    let of =
        |kind: &str| launches.iter().filter(|launch| !launch["operations"][kind].is_null()).count() as u64;
    Some((of("mma.bf16"), of("mma.bf16") + of("mma.s8")))
}

#[test]
fn throttling_in_the_middle_of_a_case_is_told_is_no_plateau_and_leaves_the_case_before_it_alone() {
    let Some((first, both)) = undisturbed() else { return };
    let case = both - first;
    // At 71 % of a case its last windows of heat are under way; at 30 % there is time to settle anew.
    for (percent, settles) in [(30, true), (71, false)] {
        let from = first + case * percent / 100;
        let throttle =
            format!("kind = 'throttle'\nfrom = {from}\nonwards = true\nvalue = 64\nslowdown = 1.5");
        let Some(machine) = slow(&fault(&throttle)) else { return };
        let output = measure(&machine, "bf16,int8");
        let text = said(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        let record = machine.record();
        let (before, throttled) = (&record[0], &record[1]);
        assert_eq!(before["result"]["moving"], serde_json::json!([]), "{before}");
        assert!(!findings(before).contains("throttl"), "{before}");
        assert!(
            findings(throttled).contains("the device reported throttling while it was sampled"),
            "{text}"
        );
        let moving = throttled["result"]["moving"].to_string();
        assert_eq!(moving == "[]", settles, "from {from} of {first} and {case}: {moving}");
        assert!(settles || moving.contains("throughput") && moving.contains("clock"), "{moving}");
        assert!(settles || text.contains("not steady"), "{text}");
        // The rate is that of the samples, two thirds of the one before for equal work and twice the K of a tile.
        let rates = rates(&record);
        assert!((rates[1].2 / rates[0].2 - 1.0 / 3.0).abs() < 0.05, "{rates:?}");
    }
}

#[test]
fn a_bit_flipped_in_the_one_launch_whose_values_are_read_is_silent_corruption() {
    let Some((first, _)) = undisturbed() else { return };
    // The last five of a case: two runs that must agree, and small integers, of which the last launch counts.
    let mut told = Vec::new();
    for before_last in 0..5 {
        let flip = format!("kind = 'flipped-bit'\nfrom = {}", first - before_last);
        let Some(machine) = slow(&fault(&flip)) else { return };
        let output = measure(&machine, "bf16");
        let result = &machine.record()[0]["result"];
        match output.status.code() {
            Some(1) => {
                assert_eq!(result["outcome"], "failed", "{result}");
                told.push(result["error"].as_str().unwrap_or_default().to_owned());
            }
            code => assert_eq!((code, &result["outcome"]), (Some(0), &Value::from("measured")), "{result}"),
        }
    }
    let repeats = told.iter().filter(|text| text.contains("two runs on equal inputs gave different bits"));
    assert_eq!((repeats.count(), told.len()), (2, 3), "{told:?}");
    assert!(told.iter().any(|text| text.contains("row 0 of C: A(Bx) - Cx")), "{told:?}");
}

#[test]
fn bits_that_flip_from_the_middle_of_a_sustained_run_on_are_found_and_the_case_before_is_kept() {
    let Some((first, both)) = undisturbed() else { return };
    let flip = format!("kind = 'flipped-bit'\nfrom = {}\nonwards = true", (first + both) / 2);
    let Some(machine) = slow(&fault(&flip)) else { return };
    let output = measure(&machine, "bf16,int8");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let record = machine.record();
    assert_eq!(record[0]["result"]["outcome"], "measured", "{}", said(&output));
    assert_eq!(record[1]["result"]["outcome"], "failed", "{}", said(&output));
    // Every run is wrong in the same bit: only what the values must be tells it.
    assert!(record[1]["result"]["error"].to_string().contains("A(Bx) - Cx"), "{}", record[1]);
}

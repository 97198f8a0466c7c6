//! What goes wrong on one device of several: the outcome, the words, the exit code, and what the others keep.
#![cfg(all(target_os = "linux", feature = "cuda"))]

use std::process::Output;

use serde_json::Value;

use crate::cuda_simulated::{ONE_TILE, Simulated, device, said};

/// Two devices, of which the second has this fault; both are measured.
fn beside(fault: &str) -> Option<(Simulated, Output)> {
    let machine = Simulated::new(&format!("{}{}{fault}\n", device(0, "8.0"), device(1, "8.0")))?;
    let output = machine.measure(&[&["--device", "cuda:0", "--device", "cuda:1"][..], &ONE_TILE].concat());
    Some((machine, output))
}

/// The result of this device's one case.
fn result(machine: &Simulated, id: &str) -> Value {
    let mut rows = machine.record().into_iter().filter(|row| row["device"]["id"] == id);
    let row = rows.next().unwrap();
    assert!(rows.next().is_none());
    row["result"].clone()
}

/// Holds that the first device was measured, and gives the second one's outcome and the whole text.
fn second(fault: &str, code: i32) -> Option<(Value, String)> {
    let (machine, output) = beside(fault)?;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_eq!(result(&machine, "cuda:0")["outcome"], "measured", "{text}");
    Some((result(&machine, "cuda:1"), text))
}

/// A fault that makes the case fail, with these words.
fn fails(fault: &str, words: &str) {
    let Some((result, text)) = second(&format!("[[device.fault]]\n{fault}"), 1) else { return };
    assert_eq!(result["outcome"], "failed", "{result}\n{text}");
    assert!(result.to_string().contains(words), "{result}\n{text}");
}

#[test]
fn without_a_fault_both_devices_are_measured() {
    let Some((result, text)) = second("", 0) else { return };
    assert_eq!(result["outcome"], "measured", "{text}");
}

#[test]
fn a_launch_that_is_refused_fails_its_case() {
    fails("kind = 'launch-refused'\nfrom = 3", "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES");
}

#[test]
fn a_launch_that_fails_fails_its_case() {
    fails("kind = 'launch-failed'\nfrom = 3", "CUDA_ERROR_LAUNCH_FAILED");
}

#[test]
fn an_illegal_address_fails_its_case() {
    fails("kind = 'illegal-address'\nfrom = 12", "CUDA_ERROR_ILLEGAL_ADDRESS");
}

#[test]
fn a_lost_device_fails_its_case() {
    fails("kind = 'lost'\nfrom = 12", "CUDA_ERROR_UNKNOWN");
}

#[test]
fn a_bit_flipped_in_one_output_fails_its_case() {
    fails("kind = 'flipped-bit'\nfrom = 1\nonwards = true", "");
}

#[test]
fn a_nan_in_one_output_fails_its_case() {
    fails("kind = 'nan'\nfrom = 1\nonwards = true", "NaN");
}

#[test]
fn memory_that_is_short_skips_the_case_and_says_how_much_was_needed() {
    let Some((result, text)) =
        second("[[device.fault]]\nkind = 'out-of-memory'\nfrom = 1\nonwards = true", 3)
    else {
        return;
    };
    assert_eq!(result["outcome"], "skipped", "{result}\n{text}");
    assert!(result.to_string().contains("needs 16.75 KiB"), "{result}\n{text}");
}

#[test]
fn memory_errors_that_are_counted_meanwhile_are_a_finding() {
    let Some((result, text)) = second("[[device.fault]]\nkind = 'ecc'\nfrom = 12\nvalue = 3", 0) else {
        return;
    };
    assert!(text.contains("3 uncorrected memory errors while measuring"), "{result}\n{text}");
}

#[test]
fn a_device_that_hangs_is_failed_and_the_other_one_is_kept() {
    let Some(machine) = Simulated::new(&format!(
        "{}{}[[device.fault]]\nkind = 'hang'\nfrom = 12\n",
        device(0, "8.0"),
        device(1, "8.0")
    )) else {
        return;
    };
    let devices = ["--device", "cuda:1", "--device", "cuda:0", "--stall-limit", "6"];
    let output = machine.measure(&[&devices[..], &ONE_TILE].concat());
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(result(&machine, "cuda:0")["outcome"], "measured", "{text}");
    let hung = result(&machine, "cuda:1");
    assert_eq!(hung["outcome"], "failed", "{text}");
    assert!(hung.to_string().contains("no sign of life for"), "{hung}");
}

#[test]
fn throttling_is_seen_on_the_device_that_it_befalls() {
    let fault = "[[device.fault]]\nkind = 'throttle'\nfrom = 1\nonwards = true\nvalue = 64\nslowdown = 1.5";
    let Some((result, text)) = second(fault, 0) else { return };
    assert!(result["findings"].to_string().contains("the device reported throttling"), "{result}\n{text}");
}

#[test]
fn a_driver_that_is_too_old_is_named_with_what_is_needed() {
    let Some(machine) = Simulated::new(&format!("cuda = '11.8'\n{}", device(0, "8.0"))) else { return };
    let output = machine.measure(&["--device", "cuda:0"]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("supports CUDA 11.8 and flopgauge needs 12.0 or newer"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_driver_older_than_the_compiler_refuses_its_code_in_words() {
    let Some(machine) = Simulated::new(&format!("cuda = '13.0'\n{}", device(0, "8.0"))) else { return };
    let output = machine.measure_one_tile();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("CUDA_ERROR_UNSUPPORTED_PTX_VERSION"), "{}", said(&output));
}

#[test]
fn visible_devices_are_renumbered_and_keep_their_own_sensors() {
    let sensors =
        |degrees| format!("[device.sensors]\ntemperature-c = {degrees}\npower-limit-w = {degrees}00\n");
    let all: String = (0..4).map(|n| device(n, "8.0") + &sensors(n + 1)).collect();
    let Some(machine) = Simulated::new(&all) else { return };
    let mut command = machine.command(&["devices", "--backend", "cuda", "--json"]);
    let output = command.env("CUDA_VISIBLE_DEVICES", "2,3").output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = found.to_string();
    for (id, number) in [("cuda:0", 2), ("cuda:1", 3)] {
        let devices = found["devices"].as_array().unwrap();
        let device = devices.iter().find(|device| device["id"] == id).expect(id);
        assert_eq!(device["uuid"], format!("51a51a51-0000-4000-8000-00000000000{number}"), "{text}");
        // NVML's order is the reverse and knows all four: an index taken for a UUID would read another's limit.
        assert!(device["notes"].to_string().contains(&format!("power limit {}00 W", number + 1)), "{device}");
    }
    assert!(!text.contains("cuda:2"), "{text}");
}

#[test]
fn an_instance_of_a_partitioned_device_says_that_it_has_no_sensors_of_its_own() {
    let Some(machine) = Simulated::new(&format!("{}mig = true\n", device(0, "8.0"))) else { return };
    let output = machine.measure_one_tile();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let row = &machine.record()[0];
    assert!(
        row["device"]["notes"].to_string().contains("power limit: not told"),
        "{}",
        row["device"]["notes"]
    );
}

#[test]
fn a_device_that_is_not_visible_is_not_there() {
    let Some(machine) = Simulated::new(&device(0, "8.0")) else { return };
    let mut command = machine.command(&["measure", "--device", "cuda:0", "--out", "record"]);
    let output = command.env("CUDA_VISIBLE_DEVICES", "5").output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("CUDA_VISIBLE_DEVICES"), "{}", said(&output));
}

//! What NVML tells of a simulated device, item by item: into the device's notes, the readings of every case, the findings.
#![cfg(all(target_os = "linux", feature = "cuda"))]

use serde_json::Value;

use crate::cuda_simulated::{Simulated, device, said};

/// The record's one row of a small product on a device with these sensors and faults.
fn measured(sensors: &str) -> Option<(Value, String)> {
    let machine = Simulated::new(&format!("{}[device.sensors]\n{sensors}\n", device(0, "8.0")))?;
    let of = ["--device", "cuda:0", "--precision", "bf16", "--method", "gemm", "--shape", "64,64,64"];
    let output = machine.measure(&of);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let mut rows = machine.record();
    assert_eq!(rows.len(), 1);
    Some((rows.remove(0), said(&output)))
}

#[test]
fn settings_and_counters_before_the_run_are_notes_of_the_device() {
    let sensors = "power-limit-w = 350\npersistence = false\necc = true\npartitioned = true\n\
                   vbios = '96.00.A5.00.01'\nremapped-rows = 2";
    let Some((row, text)) = measured(sensors) else { return };
    let notes = row["device"]["notes"].to_string();
    for note in [
        "power limit 350 W",
        "persistence mode off",
        "ECC on",
        "MIG on",
        "VBIOS 96.00.A5.00.01",
        "0 uncorrected memory errors since the driver was loaded; 2 memory rows remapped",
    ] {
        assert!(notes.contains(note), "{note}: {notes}\n{text}");
    }
}

#[test]
fn what_is_read_while_a_case_runs_stands_in_its_series() {
    let sensors = "temperature-c = 61\npower-w = 222\nthrottle = 4\nforeign-processes = [1048576, 2097152]";
    let Some((row, text)) = measured(sensors) else { return };
    let series = &row["result"]["windows"];
    let first = series.as_array().and_then(|windows| windows.first()).unwrap_or(&Value::Null);
    let read = &first["conditions"];
    for (item, value) in [
        ("clock_hz", 666e6),
        ("memory_clock_hz", 1e9),
        ("power_w", 222.0),
        ("temperature_c", 61.0),
        ("throttle", 4.0),
        ("foreign_processes", 2.0),
        ("foreign_memory_bytes", 3_145_728.0),
    ] {
        assert_eq!(read[item].as_f64(), Some(value), "{item}: {first}\n{text}");
    }
}

#[test]
fn a_list_of_processes_without_this_one_says_nothing_of_others() {
    let Some((row, text)) = measured("walled = true") else { return };
    assert!(!row["result"].to_string().contains("foreign_processes"), "{row}\n{text}");
}

#[test]
fn rows_remapped_meanwhile_and_other_processes_are_findings() {
    let fault = "foreign-processes = [1048576]\n[[device.fault]]\nkind = 'remap'\nfrom = 8\nvalue = 2";
    let Some((_, text)) = measured(fault) else { return };
    assert!(text.contains("2 memory rows were remapped meanwhile"), "{text}");
    assert!(text.contains("1 other process uses the device, with 1.000 MiB of its memory"), "{text}");
}

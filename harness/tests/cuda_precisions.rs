//! Rates and products of the precisions through the binary, on a simulated device of each family: what is counted is
//! what is executed, and every value is verified.
#![cfg(all(target_os = "linux", feature = "cuda"))]

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cuda_simulated::{Simulated, device, rates, said};

/// Measures on a device of this capability. The device takes one second for a million executed operations: a rate of a
/// million counted ones says that what is counted is what is executed.
fn executes_what_it_counts(capability: &str, arguments: &[&str], names: &[&str]) {
    let found = measured(capability, &[&["--shape", "128,256,64"][..], arguments].concat());
    let Some((machine, rates)) = found else { return };
    for (method, name, rate) in &rates {
        assert!((rate / 1e6 - 1.0).abs() < 1e-5, "{method} {name} on {capability}: {rate}");
    }
    holds(capability, &rates, names);
    let launches = machine.launches();
    let operations = |launch: &Value| launch["operations"].as_object().unwrap().len();
    assert!(launches.len() > rates.len() && launches.iter().all(|launch| operations(launch) == 1));
}

/// Products with nothing whole, whose rates are those of the tiles around them and lower.
fn multiplies_ragged(capability: &str, arguments: &[&str], names: &[&str]) {
    let shape = ["--method", "gemm", "--shape", "67,91,83"];
    let Some((_, rates)) = measured(capability, &[&shape[..], arguments].concat()) else { return };
    assert!(rates.iter().all(|(_, _, rate)| (1e3..1e6).contains(rate)), "{rates:?}");
    holds(capability, &rates, names);
}

type Rates = Vec<(String, String, f64)>;

fn measured(capability: &str, arguments: &[&str]) -> Option<(Simulated, Rates)> {
    let machine = Simulated::new(&device(0, capability))?;
    let output = machine.measure(&[&["--device", "cuda:0"][..], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let rates = rates(&machine.record());
    Some((machine, rates))
}

/// These rows and no others were measured, or tried where another was faster.
fn holds(capability: &str, rates: &Rates, names: &[&str]) {
    let found: BTreeSet<&str> = rates.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(found, names.iter().copied().collect(), "on {capability}");
}

#[test]
fn turing() {
    executes_what_it_counts(
        "7.5",
        &["--method", "issue,gemm", "--precision", "fp32,int8"],
        &["fma-fp32", "flopgauge-simt-fp32", "mma-int8-k16"],
    );
}

#[test]
fn ampere_and_ada() {
    let both = ["--method", "issue,gemm", "--precision"];
    executes_what_it_counts(
        "8.0",
        &[&both[..], &["fp64,fp32,tf32,int8,int4"]].concat(),
        &[
            "fma-fp64",
            "flopgauge-simt-fp64",
            "fma-fp32",
            "flopgauge-simt-fp32",
            "mma-tf32",
            "flopgauge-mma-tf32",
            "mma-int8",
            "flopgauge-mma-int8",
            "mma-int4",
        ],
    );
    executes_what_it_counts("8.0", &["--method", "issue", "--implementation", "mma-bf16"], &["mma-bf16"]);
    executes_what_it_counts("8.6", &["--method", "issue", "--implementation", "fma-fp16x2"], &["fma-fp16x2"]);
    executes_what_it_counts(
        "8.9",
        &["--method", "gemm", "--precision", "fp16,fp8e4m3,fp8e5m2"],
        &["flopgauge-mma-fp16", "flopgauge-mma-fp8e4m3", "flopgauge-mma-fp8e5m2"],
    );
    executes_what_it_counts(
        "8.9",
        &["--method", "issue", "--implementation", "mma-fp8e4m3"],
        &["mma-fp8e4m3"],
    );
    multiplies_ragged(
        "8.0",
        &["--precision", "fp64,fp32,tf32,bf16,fp16,int8"],
        &[
            "flopgauge-simt-fp64",
            "flopgauge-simt-fp32",
            "flopgauge-mma-tf32",
            "flopgauge-mma-bf16",
            "flopgauge-mma-fp16",
            "flopgauge-mma-int8",
        ],
    );
    multiplies_ragged("8.9", &["--precision", "fp8e4m3", "--layout", "tn"], &["flopgauge-mma-fp8e4m3"]);
}

#[test]
fn hopper() {
    executes_what_it_counts("9.0", &["--method", "issue", "--implementation", "wgmma-bf16"], &["wgmma-bf16"]);
    executes_what_it_counts(
        "9.0",
        &["--method", "gemm", "--implementation", "flopgauge-wgmma-bf16"],
        &["flopgauge-wgmma-bf16"],
    );
    for layout in ["nn", "tn"] {
        multiplies_ragged(
            "9.0",
            &["--implementation", "flopgauge-wgmma-bf16", "--layout", layout],
            &["flopgauge-wgmma-bf16"],
        );
    }
}

#[test]
fn blackwell() {
    executes_what_it_counts(
        "10.0",
        &["--method", "issue", "--implementation", "tcgen05-mxfp4"],
        &["tcgen05-mxfp4"],
    );
    executes_what_it_counts("10.0", &["--method", "gemm", "--precision", "tf32"], &["flopgauge-mma-tf32"]);
    executes_what_it_counts("12.0", &["--method", "issue", "--implementation", "mma-mxfp4"], &["mma-mxfp4"]);
    executes_what_it_counts("12.0", &["--method", "gemm", "--precision", "fp6"], &["flopgauge-mma-fp6e3m2"]);
    multiplies_ragged("12.0", &["--precision", "fp6,int8"], &["flopgauge-mma-fp6e3m2", "flopgauge-mma-int8"]);
}

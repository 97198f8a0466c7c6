//! Products whose operands carry a scale for each block, by cuBLASLt's double: the one place where these rows run without
//! a device. The double reads scales by the documented layout, and fails on one that is not zero beyond the operands.
#![cfg(all(target_os = "linux", feature = "cuda"))]

use crate::cuda_simulated::{Simulated, device, said};

/// The record's one row: this implementation and format on a device of this capability.
fn measured(
    capability: &str,
    [implementation, precision]: [&str; 2],
    shape: &str,
) -> Option<serde_json::Value> {
    let machine = Simulated::with(&device(0, capability), &["libcuda.so", "libcublasLt.so.13"])?;
    let mut command = machine.command(&["measure", "--quick", "--no-progress", "--out", "record"]);
    machine.by_the_loader(&mut command);
    command.args(["--device", "cuda:0", "--method", "gemm", "--implementation", implementation]);
    command.args(["--precision", precision]);
    let output = command.args(["--shape", shape]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let mut rows = machine.record();
    assert_eq!(rows.len(), 1, "{}", said(&output));
    let launches = machine.launches();
    assert!(launches.iter().filter(|launch| launch["kernel"] == "cublasLtMatmul").count() > 4);
    let row = rows.remove(0);
    assert_eq!(row["result"]["outcome"], "measured", "{row}\n{}", said(&output));
    Some(row)
}

fn verified(capability: &str, implementation: &str, precision: &str) {
    // One tile of scales that no operand fills; and several, in both directions, of which the last are not filled.
    for shape in ["64,48,80", "136,40,200"] {
        let Some(row) = measured(capability, [implementation, precision], shape) else { return };
        let result = &row["result"];
        let checks = result["checks"].as_array().unwrap();
        assert!(!checks.is_empty() && checks.iter().all(|check| check["passed"] == true), "{result}");
        let made = &result["implementation"];
        assert_eq!(
            (made["name"].as_str(), made["accumulate"].as_str()),
            (Some(implementation), Some("fp32"))
        );
        assert_eq!(row["request"]["precision"], precision, "{row}");
        assert!(made["detail"].as_str().unwrap().contains("every block's scale is one"), "{made}");
        let extents: Vec<u64> = shape.split(',').map(|extent| extent.parse().unwrap()).collect();
        let operations = (2 * extents.iter().product::<u64>()).to_string();
        assert_eq!(result["ops_per_iteration"], operations, "padding is counted");
        assert!(result["findings"].to_string().contains("with zeros around it that are not counted"));
    }
}

#[test]
fn mxfp8_on_sm_100a_is_verified() {
    verified("10.0", "cublaslt-mxfp8", "fp8e4m3");
}

#[test]
fn mxfp8_on_sm_120a_is_verified() {
    verified("12.0", "cublaslt-mxfp8", "fp8e4m3");
}

#[test]
fn nvfp4_on_sm_100a_is_verified() {
    verified("10.0", "cublaslt-nvfp4", "fp4");
}

#[test]
fn nvfp4_on_sm_120a_is_verified() {
    verified("12.0", "cublaslt-nvfp4", "fp4");
}

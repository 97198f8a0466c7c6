//! Other versions of Mesa beside the system's, as `harness/tests/mesa` unpacks them: each test starts itself again on
//! one of them.

use std::path::Path;
use std::process::Command;

use flopgauge::backend::wgpu::{Kernel, counts};
use flopgauge::backend::{Output as Values, Search, open};
use flopgauge::measure::verify;
use flopgauge::precision::Accumulate;
use flopgauge::workload::{Case, Layout, Method, Work};

use super::counts::is_right;
use super::{COOPERATIVE, agrees};

/// Set in the process that runs on another Mesa.
const INNER: &str = "FLOPGAUGE_TEST_ON_MESA";

/// What the named test said on a version of Mesa; `None` where that is not unpacked.
fn on_mesa(version: &str, test: &str) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/mesa{version}/run"));
    if !script.is_file() {
        let what = format!("Mesa {version} (bash harness/tests/mesa {version}), for {test},");
        crate::filing_readers::skip(&format!("FLOPGAUGE_REQUIRE_MESA{version}"), &what);
        return None;
    }
    let mut command = Command::new(script);
    command.arg(std::env::current_exe().unwrap()).args(["--exact", "--nocapture"]);
    command.arg(format!("wgpu::mesa::{test}")).env(INNER, version).env("FLOPGAUGE_REQUIRE_VULKAN", "1");
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    println!("{said}");
    assert!(ran.status.success() && said.contains("1 passed"), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(said)
}

/// Compiling takes most of the time; a transposed A is tried in one format.
fn wide(accumulate: Accumulate) -> bool {
    accumulate == Accumulate::Fp32
}

fn inside() -> bool {
    std::env::var_os(INNER).is_some()
}

#[test]
fn cooperative_matrices_agree_with_the_reference_and_their_counts() {
    if !inside() {
        let Some(said) = on_mesa("26", "cooperative_matrices_agree_with_the_reference_and_their_counts")
        else {
            return;
        };
        assert!(said.contains("ran: 8x8 fp16 -> fp32") && said.contains("ran: 8x8 fp16 -> fp16"), "{said}");
        return;
    }
    let mut backend = open(&Search::default(), "wgpu:0").unwrap();
    println!("on {}", backend.device().driver.as_deref().unwrap_or_default());
    let rows = backend.implementations().to_vec();
    for row in rows.iter().filter(|row| row.name.contains("coop")) {
        if row.method == Method::Gemm {
            agrees(
                backend.as_mut(),
                row,
                if wide(row.accumulate) { &[Layout::Nn, Layout::Tn] } else { &[Layout::Nn] },
            );
            continue;
        }
        let (implementation, precision, accumulate) = (row.name.clone(), row.precision, row.accumulate);
        let case = Case { implementation, precision, accumulate, work: Work::Issue };
        let mut loaded = backend.load(&case).unwrap();
        for iterations in [1, 997] {
            loaded.run(iterations).unwrap();
            let Values::Accumulators { values, expected, steps } = loaded.output().unwrap() else { panic!() };
            verify::accumulators(&values, &expected, steps).unwrap();
        }
    }
    let wanted =
        |kernel: &Kernel, layout| kernel.size > 0 && (layout == Layout::Nn || wide(kernel.accumulate));
    let counted = counts("wgpu:0", wanted).unwrap();
    counted.iter().for_each(is_right);
    for (size, precision, accumulate) in COOPERATIVE {
        let of = |count: &&flopgauge::backend::wgpu::Count| {
            (count.kernel.size, count.kernel.precision, count.kernel.accumulate)
                == (size, precision, accumulate)
        };
        let word = match counted.iter().filter(of).count() {
            0 => "left out, for this driver does not list it",
            _ => "ran",
        };
        println!("{word}: {size}x{size} {precision} -> {accumulate}");
    }
}

#[test]
fn mesa_22_which_ends_loops_after_65535_trips_is_found_out_and_refused() {
    if inside() {
        let refused = open(&Search::default(), "wgpu:0").map(|backend| backend.device().clone());
        println!("refused: {}", refused.unwrap_err());
        return;
    }
    if let Some(said) = on_mesa("22", "mesa_22_which_ends_loops_after_65535_trips_is_found_out_and_refused") {
        assert!(said.contains("refused: wgpu:0: the driver ends loops early: 6553"), "{said}");
    }
}

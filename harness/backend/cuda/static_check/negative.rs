//! The check must be able to fail: each of these is wrong in one place, and is found.

use super::super::rows::{Form, Row, TARGETS, Target, row};
use super::tools::Tools;
use super::{Finding, judge};
use crate::workload::Layout;

fn on(capability: u32) -> &'static Target {
    TARGETS.iter().find(|target| target.capability == capability).unwrap()
}

/// Compiles `row` with changed options and judges the outcome by the row as it was.
fn judged(tools: &Tools, row: &Row, capability: u32, change: impl Fn(String) -> String) -> Finding {
    let target = on(capability);
    let options: Vec<String> = row.options(target, Layout::Nn).into_iter().map(change).collect();
    let (compiled, sass) = tools.build(&row.source, &options);
    judge(row, target, row.name, &compiled, &sass)
}

/// A constant that only the kernel gets.
fn constant<'a>(name: &'a str, value: &'a str) -> impl Fn(String) -> String + 'a {
    let start = format!("-D{name}=");
    move |option| if option.starts_with(&start) { format!("{start}{value}") } else { option }
}

fn complaint(finding: &Finding) -> String {
    assert!(!finding.wrong.is_empty(), "{} on {} passed", finding.kernel, finding.target);
    finding.wrong.join("; ")
}

#[test]
fn a_constant_changed_on_one_side_is_found() {
    for tools in Tools::find() {
        for (name, capability, changed, value) in [
            ("fma-fp32", 90, "UNROLL", "7"),
            ("fma-fp16x2", 80, "CHAINS", "4"),
            ("mma-bf16", 80, "UNROLL", "3"),
            ("mma-bf16", 120, "B_TILES", "2"),
            ("wgmma-bf16", 90, "UNROLL", "4"),
            ("tcgen05-tf32", 100, "UNROLL", "4"),
            ("tcgen05-bf16", 100, "KIND", "\"kind::tf32\""),
        ] {
            let found = judged(&tools, row(name).unwrap(), capability, constant(changed, value));
            let text = complaint(&found);
            assert!(text.contains("accounted"), "{name} {changed}={value}: {text}");
        }
    }
}

#[test]
fn another_tile_of_a_product_is_found() {
    for tools in Tools::find() {
        let row = row("flopgauge-mma-bf16").unwrap();
        let text = complaint(&judged(&tools, row, 80, constant("BLOCK_K", "64")));
        assert!(text.contains("accounted"), "{text}");
    }
}

#[test]
fn fp8_that_the_compiler_emulates_is_found() {
    for tools in Tools::find() {
        for name in ["mma-fp8e4m3", "mma-fp8e5m2", "mma-fp8e4m3-acc16"] {
            for capability in [90, 100] {
                let found = judged(&tools, row(name).unwrap(), capability, |option| option);
                let text = complaint(&found);
                assert!(text.contains("is not QMMA"), "{name} on {capability}: {text}");
            }
        }
    }
}

#[test]
fn four_bit_integers_that_a_routine_emulates_are_found() {
    for tools in Tools::find() {
        complaint(&judged(&tools, row("mma-int4").unwrap(), 90, |option| option));
    }
}

#[test]
fn another_instruction_of_equal_work_is_found() {
    for tools in Tools::find() {
        let swap = |option: String| option.replace(".bf16.bf16.", ".f16.f16.");
        let text = complaint(&judged(&tools, row("mma-bf16").unwrap(), 80, swap));
        assert!(text.contains("HMMA.16816.F32 is not HMMA.16816.F32.BF16"), "{text}");
    }
}

#[test]
fn spilled_registers_are_found() {
    for tools in Tools::find() {
        let target = on(80);
        let row = row("mma-bf16").unwrap();
        let mut options = row.options(target, Layout::Nn);
        options.push("--maxrregcount=32".to_owned());
        // The bound in the source outweighs the option, so that it must go.
        let source = super::super::rows::Source { text: UNBOUNDED.as_str(), ..row.source };
        let (compiled, sass) = tools.build(&source, &options);
        let text = complaint(&judge(row, target, row.name, &compiled, &sass));
        assert!(text.contains("spilled"), "{text}");
    }
}

static UNBOUNDED: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    row("mma-bf16").unwrap().source.text.replace("__launch_bounds__(THREADS)", "")
});

#[test]
fn a_row_with_fewer_registers_than_the_kernel_takes_is_found() {
    for tools in Tools::find() {
        let row = Row { registers: 40, ..*row("mma-bf16").unwrap() };
        let text = complaint(&judged(&tools, &row, 80, |option| option));
        assert!(text.contains("registers, at most 40"), "{text}");
    }
}

#[test]
fn a_row_that_counts_other_work_than_its_kernel_does_is_found() {
    for tools in Tools::find() {
        let row = row("tcgen05-tf32").unwrap();
        let Form::Tcgen05(form) = row.form else { panic!("tcgen05-tf32 is no tcgen05 row") };
        let target = on(100);
        let (compiled, sass) = tools.build(&row.source, &row.options(target, Layout::Nn));
        let double = Row { form: Form::Tcgen05(super::Tcgen05 { k: form.k * 2, ..form }), ..*row };
        let text = complaint(&judge(&double, target, row.name, &compiled, &sass));
        assert!(text.contains("accounted"), "{text}");
    }
}

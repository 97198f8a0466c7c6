//! Proof without a device: every kernel, compiled for every architecture of its row by the real compiler, contains in
//! its loop the operations that the row counts, of the instruction meant, and nothing spills.

mod negative;
mod sass;
mod table;
mod tools;

use std::collections::BTreeMap;

use sass::Program;
use tools::Tools;

use super::kernel::CHECKED;
use super::nvrtc::Compiled;
use super::rows::{COPY, Form, GemmEngine, ROWS, Row, TARGETS, Target, Tcgen05};
use crate::device::Unit;
use crate::workload::{Layout, Method};

/// One kernel as it came out for one architecture.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    kernel: String,
    target: &'static str,
    instructions: BTreeMap<String, usize>,
    operations: u64,
    accounted: u64,
    loop_length: usize,
    registers: u32,
    spilled: u32,
    hash: String,
    wrong: Vec<String>,
}

/// Instructions that a loop of matrix instructions has no business with: conversions and sums of an emulation.
const EMULATION: [&str; 6] = ["F2FP", "FADD", "HADD2", "FMUL", "I2F", "F2F"];

/// Compares machine code with its row.
fn judge(row: &Row, target: &'static Target, name: &str, compiled: &Compiled, sass: &str) -> Finding {
    let program = Program::parse(sass, row.source.entry);
    let expected = row.hot_loop(target);
    let mut wrong = Vec::new();
    let mut finding = Finding {
        kernel: name.to_owned(),
        target: target.name,
        instructions: BTreeMap::new(),
        operations: 0,
        accounted: expected.operations,
        loop_length: 0,
        registers: compiled.registers().unwrap_or(u32::MAX),
        spilled: compiled.spill_bytes().unwrap_or(u32::MAX),
        hash: compiled.cubin_hash(),
        wrong: Vec::new(),
    };
    let each = matrix_step(row, &compiled.ptx);
    match program.hot_loop(each) {
        Ok(range) => {
            let hot = &program.instructions[range.clone()];
            for instruction in hot.iter().filter(|i| i.operations(each) > 0) {
                *finding.instructions.entry(instruction.mnemonic.clone()).or_insert(0) += 1;
            }
            finding.operations = hot.iter().map(|i| i.operations(each)).sum();
            finding.loop_length = hot.iter().filter(|i| !i.is_filler()).count();
            let inside: usize = finding.instructions.values().sum();
            let everywhere = program.instructions.iter().filter(|i| i.operations(each) > 0).count();
            // A product's last trip may stand after the loop.
            if inside != everywhere && row.method == Method::Issue {
                wrong.push(format!("{everywhere} multiply-accumulates in all, {inside} of them in the loop"));
            }
            let emulated = |mnemonic: &str| EMULATION.iter().any(|bad| mnemonic.starts_with(bad));
            if row.unit == Unit::Matrix {
                let foreign = hot.iter().filter(|i| emulated(&i.mnemonic) || program.calls(i, &range));
                wrong.extend(foreign.map(|i| format!("{} in the loop", i.text)));
            }
        }
        Err(reason) => wrong.push(reason),
    }
    if finding.operations != finding.accounted {
        wrong.push(format!("{} operations in the loop, {} accounted", finding.operations, finding.accounted));
    }
    for mnemonic in finding.instructions.keys().filter(|m| !is_meant(m, expected.instruction)) {
        wrong.push(format!("{mnemonic} is not {}", expected.instruction));
    }
    if finding.loop_length > expected.longest {
        wrong.push(format!("{} instructions in the loop, at most {}", finding.loop_length, expected.longest));
    }
    if finding.registers > row.registers {
        wrong.push(format!("{} registers, at most {}", finding.registers, row.registers));
    }
    let local = program.instructions.iter().filter(|i| i.is_local()).count();
    if finding.spilled > 0 || local > 0 {
        wrong.push(format!("{} bytes spilled, {local} accesses to local memory", finding.spilled));
    }
    if compiled.log.contains("erializ") {
        wrong.push(format!("the assembler serialises: {}", compiled.log));
    }
    finding.wrong = wrong;
    finding
}

/// Whether a mnemonic is the one meant: it, or it with further qualifiers.
fn is_meant(mnemonic: &str, meant: &str) -> bool {
    // HMMA.16816.F32 is fp16 alone: bfloat16 has one more qualifier, and so has tf32.
    let rest = mnemonic.strip_prefix(meant);
    rest.is_some_and(|rest| !rest.starts_with(".BF16") && !rest.starts_with(".TF32") || meant == "HFMA2")
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Operations of one tcgen05 instruction, whose machine code does not say its K: from the kind in the PTX.
fn matrix_step(row: &Row, ptx: &str) -> u64 {
    let Form::Tcgen05(form) = row.form else { return 0 };
    let issued: Vec<&str> = ptx.lines().filter(|line| line.contains("tcgen05.mma.")).collect();
    let k = ["kind::tf32", "kind::f16", "kind::f8f6f4", "kind::i8", "kind::mxf4."]
        .into_iter()
        .zip([8, 16, 32, 32, 64]);
    let k =
        k.chain([("kind::mxf4nvf4.", 64)]).find(|(kind, _)| issued.iter().all(|line| line.contains(kind)));
    let issued_as_counted = issued.len() == form.unroll as usize;
    let [m, n] = Tcgen05::EXTENTS;
    k.filter(|_| issued_as_counted).map_or(0, |(_, k)| 2 * u64::from(m) * u64::from(n) * k)
}

/// Layouts in which a row is compiled, with the name of each variant.
fn variants(row: &Row) -> Vec<(Layout, String)> {
    if row.method == Method::Gemm {
        [Layout::Nn, Layout::Tn].map(|layout| (layout, format!("{} {}", row.name, layout.name()))).to_vec()
    } else {
        vec![(Layout::Nn, row.name.to_owned())]
    }
}

/// Every row, layout and architecture that a compiler knows, judged.
fn judge_all(tools: &Tools) -> Vec<Finding> {
    let known = |target: &&Target| tools.nvrtc.architectures().contains(&target.capability);
    let mut jobs = Vec::new();
    for row in &ROWS {
        for target in TARGETS.iter().filter(|target| row.runs_on(target)).filter(known) {
            jobs.extend(variants(row).into_iter().map(|(layout, name)| (row, target, layout, name)));
        }
    }
    tools.in_parallel(&jobs, |(row, target, layout, name)| {
        match tools.try_build(&row.source, &row.options(target, *layout)) {
            Ok((compiled, sass)) => judge(row, target, name, &compiled, &sass),
            Err(refused) => {
                let nothing = Compiled { cubin: Vec::new(), ptx: String::new(), log: String::new() };
                let finding = judge(row, target, name, &nothing, "");
                Finding { wrong: vec![refused], ..finding }
            }
        }
    })
}

fn complain(findings: &[Finding]) -> Vec<String> {
    let wrong = findings.iter().filter(|finding| !finding.wrong.is_empty());
    wrong.map(|f| format!("{} on {}: {}", f.kernel, f.target, f.wrong.join("; "))).collect()
}

#[test]
fn every_kernel_is_on_every_architecture_what_its_row_says() {
    let (mut complaints, mut checked) = (Vec::new(), Vec::new());
    let found = Tools::find();
    for tools in &found {
        let findings = judge_all(tools);
        assert!(findings.len() > 100, "only {} kernels were looked at", findings.len());
        let version = tools.nvrtc.version();
        complaints.extend(complain(&findings).into_iter().map(|text| format!("NVRTC {version}: {text}")));
        complaints.extend(table::agree(tools, &findings).err());
        checked.extend(table::checked(tools, &findings));
    }
    if !found.is_empty() {
        complaints.extend(table::agree_with_the_program(&checked).err());
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn the_list_of_checked_machine_code_is_of_the_kernels_that_are_here() {
    if std::env::var_os("FLOPGAUGE_WRITE_CUDA_TABLE").is_none() {
        let kept = CHECKED.lines().next();
        assert_eq!(
            kept,
            Some(table::made_of().as_str()),
            "FLOPGAUGE_WRITE_CUDA_TABLE=1 writes checked.txt anew"
        );
    }
    // A line for each kernel, layout and architecture that some compiler of the list knows.
    for target in &TARGETS {
        for row in ROWS.iter().filter(|row| row.runs_on(target)) {
            for (_, name) in variants(row) {
                let ends = format!(" {} {}", name.replace(' ', "/"), target.name);
                assert!(CHECKED.lines().any(|line| line.ends_with(&ends)), "{ends} was not checked");
            }
        }
    }
}

#[test]
fn the_copy_kernel_moves_sixteen_bytes_an_access() {
    for tools in Tools::find() {
        for target in TARGETS.iter().filter(|t| tools.nvrtc.architectures().contains(&t.capability)) {
            let (compiled, sass) = tools.build(&COPY.source, &COPY.options(target));
            let program = Program::parse(&sass, COPY.source.entry);
            let wide = |word: &str| {
                program
                    .instructions
                    .iter()
                    .filter(|i| i.mnemonic.starts_with(word) && i.mnemonic.contains(".128"))
                    .count()
            };
            let expected = COPY.unroll as usize + 1;
            assert_eq!((wide("LDG"), wide("STG")), (expected, expected), "{}", target.name);
            assert_eq!(compiled.spill_bytes(), Some(0), "{}", target.name);
        }
    }
}

#[test]
fn a_product_fed_by_tensor_maps_loads_all_of_its_tiles() {
    for tools in Tools::find() {
        let fed =
            ROWS.iter().filter(|row| matches!(&row.form, Form::Gemm(g) if g.engine == GemmEngine::Wgmma));
        for (row, target) in
            fed.flat_map(|row| TARGETS.iter().filter(|t| row.runs_on(t)).map(move |t| (row, t)))
        {
            for (layout, boxes) in [(Layout::Nn, 1 + 4), (Layout::Tn, 2 + 4)] {
                let (_, sass) = tools.build(&row.source, &row.options(target, layout));
                let program = Program::parse(&sass, row.source.entry);
                let loads =
                    program.instructions.iter().filter(|i| i.mnemonic.starts_with("UTMALDG.2D")).count();
                assert_eq!(loads, boxes, "{} {}", row.name, layout.name());
            }
        }
    }
}

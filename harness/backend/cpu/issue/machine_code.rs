//! Test of the compiled kernels by disassembly: the loop performs the counted instructions, on registers only.

#![cfg(target_arch = "x86_64")]

use super::{IssueKernel, kernels};
use std::process::Command;

/// Bytes read from a kernel's address: the longest loop (30 steps of up to 3 instructions of 6 bytes) and its frame.
const CODE_BYTES: usize = 4096;

/// Instructions of the innermost loop, without its counter and jump.
struct Loop {
    body: Vec<String>,
}

/// Whether the disassembler is here; without it the tests print "skipped", or fail where it must be here.
fn objdump() -> bool {
    let found = Command::new("objdump").arg("--version").output().is_ok();
    assert!(found || std::env::var_os("FLOPGAUGE_REQUIRE_OBJDUMP").is_none(), "objdump is not here");
    if !found {
        println!("skipped: no objdump here");
    }
    found
}

#[test]
#[cfg_attr(debug_assertions, ignore = "an unoptimised build keeps everything in memory; run with --release")]
fn the_loop_of_every_row_counts_its_steps_and_touches_no_memory() {
    if !objdump() {
        return;
    }
    for row in kernels() {
        let found = disassemble(row);
        let counted = 2 * u128::from(found.body.iter().map(|line| multiply_accumulates(line)).sum::<u64>());
        let trips = counted / row.ops_per_iteration().get();
        assert!(
            trips > 0 && counted == trips * row.ops_per_iteration().get(),
            "{}: the loop performs {counted} operations, the row counts {}",
            row.name,
            row.ops_per_iteration().get()
        );
        for line in &found.body {
            assert!(!line.contains('['), "{} touches memory in its loop: {line}", row.name);
        }
        println!(
            "{:18} {:2} chains, {:2} instructions: {counted} operations, no memory operand",
            row.name,
            row.chains,
            found.body.len()
        );
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "an unoptimised build keeps everything in memory; run with --release")]
fn a_kernel_with_too_many_chains_is_caught_spilling() {
    if !objdump() {
        return;
    }
    let row = kernels().iter().find(|row| row.name == "fp32-avx2-fma").unwrap();
    let spilling = row.with_chains(16).unwrap();
    assert!(disassemble(&spilling).body.iter().any(|line| line.contains('[')));
}

/// Multiply-accumulates of one instruction, by its name and the width of its registers; 0 for all others.
fn multiply_accumulates(line: &str) -> u64 {
    let widths = [("zmm", 64), ("ymm", 32), ("xmm", 16)];
    let bytes = widths.iter().find(|(name, _)| line.contains(name)).map_or(0, |(_, bytes)| *bytes);
    let name = line.trim_start_matches("{vex} ").split(' ').next().unwrap_or_default();
    match name {
        "mulpd" | "vfmadd213pd" => bytes / 8,
        "mulps" | "vfmadd213ps" | "vfmadd231ps" => bytes / 4,
        "vfmadd213ph" | "vdpbf16ps" => bytes / 2,
        "vpdpbusd" | "vpmaddubsw" => bytes,
        "tdpbf16ps" => 16 * 16 * 32,
        "tdpbssd" => 16 * 16 * 64,
        _ => 0,
    }
}

/// The loop with the most instructions that ends in a backward jump before the first `ret`.
fn disassemble(row: &IssueKernel) -> Loop {
    #[expect(unsafe_code, reason = "reads the machine code of a function")]
    // SAFETY: the address is that of a function in this binary, whose text segment goes on for megabytes.
    let code = unsafe { std::slice::from_raw_parts(row.code(), CODE_BYTES) };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("code.bin");
    std::fs::write(&file, code).unwrap();
    let output = Command::new("objdump")
        .args(["-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn"])
        .arg(&file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<(u64, String)> = text.lines().filter_map(instruction).collect();
    let function = lines.iter().take_while(|(_, line)| !line.starts_with("ret"));
    let loops = function.filter_map(|(at, line)| {
        let target = jump_target(line).filter(|target| target < at)?;
        let inside = lines.iter().filter(|(address, _)| (target..*at).contains(address));
        Some(inside.map(|(_, line)| line.clone()).collect::<Vec<_>>())
    });
    Loop { body: loops.max_by_key(Vec::len).unwrap_or_default() }
}

/// Address and text of one line of objdump.
fn instruction(line: &str) -> Option<(u64, String)> {
    let (address, text) = line.split_once(':')?;
    let address = u64::from_str_radix(address.trim(), 16).ok()?;
    Some((address, text.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// Target of a jump.
fn jump_target(line: &str) -> Option<u64> {
    let (mnemonic, target) = line.split_once(' ')?;
    let digits = target.strip_prefix("0x")?;
    mnemonic.starts_with('j').then(|| u64::from_str_radix(digits, 16).ok())?
}

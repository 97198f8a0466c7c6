//! Deliberate defects of the host's side, its launches and its accounting, with the kernels as they are: the checks of
//! this module must catch each of them. They change what a test passes on; there is no such switch in the program.

use super::{Form, Host, Layout, Machine, ROWS, compiler, issue, module, products, target};

struct Defect {
    name: &'static str,
    row: &'static str,
    target: &'static str,
    host: Host,
    /// Words of the check; none where several may be the first to see it.
    caught: &'static str,
}

const fn launch(
    name: &'static str,
    (row, target): (&'static str, &'static str),
    launch: fn(&mut [u32; 3], &mut [u8]),
    caught: &'static str,
) -> Defect {
    Defect { name, row, target, host: Host { launch, ..Host::RIGHT }, caught }
}

const fn account(
    name: &'static str,
    (row, target): (&'static str, &'static str),
    account: fn(u128) -> u128,
) -> Defect {
    Defect { name, row, target, host: Host { account, ..Host::RIGHT }, caught: "operations" }
}

/// Changes the word at this byte of the parameters.
fn word(parameters: &mut [u8], at: usize, change: impl FnOnce(u32) -> u32) {
    let bytes: &mut [u8; 4] = (&mut parameters[at..at + 4]).try_into().unwrap();
    *bytes = change(u32::from_le_bytes(*bytes)).to_le_bytes();
}

const FMA: (&str, &str) = ("fma-fp32", "sm_80");
const MMA: (&str, &str) = ("mma-int8", "sm_80");
const PRODUCT: (&str, &str) = ("flopgauge-mma-bf16", "sm_80");
const FED: (&str, &str) = ("flopgauge-wgmma-bf16", "sm_90a");
/// Place of the trips among an issue kernel's parameters, and of M among a product's.
const TRIPS: usize = 16;
const M: usize = 24;

const DEFECTS: [Defect; 19] = [
    launch("one block too few", FMA, |extents, _| extents[0] -= 1, "accumulator"),
    launch("one block too many", FMA, |extents, _| extents[0] += 1, "global store"),
    launch("half the threads", FMA, |extents, _| extents[1] /= 2, "accumulator"),
    launch("one trip too few", FMA, |_, p| word(p, TRIPS, |trips| trips - 1), "accumulator"),
    launch("one trip too many", MMA, |_, p| word(p, TRIPS, |trips| trips + 1), "accumulator"),
    launch("output and operands change places", MMA, |_, p| p[..16].rotate_left(8), "global load"),
    launch("one tile too few", PRODUCT, |extents, _| extents[0] -= 1, "element"),
    launch("one tile too many", PRODUCT, |extents, _| extents[0] += 1, "operations"),
    launch("a stage of shared memory too little", PRODUCT, |extents, _| extents[2] -= 16 << 10, "shared"),
    launch("a warp too few", PRODUCT, |extents, _| extents[1] -= 32, ""),
    launch("M one too large", PRODUCT, |_, p| word(p, M, |m| m + 1), "global"),
    launch("N one too small", PRODUCT, |_, p| word(p, M + 4, |n| n - 1), "element"),
    launch("K one too small", PRODUCT, |_, p| word(p, M + 8, |k| k - 1), "element"),
    launch("K one too large", PRODUCT, |_, p| word(p, M + 8, |k| k + 1), ""),
    launch("A and B change places", PRODUCT, |_, p| p[8..24].rotate_left(8), ""),
    launch("the maps of A and B change places", FED, |_, p| p[..256].rotate_left(128), ""),
    account("counted twice", FMA, |operations| 2 * operations),
    account("one thread's operations left out", MMA, |operations| operations - operations / 256),
    account("a multiply-add counted as one operation", PRODUCT, |operations| operations / 2),
];

#[test]
fn every_deliberate_defect_of_the_host_is_caught_by_the_check_that_is_named() {
    let Some(nvrtc) = compiler() else { return };
    let mut missed = Vec::new();
    for defect in &DEFECTS {
        let row = ROWS.iter().find(|row| row.name == defect.row).unwrap();
        let target = target(defect.target);
        let mut machine = Machine::new(module(&nvrtc, &row.source, &row.options(target, Layout::Nn)));
        let mut complaint = |host| {
            machine.host = host;
            match row.form {
                Form::Gemm(_) => products::wrong(&mut machine, row, target, [131, 137, 77], Layout::Nn),
                _ => issue::wrong(&mut machine, row, target, (2, 3)),
            }
        };
        assert_eq!(complaint(Host::RIGHT), None, "{}", defect.row);
        match complaint(defect.host) {
            Some(words) if words.contains(defect.caught) => {}
            other => missed.push(format!("{}: {other:?}", defect.name)),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

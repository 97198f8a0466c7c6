//! Issue-rate kernels: every accumulator and every executed operation.

use std::collections::BTreeSet;

use super::{Form, Layout, Machine, ROWS, Row, Target, compiler, module, target};

/// What is wrong with a row after some trips, if anything.
pub(super) fn wrong(
    machine: &mut Machine,
    row: &Row,
    target: &Target,
    (blocks, trips): (u32, u32),
) -> Option<String> {
    let size = row.output_bytes_per_block() * u64::from(blocks);
    let output = machine.global.allocate(size).unwrap();
    let operands = machine.uploaded(&row.operands());
    let mut parameters: Vec<u8> = [output, operands].iter().flat_map(|p| p.to_le_bytes()).collect();
    parameters.extend(trips.to_le_bytes());
    let launched = machine.launch([blocks, row.threads(), row.shared_bytes()], &parameters, u64::from(trips));
    let count = match launched {
        Ok(count) => count,
        Err(fault) => return Some(fault),
    };
    let found = row.accumulators(machine.global.host_read(output, usize::try_from(size).unwrap()).unwrap());
    let expected = row.expected(u64::from(trips)).repeat(blocks as usize);
    let at = format!("{} on {}, {blocks} blocks, {trips} trips", row.name, target.name);
    if found.len() != expected.len() {
        return Some(format!("{at}: {} accumulators, not {}", found.len(), expected.len()));
    }
    if let Some(i) = (0..found.len()).find(|i| found[*i].to_bits() != expected[*i].to_bits()) {
        return Some(format!("{at}: accumulator {i} is {:e}, not {:e}", found[i], expected[i]));
    }
    let (executed, counted) =
        (count.of(""), (machine.host.account)(row.ops_per_iteration(blocks).get()) * u128::from(trips));
    (u128::from(executed) != counted)
        .then(|| format!("{at}: {executed} operations executed, {counted} counted: {:?}", count.operations))
}

#[test]
fn every_issue_row_computes_and_executes_what_it_is_counted_as() {
    let Some(nvrtc) = compiler() else { return };
    let (mut complaints, mut looked_at) = (Vec::new(), BTreeSet::new());
    let issue = |row: &&Row| !matches!(row.form, Form::Gemm(_));
    for target in ["sm_75", "sm_80", "sm_89", "sm_90a", "sm_100a", "sm_120a"].map(target) {
        for row in ROWS.iter().filter(issue).filter(|row| row.runs_on(target)) {
            let mut machine = Machine::new(module(&nvrtc, &row.source, &row.options(target, Layout::Nn)));
            complaints.extend([(1, 1), (2, 3)].iter().filter_map(|l| wrong(&mut machine, row, target, *l)));
            looked_at.insert(row.name);
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let left_out: Vec<_> = ROWS.iter().filter(issue).filter(|row| !looked_at.contains(row.name)).collect();
    assert!(left_out.is_empty(), "{left_out:?}");
}

#[test]
fn sums_of_matrix_instructions_begin_again_after_a_hundred_and_twenty_eight_trips() {
    let Some(nvrtc) = compiler() else { return };
    let target = target("sm_80");
    let row = ROWS.iter().find(|r| matches!(r.form, Form::Mma(_)) && r.runs_on(target)).unwrap();
    let mut machine = Machine::new(module(&nvrtc, &row.source, &row.options(target, Layout::Nn)));
    assert_eq!(wrong(&mut machine, row, target, (1, 130)), None);
}

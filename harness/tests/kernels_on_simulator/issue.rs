//! Issue-rate kernels: every accumulator and every executed operation.

use super::{Form, Layout, Machine, ROWS, Row, Target, compiler, module, target};

/// Rows whose instructions the interpreter knows.
fn covered(row: &Row) -> bool {
    match row.form {
        Form::Fma(_) | Form::Mma(_) | Form::Wgmma(_) => true,
        _ => false,
    }
}

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
    let count = machine.launch([blocks, row.threads(), row.shared_bytes()], &parameters, u64::from(trips));
    let found = row.accumulators(machine.global.host_read(output, usize::try_from(size).unwrap()).unwrap());
    let expected = row.expected(u64::from(trips)).repeat(blocks as usize);
    let at = format!("{} on {}, {blocks} blocks, {trips} trips", row.name, target.name);
    if found.len() != expected.len() {
        return Some(format!("{at}: {} accumulators, not {}", found.len(), expected.len()));
    }
    if let Some(i) = (0..found.len()).find(|i| found[*i].to_bits() != expected[*i].to_bits()) {
        return Some(format!("{at}: accumulator {i} is {:e}, not {:e}", found[i], expected[i]));
    }
    let (executed, counted) = (count.of(""), row.ops_per_iteration(blocks).get() * u128::from(trips));
    (u128::from(executed) != counted)
        .then(|| format!("{at}: {executed} operations executed, {counted} counted: {:?}", count.operations))
}

#[test]
fn every_issue_row_of_registers_computes_and_executes_what_it_is_counted_as() {
    let Some(nvrtc) = compiler() else { return };
    let (mut complaints, mut looked_at) = (Vec::new(), 0);
    for target in ["sm_80", "sm_89", "sm_90a", "sm_120a"].map(target) {
        for row in ROWS.iter().filter(|row| covered(row) && row.runs_on(target)) {
            let mut machine = Machine::new(module(&nvrtc, &row.source, &row.options(target, Layout::Nn)));
            complaints.extend([(1, 1), (2, 3)].iter().filter_map(|l| wrong(&mut machine, row, target, *l)));
            looked_at += 1;
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(looked_at > 20, "only {looked_at} rows and architectures were looked at");
}

#[test]
fn sums_of_matrix_instructions_begin_again_after_a_hundred_and_twenty_eight_trips() {
    let Some(nvrtc) = compiler() else { return };
    let target = target("sm_80");
    let row = ROWS.iter().find(|r| matches!(r.form, Form::Mma(_)) && r.runs_on(target)).unwrap();
    let mut machine = Machine::new(module(&nvrtc, &row.source, &row.options(target, Layout::Nn)));
    assert_eq!(wrong(&mut machine, row, target, (1, 130)), None);
}

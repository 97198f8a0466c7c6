//! Each instruction against results worked out by hand from the PTX specification.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flopgauge_simulator::launch::{Count, Fault, Frame, load, run};
use flopgauge_simulator::memory::Global;

mod arithmetic;
mod coverage;
mod memory;
mod warp;

const HEAD: &str = ".version 9.0\n.target sm_90a\n.address_size 64\n";
const DECLARED: &str =
    ".reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<40>; .reg .b64 %d<20>; .reg .f32 %f<9>;";

/// Runs a body in one block. It finds eight 64-bit inputs in %d1 to %d8 (the same in %r1 to %r8, low half) and its
/// output's address, 8 bytes a thread, in %d0.
fn block(body: &str, threads: u32, inputs: &[u64], seed: u64) -> Result<(Vec<u64>, Count), Box<Fault>> {
    let mut text = format!("{HEAD}.entry k(.param .u64 out, .param .u64 in) {{ {DECLARED}\n");
    text +=
        "ld.param.u64 %d10, [in]; ld.param.u64 %d0, [out]; mov.u32 %r0, %tid.x; mul.wide.u32 %d11, %r0, 8; ";
    text += "add.s64 %d0, %d0, %d11;\n";
    for i in 0..8 {
        text += &format!("ld.global.b64 %d{0}, [%d10+{1}]; cvt.u32.u64 %r{0}, %d{0};\n", i + 1, 8 * i);
    }
    text += &format!("{body}\nret; }}");
    let module = load(&text).unwrap();
    let mut global = Global::new(0x1000_0000, 1 << 20);
    let out = global.allocate(u64::from(threads) * 8).unwrap();
    let input = global.allocate(64).unwrap();
    for i in 0..8 {
        global.store(input + 8 * i, 8, inputs.get(i as usize).copied().unwrap_or(0)).unwrap();
    }
    let parameters: Vec<u8> = [out, input].iter().flat_map(|p| p.to_le_bytes()).collect();
    let kernel = &module.kernels[0];
    let frame = Frame {
        kernel,
        grid: [1; 3],
        threads: [threads, 1, 1],
        dynamic: 0,
        parameters: &parameters,
        seed,
        patience: 1_000_000,
        dynamic_offset: 0,
    };
    let count = run(&frame, &mut global)?;
    let bytes = global.host_read(out, threads as usize * 8).unwrap();
    Ok((bytes.chunks(8).map(|c| u64::from_le_bytes(c.try_into().unwrap())).collect(), count))
}

/// Result of one instruction that writes to %r9 from %r1, %r2 and %r3.
fn word(instruction: &str, inputs: &[u32]) -> u32 {
    let inputs: Vec<u64> = inputs.iter().map(|i| u64::from(*i)).collect();
    let body = format!("{instruction}\ncvt.u64.u32 %d9, %r9; st.global.b64 [%d0], %d9;");
    block(&body, 1, &inputs, 0).unwrap().0[0] as u32
}

/// Result of one instruction that writes to %d9 from %d1, %d2 and %d3.
fn long(instruction: &str, inputs: &[u64]) -> u64 {
    block(&format!("{instruction}\nst.global.b64 [%d0], %d9;"), 1, inputs, 0).unwrap().0[0]
}

fn fault(body: &str, threads: u32) -> Fault {
    *block(body, threads, &[], 0).unwrap_err()
}

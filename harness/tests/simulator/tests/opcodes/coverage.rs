//! What is covered, and what is refused.

use flopgauge_simulator::launch::load;

use super::{DECLARED, HEAD};

#[test]
fn what_is_not_covered_is_refused_by_name() {
    for (instruction, named) in [
        ("sin.approx.f32 %f1, %f2;", "unknown opcode sin"),
        ("add.cc.s32 %r1, %r2, %r3;", "cc"),
        ("add.rn.f16x2.foo %r1, %r2, %r3;", ".foo"),
        ("fma.f32 %f1, %f2, %f3, %f4;", "unsupported modifier"),
        ("cvt.s32.f32 %r1, %f1;", "rounding"),
        (
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.f16.f32 {%f1,%f2,%f3,%f4},{%r1,%r2,%r3,%r4},{%r5,%r6},{%f1,%f2,%f3,%f4};",
            "combination",
        ),
        (
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1,%f2},{%r1,%r2,%r3,%r4},{%r5,%r6},{%f1,%f2,%f3,%f4};",
            "registers",
        ),
        ("cp.async.cg.shared.global [%r1], [%d1], 8;", "size"),
        ("wgmma.fence.sync.aligned;", "unknown opcode wgmma"),
        ("ld.global.v4.b64 {%d1,%d2,%d3,%d4}, [%d0];", "vector"),
        ("add.s32 %r1, %r2;", "operands"),
    ] {
        let found = load(&format!("{HEAD}.entry k() {{ {DECLARED}\n{instruction} }}")).unwrap_err();
        assert!(found.what.contains(named) && found.line == 5, "{found}");
    }
}

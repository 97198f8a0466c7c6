//! What is covered, and what is refused.

use flopgauge_simulator::coverage::{COVERED, table};
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
        ("wgmma.fence.aligned;", "sync.aligned expected"),
        (
            "wgmma.mma_async.sp.sync.aligned.m64n8k32.f32.f16.f16 {%f1,%f2,%f3,%f4}, %d1, %d2, 0, %p1, 1, 1, 0, 0;",
            "sync.aligned",
        ),
        (
            "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f1,%f2,%f3,%f4}, {%r1,%r2,%r3,%r4}, %d2, %p1, 1, 1, 0;",
            "operands",
        ),
        (
            "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f1,%f2,%f3,%f4}, {%r1,%r2,%r3,%r4}, %d2, %p1, 1, 1, 0, 0;",
            "descriptor of A",
        ),
        (
            "wgmma.mma_async.sync.aligned.m64n12k16.f32.f16.f16 {%f1,%f2,%f3,%f4}, %d1, %d2, %p1, 1, 1, 0, 0;",
            "combination",
        ),
        (
            "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f1,%f2,%f3,%f4}, %d1, %d2, %p1, 1, 2, 0, 0;",
            "scale of 1 or -1",
        ),
        ("mbarrier.pending_count.b64 %r1, %d1;", "unknown operation of mbarrier"),
        ("mbarrier.arrive.noComplete.shared.b64 %d1, [%r1], 1;", "shared memory"),
        ("mbarrier.init.b64 [%d1], 1;", "shared memory"),
        (
            "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%d1], 16, [%r2];",
            "unknown form",
        ),
        (
            "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%d1, {%r1,%r2,%r3}], [%r4];",
            "two dimensions",
        ),
        ("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%d1, {%r1,%r2}], [%r4];", "from global"),
        (
            "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r1], [%d1, {%r1,%r2}], [%r4], %h1;",
            "multicast",
        ),
        ("fence.proxy.tensormap::generic.release.gpu;", "unknown proxy"),
        ("setmaxnreg.inc.sync.aligned.u32 20;", "24 to 256"),
        ("tcgen05.mma.cta_group::2.kind::f16 [%r1], %d1, %d2, %r2, %p1;", "cta_group::1"),
        ("tcgen05.mma.cta_group::1.kind::f16 [%r1], [%r3], %d2, %r2, %p1;", "operand"),
        ("tcgen05.mma.ws.cta_group::1.kind::f16 [%r1], %d1, %d2, %r2, %p1;", "cta_group::1"),
        (
            "tcgen05.mma.cta_group::1.kind::mxf8f6f4.block_scale [%r1], %d1, %d2, %r2, [%r3], [%r4], %p1;",
            "unknown kind",
        ),
        ("tcgen05.ld.sync.aligned.16x64b.x1.b32 {%r1}, [%r2];", "32x32b"),
        ("tcgen05.shift.cta_group::1.down [%r1];", "unknown operation of tcgen05"),
        ("tcgen05.cp.cta_group::1.128x256b [%r1], %d1;", "unknown operation of tcgen05"),
        ("ld.global.v4.b64 {%d1,%d2,%d3,%d4}, [%d0];", "vector"),
        ("add.s32 %r1, %r2;", "operands"),
    ] {
        let found = load(&format!("{HEAD}.entry k() {{ {DECLARED}\n{instruction} }}")).unwrap_err();
        assert!(found.what.contains(named) && found.line == 5, "{found}");
    }
}

#[test]
fn every_row_of_the_table_is_understood() {
    for row in COVERED {
        assert!(!row.examples.is_empty());
        for instruction in row.examples {
            assert!(row.opcodes.iter().any(|opcode| instruction.starts_with(opcode)), "{instruction}");
            let read = load(&format!("{HEAD}.entry k() {{ {DECLARED}\n{instruction} }}"));
            assert!(read.is_ok(), "{instruction}: {}", read.unwrap_err());
        }
        for opcode in row.opcodes {
            let found =
                load(&format!("{HEAD}.entry k() {{ {DECLARED}\n{opcode}.nonsense %r1, %r2; }}")).unwrap_err();
            assert!(!found.what.contains("unknown opcode"), "{found}");
            assert!(found.what.contains("nonsense"), "{found}");
        }
    }
}

#[test]
fn the_readme_has_the_table() {
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&table()), "README.md's table is to be:\n{}", table());
}

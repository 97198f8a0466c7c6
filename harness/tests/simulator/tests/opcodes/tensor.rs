//! Tensor memory: cells, allocations, and what must be waited for.

use super::{block, fault};

/// Allocates 64 columns, of which %r21 is the first and %r22 this warp's address.
const ALLOCATE: &str = ".shared .align 4 .u32 slot; .shared .align 8 .b64 bar; setp.ge.u32 %p1, %r0, 32; @%p1 bra JOIN;
    tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot], 64; setp.ne.u32 %p2, %r0, 0; @%p2 bra JOIN;
    mbarrier.init.shared::cta.b64 [bar], 1; fence.proxy.async.shared::cta; JOIN: bar.sync 0;
    ld.shared.u32 %r21, [slot]; shr.u32 %r23, %r0, 5; shl.b32 %r23, %r23, 21; add.u32 %r22, %r21, %r23;\n";
const FREE: &str =
    "bar.sync 0; @%p1 bra END; tcgen05.dealloc.cta_group::1.sync.aligned.b32 %r21, 64; END: ret;";
const WRITE: &str = "add.u32 %r10, %r0, 1000; tcgen05.st.sync.aligned.32x32b.x2.b32 [%r22], {%r0, %r10}; tcgen05.wait::st.sync.aligned;\n";
const READ: &str = "tcgen05.ld.sync.aligned.32x32b.x1.b32 {%r11}, [%r22+1]; tcgen05.wait::ld.sync.aligned; cvt.u64.u32 %d9, %r11; st.global.b64 [%d0], %d9;\n";

#[test]
fn each_warp_reads_back_the_lanes_that_it_wrote() {
    for seed in 0..8 {
        let (out, _) = block(&format!("{ALLOCATE} {WRITE} {READ} {FREE}"), 128, &[], seed).unwrap();
        assert_eq!(out, (1000..1128).collect::<Vec<_>>());
    }
}

#[test]
fn misuse_of_tensor_memory_is_a_fault() {
    let body = format!("{ALLOCATE} {WRITE} {READ} {FREE}");
    let commit = "tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [bar];";
    for (part, instead, what) in [
        (FREE, "", "64 columns of tensor memory"),
        (WRITE, "", "never written"),
        ("tcgen05.wait::st.sync.aligned;", "", "before its write is waited for"),
        ("tcgen05.wait::ld.sync.aligned;", "", "before tcgen05.wait::ld"),
        ("[%r22+1]", "[%r22+64]", "not allocated"),
        ("[%r22+1]", "[%r21+1]", "at lane 0"),
        ("b32 %r21, 64;", "b32 %r21, 32;", "32 columns"),
        ("[slot], 64;", "[slot], 48;", "of 48 columns"),
        (
            "[slot], 64;",
            "[slot], 64; tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned; tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot], 32;",
            "after relinquish",
        ),
        (
            "[slot], 64;",
            "[slot], 64; tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot], 512;",
            "nobody will complete",
        ),
        ("fence.proxy.async.shared::cta; JOIN:", "JOIN:", ""),
        (READ, "tcgen05.mma.cta_group::1.kind::f16 [%r21], %d1, %d2, %r1, %p2;", "lanes 0xffffffff"),
        (
            READ,
            "setp.ne.u32 %p3, %r0, 0; @!%p3 tcgen05.mma.cta_group::1.kind::f16 [%r21], %d1, %d2, %r1, %p2;",
            "instruction descriptor",
        ),
        (
            READ,
            "setp.ne.u32 %p3, %r0, 0; mov.u32 %r1, 0x8100490; @!%p3 tcgen05.mma.cta_group::1.kind::f16 [%r21], %d1, %d2, %r1, %p2;",
            "matrix descriptor",
        ),
    ] {
        let changed = body.replace(part, instead);
        assert_ne!(changed, body);
        for seed in 0..4 {
            match block(&changed, 128, &[], seed) {
                Err(found) => assert!(found.what.contains(what), "{instead}: {found}"),
                Ok(_) => assert!(what.is_empty(), "{instead}"),
            }
        }
    }
    let late = format!("{ALLOCATE} setp.ne.u32 %p3, %r0, 0; @!%p3 {commit} {FREE}")
        .replace("fence.proxy.async.shared::cta; JOIN:", "JOIN:");
    assert!(block(&late, 128, &[], 0).unwrap_err().what.contains("not shown"));
    assert!(
        fault("tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%r1], 32;", 16)
            .what
            .contains("whole warp")
    );
}

/// 128 rows of one bf16 row each, 1 x (row + 1), by 16 columns, 1 x (column + 1), K = 16 with all the rest zero.
const MULTIPLY: &str = ".shared .align 1024 .b8 tiles[8192];
    mov.u32 %r20, tiles; shl.b32 %r24, %r0, 4; add.u32 %r24, %r24, %r20; mov.u32 %r25, 0;
    FILL: st.shared.v4.b32 [%r24], {%r25, %r25, %r25, %r25}; add.u32 %r24, %r24, 2048; add.u32 %r26, %r20, 8192;
    setp.lt.u32 %p4, %r24, %r26; @%p4 bra FILL; bar.sync 0;
    add.u32 %r27, %r0, 1; cvt.rn.f32.u32 %f1, %r27; cvt.rn.bf16.f32 %h1, %f1;
    shr.u32 %r28, %r0, 3; mul.lo.u32 %r28, %r28, 256; and.b32 %r29, %r0, 7; mad.lo.u32 %r28, %r29, 16, %r28; add.u32 %r28, %r28, %r20;
    st.shared.b16 [%r28], %h1; setp.lt.u32 %p5, %r0, 16; @%p5 st.shared.b16 [%r28+4096], %h1; fence.proxy.async; bar.sync 0;
    setp.ne.u32 %p3, %r0, 0; shr.u32 %r20, %r20, 4; cvt.u64.u32 %d1, %r20; or.b64 %d1, %d1, 0x401000080000; add.s64 %d2, %d1, 256;
    setp.ne.u32 %p6, %r0, %r0; @%p3 bra WAIT; tcgen05.mma.cta_group::1.kind::f16 [%r21], %d1, %d2, 0x8040490, %p6;
    tcgen05.mma.cta_group::1.kind::f16 [%r21], %d1, %d2, 0x8040490, 1;
    tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [bar];
    WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p2, [bar], 0; @!%p2 bra WAIT;
    tcgen05.ld.sync.aligned.32x32b.x1.b32 {%r11}, [%r22+5]; tcgen05.wait::ld.sync.aligned; cvt.u64.u32 %d9, %r11; st.global.b64 [%d0], %d9;\n";

#[test]
fn products_go_to_the_cells_of_their_row_and_column_once_they_are_waited_for() {
    let body = format!("{ALLOCATE} {MULTIPLY} {FREE}");
    for seed in 0..8 {
        let (out, count) = block(&body, 128, &[], seed).unwrap();
        let expected: Vec<u64> = (1..=128).map(|row| (2.0 * 6.0 * row as f32).to_bits().into()).collect();
        assert_eq!(out, expected, "{seed}");
        assert_eq!(count.of("tcgen05.bf16"), 2 * 2 * 128 * 16 * 16);
        for (part, instead, what) in [
            ("WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p2, [bar], 0; @!%p2 bra WAIT;", "WAIT:", ""),
            ("fence.proxy.async; bar.sync 0;", "bar.sync 0;", "no fence.proxy.async"),
            ("%d2, 0x8040490, %p6;", "%d2, 0x8040490, 1;", "never written"),
            ("[%r21], %d1, %d2, 0x8040490, 1;", "[%r21+56], %d1, %d2, 0x8040490, 1;", "not allocated"),
            ("add.s64 %d2, %d1, 256;", "add.s64 %d2, %d1, 8192;", "shared access"),
        ] {
            let changed = body.replace(part, instead);
            assert_ne!(changed, body);
            let found = block(&changed, 128, &[], seed).unwrap_err();
            assert!(found.what.contains(what), "{instead}: {found}");
        }
    }
}

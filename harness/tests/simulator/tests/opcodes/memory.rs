//! Shared and global memory: races, asynchronous copies, atomics and wrong addresses.

use flopgauge_simulator::memory::Violation;

use super::{block, fault};

const TILE: &str =
    ".shared .align 16 .b8 s[1024]; shl.b32 %r20, %r0, 2; mov.u32 %r21, s; add.u32 %r20, %r20, %r21;";

#[test]
fn a_missing_barrier_is_a_race_under_every_seed() {
    let exchange = |barrier: &str| {
        format!(
            "{TILE} st.shared.u32 [%r20], %r0; {barrier} xor.b32 %r22, %r20, 128; ld.shared.u32 %r23, [%r22]; cvt.u64.u32 %d9, %r23; st.global.b64 [%d0], %d9;"
        )
    };
    for seed in 0..20 {
        let (out, _) = block(&exchange("bar.sync 0;"), 64, &[], seed).unwrap();
        assert_eq!((out[0], out[63]), (32, 31));
        let raced = block(&exchange(""), 64, &[], seed).unwrap_err();
        assert!(raced.what.contains("race") || raced.what.contains("never written"), "{raced}");
        assert_eq!(raced.seed, seed);
    }
    // Reading, then overwriting what another warp still reads.
    let body = format!("{} {} st.shared.u32 [%r20], 0;", exchange("bar.sync 0;"), "");
    assert!((0..20).all(|seed| block(&body, 64, &[], seed).unwrap_err().what.contains("race")));
}

#[test]
fn an_asynchronous_copy_is_not_there_before_it_is_waited_for() {
    let copy = |wait: &str| {
        format!(
            "{TILE} .reg .b64 g; mov.u64 g, %d10; mov.u32 %r21, s; cp.async.cg.shared.global [%r21], [g], 16; cp.async.commit_group; {wait} ld.shared.b64 %d9, [s+8]; st.global.b64 [%d0], %d9;"
        )
    };
    assert_eq!(block(&copy("cp.async.wait_group 0;"), 1, &[1, 2], 0).unwrap().0, [2]);
    let early = block(&copy("cp.async.wait_group 1;"), 1, &[1, 2], 0).unwrap_err();
    assert!(early.what.contains("before cp.async is waited for"), "{early}");
    let part = copy("cp.async.wait_all;").replace("[g], 16;", "[g], 16, 9;");
    assert_eq!(block(&part, 1, &[1, 0x0102_0304], 0).unwrap().0, [4]);
}

#[test]
fn wrong_addresses_and_lonely_barriers_are_faults_with_their_kind() {
    for (body, kind, what) in [
        ("st.global.u32 [%d0+4096], %r0;", Violation::IllegalAddress, "global store"),
        ("st.global.u64 [%d0+4], %d1;", Violation::Misaligned, "multiple of 8"),
        ("ld.global.v2.u32 {%r1, %r2}, [%d0+4];", Violation::Misaligned, "multiple of 8"),
        ("ld.global.u64 %d9, [%d0];", Violation::LaunchFailed, "never written"),
        (".shared .align 4 .u32 x; ld.shared.u32 %r1, [x+16];", Violation::IllegalAddress, "shared access"),
        ("trap;", Violation::LaunchFailed, "trap"),
        ("L: bra L;", Violation::LaunchFailed, "does not end"),
        (
            "setp.lt.u32 %p1, %r0, 32; @%p1 bra L; bar.sync 1, 64; L: ret;",
            Violation::LaunchFailed,
            "barriers",
        ),
    ] {
        let found = fault(body, 64);
        assert!(found.kind == kind && found.what.contains(what), "{body}: {found}");
    }
}

#[test]
fn a_named_barrier_joins_only_those_who_came() {
    // Warps 0 and 1 produce and consume through barrier 1; warp 2 does not take part.
    let body = format!(
        "{TILE} setp.ge.u32 %p1, %r0, 64; @%p1 bra END; setp.ge.u32 %p2, %r0, 32; @%p2 bra READ; st.shared.u32 [%r20], %r0;
        bar.arrive 1, 64; bra END; READ: bar.sync 1, 64; ld.shared.u32 %r23, [%r20+-128]; cvt.u64.u32 %d9, %r23;
        st.global.b64 [%d0], %d9; END: ret;"
    );
    for seed in 0..10 {
        let (out, _) = block(&body, 96, &[], seed).unwrap();
        assert_eq!((out[32], out[63]), (0, 31));
    }
}

#[test]
fn atomics_add_each_thread_once() {
    let body = format!(
        "{TILE} setp.eq.u32 %p1, %r0, 0; @%p1 st.shared.u32 [s], 0; bar.sync 0; atom.shared.add.u32 %r22, [s], 2; cvt.u64.u32 %d9, %r22; st.global.b64 [%d0], %d9;"
    );
    let (mut out, _) = block(&body, 32, &[], 1).unwrap();
    out.sort_unstable();
    assert_eq!(out, (0..32).map(|i| 2 * i).collect::<Vec<_>>());
}

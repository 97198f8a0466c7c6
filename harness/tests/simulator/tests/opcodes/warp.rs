//! Lanes of one warp: divergence, exchange and matrix instructions.

use super::{block, fault};

#[test]
fn lanes_diverge_and_meet_again() {
    let body = "and.b32 %r9, %r0, 1; setp.eq.u32 %p1, %r9, 0; mov.u32 %r10, 0; @%p1 bra EVEN; add.u32 %r10, %r10, 7; bra END;
        EVEN: mov.u32 %r11, %r0; L: setp.eq.u32 %p2, %r11, 0; @%p2 bra END; add.u32 %r10, %r10, 1; sub.u32 %r11, %r11, 1; bra L;
        END: shfl.sync.bfly.b32 %r12, %r10, 1, 31, -1; cvt.u64.u32 %d9, %r12; st.global.b64 [%d0], %d9;";
    let (out, _) = block(body, 32, &[], 3).unwrap();
    let expected: Vec<u64> = (0..32).map(|lane| if lane % 2 == 0 { 7 } else { lane - 1 }).collect();
    assert_eq!(out, expected);
}

#[test]
fn shuffles_clamp_at_their_segment_and_refuse_absent_lanes() {
    let run = |text: &str| {
        let body = format!(
            "{text} selp.b32 %r13, 100, 0, %p1; add.u32 %r12, %r12, %r13; cvt.u64.u32 %d9, %r12; st.global.b64 [%d0], %d9;"
        );
        block(&body, 32, &[], 1).unwrap().0
    };
    let up = run("shfl.sync.up.b32 %r12|%p1, %r0, 4, 0, -1;");
    assert_eq!((up[3], up[4], up[31]), (3, 100, 127));
    let down = run("shfl.sync.down.b32 %r12|%p1, %r0, 1, 0x1807, -1;");
    assert_eq!((down[6], down[7], down[8]), (107, 7, 109));
    let index = run("shfl.sync.idx.b32 %r12|%p1, %r0, 5, 31, -1;");
    assert!(index.iter().all(|v| *v == 105));
    let lonely = fault("setp.lt.u32 %p1, %r0, 16; @%p1 shfl.sync.idx.b32 %r12, %r0, 5, 31, -1;", 32);
    assert!(lonely.what.contains("without all its members"), "{lonely}");
}

#[test]
fn a_matrix_instruction_multiplies_and_counts() {
    // A[r][c] = r + c / 2 of four values a lane, B = the first eight columns of the identity: D is A's left half.
    let body = "shr.u32 %r10, %r0, 2; and.b32 %r11, %r0, 3; cvt.rn.f32.u32 %f1, %r10; cvt.rn.f32.u32 %f2, %r11;
        add.f32 %f3, %f1, %f2; add.f32 %f4, %f3, 0f3F000000; cvt.rn.f16x2.f32 %r12, %f4, %f3; mov.u32 %r13, 0;
        shl.b32 %r14, %r11, 1; setp.eq.u32 %p1, %r14, %r10; add.u32 %r14, %r14, 1; setp.eq.u32 %p2, %r14, %r10;
        selp.b32 %r15, 0x3c00, 0, %p1; selp.b32 %r16, 0x3c000000, 0, %p2; or.b32 %r15, %r15, %r16; mov.f32 %f5, 0f00000000;
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f5,%f6,%f7,%f8}, {%r12,%r13,%r13,%r13}, {%r15,%r13}, {%f5,%f5,%f5,%f5};
        mov.b64 %d9, {%f5, %f6}; st.global.b64 [%d0], %d9;";
    let (out, count) = block(body, 32, &[], 0).unwrap();
    for (lane, pair) in out.iter().enumerate() {
        let first = (lane / 4 + lane % 4) as f32;
        assert_eq!((f32::from_bits(*pair as u32), f32::from_bits((pair >> 32) as u32)), (first, first + 0.5));
    }
    assert_eq!(count.of("mma."), 4096);
    let half = fault(
        "setp.lt.u32 %p1, %r0, 16; @%p1 bra END; mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%d1,%d2},{%d3},{%d4},{%d1,%d2}; END: ret;",
        32,
    );
    assert!(half.what.contains("lanes"), "{half}");
}

/// Every word of A, of B and of C the same; the first two words of D.
fn uniform(instruction: &str, [a, b, c]: [u32; 3]) -> (u32, u32) {
    let body = format!(
        "mov.b32 %r30, %r3; mov.b32 %r31, %r3; mov.b32 %r32, %r3; mov.b32 %r33, %r3; {instruction}
        mov.b64 %d9, {{%r30, %r31}}; st.global.b64 [%d0], %d9;"
    );
    let (out, _) = block(&body, 32, &[a, b, c].map(u64::from), 0).unwrap();
    assert!(out.iter().all(|pair| *pair == out[0]));
    (out[0] as u32, (out[0] >> 32) as u32)
}

#[test]
fn matrix_instructions_wrap_saturate_and_give_the_canonical_nan() {
    let registers = "{%r30,%r31,%r32,%r33},{%r1,%r1,%r1,%r1},{%r2,%r2},{%r30,%r31,%r32,%r33};";
    let integer = |types: &str| format!("mma.sync.aligned.m16n8k32.row.col{types} {registers}");
    // 32 products of -128 x -128, and of 127 x 1.
    let most = i32::MAX as u32;
    assert_eq!(uniform(&integer(".s32.s8.s8.s32"), [0x8080_8080, 0x8080_8080, 0]).0, 32 << 14);
    assert_eq!(
        uniform(&integer(".s32.s8.s8.s32"), [0x7f7f_7f7f, 0x0101_0101, most]).0,
        most.wrapping_add(32 * 127)
    );
    assert_eq!(uniform(&integer(".satfinite.s32.s8.s8.s32"), [0x7f7f_7f7f, 0x0101_0101, most]).0, most);
    assert_eq!(uniform(&integer(".satfinite.s32.s8.u8.s32"), [0x8080_8080, 0xffff_ffff, 1 << 31]).0, 1 << 31);
    let float = |types: &str| format!("mma.sync.aligned.m16n8k16.row.col{types} {registers}");
    let (one, infinity) = (0x3c00_3c00, 0x7c00_7c00);
    assert_eq!(uniform(&float(".f32.f16.f16.f32"), [infinity, 0, 0]).0, 0x7fff_ffff);
    assert_eq!(uniform(&float(".f32.f16.f16.f32"), [infinity, one, 0]).0, 0x7f80_0000);
    // The least subnormals are multiplied, not flushed: 16 x 2^-48.
    assert_eq!(
        uniform(&float(".f32.f16.f16.f32"), [0x0001_0001, 0x0001_0001, 0]).0,
        (2f32.powi(-44)).to_bits()
    );
    let halves = "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r30,%r31},{%r1,%r1,%r1,%r1},{%r2,%r2},{%r30,%r31};";
    // 65504 + 16 is halfway to what binary16 cannot hold; 65504 + 15.99 is not.
    assert_eq!(uniform(halves, [one, one, 0x7bff_7bff]).0, infinity);
    assert_eq!(uniform(halves, [one, 0x3bff_3bff, 0x7bff_7bff]).0, 0x7bff_7bff);
    // tf32 ignores the low 13 bits: 8 products of 1 x 1.
    let tf32 = format!("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {registers}");
    assert_eq!(uniform(&tf32, [0x3f80_1fff, 0x3f80_0000, 0]).0, 8f32.to_bits());
    // fp4 in a byte of its own stands in bits 2 to 5: 32 products of 1.5 x 6.
    let padded = format!("mma.sync.aligned.kind::f8f6f4.m16n8k32.row.col.f32.e2m1.e2m1.f32 {registers}");
    assert_eq!(uniform(&padded, [0x0c0c_0c0c, 0x1c1c_1c1c, 0]).0, 288f32.to_bits());
}

#[test]
fn scales_of_blocks_come_from_the_threads_and_bytes_that_are_named() {
    // Ones; in thread t of each four the scales are 2^t, 2^(t + 1), 2^t, 2^(t + 1).
    let body = |scales: &str, data: &str| {
        format!(
            "and.b32 %r10, %r0, 3; mov.u32 %r11, 0x22222222; {data} mov.f32 %f1, 0f00000000;
            mma.sync.aligned.{scales} {{%f5,%f6,%f7,%f8}}, {{%r11,%r11,%r11,%r11}}, {{%r11,%r11}}, {{%f1,%f1,%f1,%f1}}, {{%r12}}, SELECT_A, {{%r12}}, SELECT_B;
            mov.b64 %d9, {{%f5, %f7}}; st.global.b64 [%d0], %d9;"
        )
    };
    let powers = "mul.lo.u32 %r12, %r10, 0x01010101; add.u32 %r12, %r12, 0x807f807f;";
    let pairs = body("kind::mxf4.block_scale.scale_vec::2X.m16n8k64.row.col.f32.e2m1.e2m1.f32.ue8m0", powers);
    for (select, expected) in [
        (["{0, 0}", "{0, 0}"], [32.0 * (1.0 + 4.0), 32.0 * (2.0 + 8.0)]),
        (["{2, 1}", "{0, 3}"], [32.0 * (32.0 + 128.0), 32.0 * (64.0 + 256.0)]),
    ] {
        let body = pairs.replace("SELECT_A", select[0]).replace("SELECT_B", select[1]);
        let (out, count) = block(&body, 32, &[], 0).unwrap();
        let expected: [u32; 2] = expected.map(|value: f32| value.to_bits());
        assert!(
            out.iter().all(|pair| [*pair as u32, (pair >> 32) as u32] == expected),
            "{select:?} {out:x?}"
        );
        assert_eq!(count.of("mma.e2m1"), 2 * 16 * 8 * 64);
    }
    // Four scales of ue4m3: 2, 1, 2, 1.
    let fours = body(
        "kind::mxf4nvf4.block_scale.scale_vec::4X.m16n8k64.row.col.f32.e2m1.e2m1.f32.ue4m3",
        "mov.u32 %r12, 0x38403840;",
    );
    let (out, _) =
        block(&fours.replace("SELECT_A", "{0, 1}").replace("SELECT_B", "{0, 2}"), 32, &[], 0).unwrap();
    assert!(out.iter().all(|pair| *pair as u32 == (16f32 * 10.0).to_bits()), "{out:x?}");
    // One scale for 32 numbers of a byte each, the second byte; 0xff is NaN.
    let one = body(
        "kind::mxf8f6f4.block_scale.scale_vec::1X.m16n8k32.row.col.f32.e2m1.e2m1.f32.ue8m0",
        "mov.u32 %r11, 0x08080808; mov.u32 %r12, 0xff7f82ff;",
    );
    let found = |select: &str| {
        block(&one.replace("SELECT_A", select).replace("SELECT_B", "{2, 0}"), 32, &[], 0).unwrap().0[0] as u32
    };
    assert_eq!((found("{1, 0}"), found("{0, 0}")), ((32f32 * 8.0).to_bits(), 0x7fff_ffff));
}

#[test]
fn groups_of_asynchronous_copies_are_each_threads_own() {
    // Thread 0 has two groups and waits for the older; thread 1 has one, for which it does not wait.
    let body = |rest: &str| {
        format!(
            ".shared .align 16 .b8 s[64]; mov.u32 %r20, s; shl.b32 %r21, %r0, 5; add.u32 %r20, %r20, %r21; setp.eq.u32 %p1, %r0, 0;
            cp.async.ca.shared.global [%r20], [%d10], 8; cp.async.commit_group;
            @%p1 cp.async.ca.shared.global [%r20+16], [%d10+8], 8; @%p1 cp.async.commit_group;
            {rest} st.global.b64 [%d0], %d9;"
        )
    };
    let older = body("cp.async.wait_group 1; mov.u64 %d9, 0; @%p1 ld.shared.b64 %d9, [%r20];");
    assert_eq!(block(&older, 2, &[7, 8], 0).unwrap().0, [7, 0]);
    for early in ["@%p1 ld.shared.b64 %d9, [%r20+16];", "@!%p1 ld.shared.b64 %d9, [%r20];"] {
        let found = block(&body(&format!("cp.async.wait_group 1; {early}")), 2, &[7, 8], 0).unwrap_err();
        assert!(found.what.contains("before cp.async"), "{early}: {found}");
    }
    let all = body("cp.async.wait_group 0; ld.shared.b64 %d9, [%r20];");
    assert_eq!(block(&all, 2, &[7, 8], 0).unwrap().0, [7, 7]);
}

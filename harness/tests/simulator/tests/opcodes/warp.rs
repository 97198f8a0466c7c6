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

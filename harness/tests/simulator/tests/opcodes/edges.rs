//! Where instructions are easily got wrong: signed zeros, subnormals, infinities, NaN, widths, saturation.

use super::{block, fault, long, word};

const INF: u32 = 0x7f80_0000;
const NAN: u32 = 0x7fff_ffff;
const ONE: u32 = 0x3f80_0000;
const NEGATIVE: u32 = 0x8000_0000;

fn all(cases: &[(&str, &[u32], u32)]) {
    for (instruction, inputs, expected) in cases {
        let found = word(instruction, inputs);
        assert_eq!(found, *expected, "{instruction} {inputs:x?}: {found:#x}");
    }
}

#[test]
fn an_exact_zero_takes_its_sign_from_the_rounding() {
    all(&[
        ("add.rm.f32 %r9, %r1, %r2;", &[ONE, ONE | NEGATIVE], NEGATIVE),
        ("add.rn.f32 %r9, %r1, %r2;", &[ONE, ONE | NEGATIVE], 0),
        ("add.rp.f32 %r9, %r1, %r2;", &[ONE, ONE | NEGATIVE], 0),
        ("add.rz.f32 %r9, %r1, %r2;", &[ONE, ONE | NEGATIVE], 0),
        ("sub.rm.f32 %r9, %r1, %r2;", &[ONE, ONE], NEGATIVE),
        ("sub.rm.f32 %r9, %r1, %r2;", &[0, 0], NEGATIVE),
        ("add.rm.f32 %r9, %r1, %r2;", &[0, 0], 0),
        ("add.rm.f32 %r9, %r1, %r2;", &[0, NEGATIVE], NEGATIVE),
        ("add.rn.f32 %r9, %r1, %r2;", &[NEGATIVE, NEGATIVE], NEGATIVE),
        ("fma.rm.f32 %r9, %r1, %r2, %r3;", &[ONE, ONE, ONE | NEGATIVE], NEGATIVE),
        ("fma.rn.f32 %r9, %r1, %r2, %r3;", &[ONE, ONE, ONE | NEGATIVE], 0),
        ("mul.rm.f32 %r9, %r1, %r2;", &[ONE, 0], 0),
        ("mul.rn.f32 %r9, %r1, %r2;", &[ONE | NEGATIVE, 0], NEGATIVE),
        ("sqrt.rn.f32 %r9, %r1;", &[NEGATIVE], NEGATIVE),
    ]);
}

#[test]
fn infinities_and_nan_come_out_as_ieee_says_and_canonical() {
    all(&[
        ("div.rn.f32 %r9, %r1, %r2;", &[ONE, 0], INF),
        ("div.rn.f32 %r9, %r1, %r2;", &[ONE, NEGATIVE], INF | NEGATIVE),
        ("div.rn.f32 %r9, %r1, %r2;", &[0, 0], NAN),
        ("div.rn.f32 %r9, %r1, %r2;", &[INF, INF], NAN),
        ("rcp.rn.f32 %r9, %r1;", &[INF], 0),
        ("rcp.rn.f32 %r9, %r1;", &[NEGATIVE], INF | NEGATIVE),
        ("sqrt.rn.f32 %r9, %r1;", &[ONE | NEGATIVE], NAN),
        ("sqrt.rn.f32 %r9, %r1;", &[INF], INF),
        ("fma.rn.f32 %r9, %r1, %r2, %r3;", &[INF, 0, ONE], NAN),
        ("fma.rn.f32 %r9, %r1, %r2, %r3;", &[INF, ONE, INF | NEGATIVE], NAN),
        ("max.f32 %r9, %r1, %r2;", &[0x7fc0_0001, 0xffc0_0001], NAN),
        ("max.f32 %r9, %r1, %r2;", &[0x7fc0_0001, INF | NEGATIVE], INF | NEGATIVE),
        ("max.NaN.f32 %r9, %r1, %r2;", &[0x7fc0_0001, INF], NAN),
        ("add.rz.f32 %r9, %r1, %r2;", &[0x7f7f_ffff, 0x7f7f_ffff], 0x7f7f_ffff),
        ("add.rp.f32 %r9, %r1, %r2;", &[0xff7f_ffff, 0xff7f_ffff], 0xff7f_ffff),
        ("add.rm.f32 %r9, %r1, %r2;", &[0xff7f_ffff, 0xff7f_ffff], INF | NEGATIVE),
        ("fma.rn.sat.f32 %r9, %r1, %r2, %r3;", &[INF | NEGATIVE, ONE, 0], 0),
        ("add.f16x2 %r9, %r1, %r2;", &[0x7c00_7c00, 0xfc00_3c00], 0x7fff_7c00),
        ("fma.rn.relu.f16x2 %r9, %r1, %r2, %r3;", &[0x7e00_8000, 0x3c00_3c00, 0x0000_8000], 0x7fff_0000),
        ("mul.bf16x2 %r9, %r1, %r2;", &[0x7f80_7f7f, 0x0000_7f7f], 0x7fff_7f80),
    ]);
    let f64s = |op: &str, a: f64, b: f64| {
        f64::from_bits(long(&format!("{op}.f64 %d9, %d1, %d2;"), &[a.to_bits(), b.to_bits()]))
    };
    assert!(f64s("sub.rn", f64::INFINITY, f64::INFINITY).is_nan());
    assert_eq!(f64s("mul.rn", f64::MIN_POSITIVE, 0.5), f64::MIN_POSITIVE / 2.0);
    assert_eq!(f64s("min", f64::NAN, -1.0), -1.0);
}

#[test]
fn subnormals_are_kept_unless_flushed() {
    all(&[
        ("fma.rn.f32 %r9, %r1, %r2, %r3;", &[0x0080_0000, 0x3f00_0000, 1], 0x0040_0001),
        ("fma.rn.ftz.f32 %r9, %r1, %r2, %r3;", &[0x0080_0000, 0x3f00_0000, 1], 0),
        ("mul.rp.f32 %r9, %r1, %r2;", &[1, 1], 1),
        ("mul.rn.f32 %r9, %r1, %r2;", &[1, 0x3f00_0000], 0),
        ("mul.rn.f32 %r9, %r1, %r2;", &[3, 0x3f00_0000], 2),
        ("min.ftz.f32 %r9, %r1, %r2;", &[0x8000_0001, ONE], NEGATIVE),
        ("add.f16x2 %r9, %r1, %r2;", &[0x0001_03ff, 0x0001_0001], 0x0002_0400),
        ("add.ftz.f16x2 %r9, %r1, %r2;", &[0x0001_83ff, 0x0001_8000], 0x0000_8000),
        ("mul.bf16x2 %r9, %r1, %r2;", &[0x0080_0001, 0x3f00_3f00], 0x0040_0000),
        ("cvt.rn.f16.f32 %h1, %r1; mov.b32 %r9, {%h1, %h1};", &[0x3380_0000], 0x0001_0001),
        ("cvt.rn.f16.f32 %h1, %r1; mov.b32 %r9, {%h1, %h1};", &[0x3300_0000], 0),
        ("mov.b32 {%h1, %h2}, %r1; cvt.f32.f16 %r9, %h1;", &[0x0001], 0x3380_0000),
        ("cvt.ftz.f32.f32 %r9, %r1;", &[0x8000_0001], NEGATIVE),
    ]);
}

#[test]
fn conversions_clamp_at_both_ends() {
    all(&[
        ("cvt.rzi.s32.f32 %r9, %r1;", &[INF], 0x7fff_ffff),
        ("cvt.rzi.s32.f32 %r9, %r1;", &[INF | NEGATIVE], NEGATIVE),
        ("cvt.rzi.u32.f32 %r9, %r1;", &[0x4f80_0000], u32::MAX),
        ("cvt.rni.s32.f32 %r9, %r1;", &[(-2.5f32).to_bits()], -2i32 as u32),
        ("cvt.rni.s32.f32 %r9, %r1;", &[3.5f32.to_bits()], 4),
        ("cvt.sat.s8.s32 %r9, %r1; and.b32 %r9, %r9, 255;", &[-1000i32 as u32], 0x80),
        ("cvt.sat.u16.u32 %r9, %r1; and.b32 %r9, %r9, 0xffff;", &[0x0001_0000], 0xffff),
        ("cvt.rn.satfinite.e4m3x2.f32 %r9, %r1, %r2;", &[INF, NAN], 0x7e7f),
        ("cvt.rn.satfinite.e5m2x2.f32 %r9, %r1, %r2;", &[INF | NEGATIVE, 0x4780_0000], 0xfb7b),
        // 464 is halfway between 448, the greatest of e4m3, and what would be 480.
        ("cvt.rn.satfinite.e4m3x2.f32 %r9, %r1, %r2;", &[464f32.to_bits(), 2f32.powi(-10).to_bits()], 0x7e00),
        ("cvt.rn.satfinite.e4m3x2.f32 %r9, %r1, %r2;", &[(3.0 * 2f32.powi(-10)).to_bits(), 0], 0x0200),
        ("cvt.rn.bf16x2.f32 %r9, %r1, %r2;", &[0x3f80_8000, 0x3f81_8000], 0x3f80_3f82),
        ("cvt.rz.f16x2.f32 %r9, %r1, %r2;", &[1e6f32.to_bits(), (-1e6f32).to_bits()], 0x7bff_fbff),
        ("cvt.rn.f16x2.f32 %r9, %r1, %r2;", &[NAN, INF], 0x7fff_7c00),
    ]);
    assert_eq!(long("cvt.rzi.s64.f64 %d9, %d1;", &[1e19f64.to_bits()]), i64::MAX as u64);
    assert_eq!(long("cvt.rn.f64.u64 %d9, %d1;", &[u64::MAX]), 18_446_744_073_709_551_616f64.to_bits());
    // Two roundings would give another result: 2^53 + 2^29 + 1 in binary32.
    assert_eq!(
        long("cvt.rn.f32.u64 %r9, %d1; cvt.u64.u32 %d9, %r9;", &[(1 << 53) + (1 << 29) + 1]),
        0x5a00_0001
    );
}

#[test]
fn integers_at_the_ends_of_their_width() {
    all(&[
        ("div.s32 %r9, %r1, %r2;", &[NEGATIVE, u32::MAX], NEGATIVE),
        ("abs.s32 %r9, %r1;", &[NEGATIVE], NEGATIVE),
        ("clz.b32 %r9, %r1;", &[0], 32),
        ("popc.b32 %r9, %r1;", &[u32::MAX], 32),
        ("bfe.u32 %r9, %r1, 0, 0;", &[u32::MAX], 0),
        ("bfe.s32 %r9, %r1, 28, 8;", &[0x8000_0000], 0xffff_fff8),
        ("bfe.u32 %r9, %r1, 40, 8;", &[u32::MAX], 0),
        ("shf.l.wrap.b32 %r9, %r1, %r2, 32;", &[1, 2], 2),
        ("shf.r.wrap.b32 %r9, %r1, %r2, 0;", &[1, 2], 1),
        ("mul.hi.s32 %r9, %r1, %r2;", &[NEGATIVE, NEGATIVE], 0x4000_0000),
        ("max.s32 %r9, %r1, %r2;", &[NEGATIVE, 0], 0),
        ("min.u32 %r9, %r1, %r2;", &[u32::MAX, 0], 0),
        ("rem.u32 %r9, %r1, %r2;", &[7, 8], 7),
    ]);
    assert_eq!(long("shl.b64 %d9, %d1, 63;", &[3]), 1 << 63);
    assert_eq!(long("shl.b64 %d9, %d1, 64;", &[3]), 0);
    assert_eq!(long("shr.s64 %d9, %d1, 200;", &[1 << 63]), u64::MAX);
    assert_eq!(long("mul.hi.u64 %d9, %d1, %d2;", &[u64::MAX, u64::MAX]), u64::MAX - 1);
    assert_eq!(
        long("mad.wide.s32 %d9, %r1, %r2, %d3;", &[NEGATIVE.into(), NEGATIVE.into(), u64::MAX]),
        (1 << 62) - 1
    );
}

#[test]
fn an_address_must_be_a_multiple_of_the_whole_access() {
    let shared = ".shared .align 16 .b8 s[64]; mov.u32 %r10, s;";
    for (body, multiple) in [
        ("st.shared.u16 [%r10+1], %h1;", 2),
        ("st.shared.v4.u32 [%r10+8], {%r1, %r2, %r3, %r4};", 16),
        ("ld.shared.v2.u64 {%d1, %d2}, [%r10+8];", 16),
        ("ld.global.u32 %r1, [%d0+2];", 4),
        ("atom.shared.add.u64 %d1, [%r10+4], %d2;", 8),
        ("cp.async.cg.shared.global [%r10+8], [%d10], 16;", 16),
        ("cp.async.ca.shared.global [%r10], [%d10+4], 8;", 8),
        ("cp.async.ca.shared.global [%r10+2], [%d10], 4;", 4),
    ] {
        let found = fault(&format!("{shared} {body}"), 1);
        assert!(found.what.contains(&format!("multiple of {multiple}")), "{body}: {found}");
    }
    let rows =
        format!("{shared} add.u32 %r10, %r10, 8; ldmatrix.sync.aligned.m8n8.x1.shared.b16 {{%r1}}, [%r10];");
    assert!(fault(&rows, 32).what.contains("multiple of 16"));
}

#[test]
fn instructions_between_lanes_want_all_their_members() {
    let elected = block(
        "elect.sync %r12|%p1, -1; selp.b32 %r13, 100, 0, %p1; add.u32 %r13, %r13, %r12; cvt.u64.u32 %d9, %r13; st.global.b64 [%d0], %d9;",
        32,
        &[],
        0,
    );
    let elected = elected.unwrap().0;
    assert_eq!((elected[0], elected[1], elected[31]), (100, 0, 0));
    let upper = "setp.lt.u32 %p1, %r0, 8; @%p1 bra END; ";
    for (body, what) in [
        ("elect.sync _|%p2, -1; END: ret;", "elect.sync without all"),
        ("bar.warp.sync 0xffffffff; END: bar.warp.sync 0xffffffff;", "bar.warp.sync without all"),
        ("shfl.sync.idx.b32 %r12, %r0, 3, 31, 0xffffff00; END: bar.warp.sync -1;", "not active"),
        ("setmaxnreg.dec.sync.aligned.u32 24; END: bar.warp.sync -1;", ""),
    ] {
        let found = fault(&format!("{upper} {body}"), 32);
        assert!(found.what.contains(what), "{body}: {found}");
    }
    let part = format!(
        "{upper} shfl.sync.idx.b32 %r12, %r0, 9, 31, 0xffffff00; END: cvt.u64.u32 %d9, %r12; st.global.b64 [%d0], %d9;"
    );
    assert_eq!(block(&part, 32, &[], 0).unwrap().0[31], 9);
}

//! Arithmetic, conversions and comparisons of one thread.

use super::{block, long, word};

#[test]
fn integer_instructions_wrap_shift_and_select_as_specified() {
    let cases: &[(&str, &[u32], u32)] = &[
        ("add.s32 %r9, %r1, %r2;", &[0x7fff_ffff, 1], 0x8000_0000),
        ("sub.u32 %r9, %r1, %r2;", &[0, 1], u32::MAX),
        ("mul.lo.s32 %r9, %r1, %r2;", &[0xffff_ffff, 5], 0xffff_fffb),
        ("mul.hi.u32 %r9, %r1, %r2;", &[0xffff_ffff, 0xffff_ffff], 0xffff_fffe),
        ("mul.hi.s32 %r9, %r1, %r2;", &[0xffff_ffff, 0xffff_ffff], 0),
        ("mad.lo.s32 %r9, %r1, %r2, %r3;", &[3, 4, 0xffff_ffff], 11),
        ("div.s32 %r9, %r1, %r2;", &[-7i32 as u32, 2], -3i32 as u32),
        ("div.u32 %r9, %r1, %r2;", &[0xffff_fff9, 2], 0x7fff_fffc),
        ("rem.s32 %r9, %r1, %r2;", &[-7i32 as u32, 2], -1i32 as u32),
        ("min.s32 %r9, %r1, %r2;", &[0x8000_0000, 1], 0x8000_0000),
        ("min.u32 %r9, %r1, %r2;", &[0x8000_0000, 1], 1),
        ("neg.s32 %r9, %r1;", &[0x8000_0000], 0x8000_0000),
        ("abs.s32 %r9, %r1;", &[0xffff_fffe], 2),
        ("shl.b32 %r9, %r1, %r2;", &[1, 32], 0),
        ("shl.b32 %r9, %r1, %r2;", &[1, 31], 0x8000_0000),
        ("shr.u32 %r9, %r1, %r2;", &[0x8000_0000, 40], 0),
        ("shr.s32 %r9, %r1, %r2;", &[0x8000_0000, 40], u32::MAX),
        ("lop3.b32 %r9, %r1, %r2, %r3, 0x96;", &[0xf0, 0xcc, 0xaa], 0x96),
        ("prmt.b32 %r9, %r1, %r2, 0x7531;", &[0x3322_1100, 0x7766_5544], 0x7755_3311),
        ("prmt.b32 %r9, %r1, %r2, 0x0008;", &[0x80, 0], 0x8080_80ff),
        ("bfe.u32 %r9, %r1, 4, 8;", &[0xabcd_ef12], 0xf1),
        ("bfe.s32 %r9, %r1, 4, 8;", &[0xabcd_ef12], 0xffff_fff1),
        ("bfi.b32 %r9, %r1, %r2, 3, 6;", &[0xffff_ffea, 0xffff_ffff], 0xffff_ff57),
        ("bfi.b32 %r9, %r1, %r2, 28, 8;", &[0xff5, 0x1234_5678], 0x5234_5678),
        ("bfi.b32 %r9, %r1, %r2, %r3, 0;", &[0xff5, 0x1234_5678, 4], 0x1234_5678),
        ("popc.b32 %r9, %r1;", &[0xf0f0_0001], 9),
        ("clz.b32 %r9, %r1;", &[0x0000_8000], 16),
        ("shf.l.wrap.b32 %r9, %r1, %r2, 8;", &[0x1122_3344, 0xaabb_ccdd], 0xbbcc_dd11),
        ("shf.r.wrap.b32 %r9, %r1, %r2, 40;", &[0x1122_3344, 0xaabb_ccdd], 0xdd11_2233),
        ("not.b32 %r9, %r1;", &[0x0f0f_0f0f], 0xf0f0_f0f0),
    ];
    for (instruction, inputs, expected) in cases {
        let found = word(instruction, inputs);
        assert_eq!(found, *expected, "{instruction} {inputs:x?}: {found:#x}");
    }
    assert_eq!(long("mul.wide.s32 %d9, %r1, %r2;", &[0xffff_ffff, 3]), -3i64 as u64);
    assert_eq!(long("mul.wide.u32 %d9, %r1, %r2;", &[0xffff_ffff, 3]), 0x2_ffff_fffd);
    assert_eq!(long("mad.wide.u32 %d9, %r1, %r2, %d3;", &[0xffff_ffff, 2, 2]), 0x2_0000_0000);
}

#[test]
fn binary32_is_rounded_once_flushed_and_saturated_by_modifier() {
    let (tiny, least, nan) = (0x0000_0001, 0x0080_0000, 0x7fc1_2345);
    let cases: &[(&str, &[u32], u32)] = &[
        // 1 + 2^-24 is a tie; + 2^-23 is the next number.
        ("add.rn.f32 %r9, %r1, %r2;", &[0x3f80_0000, 0x3380_0000], 0x3f80_0000),
        ("add.rp.f32 %r9, %r1, %r2;", &[0x3f80_0000, 0x3380_0000], 0x3f80_0001),
        ("add.rz.f32 %r9, %r1, %r2;", &[0x3f80_0000, 0xb380_0000], 0x3f7f_ffff),
        ("add.rm.f32 %r9, %r1, %r2;", &[0x3f80_0000, 0x0000_0001], 0x3f80_0000),
        ("add.rp.f32 %r9, %r1, %r2;", &[0x3f80_0000, 0x0000_0001], 0x3f80_0001),
        // Subnormals.
        ("add.f32 %r9, %r1, %r2;", &[tiny, tiny], 2),
        ("add.ftz.f32 %r9, %r1, %r2;", &[tiny, tiny], 0),
        ("mul.ftz.f32 %r9, %r1, %r2;", &[0x8080_0000, 0x3f00_0000], 0x8000_0000),
        ("mul.f32 %r9, %r1, %r2;", &[least, 0x3f00_0000], 0x0040_0000),
        // Infinities and NaN: a NaN result is canonical.
        ("add.f32 %r9, %r1, %r2;", &[0x7f80_0000, 0xff80_0000], 0x7fff_ffff),
        ("mul.f32 %r9, %r1, %r2;", &[0x7f80_0000, 0], 0x7fff_ffff),
        ("add.f32 %r9, %r1, %r2;", &[nan, 0x3f80_0000], 0x7fff_ffff),
        ("mul.f32 %r9, %r1, %r2;", &[0x7f7f_ffff, 0x4000_0000], 0x7f80_0000),
        ("mul.rz.f32 %r9, %r1, %r2;", &[0x7f7f_ffff, 0x4000_0000], 0x7f7f_ffff),
        // fma keeps what mul and add would lose: (1 + 2^-23)^2 - (1 + 2^-22) = 2^-46.
        ("fma.rn.f32 %r9, %r1, %r2, %r3;", &[0x3f80_0001, 0x3f80_0001, 0xbf80_0002], 0x2880_0000),
        ("fma.rn.ftz.f32 %r9, %r1, %r2, %r3;", &[tiny, 0x3f80_0000, 0], 0),
        ("fma.rn.sat.f32 %r9, %r1, %r2, %r3;", &[0x4000_0000, 0x4000_0000, 0], 0x3f80_0000),
        ("add.sat.f32 %r9, %r1, %r2;", &[nan, 0], 0),
        ("add.sat.f32 %r9, %r1, %r2;", &[0xbf80_0000, 0], 0),
        // A NaN gives way, -0 is less than +0.
        ("min.f32 %r9, %r1, %r2;", &[nan, 0x3f80_0000], 0x3f80_0000),
        ("min.NaN.f32 %r9, %r1, %r2;", &[nan, 0x3f80_0000], 0x7fff_ffff),
        ("max.f32 %r9, %r1, %r2;", &[0x8000_0000, 0], 0),
        ("min.f32 %r9, %r1, %r2;", &[0, 0x8000_0000], 0x8000_0000),
        ("neg.f32 %r9, %r1;", &[0], 0x8000_0000),
        ("abs.f32 %r9, %r1;", &[0xbf80_0000], 0x3f80_0000),
        ("div.rn.f32 %r9, %r1, %r2;", &[0x3f80_0000, 0x4040_0000], 0x3eaa_aaab),
        ("sqrt.rn.f32 %r9, %r1;", &[0x4000_0000], 0x3fb5_04f3),
    ];
    for (instruction, inputs, expected) in cases {
        let found = word(instruction, inputs);
        assert_eq!(found, *expected, "{instruction} {inputs:x?}: {found:#x}");
    }
}

#[test]
fn packed_and_double_arithmetic_work_on_their_own_parts() {
    // 65504 + 65504 overflows the upper half only; 1 + 2^-11 + 2^-22 needs one rounding.
    assert_eq!(word("add.f16x2 %r9, %r1, %r2;", &[0x7bff_3c00, 0x7bff_3c00]), 0x7c00_4000);
    assert_eq!(
        word("fma.rn.f16x2 %r9, %r1, %r2, %r3;", &[0x3c01_3c00, 0x3c01_3c00, 0xbc02_0001]),
        0x0010_3c00
    );
    assert_eq!(word("fma.rn.relu.f16x2 %r9, %r1, %r2, %r3;", &[0xbc00_3c00, 0x3c00_3c00, 0]), 0x0000_3c00);
    assert_eq!(
        word("fma.rn.bf16x2 %r9, %r1, %r2, %r3;", &[0x3f80_4000, 0x3f80_4000, 0x3f80_0000]),
        0x4000_4080
    );
    assert_eq!(word("fma.rn.bf16x2 %r9, %r1, %r2, %r3;", &[0x7f80_0000, 0, 0]), 0x7fff_0000);
    let packed = |low: f32, high: f32| u64::from(high.to_bits()) << 32 | u64::from(low.to_bits());
    let inputs = [packed(1.5, -2.0), packed(2.0, 3.0), packed(0.25, 1.0)];
    assert_eq!(long("fma.rn.f32x2 %d9, %d1, %d2, %d3;", &inputs), packed(3.25, -5.0));
    let third = [1.0f64.to_bits(), 3.0f64.to_bits(), 0];
    assert_eq!(long("div.rn.f64 %d9, %d1, %d2;", &third), 0x3fd5_5555_5555_5555);
    let edge = [0x3ff0_0000_0000_0001, 0x3ff0_0000_0000_0001, 0xbff0_0000_0000_0002];
    assert_eq!(f64::from_bits(long("fma.rn.f64 %d9, %d1, %d2, %d3;", &edge)), 2f64.powi(-104));
}

#[test]
fn conversions_round_saturate_and_clamp() {
    let cases: &[(&str, &[u32], u32)] = &[
        ("cvt.rni.s32.f32 %r9, %r1;", &[2.5f32.to_bits()], 2),
        ("cvt.rzi.s32.f32 %r9, %r1;", &[(-2.9f32).to_bits()], -2i32 as u32),
        ("cvt.rmi.s32.f32 %r9, %r1;", &[(-2.1f32).to_bits()], -3i32 as u32),
        ("cvt.rpi.s32.f32 %r9, %r1;", &[2.1f32.to_bits()], 3),
        ("cvt.rzi.s32.f32 %r9, %r1;", &[3e9f32.to_bits()], 0x7fff_ffff),
        ("cvt.rzi.u32.f32 %r9, %r1;", &[(-1f32).to_bits()], 0),
        ("cvt.rzi.s32.f32 %r9, %r1;", &[0x7fc0_0000], 0),
        ("cvt.rn.f32.s32 %r9, %r1;", &[0x0100_0001], 0x4b80_0000),
        ("cvt.rp.f32.s32 %r9, %r1;", &[0x0100_0001], 0x4b80_0001),
        ("cvt.rn.f32.s32 %r9, %r1;", &[-3i32 as u32], (-3f32).to_bits()),
        ("cvt.rn.f32.u32 %r9, %r1;", &[u32::MAX], 0x4f80_0000),
        ("cvt.rna.tf32.f32 %r9, %r1;", &[0x3f80_1000], 0x3f80_2000),
        ("cvt.rn.tf32.f32 %r9, %r1;", &[0x3f80_1000], 0x3f80_0000),
        ("cvt.rn.f16x2.f32 %r9, %r1, %r2;", &[2f32.to_bits(), 65520f32.to_bits()], 0x4000_7c00),
        ("cvt.rz.bf16x2.f32 %r9, %r1, %r2;", &[0x3f80_ffff, 0xbf80_ffff], 0x3f80_bf80),
        ("cvt.rn.satfinite.e4m3x2.f32 %r9, %r1, %r2;", &[1e6f32.to_bits(), 0x3f80_0000], 0x7e38),
        ("cvt.sat.u8.s32 %r9, %r1;", &[-5i32 as u32], 0),
        ("cvt.sat.u8.s32 %r9, %r1;", &[300], 255),
        ("cvt.u16.u32 %r9, %r1;", &[0x0001_2345], 0x2345),
        ("cvt.s32.s8 %r9, %r1;", &[0x80], 0xffff_ff80),
    ];
    for (instruction, inputs, expected) in cases {
        let found = word(instruction, inputs);
        assert_eq!(found, *expected, "{instruction} {inputs:x?}: {found:#x}");
    }
    assert_eq!(long("cvt.s64.s32 %d9, %r1;", &[0x8000_0000]), 0xffff_ffff_8000_0000);
    assert_eq!(long("cvt.rn.f64.s64 %d9, %d1;", &[-1i64 as u64]), (-1f64).to_bits());
}

#[test]
fn comparisons_know_nan_and_combine_with_a_predicate() {
    let test = |comparison: &str, a: u32, b: u32| {
        word(&format!("setp.{comparison} %p1, %r1, %r2; selp.b32 %r9, 1, 0, %p1;"), &[a, b])
    };
    let nan = 0x7fc0_0000;
    assert_eq!((test("lt.f32", nan, 0), test("ltu.f32", nan, 0), test("ne.f32", nan, nan)), (0, 1, 0));
    assert_eq!((test("neu.f32", nan, nan), test("nan.f32", nan, 0), test("num.f32", 0, 0)), (1, 1, 1));
    assert_eq!(
        (test("eq.f32", 0, 0x8000_0000), test("lt.s32", u32::MAX, 0), test("lo.u32", u32::MAX, 0)),
        (1, 1, 0)
    );
    let both = "setp.eq.u32 %p1, %r1, %r1; setp.lt.and.u32 %p2|%p3, %r1, %r2, !%p1; selp.b32 %r9, 2, 1, %p2; @%p3 add.u32 %r9, %r9, 4;";
    assert_eq!(word(both, &[1, 2]), 1);
}

#[test]
fn only_products_and_sums_are_counted() {
    let body = "fma.rn.f32 %f1, %f2, %f3, %f4; mul.f32 %f1, %f1, %f2; max.f32 %f1, %f1, %f2; fma.rn.f16x2 %r1, %r2, %r3, %r4; mad.lo.s32 %r1, %r2, %r3, %r4;";
    let count = block(body, 40, &[], 0).unwrap().1;
    assert_eq!(
        (count.of("fma.f32"), count.of("mul.f32"), count.of("fma.f16x2"), count.of("")),
        (80, 40, 160, 280)
    );
}

#[test]
fn a_table_of_lop3_gives_itself_where_its_operands_count_through_it() {
    // PTX ISA, lop3: the table is what the function makes of 0xf0, 0xcc and 0xaa.
    for table in [0x01, 0x02, 0x10, 0x40, 0x80, 0x96, 0xca, 0xe2, 0x2d, 0xff, 0x00] {
        let instruction = format!("lop3.b32 %r9, %r1, %r2, %r3, {table:#x};");
        assert_eq!(word(&instruction, &[0xf0, 0xcc, 0xaa]) & 0xff, table, "{table:#x}");
    }
}

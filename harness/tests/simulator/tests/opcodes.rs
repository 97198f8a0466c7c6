//! Each instruction against results worked out by hand from the PTX specification.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flopgauge_simulator::launch::{Count, Fault, Frame, load, run};
use flopgauge_simulator::memory::{Global, Violation};

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

#[test]
fn only_products_and_sums_are_counted() {
    let body = "fma.rn.f32 %f1, %f2, %f3, %f4; mul.f32 %f1, %f1, %f2; max.f32 %f1, %f1, %f2; fma.rn.f16x2 %r1, %r2, %r3, %r4; mad.lo.s32 %r1, %r2, %r3, %r4;";
    let count = block(body, 40, &[], 0).unwrap().1;
    assert_eq!(
        (count.of("fma.f32"), count.of("mul.f32"), count.of("fma.f16x2"), count.of("")),
        (80, 40, 160, 280)
    );
}

//! Matrix instructions of a warpgroup.

use half::{bf16, f16};

use super::{Given, run_with};

/// An operand's rows of 32 bytes, along K, as a swizzle over `span` bytes wants them; none over 16.
fn along_k(rows: &[[u8; 32]], span: usize) -> Vec<u8> {
    let mut bytes = vec![0; rows.len().next_multiple_of(8) * span.max(32)];
    for (row, values) in rows.iter().enumerate() {
        for (i, value) in values.iter().enumerate() {
            let (group, within) = (row / 8, row % 8);
            let at = match span {
                // Core matrices of 8 rows and 16 bytes: two to a group of rows, one behind the other.
                16 => group * 256 + i / 16 * 128 + within * 16 + i % 16,
                _ => {
                    let line = group * 8 + within;
                    // 128 bytes of rows have their chunks changed alike.
                    let turn = line * span / 128 % (span / 16);
                    line * span + ((i / 16) ^ turn) * 16 + i % 16
                }
            };
            bytes[at] = *value;
        }
    }
    bytes
}

/// 16 rows of K, 64 numbers of 16 bits each, swizzled over 128 bytes.
fn across_k(values: impl Fn(usize, usize) -> u16) -> Vec<u8> {
    let mut bytes = vec![0; 2048];
    for k in 0..16 {
        for m in 0..64 {
            let at = k * 128 + ((m / 8) ^ (k % 8)) * 16 + m % 8 * 2;
            bytes[at..at + 2].copy_from_slice(&values(m, k).to_le_bytes());
        }
    }
    bytes
}

fn descriptor(at: u64, leading: u64, stride: u64, swizzle: u64) -> u64 {
    at >> 4 | leading >> 4 << 16 | stride >> 4 << 32 | swizzle << 62
}

/// Copies %r3 times 16 bytes to shared memory; descriptors of what begins there, plus %d1 and %d2, in %d1 and %d2.
const FILL: &str = "mov.u32 %r20, dynamic; mov.u32 %r21, %r0; FILL: setp.ge.u32 %p1, %r21, %r3; @%p1 bra FILLED;
    mul.wide.u32 %d14, %r21, 16; add.s64 %d14, %d14, %d12; ld.global.v2.b64 {%d15, %d16}, [%d14]; shl.b32 %r22, %r21, 4;
    add.u32 %r22, %r22, %r20; st.shared.v2.b64 [%r22], {%d15, %d16}; add.u32 %r21, %r21, 128; bra FILL; FILLED:
    shr.u32 %r20, %r20, 4; cvt.u64.u32 %d14, %r20; add.s64 %d1, %d1, %d14; add.s64 %d2, %d2, %d14;
    mov.f32 %f1, 0f40000000; mov.f32 %f2, %f1; mov.f32 %f3, %f1; mov.f32 %f4, %f1; setp.eq.u32 %p2, %r4, 1;
    fence.proxy.async; bar.sync 0; wgmma.fence.sync.aligned;\n";
const WAIT: &str = "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;\n";
const SHOW: &str = "mov.b64 %d9, {%f1, %f2}; setp.eq.u32 %p3, %r5, 1; @%p3 mov.b64 %d9, {%f3, %f4}; st.global.b64 [%d0], %d9;";

struct Tiles {
    bytes: Vec<u8>,
    descriptors: [u64; 2],
}

fn tiles(a: Vec<u8>, b: Vec<u8>, [first, second]: [(u64, u64, u64); 2]) -> Tiles {
    let at = a.len().next_multiple_of(1024);
    let mut bytes = a;
    bytes.resize(at, 0);
    bytes.extend(b);
    let descriptors =
        [descriptor(0, first.0, first.1, first.2), descriptor(at as u64, second.0, second.1, second.2)];
    Tiles { bytes, descriptors }
}

type Found = Result<Vec<[u32; 2]>, Box<flopgauge_simulator::launch::Fault>>;

fn run(body: &str, tiles: &Tiles, [adds, half]: [u64; 2], seed: u64) -> Found {
    let [a, b] = tiles.descriptors;
    let inputs = [a, b, tiles.bytes.len() as u64 / 16, adds, half];
    let dynamic = tiles.bytes.len() as u32;
    let given =
        Given { threads: 128, inputs: &inputs, seed, data: &tiles.bytes, dynamic, ..Given::default() };
    let (out, _) = run_with(body, given)?;
    Ok(out.iter().map(|pair| [*pair as u32, (pair >> 32) as u32]).collect())
}

/// D as it lies in the registers: [row][column] of 64 by 8.
fn gathered(instruction: &str, tiles: &Tiles, adds: bool) -> Vec<[u32; 8]> {
    let mut d = vec![[0; 8]; 64];
    for half in 0..2 {
        let body = format!("{FILL} {instruction} {WAIT} {SHOW}");
        let found = run(&body, tiles, [u64::from(adds), half], 3 + half).unwrap();
        for (thread, pair) in found.iter().enumerate() {
            let row = thread / 32 * 16 + thread % 32 / 4 + 8 * half as usize;
            d[row][thread % 4 * 2..][..2].copy_from_slice(pair);
        }
    }
    d
}

fn left(row: usize, k: usize) -> i32 {
    ((row * 5 + k * 3) % 13) as i32 - 6
}

fn right(k: usize, column: usize) -> i32 {
    ((column * 7 + k * 2) % 11) as i32 - 5
}

fn exact(row: usize, column: usize, k: usize) -> i32 {
    (0..k).map(|k| left(row, k) * right(k, column)).sum()
}

/// Rows of 32 bytes of an operand whose numbers have so many bytes.
fn rows<const N: usize>(count: usize, number: impl Fn(usize, usize) -> [u8; N]) -> Vec<[u8; 32]> {
    let row = |row| {
        let mut bytes = [0; 32];
        bytes.chunks_mut(N).enumerate().for_each(|(k, place)| place.copy_from_slice(&number(row, k)));
        bytes
    };
    (0..count).map(row).collect()
}

fn half_rows() -> [Vec<[u8; 32]>; 2] {
    let bits = |value: i32| f16::from_f32(value as f32).to_le_bytes();
    [rows(64, |row, k| bits(left(row, k))), rows(8, |column, k| bits(right(k, column)))]
}

/// Of the four layouts along K: span, leading offset, stride offset, code.
const SPANS: [(usize, u64, u64, u64); 4] =
    [(16, 128, 256, 0), (32, 16, 256, 3), (64, 16, 512, 2), (128, 16, 1024, 1)];
const HALF: &str =
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f1,%f2,%f3,%f4}, %d1, %d2, %p2, 1, 1, 0, 0;";

#[test]
fn every_swizzle_gives_the_product_and_scales_change_it() {
    let [a, b] = half_rows();
    for (span, leading, stride, code) in SPANS {
        let layout = (leading, stride, code);
        let tiles = tiles(along_k(&a, span), along_k(&b, span), [layout; 2]);
        for (adds, sign, text) in [(false, 1, "1, 1"), (true, 1, "-1, -1"), (true, -1, "1, -1")] {
            let found = gathered(&HALF.replace("1, 1,", &format!("{text},")), &tiles, adds);
            for (row, values) in found.iter().enumerate() {
                for (column, bits) in values.iter().enumerate() {
                    let sum = sign * exact(row, column, 16) + if adds { 2 } else { 0 };
                    assert_eq!(f32::from_bits(*bits), sum as f32, "{span}: {row} {column}");
                }
            }
        }
    }
}

#[test]
fn an_operand_may_lie_across_k() {
    let [_, b] = half_rows();
    let a = across_k(|m, k| f16::from_f32(left(m, k) as f32).to_bits());
    let tiles = tiles(a, along_k(&b, 16), [(16, 1024, 1), (128, 256, 0)]);
    let found = gathered(&HALF.replace("0, 0;", "1, 0;"), &tiles, false);
    for (row, values) in found.iter().enumerate() {
        let expected: Vec<u32> = (0..8).map(|column| (exact(row, column, 16) as f32).to_bits()).collect();
        assert_eq!(values[..], expected, "{row}");
    }
}

#[test]
fn each_format_is_read_as_it_is_meant() {
    let layouts = [(128, 256, 0); 2];
    let float = |value: i32| (value as f32).to_le_bytes();
    let short = |value: i32| bf16::from_f32(value as f32).to_le_bytes();
    // Whole numbers of magnitude 0 to 6 in e4m3 and e5m2.
    let small = |value: i32, codes: [u8; 7]| {
        [codes[value.unsigned_abs() as usize] | if value < 0 { 0x80 } else { 0 }]
    };
    let e4m3 = |value: i32| small(value, [0, 0x38, 0x40, 0x44, 0x48, 0x4a, 0x4c]);
    let e5m2 = |value: i32| small(value, [0, 0x3c, 0x40, 0x42, 0x44, 0x45, 0x46]);
    let cases = [
        ("k8.f32.tf32.tf32", rows(64, |r, k| float(left(r, k))), rows(8, |c, k| float(right(k, c))), 8),
        ("k16.f32.bf16.bf16", rows(64, |r, k| short(left(r, k))), rows(8, |c, k| short(right(k, c))), 16),
        ("k32.f32.e4m3.e5m2", rows(64, |r, k| e4m3(left(r, k))), rows(8, |c, k| e5m2(right(k, c))), 32),
        ("k32.s32.s8.s8", rows(64, |r, k| [left(r, k) as u8]), rows(8, |c, k| [right(k, c) as u8]), 32),
        (
            "k32.s32.u8.s8",
            rows(64, |r, k| [(left(r, k) + 250) as u8]),
            rows(8, |c, k| [right(k, c) as u8]),
            32,
        ),
    ];
    for (name, a, b, k) in cases {
        let tiles = tiles(along_k(&a, 16), along_k(&b, 16), layouts);
        let rest = if name.contains("s32") {
            ""
        } else if k == 16 {
            ", 1, 1, 0, 0"
        } else {
            ", 1, 1"
        };
        let instruction =
            format!("wgmma.mma_async.sync.aligned.m64n8{name} {{%f1,%f2,%f3,%f4}}, %d1, %d2, %p2{rest};");
        for (row, values) in gathered(&instruction, &tiles, false).iter().enumerate() {
            for (column, bits) in values.iter().enumerate() {
                let whole = if name.contains("u8") {
                    (0..k).map(|k| i32::from((left(row, k) + 250) as u8) * right(k, column)).sum()
                } else {
                    exact(row, column, k)
                };
                let found = if name.contains("s32") { *bits as i32 } else { f32::from_bits(*bits) as i32 };
                assert_eq!(found, whole, "{name}: {row} {column}");
            }
        }
    }
}

#[test]
fn sums_in_halves_stand_two_to_a_register() {
    let [a, b] = half_rows();
    let tiles = tiles(along_k(&a, 16), along_k(&b, 16), [(128, 256, 0); 2]);
    let instruction =
        "wgmma.mma_async.sync.aligned.m64n8k16.f16.f16.f16 {%f1,%f2}, %d1, %d2, %p2, 1, 1, 0, 0;";
    let found = run(&format!("{FILL} {instruction} {WAIT} {SHOW}"), &tiles, [0, 0], 1).unwrap();
    for (thread, words) in found.iter().enumerate() {
        for (half, word) in words.iter().enumerate() {
            let (row, column) = (thread / 32 * 16 + thread % 32 / 4 + 8 * half, thread % 4 * 2);
            let pair = [0, 1].map(|i| f16::from_f32(exact(row, column + i, 16) as f32).to_bits());
            assert_eq!(*word, u32::from(pair[1]) << 16 | u32::from(pair[0]), "{row} {column}");
        }
    }
}

#[test]
fn what_the_specification_leaves_undefined_is_a_fault() {
    let [a, b] = half_rows();
    let tiles = tiles(along_k(&a, 16), along_k(&b, 16), [(128, 256, 0); 2]);
    let body = format!("{FILL} {HALF} {WAIT} {SHOW}");
    let early = "wgmma.commit_group.sync.aligned; mov.f32 %f5, %f1; wgmma.wait_group.sync.aligned 0;\n";
    let part = HALF.replace("{%f1,%f2,%f3,%f4}", "{%f2,%f3,%f4,%f5}");
    for (part, instead, what) in [
        ("wgmma.fence.sync.aligned;", "", "since the last wgmma.fence"),
        (
            "wgmma.fence.sync.aligned;",
            "wgmma.fence.sync.aligned; mov.f32 %f3, %f2;",
            "since the last wgmma.fence",
        ),
        (WAIT, early, "before wgmma.wait_group"),
        (
            WAIT,
            "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 1;",
            "before wgmma.wait_group",
        ),
        (WAIT, "wgmma.wait_group.sync.aligned 0;", "before wgmma.wait_group"),
        (WAIT, &format!("{part} {WAIT}"), "on a part of the registers"),
        (WAIT, "ret;", "ends while its wgmma"),
        ("fence.proxy.async;", "", "no fence.proxy.async"),
        ("fence.proxy.async; bar.sync 0;", "bar.sync 0; fence.proxy.async;", ""),
        ("bar.sync 0;", "", "race"),
        (
            WAIT,
            "wgmma.commit_group.sync.aligned; mov.u32 %r20, dynamic; st.shared.u32 [%r20], 0; wgmma.wait_group.sync.aligned 0;",
            "race",
        ),
        (
            HALF,
            "setp.lt.u32 %p4, %r0, 32; @%p4 bra SKIP; wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f1,%f2,%f3,%f4}, %d1, %d2, %p2, 1, 1, 0, 0; SKIP:",
            "nobody will complete",
        ),
        (
            HALF,
            "setp.lt.u32 %p4, %r0, 8; @%p4 wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f1,%f2,%f3,%f4}, %d1, %d2, %p2, 1, 1, 0, 0;",
            "lanes",
        ),
        (HALF, &HALF.replace("%d2,", "%d0,"), "another operand in some lanes"),
        (
            HALF,
            &format!("shr.u32 %r30, %r0, 5; cvt.u64.u32 %d15, %r30; add.s64 %d2, %d2, %d15; {HALF}"),
            "different wgmma",
        ),
        (HALF, &format!("or.b64 %d2, %d2, 0x4000; {HALF}"), "wgmma descriptor"),
        (HALF, &format!("add.s64 %d2, %d2, 0x1000; {HALF}"), "shared access"),
        (HALF, &format!("setmaxnreg.inc.sync.aligned.u32 256; {HALF}"), ""),
    ] {
        let changed = body.replace(part, instead);
        assert_ne!(changed, body);
        for seed in 0..8 {
            let found = run(&changed, &tiles, [0, 0], seed);
            if what.is_empty() {
                assert!(found.is_ok(), "{instead}: {found:?}");
            } else {
                let fault = found.unwrap_err();
                assert!(fault.what.contains(what), "{instead}: {fault}");
            }
        }
    }
}

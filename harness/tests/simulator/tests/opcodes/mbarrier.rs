//! Barrier objects and copies of tiles.

use flopgauge_simulator::memory::Violation;
use flopgauge_simulator::tensor_map::{Swizzle, TensorMap};

use super::{Given, block, run_with};

/// Thread 0 makes a barrier of `count` arrivals, and all go on.
fn made(count: u32) -> String {
    format!(
        ".shared .align 8 .b64 bar; .shared .align 16 .b8 s[1024]; shl.b32 %r20, %r0, 2; mov.u32 %r21, s;
        add.u32 %r20, %r20, %r21; setp.eq.u32 %p1, %r0, 0; @%p1 mbarrier.init.shared::cta.b64 [bar], {count}; bar.sync 0;\n"
    )
}

const WAIT: &str = "W: mbarrier.try_wait.parity.shared::cta.b64 %p2, [bar], 0; @!%p2 bra W;\n";
const SHOW: &str = "cvt.u64.u32 %d9, %r23; st.global.b64 [%d0], %d9;";

#[test]
fn what_comes_before_an_arrival_comes_before_what_follows_the_wait() {
    // The second warp writes, arrives 32 times, and the first reads.
    let body = |arrive: &str, wait: &str| {
        format!(
            "{} setp.ge.u32 %p3, %r0, 32; @!%p3 bra READ; st.shared.u32 [%r20], %r0; {arrive} bra END;
            READ: {wait} ld.shared.u32 %r23, [%r20+128]; {SHOW} END: ret;",
            made(32)
        )
    };
    let arrive = "mbarrier.arrive.shared::cta.b64 _, [bar];";
    for seed in 0..20 {
        let (out, _) = block(&body(arrive, WAIT), 64, &[], seed).unwrap();
        assert_eq!((out[0], out[31]), (32, 63));
        let raced = block(&body(arrive, ""), 64, &[], seed).unwrap_err();
        assert!(raced.what.contains("race") || raced.what.contains("never written"), "{raced}");
        // The other parity's phase has ended before, or will never end.
        let other = block(&body(arrive, &WAIT.replace("], 0", "], 1")), 64, &[], seed).unwrap_err();
        let what = ["race", "never written", "nobody will complete"];
        assert!(what.iter().any(|what| other.what.contains(what)), "{other}");
    }
    let never = block(&body("", WAIT), 64, &[], 0).unwrap_err();
    assert!(never.what.contains("nobody will complete"), "{never}");
    // One loop without a retry reads too early under some seed.
    let hasty = WAIT.replace("@!%p2 bra W;", "");
    assert!((0..200).any(|seed| block(&body(arrive, &hasty), 64, &[], seed).is_err()));
}

#[test]
fn a_state_names_the_phase_that_it_was_given_in() {
    let body = format!(
        "{} mbarrier.arrive.shared::cta.b64 %d15, [bar]; mbarrier.test_wait.shared::cta.b64 %p2, [bar], %d15;
        selp.b32 %r23, 1, 0, %p2; mbarrier.arrive.shared::cta.b64 _, [bar], 2;
        mbarrier.test_wait.shared::cta.b64 %p2, [bar], %d15; selp.b32 %r24, 2, 0, %p2; add.u32 %r23, %r23, %r24; {SHOW}",
        made(3)
    );
    assert_eq!(block(&body, 1, &[], 0).unwrap().0, [2]);
}

#[test]
fn bytes_that_were_announced_hold_a_phase_open() {
    let body = |more: &str| {
        format!(
            "{} mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 48; mbarrier.complete_tx.shared::cta.b64 [bar], 32; {more}
            mbarrier.test_wait.parity.shared::cta.b64 %p2, [bar], 0; selp.b32 %r23, 1, 0, %p2; {SHOW}",
            made(1)
        )
    };
    assert_eq!(block(&body(""), 1, &[], 0).unwrap().0, [0]);
    assert_eq!(block(&body("mbarrier.complete_tx.shared::cta.b64 [bar], 16;"), 1, &[], 0).unwrap().0, [1]);
    let more = "mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [bar], 16; mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [bar], 32;";
    assert_eq!(block(&body(more), 1, &[], 0).unwrap().0, [1]);
}

#[test]
fn misuse_of_a_barrier_object_is_a_fault() {
    for (body, what) in [
        ("mbarrier.arrive.shared.b64 _, [s];", "no mbarrier"),
        ("mbarrier.init.shared.b64 [bar], 1;", "initialised again"),
        ("mbarrier.init.shared.b64 [s], 0;", "0 arrivals"),
        ("mbarrier.init.shared.b64 [s], 1048576;", "1048576 arrivals"),
        ("mbarrier.init.shared.b64 [s+4], 1;", "multiple of 8"),
        ("mbarrier.arrive.shared.b64 _, [bar], 2;", "more than 1 arrivals"),
        ("mbarrier.arrive.expect_tx.shared.b64 _, [bar], 1048576;", "1048576 bytes"),
        ("mbarrier.test_wait.parity.shared.b64 %p2, [bar], 2;", "parity 2"),
        ("ld.shared.u64 %d9, [bar];", "barrier object"),
        ("st.shared.u32 [bar+4], 0;", "barrier object"),
        ("mbarrier.inval.shared.b64 [bar]; mbarrier.arrive.shared.b64 _, [bar];", "no mbarrier"),
        ("mbarrier.inval.shared.b64 [bar]; ld.shared.u64 %d9, [bar];", "never written"),
    ] {
        let found = block(&format!("{} {body}", made(1)), 1, &[], 0).unwrap_err();
        assert!(found.what.contains(what), "{body}: {found}");
    }
    let reused = format!(
        "{} mbarrier.inval.shared.b64 [bar]; st.shared.u64 [bar], 7; ld.shared.u32 %r23, [bar]; {SHOW}",
        made(1)
    );
    assert_eq!(block(&reused, 1, &[], 0).unwrap().0, [7]);
    let unseen = made(1).replace("bar.sync 0;", "")
        + "setp.ge.u32 %p3, %r0, 32; @%p3 mbarrier.arrive.shared.b64 _, [bar];";
    assert!((0..20).all(|seed| block(&unseen, 64, &[], seed).is_err()));
}

/// 16-bit numbers, 256 x row + column, 70 columns of 80 and 11 rows; boxes of 64 columns and 8 rows.
fn tensor(swizzle: Swizzle) -> (Vec<u8>, TensorMap) {
    let data =
        (0..11u16).flat_map(|row| (0..80u16).flat_map(move |column| (256 * row + column).to_le_bytes()));
    let map = TensorMap {
        data_type: 1,
        address: 0,
        extents: vec![70, 11],
        strides: vec![160],
        tile: vec![64, 8],
        swizzle,
    };
    (data.collect(), map)
}

const COPY: &str = ".shared .align 8 .b64 bar; .shared .align 1024 .b8 tile[1024]; setp.ne.u32 %p1, %r0, 0; @%p1 bra READ;
    mbarrier.init.shared::cta.b64 [bar], 1; fence.mbarrier_init.release.cluster;
    mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 1024; mov.u32 %r10, tile;
    cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r10], [%d13, {%r1, %r2}], [bar];
    READ: bar.sync 0; W: mbarrier.try_wait.parity.shared::cta.b64 %p2, [bar], 0; @!%p2 bra W;
    mul.lo.u32 %r11, %r0, 16; mov.u32 %r12, tile; add.u32 %r11, %r11, %r12; ld.shared.b64 %d9, [%r11]; st.global.b64 [%d0], %d9;";

fn copied(
    body: &str,
    at: [i32; 2],
    seed: u64,
    swizzle: Swizzle,
) -> Result<Vec<u64>, Box<flopgauge_simulator::launch::Fault>> {
    let (data, map) = tensor(swizzle);
    let inputs = at.map(|x| u64::from(x as u32));
    let given = Given { threads: 64, inputs: &inputs, seed, data: &data, map: Some(map), dynamic: 0 };
    Ok(run_with(body, given)?.0)
}

/// The first four numbers of each 16 bytes of the box, by the definition.
fn expected(at: [i32; 2], swizzle: Swizzle) -> Vec<u64> {
    let number = |column: i32, row: i32| {
        let inside = (0..70).contains(&column) && (0..11).contains(&row);
        if inside { (256 * row + column) as u64 } else { 0 }
    };
    let chunks = (0..64).map(|chunk| {
        let (row, place) = (chunk / 8, chunk % 8);
        let place = if swizzle == Swizzle::None { place } else { place ^ row };
        (0..4).fold(0, |word, i| word | number(at[0] + place * 8 + i, at[1] + row) << (16 * i))
    });
    chunks.collect()
}

#[test]
fn a_box_comes_swizzled_with_zeros_beyond_the_tensor() {
    for swizzle in [Swizzle::None, Swizzle::Bytes128] {
        for at in [[0, 0], [8, 1], [40, 8], [-3, -2], [70, 0], [0, 11]] {
            for seed in 0..4 {
                assert_eq!(copied(COPY, at, seed, swizzle).unwrap(), expected(at, swizzle), "{at:?} {seed}");
            }
        }
    }
}

#[test]
fn a_copy_without_its_protocol_is_a_fault_under_every_seed() {
    for (part, instead, what) in [
        ("fence.mbarrier_init.release.cluster;", "", "not shown"),
        ("[bar], 1024;", "[bar], 1008;", "nobody will complete"),
        ("[bar], 1024;", "[bar], 2048;", "nobody will complete"),
        ("@!%p2 bra W;", "", ""),
        ("[%r10], [%d13", "[%r10+64], [%d13", "multiple of 128"),
        ("[%d13, {", "[%d12, {", "tensor map elsewhere"),
        ("tile[1024]", "tile[1008]", "shared access"),
        ("W: mbarrier.try_wait.parity.shared::cta.b64 %p2, [bar], 0; @!%p2 bra W;", "", ""),
    ] {
        let body = COPY.replace(part, instead);
        assert_ne!(body, COPY);
        let faults: Vec<_> =
            (0..40).filter_map(|seed| copied(&body, [0, 0], seed, Swizzle::None).err()).collect();
        // A missing retry shows only where the first try gives up.
        assert!(
            faults.len() == 40 || part == "@!%p2 bra W;" && !faults.is_empty(),
            "{instead}: {}",
            faults.len()
        );
        assert!(faults.iter().all(|fault| fault.what.contains(what)), "{instead}: {}", faults[0]);
        assert!(faults.iter().all(|fault| fault.kind != Violation::IllegalInstruction));
    }
}

//! Barrier objects, bulk copies and warpgroups: PTX ISA 9.7.13.15 (mbarrier), 9.7.9.27 (cp.async.bulk.tensor), 9.7.15
//! (wgmma), 9.7.19 (setmaxnreg).

use super::Reading;
use crate::operation::{Asynchronous, Element, Source, Wgmma};
use crate::syntax::{Operand, Result};

/// The decoded instruction, or `None` where the opcode is another table's.
pub(super) fn op(opcode: &str, r: &mut Reading<'_>) -> Result<Option<Asynchronous>> {
    Ok(Some(match opcode {
        "mbarrier" => mbarrier(r)?,
        "wgmma" => warpgroup(r)?,
        "setmaxnreg" => {
            if !(r.take_any(&["inc", "dec"]) && r.take("sync") && r.take("aligned") && r.take("u32")) {
                return r.fail("unknown form");
            }
            r.done(1)?;
            let count = r.constant(0)?;
            if !(24..=256).contains(&count) || count % 8 != 0 {
                return r.fail("24 to 256 registers, a multiple of 8, expected");
            }
            Asynchronous::MostRegisters(count as u32)
        }
        _ => return Ok(None),
    }))
}

fn mbarrier(r: &mut Reading<'_>) -> Result<Asynchronous> {
    let names = ["init", "inval", "arrive", "expect_tx", "complete_tx", "test_wait", "try_wait"];
    let Some(name) = names.into_iter().find(|name| r.take(name)) else {
        return r.fail("unknown operation of mbarrier");
    };
    let expects = name == "arrive" && r.take("expect_tx");
    let parity = name.ends_with("wait") && r.take("parity");
    let order = match name {
        "arrive" => "release",
        "test_wait" | "try_wait" => "acquire",
        "expect_tx" | "complete_tx" => "relaxed",
        _ => "",
    };
    r.take(order);
    if !order.is_empty() {
        r.take_any(&["cta", "cluster"]);
    }
    if !r.shared() || !r.take("b64") {
        return r.fail("shared memory and b64 expected");
    }
    let (none, one) = (Source::Immediate(0), Source::Immediate(1));
    Ok(match name {
        "init" => {
            r.done(2)?;
            Asynchronous::MbarrierInit { a: r.place(0)?, count: r.source(1)? }
        }
        "inval" => {
            r.done(1)?;
            Asynchronous::MbarrierInvalidate { a: r.place(0)? }
        }
        "arrive" => {
            let count = r.statement.operands.len();
            r.done(if expects { 3 } else { count.clamp(2, 3) })?;
            let state = r.registers(0)?.first().copied().flatten();
            let extra = if count == 3 { r.source(2)? } else { one };
            let (arrivals, bytes) = if expects { (one, extra) } else { (extra, none) };
            Asynchronous::MbarrierArrive { state, a: r.place(1)?, arrivals, bytes }
        }
        "expect_tx" => {
            r.done(2)?;
            Asynchronous::MbarrierArrive { state: None, a: r.place(0)?, arrivals: none, bytes: r.source(1)? }
        }
        "complete_tx" => {
            r.done(2)?;
            Asynchronous::MbarrierComplete { a: r.place(0)?, bytes: r.source(1)? }
        }
        _ => {
            let count = r.statement.operands.len();
            // A fourth operand limits how long a try may block; there is no clock here.
            r.done(if name == "try_wait" { count.clamp(3, 4) } else { 3 })?;
            Asynchronous::MbarrierTest {
                p: r.register(0)?,
                a: r.place(1)?,
                phase: r.source(2)?,
                parity,
                blocking: name == "try_wait",
            }
        }
    })
}

/// `cp.async.bulk`, of which the copy of a two-dimensional tile is known.
pub(super) fn bulk(r: &mut Reading<'_>) -> Result<Asynchronous> {
    if !r.take("tensor") {
        return r.fail("unknown form");
    }
    if !r.take("2d") {
        return r.fail("two dimensions expected");
    }
    if !r.take_any(&["shared::cluster", "shared::cta"]) || !r.take("global") {
        return r.fail("from global to shared memory expected");
    }
    r.take("tile");
    if !r.take("mbarrier::complete_tx::bytes") {
        return r.fail("completion on an mbarrier expected");
    }
    r.done(3)?;
    let (map, at) = r.tensor(1)?;
    if at.len() != 2 {
        return r.fail("two coordinates expected");
    }
    Ok(Asynchronous::TensorLoad { d: r.place(0)?, map, at, barrier: r.place(2)? })
}

fn warpgroup(r: &mut Reading<'_>) -> Result<Asynchronous> {
    let names = ["fence", "commit_group", "wait_group", "mma_async"];
    let Some(name) = names.into_iter().find(|name| r.take(name)) else {
        return r.fail("unknown operation of wgmma");
    };
    if !(r.take("sync") && r.take("aligned")) {
        return r.fail("sync.aligned expected");
    }
    match name {
        "fence" => r.done(0).map(|()| Asynchronous::WgmmaFence),
        "commit_group" => r.done(0).map(|()| Asynchronous::WgmmaCommit),
        "wait_group" => {
            r.done(1)?;
            Ok(Asynchronous::WgmmaWait(r.constant(0)? as u32))
        }
        _ => multiply(r),
    }
}

fn multiply(r: &mut Reading<'_>) -> Result<Asynchronous> {
    use Element::{Bf16, E4m3, E5m2, F16, F32, S8, S32, Tf32, U8};
    let shape = r.rest.first().and_then(|shape| shape.strip_prefix("m64n")).and_then(|s| s.split_once('k'));
    let extents = shape.and_then(|(n, k)| Some((n.parse::<usize>().ok()?, k.parse::<usize>().ok()?)));
    let Some((n, k)) = extents else { return r.fail("unknown shape") };
    r.rest.remove(0);
    let mut types = Vec::new();
    while let Some(element) = r.rest.first().and_then(|name| Element::named(name)) {
        types.push(element);
        r.rest.remove(0);
    }
    let [d_type, a_type, b_type] = types[..] else { return r.fail("three types expected") };
    let saturate = r.take("satfinite");
    let integer = matches!(a_type, S8 | U8);
    let known = match (a_type, b_type) {
        (F16, F16) => matches!(d_type, F16 | F32) && k == 16,
        (Bf16, Bf16) => d_type == F32 && k == 16,
        (Tf32, Tf32) => d_type == F32 && k == 8,
        (E4m3 | E5m2, E4m3 | E5m2) => matches!(d_type, F16 | F32) && k == 32,
        (S8 | U8, S8 | U8) => d_type == S32 && k == 32,
        _ => false,
    };
    // Integers have fewer shapes: 8, 24, and multiples of 16.
    let width = (1..=32).contains(&(n / 8)) && n % 8 == 0 && (!integer || n % 16 == 0 || matches!(n, 8 | 24));
    if !known || !width || saturate && !integer {
        return r.fail("unknown combination of shape and types");
    }
    let turns = matches!(a_type, F16 | Bf16);
    r.done(4 + if integer { 0 } else { 2 } + if turns { 2 } else { 0 })?;
    if matches!(r.operand(1)?, Operand::Vector(_)) {
        return r.fail("a descriptor of A expected, not registers");
    }
    let sign = |i| match r.constant(i)? as i64 {
        1 => Ok(false),
        -1 => Ok(true),
        _ => r.fail("a scale of 1 or -1 expected"),
    };
    let bit = |i| match r.constant(i)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => r.fail("0 or 1 expected"),
    };
    let negated = if integer { false } else { sign(4)? != sign(5)? };
    let across = if turns { [bit(6)?, bit(7)?] } else { [false, false] };
    let d: Vec<u32> = r.registers(0)?.into_iter().flatten().collect();
    if d.len() != if d_type == F16 { n / 4 } else { n / 2 } {
        return r.fail("another number of registers");
    }
    let descriptors = [r.source(1)?, r.source(2)?];
    let adds = r.source(3)?;
    let wgmma = Wgmma { n, k, a_type, b_type, d_type, saturate, across, negated, d, descriptors, adds };
    Ok(Asynchronous::Wgmma(Box::new(wgmma)))
}

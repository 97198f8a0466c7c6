//! Conversions and comparisons.

use super::Reading;
use crate::number::Rounding;
use crate::operation::{Combine, Comparison, Convert, Element, Op, Type};
use crate::syntax::{Operand, Result};

pub(super) fn convert(r: &mut Reading<'_>) -> Result<Op> {
    let rounding = r.rounding();
    let flush = r.take("ftz");
    let finite = r.take("satfinite");
    let saturate = r.take("sat");
    if r.rest.first().is_some_and(|name| ["e4m3x2", "e5m2x2", "f16x2", "bf16x2"].contains(name)) {
        let to = match r.rest.remove(0) {
            "e4m3x2" => Element::E4m3,
            "e5m2x2" => Element::E5m2,
            "f16x2" => Element::F16,
            _ => Element::Bf16,
        };
        let narrow = matches!(to, Element::E4m3 | Element::E5m2);
        if r.ty()? != Type::F32 || narrow != finite || saturate || flush {
            return r.fail("modifiers");
        }
        r.done(3)?;
        let Some(rounding) = rounding else { return r.fail("rounding expected") };
        return Ok(Op::ConvertPair {
            to,
            rounding,
            saturate: finite,
            d: r.register(0)?,
            a: r.source(1)?,
            b: r.source(2)?,
        });
    }
    let (to, from) = (r.ty()?, r.ty()?);
    r.done(2)?;
    if finite || matches!(from, Type::Tf32 | Type::F16x2 | Type::Bf16x2 | Type::Pred | Type::F32x2) {
        return r.fail("conversion");
    }
    // A rounding is demanded where a value can change, and refused where none can.
    let narrows = to.floating() && from.floating() && to.size() < from.size() || to == Type::Tf32;
    let crosses = to.floating() != from.floating();
    if (narrows || crosses) && rounding.is_none()
        || (!to.floating() && !from.floating() && rounding.is_some())
    {
        return r.fail("rounding");
    }
    if rounding == Some(Rounding::Away) && to != Type::Tf32 {
        return r.fail("rounding");
    }
    let rounding = rounding.unwrap_or(Rounding::Nearest);
    Ok(Op::Convert {
        how: Convert { to, from, rounding, saturate, flush },
        d: r.register(0)?,
        a: r.source(1)?,
    })
}

pub(super) fn compare(r: &mut Reading<'_>) -> Result<Op> {
    let Some(name) = r.rest.first().copied() else { return r.fail("comparison expected") };
    let (test, unordered) = match name {
        "eq" => (Comparison::Eq, false),
        "ne" => (Comparison::Ne, false),
        "lt" | "lo" => (Comparison::Lt, false),
        "le" | "ls" => (Comparison::Le, false),
        "gt" | "hi" => (Comparison::Gt, false),
        "ge" | "hs" => (Comparison::Ge, false),
        "equ" => (Comparison::Eq, true),
        "neu" => (Comparison::Ne, true),
        "ltu" => (Comparison::Lt, true),
        "leu" => (Comparison::Le, true),
        "gtu" => (Comparison::Gt, true),
        "geu" => (Comparison::Ge, true),
        "num" => (Comparison::Num, false),
        "nan" => (Comparison::Nan, false),
        other => return r.fail(&format!("unknown comparison {other}")),
    };
    r.rest.remove(0);
    let combine = if r.take("and") {
        Some(Combine::And)
    } else if r.take("or") {
        Some(Combine::Or)
    } else {
        r.take("xor").then_some(Combine::Xor)
    };
    if r.take("ftz") {
        return r.fail("unknown modifier .ftz");
    }
    let ty = r.ty()?;
    r.done(3 + usize::from(combine.is_some()))?;
    let one = |operand: &Operand| match operand {
        Operand::Register(p) => Ok(Some(*p)),
        Operand::Sink => Ok(None),
        _ => r.fail("predicate expected"),
    };
    let d = match r.operand(0)? {
        Operand::Pair(p, q) => [one(p)?, one(q)?],
        p => [one(p)?, None],
    };
    let combine = match combine {
        Some(kind) => Some((kind, r.source(3)?)),
        None => None,
    };
    Ok(Op::Compare { test, unordered, ty, combine, d, a: [r.source(1)?, r.source(2)?] })
}

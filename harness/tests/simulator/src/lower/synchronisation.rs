//! Barriers, fences, exchange between lanes and atomics.

use super::Reading;
use crate::operation::{Asynchronous, Integer, Op, Shuffle, Space, Type};
use crate::syntax::{Operand, Result};

pub(super) fn barrier(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
    if r.take("warp") {
        r.take("sync");
        r.done(1)?;
        return Ok(Op::WarpSync { members: r.source(0)? });
    }
    if opcode == "barrier" {
        r.take("cta");
    }
    let arrive = r.take("arrive");
    if !arrive && !r.take("sync") {
        return r.fail("sync or arrive expected");
    }
    r.take("aligned");
    let count = r.statement.operands.len();
    r.done(if arrive { 2 } else { count.clamp(1, 2) })?;
    let threads = if count > 1 { Some(r.source(1)?) } else { None };
    Ok(Op::Barrier { id: r.source(0)?, threads, arrive })
}

pub(super) fn fence(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
    if r.take("proxy") {
        if !r.take("async") {
            return r.fail("unknown proxy");
        }
        r.take("global");
        r.take_any(&["shared::cta", "shared::cluster"]);
        r.done(0)?;
        return Ok(Op::ProxyFence);
    }
    if r.take("mbarrier_init") {
        if !(r.take("release") && r.take("cluster")) {
            return r.fail("modifiers");
        }
        r.done(0)?;
        return Ok(Op::Asynchronous(Asynchronous::MbarrierFence));
    } else {
        r.take_any(&["sc", "acq_rel", "acquire", "release"]);
        let scopes: &[&str] =
            if opcode == "fence" { &["cta", "cluster", "gpu", "sys"] } else { &["cta", "gl", "sys"] };
        if !r.take_any(scopes) {
            return r.fail("scope expected");
        }
    }
    r.done(0)?;
    Ok(Op::Nothing)
}

pub(super) fn shuffle(r: &mut Reading<'_>) -> Result<Op> {
    if !r.take("sync") {
        return r.fail("sync expected");
    }
    let mode = match r.rest.first() {
        Some(&"up") => Shuffle::Up,
        Some(&"down") => Shuffle::Down,
        Some(&"bfly") => Shuffle::Butterfly,
        Some(&"idx") => Shuffle::Index,
        _ => return r.fail("mode expected"),
    };
    r.rest.remove(0);
    if r.ty()? != Type::B32 {
        return r.fail("type");
    }
    r.done(5)?;
    let (d, p) = match r.operand(0)? {
        Operand::Register(d) => (*d, None),
        Operand::Pair(d, p) => match (&**d, &**p) {
            (Operand::Register(d), Operand::Register(p)) => (*d, Some(*p)),
            _ => return r.fail("registers expected"),
        },
        _ => return r.fail("a register expected"),
    };
    Ok(Op::Shuffle { mode, d, p, a: [r.source(1)?, r.source(2)?, r.source(3)?, r.source(4)?] })
}

pub(super) fn atomic(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
    r.take_any(&["relaxed", "acquire", "release", "acq_rel"]);
    r.take_any(&["cta", "gpu", "sys"]);
    let space = r.space();
    let kind = match r.rest.first() {
        Some(&"add") => Integer::Add,
        Some(&"min") => Integer::Min,
        Some(&"max") => Integer::Max,
        Some(&"and") => Integer::And,
        Some(&"or") => Integer::Or,
        Some(&"xor") => Integer::Xor,
        _ => return r.fail("unknown operation"),
    };
    r.rest.remove(0);
    let ty = r.ty()?;
    if space == Space::Parameter
        || ty.size() < 4
        || ty.floating() && (kind != Integer::Add || !matches!(ty, Type::F32 | Type::F64))
    {
        return r.fail("type or space");
    }
    let first = usize::from(opcode == "atom");
    r.done(first + 2)?;
    let d = if first == 1 { Some(r.register(0)?) } else { None };
    Ok(Op::Atomic {
        kind,
        floating: ty.floating(),
        space,
        ty,
        d,
        a: r.place(first)?,
        value: r.source(first + 1)?,
    })
}

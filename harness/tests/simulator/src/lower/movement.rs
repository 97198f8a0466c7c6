//! Moves, loads, stores and addresses.

use super::Reading;
use crate::memory::{PARAMETER_WINDOW, SHARED_WINDOW};
use crate::operation::{Op, Space, Type};
use crate::syntax::{Operand, Result};

pub(super) fn mov(r: &mut Reading<'_>) -> Result<Op> {
    let ty = r.ty()?;
    r.done(2)?;
    let bits = |parts: usize| if parts == 0 { 0 } else { 8 * ty.size() / parts as u32 };
    match (r.operand(0)?, r.operand(1)?) {
        (Operand::Vector(d), _) => {
            Ok(Op::Unpack { d: r.registers(0)?, a: r.source(1)?, bits: bits(d.len()) })
        }
        (_, Operand::Vector(a)) => {
            Ok(Op::Pack { d: r.register(0)?, parts: r.sources(1)?, bits: bits(a.len()) })
        }
        // A name of shared memory is its address in that space.
        _ => Ok(Op::Move { d: r.register(0)?, a: r.source(1)?, mask: ty.mask() }),
    }
}

pub(super) fn memory(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
    r.take_any(&["volatile", "relaxed", "acquire", "release", "weak"]);
    r.take_any(&["cta", "gpu", "sys"]);
    let space = r.space();
    r.take_any(&["nc", "ca", "cg", "cs", "cv", "wb", "wt"]);
    r.take_any(&["L1::no_allocate", "L1::evict_last", "L1::evict_first"]);
    r.take_any(&["L2::64B", "L2::128B", "L2::256B"]);
    let count = if r.take("v2") {
        2
    } else if r.take("v4") {
        4
    } else {
        1
    };
    let ty = r.ty()?;
    r.done(2)?;
    let op = if opcode == "ld" {
        Op::Load { space, ty, d: r.registers(0)?, a: r.place(1)? }
    } else {
        Op::Store { space, ty, values: r.sources(1)?, a: r.place(0)? }
    };
    let length = match &op {
        Op::Load { d, .. } => d.len(),
        Op::Store { values, .. } => values.len(),
        _ => 0,
    };
    if length != count || ty.size() as usize * count > 16 {
        return r.fail("vector of another length");
    }
    Ok(op)
}

pub(super) fn cvta(r: &mut Reading<'_>) -> Result<Op> {
    let to = r.take("to");
    let space = r.space();
    if !matches!(r.ty()?, Type::U64 | Type::U32) {
        return r.fail("type");
    }
    r.done(2)?;
    let (d, a) = (r.register(0)?, r.source(1)?);
    match space {
        Space::Shared if to => Ok(Op::FromGeneric { d, a, window: SHARED_WINDOW }),
        Space::Shared => Ok(Op::ToGeneric { d, a, window: SHARED_WINDOW }),
        Space::Parameter if to => Ok(Op::FromGeneric { d, a, window: PARAMETER_WINDOW }),
        Space::Parameter => Ok(Op::ToGeneric { d, a, window: PARAMETER_WINDOW }),
        Space::Global => Ok(Op::Move { d, a, mask: u64::MAX }),
        Space::Generic => r.fail("state space expected"),
    }
}

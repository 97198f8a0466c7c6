//! Arithmetic and logic on floating-point numbers and integers.

use super::Reading;
use crate::number::Rounding;
use crate::operation::{Float, How, Integer, Op, Type};
use crate::syntax::Result;

pub(super) fn float(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
    let approximate = r.take_any(&["approx", "full"]);
    let rounding = r.rounding();
    let flush = r.take("ftz");
    let nan = r.take("NaN");
    let saturate = r.take("sat");
    let relu = r.take("relu");
    let ty = r.ty()?;
    let kind = match opcode {
        "add" => Float::Add,
        "sub" => Float::Sub,
        "mul" => Float::Mul,
        "fma" | "mad" => Float::Fma,
        "div" => Float::Div,
        "min" => Float::Min,
        "max" => Float::Max,
        "neg" => Float::Neg,
        "abs" => Float::Abs,
        "sqrt" => Float::Sqrt,
        _ => Float::Rcp,
    };
    let rounds = matches!(
        kind,
        Float::Add | Float::Sub | Float::Mul | Float::Fma | Float::Div | Float::Sqrt | Float::Rcp
    );
    let count = match kind {
        Float::Fma => 3,
        Float::Neg | Float::Abs | Float::Sqrt | Float::Rcp => 1,
        _ => 2,
    };
    let wrong = (approximate && (ty != Type::F32 || !matches!(kind, Float::Div | Float::Sqrt | Float::Rcp)))
        || (rounding.is_some() && (!rounds || approximate))
        || (nan && !matches!(kind, Float::Min | Float::Max))
        || (saturate && (!rounds || matches!(ty, Type::F64)))
        || (relu
            && (kind != Float::Fma || !matches!(ty, Type::F16 | Type::F16x2 | Type::Bf16 | Type::Bf16x2)))
        || (flush && matches!(ty, Type::F64 | Type::Bf16 | Type::Bf16x2))
        || ty == Type::Tf32
        || (matches!(kind, Float::Fma | Float::Div | Float::Sqrt | Float::Rcp)
            && rounding.is_none()
            && !approximate);
    let rounding = rounding.unwrap_or(Rounding::Nearest);
    // Directed modes are there where one rounding of an exact binary64 result is right.
    let exact =
        matches!(ty, Type::F32 | Type::F32x2) && !matches!(kind, Float::Div | Float::Sqrt | Float::Rcp);
    if wrong || rounding == Rounding::Away || (rounding != Rounding::Nearest && !exact) {
        return r.fail("unsupported modifier");
    }
    if !matches!(ty, Type::F32 | Type::F64) && matches!(kind, Float::Div | Float::Sqrt | Float::Rcp) {
        return r.fail("type");
    }
    r.done(count + 1)?;
    Ok(Op::Float {
        kind,
        how: How { ty, rounding, flush, saturate, relu, nan },
        d: r.register(0)?,
        a: r.three(count)?,
    })
}

pub(super) fn integer(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
    let mut kind = match opcode {
        "add" => Integer::Add,
        "sub" => Integer::Sub,
        "mul" => Integer::MulLow,
        "mad" => Integer::MadLow,
        "div" => Integer::Div,
        "rem" => Integer::Rem,
        "min" => Integer::Min,
        "max" => Integer::Max,
        "neg" => Integer::Neg,
        "abs" => Integer::Abs,
        "and" => Integer::And,
        "or" => Integer::Or,
        "xor" => Integer::Xor,
        "not" => Integer::Not,
        "shl" => Integer::Shl,
        "shr" => Integer::Shr,
        "lop3" => Integer::Lop3(0),
        "prmt" => Integer::Prmt,
        "bfe" => Integer::Bfe,
        "bfi" => Integer::Bfi(0),
        "popc" => Integer::Popc,
        "clz" => Integer::Clz,
        "shf" => Integer::ShfLeft,
        other => {
            return r.fail(&format!("unknown form of {other}"));
        }
    };
    if matches!(kind, Integer::MulLow | Integer::MadLow) {
        let mul = kind == Integer::MulLow;
        if r.take("wide") {
            kind = if mul { Integer::MulWide } else { Integer::MadWide };
        } else if r.take("hi") {
            kind = if mul { Integer::MulHigh } else { Integer::MadHigh };
        } else if !r.take("lo") {
            return r.fail("lo, hi or wide expected");
        }
    }
    if kind == Integer::ShfLeft {
        let left = r.take("l");
        if !(left || r.take("r")) || !r.take("wrap") {
            return r.fail("l or r, and wrap expected");
        }
        kind = if left { Integer::ShfLeft } else { Integer::ShfRight };
    }
    let ty = r.ty()?;
    let count = match kind {
        Integer::Neg | Integer::Abs | Integer::Not | Integer::Popc | Integer::Clz => 1,
        Integer::MadLow | Integer::MadHigh | Integer::MadWide | Integer::Prmt | Integer::Bfe => 3,
        Integer::ShfLeft | Integer::ShfRight | Integer::Lop3(_) | Integer::Bfi(_) => 3,
        _ => 2,
    };
    if let Integer::Lop3(_) = kind {
        r.done(5)?;
        kind = Integer::Lop3(r.constant(4)? as u8);
    } else if let Integer::Bfi(_) = kind {
        r.done(5)?;
        kind = Integer::Bfi(r.constant(4)? as u8);
    } else {
        r.done(count + 1)?;
    }
    Ok(Op::Integer { kind, ty, d: r.register(0)?, a: r.three(count)? })
}

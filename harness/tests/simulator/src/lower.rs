//! Statements to decoded instructions. An opcode, a modifier or an operand that is not in these tables is an error that
//! names it: nothing is guessed.

mod arithmetic;
mod asynchronous;
mod conversion;
mod matrix;
mod movement;
mod reading;
mod synchronisation;
mod tensor;

use arithmetic::{float, integer};
use conversion::{compare, convert};
use movement::{cvta, memory, mov};
pub(crate) use reading::Reading;
use synchronisation::{atomic, barrier, fence, shuffle};

use crate::coverage;
use crate::operation::{Instruction, Op, Type};
use crate::syntax::{Result, Statement};

/// Decodes the statements of a kernel.
pub fn lower(statements: &[Statement]) -> Result<Vec<Instruction>> {
    let decode = |s: &Statement| {
        let mut registers: Vec<u32> = s.guard.iter().map(|guard| guard.0).collect();
        s.operands.iter().for_each(|operand| operand.registers(&mut registers));
        Ok(Instruction { guard: s.guard, op: op(s)?, registers, line: s.line })
    };
    statements.iter().map(decode).collect()
}

fn op(statement: &Statement) -> Result<Op> {
    let mut reading =
        Reading { statement, rest: statement.opcode.iter().skip(1).map(String::as_str).collect() };
    let r = &mut reading;
    let opcode = statement.opcode.first().map_or("", String::as_str);
    if !coverage::covers(opcode) {
        return r.fail(&format!("unknown opcode {opcode}"));
    }
    if let Some(op) = matrix::op(opcode, r)? {
        return Ok(op);
    }
    if let Some(op) = asynchronous::op(opcode, r)? {
        return Ok(Op::Asynchronous(op));
    }
    let floating = r.rest.iter().any(|name| Type::named(name).is_some_and(Type::floating));
    match opcode {
        "tcgen05" => Ok(Op::Tensor(tensor::tensor(r)?)),
        "mov" => mov(r),
        "ld" | "st" => memory(opcode, r),
        "cvta" => cvta(r),
        "cvt" => convert(r),
        "setp" => compare(r),
        "selp" => {
            let ty = r.ty()?;
            r.done(4)?;
            Ok(Op::Select { ty, d: r.register(0)?, a: r.three(3)? })
        }
        "bra" => {
            r.take("uni");
            r.done(1)?;
            Ok(Op::Branch(r.constant(0)? as u32))
        }
        "ret" | "exit" | "trap" => {
            r.take("uni");
            r.done(0)?;
            Ok(if opcode == "trap" { Op::Trap } else { Op::Exit })
        }
        "bar" | "barrier" => barrier(opcode, r),
        "membar" | "fence" => fence(opcode, r),
        "shfl" => shuffle(r),
        "atom" | "red" => atomic(opcode, r),
        "add" | "sub" | "mul" | "fma" | "mad" | "div" | "min" | "max" | "neg" | "abs" | "sqrt" | "rcp"
            if floating =>
        {
            float(opcode, r)
        }
        _ => integer(opcode, r),
    }
}

//! Statements to decoded instructions. An opcode, a modifier or an operand that is not in these tables is an error that
//! names it: nothing is guessed.

use crate::number::Rounding;
use crate::operation::*;
use crate::syntax::{Operand, Result, Statement, error};

#[path = "lower_matrix.rs"]
mod matrix;

/// Modifiers that are still to be read, and the operands.
pub(crate) struct Reading<'a> {
    statement: &'a Statement,
    rest: Vec<&'a str>,
}

impl<'a> Reading<'a> {
    fn fail<T>(&self, what: &str) -> Result<T> {
        error(self.statement.line, format!("{what} in {}", self.statement.spelling()))
    }

    /// Whether the next modifier is this one, which is then read.
    fn take(&mut self, name: &str) -> bool {
        let found = self.rest.first() == Some(&name);
        if found {
            self.rest.remove(0);
        }
        found
    }

    fn take_any(&mut self, names: &[&str]) -> bool {
        names.iter().any(|name| self.take(name))
    }

    fn ty(&mut self) -> Result<Type> {
        match self.rest.first().and_then(|name| Type::named(name)) {
            Some(ty) => {
                self.rest.remove(0);
                Ok(ty)
            }
            None => self.fail("type expected"),
        }
    }

    fn rounding(&mut self) -> Option<Rounding> {
        let (name, rounding) = match self.rest.first()? {
            n @ (&"rn" | &"rni") => (n, Rounding::Nearest),
            n @ &"rna" => (n, Rounding::Away),
            n @ (&"rz" | &"rzi") => (n, Rounding::Zero),
            n @ (&"rm" | &"rmi") => (n, Rounding::Minus),
            n @ (&"rp" | &"rpi") => (n, Rounding::Plus),
            _ => return None,
        };
        let name = *name;
        self.take(name).then_some(rounding)
    }

    /// Fails where a modifier or an operand was not read.
    fn done(&self, operands: usize) -> Result<()> {
        if let Some(name) = self.rest.first() {
            return self.fail(&format!("unknown modifier .{name}"));
        }
        if self.statement.operands.len() != operands {
            return self
                .fail(&format!("{operands} operands expected, {} found", self.statement.operands.len()));
        }
        Ok(())
    }

    fn operand(&self, i: usize) -> Result<&'a Operand> {
        match self.statement.operands.get(i) {
            Some(operand) => Ok(operand),
            None => self.fail("too few operands"),
        }
    }

    fn source_of(&self, operand: &Operand) -> Result<Source> {
        Ok(match operand {
            Operand::Register(r) => Source::Register(*r),
            Operand::Not(r) => Source::Not(*r),
            Operand::Immediate(bits) => Source::Immediate(*bits),
            Operand::Special(s) => Source::Special(*s),
            other => return self.fail(&format!("operand {other:?}")),
        })
    }

    fn source(&self, i: usize) -> Result<Source> {
        self.source_of(self.operand(i)?)
    }

    fn register(&self, i: usize) -> Result<u32> {
        match self.operand(i)? {
            Operand::Register(r) => Ok(*r),
            other => self.fail(&format!("a register expected, not {other:?}")),
        }
    }

    fn constant(&self, i: usize) -> Result<u64> {
        match self.operand(i)? {
            Operand::Immediate(v) => Ok(*v),
            other => self.fail(&format!("a constant expected, not {other:?}")),
        }
    }

    /// Registers of a vector, or the one.
    fn registers(&self, i: usize) -> Result<Vec<Option<u32>>> {
        let one = |operand: &Operand| match operand {
            Operand::Register(r) => Ok(Some(*r)),
            Operand::Sink => Ok(None),
            other => self.fail(&format!("a register expected, not {other:?}")),
        };
        match self.operand(i)? {
            Operand::Vector(parts) => parts.iter().map(one).collect(),
            other => Ok(vec![one(other)?]),
        }
    }

    fn sources(&self, i: usize) -> Result<Vec<Source>> {
        match self.operand(i)? {
            Operand::Vector(parts) => parts.iter().map(|p| self.source_of(p)).collect(),
            other => Ok(vec![self.source_of(other)?]),
        }
    }

    fn place(&self, i: usize) -> Result<Place> {
        match self.operand(i)? {
            Operand::Address(base, offset, more) if more.is_empty() => match &**base {
                Operand::Parameter(p) => {
                    Ok(Place { base: Source::Immediate(u64::from(*p)), offset: *offset })
                }
                base => Ok(Place { base: self.source_of(base)?, offset: *offset }),
            },
            other => self.fail(&format!("an address expected, not {other:?}")),
        }
    }

    /// `.shared`, with the name of its window.
    fn shared(&mut self) -> bool {
        self.take_any(&["shared", "shared::cta"])
    }

    fn space(&mut self) -> Space {
        if self.take("global") {
            Space::Global
        } else if self.shared() {
            Space::Shared
        } else if self.take("param") {
            Space::Parameter
        } else {
            Space::Generic
        }
    }

    fn three(&self, count: usize) -> Result<[Source; 3]> {
        let mut sources = [Source::Immediate(0); 3];
        for (i, source) in sources.iter_mut().enumerate().take(count) {
            *source = self.source(i + 1)?;
        }
        Ok(sources)
    }
}

/// Decodes the statements of a kernel.
pub fn lower(statements: &[Statement]) -> Result<Vec<Instruction>> {
    let decode = |s: &Statement| Ok(Instruction { guard: s.guard, op: op(s)?, line: s.line });
    statements.iter().map(decode).collect()
}

fn op(statement: &Statement) -> Result<Op> {
    let mut reading =
        Reading { statement, rest: statement.opcode.iter().skip(1).map(String::as_str).collect() };
    let r = &mut reading;
    let opcode = statement.opcode.first().map_or("", String::as_str);
    if let Some(op) = matrix::op(opcode, r)? {
        return Ok(op);
    }
    let floating = r.rest.iter().any(|name| Type::named(name).is_some_and(Type::floating));
    match opcode {
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

fn mov(r: &mut Reading<'_>) -> Result<Op> {
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

fn memory(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
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

fn cvta(r: &mut Reading<'_>) -> Result<Op> {
    let to = r.take("to");
    let space = r.space();
    if !matches!(r.ty()?, Type::U64 | Type::U32) {
        return r.fail("type");
    }
    r.done(2)?;
    let (d, a) = (r.register(0)?, r.source(1)?);
    match space {
        Space::Shared if to => Ok(Op::FromGeneric { d, a }),
        Space::Shared => Ok(Op::ToGeneric { d, a }),
        Space::Global | Space::Parameter => Ok(Op::Move { d, a, mask: u64::MAX }),
        Space::Generic => r.fail("state space expected"),
    }
}

fn convert(r: &mut Reading<'_>) -> Result<Op> {
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

fn compare(r: &mut Reading<'_>) -> Result<Op> {
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

fn barrier(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
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

fn fence(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
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

fn shuffle(r: &mut Reading<'_>) -> Result<Op> {
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

fn atomic(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
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

fn float(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
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

fn integer(opcode: &str, r: &mut Reading<'_>) -> Result<Op> {
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
            return error(r.statement.line, format!("unknown opcode {other} in {}", r.statement.spelling()));
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

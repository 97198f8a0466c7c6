//! Matrix and asynchronous-copy opcodes: PTX ISA 9.7.9.25 (cp.async), 9.7.14 (mma.sync, ldmatrix), 9.7.13 (elect.sync).

use super::Reading;
use crate::operation::{Element, Mma, Op, Scales, Source};
use crate::syntax::{Operand, Result};

/// The decoded instruction, or `None` where the opcode is another table's.
pub(super) fn op(opcode: &str, r: &mut Reading<'_>) -> Result<Option<Op>> {
    Ok(Some(match opcode {
        "mma" => mma(r)?,
        "ldmatrix" => load_matrix(r)?,
        "cp" => copy(r)?,
        "elect" => {
            if !r.take("sync") {
                return r.fail("sync expected");
            }
            r.done(2)?;
            let Operand::Pair(d, p) = r.operand(0)? else { return r.fail("d|p expected") };
            let one = |o: &Operand| if let Operand::Register(x) = o { Some(*x) } else { None };
            Op::Elect { d: one(d), p: one(p), members: r.source(1)? }
        }
        _ => return Ok(None),
    }))
}

fn copy(r: &mut Reading<'_>) -> Result<Op> {
    if !r.take("async") {
        return r.fail("unknown form");
    }
    if r.take("bulk") {
        return Ok(Op::Asynchronous(super::asynchronous::bulk(r)?));
    }
    if r.take("commit_group") {
        r.done(0)?;
        return Ok(Op::CopyCommit);
    }
    if r.take("wait_group") {
        r.done(1)?;
        return Ok(Op::CopyWait { newest: r.constant(0)? as u32, all: false });
    }
    if r.take("wait_all") {
        r.done(0)?;
        return Ok(Op::CopyWait { newest: 0, all: true });
    }
    let whole = r.take("cg");
    if !(whole || r.take("ca")) || !r.shared() || !r.take("global") {
        return r.fail("unknown form");
    }
    r.take_any(&["L2::64B", "L2::128B", "L2::256B"]);
    let count = r.statement.operands.len();
    r.done(count.clamp(3, 4))?;
    let size = r.constant(2)? as u32;
    if !(size == 16 || !whole && matches!(size, 4 | 8)) {
        return r.fail("size");
    }
    let filled = if count == 4 { Some(r.source(3)?) } else { None };
    Ok(Op::CopyAsync { size, d: r.place(0)?, a: r.place(1)?, filled })
}

fn load_matrix(r: &mut Reading<'_>) -> Result<Op> {
    if !(r.take("sync") && r.take("aligned") && r.take("m8n8")) {
        return r.fail("unknown form");
    }
    let count =
        [("x1", 1), ("x2", 2), ("x4", 4)].into_iter().find(|(name, _)| r.take(name)).map_or(0, |x| x.1);
    let transposed = r.take("trans");
    if count == 0 || !r.shared() || !r.take("b16") {
        return r.fail("unknown form");
    }
    r.done(2)?;
    let d: Vec<u32> = r.registers(0)?.into_iter().flatten().collect();
    if d.len() != count {
        return r.fail("vector of another length");
    }
    Ok(Op::LoadMatrix { count, transposed, d, a: r.place(1)? })
}

fn mma(r: &mut Reading<'_>) -> Result<Op> {
    if !(r.take("sync") && r.take("aligned")) {
        return r.fail("unknown form");
    }
    let kind = ["kind::f8f6f4", "kind::mxf8f6f4", "kind::mxf4nvf4", "kind::mxf4"]
        .into_iter()
        .find(|kind| r.take(kind))
        .unwrap_or("");
    let blocks = block_count(kind, r)?;
    let shapes = [
        ("m8n8k4", (8, 8, 4)),
        ("m8n8k16", (8, 8, 16)),
        ("m8n8k32", (8, 8, 32)),
        ("m16n8k4", (16, 8, 4)),
        ("m16n8k8", (16, 8, 8)),
        ("m16n8k16", (16, 8, 16)),
        ("m16n8k32", (16, 8, 32)),
        ("m16n8k64", (16, 8, 64)),
    ];
    let Some((_, (m, n, k))) = shapes.into_iter().find(|(name, _)| r.take(name)) else {
        return r.fail("unknown shape");
    };
    if !(r.take("row") && r.take("col")) {
        return r.fail("row.col expected");
    }
    let saturate = r.take("satfinite");
    let mut types = Vec::new();
    while let Some(element) = r.rest.first().and_then(|name| Element::named(name)) {
        types.push(element);
        r.rest.remove(0);
    }
    let [d_type, a_type, b_type, c_type] = types[..] else { return r.fail("four types expected") };
    let scales = match blocks {
        Some(count) => Some(scales(kind, count, r)?),
        None => {
            r.done(4)?;
            None
        }
    };
    let list = |i| Ok(r.registers(i)?.into_iter().flatten().collect::<Vec<u32>>());
    let mma = Mma {
        m,
        n,
        k,
        a_type,
        b_type,
        c_type,
        saturate,
        padded: matches!(kind, "kind::f8f6f4" | "kind::mxf8f6f4"),
        scales,
        d: list(0)?,
        a: r.sources(1)?,
        b: r.sources(2)?,
        c: r.sources(3)?,
    };
    if d_type != c_type || !known(&mma) {
        return r.fail("unknown combination of shape and types");
    }
    let lengths = [mma.d.len(), mma.a.len(), mma.b.len(), mma.c.len()];
    if lengths != mma.registers() {
        return r.fail(&format!("registers: {:?} expected, {lengths:?} found", mma.registers()));
    }
    Ok(Op::Mma(Box::new(mma)))
}

/// Table of shapes: PTX ISA 9.7.14.2.
/// Scales of a row of A, where the kind has any.
fn block_count(kind: &str, r: &mut Reading<'_>) -> Result<Option<usize>> {
    if !kind.starts_with("kind::mx") {
        return Ok(None);
    }
    if !r.take("block_scale") {
        return r.fail("block_scale expected");
    }
    let given = [("scale_vec::1X", 1), ("scale_vec::2X", 2), ("scale_vec::4X", 4)];
    let given = given.into_iter().find(|(name, _)| r.take(name)).map(|x| x.1);
    match (kind, given) {
        ("kind::mxf8f6f4", None | Some(1)) => Ok(Some(1)),
        ("kind::mxf4", None | Some(2)) => Ok(Some(2)),
        ("kind::mxf4nvf4", Some(count @ (2 | 4))) => Ok(Some(count)),
        _ => r.fail("unknown combination of kind and scale_vec"),
    }
}

/// `{data}, {byte, thread}` of A, then of B.
fn scales(kind: &str, count: usize, r: &mut Reading<'_>) -> Result<Scales> {
    let fraction = r.take("ue4m3");
    if !fraction && !r.take("ue8m0") || fraction && (kind, count) != ("kind::mxf4nvf4", 4) {
        return r.fail("unknown combination of kind and scale type");
    }
    r.done(8)?;
    let one = |i| match r.sources(i)?[..] {
        [data] => Ok(data),
        _ => r.fail("one register of scales expected"),
    };
    let place = |i, threads| match r.sources(i)?[..] {
        [Source::Immediate(byte), Source::Immediate(thread)]
            if (byte as usize).is_multiple_of(count) && byte < 4 && thread < threads =>
        {
            Ok((byte as usize, thread as usize))
        }
        _ => r.fail("constants for the bytes and threads of the scales expected"),
    };
    let (a, b) = (place(5, 2)?, place(7, 4)?);
    Ok(Scales { count, fraction, data: [one(4)?, one(6)?], byte: [a.0, b.0], thread: [a.1, b.1] })
}

fn known(mma: &Mma) -> bool {
    use Element::*;
    let narrow = |e| matches!(e, E4m3 | E5m2);
    let narrower = |e| matches!(e, E4m3 | E5m2 | E3m2 | E2m3 | E2m1);
    let (a, b, c) = (mma.a_type, mma.b_type, mma.c_type);
    if mma.padded {
        return narrower(a)
            && narrower(b)
            && (c == F32 || c == F16 && mma.scales.is_none())
            && (mma.m, mma.k) == (16, 32)
            && !mma.saturate;
    }
    if mma.scales.is_some() {
        return (a, b, c) == (E2m1, E2m1, F32) && (mma.m, mma.k) == (16, 64) && !mma.saturate;
    }
    let integer = matches!(a, S8 | U8 | S4 | U4);
    if mma.saturate && !integer {
        return false;
    }
    match (a, b) {
        (F64, F64) => c == F64 && matches!((mma.m, mma.k), (8, 4) | (16, 4 | 8 | 16)),
        (F16, F16) => matches!(c, F32 | F16) && mma.m == 16 && matches!(mma.k, 8 | 16),
        (Bf16, Bf16) => c == F32 && mma.m == 16 && matches!(mma.k, 8 | 16),
        (Tf32, Tf32) => c == F32 && mma.m == 16 && matches!(mma.k, 4 | 8),
        (S8 | U8, S8 | U8) => c == S32 && matches!((mma.m, mma.k), (8, 16) | (16, 16 | 32)),
        (S4 | U4, S4 | U4) => c == S32 && matches!((mma.m, mma.k), (8, 32) | (16, 32 | 64)),
        _ => narrow(a) && narrow(b) && matches!(c, F32 | F16) && mma.m == 16 && matches!(mma.k, 16 | 32),
    }
}

impl Mma {
    /// Bits of an element of A or B in its register.
    pub(crate) fn bits(&self) -> usize {
        use Element::*;
        match self.a_type {
            F64 => 64,
            F32 | Tf32 | S32 => 32,
            F16 | Bf16 => 16,
            S4 | U4 => 4,
            E2m1 if !self.padded => 4,
            _ => 8,
        }
    }

    /// Registers of D, A, B and C that a thread holds.
    pub(crate) fn registers(&self) -> [usize; 4] {
        let width = if self.bits() == 64 { 64 } else { 32 };
        let of = |elements: usize, bits: usize| elements * bits / 32 / width;
        let c_bits = if self.c_type == Element::F16 { 16 } else { width };
        let c = of(self.m * self.n, c_bits);
        [c, of(self.m * self.k, self.bits()), of(self.k * self.n, self.bits()), c]
    }
}
